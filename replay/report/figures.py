"""A figure of the report: a drawing with its caption, its legend and what its read-out says."""

import json
from html import escape
from typing import Any

import msgspec
import numpy as np

from replay.report import svg
from replay.report.axes import TimeAxis
from replay.result import RunResult

_HOVER_POINTS = 481


class Series(msgspec.Struct, frozen=True):
    """One curve of a read-out; ``decimals`` of None: the values are shares, shown as percentages."""

    name: str
    times_ns: np.ndarray
    values: np.ndarray
    decimals: int | None


def time_axis(result: RunResult) -> TimeAxis:
    """The time axis that all drawings of the run share."""
    return TimeAxis(result.first_ts_ns, result.last_ts_ns, svg.PLOT_WIDTH)


def figure(title: str, note: str, drawing: svg.Drawing, *, legend: str = "", hover: str = "") -> str:
    """The element; ``legend`` is markup, ``hover`` the data of the read-out (from ``hover_data``)."""
    legend = f'<p class="legend">{legend}</p>' if legend else ""
    return (
        f'<figure class="panel{" timed" if hover else ""}"><figcaption><h2>{escape(title)}</h2>'
        f'<p class="note">{escape(note)}</p>{legend}</figcaption><div class="plot">{drawing.markup()}'
        f'<p class="readout" aria-hidden="true"></p></div>{hover}</figure>'
    )


def hover_data(series: list[Series], across: TimeAxis, height: int) -> str:
    """The values as of equally spaced times, as JSON that no text in it can break out of."""
    times = np.linspace(across.start_ns, across.end_ns, _HOVER_POINTS)
    curves: list[dict[str, Any]] = []
    for one in series:
        places = np.maximum(np.searchsorted(one.times_ns, times, "right") - 1, 0)
        values = [float(f"{value:.8g}") for value in one.values[places].tolist()]
        curves.append({"name": one.name, "decimals": one.decimals, "values": values})
    start, end = across.start_ns // 1_000_000, across.end_ns // 1_000_000
    data = {"start": start, "end": end, "height": height, "series": curves}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return f'<script type="application/json">{text.replace("<", chr(92) + "u003c")}</script>'
