"""Intervals and windows of time: what the providers' own words for them are made from."""

from collections.abc import Iterable, Iterator

from adapters.providers.shapes import DAY_NS, HOUR_NS, MINUTE_NS, Bar


def windows(start_ns: int, end_ns: int, length_ns: int) -> Iterator[tuple[int, int]]:
    """``[start, end)`` cut into stretches of at most ``length_ns``."""
    while start_ns < end_ns:
        until = min(start_ns + length_ns, end_ns)
        yield start_ns, until
        start_ns = until


def interval_parts(interval_ns: int) -> tuple[int, str]:
    """``(5, "minute")``: an interval as a number of days, hours or minutes; ``(0, "")`` when it is none."""
    for unit_ns, unit in ((DAY_NS, "day"), (HOUR_NS, "hour"), (MINUTE_NS, "minute")):
        if interval_ns > 0 and interval_ns % unit_ns == 0:
            return interval_ns // unit_ns, unit
    return 0, ""


def interval_text(interval_ns: int) -> str:
    """``5m``: as the command line writes it."""
    count, unit = interval_parts(interval_ns)
    return f"{count}{unit[0]}" if count else f"{interval_ns} ns"


def after(ts_open_ns: int, interval_ns: int) -> int:
    """A time after the open of a bar and not after that of the next one: days are not all of 24 hours."""
    return ts_open_ns + (interval_ns if interval_ns < DAY_NS else interval_ns // 2)


def inside(bars: Iterable[Bar], start_ns: int, end_ns: int) -> tuple[Bar, ...]:
    """The bars that open in a span, oldest first; the very same bar said twice is one."""
    chosen = sorted((bar for bar in bars if start_ns <= bar.ts_open_ns < end_ns), key=lambda bar: bar.ts_open_ns)
    return tuple(bar for place, bar in enumerate(chosen) if place == 0 or bar != chosen[place - 1])
