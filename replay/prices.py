"""A thinned price line of each instrument, for drawing.

Owns which rows are kept: a fixed share of them by a hash of their position, halved whenever there is no more room, so
that memory is flat and batches of any size keep the same rows. For reports only.
"""

import numpy as np

from kernel.market import BAR, QUOTE

ROOM = 16_384
_FULL = 1 << 32
_MULTIPLIER = 2654435761  # Knuth's multiplicative hash: spreads consecutive positions evenly


class PriceLine:
    """Collects ``(position, instrument, time, price in ticks)`` of some rows."""

    def __init__(self) -> None:
        self._threshold = _FULL
        self._kept = np.zeros((0, 4), np.int64)
        self._waiting: list[np.ndarray] = []
        self._count = 0
        self._position = 0

    def add(self, rows: np.ndarray) -> None:
        """Take in the next rows (dtype ROW)."""
        positions = np.arange(self._position, self._position + len(rows), dtype=np.int64)
        self._position += len(rows)
        picked = np.flatnonzero(_hash(positions) < self._threshold)
        if len(picked) == 0:
            return
        rows = rows[picked]
        words = rows["words"]
        price = np.where(rows["kind"] == BAR, words[:, 3], words[:, 0])
        known = (rows["kind"] != QUOTE) | (words[:, 0] > 0)
        self._waiting.append(np.stack([positions[picked], rows["instrument"], rows["ts_ns"], price], 1)[known])
        self._count += len(self._waiting[-1])
        while self._count > ROOM:
            self._thin()

    def _thin(self) -> None:
        self._threshold //= 2
        kept = np.concatenate([self._kept, *self._waiting])
        self._kept, self._waiting = kept[_hash(kept[:, 0]) < self._threshold], []
        self._count = len(self._kept)

    def lines(self, instrument_count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each instrument ``(ts_ns, price_ticks)``."""
        kept = np.concatenate([self._kept, *self._waiting])
        return [(kept[kept[:, 1] == one, 2], kept[kept[:, 1] == one, 3]) for one in range(instrument_count)]


def _hash(positions: np.ndarray) -> np.ndarray:
    return (positions * _MULTIPLIER) & (_FULL - 1)
