"""The report's numbers in rows: headline, months, last trades, configuration, hashes."""

import shlex
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from replay.metrics import Metrics, TradeTable, calendar_returns
from replay.report import format as show
from replay.result import RunResult

SHOWN_TRADES = 50
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# A month's colour is one deeper for each of these shares that its return exceeds.
_SHADES = (0.0, 0.01, 0.03, 0.07, 0.15)


def headline(result: RunResult, metrics: Metrics) -> str:
    """The ten numbers that are looked at first, each with what belongs to it."""

    def money(minor: float | None) -> str:
        return show.money(minor, result.scale)

    length = show.span(result.last_ts_ns - result.first_ts_ns)
    fall = None if metrics.max_drawdown is None else -metrics.max_drawdown
    gain = metrics.total_return
    longest = metrics.longest_drawdown_days
    days = show.UNDEFINED if longest is None else show.count(longest)
    win = show.rough_money(metrics.average_win_minor, result.scale)
    loss = show.rough_money(metrics.average_loss_minor, result.scale)
    cards = [
        ("Total return", show.percent(gain, signed=True), f"in {length}", gain),
        ("Final equity", money(result.final_equity_minor), f"from {money(result.deposited_minor)}", None),
        ("Return a year", show.percent(metrics.annualised_return, signed=True), "compounded", None),
        ("Max drawdown", show.percent(fall), f"longest {days} days", None),
        ("Sharpe", show.ratio(metrics.sharpe), f"Sortino {show.ratio(metrics.sortino)}", None),
        ("Volatility", show.percent(metrics.volatility), f"Calmar {show.ratio(metrics.calmar)}", None),
        ("Trades", show.count(result.trades), f"in the market {show.percent(metrics.exposure)}", None),
        ("Win rate", show.percent(metrics.win_rate), f"held {show.span(metrics.average_holding_ns)}", None),
        ("Profit factor", show.ratio(metrics.profit_factor), f"avg {win} / {loss}", None),
        ("Fees", money(result.fees_minor), f"{show.count(result.fills)} fills", None),
    ]
    items = [
        f'<div class="card"><dt>{label}</dt><dd class="{_sign(sign)}">{escape(value)}</dd>'
        f'<dd class="sub">{escape(note)}</dd></div>'
        for label, value, note, sign in cards
    ]
    return f'<dl class="cards">{"".join(items)}</dl>'.replace(' class=""', "")


def monthly_table(result: RunResult) -> str:
    """Years by months, with the total of each year, from the last equity of each UTC day."""
    days, base = result.days, result.deposited_minor
    months = calendar_returns(days.ts_ns, days.equity_minor, base, "M")
    years = calendar_returns(days.ts_ns, days.equity_minor, base, "Y")
    head = "".join(f'<th scope="col">{month}</th>' for month in (*_MONTHS, "Year"))
    rows = []
    for year, total in years.items():
        cells = [_shaded(months.get(f"{year}-{number:02}"), "") for number in range(1, 13)]
        rows.append(f'<tr><th scope="row">{year}</th>{"".join(cells)}{_shaded(total, "total")}</tr>')
    return panel(
        "Monthly returns",
        "Percent, from the last equity of each UTC day",
        f'<table class="months"><thead><tr><th scope="col">Year</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def trades_table(result: RunResult, trades: TradeTable) -> str:
    """The last trades, newest first. What is the same for all of them has no column."""
    rows = trades.last
    begin = max(0, len(rows) - SHOWN_TRADES)
    decimals = {instrument.name: instrument.price_decimals for instrument in result.instruments}
    order = range(len(rows) - 1, begin - 1, -1)

    def money(minor: int, signed: bool = False) -> str:
        return show.money(minor, result.scale, signed=signed)

    columns: list[tuple[str, bool, list[str]]] = [
        ("Entry (UTC)", False, [show.moment(int(rows.ts_entry_ns[row])) for row in order]),
        ("Exit (UTC)", False, [show.moment(int(rows.ts_exit_ns[row])) for row in order]),
    ]
    if len(result.instruments) != 1:
        columns.append(("Instrument", False, [rows.instrument[row] for row in order]))
    if len(result.strategies) != 1:
        columns.append(("Strategy", False, [rows.strategy[row] for row in order]))
    places = {row: decimals.get(rows.instrument[row], 2) for row in order}
    profits = {row: int(rows.profit_minor[row]) for row in order}
    columns += [
        ("Side", False, [rows.side[row] for row in order]),
        ("Quantity", True, [show.quantity(float(rows.quantity[row])) for row in order]),
        ("Entry", True, [show.price(float(rows.entry_price[row]), places[row]) for row in order]),
        ("Exit", True, [show.price(float(rows.exit_price[row]), places[row]) for row in order]),
        ("Fees", True, [money(int(rows.fees_minor[row])) for row in order]),
        (f"Result ({result.currency})", True, [money(profits[row], signed=True) for row in order]),
        ("Result", True, [_share_of_entry(profits[row], int(rows.entry_minor[row])) for row in order]),
    ]
    numbers = [f"{trades.count - len(rows) + row + 1:,}" for row in order]
    signs = [_sign(profits[row]) for row in order]
    note = f"The last {len(order)} of {show.count(trades.count)}, newest first; results are after fees"
    return panel("Last trades", note, _trade_lines(numbers, columns, signs))


def _trade_lines(numbers: list[str], columns: list[tuple[str, bool, list[str]]], signs: list[str]) -> str:
    """The table element; the last two columns are tinted by the sign of the result."""
    kinds = ["number" if right else "" for _, right, _ in columns]
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(name)}</th>' for (name, _, _), kind in zip(columns, kinds, strict=True)
    )
    lines = []
    for row, (number, sign) in enumerate(zip(numbers, signs, strict=True)):
        tints = [""] * (len(columns) - 2) + [sign] * 2
        cells = "".join(
            f'<td class="{f"{kind} {tint}".strip()}">{escape(values[row])}</td>'
            for (_, _, values), kind, tint in zip(columns, kinds, tints, strict=True)
        )
        lines.append(f'<tr><th scope="row">{number}</th>{cells}</tr>')
    head = f'<thead><tr><th scope="col">#</th>{head}</tr></thead>'
    return f"<table>{head}<tbody>{''.join(lines)}</tbody></table>".replace(' class=""', "")


