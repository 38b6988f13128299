"""Recovery: move a torn tail aside, so that a writer can resume after the last whole frame.

Owns: the `discarded/` folder. Must not know: what the discarded bytes were for. Nothing is ever deleted, and
anything but a torn tail is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from journal.errors import JournalError, failure_message
from journal.scan import Scan
from journal.segments import End
from journal.sink import make_durable
from journal.storage import Storage, as_storage

DISCARDED = "discarded"
COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TornInfo:
    """The tail that was moved aside: how many bytes, where they are kept, which frame it would have been, and
    why.
    """

    bytes: int
    kept_at: str
    frame_number: int
    why: str
    kind: str


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """The journal as it stands after recovery; `torn` is None if there was nothing to do."""

    frames: int
    events: int
    next_sequence: int
    head: bytes
    root: bytes
    torn: TornInfo | None


def recover_journal(path_or_storage: str | os.PathLike[str] | Storage) -> RecoverReport:
    """Check everything, move a torn tail to `discarded/`, truncate, and make the rest durable.

    Raises CorruptJournal for anything but a torn tail (nothing is changed then), JournalLocked if a writer is
    at work. It is safe to interrupt and repeat: the tail is durable in `discarded/` before it leaves the
    segment. A journal whose very creation was interrupted is left without segments; create it again.
    """
    storage = as_storage(path_or_storage)
    storage.lock()
    try:
        scan, events = Scan(storage), 0
        tree = scan.tree()
        for frame in scan.frames():
            tree.append(frame.hash)
            events += frame.event_count
        end = scan.end
        assert end is not None
        torn = _discard(storage, end) if end.torn is not None else None
        # Without `off`, all that is kept may now be called durable; the next writer's seal will do so.
        if torn is not None:
            _make_rest_durable(storage, scan, end)
        return RecoverReport(tree.size, events, end.next_sequence, end.head, tree.root, torn)
    except OSError as error:
        raise JournalError(failure_message("the recovery could not finish", error)) from error
    finally:
        storage.unlock()


def _discard(storage: Storage, end: End) -> TornInfo:
    assert end.torn is not None
    storage.make_folder(DISCARDED)
    storage.sync_folder()
    kept_at = _free_name(storage, f"{DISCARDED}/{end.segment.removesuffix('.seg')}-{end.offset}")
    source = storage.open(end.segment)
    try:
        if end.offset == 0:
            # Not even the segment's header is whole, so the file itself moves.
            storage.fdatasync(source)
            storage.rename(end.segment, kept_at)
            storage.sync_folder(DISCARDED)
        else:
            _copy(storage, source, end.offset, end.torn_bytes, kept_at)
            storage.truncate(source, end.offset)
            storage.fdatasync(source)
    finally:
        storage.close(source)
    storage.sync_folder()
    return TornInfo(end.torn_bytes, kept_at, end.torn.frame_number, end.torn.sentence, end.torn.kind)


def _copy(storage: Storage, source: int, offset: int, length: int, name: str) -> None:
    target = storage.open(name, create=True)
    try:
        for at in range(0, length, COPY_BYTES):
            storage.pwrite(target, storage.read(source, min(COPY_BYTES, length - at), offset + at), at)
        storage.fdatasync(target)
    finally:
        storage.close(target)
    storage.sync_folder(DISCARDED)


def _make_rest_durable(storage: Storage, scan: Scan, end: End) -> None:
    segments = [name for name in scan.segments if end.offset or name != end.segment]
    acknowledged = scan.seal.frame_number if scan.seal is not None else 0
    if segments:
        make_durable(storage, segments, end, acknowledged)


def _free_name(storage: Storage, stem: str) -> str:
    taken = set(storage.list(DISCARDED))
    return next(name for n in range(len(taken) + 1) if (name := f"{stem}-{n + 1}.torn") not in taken)
