"""The folder of a fork: ``fork.json`` says what it was made of, so that it can be made again.

Owns that file. ``run.json`` of the parent lies beside it, by which the data of a backtest is found.
"""

from pathlib import Path

import msgspec

from replay.config import RunConfig
from replay.fork.changes import ForkError
from replay.fork.point import Origin
from replay.live.files import LiveFile
from replay.runner import RUN_FILE

FORK_FILE = "fork.json"


class ForkFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a fork was made of: enough to make it again.

    ``forked_at`` is the last event that both share; the ``own_events`` after it are the fork itself. ``live`` is what
    the parent's session began with, if it was one.
    """

    origin: Origin
    forked_at: int
    own_events: int
    parent: RunConfig
    fork: RunConfig
    changes: list[str]
    live: LiveFile | None = None


def write_fork_file(run_dir: Path, file: ForkFile) -> None:
    """Write ``fork.json``, and for a backtest ``run.json`` of the parent, by which its data is found."""
    text = msgspec.json.format(msgspec.json.encode(file), indent=2)
    (run_dir / FORK_FILE).write_bytes(text + b"\n")
    if file.live is None:
        text = msgspec.json.format(msgspec.json.encode(file.parent), indent=2)
        (run_dir / RUN_FILE).write_bytes(text + b"\n")


def read_fork_file(run_dir: Path) -> ForkFile:
    """Raises ForkError when there is none, or it is damaged."""
    path = run_dir / FORK_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=ForkFile)
    except FileNotFoundError:
        raise ForkError(f"{run_dir}: no {FORK_FILE} there; name a folder that kernel fork wrote") from None
    except msgspec.MsgspecError as error:
        raise ForkError(f"{path}: damaged: {error}") from None


def is_fork(run_dir: Path) -> bool:
    """Whether a fork was made in this folder."""
    return (run_dir / FORK_FILE).is_file()
