"""A thinned price line of each instrument, for drawing.

Owns which rows are kept: a fixed share of them by a hash of their position, halved whenever there is no more room, so
that memory is flat and batches of any size keep the same rows. For reports only.
"""

import numpy as np

from kernel.market import BAR, QUOTE, ROW_WORDS

ROOM = 4_096
_FULL = 1 << 32
_MULTIPLIER = 2654435761  # Knuth's multiplicative hash: spreads consecutive positions evenly
# The hashes of the first positions; those of later ones are these plus a constant, modulo 2**32.
_HASHES = np.arange(1 << 15, dtype=np.uint32) * np.uint32(_MULTIPLIER)


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
        at = 0
        while at < len(rows):
            # No more at once than would fill the room: the first rows are all kept, only to be thinned again.
            step = min(len(_HASHES), ROOM * (_FULL // self._threshold))
            self._add(rows[at : at + step])
            at += step

    def _add(self, rows: np.ndarray) -> None:
        first, self._position = self._position, self._position + len(rows)
        picked = np.flatnonzero(_HASHES[: len(rows)] + _hash(first) < self._threshold)
        if len(picked) == 0:
            return
        # As integers, because numpy picks records field by field: time, kind and instrument, then the words.
        words = rows.view(np.int64).reshape(-1, 2 + ROW_WORDS)[picked]
        kind, instrument = rows["kind"][picked], rows["instrument"][picked]
        price = np.where(kind == BAR, words[:, 2 + 3], words[:, 2])
        known = (kind < QUOTE) | ((kind == QUOTE) & (words[:, 2] > 0))  # later kinds have no price to draw
        self._waiting.append(np.stack([first + picked, instrument, words[:, 0], price], 1)[known])
        self._count += len(self._waiting[-1])
        while self._count > ROOM:
            self._thin()

    def _thin(self) -> None:
        self._threshold //= 2
        kept = np.concatenate([self._kept, *self._waiting])
        hashes = kept[:, 0].astype(np.uint32) * np.uint32(_MULTIPLIER)
        self._kept, self._waiting = kept[hashes < self._threshold], []
        self._count = len(self._kept)

    def lines(self, instrument_count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each instrument ``(ts_ns, price_ticks)``."""
        kept = np.concatenate([self._kept, *self._waiting])
        return [(kept[kept[:, 1] == one, 2], kept[kept[:, 1] == one, 3]) for one in range(instrument_count)]


def _hash(position: int) -> np.uint32:
    return np.uint32(position * _MULTIPLIER & (_FULL - 1))
