"""Weights walk-forward: at each rebalancing from what was known then, and from nothing later.

Owns the grid of prices and the schedule. Prices are sampled on a grid of equal steps (days of UTC, by default): the
last one known at or before each step. Returns are over all steps, those without trading included, so that the variance
of a year is that of a step times the steps of a year for every instrument alike.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from kernel.market import BAR, NO_PRICE, QUOTE
from kernel.units import RATE_SCALE
from replay.catalogue import CatalogueFile
from replay.catalogue.files import read_columns
from replay.catalogue.intervals import UNITS_NS, format_interval
from replay.loading import Universe
from replay.portfolio import PortfolioError
from replay.portfolio.methods import MethodSettings, compute_weights
from replay.portfolio.rounding import to_weight_rates

YEAR_NS = 365.25 * UNITS_NS["d"]
MIN_RETURNS = 3


class WalkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When weights are computed and from how much: spans in nanoseconds; a start or end of None is the data's."""

    lookback_ns: int
    every_ns: int
    step_ns: int = UNITS_NS["d"]
    start_ns: int | None = None
    end_ns: int | None = None
    total_rate: int = RATE_SCALE


class Rebalancing(msgspec.Struct, frozen=True):
    """The weights from one time on: a rate for each instrument of the universe, in its order."""

    ts_ns: int
    weight_rates: tuple[int, ...]


def walk(universe: Universe, method: MethodSettings, settings: WalkSettings) -> Iterator[Rebalancing]:
    """The rebalancings of a universe, in time order. Raises PortfolioError when the data is too short for one.

    An instrument takes part in a rebalancing when its prices reach back over the whole window and moved in it; the
    others get 0. The first is at the first step at which any instrument takes part.
    """
    step, steps = settings.step_ns, settings.lookback_ns // settings.step_ns
    if steps < MIN_RETURNS or settings.lookback_ns % step or settings.every_ns % step or settings.every_ns <= 0:
        raise PortfolioError(
            f"lookback {format_interval(settings.lookback_ns)} and every {format_interval(settings.every_ns)} must be "
            f"whole steps of {format_interval(step)}, the lookback at least {MIN_RETURNS} of them"
        )
    names = tuple(instrument.name for instrument in universe.instruments)
    times, prices = sample_prices(universe, step, settings.end_ns)
    at, found = steps, False
    while at < len(times):
        due = settings.start_ns is None or times[at] >= settings.start_ns
        weights = _rebalance(method, settings, names, prices[at - steps : at + 1]) if due else None
        if weights is None:
            at += settings.every_ns // step if found else 1
            continue
        found = True
        yield Rebalancing(int(times[at]), tuple(weights))
        at += settings.every_ns // step
    if not found:
        raise PortfolioError(
            f"no instrument has prices over {format_interval(settings.lookback_ns)} before the end; "
            "give a shorter lookback or more data"
        )


def _rebalance(
    method: MethodSettings, settings: WalkSettings, names: Sequence[str], window: np.ndarray
) -> list[int] | None:
    """Rates from one window of prices (steps + 1 by instruments); None when no instrument takes part."""
    known = ~np.isnan(window[0])
    places = [place for place in np.flatnonzero(known).tolist() if window[:, place].min() < window[:, place].max()]
    if not places:
        return None
    taking_part = window[:, places]
    returns = taking_part[1:] / taking_part[:-1] - 1.0
    weights = compute_weights(method, [names[place] for place in places], returns, YEAR_NS / settings.step_ns)
    rates = [0] * len(names)
    for place, rate in zip(places, to_weight_rates(weights, settings.total_rate), strict=True):
        rates[place] = rate
    return rates


def sample_prices(universe: Universe, step_ns: int, end_ns: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """``(times, prices)``: the steps of the grid, and each instrument's last price in ticks known at them (or NaN)."""
    series = [_series(universe, instrument.name) for instrument in universe.instruments]
    first = min(times[0] for times, _ in series)
    last = max(times[-1] for times, _ in series)
    if end_ns is not None:
        last = min(last, end_ns - 1)
    grid = np.arange(-(-first // step_ns), last // step_ns + 1, dtype=np.int64) * step_ns
    prices = np.full((len(grid), len(series)), np.nan)
    for place, (times, values) in enumerate(series):
        rows = np.searchsorted(times, grid, side="right") - 1
        prices[rows >= 0, place] = values[rows[rows >= 0]]
    return grid, prices


def _series(universe: Universe, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and prices of an instrument: its bars where it has any, else its trades, else the middle of its quotes."""
    files = [file for file in universe.files if file.instrument.name == name]
    kind = min(file.kind for file in files)
    parts = [_prices_of(file) for file in files if file.kind == kind]
    times = np.concatenate([part[0] for part in parts])
    prices = np.concatenate([part[1] for part in parts])
    if not len(times):
        raise PortfolioError(f"{name} has no prices")
    order = np.argsort(times, kind="stable")
    return times[order], prices[order]


def _prices_of(file: CatalogueFile) -> tuple[np.ndarray, np.ndarray]:
    columns = read_columns(file.path)
    if file.kind == BAR:
        return columns["ts"], columns["close"].astype(np.float64)
    if file.kind != QUOTE:
        return columns["ts"], columns["price"].astype(np.float64)
    both = (columns["bid"] != NO_PRICE) & (columns["ask"] != NO_PRICE)
    return columns["ts"][both], (columns["bid"][both] + columns["ask"][both]) / 2.0
