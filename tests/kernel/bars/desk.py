"""What tests of bars share: rows from plain inputs, series of one instrument, and the bars that came out."""

from collections.abc import Sequence

import numpy as np

from kernel.bars.aggregate import Aggregator
from kernel.bars.plan import DataFacts, plan_series
from kernel.bars.rule import parse_rule
from kernel.events.layout import BAR_DROPPED, SERIES_BAR
from kernel.instruments import Instrument
from kernel.market import BAR, QUOTE, ROW, SESSION, TRADE
from tests.reference.bars import Bar, Input

MINUTE, HOUR, DAY = 60 * 10**9, 3600 * 10**9, 86400 * 10**9
# A lot at a price of one tick is one minor unit.
PAPER = Instrument(venue="test", symbol="ABC", currency="USD", tick_size="0.001", lot_size="0.001")
KINDS = {"bars": BAR, "trades": TRADE, "quotes": QUOTE}


def facts(**changed: object) -> DataFacts:
    fields = {"instrument": PAPER, "bars": True, "interval_ns": MINUTE, "sessions": True, "volume_known": True}
    return DataFacts(**{**fields, **changed})  # type: ignore[arg-type]


def row(known_ns: int, kind: int, *words: int) -> np.ndarray:
    found = np.zeros(1, ROW)
    found["ts_ns"], found["kind"] = known_ns, kind
    found["words"][0, : len(words)] = words
    return found


def rows_of(inputs: Sequence[Input], source: str, sessions: Sequence[tuple[int, int]] = ()) -> np.ndarray:
    """The rows of inputs, and of the sessions (each said when it opens), in the order of their times."""
    found = [(opened, 0, SESSION, (1, opened, closed, 0)) for opened, closed in sessions]
    for one in inputs:
        if source == "bars":
            words = (one.open, one.high, one.low, one.close, one.lots, one.begin_ns)
        elif source == "trades":
            words = (one.close, one.lots, one.side)
        else:
            words = (one.close, 1, one.close, 1)
        found.append((one.known_ns, 1, KINDS[source], words))
    found.sort(key=lambda each: each[:2])
    rows = np.zeros(len(found), ROW)
    for at, (known_ns, _, kind, words) in enumerate(found):
        rows["ts_ns"][at], rows["kind"][at], rows["words"][at, : len(words)] = known_ns, kind, words
    return rows


class Made:
    """The bars of each rule, the inputs that were dropped, and the state."""

    def __init__(
        self, rules: Sequence[str], rows: np.ndarray, data: DataFacts | None = None, grace_ns: int = 0
    ) -> None:
        data = data or facts()
        self.plans = plan_series([(0, parse_rule(rule)) for rule in rules], [data], grace_ns)
        aggregator = Aggregator([data.instrument], self.plans)
        self.records = aggregator.feed(rows)
        self.state = aggregator.state
        self._numbers = {plan.rule: plan.number for plan in self.plans}

    def bars(self, rule: str) -> list[Bar]:
        number = self._numbers[str(parse_rule(rule))]
        found = self.records[(self.records["kind"] == SERIES_BAR.kind)]
        found = found[found["words"][:, SERIES_BAR.series] == number]
        return [
            Bar(int(one["ts_ingest_ns"]), *(int(one["words"][at]) for at in (0, 1, 2, 3, 4, 5, 6, 8, 9)))
            for one in found
        ]

    def dropped(self, rule: str) -> list[tuple[int, int, int]]:
        """Reason, begin and end of each input that was dropped."""
        number = self._numbers[str(parse_rule(rule))]
        found = self.records[(self.records["kind"] == BAR_DROPPED.kind)]
        return [tuple(int(word) for word in one["words"][1:4]) for one in found if one["words"][0] == number]

    def series(self, rule: str) -> dict[str, int]:
        entry = self.state.series[self._numbers[str(parse_rule(rule))]]
        return {name: int(entry[name]) for name in entry.dtype.names}
