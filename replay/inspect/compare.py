"""``kernel diff``: the first event and field at which two recorded histories differ.

Owns the comparison of events whatever way they are stored: in either journal mode, cut into frames in any way. Frames
that are stored alike, the hash of their market rows included, are passed over without reading market data.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from kernel.events.body import shown_body
from kernel.events.layout import RECORD, Stored
from replay.audit import Difference, compare_records, event_name
from replay.history import History
from replay.inspect.frames import DEFINING_KINDS, MARKET_KINDS, Filter, HistoryFrame, stored_events
from replay.inspect.source import DataMissingError

CONTEXT_EVENTS = 3
MAX_CAUSES = 8


class Side(msgspec.Struct, frozen=True):
    """What one history has at the difference: the event (None: no such event), those before it, and its causes."""

    event: Stored | None
    before: list[Stored]
    causes: list[Stored]


class Comparison(msgspec.Struct, frozen=True):
    """What comparing two histories came to. ``difference`` is None when they are identical.

    ``later`` is the first difference among what happened, where the first one is in the definitions. ``market`` is
    False when market rows could not be compared because their data is not there.
    """

    events: int
    difference: Difference | None
    sides: tuple[Side, Side] | None
    later: Difference | None
    later_sides: tuple[Side, Side] | None
    market: bool
    market_problem: str


def compare_histories(left: History, right: History) -> Comparison:
    """Compare all events of two histories, in order."""
    walk = _Walk(left, right)
    difference = walk.next_difference()
    if difference is None:
        return Comparison(walk.events, None, None, None, None, walk.market, walk.market_problem)
    later = None
    if walk.kind in DEFINING_KINDS:
        later = difference
        while later is not None and walk.kind in DEFINING_KINDS:
            later = walk.next_difference()
    return Comparison(
        walk.events,
        difference,
        _sides(left, right, difference),
        later,
        _sides(left, right, later) if later is not None else None,
        walk.market,
        walk.market_problem,
    )


class _Walk:
    """Two histories side by side, in stretches of the same sequences."""

    def __init__(self, left: History, right: History) -> None:
        self._histories = left, right
        self._frames = [_Frames(history) for history in self._histories]
        self.events = 0  # found identical
        self.kind = -1  # of the last difference
        self.market = True
        self.market_problem = ""
        self._pending: list[tuple[Difference, int]] = []

    def next_difference(self) -> Difference | None:
        """The next event that differs; None when there is no other."""
        while not self._pending:
            here, there = (frames.peek() for frames in self._frames)
            if here is None and there is None:
                return None
            if (
                here is not None
                and there is not None
                and here.taken == there.taken == 0
                and _alike(here.frame, there.frame)
            ):
                self.events += here.frame.next_sequence - here.frame.first_sequence
                for frames in self._frames:
                    frames.drop()
                continue
            self._compare(here, there)
        difference, self.kind = self._pending.pop(0)
        return difference

    def _compare(self, here: "_Open | None", there: "_Open | None") -> None:
        ends = [one.frame.next_sequence for one in (here, there) if one is not None]
        end = min(ends)
        parts = [self._part(one, end) for one in (here, there)]
        if here is None or there is None:
            self._end(parts)
            return
        if not self.market:
            parts = [part[~np.isin(part["kind"], np.array(sorted(MARKET_KINDS)))] for part in parts]
        bodies = [one.frame.body_of() for one in (here, there)]
        self._note_differences(parts, bodies)
        for frames, one in zip(self._frames, (here, there), strict=True):
            one.taken = end - one.frame.first_sequence
            if one.frame.next_sequence == end:
                frames.drop()

    def _part(self, one: "_Open | None", end: int) -> np.ndarray:
        if one is None:
            return np.zeros(0, RECORD)
        records = self._expanded(one)
        start = one.frame.first_sequence + one.taken
        return records[(records["sequence"] >= start) & (records["sequence"] < end)]

    def _expanded(self, one: "_Open") -> np.ndarray:
        if one.records is None:
            one.records = one.frame.records
            if self.market:
                try:
                    one.records = one.history.resolve(one.frame).expanded()
                except DataMissingError as error:
                    self.market, self.market_problem = False, str(error)
        return one.records

    def _end(self, parts: list[np.ndarray]) -> None:
        """One history is over. That is one difference, and the last."""
        difference = compare_records(parts[0], parts[1])
        while difference is None:  # rows that cannot be read
            longer = next(frames for frames in self._frames if frames.peek() is not None)
            one = longer.peek()
            assert one is not None
            name, at = "market row", one.frame.first_sequence + one.taken
            values = (name, None) if longer is self._frames[0] else (None, name)
            difference = Difference(at, name, "event", *values)
        self._pending.append((difference, -1))
        for frames in self._frames:
            frames.finish()

    def _note_differences(self, parts: list[np.ndarray], bodies: list[dict[int, bytes]]) -> None:
        left, right = parts
        at = 0
        while at < max(len(left), len(right)):
            ends = _next_difference(left, right, bodies, at)
            if ends is None:
                self.events += len(left) - at
                return
            self.events += ends - at
            pair = left[ends : ends + 1], right[ends : ends + 1]
            found = compare_records(*pair) or _body_difference(pair[0], *bodies)
            assert found is not None
            kind = int(pair[0]["kind"][0]) if len(pair[0]) else -1
            self._pending.append((found, kind))
            at = ends + 1
            if kind not in DEFINING_KINDS:
                return


def _next_difference(left: np.ndarray, right: np.ndarray, bodies: list[dict[int, bytes]], start: int) -> int | None:
    """The first position at or after ``start`` at which records or bodies differ."""
    count = min(len(left), len(right))
    raw = [
        np.ascontiguousarray(part[start:count]).view(np.uint8).reshape(-1, RECORD.itemsize) for part in (left, right)
    ]
    different = (raw[0] != raw[1]).any(axis=1) if count > start else np.zeros(0, bool)
    for sequence in sorted({*bodies[0], *bodies[1]}):
        if bodies[0].get(sequence) != bodies[1].get(sequence):
            different |= left["sequence"][start:count] == sequence
    places = np.flatnonzero(different)
    if len(places):
        return start + int(places[0])
    return count if len(left) != len(right) else None


def _body_difference(record: np.ndarray, left: dict[int, bytes], right: dict[int, bytes]) -> Difference | None:
    sequence, kind = int(record["sequence"][0]), int(record["kind"][0])
    values = [shown_body(bodies.get(sequence, b"")) for bodies in (left, right)]
    path, here, there = _first_value(*values)
    return Difference(sequence, event_name(kind), f"body{path}", _plain(here), _plain(there))


def _first_value(left: Any, right: Any) -> tuple[str, Any, Any]:
    """Where two plain values first differ, as a path such as ``.strategies[0].name``."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            if left.get(key) != right.get(key):
                path, here, there = _first_value(left.get(key), right.get(key))
                return f".{key}{path}", here, there
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, pair in enumerate(zip(left, right, strict=True)):
            if pair[0] != pair[1]:
                path, here, there = _first_value(*pair)
                return f"[{at}]{path}", here, there
    return "", left, right


