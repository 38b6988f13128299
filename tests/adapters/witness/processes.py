"""Real witness processes: ``kernel witness serve`` over a folder, to be killed and brought back."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from journal.note import COSIGNATURE, SigningKey, VerifierKey
from tests.cli.helpers import PROGRAM, environment_with

WITHIN_S = 30


class WitnessProcess:
    """A witness of a folder, with a key of its own; it cosigns for one origin."""

    def __init__(self, folder: Path, origin: str, *keys: VerifierKey, number: int = 1) -> None:
        self.folder, self.url, self._port = folder, "", 0
        self.key = SigningKey(f"witness.example/w{number}", bytes([number]) * 32, COSIGNATURE)
        self._process: subprocess.Popen[str] | None = None
        folder.mkdir(parents=True)
        (folder / "w.key").touch(mode=0o600)
        (folder / "w.key").write_text(self.key.text)
        names = ", ".join(f'"{key.text}"' for key in keys)
        text = f'key = "w.key"\nfolder = "state"\n[[log]]\norigin = "{origin}"\nkeys = [{names}]\n'
        (folder / "w.toml").write_text(text)

    def start(self) -> "WitnessProcess":
        """Serve; at the same address as before, when it was served before."""
        listen = f"127.0.0.1:{self._port}"
        command = [sys.executable, "-c", PROGRAM, "witness", "serve", str(self.folder / "w.toml"), "--listen", listen]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment_with()
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("serving http://"):
            raise AssertionError(self.stop())
        self.url = line.split()[1]
        self._port = int(self.url.rpartition(":")[2])
        return self

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it with a signal; returns what it said on standard error."""
        if self._process is None:
            return ""
        self._process.send_signal(number)
        said = self._process.communicate(timeout=WITHIN_S)[1]
        self.exit_code, self._process = self._process.returncode, None
        return said


def start_all(witnesses: Sequence[WitnessProcess]) -> None:
    """Start them side by side."""
    with ThreadPoolExecutor(len(witnesses)) as pool:
        list(pool.map(WitnessProcess.start, witnesses))
