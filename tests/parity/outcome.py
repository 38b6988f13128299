"""What a run comes to, in one shape for every engine, and the comparison of two.

Money is in minor units: whole numbers on our side, floats on the other. Equal to the cent means that no amount differs
by half a cent or more; bars, sides, sizes and prices are equal or they are not.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

CENT_PARTS = 200  # half a cent is a currency unit divided by this


class Fill(msgspec.Struct, frozen=True):
    """Signed lots at a price in ticks, in the bar of this number."""

    bar: int
    lots: int
    price: int


class Trip(msgspec.Struct, frozen=True):
    """A round trip, from flat (or the turn) to flat (or the turn): money in and out without, profit with fees."""

    entry_bar: int
    exit_bar: int
    side: int
    lots: int
    entry_money: float
    exit_money: float
    profit: float


class Outcome(msgspec.Struct, frozen=True):
    """Fills in order, round trips that are over, and the equity after every bar."""

    fills: list[Fill]
    trips: list[Trip]
    equity: np.ndarray


class Comparison(msgspec.Struct, frozen=True):
    """How two outcomes compare. ``first`` says where they part, in one line; empty where they do not."""

    fills: int
    equal_fills: int
    trips: int
    equal_trips: int
    bars: int
    equal_bars: int
    largest_minor: float
    first: str

    @property
    def equal(self) -> bool:
        return not self.first


def joined(fills: Sequence[Fill]) -> list[Fill]:
    """Fills of one bar, side and price that follow each other as one: engines cut them differently."""
    out: list[Fill] = []
    for fill in fills:
        last = out[-1] if out else None
        if last and last.bar == fill.bar and last.price == fill.price and last.lots * fill.lots > 0:
            out[-1] = Fill(fill.bar, last.lots + fill.lots, fill.price)
        else:
            out.append(fill)
    return out


def compare(ours: Outcome, theirs: Outcome, minor_per_currency: int, from_bar: int) -> Comparison:
    """Compare two outcomes; equity from a bar on."""
    tolerance = minor_per_currency / CENT_PARTS
    mine, other = joined(ours.fills), joined(theirs.fills)
    fills = [left == right for left, right in zip(mine, other, strict=False)]
    trips = [_same_trip(left, right, tolerance) for left, right in zip(ours.trips, theirs.trips, strict=False)]
    apart = np.abs(ours.equity[from_bar:] - theirs.equity[from_bar:])
    profits = [abs(left.profit - right.profit) for left, right in zip(ours.trips, theirs.trips, strict=False)]
    first = (
        _first("fill", fills, mine, other)
        or _first("trade", trips, ours.trips, theirs.trips)
        or _first_equity(ours.equity, theirs.equity, apart >= tolerance, from_bar)
    )
    return Comparison(
        fills=max(len(mine), len(other)),
        equal_fills=sum(fills),
        trips=max(len(ours.trips), len(theirs.trips)),
        equal_trips=sum(trips),
        bars=len(apart),
        equal_bars=int((apart < tolerance).sum()),
        largest_minor=float(max([0.0, *profits, float(apart.max(initial=0))])),
        first=first,
    )


def _same_trip(left: Trip, right: Trip, tolerance: float) -> bool:
    if (left.entry_bar, left.exit_bar, left.side, left.lots) != (
        right.entry_bar,
        right.exit_bar,
        right.side,
        right.lots,
    ):
        return False
    pairs = ((one.entry_money, one.exit_money, one.profit) for one in (left, right))
    return all(abs(mine - other) < tolerance for mine, other in zip(*pairs, strict=True))


def _first(what: str, equal: list[bool], mine: Sequence[object], other: Sequence[object]) -> str:
    at = equal.index(False) if False in equal else len(equal)
    if at == len(mine) == len(other):
        return ""
    left, right = (str(line[at]) if at < len(line) else "none" for line in (mine, other))
    return f"{what} {at + 1}: ours {left}, theirs {right}"


def _first_equity(mine: np.ndarray, other: np.ndarray, apart: np.ndarray, from_bar: int) -> str:
    if not apart.any():
        return ""
    at = int(apart.argmax()) + from_bar
    return f"equity at bar {at}: ours {mine[at]:.4f}, theirs {other[at]:.4f} minor units"
