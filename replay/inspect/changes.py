"""What changed between two moments of a history, field by field, under names that people know.

Owns the matching of rows: positions by strategy and instrument, orders by their id, timers by their owner, so that an
order that ends does not make all later ones look changed.
"""

from typing import Any

import msgspec

from kernel.lifecycle import STATUS_NAMES
from replay.inspect.moment import Row, moment_rows
from replay.inspect.names import Names
from replay.inspect.phrases import rate_text, time_text
from replay.inspect.signal_phrases import DURATIONS
from replay.inspect.text import lay_out

_KEYS = {
    "accounts": ("account_name", "currency_name"),
    "balances": ("account_name", "currency_name"),
    "positions": ("strategy_name", "instrument_name", "leg_name"),
    "orders": ("order_id",),
    "timers": ("strategy_name", "instrument_name", "timer"),
    "instruments": ("instrument_name",),
}
_DERIVED = ("average_price",)
_TELLING = {"orders": "status", "timers": "due_ns"}  # the one field that stands for a row that came or went


class Change(msgspec.Struct, frozen=True):
    """One field that changed; None where the row is not there. ``row`` is its name, as in ``ema_cross us/SPY``."""

    table: str
    row: str
    field: str
    before: int | str | None
    after: int | str | None
    instrument: int


def changes(before: Any, after: Any, names: Names) -> list[Change]:
    """The fields in which two states differ, table by table."""
    left, right = moment_rows(before, names), moment_rows(after, names)
    found = _fields("head", "", left["head"], right["head"]) + _fields("limits", "", left["limits"], right["limits"])
    for table, key in _KEYS.items():
        here, there = _by_key(left[table], key), _by_key(right[table], key)
        for name in dict.fromkeys([*here, *there]):
            found += _fields(table, name, here.get(name), there.get(name))
    return found


def _by_key(rows: list[Row], key: tuple[str, ...]) -> dict[str, Row]:
    return {" ".join(str(row[field]) for field in key if row[field] != ""): row for row in rows}


def _fields(table: str, row: str, before: Row | None, after: Row | None) -> list[Change]:
    known = after or before or {}
    fields = [name for name in known if not name.endswith("_name") and name not in _DERIVED]
    instrument = int(known.get("instrument", -1))
    found = []
    for name in fields:
        values = None if before is None else before[name], None if after is None else after[name]
        # A new row says nothing by its zeros, nor by what its name says already.
        silent = (None in values and not any(values)) or (
            None in values and name in ("instrument", "strategy", "order_id")
        )
        if values[0] != values[1] and not silent:
            found.append(Change(table, row, name, *values, instrument))
    return found


def change_lines(found: list[Change], names: Names, width: int | None) -> list[str]:
    """The changes as a table, in decimals. An order or a timer that came or went is one line."""
    shown = [
        change
        for change in found
        if None not in (change.before, change.after) or change.field == _TELLING.get(change.table, change.field)
    ]
    cells = [
        [f"  {change.field}", _text(change, change.before, names), _text(change, change.after, names)]
        for change in shown
    ]
    table = list(lay_out(("  field", "before", "after"), cells, (False, True, True), width))
    lines, group = table[:1], ("", "")
    for change, line in zip(shown, table[1:], strict=True):
        if group != (change.table, change.row):
            group = change.table, change.row
            lines.append(" ".join(group).rstrip())
        lines.append(line)
    return lines


def _currency_of(change: Change, names: Names) -> int:
    """The currency of a change's money: that of the instrument, or the one that the row of a ledger is named by."""
    last = change.row.rpartition(" ")[2]
    if change.table in ("accounts", "balances") and last in names.currencies:
        return names.currencies.index(last)
    return names.currency_of(change.instrument)


def _text(change: Change, value: int | str | None, names: Names) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    field = change.field
    if field == "status":
        return STATUS_NAMES.get(value, str(value))
    if field.endswith("_minor"):
        return names.money(value, _currency_of(change, names))
    if field.endswith("_lots") and change.instrument >= 0:
        return names.quantity(value, change.instrument)
    if field.endswith("_ticks") and change.instrument >= 0:
        return names.price(value, change.instrument) if value else "-"
    if field.endswith("_rate"):
        return rate_text(value)
    if field.endswith("_ns") and field not in ("interval_ns", *DURATIONS):
        return "never" if value == (1 << 63) - 1 else time_text(value) if value else "-"
    return str(value)
