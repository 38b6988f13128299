"""What ``kernel replay`` says at its end: the summary for people and the object for machines.

Owns the wording, the alignment and the keys. Knows no terminal: width, colour and encoding are told to it.
"""

import sys
from typing import Any

import msgspec

from replay.metrics import Metrics
from replay.report import format as show
from replay.report.characters import equity_chart
from replay.result import RunResult

CHART_COLUMNS = 76
CHART_ROWS = 10
MOST_SERIES = 20
_TWO_COLUMNS_FROM = 72
_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"

Pair = tuple[str, str, str]  # label, value, colour of the value


def render_summary(result: RunResult, metrics: Metrics, *, width: int, color: bool, encoding: str | None = None) -> str:
    """The summary as text ``width`` columns wide, without a final line break.

    ``encoding`` is that of the terminal (by default that of standard output): other than UTF-8, all is
    drawn in ASCII.
    """
    unicode = (encoding or sys.stdout.encoding or "ascii").lower().replace("-", "") == "utf8"
    chart = equity_chart(
        result.curve.ts_ns,
        result.curve.equity_minor,
        result.scale,
        columns=min(width - 2, CHART_COLUMNS),
        rows=CHART_ROWS,
        braille=unicode,
    )
    figures = _figures(result, metrics, width, color)
    said = [*_opinions(result, color), *_shadows(result, color), *_series(result, color)]
    told = [*_refusals(result, color), *said]
    blocks = [_heading(result, color), figures, told, chart, _proofs(result, color)]
    text = "\n\n".join("\n".join(f"  {line}" for line in block) for block in blocks if block)
    return text if unicode else text.encode("ascii", "replace").decode("ascii")


def summary_json(result: RunResult, metrics: Metrics) -> dict[str, Any]:
    """The same as one object for machines. Money is decimal text; what is not defined is None."""

    def amount(minor: int) -> str:
        return show.decimal_text(minor, result.scale)

    return {
        "result_hash": result.result_hash,
        "journal_root": result.journal_root,
        "journal": None if result.journal is None else str(result.journal),
        "run_dir": str(result.run_dir),
        "completed": result.completed,
        "strategies": list(result.strategies),
        "instruments": [instrument.name for instrument in result.instruments],
        "span": {"start": show.iso(result.first_ts_ns), "end": show.iso(result.last_ts_ns)},
        "bars": result.bars,
        "events": result.events,
        "frames": result.frames,
        "fills": result.fills,
        "trades": result.trades,
        "seconds": round(result.seconds, 6),
        "bars_per_second": _per_second(result),
        "currency": result.currency,
        "deposited": amount(result.deposited_minor),
        "final_equity": amount(result.final_equity_minor),
        "final_cash": amount(result.final_cash_minor),
        "realised": amount(result.realised_minor),
        "fees": amount(result.fees_minor),
        "refused": [
            {
                "check": refusal.check,
                "count": refusal.count,
                "first": show.iso(refusal.first_ts_ns),
                "unseen": refusal.unseen,
            }
            for refusal in result.refusals
        ],
        "dropped": result.dropped,
        "verdicts": result.verdicts,
        "regimes": result.regimes,
        "shadows": [
            {
                "account": one.account,
                "strategies": list(one.strategies),
                "trades": one.trades,
                **{name: amount(getattr(one, f"{name}_minor")) for name in ("deposited", "equity", "realised", "fees")},
            }
            for one in result.shadows
        ],
        "series": [msgspec.to_builtins(one) for one in result.series],
        "return": metrics.total_return,
        "max_drawdown": metrics.max_drawdown,
        "sharpe": metrics.sharpe,
        "metrics": msgspec.to_builtins(metrics),
    }


def _heading(result: RunResult, color: bool) -> list[str]:
    strategies = ", ".join(result.strategies) or "no strategy"
    instruments = ", ".join(instrument.name for instrument in result.instruments)
    start, end = show.moment(result.first_ts_ns), show.moment(result.last_ts_ns)
    length = show.span(result.last_ts_ns - result.first_ts_ns)
    lines = [
        _paint(strategies, _BOLD, color) + (f" on {instruments}" if instruments else ""),
        _paint(f"{start} to {end} UTC, {length}", _DIM, color),
    ]
    if not result.completed:
        lines.append(_paint("Interrupted: these are the figures up to there.", _YELLOW, color))
    return lines


