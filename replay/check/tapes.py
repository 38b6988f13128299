"""A run's data as it would have been: ended early, or with another future.

Owns what "another future" is. It is a function of the seed and the number of the row, so a finding can be repeated.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernel.market import BAR, DEPTH, EARNINGS_LEVEL, FUNDING, LEVEL, QUOTE, TRADE, WEIGHT
from kernel.ports import RowSource
from replay.execution import BATCH_ROWS, Prepared
from replay.tape import Tape

FUTURE_ROWS = 65_536  # of a changed future that are run: what can be seen ahead lies in memory or in a file
_PARTS = 1000  # a price becomes 800 to 1,250 thousandths of itself


class Altered(Prepared, frozen=True):
    """A prepared run whose rows end before ``end`` (none: at the end), those from ``cut`` on being changed.

    ``between`` is called before and after rows are fetched, so that what is read then is told from what a strategy
    reads.
    """

    end: int | None = None
    cut: int | None = None
    seed: int = 0
    first: int = 0
    between: Callable[[bool], None] | None = None

    def tape(self, batch_rows: int = BATCH_ROWS) -> RowSource:
        self.tell(True)
        tape = super().tape(batch_rows)
        assert isinstance(tape, Tape)
        self.tell(False)
        return _Rows(tape, self)

    def tell(self, before: bool) -> None:
        """Say that the run's own reading begins or has ended."""
        if self.between is not None:
            self.between(before)


def altered(prepared: Prepared, **changes: Any) -> Altered:
    """The same run over other rows; ``changes`` are the fields of ``Altered``. Nothing of it is journaled."""
    return Altered(*(getattr(prepared, name) for name in Prepared.__struct_fields__), **changes)


class _Rows:
    def __init__(self, source: Tape, how: Altered) -> None:
        self._source, self._how = source, how
        source.skip(how.first)
        most = source.rows_total - how.first
        self.rows_total = most if how.end is None else min(most, how.end)

    def __iter__(self) -> Iterator[np.ndarray]:
        how, done = self._how, 0
        batches = iter(self._source)
        while True:
            how.tell(True)
            rows = next(batches, None)
            how.tell(False)
            if rows is None or done >= self.rows_total:
                return
            rows = rows[: self.rows_total - done]
            if how.cut is not None and done + len(rows) > how.cut:
                rows = rows.copy()
                change(rows, max(how.cut - done, 0), done, how.seed)
            yield rows
            done += len(rows)


def change(rows: np.ndarray, start: int, first: int, seed: int) -> None:
    """Give the rows from ``start`` on other prices, sizes and facts; ``first`` is the number of ``rows[0]``.

    What is known ahead stays: times, sessions, corporate actions, dates of earnings. So does what makes a row valid: a
    low is not above a high, a bid is below an ask, and the prices of an order book.
    """
    part = rows[start:]
    draw = _draws(np.arange(first + start, first + len(rows), dtype=np.uint64), seed)
    price_parts = (800 + draw % 451).astype(np.int64)
    size_parts = (500 + (draw >> np.uint64(32)) % 1001).astype(np.int64)
    words, kind = part["words"], part["kind"]
    for of_kind, price_words, size_words in ((BAR, (0, 1, 2, 3), (4,)), (TRADE, (0,), (1,)), (QUOTE, (0, 2), (1, 3))):
        mine = kind == of_kind
        for word in price_words:
            _scale(words, mine, word, price_parts)
        for word in size_words:
            _scale(words, mine, word, size_parts)
    crossed = (kind == QUOTE) & (words[:, 0] > 0) & (words[:, 2] > 0) & (words[:, 2] <= words[:, 0])
    words[crossed, 2] = words[crossed, 0] + 1
    _scale(words, kind == DEPTH, 2, size_parts)
    _scale(words, (kind == LEVEL) & (words[:, 0] != EARNINGS_LEVEL), 1, price_parts)
    words[kind == FUNDING, 0] *= -1
    words[kind == WEIGHT, 0] //= 2


def _scale(words: np.ndarray, mine: np.ndarray, word: int, parts: np.ndarray) -> None:
    """Multiply by thousandths, rounded down; what was positive stays so, and the order of two is kept."""
    mine = mine & (words[:, word] > 0)
    before, share = words[mine, word], parts[mine]
    words[mine, word] = np.maximum(before // _PARTS * share + before % _PARTS * share // _PARTS, 1)


def _draws(numbers: np.ndarray, seed: int) -> np.ndarray:
    """64 bits for each row: splitmix64 of its number."""
    mixed = (numbers + np.uint64(seed + 1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