def _share_of_entry(profit_minor: int, entry_minor: int) -> str:
    return show.percent(profit_minor / abs(entry_minor) if entry_minor else None, signed=True)


def series_table(result: RunResult) -> str:
    """The series of bars that the run made, and which inputs are in none of them."""
    names = ("bars", "gaps", "late", "straddling", "outside")
    head = "".join(f'<th scope="col" class="number">{name}</th>' for name in names)
    lines = []
    for one in result.series:
        cells = "".join(f'<td class="number">{show.count(getattr(one, name))}</td>' for name in names)
        lines.append(f'<tr><th scope="row">{escape(f"{one.rule} of {one.instrument}")}</th>{cells}</tr>')
    note = "Bars with gaps, and inputs that are in no bar: too late, across an end, outside of sessions"
    table = f'<table><thead><tr><th scope="col"></th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return panel("Bars made", note, table)


def configuration_table(config: Mapping[str, Any]) -> str:
    """Every setting of the run under its dotted name, in the order given."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in flattened(config)
    )
    return panel("Configuration", "", f'<table class="facts"><tbody>{rows}</tbody></table>')


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """``(dotted name, text)`` of every leaf; lists of plain values stay on one line."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(one, (Mapping, list, tuple)) for one in value):
        for number, inner in enumerate(value):
            yield from flattened(inner, f"{name}[{number}]")
    elif isinstance(value, (list, tuple)):
        yield name, ", ".join(_plain(one) for one in value)
    else:
        yield name, _plain(value)


def proof(result: RunResult) -> str:
    """The hashes and the commands with which anyone checks them."""
    facts = [("Result hash", result.result_hash), ("Journal root", result.journal_root)]
    facts += [("Events", show.count(result.events)), ("Frames", show.count(result.frames))]
    rows = "".join(
        f'<tr><th scope="row">{label}</th><td><code>{escape(value)}</code></td></tr>' for label, value in facts if value
    )
    table = f'<table class="facts"><tbody>{rows}</tbody></table>'
    if result.journal is None:
        return panel("Verification", "This run kept no journal.", table)
    where = escape(shlex.quote(_beside(result.journal, result.run_dir)))
    commands = (
        "<p>In the directory of this run:</p><pre>"
        f"<code>kernel verify {where}</code>   every frame is intact, and the root is the one above\n"
        f"<code>kernel replay {where}</code>   the same inputs decide the same, down to the result hash</pre>"
    )
    note = "None of this has to be believed: whoever has the journal can check it."
    return panel("Verification", note, table + commands)


def _beside(journal: Path, run_dir: Path) -> str:
    """The journal as named from the run's directory: a report is sent to others, whose paths are not ours."""
    return str(journal.relative_to(run_dir)) if journal.is_relative_to(run_dir) else str(journal)


def panel(title: str, note: str, body: str) -> str:
    """A section of the page; ``body`` is markup."""
    notes = f'<p class="note">{escape(note)}</p>' if note else ""
    inside = f'<div class="scroll">{body}</div>' if body else ""
    return f'<section class="panel"><h2>{escape(title)}</h2>{notes}{inside}</section>'


def _shaded(share: float | None, kind: str) -> str:
    if share is None:
        return f'<td class="{kind}"></td>'
    text = f"{share * 100:+.{0 if abs(share) >= 10 else 1}f}"
    if not text.strip("+-0."):
        return f'<td class="{kind}">0.0</td>'
    depth = sum(abs(share) > shade for shade in _SHADES)
    return f'<td class="{kind} {_sign(share)}{depth}">{text}</td>'.replace('class=" ', 'class="')


def _sign(number: float | None) -> str:
    return "" if not number else "gain" if number > 0 else "loss"


def _plain(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else "none" if value is None else str(value)
