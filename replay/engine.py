"""The engine: the compiled loop with all the memory that it works on.

Owns the allocation (state, strategy memory, venue, output: one block) and the one place where the loop is compiled.
Knows nothing of files: rows come in, records and frame cuts go out.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kernel.jit import JIT_ENABLED, address_of, bind, compile_together
from kernel.market import ROW
from kernel.state import initialise_state
from kernel.strategy.context import MEMORY_WORDS
from kernel.tables.table import MAX_INSTRUMENTS, MAX_POSITIONS, MAX_STRATEGIES
from replay.fold_nb import fold_nb
from replay.loop_nb import close_frame_nb, record_event_nb, run_nb
from replay.memory import ENGINE
from replay.merge_nb import first_descent_nb, interleave_nb, merge_nb
from replay.pick_nb import pick_nb
from replay.venue.settings import initialise_venue


class CapacityError(ValueError):
    """More instruments, strategies or memory than the kernel holds. The text is one line."""


class Plan(NamedTuple):
    """What one strategy needs of the engine: its entry, parameters, memory and the instruments it hears of.

    ``memory`` counts float64 words, for each instrument or (``per="portfolio"``) for the whole strategy.
    ``callbacks`` are the C addresses behind the entry of a strategy in plain Python. ``series`` are the numbers of the
    series whose bars it hears instead of the data's own, each with its place among the strategy's own rules.
    """

    entry: Callable[..., Any]
    parameters: Sequence[float]
    memory: int
    per: str
    instruments: Sequence[int]
    callbacks: Sequence[int] = ()
    series: Sequence[tuple[int, int]] = ()


class EngineMemory:
    """All that the loop reads and writes, and the calls into it.

    ``lay_out`` writes what else the engine is to compute, and returns the functions of that, which come after the
    strategies' entries.
    """

    def __init__(
        self, instrument_count: int, plans: Sequence[Plan], lay_out: Callable[[Any, int], Sequence[Any]] | None = None
    ) -> None:
        _check_capacity(instrument_count, plans)
        self.engines = np.zeros(1, ENGINE).view(np.recarray)
        self.engine = self.engines[0]
        self.state = self.engine.context.state
        initialise_state(self.state)
        self.state.head.instrument_count = instrument_count
        self.state.head.strategy_count = len(plans)
        initialise_venue(self.engine.venue)
        self.engine.statistics.sample_stride = 1
        _lay_out_books(self.engine, instrument_count, plans)
        functions = [plan.entry for plan in plans]
        if lay_out is not None:
            functions += lay_out(self.engine, len(functions))
        entries = [address_of(function) for function in functions]
        self.entries = np.array(entries, np.int64) if JIT_ENABLED else entries
        self._rows = self.no_rows()
        self._run: Callable[[], Any] | None = None  # the call for these rows

    def run(self, rows: np.ndarray) -> int:
        """Let the loop work on ``rows`` (dtype ROW) from ``control.row`` on; returns why it came back."""
        if self._run is None or rows is not self._rows:
            self._rows, self._run = rows, bind(run_nb, self.engine, self.entries, rows)
        return int(self._run())

    def record(self, record: np.ndarray) -> int:
        """Record one event of the driver's (shape ``(1,)``, dtype RECORD); returns NEED_ROWS when it was applied."""
        return int(record_event_nb(self.engine, record[0]))

    def no_rows(self) -> np.ndarray:
        """An empty batch."""
        return np.zeros(0, ROW)

    def close_frame(self) -> None:
        """Cut the frame under way here."""
        close_frame_nb(self.engine)


def _check_capacity(instrument_count: int, plans: Sequence[Plan]) -> None:
    words = sum(plan.memory * (len(plan.instruments) if plan.per == "instrument" else 1) for plan in plans)
    for what, count, most in (
        ("strategies", len(plans), MAX_STRATEGIES),
        ("instruments", instrument_count, MAX_INSTRUMENTS),
        ("books (strategies times instruments)", instrument_count * len(plans), MAX_POSITIONS),
        ("words of strategy memory", words, MEMORY_WORDS),
    ):
        if count > most:
            raise CapacityError(f"{count} {what} are more than the kernel holds ({most}); split the run")


def _lay_out_books(engine: Any, instrument_count: int, plans: Sequence[Plan]) -> None:
    """Where each strategy's memory and parameters lie, for each instrument."""
    memory_at = parameters_at = 0
    for number, plan in enumerate(plans):
        for place, instrument in enumerate(plan.instruments):
            book = engine.books[number * instrument_count + instrument]
            book.subscribed = 2 if plan.series else 1
            book.starts = 1 if plan.per == "instrument" or place == 0 else 0
            book.memory_at = memory_at
            book.memory_size = plan.memory
            book.parameters_at = parameters_at
            if plan.callbacks:
                book.callback = plan.callbacks[place if plan.per == "instrument" else 0]
            if plan.per == "instrument":
                memory_at += plan.memory
        for series, place in plan.series:
            engine.hearing[series * MAX_STRATEGIES + number] = place + 1
        if plan.per == "portfolio":
            memory_at += plan.memory
        engine.context.parameters[parameters_at : parameters_at + len(plan.parameters)] = plan.parameters
        parameters_at += len(plan.parameters)


def compile_loop() -> None:
    """Compile the loop and what is called beside it in a run, or load them from the store."""
    beside = (fold_nb, pick_nb, first_descent_nb, interleave_nb, merge_nb)
    functions = (run_nb, record_event_nb, close_frame_nb, *beside)
    compile_together(functions)
    for function in functions:
        address_of(function)
