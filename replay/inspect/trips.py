"""``kernel trades``: the round trips of a history, closed and under way.

Owns the reading of both from a journal: the closed ones from their events, the open ones from the state at the end. So
nothing but the journal is needed after a crash.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from kernel.events.layout import RECORD, TRADE_CLOSED
from replay.history import History
from replay.inspect.folding import Folding
from replay.inspect.text import lay_out
from replay.tables import open_trade_facts, trade_facts, trade_table

_HEADER = ("strategy", "instrument", "side", "entry (UTC)", "exit (UTC)", "quantity", "entry", "exit", "profit", "MAE",
           "MFE", "R", "held")  # fmt: skip


def read_trips(history: History, progress: Callable[[int, int], None]) -> tuple[pa.Table, pa.Table]:
    """The closed and the open round trips, each as a table of ``replay.tables.TRADE_SCHEMA``.

    Of a journal that was pruned, those that closed behind its first snapshot.
    """
    folding, closed, books = Folding(history.names), [np.zeros(0, RECORD)], [np.zeros(0, RECORD)]
    for frame in history.frames(history.begin(folding)):
        folding.take(frame)
        places = np.flatnonzero(frame.records["kind"] == TRADE_CLOSED.kind)
        closed.append(frame.records[places])
        books.append(frame.records[places - 1])
        progress(folding.events, history.last_sequence)
    names = history.names
    facts = trade_facts(np.concatenate(closed), np.concatenate(books))
    under_way = open_trade_facts(folding.state)
    closed_trades, open_trades = (trade_table(each, names.instruments, names.strategies) for each in (facts, under_way))
    return closed_trades, open_trades


def trip_rows(table: pa.Table, status: str) -> list[dict[str, Any]]:
    """Round trips as plain values; times are ISO 8601, what is not known is None."""
    rows = []
    for row in table.to_pylist():
        entry, left = row["ts_entry"], row["ts_exit"]
        held = (left - entry).total_seconds() if left is not None else None
        times = {"ts_entry": entry.isoformat(), "ts_exit": left.isoformat() if left is not None else None}
        rows.append({"status": status, **row, **times, "held_seconds": held})
    return rows


def trip_lines(rows: list[dict[str, Any]], width: int | None) -> list[str]:
    """Round trips for people."""
    if not rows:
        return ["no round trip"]
    cells = [_cells(row) for row in rows]
    right = [at > 4 for at in range(len(_HEADER))]
    return list(lay_out(_HEADER, cells, right, width))


def _cells(row: dict[str, Any]) -> list[str]:
    held = row["held_seconds"]
    return [
        row["strategy"],
        row["instrument"],
        row["side"],
        row["ts_entry"][:19],
        row["ts_exit"][:19] if row["ts_exit"] else "open",
        f"{row['quantity']:g}",
        f"{row['entry_price']:g}",
        f"{row['exit_price']:g}",
        f"{row['pnl']:,.2f}",
        f"{row['mae']:,.2f}",
        f"{row['mfe']:,.2f}",
        "" if row["r_multiple"] is None else f"{row['r_multiple']:.2f}",
        "" if held is None else f"{held / 3600:.1f} h",
    ]
