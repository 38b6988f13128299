"""The drawings over time: equity, drawdown, and the price of each instrument with its trades."""

from html import escape

import numpy as np

from replay.metrics import TradeRows, TradeTable, drawdowns
from replay.report import format as show
from replay.report import svg
from replay.report.axes import TimeAxis, ValueAxis, value_axis
from replay.report.figures import Series, figure, hover_data, time_axis
from replay.result import RunResult

EQUITY_HEIGHT, DRAWDOWN_HEIGHT, PRICE_HEIGHT = 300, 130, 280
# More trades than this are marked without a line from entry to exit, which would hide the price.
_MOST_LINKS = 600
# Marks (upward triangle, downward triangle, dot) for few trades and for many.
_LARGE = ("m0 3l5 9h-10z", "m0 -3l5 -9h-10z", "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z")
_SMALL = ("m0 2l3 6h-6z", "m0 -2l3 -6h-6z", "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z")
_MOST_LARGE = 120
_PRICE_LEGEND = (
    '<span class="key">▲ long entry</span><span class="key">▼ short entry</span>'
    '<span class="key gain">● exit at a profit</span><span class="key loss">● exit at a loss</span>'
)

Prices = tuple[np.ndarray, np.ndarray]  # times in ns, closes


def equity_figure(result: RunResult, prices: dict[str, Prices]) -> str:
    """Equity over time; beside it, when one instrument was traded, the same money held in that."""
    across = time_axis(result)
    unit = 10.0**result.scale
    deposit = result.deposited_minor / unit
    series = [Series("Equity", result.curve.ts_ns, result.curve.equity_minor / unit, 2)]
    legend = '<span class="key line">Equity</span>'
    held = next(iter(prices.items())) if len(prices) == 1 else None
    if held is not None and held[1][1].size and held[1][1][0] > 0:
        name, (held_times, closes) = held
        series.append(Series(f"{name} held", held_times, closes / closes[0] * deposit, 2))
        legend += f'<span class="key held">{escape(name)} held, without costs</span>'
    up = value_axis(np.concatenate([one.values for one in series]), 8, EQUITY_HEIGHT - 16)
    drawing = svg.Drawing("equity", "Equity over time", _described(result), EQUITY_HEIGHT, [])
    drawing.parts.append(svg.grid(up, across, EQUITY_HEIGHT))
    if up.low < deposit < up.high:
        y = float(up.pixels(np.array([deposit]))[0])
        drawing.parts.append(f'<path class="base" d="M0 {y:.1f}H{svg.PLOT_WIDTH}"/>')
    for one in reversed(series):  # equity last, on top
        kind = "line" if one is series[0] else "held"
        drawing.parts.append(svg.curve(kind, one.times_ns, one.values, across, up))
    note = f"{result.currency}, {'logarithmic' if up.logarithmic else 'linear'} scale"
    return figure("Equity", note, drawing, legend=legend, hover=hover_data(series, across, EQUITY_HEIGHT))


def drawdown_figure(result: RunResult) -> str:
    """How far equity is below its highest point so far."""
    across = time_axis(result)
    equity = np.concatenate(([result.deposited_minor], result.curve.equity_minor))
    depths = -drawdowns(equity)[1:]
    shown = np.append(depths, (0.0, -0.01)) * 100
    up = value_axis(shown, 8, DRAWDOWN_HEIGHT - 12, logarithm=False, room=0.04)
    deepest = show.percent(result.max_drawdown)
    text = f"Share lost since the highest equity so far; the deepest is {deepest}."
    drawing = svg.Drawing("drawdown", "Drawdown over time", text, DRAWDOWN_HEIGHT, [])
    drawing.parts.append(svg.grid(up, across, DRAWDOWN_HEIGHT))
    drawing.parts.append(svg.area_below_zero("under", result.curve.ts_ns, depths * 100, across, up))
    hover = hover_data([Series("Drawdown", result.curve.ts_ns, depths, None)], across, DRAWDOWN_HEIGHT)
    note = f"Percent below the highest equity so far; at most {deepest}"
    return figure("Drawdown", note, drawing, hover=hover)


def price_figure(number: int, name: str, result: RunResult, prices: Prices, trades: TradeTable) -> str:
    """The price of one instrument with the entries and exits of its trades."""
    across = time_axis(result)
    times_ns, closes = prices
    mine = np.array([one == name for one in trades.last.instrument], np.bool_)
    touched = (closes, trades.last.entry_price[mine], trades.last.exit_price[mine])
    up = value_axis(np.concatenate(touched), 8, PRICE_HEIGHT - 16)
    text = f"{int(mine.sum())} trades are marked, each at its average entry and exit price."
    title = f"Price of {name} with entries and exits"
    drawing = svg.Drawing(f"price-{number}", title, text, PRICE_HEIGHT, [])
    drawing.parts.append(svg.grid(up, across, PRICE_HEIGHT))
    drawing.parts.append(svg.curve("price", times_ns, closes, across, up))
    drawing.parts += _trade_marks(trades.last, mine, across, up)
    note = f"{'Logarithmic' if up.logarithmic else 'Linear'} scale"
    if trades.count > len(trades.last):
        note += f"; marked: the last {show.count(len(trades.last))} of {show.count(trades.count)} trades"
    decimals = next((one.price_decimals for one in result.instruments if one.name == name), 2)
    hover = hover_data([Series("Price", times_ns, closes, decimals)], across, PRICE_HEIGHT)
    return figure(name, note, drawing, legend=_PRICE_LEGEND if mine.any() else "", hover=hover)


def _trade_marks(rows: TradeRows, mine: np.ndarray, across: TimeAxis, up: ValueAxis) -> list[str]:
    """Entries as triangles, exits as dots, and lines between them while they are few."""
    entry_xs, entry_ys = across.pixels(rows.ts_entry_ns[mine]), up.pixels(rows.entry_price[mine])
    exit_xs, exit_ys = across.pixels(rows.ts_exit_ns[mine]), up.pixels(rows.exit_price[mine])
    won = rows.profit_minor[mine] > 0
    long = np.array([side == "long" for side in rows.side], np.bool_)[mine]
    parts = []
    if won.size <= _MOST_LINKS:
        for kind, these in (("gain", won), ("loss", ~won)):
            ends = (entry_xs[these], entry_ys[these], exit_xs[these], exit_ys[these])
            parts.append(svg.segments(f"link {kind}", *ends))
    few = won.size <= _MOST_LARGE
    upward, downward, dot = _LARGE if few else _SMALL
    size = "" if few else " small"  # many marks touch: an outline around each would hide its neighbours
    for shape, these in ((upward, long), (downward, ~long)):
        parts.append(svg.marks(f"entry{size}", entry_xs[these], entry_ys[these], shape))
    for kind, these in (("gain", won), ("loss", ~won)):
        parts.append(svg.marks(f"exit {kind}{size}", exit_xs[these], exit_ys[these], dot))
    return parts


def _described(result: RunResult) -> str:
    start, end = show.moment(result.first_ts_ns), show.moment(result.last_ts_ns)
    before, after = (show.money(minor, result.scale) for minor in (result.deposited_minor, result.final_equity_minor))
    return f"From {before} {result.currency} on {start} to {after} {result.currency} on {end} (UTC)."
