"""Where a value or a time is on a drawing, and which round numbers and dates to write beside it."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np

from replay.report.thin import wants_logarithm

_SECOND_NS = 1_000_000_000
_MINUTE_NS, _HOUR_NS, _DAY_NS = 60 * _SECOND_NS, 3_600 * _SECOND_NS, 86_400 * _SECOND_NS
_STEPS_NS = tuple(
    count * unit
    for unit, counts in (
        (_SECOND_NS, (1, 5, 15, 30)),
        (_MINUTE_NS, (1, 5, 15, 30)),
        (_HOUR_NS, (1, 3, 6, 12)),
        (_DAY_NS, (1, 2, 7, 14)),
    )
    for count in counts
)
_STEPS_MONTHS = (1, 3, 6, 12, 24, 60, 120)
_MONTH_NS = 30 * _DAY_NS
_MOST_DATES = 11
_MOST_DECADES = 7

Tick = tuple[float, str]  # position in pixels, label


class ValueAxis(msgspec.Struct, frozen=True):
    """A vertical scale: pixel = the fraction of the way from ``low`` up to ``high``, from the bottom."""

    low: float
    high: float
    top: float
    height: float
    logarithmic: bool

    def pixels(self, values: np.ndarray) -> np.ndarray:
        """The heights of values on the drawing."""
        if self.logarithmic:
            share = np.log(values / self.low) / np.log(self.high / self.low)
        else:
            share = (values - self.low) / (self.high - self.low)
        return np.asarray(self.top + self.height * (1.0 - share))

    def ticks(self) -> list[Tick]:
        """Round values within the scale."""
        values = _decades(self.low, self.high) if self.logarithmic else _round_values(self.low, self.high)
        pixels = self.pixels(np.array(values)).tolist()
        if self.logarithmic:
            steps = [10.0 ** np.floor(np.log10(value) + 1e-9) for value in values]
        else:
            steps = [min((above - below for below, above in pairwise(values)), default=1.0)] * len(values)
        labels = (short_number(value, step) for value, step in zip(values, steps, strict=True))
        return list(zip(pixels, labels, strict=True))


def value_axis(
    values: np.ndarray, top: float, height: float, *, logarithm: bool = True, room: float = 0.05
) -> ValueAxis:
    """The scale that shows all values with some room; logarithmic when they are far apart (and it is
    allowed).
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if logarithm and wants_logarithm(values):
        edge = (high / low) ** room
        return ValueAxis(low / edge, high * edge, top, height, True)
    edge = (high - low) * room or abs(high) * room or 1.0
    return ValueAxis(low - edge, high + edge, top, height, False)


class TimeAxis(msgspec.Struct, frozen=True):
    """A horizontal scale from ``start_ns`` to ``end_ns`` over ``width`` pixels."""

    start_ns: int
    end_ns: int
    width: int

    def pixels(self, times_ns: np.ndarray) -> np.ndarray:
        """Where times are on the drawing."""
        return (times_ns - self.start_ns) / max(self.end_ns - self.start_ns, 1) * self.width

    def ticks(self) -> list[Tick]:
        """Round dates and hours, at most eleven."""
        length = self.end_ns - self.start_ns
        for step in _STEPS_NS:
            if length < _MOST_DATES * step:
                first = -(-self.start_ns // step) * step
                times = np.arange(first, self.end_ns + 1, step, dtype=np.int64)
                labels = [_clock(time, step) for time in times.tolist()]
                return list(zip(self.pixels(times).tolist(), labels, strict=True))
        months = next((m for m in _STEPS_MONTHS if length < _MOST_DATES * m * _MONTH_NS), _STEPS_MONTHS[-1])
        return list(self._month_ticks(months))

    def _month_ticks(self, step: int) -> Iterator[Tick]:
        ends = np.array([self.start_ns, self.end_ns], "datetime64[ns]").astype("datetime64[M]").astype(int)
        for month in range(-(-int(ends[0]) // step) * step, int(ends[1]) + 1, step):
            moment = np.datetime64(month, "M")
            x = float(self.pixels(np.array(moment.astype("datetime64[ns]").astype(np.int64))))
            if x >= 0:
                yield x, str(moment)[:4] if month % 12 == 0 else str(moment)


def short_number(value: float, step: float) -> str:
    """A label with no more digits than the step between labels calls for: ``12,000``, ``0.25``, ``15M``."""
    if value == 0:
        return "0"
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= unit:
            return f"{value / unit:,.{_decimals(step / unit)}f}{name}"
    return f"{value:,.{_decimals(step)}f}"


def _decimals(step: float) -> int:
    return max(0, -int(np.floor(np.log10(step) + 1e-9))) if step > 0 else 0


def _round_values(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten: four to nine of them."""
    rough = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough * 0.8))
    return [number * step for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten; 1 and 3, 1 alone, or every few powers, when those would be too many."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    wide = -(-(last - first) // _MOST_DECADES)
    for units, stride in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), wide)):
        values = [unit * 10.0**power for power in range(first, last + 1, stride) for unit in units]
        inside = [value for value in values if low <= value <= high]
        if len(inside) <= _MOST_DECADES:
            break
    return inside


def _clock(ts_ns: int, step_ns: int) -> str:
    text = np.datetime_as_string(np.datetime64(ts_ns, "ns"), unit="s")
    if ts_ns % _DAY_NS == 0:
        return text[:10]
    return text[11:19] if step_ns < _MINUTE_NS else text[11:16]
