"""``kernel compare``: two engines side by side, of one run or of two: what each traded, earned and held, and how often
they were on the same side.

Owns the figures. An engine is one or more strategies of a history. All is read from the journal and the state at its
end; money is in the minor units of the instruments' currency, as text exact. Shares of time are floats, for people.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from kernel.events.layout import ARM_SET, INPUT_ROUTED, POSITION_CHANGED, RECORD, SHADOW_FILLED, TRADE_CLOSED
from kernel.pipeline.rules import ARM_A, ARM_B
from kernel.tables.table import MAX_POSITIONS
from replay.history import History
from replay.inspect.folding import Folding

Progress = Callable[[int, int], None]
KINDS = (TRADE_CLOSED.kind, POSITION_CHANGED.kind, ARM_SET.kind, INPUT_ROUTED.kind, SHADOW_FILLED.kind)


class EngineError(ValueError):
    """Engines that cannot be found. The text is one line."""


class Figures(msgspec.Struct, frozen=True):
    """What an engine came to, over all instruments or in one. Money in minor units; shares are of 1, None: of
    nothing. A round trip is won when it made money after fees.

    The drawdown is that of the profit of closed round trips, in money. Exposure is the share of time with a position.
    """

    trades: int
    won: int
    hit_rate: float | None
    profit_minor: int
    open_minor: int
    fees_minor: int
    drawdown_minor: int
    exposure: float | None


class EngineFigures(msgspec.Struct, frozen=True):
    """One engine: its name, whether it trades on paper, its figures, also by instrument and where B was routed."""

    name: str
    strategies: tuple[str, ...]
    on_paper: bool
    total: Figures
    instruments: dict[str, Figures]
    routed: Figures | None = None


class Comparison(msgspec.Struct, frozen=True):
    """Two engines, and the share of time on the same side, of that in which either held anything."""

    left: EngineFigures
    right: EngineFigures
    scale: int
    currency: str
    agreement: float | None
    agreements: dict[str, float | None]


class Facts:
    """What a history says of its strategies: read once."""

    def __init__(self, history: History, progress: Progress) -> None:
        self.names = history.names
        folding, kept = Folding(history.names), [np.zeros(0, RECORD)]
        first_ns = last_ns = 0
        for frame in history.frames(history.begin(folding)):
            folding.take(frame)
            kept.append(frame.records[np.isin(frame.records["kind"], KINDS)].copy())
            last_ns = int(folding.state.head.now_ns)
            first_ns = first_ns or last_ns
            progress(folding.events, history.last_sequence)
        records = np.concatenate(kept)
        self.state, self.first_ns, self.last_ns = folding.state, first_ns, last_ns
        self.trades = _of(records, TRADE_CLOSED)
        self.books = _of(records, POSITION_CHANGED)
        self.paper = set(_of(records, SHADOW_FILLED)["strategy"].tolist())
        self.arms = {int(one["strategy"]): int(one["words"][ARM_SET.arm]) for one in _of(records, ARM_SET)}
        self.routes = _of(records, INPUT_ROUTED)

    def arm(self, arm: int) -> list[int]:
        """The strategies of an arm of the experiment."""
        return [strategy for strategy, number in self.arms.items() if number == arm]

    def find(self, wanted: str) -> list[int]:
        """The strategies that a name, or several with commas, stands for. Raises EngineError."""
        found = []
        for name in wanted.split(","):
            if name not in self.names.strategies:
                raise EngineError(f"no strategy {name!r} in the run; it has {', '.join(self.names.strategies)}")
            found.append(self.names.strategies.index(name))
        return found

    def is_on_paper(self, strategies: Sequence[int]) -> bool:
        """Whether all of their books lie in shadow accounts."""
        count = int(self.state.head.instrument_count)
        books = [strategy * count + number for strategy in strategies for number in range(count)]
        return all(self.state.accounts[self.state.positions[book].account].shadow for book in books)


def _of(records: np.ndarray, event: Any) -> np.ndarray:
    found: np.ndarray = records[records["kind"] == event.kind]
    return found


def compare_engines(
    left: Facts, left_strategies: Sequence[int], right: Facts, right_strategies: Sequence[int]
) -> Comparison:
    """Compare two engines, of the same history or of two."""
    sides = _sides(left, left_strategies), _sides(right, right_strategies)
    names = sorted(set(sides[0]) | set(sides[1]))
    spans = {name: _agreement(sides[0].get(name, []), sides[1].get(name, [])) for name in names}
    same, either = (sum(span[place] for span in spans.values()) for place in (0, 1))
    return Comparison(
        _engine(left, left_strategies),
        _engine(right, right_strategies),
        left.names.scale,
        left.names.currency,
        same / either if either else None,
        {name: span[0] / span[1] if span[1] else None for name, span in spans.items()},
    )


def _engine(facts: Facts, strategies: Sequence[int]) -> EngineFigures:
    numbers = range(len(facts.names.instruments))
    names = tuple(facts.names.strategies[number] for number in strategies)
    return EngineFigures(
        " + ".join(names),
        names,
        facts.is_on_paper(strategies),
        _figures(facts, strategies, list(numbers)),
        {facts.names.instrument(number): _figures(facts, strategies, [number]) for number in numbers},
        _figures(facts, strategies, list(numbers), routed=True) if len(facts.routes) else None,
    )


def _figures(facts: Facts, strategies: Sequence[int], instruments: Sequence[int], *, routed: bool = False) -> Figures:
    mask = np.isin(facts.trades["strategy"], strategies) & np.isin(facts.trades["instrument"], instruments)
    places = np.flatnonzero(mask)
    if routed:
        places = np.array([at for at in places if _is_routed(facts, facts.trades[at])], np.int64)
    words = facts.trades["words"][places]
    fees = words[:, TRADE_CLOSED.fees_minor]
    nets = words[:, TRADE_CLOSED.realised_minor] - fees + _incomes(facts)[places]
    curve = np.concatenate([[0], np.cumsum(nets)])
    return Figures(
        trades=len(nets),
        won=int(np.count_nonzero(nets > 0)),
        hit_rate=float(np.count_nonzero(nets > 0)) / len(nets) if len(nets) else None,
        profit_minor=int(nets.sum()),
        open_minor=0 if routed else _open_minor(facts, strategies, instruments),
        fees_minor=int(fees.sum()),
        drawdown_minor=int((np.maximum.accumulate(curve) - curve).max()),
        exposure=None if routed else _exposure(facts, strategies, instruments),
    )


def _incomes(facts: Facts) -> np.ndarray:
    """Dividends less funding and borrow fees of each round trip: its book is the event before it."""
    places = np.searchsorted(facts.books["sequence"], facts.trades["sequence"]) - 1
    return facts.books["words"][places, POSITION_CHANGED.income_minor] if len(places) else np.zeros(0, np.int64)


def _is_routed(facts: Facts, trade: Any) -> bool:
    """Whether the instrument was routed to B when the round trip began."""
    routes = facts.routes[facts.routes["instrument"] == trade["instrument"]]
    before = routes[routes["sequence"] <= trade["words"][TRADE_CLOSED.entry_sequence]]
    return bool(len(before)) and int(before[-1]["words"][INPUT_ROUTED.arm]) == ARM_B


def _open_minor(facts: Facts, strategies: Sequence[int], instruments: Sequence[int]) -> int:
    """What the open positions would bring at the last price."""
    state, total = facts.state, 0
    for strategy in strategies:
        for number in instruments:
            at = strategy * int(state.head.instrument_count) + number
            for row in (at, at + MAX_POSITIONS):
                position = state.positions[row]
                total += int(position.value_minor - position.cost_minor) if position.quantity_lots else 0
    return total


def _sides(facts: Facts, strategies: Sequence[int]) -> dict[str, list[tuple[int, int, int]]]:
    """By instrument the stretches ``(from, to, side)`` in which an engine held something, all strategies together."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for number in range(len(facts.names.instruments)):
        held = dict.fromkeys(strategies, 0)
        stretches: list[tuple[int, int, int]] = []
        since = facts.first_ns
        for record in facts.books[facts.books["instrument"] == number]:
            strategy = int(record["strategy"])
            if strategy not in held:
                continue
            side = int(np.sign(sum(held.values())))
            stretches.append((since, int(record["ts_event_ns"]), side))
            held[strategy] = int(record["words"][POSITION_CHANGED.quantity_lots])
            since = int(record["ts_event_ns"])
        stretches.append((since, facts.last_ns, int(np.sign(sum(held.values())))))
        found[facts.names.instrument(number)] = [one for one in stretches if one[2] and one[1] > one[0]]
    return found


