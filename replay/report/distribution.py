"""The distribution of trade results, as bars."""

from html import escape

import numpy as np

from replay.metrics import TradeTable
from replay.report import svg
from replay.report.axes import value_axis
from replay.report.figures import figure
from replay.result import RunResult

HEIGHT = 200
_BARS = 48
_TAIL = 0.005  # of all trades, at each end, may lie beyond the middle bars


def distribution_figure(result: RunResult, trades: TradeTable) -> str:
    """How many trades earned how much, losses and gains apart; the far tails are gathered in the end bars."""
    edges, counts = profit_bars(trades, 10.0**result.scale)
    up = value_axis(np.append(counts, 0.0), 8, HEIGHT - 8, logarithm=False, room=0)
    across = value_axis(edges, 0, svg.PLOT_WIDTH, logarithm=False, room=0)
    text = f"{trades.count} trades: {trades.win_count} at a profit, {trades.loss_count} at a loss."
    drawing = svg.Drawing("distribution", "Distribution of trade results", text, HEIGHT, [])
    drawing.parts.append(svg.grid(up, None, HEIGHT))
    xs = (svg.PLOT_WIDTH - across.pixels(edges)).tolist()
    ys = up.pixels(counts.astype(np.float64)).tolist()
    for number, (count, y) in enumerate(zip(counts.tolist(), ys, strict=True)):
        kind = "gain" if edges[number] >= 0 else "loss"
        drawing.parts.append(
            f'<rect class="bar {kind}" x="{xs[number] + 0.5:.1f}" y="{y:.1f}" '
            f'width="{xs[number + 1] - xs[number] - 1:.1f}" height="{HEIGHT - y:.1f}">'
            f"<title>{_reach(edges, number)} {escape(result.currency)}: {count} trades</title></rect>"
        )
    drawing.parts.append(f'<path class="base" d="M0 {HEIGHT}H{svg.PLOT_WIDTH}"/>')
    for mirrored, label in across.ticks():
        x = svg.PLOT_WIDTH - mirrored
        anchor = "start" if x < 20 else "end" if x > svg.PLOT_WIDTH - 20 else "middle"
        place = f'x="{x:.1f}" y="{HEIGHT + 16}" text-anchor="{anchor}"'
        drawing.parts.append(f"<text {place}>{label}</text>")
    note = f"Profit of a trade after fees, {result.currency}; the end bars hold all that lies beyond"
    return figure("Trade results", note, drawing)


def profit_bars(trades: TradeTable, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """``(edges, counts)``: about fifty equal bars of profit, zero among the edges, that hold every trade."""
    half = trades.histogram.size // 2
    share = np.cumsum(trades.histogram) / trades.count
    low = int(np.searchsorted(share, _TAIL, "right")) - half
    high = int(np.searchsorted(share, 1 - _TAIL)) + 1 - half
    width = max(-(-(high - low) // _BARS), 1)
    first, last = low // width, -(-high // width)
    edges = np.arange(first, last + 1) * width
    bars = np.clip((np.arange(trades.histogram.size) - half) // width, first, last - 1) - first
    counts = np.bincount(bars, weights=trades.histogram, minlength=last - first).astype(np.int64)
    step = max(abs(trades.best_minor), abs(trades.worst_minor), 1) / half
    return edges * step / unit, counts


def _reach(edges: np.ndarray, number: int) -> str:
    low, high = f"{edges[number]:,.2f}", f"{edges[number + 1]:,.2f}"
    if number == 0:
        return f"up to {high}"
    return f"{low} or more" if number == edges.size - 2 else f"{low} to {high}"
