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
    days = metrics.longest_drawdown_days
    wins, losses = money(metrics.average_win_minor), money(metrics.average_loss_minor)
    cards = [
        ("Total return", show.percent(metrics.total_return, signed=True), f"in {length}", metrics.total_return),
        ("Final equity", money(result.final_equity_minor), f"from {money(result.deposited_minor)}", None),
        ("Return a year", show.percent(metrics.annualised_return, signed=True), "compounded", None),
        ("Max drawdown", show.percent(fall), f"longest {show.UNDEFINED if days is None else days} days", None),
        ("Sharpe", show.ratio(metrics.sharpe), f"Sortino {show.ratio(metrics.sortino)}", None),
        ("Volatility", show.percent(metrics.volatility), f"Calmar {show.ratio(metrics.calmar)}", None),
        ("Trades", show.count(result.trades), f"{show.count(result.fills)} fills", None),
        ("Win rate", show.percent(metrics.win_rate), f"held {show.span(metrics.average_holding_ns)}", None),
        ("Profit factor", show.ratio(metrics.profit_factor), f"{wins} / {losses}", None),
        ("Fees", money(result.fees_minor), f"exposed {show.percent(metrics.exposure)}", None),
    ]
    items = [
        f'<div class="card"><dt>{label}</dt><dd class="{_sign(sign)}">{escape(value)}</dd>'
        f"<dd class=sub>{escape(note)}</dd></div>"
        for label, value, note, sign in cards
    ]
    return f'<dl class="cards">{"".join(items)}</dl>'


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
    return _panel(
        "Monthly returns",
        "Percent, from the last equity of each UTC day",
        f'<table class="months"><thead><tr><th scope="col">Year</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def trades_table(result: RunResult, trades: TradeTable) -> str:
    """The last trades, newest first."""
    rows = trades.last
    decimals = {instrument.name: instrument.price_decimals for instrument in result.instruments}
    lines = []
    for row in range(len(rows) - 1, max(-1, len(rows) - 1 - SHOWN_TRADES), -1):
        places, profit = decimals.get(rows.instrument[row], 2), int(rows.profit_minor[row])
        entry = abs(int(rows.entry_minor[row]))
        cells = [
            show.moment(int(rows.ts_entry_ns[row])),
            show.moment(int(rows.ts_exit_ns[row])),
            rows.instrument[row],
            rows.strategy[row],
            rows.side[row],
            show.quantity(float(rows.quantity[row])),
            show.price(float(rows.entry_price[row]), places),
            show.price(float(rows.exit_price[row]), places),
            show.money(int(rows.fees_minor[row]), result.scale),
            show.money(profit, result.scale, signed=True),
            show.percent(profit / entry if entry else None, signed=True),
        ]
        number = trades.count - len(rows) + row + 1
        texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells[:5])
        numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells[5:9])
        results = "".join(f'<td class="number {_sign(profit)}">{escape(cell)}</td>' for cell in cells[9:])
        lines.append(f'<tr><th scope="row">{number:,}</th>{texts}{numbers}{results}</tr>')
    names = ("#", "Entry (UTC)", "Exit (UTC)", "Instrument", "Strategy", "Side")
    sums = ("Quantity", "Entry", "Exit", "Fees", f"Result ({result.currency})", "Result")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    head += "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in sums)
    note = f"The last {len(lines)} of {show.count(trades.count)}, newest first; results are after fees"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return _panel("Last trades", note, table)


def configuration_table(config: Mapping[str, Any]) -> str:
    """Every setting of the run under its dotted name, in the order given."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in flattened(config)
    )
    return _panel("Configuration", "", f'<table class="facts"><tbody>{rows}</tbody></table>')


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
        f'<tr><th scope="row">{label}</th><td><code>{escape(value)}</code></td></tr>' for label, value in facts
    )
    table = f'<table class="facts"><tbody>{rows}</tbody></table>'
    if result.journal is None:
        return _panel("Verification", "This run kept no journal.", table)
    where = shlex.quote(_beside(result.journal, result.run_dir))
    commands = (
        f"<p>In the run's directory:</p><pre><code>kernel verify {escape(where)}</code>   the journal is whole, "
        f"and its root is the one above\n<code>kernel replay {escape(where)}</code>   the same code decides the same "
        "again, down to the result hash</pre>"
    )
    return _panel("Verification", "Nothing here has to be believed: anyone with the journal can check it.", table + commands)


def _beside(journal: Path, run_dir: Path) -> str:
    """The journal as named from the run's directory: a report is sent to others, whose paths are not ours."""
    return str(journal.relative_to(run_dir)) if journal.is_relative_to(run_dir) else str(journal)


def _panel(title: str, note: str, body: str) -> str:
    notes = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section class="panel"><h2>{escape(title)}</h2>{notes}<div class="scroll">{body}</div></section>'


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
