"""One execution of a prepared run: tape to session to pipeline, wherever its frames may go.

Owns what a configuration needs loaded before it can run, and the one loop over the tape that backtest, resume and audit
share.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kernel.events.body import encode_body
from kernel.ports import FrameSink, RowSource
from kernel.strategy.declare import CompiledStrategy
from replay.config import ConfigError, RunConfig, instant_ns, located
from replay.engine import EngineMemory, Plan
from replay.features import lay_out_features, plan_run_features
from replay.ledger_plan import LedgerPlan, plan_ledger
from replay.loading import LoadedStrategy, Universe, load_strategies, load_universe
from replay.opening import opening_frames, resolved_config, venue_settings
from replay.outcome import ResultHash
from replay.pipeline import IN_FLIGHT, Pipeline
from replay.prices import PriceLine
from replay.python_host import PythonHost
from replay.result import Refusal, list_opinions, list_refusals
from replay.series import Heard, heard_series, plan_run_series
from replay.session import Injection, Session
from replay.tables import TradeWriter
from replay.tape import Tape
from replay.venue.settings import configure_venue

BATCH_ROWS = 32_768  # measured: half of it costs 10% more a row, twice as much gains nothing
PYTHON_BATCH_ROWS = 256  # Ctrl-C is heard between batches, and a model in plain Python may take its time
Progress = Callable[[int, int], None]


class Prepared(msgspec.Struct, frozen=True):
    """A configuration with everything that it names, loaded and checked."""

    config: RunConfig
    universe: Universe
    strategies: tuple[LoadedStrategy, ...]
    resolved: dict[str, Any]
    ledger: LedgerPlan

    @property
    def readers(self) -> tuple[LoadedStrategy, ...]:
        """Whose features the engine computes, by the numbers of their books."""
        return self.strategies

    @property
    def currency(self) -> str:
        """The currency of the first account, in which all figures of the run are told."""
        first = self.config.accounts[0].currency if self.config.accounts else ""
        return first or self.universe.instruments[0].currency

    @property
    def config_sha256(self) -> str:
        """SHA-256 of the resolved configuration."""
        return hashlib.sha256(encode_body(self.resolved)).hexdigest()

    def tape(self, batch_rows: int = BATCH_ROWS) -> RowSource:
        """The market rows of the run."""
        start, end = instant_ns("from", self.config.start), instant_ns("to", self.config.end)
        return Tape(
            self.universe.files,
            self.universe.ids,
            start_ns=start,
            end_ns=end,
            batch_rows=batch_rows,
            buffers=IN_FLIGHT,
        )


def prepare(config: RunConfig) -> Prepared:
    """Load data and strategies. Raises ConfigError, StrategyError or CatalogueError with one line each."""
    if not config.data:
        raise ConfigError("no data is named; give --data PATH, or none of the data options for the built-in sample")
    if not config.strategies:
        raise ConfigError("no strategy is named; give --strategy NAME")
    with located(config.places):
        universe = load_universe(config.data, config.venue.finer)
        strategies = load_strategies(config.strategies, universe, config.bars)
        resolved = resolved_config(config, universe, strategies)
        return Prepared(config, universe, strategies, resolved, plan_ledger(config, universe.instruments))


class Engine:
    """The engine of a prepared run with its strategies attached."""

    def __init__(self, prepared: Prepared, put: Callable[[Any], None], injections: Sequence[Injection] = ()) -> None:
        series = plan_run_series(prepared.config, prepared.universe, prepared.strategies)
        heard = [heard_series(strategy, series) for strategy in prepared.strategies]
        self.hosts = [_host(strategy, mine) for strategy, mine in zip(prepared.strategies, heard, strict=True)]
        plans = [
            host.plan() if host is not None else _compiled_plan(strategy, mine)
            for host, strategy, mine in zip(self.hosts, prepared.strategies, heard, strict=True)
        ]
        features = plan_run_features(prepared.config, prepared.universe, prepared.readers, series)
        self.memory = EngineMemory(
            len(prepared.universe.instruments), plans, lambda engine, first: lay_out_features(engine, features, first)
        )
        for host in self.hosts:
            if host is not None:
                host.attach(self.memory)
        self.memory.engine.control.inline = int(prepared.config.journal == "full")
        configure_venue(self.memory.engine.venue, venue_settings(prepared.config, prepared.universe))
        self.session = Session(
            self.memory, prepared.universe.instruments, prepared.strategies, self.hosts, put, injections
        )


def _host(strategy: LoadedStrategy, series: Heard) -> PythonHost | None:
    if isinstance(strategy.source, CompiledStrategy):
        return None
    return PythonHost(strategy.source, strategy.parameters, strategy.instruments, series)


def _compiled_plan(strategy: LoadedStrategy, series: Heard) -> Plan:
    source = strategy.source
    assert isinstance(source, CompiledStrategy)
    parameters = [float(value) for value in strategy.parameters.values()]
    words = source.memory_words(strategy.parameters)
    return Plan(source.entry(), parameters, words, source.per, strategy.instruments, (), series)


def first_known_ns(row: Any) -> int:
    """When the history begins: the open of the first bar, or the time of the first trade or quote."""
    return int(row["words"][5]) or int(row["ts_ns"])


class Execution:
    """Runs a prepared configuration.

    ``sink`` takes the frames (None: nobody), ``trades`` the round trips, ``prices`` the price lines.

    ``should_stop`` is asked between batches; when it says so, the run ends at the last whole frame, with nothing
    recorded about it, so that a resumed run comes out as if it had never stopped.
    """

    def __init__(
        self,
        prepared: Prepared,
        sink: FrameSink | None,
        *,
        trades: Sequence[TradeWriter] = (),
        prices: PriceLine | None = None,
        injections: Sequence[Injection] = (),
        progress: Progress | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        batch_rows: int | None = None,
    ) -> None:
        self.prepared = prepared
        self.completed = self._at_end = False
        self.seconds = 0.0
        self.first_ts_ns = 0
        self.result_hash = ""
        self.refusals: tuple[Refusal, ...] = ()
        self.dropped: dict[str, int] = {}
        self.verdicts: dict[str, int] = {}
        self.regimes: dict[str, int] = {}
        self._sink, self._trades, self._prices = sink, trades, prices
        self._progress, self._should_stop = progress, should_stop
        self._result = ResultHash()
        self._pipeline: Pipeline | None = None
        self._engine = Engine(prepared, self._put, injections)
        self.memory = self._engine.memory
        self._batch_rows = batch_rows or (PYTHON_BATCH_ROWS if any(self._engine.hosts) else BATCH_ROWS)

    def run(self) -> None:
        """From the first row to the last. Raises RunError; what was handed to the sink until then is whole."""
        tape = self.prepared.tape(self._batch_rows)
        batches = iter(tape)
        rows = next(batches, None)
        if rows is None:
            raise ConfigError("the data has no row in the span asked for; see kernel data info PATH")
        self.first_ts_ns = first_known_ns(rows[0])
        self._open()
        self._pipeline = Pipeline(
            self._sink,
            self._result,
            self._trades,
            self._prices,
            by_reference=self.prepared.config.journal == "reference",
        )
        started = time.perf_counter()  # measured for the summary; nothing that decides sees it
        try:
            self._feed(rows, batches, tape.rows_total)
        finally:
            self._pipeline.close()
            self.seconds = time.perf_counter() - started
        self.completed = self._at_end
        statistics = self.memory.engine.statistics
        days = self.memory.engine.days[: statistics.day_count]
        self.result_hash = self._result.finish(self.memory.state, days)
        self.refusals = list_refusals(self._pipeline.refusals)
        self.dropped, self.verdicts, self.regimes = list_opinions(self._pipeline.opinions)

    def _open(self) -> None:
        prepared = self.prepared
        frames = opening_frames(
            prepared.config, prepared.universe, prepared.strategies, prepared.resolved, self.first_ts_ns
        )
        self._engine.session.open(frames)
        if self._sink is not None:
            for frame in frames:
                self._sink.frame(
                    frame.records,
                    frame.bodies,
                    first_sequence=int(frame.records["sequence"][0]),
                    event_count=len(frame.records),
                    ts_ns=self.first_ts_ns,
                )

    def _feed(self, rows: Any, batches: Any, rows_total: int) -> None:
        session, done = self._engine.session, 0
        while rows is not None:
            session.feed(rows)
            done += len(rows)
            if self._progress is not None:
                self._progress(done, rows_total)
            if self._should_stop():
                return
            rows = next(batches, None)
        session.finish()
        self._at_end = True

    def _put(self, chunk: Any) -> None:
        assert self._pipeline is not None
        self._pipeline.put(chunk)
