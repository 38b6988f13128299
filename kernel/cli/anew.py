"""A run whose journal is written anew at another place, with what later commands need beside it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from kernel.cli.errors import BadInput
from kernel.cli.progress import ProgressBar

LIVE = "live.json"
# What a later command needs beside the journal; the rest of a run tells of the old one.
NEEDED = ("run.json", LIVE)


class Made(Protocol):
    """What is said of the new journal, and is kept beside it."""

    @property
    def frames(self) -> int:
        """How many it has."""

    @property
    def root(self) -> str:
        """Of all of them, in hexadecimal."""


M = TypeVar("M", bound=Made)


def write_anew(run: Path, place: Path, out: Path, label: str, mark: str, make: Callable[[Path, ProgressBar], M]) -> M:
    """Put a copy of ``run`` together at ``out``: ``make`` writes its journal, which lies at ``place``, to a new folder.

    What ``make`` returns is kept in the file ``mark``. A live session that is copied so is marked as restored: its
    orders get other names. Nothing is left of a copy that fails. Raises BadInput where ``out`` is in use.
    """
    import msgspec

    from journal.files import put_together
    from journal.restore import mark_restored

    folder = "" if place == run else place.relative_to(run)
    try:
        with put_together(out) as staging, ProgressBar(label) as progress:
            made = make(staging / folder, progress)
            for name in NEEDED:
                if (run / name).is_file():
                    shutil.copyfile(run / name, staging / name)
            (staging / mark).write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
            if (run / LIVE).is_file():
                mark_restored(staging, run, made.frames, made.root)
    except FileExistsError:
        raise BadInput(f"{out} is there already and is not empty; name another --out") from None
    return made
