"""Depth on its way in: which rows make one message of the venue, and where a snapshot begins.

Owns the flags of depth rows. A source tells its messages by a ``flags`` column of our own bits, or they are the rows in
one stretch with the same time and, where the source has them, the same message id and the same ``is_snapshot``.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kernel.market import MESSAGE_END, SNAPSHOT
from replay.catalogue.sources import SourceTable, numbers, truths

# Of each row: its message (numbered from 1), what flags its message has, and whether its own flags make sense.
MESSAGE_COLUMNS = ("message", "message_flags", "strange_flags")
FLAGS = SNAPSHOT | MESSAGE_END
CROSSED_TEXT = "messages that leave the order book crossed: the older of the two best levels will be removed"


def message_columns(table: SourceTable, ts_ns: np.ndarray) -> dict[str, np.ndarray]:
    """The ``MESSAGE_COLUMNS`` of one source."""
    if "flags" in table.columns:
        return _messages_by_flags(numbers(table.columns["flags"], table.names["flags"]))
    strange = np.zeros(table.rows, bool)
    is_snapshot = np.zeros(table.rows, bool)
    begins = _changes(ts_ns)
    if "is_snapshot" in table.columns:
        is_snapshot, strange = truths(table.columns["is_snapshot"])
        begins |= _changes(is_snapshot)
    if "message" in table.columns:
        begins |= _changes(_codes(table.columns["message"]))
    message = np.cumsum(begins)
    # A snapshot in several pieces (one a side, say) is cleared for once, by its first.
    starts = is_snapshot & np.concatenate([[True], ~is_snapshot[:-1]])[: table.rows]
    flags = np.full(table.rows, MESSAGE_END) | np.where(np.isin(message, message[starts]), SNAPSHOT, 0)
    return dict(zip(MESSAGE_COLUMNS, (message, flags, strange), strict=True))


def _messages_by_flags(values: np.ndarray) -> dict[str, np.ndarray]:
    strange = ~np.isin(values, np.arange(FLAGS + 1))
    flags = np.where(strange, 0, values).astype(np.int64)
    ends, snapshots = flags & MESSAGE_END != 0, flags & SNAPSHOT != 0
    begins = snapshots.copy()
    begins[1:] |= ends[:-1]
    begins[:1] = True
    message = np.cumsum(begins)
    of_message = np.where(np.isin(message, message[ends]), MESSAGE_END, 0)
    of_message |= np.where(np.isin(message, message[snapshots]), SNAPSHOT, 0)
    return dict(zip(MESSAGE_COLUMNS, (message, of_message, strange), strict=True))


def row_flags(message: np.ndarray, message_flags: np.ndarray) -> np.ndarray:
    """The flags of rows: a message's first row begins its snapshot, its last one ends it.

    They are set after the repairs, so dropping a row never drops a flag of its message.
    """
    first, last = np.zeros(len(message), bool), np.zeros(len(message), bool)
    first[np.unique(message, return_index=True)[1]] = True
    last[len(message) - 1 - np.unique(message[::-1], return_index=True)[1]] = True
    flags = np.where(first, message_flags & SNAPSHOT, 0) | np.where(last, message_flags & MESSAGE_END, 0)
    return np.asarray(flags, np.int64)


def crossed_messages(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The last rows of messages that leave the best bid at or above the best ask."""
    from kernel.records import new_record
    from replay.book_nb import ORDER_BOOK, find_crossed_nb

    crossed = np.zeros(len(columns["side"]), bool)
    inputs = [np.ascontiguousarray(columns[name]) for name in ("side", "price", "quantity", "flags")]
    find_crossed_nb(new_record(ORDER_BOOK), *inputs, crossed)
    return crossed


def _changes(values: np.ndarray) -> np.ndarray:
    """Rows that differ from the row above, the first row among them."""
    return np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers that are equal where texts are."""
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    coded = text.combine_chunks().dictionary_encode()
    return np.asarray(coded.indices.to_numpy(zero_copy_only=False))
