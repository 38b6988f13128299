"""What is kept in memory of a journal of stored events: where each one lies, and which versions there are.

Owns: look-up by originator and version, by notification id, and the last tracking positions. Must not know: files, or
the states of events, which stay on the disk.

An event costs 32 bytes here (five numbers, in arrays that grow by an eighth), an originator about 450 bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from eventsourcing.persistence import IntegrityError

from adapters.eventsourcing.frames import Insert, Key, id_of


class Versions:
    """The versions of one originator in ascending order, and the row of each."""

    __slots__ = ("rows", "versions")

    def __init__(self) -> None:
        self.versions, self.rows = array("q"), array("Q")

    def __contains__(self, version: int) -> bool:
        at = bisect_left(self.versions, version)
        return at < len(self.versions) and self.versions[at] == version

    def add(self, version: int, row: int) -> None:
        """Enter a version that is not there yet; at the end, unless versions come out of order."""
        if not self.versions or version > self.versions[-1]:
            self.versions.append(version)
            self.rows.append(row)
            return
        at = bisect_left(self.versions, version)
        self.versions.insert(at, version)
        self.rows.insert(at, row)

    def select(self, gt: int | None, lte: int | None, *, desc: bool, limit: int | None) -> list[int]:
        """The rows of the versions above `gt` and up to `lte`, at most `limit` of them."""
        start = 0 if gt is None else bisect_right(self.versions, gt)
        stop = len(self.versions) if lte is None else bisect_right(self.versions, lte)
        rows = list(self.rows[start:stop])
        if desc:
            rows.reverse()
        return rows if limit is None else rows[:limit]


class Stream:
    """The events of one purpose in the order in which they were inserted; row 0 is notification 1."""

    def __init__(self) -> None:
        self.places, self.within, self.topic_numbers = array("Q"), array("I"), array("I")
        self._originators: dict[Key, Versions] = {}
        self._topics: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.places)

    def check(self, insert: Insert) -> None:
        """IntegrityError if an event of the insert is there already, or is in it twice."""
        new = set()
        for event in insert.events:
            known = self._originators.get(event.originator)
            if (known is not None and event.version in known) or (event.originator, event.version) in new:
                raise IntegrityError(f"version {event.version} of {id_of(event.originator)} is recorded already")
            new.add((event.originator, event.version))

    def add(self, insert: Insert, place: int) -> None:
        """Enter the events of an insert whose first frame is at `place`."""
        for number, event in enumerate(insert.events):
            row = len(self.places)
            self.places.append(place)
            self.within.append(number)
            self.topic_numbers.append(self._topics.setdefault(event.topic, len(self._topics)))
            versions = self._originators.get(event.originator)
            if versions is None:
                versions = self._originators[event.originator] = Versions()
            versions.add(event.version, row)

    def rows_of(self, key: Key, gt: int | None, lte: int | None, *, desc: bool, limit: int | None) -> list[int]:
        """The rows of an originator's events."""
        versions = self._originators.get(key)
        return versions.select(gt, lte, desc=desc, limit=limit) if versions is not None else []

    def rows_between(self, first: int, last: int, limit: int, topics: Sequence[str]) -> list[int]:
        """At most `limit` rows from `first` to `last`, of these topics only if any are named."""
        rows: Iterator[int] = iter(range(max(first, 0), min(last + 1, len(self.places))))
        if topics:
            wanted = {self._topics[topic] for topic in topics if topic in self._topics}
            rows = (row for row in rows if self.topic_numbers[row] in wanted)
        return [row for row, _ in zip(rows, range(limit), strict=False)]


class Index:
    """All streams of a journal, and the tracking positions."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._positions: dict[str, int] = {}

    def stream(self, name: str) -> Stream:
        """The stream of that name, empty if nothing was ever inserted."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream()
        return stream

    def max_tracking_id(self, application_name: str) -> int | None:
        """The last position that was recorded for an upstream application."""
        return self._positions.get(application_name)

    def check(self, insert: Insert) -> None:
        """IntegrityError if the insert contradicts what is recorded; nothing is changed."""
        self.stream(insert.stream).check(insert)
        if insert.tracking is not None:
            name, position = insert.tracking
            last = self._positions.get(name)
            if last is not None and position <= last:
                raise IntegrityError(f"position {position} of {name!r} is not above {last}, which is recorded already")

    def add(self, insert: Insert, place: int) -> None:
        """Enter an insert that is in the journal."""
        if insert.events:
            self.stream(insert.stream).add(insert, place)
        if insert.tracking is not None:
            self._positions[insert.tracking[0]] = insert.tracking[1]
