"""What the core's drivers plug into: the few shapes that things at the edge must have.

Owns no behaviour. A backtest, a recorded journal and a live venue differ in what stands behind these, and in nothing
else.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np


class RowSource(Protocol):
    """Where market rows come from, in time order (dtype ``kernel.market.ROW``)."""

    rows_total: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Batches of rows, each valid for a few steps."""


class FrameSink(Protocol):
    """Where finished frames go: a journal, or a comparison with one."""

    def frame(self, records: np.ndarray, bodies: bytes, *, first_sequence: int, event_count: int, ts_ns: int) -> None:
        """Take one whole frame: records (dtype RECORD) in order, and their packed bodies."""
