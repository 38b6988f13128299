"""``kernel at`` and ``kernel recover``: everything the kernel knows after one event.

Owns the turning of a state into named rows (the same for text, JSON and comparison) and the exact average price.
Knows no terminal; the width is told to it.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from kernel.bars.rule import TIME
from kernel.ledger_nb import ledger_sum_nb
from kernel.lifecycle import ORDER_TYPE_NAMES, SIDE_NAMES, STATUS_NAMES, TIME_IN_FORCE_NAMES
from kernel.plurals import counted
from kernel.state import state_digest
from kernel.tables.ledger import LEDGER_ACCOUNTS
from kernel.tables.table import MAX_POSITIONS
from kernel.units import to_decimal
from replay.inspect.names import Names
from replay.inspect.phrases import duration_text, iso_time, rate_text, time_text
from replay.inspect.text import lay_out, pairs

AVERAGE_DECIMALS = 4  # beyond those of the tick, in text; JSON has the exact fraction
Row = dict[str, Any]


def moment_rows(state: Any, names: Names) -> dict[str, Any]:
    """The state as plain values under stable keys: raw integers and names. Rows that hold nothing are left out."""
    head = state.head
    positions = []
    books = range(int(head.instrument_count) * int(head.strategy_count))
    for leg, at in itertools.product((1, -1), books):
        row = _row(state.positions[at if leg > 0 else at + MAX_POSITIONS])
        if any(value for name, value in row.items() if name not in ("account", "balance")):
            strategy, instrument = divmod(at, int(head.instrument_count))
            whose = _whose(names, strategy, instrument)
            hedging = state.accounts[row["account"]].hedging
            leg_name = "" if not hedging else "long" if leg > 0 else "short"
            positions.append({**whose, "leg_name": leg_name, **row, **_worth(row, names, instrument)})
    orders = [_row(order) for order in state.orders[: int(head.order_count)]]
    timers = [_row(timer) for timer in state.timers if timer["active"]]
    return {
        "sequence": int(head.next_sequence) - 1,
        "ts_ns": int(head.now_ns),
        "ts": iso_time(int(head.now_ns)),
        "digest": state_digest(state).hex(),
        "head": _row(head),
        "accounts": [_account(state, number, names) for number in range(int(head.account_count))],
        "balances": [_balance(state, row, names) for row in range(int(head.balance_count))],
        "limits": _row(state.limits),
        "positions": positions,
        "orders": [{**_whose(names, row["strategy"], row["instrument"]), **row, **_order_names(row)} for row in orders],
        "timers": [{**_whose(names, row["strategy"], row["instrument"]), **row} for row in timers],
        "series": [_series(state, number, names) for number in range(int(head.series_count))],
        "instruments": [
            {"instrument": number, "instrument_name": names.instrument(number), **_row(state.instruments[number])}
            for number in range(int(head.instrument_count))
        ],
    }


def _series(state: Any, number: int, names: Names) -> Row:
    row = _row(state.series[number])
    return {**_whose(names, -1, row["instrument"]), "number": number, "rule": names.rule(number), **row}


def _row(record: Any) -> Row:
    return {name: int(record[name]) for name in record.dtype.names}


def _account(state: Any, number: int, names: Names) -> Row:
    row = _row(state.accounts[number])
    row["equity_minor"] = row["cash_minor"] + row["value_minor"]
    return {**row, "account_name": names.account(number), "currency_name": names.currency_name(row["currency"])}


def _balance(state: Any, at: int, names: Names) -> Row:
    row = _row(state.balances[at])
    named = {"account_name": names.account(row["account"]), "currency_name": names.currency_name(row["currency"])}
    return {**row, **named, "ledger_sum_minor": int(ledger_sum_nb(state.balances[at]))}


def _whose(names: Names, strategy: int, instrument: int) -> Row:
    return {
        "strategy": strategy,
        "strategy_name": names.strategy(strategy),
        "instrument": instrument,
        "instrument_name": names.instrument(instrument),
    }


def _order_names(row: Row) -> Row:
    return {
        "status_name": STATUS_NAMES.get(row["status"], ""),
        "side_name": SIDE_NAMES.get(row["side"], ""),
        "order_type_name": ORDER_TYPE_NAMES.get(row["order_type"], ""),
        "time_in_force_name": TIME_IN_FORCE_NAMES.get(row["time_in_force"], ""),
    }


def _worth(row: Row, names: Names, instrument: int) -> Row:
    average = average_price(row["cost_minor"], row["quantity_lots"], names, instrument)
    return {
        "unrealised_minor": row["value_minor"] - row["cost_minor"],
        "average_price": None if average is None else f"{average.numerator}/{average.denominator}",
    }


def average_price(cost_minor: int, quantity_lots: int, names: Names, instrument: int) -> Fraction | None:
    """The exact average price of what is open; None when nothing is."""
    if not quantity_lots:
        return None
    numerator, denominator = names.ratios[instrument]
    ticks = Fraction(cost_minor * denominator, quantity_lots * numerator)
    if names.instruments[instrument].is_inverse:
        ticks = -1 / ticks if ticks else ticks
    return ticks * Fraction(to_decimal(names.instruments[instrument].tick_size))


def fraction_text(value: Fraction, decimals: int) -> str:
    """A fraction rounded half to even to as many decimals."""
    scaled = round(value * 10**decimals)
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    whole, rest = divmod(scaled, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


# --- text ---------------------------------------------------------------------------------------------------------


def moment_lines(rows: dict[str, Any], names: Names, width: int | None) -> list[str]:
    """The state for people: blocks with a heading each, what is empty in one word."""
    lines = _account_lines(rows, names)
    for title, header, table in (
        ("positions", _POSITION_HEADER, [_position_cells(row, names) for row in rows["positions"]]),
        ("open orders", _ORDER_HEADER, [_order_cells(row, names) for row in rows["orders"]]),
        ("timers", _TIMER_HEADER, [_timer_cells(row) for row in rows["timers"]]),
        ("instruments", _INSTRUMENT_HEADER, [_instrument_cells(row, names) for row in rows["instruments"]]),
        *([("bars in progress", _SERIES_HEADER, _series_cells(rows["series"], names))] if rows["series"] else []),
    ):
        lines += ["", title if table else f"{title}  none"]
        if table:
            lines += _table(header, table, width)
    return [*lines, "", f"limits  {_limits_text(rows['limits'], names)}", "", f"state digest  {rows['digest']}"]


def _table(header: tuple[str, ...], cells: list[list[str]], width: int | None) -> list[str]:
    """A table; where it is too wide for the terminal, a block of pairs for each row instead."""
    right = [not any(row[at][:1].isalpha() for row in cells) for at in range(len(header))]
    lines = [f"  {line}" for line in lay_out(header, cells, right)]
    if width is None or max(map(len, lines)) <= width:
        return lines
    blocks = [pairs(zip(header, row, strict=True)) for row in cells]
    return [line for block in blocks for line in [*block, ""]][:-1]


def _series_cells(series: list[Row], names: Names) -> list[list[str]]:
    """Of the series that have one."""
    cells = []
    for row in series:
        if row["input_count"]:
            instrument = row["instrument"]
            prices = [names.price(row[f"{name}_ticks"], instrument) for name in ("open", "high", "low", "close")]
            begin = row["begin_ns"] if row["kind"] == TIME else row["first_ns"]
            cells.append([row["rule"], row["instrument_name"], time_text(begin), *prices, str(row["input_count"])])
    return cells


def _account_lines(rows: dict[str, Any], names: Names) -> list[str]:
    head = rows["head"]
    lines = ["", "trading is halted"] if head["halted"] else []
    for account in rows["accounts"]:
        currency = account["currency"]
        balances = [row for row in rows["balances"] if row["account_name"] == account["account_name"]]
        entries = [
            ("equity", names.money(account["equity_minor"], currency)),
            ("cash", names.money(account["cash_minor"], currency)),
            ("positions", names.money(account["value_minor"], currency)),
        ]
        entries += [line for row in balances for line in _ledger_lines(row, names, len(balances) > 1)]
        size = max(len(value) for _, value in entries)
        title = f"account  {account['account_name']}".rstrip()
        lines += [
            f"{title}  {account['currency_name']}",
            *pairs([(label, value.rjust(size)) for label, value in entries]),
        ]
    counts = (("fill_count", "fill"), ("trade_count", "round trip"), ("order_count", "open order"))
    return [*lines, "  " + ", ".join(counted(head[field], what) for field, what in counts)]


def _ledger_lines(balance: Row, names: Names, several: bool) -> list[tuple[str, str]]:
    """The ledger accounts of a balance that are not zero, but for the cash of an only one, which is shown already."""
    found: list[tuple[str, str]] = []
    if several and not any(balance[f"{name}_minor"] for name in LEDGER_ACCOUNTS):
        return found
    for name in LEDGER_ACCOUNTS:
        always = name in ("deposits", "realised", "fees")
        if (name != "cash" or several) and (always or balance[f"{name}_minor"]):
            label = f"{balance['currency_name']} {name}" if several else name
            found.append((label, names.money(balance[f"{name}_minor"], balance["currency"])))
    return found


_POSITION_HEADER = ("strategy", "instrument", "quantity", "average price", "value", "unrealised", "realised", "fees")
_ORDER_HEADER = (
    "order",
    "strategy",
    "instrument",
    "status",
    "side",
    "quantity",
    "filled",
    "type",
    "limit",
    "stop",
    "since",
)
_SERIES_HEADER = ("bars", "instrument", "from (UTC)", "open", "high", "low", "close", "inputs")
_TIMER_HEADER = ("strategy", "instrument", "timer", "due", "every")
_INSTRUMENT_HEADER = ("instrument", "last price", "bid", "ask", "updated (UTC)", "events", "halted")


def _position_cells(row: Row, names: Names) -> list[str]:
    instrument = row["instrument"]
    average = average_price(row["cost_minor"], row["quantity_lots"], names, instrument)
    decimals = names.price_scales[instrument].decimals + AVERAGE_DECIMALS
    return [
        row["strategy_name"],
        f"{row['instrument_name']} {row['leg_name']}".rstrip(),
        names.quantity(row["quantity_lots"], instrument),
        "-" if average is None else fraction_text(average, decimals),
        names.money(row["value_minor"], names.currency_of(instrument)),
        names.money(row["unrealised_minor"], names.currency_of(instrument)),
        names.money(row["realised_minor"], names.currency_of(instrument)),
        names.money(row["fees_minor"], names.currency_of(instrument)),
    ]


def _order_cells(row: Row, names: Names) -> list[str]:
    instrument = row["instrument"]
    return [
        str(row["order_id"]),
        row["strategy_name"],
        row["instrument_name"],
        row["status_name"],
        row["side_name"],
        names.quantity(row["quantity_lots"], instrument),
        names.quantity(row["filled_lots"], instrument),
        f"{row['order_type_name']} {row['time_in_force_name']}",
        names.price(row["limit_ticks"], instrument) if row["limit_ticks"] else "-",
        names.price(row["stop_ticks"], instrument) if row["stop_ticks"] else "-",
        time_text(row["ts_intended_ns"]),
    ]


def _timer_cells(row: Row) -> list[str]:
    every = duration_text(row["interval_ns"]) if row["interval_ns"] else "once"
    return [row["strategy_name"], row["instrument_name"], str(row["timer"]), time_text(row["due_ns"]), every]


def _instrument_cells(row: Row, names: Names) -> list[str]:
    prices = [
        names.price(row[name], row["instrument"]) if row[name] else "-"
        for name in ("last_ticks", "bid_ticks", "ask_ticks")
    ]
    updated = time_text(row["updated_ns"]) if row["updated_ns"] else "never"
    return [row["instrument_name"], *prices, updated, f"{row['event_count']:,}", "yes" if row["halted"] else "-"]


def _limits_text(limits: Row, names: Names) -> str:
    """The limits that are set; a limit of 0 is none."""
    texts: dict[str, Callable[[int], str]] = {
        "order_lots": str,
        "order_notional_minor": names.money,
        "position_notional_minor": names.money,
        "price_band_rate": rate_text,
        "margin_rate": rate_text,
        "cost_buffer_rate": rate_text,
        "open_orders": str,
    }
    labels = {name: name.removesuffix("_minor").removesuffix("_rate").replace("_", " ") for name in texts}
    return ", ".join(f"{labels[name]} {text(limits[name])}" for name, text in texts.items() if limits[name]) or "none"
