"""What a backtest comes to: the numbers that every output (terminal, JSON, report, certificate) is drawn from.

Money is exact, in minor units of ``currency`` with ``scale`` decimals. Only drawdown, and what metrics derive from the
equity curve, are floats.
"""

from pathlib import Path

import msgspec
import numpy as np

from kernel.instruments import Instrument
from kernel.pipeline.rules import FILTERS, REGIMES, TREND, VERDICT_REASONS
from kernel.risk.numbers import CHECKS, DAILY_VOLUME, SPREAD, VOLATILITY_INDEX
from kernel.units import to_decimal
from replay.pick_nb import DROPS, FIRST_NS, REFUSALS, TRENDS, UNSEEN, VERDICTS
from replay.series import SeriesCount
from replay.shadows import Shadow


class EquityCurve(msgspec.Struct, frozen=True):
    """Equity over time: parallel int64 arrays, ascending in time (ns since the epoch, UTC)."""

    ts_ns: np.ndarray
    equity_minor: np.ndarray
    cash_minor: np.ndarray


class Refusal(msgspec.Struct, frozen=True):
    """How many orders and requests a check refused, and when first (ns since the epoch, UTC).

    ``unseen`` of them were refused because what a gate measures is not in the data.
    """

    check: str
    count: int
    first_ts_ns: int
    unseen: int = 0


# Gates whose measure comes from data of its own: levels, or quotes.
_IMPORTED = (VOLATILITY_INDEX, DAILY_VOLUME, SPREAD)


def list_refusals(counted: np.ndarray) -> tuple[Refusal, ...]:
    """The checks that refused anything, in the order in which they apply. ``counted`` is as ``pick_nb`` writes it."""
    return tuple(
        Refusal(
            check.name,
            int(counted[number, REFUSALS]),
            int(counted[number, FIRST_NS]),
            int(counted[number, UNSEEN]) if number in _IMPORTED else 0,
        )
        for number, check in CHECKS.items()
        if counted[number, REFUSALS]
    )


def list_opinions(counted: np.ndarray) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """How many signals each filter dropped, verdicts of ensembles there were, and changes to a regime of each trend."""
    dropped = {name: int(counted[DROPS, number]) for number, name in FILTERS.items() if counted[DROPS, number]}
    reasons = VERDICT_REASONS.items()
    verdicts = {name: int(counted[VERDICTS, number]) for number, name in reasons if counted[VERDICTS, number]}
    trends = REGIMES[TREND].items()
    return dropped, verdicts, {name: int(counted[TRENDS, at + 1]) for at, name in trends if counted[TRENDS, at + 1]}


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One finished (or interrupted) backtest.

    ``curve`` has one point a row until it is full, then every second row, and so on (at most 65,536 points). ``days``
    has the last equity of each UTC day that saw a row. ``trades`` counts round trips that are over.
    ``dropped``, ``verdicts`` and ``regimes`` count signals that a filter dropped, verdicts of ensembles, and changes of
    a regime, by name.
    """

    run_dir: Path
    journal: Path | None
    completed: bool
    instruments: tuple[Instrument, ...]
    strategies: tuple[str, ...]
    currency: str
    scale: int
    first_ts_ns: int
    last_ts_ns: int
    bars: int
    events: int
    seconds: float
    fills: int
    trades: int
    deposited_minor: int
    final_equity_minor: int
    final_cash_minor: int
    realised_minor: int
    fees_minor: int
    max_drawdown: float
    exposed_rows: int
    curve: EquityCurve
    days: EquityCurve
    price_lines: tuple[tuple[np.ndarray, np.ndarray], ...]
    result_hash: str
    journal_root: str
    frames: int
    refusals: tuple[Refusal, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    series: tuple[SeriesCount, ...] = ()
    dropped: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    regimes: dict[str, int] = {}

    def prices(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each instrument's name some of its times (ns) and prices (float64), for drawing."""
        return {
            instrument.name: (ts_ns, ticks * float(to_decimal(instrument.tick_size)))
            for instrument, (ts_ns, ticks) in zip(self.instruments, self.price_lines, strict=True)
        }
