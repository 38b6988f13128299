"""What a result is worth: return, risk and trade statistics over daily equity.

Owns the formulas and the conditions under which each is defined; a number that is not defined is None,
never NaN or infinity. Knows no file and draws nothing. Statistics only: nothing that decides may read them.

The formulas are those of empyrical (github.com/quantopian/empyrical), against whose published vectors
they are tested, with two differences: drawdown is a positive share, and a ratio with nothing below the line
is None. The risk-free rate is 0 throughout; subtract another from the returns before calling.
"""

import math

import msgspec
import numpy as np

from replay.result import RunResult

DAY_NS = 86_400_000_000_000
DAYS_PER_YEAR = 365.25
# Compounding a few days to a year says nothing but how few they were.
MIN_ANNUALISED_DAYS = 30
# Deviations below this share of the returns themselves are what rounding leaves of equal returns.
_ROUNDING = 1e-12


class TradeRows(msgspec.Struct, frozen=True, kw_only=True):
    """Some trades, in parallel columns: names as tuples of str, the rest int64 or float64 arrays."""

    strategy: tuple[str, ...]
    instrument: tuple[str, ...]
    side: tuple[str, ...]
    ts_entry_ns: np.ndarray
    ts_exit_ns: np.ndarray
    quantity: np.ndarray
    entry_price: np.ndarray
    exit_price: np.ndarray
    entry_minor: np.ndarray
    fees_minor: np.ndarray
    profit_minor: np.ndarray

    def __len__(self) -> int:
        return len(self.side)


