"""One pass over the stored frames of a journal, and what an auditor wants to know of them.

Owns the dispatch of events to the parts of the report. Memory does not grow with the journal: lists are cut at a stated
length, everything is counted, and orders are handed on as they end.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from kernel.events import catalogue as events
from kernel.events.body import shown_body
from kernel.events.catalogue import by_class, event_types
from kernel.events.layout import STATE_DIGEST, Stored
from kernel.risk.rules import RULES
from kernel.venue import Stream, StreamStatus
from replay.audit_report.clocks import LIMITS_NS, Clocks
from replay.audit_report.facts import EventFact, Limit, Section
from replay.audit_report.orders import Gathering
from replay.audit_report.sections import BY_KIND, HEADINGS, OPENING_KINDS
from replay.audit_report.spans import Spans
from replay.history import History
from replay.inspect.frames import KINDS, HistoryFrame, stored_events
from replay.inspect.names import Names
from replay.inspect.phrases import Phrases, iso_time, rate_text
from replay.live.degraded import REASONS, SWITCHES

REAL_MONEY = 2  # the mode of a session
MOST_ROWS = 500  # of a heading in the report
MOST_FOLLOWED = 100_000  # events whose cause leads to a command or a difference, remembered at once
_ROOTS = (events.CommandGiven, events.DifferenceFound, events.KillSwitchRequested, events.FlattenRequested)
_WATCHED = np.array(
    sorted(
        {kind for kind, keys in BY_KIND.items() if keys}
        | OPENING_KINDS
        | {by_class(cls).kind for cls in (events.ClockMeasured, *_ROOTS)}
    )
)
_STREAMS = {stream.value: stream.name.lower() for stream in Stream}
_NAMES = {kind.kind: kind.topic for kind in event_types()}
_KNOWN = np.array(sorted(_NAMES))
Progress = Callable[[int, int], None]


class Gathered:
    """What a pass found; fed with frames in order."""

    def __init__(self, names: Names, orders: Gathering) -> None:
        self.names, self.orders = names, orders
        self.clocks = Clocks(LIMITS_NS)
        self.degraded, self.connections = Spans(), Spans()
        self.limits: dict[str, Limit] = {}
        self.sessions: list[tuple[int, dict[str, Any]]] = []  # mode and facts of each process
        self.opened_body = b""
        self.topics: dict[str, int] = {}
        self.unknown = 0  # events of kinds that this release does not know
        self.rows_by_reference = self.segments = self.digests = 0
        self.first_ns = self.last_ns = self.ran_back = 0
        self.grid_ns = 0
        self._phrases = Phrases(names)
        self._sections: dict[str, list[EventFact]] = {heading.key: [] for heading in HEADINGS}
        self._counts: dict[str, int] = dict.fromkeys(self._sections, 0)
        self._counted = np.zeros(KINDS, np.int64)
        self._opening_end = 0  # the sequence of the first event that does not open the history
        # What followed from commands and differences: of each of them, and by the sequences of what did.
        self._followed: dict[int, dict[str, int]] = {}
        self._roots: OrderedDict[int, dict[str, int]] = OrderedDict()

    # --- frames -------------------------------------------------------------------------------------------------

    def take(self, frame: HistoryFrame) -> None:
        """Take in a frame whose rows are not resolved."""
        records = frame.records
        self.rows_by_reference += frame.row_count
        self.segments += bool(frame.row_count)
        if not len(records):
            return
        kinds = records["kind"]
        counts = np.bincount(kinds)
        self._counted[: len(counts)] += counts
        self._note_times(records["ts_ingest_ns"], records["ts_event_ns"])
        if not self._opening_end:
            others = ~np.isin(kinds, list(OPENING_KINDS))
            self._opening_end = int(records["sequence"][others][0]) if others.any() else 0
        bodies = frame.body_of()
        watched = np.isin(kinds, _WATCHED)
        if self._roots or watched.any():
            self._follow(records, watched, bodies)
        self.orders.take(records, bodies)

    def _note_times(self, known: np.ndarray, happened: np.ndarray) -> None:
        if not self.first_ns:
            self.first_ns = int(known[0])
        before = np.concatenate([[self.last_ns], known[:-1]])
        self.ran_back += int(np.count_nonzero(known < before))
        self.last_ns = int(known.max(initial=self.last_ns))
        grid = math.gcd(int(np.gcd.reduce(known)), int(np.gcd.reduce(np.abs(happened))))
        self.grid_ns = math.gcd(self.grid_ns, grid)

    def _follow(self, records: np.ndarray, watched: np.ndarray, bodies: dict[int, bytes]) -> None:
        """The watched events, and those that a command or a difference led to, in their order."""
        wanted = watched
        if self._roots or np.isin(records["kind"][watched], [by_class(cls).kind for cls in _ROOTS]).any():
            wanted = watched | ((records["cause"] > 0) & np.isin(records["kind"], _KNOWN))
        for stored in stored_events(records[wanted], bodies):
            followed = self._roots.get(stored.cause)
            if followed is not None:
                followed[stored.type.topic] = followed.get(stored.type.topic, 0) + 1
                self._remember(stored.sequence, followed)
            self._watch(stored)

    def _remember(self, sequence: int, followed: dict[str, int]) -> None:
        self._roots[sequence] = followed
        if len(self._roots) > MOST_FOLLOWED:
            self._followed.pop(self._roots.popitem(last=False)[0], None)

    # --- events -------------------------------------------------------------------------------------------------

    def _watch(self, stored: Stored) -> None:
        event, ts_ns = stored.event, stored.ts_ingest_ns
        kind = stored.type.kind
        opens = not self._opening_end or stored.sequence < self._opening_end
        if isinstance(event, events.ClockMeasured):
            self.clocks.measure(stored.sequence, ts_ns, event.offset_ns, event.round_trip_ns)
            return
        if isinstance(event, events.RunOpened):
            self.opened_body = stored.body
        elif isinstance(event, events.LiveSessionOpened | events.LiveSessionClosed):
            self._session(event, stored)
        elif isinstance(event, events.DegradedSet):
            self._note_degraded(event.reasons, stored)
        elif isinstance(event, events.ConnectionChanged):
            self._note_connection(event, ts_ns)
        elif kind in OPENING_KINDS:
            self._note_limits(event, stored)
        for key in BY_KIND[kind]:
            if not (opens and key == "overrides"):
                self._list(key, stored)
        if kind in OPENING_KINDS and not opens and not isinstance(event, events.RunOpened):
            self._list("definitions", stored)

    def _session(self, event: events.Event, stored: Stored) -> None:
        self.clocks.end(stored.ts_ingest_ns)
        self.degraded.end_all(stored.ts_ingest_ns)
        self.connections.end_all(stored.ts_ingest_ns)
        if isinstance(event, events.LiveSessionOpened):
            body = shown_body(stored.body)
            self.sessions.append((event.mode, body if isinstance(body, dict) else {}))
            if event.mode == REAL_MONEY:
                self._list("approvals", stored)

    def _note_degraded(self, reasons: int, stored: Stored) -> None:
        where = self.names.instrument(stored.instrument)
        for bit, text in REASONS.items():
            what = f"{text} ({where})" if where else text
            (self.degraded.begin if reasons & bit else self.degraded.end)(what, stored.ts_ingest_ns)
        if reasons & SWITCHES:
            self._list("approvals", stored)

    def _note_connection(self, event: events.ConnectionChanged, ts_ns: int) -> None:
        stream = _STREAMS.get(event.stream, str(event.stream))
        if event.status == StreamStatus.UP.value:
            self.connections.end(f"{stream} stream down", ts_ns)
        elif event.status == StreamStatus.DOWN.value:
            self.connections.begin(f"{stream} stream down", ts_ns)
        else:
            self.connections.begin(f"{stream} stream: gap", ts_ns)
            self.connections.end(f"{stream} stream: gap", ts_ns)

    def _note_limits(self, event: events.Event, stored: Stored) -> None:
        if isinstance(event, events.LimitsSet):
            for name in event.__struct_fields__:
                self._set_limit(
                    f"limits.{name}", getattr(event, name), self._limit_text(name, getattr(event, name)), stored
                )
        elif isinstance(event, events.RiskRuleSet):
            name = f"risk.{RULES[event.rule].name if event.rule in RULES else event.rule}"
            self._set_limit(name, event.value, self._phrases.sentence(stored).partition(" ")[2], stored)

    def _set_limit(self, name: str, value: int, text: str, stored: Stored) -> None:
        if value:
            self.limits[name] = Limit(name=name, text=text, sequence=stored.sequence)
        else:
            self.limits.pop(name, None)

    def _limit_text(self, name: str, value: int) -> str:
        if name.endswith("_minor"):
            return f"{self.names.money(value)} {self.names.currency}"
        return rate_text(value) if name.endswith("_rate") else f"{value:,}"

    def _list(self, key: str, stored: Stored) -> None:
        self._counts[key] += 1
        listed = self._sections[key]
        followed = self._followed.get(stored.sequence, {})
        if isinstance(stored.event, _ROOTS) and stored.sequence not in self._roots:
            self._followed[stored.sequence] = followed
            self._remember(stored.sequence, followed)
        if len(listed) >= MOST_ROWS:
            return
        listed.append(
            EventFact(
                sequence=stored.sequence,
                ts_event=iso_time(stored.ts_event_ns),
                topic=stored.type.topic,
                instrument=self.names.instrument(stored.instrument),
                strategy=self.names.strategy(stored.strategy),
                cause=stored.cause,
                text=self._phrases.sentence(stored),
                who=_who(stored),
                followed=followed,
            )
        )

    # --- at the end ---------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """After the last frame."""
        self.orders.finish()
        self.clocks.end(self.last_ns)
        self.digests = int(self._counted[STATE_DIGEST.kind])
        for kind in np.flatnonzero(self._counted):
            self.topics[_NAMES.get(int(kind), f"kind {kind}")] = int(self._counted[kind])
            self.unknown += int(self._counted[kind]) * (int(kind) not in _NAMES)

    def sections(self) -> tuple[Section, ...]:
        """The headings with their events."""
        return tuple(
            Section(
                key=heading.key,
                title=heading.title,
                note=heading.note,
                count=self._counts[heading.key],
                rows=tuple(self._sections[heading.key]),
            )
            for heading in HEADINGS
        )


def _who(stored: Stored) -> str:
    """The user of a command, as the system named the process that gave it."""
    if not isinstance(stored.event, events.CommandGiven):
        return ""
    body = shown_body(stored.body)
    name = body.get("user", "") if isinstance(body, dict) else ""
    return f"{name} (user id {stored.event.user_id})"


def gather(history: History, orders: Gathering, progress: Progress, frames: int | None = None) -> Gathered:
    """Walk a journal once; with ``frames`` only so many of its frames, those that are good."""
    found = Gathered(history.names, orders)
    if frames != 0:
        total = history.last_sequence if frames is None else 0
        for frame in history.stored_frames():
            found.take(frame)
            progress(frame.next_sequence - 1, total)
            if frame.number == frames:
                break
    found.finish()
    return found
