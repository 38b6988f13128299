"""What a backup says it holds: ``backup.json``, the one file that makes a folder a backup.

Owns: its fields and their checks. A backup is what its manifest names; whatever else lies there is left from one that
was interrupted. Must not know: how files get there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from journal.errors import JournalError
from journal.files import write_file

MANIFEST = "backup.json"
FORMAT = "journal-backup@v1"
BLOBS = "files"


class BackupError(JournalError):
    """A backup that cannot be made or used. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file: where it was, below what was backed up, how long it is and its SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``segments`` lie below ``place`` (the journal's folder, empty for a bare journal), ``files`` by their hash."""

    origin: str
    genesis_id: str
    place: str
    frames: int
    next_sequence: int
    head: str
    root: str
    segments: tuple[Kept, ...] = ()
    files: tuple[Kept, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    def write(self, folder: Path) -> None:
        """Put it in its folder, whole or not at all."""
        text = json.dumps({"format": FORMAT} | asdict(self), indent=1)
        write_file(folder / MANIFEST, text.encode() + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest of a backup; None where there is none. Raises BackupError."""
        path = folder / MANIFEST
        try:
            fields = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BackupError(f"{path}: damaged: {error}; make the backup anew in another folder") from None
        if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
            raise BackupError(f"{path}: not the manifest of a backup that this release can read ({FORMAT})")
        try:
            return cls(**(fields | {name: _kept(fields[name]) for name in ("segments", "files")}))
        except (KeyError, TypeError, ValueError) as error:
            raise BackupError(f"{path}: damaged: {error}; make the backup anew in another folder") from None


def _kept(entries: Any) -> tuple[Kept, ...]:
    found = tuple(Kept(str(one["path"]), int(one["bytes"]), str(one["sha256"])) for one in entries)
    for one in found:
        path = PurePosixPath(one.path)
        if path.is_absolute() or ".." in path.parts or len(one.sha256) != 64:
            raise ValueError(f"{one.path!r} is no file of a backup")
    return found
