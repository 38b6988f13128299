"""Folding a history through ``apply``, checking every state digest on the way.

Owns the state of one pass and the naming of the event at which it fails. Decides nothing.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.events.layout import RECORD, SEGMENT, STATE_DIGEST
from kernel.ledger_check_nb import PROBLEM_TEXT
from kernel.ledger_nb import OK, STATUS_TEXT
from kernel.market import ROW
from kernel.state import new_state, state_digest
from replay.audit import event_name
from replay.fold_nb import fold_nb
from replay.inspect.names import Names

if TYPE_CHECKING:
    from replay.inspect.frames import HistoryFrame


class FoldError(RuntimeError):
    """An event that does not fit the state before it: a damaged history, or another version of the reducer."""

    def __init__(self, sequence: int, text: str) -> None:
        super().__init__(f"event {sequence:,}: {text}")
        self.sequence = sequence


def compile_fold() -> None:
    """Compile the fold, or load it from the cache, by folding nothing."""
    fold_nb(new_state(), np.zeros(0, RECORD), np.zeros(0, ROW), 0, np.zeros(2, np.int64), 0)


class Folding:
    """One pass over a history; give it the frames in order. ``check_ledger`` checks the ledger after every event."""

    def __init__(self, names: Names, *, check_ledger: bool = False) -> None:
        self.state = new_state()
        self._checked = int(check_ledger)
        # Laid out by the engine when it allocates, before any event: the books' places depend on them.
        self.state.head.instrument_count = len(names.instruments)
        self.state.head.strategy_count = len(names.strategies)
        self.digests = 0
        self._progress = np.zeros(2, np.int64)

    def begin(self, state: Any) -> None:
        """Begin with the state of a snapshot instead of an empty one."""
        self.state = state

    @property
    def events(self) -> int:
        """How many events are in the state."""
        return int(self.state.head.next_sequence) - 1

    @property
    def digest(self) -> str:
        """The digest of the state as it is now, in hexadecimal."""
        return state_digest(self.state).hex()

    def take(self, frame: "HistoryFrame", last_sequence: int | None = None) -> None:
        """Apply a frame whose rows are resolved, up to and with ``last_sequence``. Raises FoldError."""
        last = frame.next_sequence - 1 if last_sequence is None else min(last_sequence, frame.next_sequence - 1)
        records, rows = frame.records, frame.rows
        for at in np.flatnonzero(records["kind"] == STATE_DIGEST.kind):
            sequence = int(frame.records["sequence"][at])
            if sequence > last:
                break
            records, rows = self._fold(records, rows, sequence - 1)
            self._check_digest(records[0], sequence)
        self._fold(records, rows, last)
        if self.events < last:
            raise FoldError(self.events + 1, "its frame does not hold it")

    def _fold(self, records: np.ndarray, rows: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Apply up to ``last``; returns what is left of both."""
        before = int(self.state.head.next_sequence)
        status = int(fold_nb(self.state, records, rows, last, self._progress, self._checked))
        record_count, row_count = (int(count) for count in self._progress)
        if status != OK:
            sequence = before + record_count + row_count - 1
            stored = records[records["sequence"] == sequence]
            name = event_name(int(stored[0]["kind"])) if len(stored) else "market row"
            if status < 0:
                raise FoldError(sequence, f"after this {name} {PROBLEM_TEXT[-status]}")
            raise FoldError(sequence, f"{name} was refused by the reducer: {STATUS_TEXT[status]}")
        assert not len(records) or records[0]["kind"] != SEGMENT.kind, "frames come without their carrier record"
        return records[record_count:], rows[row_count:]

    def _check_digest(self, record: np.void, sequence: int) -> None:
        recorded = record["words"][:4].astype(">i8").tobytes()
        found = state_digest(self.state)
        if recorded != found:
            raise FoldError(
                sequence, f"the state has digest {found.hex()[:16]}..., but {recorded.hex()[:16]}... is recorded here"
            )
        self.digests += 1
