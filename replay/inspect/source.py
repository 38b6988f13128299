"""The market rows that a journal refers to, read again from their files.

Owns the finding of the files (named by the caller, or by the ``run.json`` beside the journal) and the reading of rows
by their position in the merged tape. Whether they are the rows that were recorded is for the reader of the journal to
check.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from kernel.market import ROW
from replay.catalogue import CatalogueError
from replay.config import ConfigError
from replay.inspect.names import Names
from replay.loading import load_universe
from replay.tape import Tape

RUN_FILE = "run.json"


class DataMissingError(CatalogueError):
    """Market data that the journal refers to cannot be found. One line, with what to pass."""


class DataChangedError(CatalogueError):
    """Market data is there and is not what was recorded. One line, with the rows."""


class _Places(msgspec.Struct):
    data: list[str]


def recorded_places(run_dir: Path | None) -> list[str]:
    """Where the run's own file says its data lies. Raises DataMissingError when it cannot say."""
    if run_dir is None or not (run_dir / RUN_FILE).is_file():
        raise DataMissingError(
            f"market rows are journaled by reference and no {RUN_FILE} says where they lie; pass --data PATH"
        )
    try:
        return msgspec.json.decode((run_dir / RUN_FILE).read_bytes(), type=_Places).data
    except msgspec.MsgspecError as error:
        raise DataMissingError(f"{run_dir / RUN_FILE}: damaged: {error}; pass --data PATH") from None


class MarketRows:
    """The rows of one history by position; reading on from where the last read ended costs no search."""

    def __init__(self, places: Sequence[str], names: Names) -> None:
        missing = [place for place in places if not Path(place).exists()]
        if missing:
            raise DataMissingError(
                f"market data is not at {missing[0]} any more; pass --data PATH for where it lies now"
            )
        try:
            universe = load_universe(places)
        except ConfigError as error:
            raise DataChangedError(str(error)) from None
        wanted = [instrument.name for instrument in names.instruments]
        found = [instrument.name for instrument in universe.instruments]
        if found != wanted:
            raise DataChangedError(
                f"the data has {', '.join(found)}, but the journal is about {', '.join(wanted)}; pass --data PATH"
            )
        span: dict[str, Any] = names.configuration if isinstance(names.configuration, dict) else {}
        self._tape = Tape(
            universe.files, names.instrument_ids, start_ns=span.get("from_ns"), end_ns=span.get("to_ns"), buffers=2
        )
        self._at = -1
        self._batches: Iterator[np.ndarray] = iter(())
        self._left = np.zeros((0, 8), np.int64)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._tape.rows_total

    def take(self, first_row: int, count: int) -> np.ndarray:
        """Rows ``first_row`` to ``first_row + count`` (dtype ROW, owned by the caller). Raises DataChangedError."""
        if first_row != self._at:
            self._seek(first_row)
        out = np.empty((count, 8), np.int64)
        filled = 0
        while filled < count:
            if not len(self._left):
                batch = next(self._batches, None)
                if batch is None:
                    raise DataChangedError(
                        f"the market data ends at row {first_row + filled:,}, but the journal refers to rows "
                        f"{first_row:,} to {first_row + count - 1:,}; pass --data PATH with the data of the run"
                    )
                self._left = batch.view(np.int64).reshape(-1, 8)
            size = min(count - filled, len(self._left))
            out[filled : filled + size] = self._left[:size]
            self._left = self._left[size:]
            filled += size
        self._at = first_row + count
        return out.reshape(-1).view(ROW)

    def _seek(self, row: int) -> None:
        self._tape.skip(row)
        self._batches = iter(self._tape)
        self._left = np.zeros((0, 8), np.int64)
        self._at = row