def _exposure(facts: Facts, strategies: Sequence[int], instruments: Sequence[int]) -> float | None:
    """The share of time in which anything was held."""
    names = {facts.names.instrument(number) for number in instruments}
    stretches = sorted(
        (start, end) for name, listed in _sides(facts, strategies).items() if name in names for start, end, _ in listed
    )
    held, until = 0, 0
    for start, end in stretches:
        held += max(end - max(start, until), 0)
        until = max(until, end)
    span = facts.last_ns - facts.first_ns
    return held / span if span else None


def _agreement(left: list[tuple[int, int, int]], right: list[tuple[int, int, int]]) -> tuple[int, int]:
    """``(time on the same side, time in which either held)`` in nanoseconds."""
    changes = [(at, place, change) for place, listed in enumerate((left, right)) for one in listed
               for at, change in ((one[0], one[2]), (one[1], -one[2]))]  # fmt: skip
    sides, since, same, either = [0, 0], 0, 0, 0
    for at, place, change in sorted(changes):
        either += at - since if any(sides) else 0
        same += at - since if sides[0] == sides[1] != 0 else 0
        sides[place] += change
        since = at
    return same, either


def default_engines(facts: Facts) -> tuple[list[int], list[int]]:
    """The arms of the experiment; without one the real strategies and those on paper. Raises EngineError."""
    arms = facts.arm(ARM_A), facts.arm(ARM_B)
    if all(arms):
        return arms
    numbers = range(len(facts.names.strategies))
    paper = [number for number in numbers if facts.is_on_paper([number])]
    real = [number for number in numbers if number not in paper]
    if not paper or not real:
        raise EngineError("the run has no experiment, and not both real strategies and some on paper; name --a and --b")
    return real, paper