def _figures(result: RunResult, metrics: Metrics, width: int, color: bool) -> list[str]:
    def money(minor: int) -> str:
        return f"{show.money(minor, result.scale)} {result.currency}"

    gain = metrics.total_return or 0.0
    fall = None if metrics.max_drawdown is None else -metrics.max_drawdown
    left: list[Pair] = [
        ("Return", show.percent(metrics.total_return, signed=True), _RED if gain < 0 else _GREEN),
        ("Max drawdown", show.percent(fall), ""),
        ("Sharpe", show.ratio(metrics.sharpe), ""),
        ("Final equity", money(result.final_equity_minor), ""),
        ("Fees", money(result.fees_minor), ""),
    ]
    rate = _per_second(result)
    right: list[Pair] = [
        ("Bars", show.count(result.bars), ""),
        ("Events", show.count(result.events), ""),
        ("Fills", show.count(result.fills), ""),
        ("Trades", show.count(result.trades), ""),
        ("Bars/s", show.UNDEFINED if rate is None else show.count(rate), ""),
    ]
    if width < _TWO_COLUMNS_FROM:
        return _aligned(left + right, color)
    pairs = zip(_aligned(left, color), _aligned(right, color), strict=True)
    return [f"{one}      {other}" for one, other in pairs]


def _refusals(result: RunResult, color: bool) -> list[str]:
    """What each check refused; ``kernel show RUN --check NAME`` lists them."""
    if not result.refusals:
        return []
    name_width = max(len("Refused by"), *(len(refusal.check) for refusal in result.refusals))
    count_width = max(len("times"), *(len(show.count(refusal.count)) for refusal in result.refusals))
    heading = f"{'Refused by':<{name_width}}  {'times':>{count_width}}  first (UTC)"
    rows = [
        f"{refusal.check:<{name_width}}  {show.count(refusal.count):>{count_width}}  {show.moment(refusal.first_ts_ns)}"
        for refusal in result.refusals
    ]
    unseen = [refusal.check for refusal in result.refusals if refusal.unseen]
    if unseen:
        rows.append(f"not in the data: {', '.join(unseen)}; import it, or set pass_unknown = true under [risk]")
    return [_paint(heading, _DIM, color), *rows]


def _opinions(result: RunResult, color: bool) -> list[str]:
    """What became of signals and votes; ``kernel show RUN --topic 'signal.*'`` lists them."""
    rows = []
    for heading, counted in (
        ("Signals dropped by", result.dropped),
        ("Votes came to", result.verdicts),
        ("Regimes", result.regimes),
    ):
        if counted:
            told = ", ".join(f"{name} {show.count(number)}" for name, number in counted.items())
            rows.append(f"{_paint(heading, _DIM, color)}  {told}")
    return rows


def _shadows(result: RunResult, color: bool) -> list[str]:
    """What traded on paper."""
    if not result.shadows:
        return []
    names = [", ".join(one.strategies) or one.account for one in result.shadows]
    width = max(len("On paper"), *map(len, names))
    rows = []
    for name, one in zip(names, result.shadows, strict=True):
        gain = (one.equity_minor / one.deposited_minor - 1.0) if one.deposited_minor > 0 else None
        money = show.money(one.equity_minor, result.scale)
        rows.append(f"{name:<{width}}  {show.percent(gain, signed=True):>10}  {show.count(one.trades):>8}  {money:>18}")
    heading = f"{'On paper':<{width}}  {'return':>10}  {'trades':>8}  {'equity':>18}"
    return [_paint(heading, _DIM, color), *rows]


def _series(result: RunResult, color: bool) -> list[str]:
    """The series of bars that the run made, and which inputs are in none of them."""
    if not result.series:
        return []
    names = [f"{one.rule} of {one.instrument}" for one in result.series[:MOST_SERIES]]
    width = max(len("Bars made"), *map(len, names))
    heading = f"{'Bars made':<{width}}  {'bars':>10}  {'gaps':>8}  {'late':>6}  {'straddling':>10}  {'outside':>8}"
    rows = [
        f"{name:<{width}}  {show.count(one.bars):>10}  {show.count(one.gaps):>8}  {show.count(one.late):>6}  "
        f"{show.count(one.straddling):>10}  {show.count(one.outside):>8}"
        for name, one in zip(names, result.series, strict=False)
    ]
    if len(result.series) > MOST_SERIES:
        rows.append(f"and {show.count(len(result.series) - MOST_SERIES)} more: kernel show RUN --topic bar.closed")
    return [_paint(heading, _DIM, color), *rows]


def _proofs(result: RunResult, color: bool) -> list[str]:
    rows = [
        ("Result hash", result.result_hash),
        ("Journal root", result.journal_root),
        ("Run directory", str(result.run_dir)),
    ]
    return [f"{_paint(f'{label:<13}', _DIM, color)}  {value}" for label, value in rows if value]


def _aligned(pairs: list[Pair], color: bool) -> list[str]:
    """Labels flush left, values flush right, all lines equally long."""
    label_width = max(len(label) for label, _, _ in pairs)
    value_width = max(len(value) for _, value, _ in pairs)
    return [
        _paint(f"{label:<{label_width}}", _DIM, color) + "  " + _paint(f"{value:>{value_width}}", tint, color)
        for label, value, tint in pairs
    ]


def _per_second(result: RunResult) -> float | None:
    return round(result.bars / result.seconds, 1) if result.seconds > 0 else None


def _paint(text: str, tint: str, color: bool) -> str:
    return f"\x1b[{tint}m{text}\x1b[0m" if color and tint else text
