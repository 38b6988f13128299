"""The page itself: all parts in their order, style and script inside, one file that needs no network."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from replay.metrics import Metrics, TradeTable
from replay.report import charts, tables
from replay.report import format as show
from replay.report.distribution import distribution_figure
from replay.report.document import render_document
from replay.result import RunResult

_HERE = Path(__file__).parent


def write_report(
    path: Path,
    result: RunResult,
    metrics: Metrics,
    trades: TradeTable,
    prices: Mapping[str, charts.Prices],
    config: Mapping[str, Any] | None = None,
) -> None:
    """Write the report of a run to ``path``.

    ``prices`` has, for each instrument name, times (int64 ns) and closes (float64), thinned to what a drawing
    can show. The same arguments make the same bytes; how long the run took and where it was stay out.
    """
    path.write_text(render_report(result, metrics, trades, prices, config), encoding="utf-8", newline="\n")


def render_report(
    result: RunResult,
    metrics: Metrics,
    trades: TradeTable,
    prices: Mapping[str, charts.Prices],
    config: Mapping[str, Any] | None = None,
) -> str:
    """The report as text."""
    style, script = (_HERE / "page.css").read_text("utf-8"), (_HERE / "page.js").read_text("utf-8")
    return render_document(_title(result), style, _parts(result, metrics, trades, dict(prices), config), script)


def _parts(
    result: RunResult,
    metrics: Metrics,
    trades: TradeTable,
    prices: dict[str, charts.Prices],
    config: Mapping[str, Any] | None,
) -> list[str]:
    parts = [_header(result), tables.headline(result, metrics)]
    if result.curve.ts_ns.size:
        parts += [charts.equity_figure(result, prices), charts.drawdown_figure(result)]
    for number, (name, (times_ns, closes)) in enumerate(prices.items()):
        if times_ns.size:
            parts.append(charts.price_figure(number, name, result, (times_ns, closes), trades))
    if result.days.ts_ns.size:
        parts.append(tables.monthly_table(result))
    if trades.count:
        parts += [distribution_figure(result, trades), tables.trades_table(result, trades)]
    else:
        parts.append(tables.panel("Trades", "No trade was closed.", ""))
    if result.series:
        parts.append(tables.series_table(result))
    parts.append(tables.configuration_table(config) if config else "")
    return [*parts, tables.proof(result), _measures(metrics)]


def _header(result: RunResult) -> str:
    start, end = show.moment(result.first_ts_ns), show.moment(result.last_ts_ns)
    instruments = ", ".join(instrument.name for instrument in result.instruments)
    warning = "Interrupted: these are the figures up to there."
    ended = "" if result.completed else f'<p class="warning">{warning}</p>'
    return (
        f"<header><h1>{escape(', '.join(result.strategies) or 'No strategy')}</h1>"
        f"<p>{escape(instruments)}</p><p>{start} to {end} UTC · {show.count(result.bars)} bars · "
        f"amounts in {escape(result.currency)}</p>{ended}</header>"
    )


def _measures(metrics: Metrics) -> str:
    periods = metrics.periods_per_year
    year = "" if periods is None else f" This span has {periods:.1f} such days a year, as measured."
    return (
        '<footer class="note"><p>Returns are those of daily equity, from the deposit on; days are '
        f"UTC and count when they saw data.{year} Risk-free rate 0, sample standard deviation. The largest "
        "drawdown is measured at every row, not on daily values. Money is exact in the journal; these "
        "statistics are not part of any decision.</p></footer>"
    )


def _title(result: RunResult) -> str:
    names = ", ".join(result.strategies) or "no strategy"
    return f"{names} on " + ", ".join(instrument.name for instrument in result.instruments)