class TradeTable(msgspec.Struct, frozen=True, kw_only=True):
    """All closed trades of a run, added up, and the last of them in full.

    A trade's profit is its realised profit minus its fees. ``histogram`` counts all trades in equal steps of
    profit; it reaches as far below zero as above, to the larger of the best and the worst trade. Empty when
    there is no trade.
    """

    count: int
    win_count: int
    loss_count: int
    gross_profit_minor: int
    gross_loss_minor: int
    best_minor: int
    worst_minor: int
    holding_ns: int
    histogram: np.ndarray
    last: TradeRows


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Shares and ratios are plain numbers (0.1 is ten percent); money is in minor units. None: not defined."""

    total_return: float | None
    annualised_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    longest_drawdown_days: int | None
    periods_per_year: float | None
    exposure: float | None
    trades: int
    win_rate: float | None
    profit_factor: float | None
    average_trade_minor: float | None
    average_win_minor: float | None
    average_loss_minor: float | None
    best_trade_minor: int | None
    worst_trade_minor: int | None
    average_holding_ns: int | None


def compute_metrics(result: RunResult, trades: TradeTable) -> Metrics:
    """All metrics of a run.

    Daily returns start from the deposit, so the first day counts. The headline drawdown is the exact one,
    measured at every row; Calmar uses it. Annualised return and Calmar need a span of at least 30 days.
    """
    returns = period_returns(np.concatenate(([result.deposited_minor], result.days.equity_minor)))
    periods = periods_per_year(result.days.ts_ns)
    total = _ratio(result.final_equity_minor - result.deposited_minor, result.deposited_minor)
    annualised = None
    if result.last_ts_ns - result.first_ts_ns >= MIN_ANNUALISED_DAYS * DAY_NS and periods is not None:
        annualised = annualise(total, result.days.ts_ns.size, periods)
    drawdown = finite(result.max_drawdown)
    return Metrics(
        total_return=total,
        annualised_return=annualised,
        volatility=volatility(returns, periods),
        sharpe=sharpe(returns, periods),
        sortino=sortino(returns, periods),
        calmar=_ratio(annualised, drawdown),
        max_drawdown=drawdown,
        longest_drawdown_days=longest_drawdown_days(result),
        periods_per_year=periods,
        exposure=_ratio(result.exposed_rows, result.bars),
        trades=trades.count,
        win_rate=_ratio(trades.win_count, trades.count),
        profit_factor=_ratio(trades.gross_profit_minor, trades.gross_loss_minor),
        average_trade_minor=_ratio(trades.gross_profit_minor - trades.gross_loss_minor, trades.count),
        average_win_minor=_ratio(trades.gross_profit_minor, trades.win_count),
        average_loss_minor=_ratio(-trades.gross_loss_minor, trades.loss_count),
        best_trade_minor=trades.best_minor if trades.count else None,
        worst_trade_minor=trades.worst_minor if trades.count else None,
        average_holding_ns=trades.holding_ns // trades.count if trades.count else None,
    )


def period_returns(equity: np.ndarray) -> np.ndarray | None:
    """The simple return of each step, ``e[i] / e[i-1] - 1``; None when some step starts at zero or below.

    Source: empyrical ``simple_returns``.
    """
    before = np.asarray(equity[:-1], np.float64)
    if (before <= 0).any():
        return None
    return np.asarray(equity[1:], np.float64) / before - 1.0


def periods_per_year(ts_ns: np.ndarray) -> float | None:
    """How many samples a year of this span holds, as measured: about 365 for crypto, 252 for shares.

    Days that saw no row are no samples, so weekends and holidays need no calendar. None below two days.
    """
    if ts_ns.size < 2:
        return None
    days = int(ts_ns[-1]) // DAY_NS - int(ts_ns[0]) // DAY_NS
    return (ts_ns.size - 1) * DAYS_PER_YEAR / days if days > 0 else None


def annualise(total_return: float | None, count: int, periods: float) -> float | None:
    """The yearly return that compounds to ``total_return`` in ``count`` periods. None when more than all is
    lost.

    Source: empyrical ``cagr``, ``(1 + total) ** (periods / count) - 1``.
    """
    if total_return is None or count == 0 or total_return < -1:
        return None
    try:
        return finite((1.0 + total_return) ** (periods / count) - 1.0)
    except OverflowError:
        return None


def volatility(returns: np.ndarray | None, periods: float | None) -> float | None:
    """Sample standard deviation (ddof=1) of the returns, times the root of the periods a year.

    Source: empyrical ``annual_volatility``.
    """
    if returns is None or periods is None or returns.size < 2:
        return None
    return finite(_deviation(returns) * math.sqrt(periods))


def sharpe(returns: np.ndarray | None, periods: float | None) -> float | None:
    """Mean over sample standard deviation (ddof=1), times the root of the periods a year; risk-free rate 0.

    Source: empyrical ``sharpe_ratio``. None for equal returns, where empyrical says infinity.
    """
    if returns is None or periods is None or returns.size < 2:
        return None
    mean = _ratio(float(returns.mean()), _deviation(returns))
    return None if mean is None else finite(mean * math.sqrt(periods))


def downside_risk(returns: np.ndarray, periods: float) -> float | None:
    """Root mean square of the returns with gains counted as 0, times the root of the periods a year.

    Source: empyrical ``downside_risk``, after Sortino and Price 1994.
    """
    if returns.size == 0:
        return None
    return finite(math.sqrt(float(np.square(np.minimum(returns, 0.0)).mean()) * periods))


def sortino(returns: np.ndarray | None, periods: float | None) -> float | None:
    """Mean return a year over the downside risk a year. Source: empyrical ``sortino_ratio``. None without a
    loss.
    """
    if returns is None or periods is None or returns.size < 2:
        return None
    return _ratio(float(returns.mean()) * periods, downside_risk(returns, periods))


def calmar(returns: np.ndarray, periods: float) -> float | None:
    """Annualised return over the largest drawdown of the same returns. Source: empyrical ``calmar_ratio``."""
    growth = np.cumprod(np.concatenate(([1.0], 1.0 + returns)))
    return _ratio(annualise(float(growth[-1]) - 1.0, returns.size, periods), max_drawdown(growth))


def drawdowns(equity: np.ndarray) -> np.ndarray:
    """At each point the share lost since the highest point so far: 0 at a peak; above 1 when equity is
    negative.

    0 too while no point was above zero: there was nothing to lose a share of.
    """
    values = np.asarray(equity, np.float64)
    peaks = np.maximum.accumulate(values)
    return np.divide(peaks - values, peaks, out=np.zeros(values.size), where=peaks > 0)


def max_drawdown(equity: np.ndarray) -> float | None:
    """The largest of the drawdowns, as a positive share. empyrical ``max_drawdown``, negated."""
    return float(drawdowns(equity).max()) if len(equity) else None


def longest_drawdown_days(result: RunResult) -> int | None:
    """The most calendar days from a peak of daily equity to its recovery, or to the end without one."""
    if not result.days.ts_ns.size:
        return None
    days = np.concatenate(([result.first_ts_ns], result.days.ts_ns)) // DAY_NS
    equity = np.concatenate(([result.deposited_minor], result.days.equity_minor))
    peaks = np.flatnonzero(equity == np.maximum.accumulate(equity))
    ends = np.append(peaks, equity.size - 1) if peaks[-1] != equity.size - 1 else peaks
    starts, ends = ends[:-1], ends[1:]
    below = (ends - starts > 1) | (equity[ends] < equity[starts])
    return int((days[ends] - days[starts])[below].max(initial=0))


def calendar_returns(ts_ns: np.ndarray, equity: np.ndarray, base: float, unit: str) -> dict[str, float | None]:
    """The return of each calendar month (``unit`` M, keys 2024-03) or year (Y, keys 2024) that has a sample.

    Each runs from the last sample of the one before; the first from ``base``. None when it starts at zero
    or below. Source: empyrical ``aggregate_returns``.
    """
    periods = np.asarray(ts_ns, "datetime64[ns]").astype(f"datetime64[{unit}]")
    last = np.flatnonzero(np.append(periods[1:] != periods[:-1], periods.size > 0))
    ends = np.asarray(equity, np.float64)[last]
    starts = np.concatenate(([float(base)], ends[:-1]))[: last.size]
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    values = [finite(end / start - 1.0) if start > 0 else None for start, end in pairs]
    return dict(zip(np.datetime_as_string(periods[last]).tolist(), values, strict=True))


def finite(number: float) -> float | None:
    """The number itself, or None for NaN and infinity."""
    return number if math.isfinite(number) else None


def _deviation(returns: np.ndarray) -> float:
    deviation = float(returns.std(ddof=1))
    return 0.0 if deviation <= _ROUNDING * float(np.abs(returns).max()) else deviation


def _ratio(above: float | None, below: float | None) -> float | None:
    """``above / below``, or None when either is not defined or ``below`` is not positive."""
    if above is None or below is None or below <= 0:
        return None
    return finite(above / below)
