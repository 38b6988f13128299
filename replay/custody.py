"""Recording an event about the journal itself, in a journal that no session has open.

Owns: where such an event fits, so that ``kernel replay`` still proves the journal: behind the end of a backtest, or as
one more input of a live one. It decides nothing, and changes nothing that was recorded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from journal import Frame, JournalReader, JournalWriter
from journal.encryption import EncryptionError
from kernel.events.body import encode_body, pack_body
from kernel.events.catalogue import Event, StateDigest
from kernel.events.layout import RUN_CLOSED, RUN_OPENED, STATE_DIGEST, Stored, encode, schema_digest
from kernel.state import state_digest
from replay.audit import CUSTODY_KINDS, records_of
from replay.history import History, HistoryError
from replay.live.files import ORIGIN


class _End(NamedTuple):
    """What is known of a journal's last events. ``digest_due``: the state's digest comes before anything else."""

    next_sequence: int
    now_ns: int
    is_closed: bool
    digest_due: bool


def record_custody(journal: Path, event: Event, body: dict[str, Any]) -> int:
    """Append the event, durably, and return its sequence. The body says by whom and why.

    Raises JournalLocked while a session has the journal, HistoryError for one where the event would have no place.
    """
    reader = JournalReader(journal)
    if reader.schema_digest != schema_digest():
        raise HistoryError(
            f"{journal}: written with another catalogue of events; kernel migrate makes one of this release"
        )
    with JournalWriter.open(journal) as writer:
        end = _end(reader)
        if reader.origin != ORIGIN and not end.is_closed:
            raise HistoryError(f"{journal}: the run was interrupted; end it first with kernel replay --resume")
        if end.digest_due and reader.origin == ORIGIN:
            words = np.frombuffer(state_digest(History(journal).fold(snapshots=False).state), ">i8")
            digest, first = StateDigest(*(int(word) for word in words)), end.next_sequence
            _append(writer, Stored(first, end.now_ns, end.now_ns, first - 1, -1, -1, -1, digest))
        sequence = writer.next_sequence
        _append(writer, Stored(sequence, end.now_ns, end.now_ns, 0, -1, -1, -1, event, encode_body(body)))
    return sequence


def _append(writer: JournalWriter, stored: Stored) -> None:
    writer.append(
        encode(stored).view(np.uint8),
        pack_body(stored.body) if stored.body else b"",
        event_count=1,
        first_sequence=stored.sequence,
        ts_ingest_ns=stored.ts_ingest_ns,
    )


def _end(reader: JournalReader) -> _End:
    """Looked up in the records, without folding them. Frames whose key is gone are passed over: nothing proves them."""
    now_ns = interval = last_digest = 0
    is_closed, is_whole, next_sequence = False, True, reader.first_sequence
    for frame, records in _records(reader):
        next_sequence, now_ns = frame.next_sequence, max(now_ns, frame.ts_ingest_ns)
        if records is None:
            is_whole = is_closed = False
            continue
        kinds = records["kind"]
        for at in np.flatnonzero((kinds == STATE_DIGEST.kind) | (kinds == RUN_OPENED.kind)):
            if kinds[at] == RUN_OPENED.kind:
                interval = int(records[at]["words"][RUN_OPENED.digest_interval])
            else:
                last_digest = int(records[at]["sequence"])
        if len(kinds):
            custody = np.isin(kinds, CUSTODY_KINDS).all()
            is_closed = bool(kinds[-1] == RUN_CLOSED.kind) or bool(is_closed and custody)
    due = interval > 0 and next_sequence >= (last_digest // interval + 1) * interval
    return _End(next_sequence, now_ns, is_closed or not is_whole, due and is_whole)


def _records(reader: JournalReader) -> Iterator[tuple[Frame, np.ndarray | None]]:
    for frame in reader:
        try:
            yield frame, records_of(frame)
        except EncryptionError:
            yield frame, None
