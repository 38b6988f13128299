"""Sessions of ``kernel live`` as processes of their own, at a local venue: what crash, fault and soak runs stand on.

The command, the adapter and the packages behind it are those that a user runs; only addresses and keys are ours.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from replay.live.control import ControlError, ask
from tests.venues.process import ROOT, Server

BUSY = ROOT / "tests" / "live" / "busy.py"
COMMAND = (sys.executable, "-c", "from kernel.cli import main; main()")
KEY, SECRET = "KERNEL_TEST_KEY", "KERNEL_TEST_SECRET"


@dataclass
class Place:
    """A venue: its server's module, how to start it, and what ``[live]`` says of it."""

    module: str
    arguments: tuple[str, ...]
    live: Callable[[Server], dict[str, Any]]
    keys: tuple[str, str]
    strategy: dict[str, Any] = field(default_factory=dict)


def write_config(path: Path, place: Place, server: Server, **changes: Any) -> Path:
    """The configuration file of a busy session at a place."""
    live = place.live(server) | {"key": f"env:{KEY}", "secret": f"env:{SECRET}"} | changes
    lines = ["[[strategy]]", f'use = "{BUSY}"']
    if place.strategy:
        lines.append("set = { " + ", ".join(f"{name} = {value}" for name, value in place.strategy.items()) + " }")
    lines += ["[live]", *(f"{name} = {json.dumps(value)}" for name, value in live.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


class Session:
    """A process of ``kernel live`` in a folder; in a ``with`` block none is left behind."""

    def __init__(self, run_dir: Path, keys: tuple[str, str], **environment: str) -> None:
        self.run_dir, self.log = run_dir, run_dir.with_suffix(".log")
        self.environment = os.environ | {"PYTHONPATH": str(ROOT), KEY: keys[0], SECRET: keys[1]} | environment
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def start(self, *arguments: str) -> None:
        """Start it; what it says is added to the log."""
        with self.log.open("ab") as log:
            command = [*COMMAND, "live", "--json", *arguments]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def begin(self, config: Path) -> None:
        """A new session."""
        self.start("--config", str(config), "--out", str(self.run_dir))

    def go_on(self) -> None:
        """The same session again."""
        self.start("--resume", str(self.run_dir))

    def wait_until(self, done: Callable[[dict[str, Any]], bool], seconds: float = 60.0) -> dict[str, Any]:
        """Wait for a status that is good; raises AssertionError with the log's end."""
        end, status = time.monotonic() + seconds, {}
        while time.monotonic() < end:
            try:
                status = ask(self.run_dir, "status", {})
                if done(status):
                    return status
            except ControlError:
                pass
            assert self.process is not None
            assert self.process.poll() is None, f"the session ended: {self.tail()}"
            time.sleep(0.05)
        raise AssertionError(f"not after {seconds} s; status {status}; log: {self.tail()}")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Ask through the control socket."""
        return ask(self.run_dir, command, arguments)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 60.0) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(seconds)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text().splitlines()[-lines:]) if self.log.exists() else ""


def kernel(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the program."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False)
