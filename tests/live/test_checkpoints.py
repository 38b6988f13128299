"""Checkpoints that sessions make by themselves, with real witnesses that are killed and come back."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result

from journal import JournalReader, JournalWriter
from journal.checkpoint import Checkpoint, open_checkpoint
from journal.kept import cosigned_checkpoint, kept_checkpoints, latest_checkpoint
from journal.note import SigningKey
from journal.verify import verify_journal
from kernel.cli import cli
from kernel.events.layout import RECORD
from replay.config import ConfigError, load_config
from replay.config.live import CheckpointConfig
from replay.live.checkpoints import Checkpoints
from replay.live.files import ORIGIN
from replay.live.view import checkpoint_text
from replay.live.writing import GroupCommit
from replay.pipeline import FrameCut
from replay.rotations import key_chain
from tests.adapters.witness.processes import WitnessProcess, start_all
from tests.journal.logs import write
from tests.live.books import prove
from tests.live.places import BYBIT
from tests.live.sessions import Session, write_config
from tests.venues.process import Server, started

KEY = SigningKey("example.com/desk", bytes(range(32)))
NEXT = SigningKey("example.com/next", bytes(range(1, 33)))
PAPER = {"mode": "paper", "key": "", "secret": ""}


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[WitnessProcess]]:
    """Two, for every journal of live sessions that the keys sign."""
    made = [
        WitnessProcess(tmp_path / f"w{one}", f"{ORIGIN}/*", KEY.verifier, NEXT.verifier, number=one) for one in (1, 2)
    ]
    start_all(made)
    yield made
    for one in made:
        one.stop()


def _config(folder: Path, server: Server, **settings: Any) -> Path:
    """A paper session that signs with the key."""
    (folder / "desk.key").touch(mode=0o600)
    (folder / "desk.key").write_text(KEY.text)
    path = write_config(folder / "live.toml", BYBIT, server, **PAPER)
    table = {"key": f"file:{folder / 'desk.key'}", **settings}
    lines = ["[live.checkpoint]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
    path.write_text(path.read_text() + "\n".join(lines) + "\n")
    return path


def _kernel(*arguments: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(cli, arguments)


def _asking(witnesses: list[WitnessProcess]) -> dict[str, Any]:
    return {
        "witnesses": [one.url for one in witnesses],
        "witness_keys": [one.key.verifier.text for one in witnesses],
        "quorum": 2,
    }


def test_a_session_is_cosigned_whatever_is_killed(tmp_path: Path, witnesses: list[WitnessProcess]) -> None:
    with started(BYBIT.module, "--rate", "120", *BYBIT.arguments) as server, Session(tmp_path / "run", ("", "")) as run:
        run.begin(_config(tmp_path, server, every_frames=20, every="1s", **_asking(witnesses)))
        first = run.wait_until(lambda status: status["checkpoint"]["cosigned_frames"] > 20)
        assert first["checkpoint"]["problem"] == ""
        # A witness is away: trading goes on, and the session says how far the cosignatures are behind.
        witnesses[1].stop(signal.SIGKILL)
        stuck = run.wait_until(lambda status: "1 of 2 witnesses cosigned" in status["checkpoint"]["problem"])
        held = stuck["checkpoint"]["cosigned_frames"]
        later = run.wait_until(
            lambda status: (
                status["checkpoint"]["lag_frames"] > 40
                and status["checkpoint"]["signed_frames"] > held + 40
                and status["fills"] > stuck["fills"]
            )
        )["checkpoint"]
        assert later["cosigned_frames"] == held
        assert later["lag_s"] > 0.5
        assert "cosigned_frames" in _kernel("status", "--run", str(run.run_dir)).stdout
        witnesses[1].start()
        run.wait_until(lambda status: status["checkpoint"]["cosigned_frames"] >= later["signed_frames"])
        # The key is rotated: nothing is signed until the new one is in its place.
        (tmp_path / "next.key").touch(mode=0o600)
        (tmp_path / "next.key").write_text(NEXT.text)
        keys = ("--key", str(tmp_path / "desk.key"), "--new", str(tmp_path / "next.key"))
        rotated = _kernel("rotate-key", str(run.run_dir), *keys, "--reason", "a test")
        assert rotated.exit_code == 0, rotated.output
        again = _kernel("rotate-key", str(run.run_dir), *keys)
        assert (again.exit_code, "names another one" in again.stderr) == (1, True)
        run.wait_until(lambda status: "was replaced" in status["checkpoint"]["problem"])
        (tmp_path / "next.key").rename(tmp_path / "desk.key")
        run.wait_until(lambda status: not status["checkpoint"]["problem"])
        # The session is killed, and the next one goes on from the last checkpoint.
        run.kill()
        journal = run.run_dir / "journal"
        before = Checkpoint.of_note(latest_checkpoint(journal) or b"").size
        (tmp_path / "desk.key").rename(tmp_path / "away.key")
        run.go_on()
        run.wait_until(lambda status: "not signed" in status["checkpoint"]["problem"])
        (tmp_path / "away.key").rename(tmp_path / "desk.key")
        run.wait_until(lambda status: status["checkpoint"]["cosigned_frames"] > before)
        assert run.stop() == 0
    trusted = [KEY.verifier, *(one.key.verifier for one in witnesses)]  # nobody was told of the next key
    keys = key_chain(journal, trusted).keys
    assert keys == [*trusted, NEXT.verifier]
    notes = [open_checkpoint(note, keys) for note in kept_checkpoints(journal)]
    report = verify_journal(journal, sizes={one.checkpoint.size for one in notes})
    assert [one.checkpoint.root for one in notes] == [report.roots[one.checkpoint.size] for one in notes]
    last = open_checkpoint(cosigned_checkpoint(journal) or b"", keys)
    assert (last.checkpoint.size, last.witnesses) == (report.frames, 2)  # the end of the session is cosigned too
    lines = [json.loads(line) for line in run.log.read_text().splitlines() if line.startswith('{"checkpoint"')]
    assert any(line["checkpoint"]["problem"] for line in lines)
    assert prove(run.run_dir).events > 50
    texts = [text for key in trusted for text in ("--key", key.text)]
    against = ("--against", str(journal / "tlog" / "cosigned"), "--quorum", "2")
    done = _kernel("verify", str(run.run_dir), *against, *texts)
    assert done.exit_code == 0, done.output
    assert "example.com/next" in done.stdout
    # What the old key signs now is worth nothing.
    (tmp_path / "old.note").write_bytes(last.checkpoint.sign(KEY))
    stale = _kernel("verify", str(run.run_dir), "--against", str(tmp_path / "old.note"), *texts)
    assert (stale.exit_code, "took the place of" in stale.stderr) == (1, True)
    (tmp_path / "old.key").touch(mode=0o600)
    (tmp_path / "old.key").write_text(KEY.text)
    stale = _kernel("checkpoint", str(run.run_dir), "--key", str(tmp_path / "old.key"))
    assert (stale.exit_code, "was replaced by example.com/next" in stale.stderr) == (1, True)


class _Writing:
    """A journal that is written, and what makes its checkpoints: without a venue, and without witnesses."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.key = folder / "journal", folder / "desk.key"
        self.said: list[str] = []
        if not self.journal.exists():
            self.key.touch(mode=0o600)
            self.key.write_text(KEY.text)
            write(self.journal, 300)

    def __enter__(self) -> Self:
        writer = JournalWriter.open(self.journal, fsync="always")
        self.frames = GroupCommit(writer, "always", lambda sequence: None, lambda error: None)
        settings = CheckpointConfig(key=f"file:{self.key}", every="50ms")
        self.made = Checkpoints(self.journal, self.frames, settings, self.said.append)
        self.made.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.frames.close()
        self.made.close()

    def put(self, count: int) -> None:
        """Frames of a record each; not yet called durable."""
        for _ in range(count):
            cut = FrameCut(1, 0, 0, self.frames.writer.next_sequence, 1, 0)
            self.frames.put(bytes(RECORD.itemsize), b"", cut)

    def wait_until(self, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 20
        while not done(status := self.made.status()):
            assert time.monotonic() < end, status
            time.sleep(0.02)
        return status


def test_only_what_is_durable_is_signed(tmp_path: Path) -> None:
    with _Writing(tmp_path) as one:
        one.put(40)
        one.frames.commit()
        status = one.wait_until(lambda status: status["signed_frames"] == 340)
        assert (status["lag_frames"], status["asks_witnesses"], status["problem"]) == (0, False, "")
        one.put(10)
        time.sleep(0.5)
        assert one.made.status()["signed_frames"] == 340
        assert one.made.status()["lag_frames"] == 10
        one.frames.commit()
        one.wait_until(lambda status: status["signed_frames"] == 350)
        one.put(5)
    assert [Checkpoint.of_note(note).size for note in kept_checkpoints(one.journal)] == [340, 350, 355]
    root = Checkpoint.of_note(latest_checkpoint(one.journal) or b"").root
    assert root == verify_journal(one.journal).root


def test_how_far_it_goes_in_words() -> None:
    found = {"signed_frames": 1200, "cosigned_frames": 900, "asks_witnesses": True, "lag_frames": 310, "lag_s": 4.4}
    text = "signed 1,200, cosigned 900; 310 frames, 4 s behind"
    assert checkpoint_text(found | {"problem": ""}) == text
    assert checkpoint_text(found | {"problem": "w1 is away"}) == f"{text}; w1 is away"
    alone = checkpoint_text(found | {"problem": "", "asks_witnesses": False})
    assert alone == "signed 1,200; 310 frames, 4 s behind"


def test_without_its_key_nothing_is_signed_until_it_is_back(tmp_path: Path) -> None:
    with _Writing(tmp_path) as one:
        one.key.rename(tmp_path / "away")
        one.put(1)
        one.frames.commit()
        one.wait_until(lambda status: "not signed" in status["problem"])
        (tmp_path / "away").rename(one.key)
        one.wait_until(lambda status: status["signed_frames"] == 301 and not status["problem"])
    assert len(one.said) == 1


def test_another_history_is_not_signed(tmp_path: Path) -> None:
    with _Writing(tmp_path) as one:
        one.put(1)
    note = Checkpoint.of_note(latest_checkpoint(one.journal) or b"")
    (one.journal / "tlog" / "checkpoint").write_bytes(Checkpoint(note.origin, 200, bytes(32)).sign(KEY))
    with _Writing(tmp_path) as one:
        one.put(1)
        problem = one.wait_until(lambda status: bool(status["problem"]))["problem"]
    assert "no checkpoints any more" in problem
    assert "history was rewritten" in problem
    assert JournalReader(one.journal).frame_count == 302  # what it signs or not, it is written


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"every": "1s"}, "live.checkpoint.key is missing"),
        ({"key": "file:x", "every": "0s"}, "live.checkpoint.every"),
        ({"key": "file:x", "every": "often"}, "live.checkpoint.every"),
        ({"key": "file:x", "every_frames": -1}, "0 or more"),
        ({"key": "file:x", "witnesses": ["x"]}, "write its address"),
        ({"key": "file:x", "witnesses": ["http://x"]}, "a quorum of 1 needs"),
        ({"key": "file:x", "quorum": 1}, "a quorum of 1 needs"),
        ({"key": "file:x", "witnesses": ["http://x"], "witness_keys": ["nonsense"]}, "no verifier key"),
        ({"key": "file:x", "witnesses": ["http://x"], "witness_keys": [KEY.verifier.text]}, "signs notes"),
        ({"key": "file:x", "keys": 1}, "live.checkpoint.keys"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    lines = ["[live]", 'venue = "bybit"', 'symbols = ["BTCUSDT"]', "[live.checkpoint]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (tmp_path / "live.toml").write_text("\n".join(lines) + "\n")
    with pytest.raises(ConfigError) as refused:
        load_config(tmp_path / "live.toml", {})
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
