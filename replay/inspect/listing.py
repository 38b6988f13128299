"""``kernel show``: the events of a journal as a table or as JSON lines.

Owns the columns, and the reading of what the user filters by (topics with wildcards, names, times, sequences).
"""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kernel.events.catalogue import event_types
from kernel.events.layout import SEGMENT, Stored
from kernel.naming import near_name
from kernel.risk.numbers import CHECKS
from replay.history import HistoryError
from replay.inspect.frames import MARKET_KINDS
from replay.inspect.names import Names
from replay.inspect.phrases import CHECK_NAMES, Phrases, time_text
from replay.inspect.text import lay_out

CAUSE_FROM = 100  # columns; a narrower terminal needs the room for what the event says


def kinds_of_topics(patterns: Sequence[str]) -> frozenset[int]:
    """The kinds of all events whose topic (or name) fits a pattern such as ``execution.*``. Raises HistoryError."""
    types = [kind for kind in event_types() if kind.kind != SEGMENT.kind]
    found: set[int] = set()
    for pattern in patterns:
        fitting = {t.kind for t in types if fnmatch.fnmatchcase(t.topic, pattern) or t.name == pattern}
        if not fitting:
            topics = [kind.topic for kind in types]
            wildcards = sorted({f"{topic.partition('.')[0]}.*" for topic in topics})
            hint = near_name(
                pattern, [*topics, *wildcards, *(kind.name for kind in types)], f"topics: {', '.join(wildcards)}"
            )
            raise HistoryError(f"no topic {pattern!r}; {hint}")
        found |= fitting
    return frozenset(found)


def number_of(what: str, name: str, known: Sequence[str]) -> int:
    """The number of an instrument or strategy by its name or number. Raises HistoryError with a near name."""
    if name in known:
        return known.index(name)
    if name.isdigit() and int(name) < len(known):
        return int(name)
    ends = [one for one in known if one.rpartition("/")[2] == name]
    if len(ends) == 1:
        return known.index(ends[0])
    hint = near_name(name, known, f"the journal has {', '.join(known[:12]) or 'none'}", cutoff=0.4)
    raise HistoryError(f"no {what} {name!r}; {hint}")


def checks_of(names: Sequence[str]) -> frozenset[int]:
    """The numbers of checks by their names (``approved``, or ``refused`` for every check). Raises HistoryError."""
    known = {name: number for number, name in CHECK_NAMES.items()}
    found: set[int] = set()
    for name in names:
        if name == "refused":
            found |= set(CHECKS)
        elif name in known:
            found.add(known[name])
        else:
            hint = near_name(name, [*known, "refused"], "docs/risk.md lists them; or refused, or approved")
            raise HistoryError(f"no check {name!r}; {hint}")
    return frozenset(found)


def sequence_span(text: str) -> tuple[int, int | None]:
    """``A:B`` (both included), ``A:``, ``:B`` or one sequence. Raises HistoryError."""
    first, colon, last = text.partition(":")
    try:
        start = int(first) if first else 1
        end = (int(last) if last else None) if colon else start
    except ValueError:
        raise HistoryError(f"--sequence {text}: write A:B, A:, :B or one number") from None
    if start < 1 or (end is not None and end < start):
        raise HistoryError(f"--sequence {text}: nothing can be there; sequences begin at 1, and A must not be above B")
    return start, end


def wants_market(kinds: frozenset[int] | None) -> bool:
    """Whether market rows are among the kinds asked for."""
    return kinds is not None and bool(kinds & MARKET_KINDS)


def table_lines(events: Iterable[Stored], names: Names, width: int | None) -> Iterator[str]:
    """The events as an aligned table. A column that would say the same in every line is left out."""
    phrases = Phrases(names)
    with_instrument, with_strategy = len(names.instruments) > 1, len(names.strategies) > 1
    with_cause = width is None or width >= CAUSE_FROM
    header = ["sequence", "time (UTC)", *["cause"] * with_cause, "topic"]
    header += ["instrument"] * with_instrument + ["strategy"] * with_strategy + ["event"]

    def rows() -> Iterator[list[str]]:
        for stored in events:
            row = [str(stored.sequence), time_text(stored.ts_event_ns)]
            if with_cause:
                row.append(str(stored.cause) if stored.cause > 0 else "-")
            row.append(stored.type.topic)
            if with_instrument:
                row.append(names.instrument(stored.instrument) or "-")
            if with_strategy:
                row.append(names.strategy(stored.strategy) or "-")
            row.append(phrases.sentence(stored))
            yield row

    right = [name in ("sequence", "cause") for name in header]
    return lay_out(header, rows(), right, width)


def json_lines(events: Iterable[Stored], names: Names) -> Iterator[str]:
    """The events as JSON, one object a line."""
    phrases, encoder = Phrases(names), msgspec.json.Encoder()
    return (encoder.encode(phrases.json(stored)).decode() for stored in events)
