"""Re-running what is recorded, through the same decision code, and comparing every byte of every event.

Owns the comparison of two histories, frame by frame, down to the first event and field that differ; ``kernel replay
JOURNAL`` and the resuming of an interrupted run rest on it.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from journal import Frame, JournalReader, JournalWriter
from kernel.events.body import decode_body, unpack_bodies
from kernel.events.catalogue import event_types
from kernel.events.layout import (
    HALTED,
    HEADER_FIELDS,
    KEY_DESTROYED,
    KEY_ROTATED,
    PRUNED,
    RECORD,
    RESTORED,
    RESUMED,
    SEGMENT,
    TAIL_DISCARDED,
)
from replay.session import Injection

# About the journal itself: recorded behind the end of a run, where nothing follows from them.
CUSTODY_KINDS = (RESTORED.kind, PRUNED.kind, KEY_DESTROYED.kind, KEY_ROTATED.kind)
INJECTED_KINDS = (HALTED.kind, RESUMED.kind, TAIL_DISCARDED.kind)
_TYPES = {kind.kind: kind for kind in event_types()}


class Difference(msgspec.Struct, frozen=True):
    """The first place at which two histories differ. ``left`` and ``right`` are None where an event is missing."""

    sequence: int
    event: str
    field: str
    left: int | str | None
    right: int | str | None

    def describe(self, left_name: str, right_name: str) -> str:
        """One line for people."""
        return (
            f"first difference at event {self.sequence} ({self.event}), field {self.field}: "
            f"{left_name} {_shown(self.left)}, {right_name} {_shown(self.right)}"
        )


def _shown(value: int | str | None) -> str:
    return "has no such event" if value is None else f"has {value}"


class DivergenceError(RuntimeError):
    """A re-run that did not come out as recorded."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.describe("the journal", "the re-run"))
        self.difference = difference


def records_of(frame: Frame) -> np.ndarray:
    """The records of a frame (dtype RECORD), without a copy."""
    return np.frombuffer(frame.records, RECORD)


def event_name(kind: int) -> str:
    """The name of an event kind, or its number when the catalogue does not have it."""
    return _TYPES[kind].name if kind in _TYPES else f"kind {kind}"


def compare_records(left: np.ndarray, right: np.ndarray) -> Difference | None:
    """The first event and field in which two stretches of records differ, or None."""
    count = min(len(left), len(right))
    raw_left = left[:count].view(np.uint8).reshape(count, RECORD.itemsize)
    raw_right = right[:count].view(np.uint8).reshape(count, RECORD.itemsize)
    different = np.flatnonzero((raw_left != raw_right).any(axis=1))
    if len(different):
        return _first_field(left[different[0]], right[different[0]])
    if len(left) == len(right):
        return None
    longer = left if len(left) > len(right) else right
    extra = longer[count]
    name, sequence = event_name(int(extra["kind"])), int(extra["sequence"])
    here, there = (name, None) if longer is left else (None, name)
    return Difference(sequence, name, "event", here, there)


def _first_field(left: np.void, right: np.void) -> Difference:
    sequence = min(int(left["sequence"]), int(right["sequence"]))
    kinds = int(left["kind"]), int(right["kind"])
    if kinds[0] != kinds[1]:
        names = event_name(kinds[0]), event_name(kinds[1])
        return Difference(sequence, names[0], "kind", *names)
    for field in HEADER_FIELDS:
        if left[field] != right[field]:
            return Difference(sequence, event_name(kinds[0]), field, int(left[field]), int(right[field]))
    fields = _TYPES[kinds[0]].fields if kinds[0] in _TYPES else ()
    at = int(np.flatnonzero(left["words"] != right["words"])[0])
    field = fields[at] if at < len(fields) else f"word {at}"
    if kinds[0] == SEGMENT.kind and field.startswith("hash"):
        field = "market data (the rows are not those that were recorded)"
    return Difference(sequence, event_name(kinds[0]), field, int(left["words"][at]), int(right["words"][at]))


def _compare_bodies(
    left: np.ndarray, left_bodies: bytes | memoryview, right: np.ndarray, right_bodies: bytes
) -> Difference | None:
    """The first event whose bodies differ, among those that both have, or None."""
    if bytes(left_bodies) == right_bodies:
        return None
    pairs = zip(left, unpack_bodies(left, left_bodies), unpack_bodies(right, right_bodies), strict=False)
    for record, here, there in pairs:
        if here != there:
            shown = [str(decode_body(body)) for body in (here, there)]
            return Difference(int(record["sequence"]), event_name(int(record["kind"])), "body", *shown)
    return None


class EndOfRecordError(Exception):
    """The recorded history ends here: everything before it was compared."""


class CompareSink:
    """Compares frames with recorded ones. Past the end: hands them to a writer (resume), or ends the audit.

    ``compared_frames`` and ``compared_events`` count what was found identical.
    """

    def __init__(self, reader: JournalReader, resume_at: Path | None = None, fsync: str = "batch") -> None:
        self._frames: Iterator[Frame] = iter(reader)
        self._resume_at, self._fsync = resume_at, fsync
        self.writer: JournalWriter | None = None
        self._pruned = reader.pruned_frames  # made again, and there is nothing to compare them with
        self.compared_frames = 0
        self.compared_events = 0

    def frame(self, records: np.ndarray, bodies: bytes, *, first_sequence: int, event_count: int, ts_ns: int) -> None:
        """Compare a frame with the next recorded one. Raises DivergenceError, or EndOfRecordError past the end."""
        if self._pruned:
            self._pruned -= 1
            return
        if self.writer is None:
            recorded = next(self._frames, None)
            if recorded is not None:
                self._compare(recorded, records, bodies, event_count)
                return
            if self._resume_at is None:
                raise EndOfRecordError
            self.writer = JournalWriter.open(self._resume_at, fsync=self._fsync)
        self.writer.append(
            records.view(np.uint8),
            bodies,
            event_count=event_count,
            first_sequence=first_sequence,
            ts_ingest_ns=ts_ns,
        )

    def expect_end(self) -> None:
        """After the re-run's last frame: whatever is recorded beyond it, but for custody, is a difference."""
        for recorded in self._frames:
            records = records_of(recorded)
            if not np.isin(records["kind"], CUSTODY_KINDS).all():
                difference = compare_records(records, np.zeros(0, RECORD))
                assert difference is not None
                raise DivergenceError(difference)
            self.compared_frames += 1
            self.compared_events += recorded.event_count

    def _compare(self, recorded: Frame, records: np.ndarray, bodies: bytes, event_count: int) -> None:
        difference = compare_records(records_of(recorded), records)
        in_body = _compare_bodies(records_of(recorded), recorded.bodies, records, bodies)
        if in_body is not None and (difference is None or in_body.sequence < difference.sequence):
            difference = in_body
        if difference is None and recorded.event_count != event_count:
            difference = Difference(recorded.first_sequence, "frame", "event_count", recorded.event_count, event_count)
        if difference is not None:
            raise DivergenceError(difference)
        self.compared_frames += 1
        self.compared_events += event_count


def recorded_injections(reader: JournalReader) -> list[Injection]:
    """The recorded inputs that neither the data nor the venue gives: halts, and tails that were discarded."""
    found = []
    for frame in reader:
        records = records_of(frame)
        if len(records) and int(records[0]["kind"]) in INJECTED_KINDS:
            found.append(Injection(frame.first_sequence, records.copy(), bytes(frame.bodies)))
    return found
