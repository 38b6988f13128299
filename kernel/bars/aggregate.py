"""Series of bars from market rows, for research and tests: rows in, the events of bars out.

It is the very code that a run uses, over a state of its own.
"""

from collections.abc import Sequence

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.bars.aggregate_nb import aggregate_nb
from kernel.bars.closing_nb import due_series_nb
from kernel.bars.plan import SeriesPlan
from kernel.emit_nb import OUTPUT
from kernel.events.catalogue import Event, InstrumentDefined, RunOpened
from kernel.events.layout import BAR_DUE, Stored, encode
from kernel.instruments import INVERSE_PERPETUAL, SPOT, Instrument
from kernel.ledger_nb import OK, STATUS_TEXT
from kernel.records import new_record
from kernel.state import new_state


class AggregateError(ValueError):
    """Rows that make no bars: an amount that does not fit. The text is one line."""


class Aggregator:
    """Feed it rows (dtype ROW) in the order of their times; it gives the events that follow."""

    def __init__(self, instruments: Sequence[Instrument], plans: Sequence[SeriesPlan]) -> None:
        self.state, self._output = new_state(), new_record(OUTPUT)
        self._apply(RunOpened(len(instruments), 1, 0, 0, 0), -1)
        for number, instrument in enumerate(instruments):
            numerator, denominator = instrument.notional_ratio
            contract = INVERSE_PERPETUAL if instrument.is_inverse else SPOT
            self._apply(InstrumentDefined(0, numerator, denominator, 1, contract), number)
        for plan in plans:
            for event in plan.events:
                self._apply(event, plan.instrument)

    def feed(self, rows: np.ndarray) -> np.ndarray:
        """The records (dtype RECORD) of bars that closed and inputs that were dropped. Raises AggregateError."""
        records = self.feed_all(rows)
        kept: np.ndarray = records[records["kind"] != BAR_DUE.kind]
        return kept

    def feed_all(self, rows: np.ndarray) -> np.ndarray:
        """The same with the events that say that time has come; the rows have the sequences that no record has."""
        done, found = 0, []
        while done < len(rows) or due_series_nb(self.state, -1, -1) >= 0:
            self._output.count = 0
            done = int(aggregate_nb(self.state, self._output, rows, done))
            if done < 0:
                raise AggregateError(f"the rows make no bars: {STATUS_TEXT[-1 - done]}")
            found.append(self._output.records[: int(self._output.count)].copy())
        records: np.ndarray = np.concatenate(found) if found else self._output.records[:0].copy()
        return records

    def _apply(self, event: Event, instrument: int) -> None:
        sequence = int(self.state.head.next_sequence)
        status = apply_nb(self.state, encode(Stored(sequence, 0, 0, 0, instrument, -1, 0, event))[0])
        assert status == OK, STATUS_TEXT[status]
