"""The bars that the provider server has: real ones, read from a small sample, with holes where a test wants them."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parents[1] / "data" / "bars"
FILES = {
    ("bybit", "spot", "BTCUSDT"): "bybit_BTCUSDT_spot_1m.csv",
    ("bybit", "linear", "BTCUSDT"): "bybit_BTCUSDT_linear_1m.csv",
    ("equity", "", "AAPL"): "us_AAPL_1m.csv",
}
NEW_YORK = ZoneInfo("America/New_York")
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class ServedBar:
    """A bar; ``t`` is its open in seconds."""

    t: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741
    c: Decimal
    v: Decimal


def read_bars(file: str) -> list[ServedBar]:
    """The bars of a file of the sample."""
    with (FOLDER / file).open(newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        return [ServedBar(int(row[0]), *map(Decimal, row[1:])) for row in rows]


def aggregated(bars: Iterable[ServedBar], seconds: int, local_days: bool) -> Iterator[ServedBar]:
    """Longer bars of minutes; days begin at midnight, in New York where ``local_days``."""

    def opens(bar: ServedBar) -> int:
        if not local_days or seconds < DAY_SECONDS:
            return bar.t // seconds * seconds
        offset = round(NEW_YORK.utcoffset(_moment(bar.t)).total_seconds())  # type: ignore[union-attr]
        return (bar.t + offset) // DAY_SECONDS * DAY_SECONDS - offset

    for opened, group in groupby(bars, opens):
        part = list(group)
        yield ServedBar(
            opened, part[0].o, max(bar.h for bar in part), min(bar.l for bar in part), part[-1].c,
            sum((bar.v for bar in part), Decimal()),
        )  # fmt: skip


def _moment(seconds: int):  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


class Holes:
    """Bars that are not given: ``first-last`` by their places, ``?first-last`` only at the first question."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._always: set[int] = set()
        self._first: set[int] = set()
        for text in texts:
            first, _, last = text.removeprefix("?").partition("-")
            (self._first if text.startswith("?") else self._always).update(range(int(first), int(last) + 1))

    def gives(self, place: int) -> bool:
        """Whether the bar at a place is given this time."""
        if place in self._first:
            self._first.discard(place)
            return False
        return place not in self._always