ROWS = ("trades", "hit rate", "profit, closed", "profit, open", "fees", "drawdown", "exposure")


def comparison_rows(found: Comparison) -> Iterator[tuple[str, str, str, str]]:
    """``(what, instrument, left, right)`` for people: totals, where B was routed, and by instrument."""

    def money(minor: int) -> str:
        return f"{minor / 10**found.scale:,.2f}"

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    def cells(one: Figures) -> tuple[str, ...]:
        return (
            str(one.trades), share(one.hit_rate), money(one.profit_minor), money(one.open_minor), money(one.fees_minor),
            money(one.drawdown_minor), share(one.exposure),
        )  # fmt: skip

    blocks = [("all", found.left.total, found.right.total, found.agreement)]
    blocks += [
        (name, found.left.instruments[name], found.right.instruments[name], found.agreements[name])
        for name in found.left.instruments
        if name in found.right.instruments and len(found.left.instruments) > 1
    ]
    for place, left, right, agreement in blocks:
        for what, one, other in zip(ROWS, cells(left), cells(right), strict=True):
            yield what, place, one, other
        yield "same side", place, share(agreement), share(agreement)
    if found.left.routed is not None and found.right.routed is not None:
        for what, one, other in zip(ROWS[:6], cells(found.left.routed), cells(found.right.routed), strict=False):
            if what != "profit, open":
                yield what, "routed to B", one, other
