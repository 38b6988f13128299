"""The bars that the indicators' tests share: the packaged hours of SPY, in ticks, with stand-ins for what they lack."""

from functools import cache

import numpy as np

from replay.catalogue.files import read_columns
from replay.sample import sample_root

FIRST = 5000
BARS = 700


@cache
def columns(bars: int = BARS) -> dict[str, np.ndarray]:
    """Every series that an indicator can take, by name. The second series and the quotes are made of the bars."""
    read = read_columns(sample_root() / "us" / "SPY" / "bars-1h.parquet")
    part = slice(FIRST, FIRST + bars)
    found = {name: np.asarray(read[name][part], float) for name in ("open", "high", "low", "close", "volume")}
    place = np.arange(bars)
    found["value"] = found["close"]
    found["other"] = found["open"] * 0.5 + found["volume"] * 1e-4
    found["period"] = 2.0 + place % 31
    found["timestamp"] = 1_600_000_000_000_000_000 + place * 3_600_000_000_000
    found |= {"bid": found["low"], "ask": found["high"]}
    found |= {"bid_size": found["volume"] % 997, "ask_size": found["volume"] % 991}
    return found


def inputs(indicator, bars: int = BARS) -> list[np.ndarray]:  # type: ignore[no-untyped-def]
    """The series of one indicator."""
    known = columns(bars)
    return [known[name] for name in indicator.inputs]


def as_tuple(found) -> tuple[np.ndarray, ...]:  # type: ignore[no-untyped-def]
    """One output or several as a tuple."""
    return found if isinstance(found, tuple) else (found,)


def with_holes(series: list[np.ndarray]) -> list[np.ndarray]:
    """Copies with missing values: a bar here and there in one series each, and a run of them."""
    holed = [one.copy() for one in series]
    for number, one in enumerate(holed):
        if one.dtype == float:
            one[150 + 7 * number :: 61] = np.nan
            one[300:320] = np.inf
    return holed


def is_sound(series: list[np.ndarray]) -> np.ndarray:
    """Which bars have all of their values."""
    return np.logical_and.reduce([np.isfinite(one) for one in series])