def _plain(value: Any) -> int | str | None:
    return value if isinstance(value, int | str) or value is None else msgspec.json.encode(value).decode()


class _Open(msgspec.Struct):
    history: History
    frame: HistoryFrame
    taken: int = 0
    records: np.ndarray | None = None


class _Frames:
    """The frames of one history with a look at the next."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._frames: Iterator[HistoryFrame] = history.stored_frames()
        self._open: _Open | None = None

    def peek(self) -> _Open | None:
        if self._open is None:
            frame = next(self._frames, None)
            self._open = None if frame is None else _Open(self._history, frame)
        return self._open

    def drop(self) -> None:
        self._open = None

    def finish(self) -> None:
        self._open, self._frames = None, iter(())


def _alike(left: HistoryFrame, right: HistoryFrame) -> bool:
    """Whether two frames are the same as stored; equal hashes stand for equal market rows."""
    spans = [(one.first_sequence, one.next_sequence, one.row_count, one.row_hash, one.bodies) for one in (left, right)]
    return spans[0] == spans[1] and left.records.tobytes() == right.records.tobytes()


def _sides(left: History, right: History, difference: Difference) -> tuple[Side, Side]:
    sides = [_side(history, difference.sequence) for history in (left, right)]
    return sides[0], sides[1]


def _side(history: History, sequence: int) -> Side:
    before: list[Stored] = []
    for frame in history.stored_frames(max(1, sequence - 1)):
        records = Filter().select(frame.records[frame.records["sequence"] <= sequence])
        found = list(stored_events(records[-CONTEXT_EVENTS - 1 :], frame.body_of()))
        before = [*before, *(one for one in found if one.sequence < sequence)][-CONTEXT_EVENTS:]
        if frame.next_sequence > sequence:
            break
    event = _readable(history, sequence) if 1 <= sequence <= history.last_sequence else None
    return Side(event, before, _causes(history, event))


def _causes(history: History, event: Stored | None) -> list[Stored]:
    found: list[Stored] = []
    while event is not None and event.cause > 0 and len(found) < MAX_CAUSES:
        event = _readable(history, event.cause)
        if event is not None:
            found.insert(0, event)
    return found


def _readable(history: History, sequence: int) -> Stored | None:
    try:
        return history.event(sequence)
    except DataMissingError:
        return None
