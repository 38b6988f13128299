"""The order book on made-up depth: the compiled one and its naive twin, on the same rows in the same run.

Owns what the depth looks like: most changes near the touch, some far out, a fifth of them deletions, 64 rows a message,
around a price that walks. Integers from raw words, so the rows are the same on every platform.
"""

import time
from typing import Any

import numpy as np

from kernel.market import MESSAGE_END
from kernel.records import new_record
from replay.book_nb import ORDER_BOOK, find_crossed_nb
from tests.reference.book import NaiveBook

SEED = 20_240_808
FIRST_TICKS = 600_000
MESSAGE_ROWS = 64


def depth_columns(rows: int) -> list[np.ndarray]:
    """Side, price, lots and flags of ``rows`` depth rows."""
    raw = np.random.PCG64(SEED).random_raw(rows)
    near, far, step, size, coin = (
        ((raw >> np.uint64(at)) & np.uint64(0xFFF)).astype(np.int64) for at in range(0, 60, 12)
    )
    message = np.arange(rows) // MESSAGE_ROWS
    middle = FIRST_TICKS + np.cumsum(step % 7 - 3)[message * MESSAGE_ROWS]
    side = np.where(coin & 1, 1, -1)
    # The product of two uniform numbers: half of the rows lie within 750 ticks of the touch.
    price = middle - side * (1 + (near * far >> 12))
    lots = np.where(coin % 5 == 0, 0, 1 + size)
    flags = np.where(np.arange(rows) % MESSAGE_ROWS == MESSAGE_ROWS - 1, MESSAGE_END, 0)
    return [side, price, lots, flags]


def fast_seconds(columns: list[np.ndarray]) -> float:
    """The time that the compiled order book takes."""
    book: Any = new_record(ORDER_BOOK)
    crossed = np.zeros(len(columns[0]), bool)
    started = time.perf_counter()
    find_crossed_nb(book, *columns, crossed)
    return time.perf_counter() - started


def naive_seconds(columns: list[np.ndarray]) -> float:
    """The time that the naive twin takes."""
    book, rows = NaiveBook(), list(zip(*(column.tolist() for column in columns), strict=True))
    started = time.perf_counter()
    for row in rows:
        book.apply(*row)
    return time.perf_counter() - started
