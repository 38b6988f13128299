"""Running a backtest into a run directory, resuming one, and re-running a recorded one.

Owns the run directory: ``run.json`` (what to run, written first), ``journal/``, ``trades.parquet``, ``equity.parquet``,
and with the report module ``report.html`` and ``certificate.json``.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from journal import JournalReader, JournalWriter, TornInfo, recover_journal
from kernel.events.body import encode_body, pack_body
from kernel.events.catalogue import TailDiscarded
from kernel.events.layout import Stored, encode, schema_digest
from kernel.instruments import currency_scale
from kernel.ledger_nb import total_nb
from kernel.ports import FrameSink
from replay.accounts import ledger_totals
from replay.audit import CompareSink, EndOfRecordError, recorded_injections
from replay.config import ConfigError, Places, RunConfig
from replay.execution import Execution, Prepared, Progress, prepare
from replay.folders import refuse_used
from replay.opening import genesis_id
from replay.pipeline import JournalSink
from replay.prices import PriceLine
from replay.result import EquityCurve, RunResult
from replay.series import count_series, plan_run_series
from replay.session import Injection
from replay.shadows import list_shadows
from replay.tables import TradeWriter, write_equity

ORIGIN = "trading-kernel/backtest"
JOURNAL_DIR = "journal"
RUN_FILE = "run.json"
TRADES, SHADOW_TRADES = "trades.parquet", "shadow_trades.parquet"
# How much a backtest may lose to a power cut: it is computed again in a second, so syncs may be far apart.
GROUP_BYTES = 64 << 20


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-run of a journal found identical."""

    frames: int
    events: int
    bars: int
    seconds: float
    complete: bool
    result_hash: str
    pruned_frames: int = 0


def never() -> bool:
    """No reason to stop."""
    return False


def run_backtest(
    prepared: Prepared,
    run_dir: Path,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = never,
    batch_rows: int | None = None,
) -> RunResult:
    """Run into a new directory. Raises ConfigError when it is in use, RunError when the run cannot go on."""
    refuse_used(run_dir, f", or go on with kernel replay --resume {run_dir}")
    run_dir.mkdir(parents=True, exist_ok=True)
    _write_run_file(prepared, run_dir)
    mode = prepared.config.journal
    if mode == "off":
        return execute(prepared, run_dir, None, [], progress, should_stop, batch_rows, None)
    with JournalWriter.create(
        run_dir / JOURNAL_DIR,
        origin=ORIGIN,
        genesis_id=genesis_id(prepared.resolved, mode),
        schema_digest=schema_digest(),
        fsync=prepared.config.fsync,
        batch_bytes=GROUP_BYTES,
    ) as writer:
        return execute(prepared, run_dir, JournalSink(writer), [], progress, should_stop, batch_rows, lambda: writer)


def resume_backtest(
    run_dir: Path, *, progress: Progress | None = None, should_stop: Callable[[], bool] = never
) -> RunResult:
    """Go on with an interrupted run: decide again what is journaled, compare, then continue the journal.

    A torn tail is set aside first, and the journal says so. Raises DivergenceError when data or code have changed.
    """
    prepared = read_run(run_dir)
    if prepared.config.journal == "off":
        raise ConfigError(f"{run_dir} was run without a journal, so there is nothing to resume")
    recovered = recover_journal(run_dir / JOURNAL_DIR)
    reader = JournalReader(run_dir / JOURNAL_DIR)
    injections = recorded_injections(reader)
    if recovered.torn is not None:
        injections.append(_tail_discarded(recovered.next_sequence, recovered.torn, reader))
    sink = CompareSink(reader, run_dir / JOURNAL_DIR, prepared.config.fsync)
    try:
        result = execute(prepared, run_dir, sink, injections, progress, should_stop, None, lambda: sink.writer)
    finally:
        if sink.writer is not None:
            sink.writer.close()
    if not result.journal_root:
        result = msgspec.structs.replace(result, journal_root=recovered.root.hex(), frames=recovered.frames)
    return result


def audit_journal(
    journal: Path, prepared: Prepared, *, progress: Progress | None = None, should_stop: Callable[[], bool] = never
) -> AuditReport:
    """Re-run a recorded journal and compare every event. Raises DivergenceError at the first difference."""
    reader = JournalReader(journal)
    sink = CompareSink(reader)
    execution = Execution(
        prepared, sink, injections=recorded_injections(reader), progress=progress, should_stop=should_stop
    )
    complete = True
    try:
        execution.run()
        complete = execution.completed
    except EndOfRecordError:
        complete = False
    return report_comparison(reader, sink, execution, complete=complete)


def report_comparison(
    reader: JournalReader, sink: CompareSink, execution: Execution, *, complete: bool = True
) -> AuditReport:
    """What a re-run into ``sink`` found identical. Raises DivergenceError when it ended and the journal goes on."""
    if complete:
        sink.expect_end()
    return AuditReport(
        frames=sink.compared_frames,
        events=sink.compared_events,
        bars=int(execution.memory.engine.control.row_count),
        seconds=execution.seconds,
        complete=complete,
        result_hash=execution.result_hash,
        pruned_frames=reader.pruned_frames,
    )


def _tail_discarded(sequence: int, torn: TornInfo, reader: JournalReader) -> Injection:
    last_ts_ns = max((frame.ts_ingest_ns for frame in reader), default=0)
    event = TailDiscarded(torn.frame_number, torn.bytes)
    body = encode_body({"kept_at": torn.kept_at})
    record = encode(Stored(sequence, last_ts_ns, last_ts_ns, 0, -1, -1, -1, event, body))
    return Injection(sequence, record, pack_body(body))


def execute(
    prepared: Prepared,
    run_dir: Path,
    sink: FrameSink | None,
    injections: list[Injection],
    progress: Progress | None,
    should_stop: Callable[[], bool],
    batch_rows: int | None,
    writer_of: Callable[[], JournalWriter | None] | None,
    began: Callable[[Execution], None] = lambda execution: None,
) -> RunResult:
    """Run into a directory, frames to ``sink``; its tables are written too.

    ``writer_of`` gives the journal's writer. ``began`` is told of the execution before it runs.
    """
    names = [strategy.name for strategy in prepared.strategies]
    plan = prepared.ledger
    shadows = frozenset(number for number, account in enumerate(plan.accounts) if account.shadow)
    real = frozenset(range(len(plan.accounts))) - shadows
    writers = [TradeWriter(run_dir / TRADES, prepared.universe.instruments, names, real if shadows else None)]
    if shadows:
        writers.append(TradeWriter(run_dir / SHADOW_TRADES, prepared.universe.instruments, names, shadows))
    prices = PriceLine()
    execution = Execution(
        prepared,
        sink,
        trades=writers,
        prices=prices,
        injections=injections,
        progress=progress,
        should_stop=should_stop,
        batch_rows=batch_rows,
    )
    began(execution)
    try:
        execution.run()
    finally:
        for each in writers:
            each.close()
    writer = writer_of() if writer_of is not None else None
    if writer is not None:
        writer.sync()
    return _result(execution, run_dir, writer, prices, writers[0].counts)


def _result(
    execution: Execution, run_dir: Path, writer: JournalWriter | None, prices: PriceLine, trades: list[int]
) -> RunResult:
    prepared, engine = execution.prepared, execution.memory.engine
    state, statistics = execution.memory.state, engine.statistics
    equity, cash, _ = total_nb(state)
    totals = ledger_totals(state)
    currency = prepared.currency
    samples = engine.samples[: statistics.sample_count]
    write_equity(run_dir / "equity.parquet", samples, currency_scale(currency))
    return RunResult(
        run_dir=run_dir,
        journal=None if prepared.config.journal == "off" else run_dir / JOURNAL_DIR,
        completed=execution.completed,
        instruments=prepared.universe.instruments,
        strategies=tuple(strategy.name for strategy in prepared.strategies),
        currency=currency,
        scale=currency_scale(currency),
        first_ts_ns=execution.first_ts_ns,
        last_ts_ns=int(statistics.last_ts_ns),
        bars=int(statistics.data_rows),
        events=int(state.head.next_sequence) - 1,
        seconds=execution.seconds,
        fills=int(state.head.fill_count),
        trades=int(state.head.trade_count),
        deposited_minor=totals["deposits"],
        final_equity_minor=int(equity),
        final_cash_minor=int(cash),
        realised_minor=totals["realised"],
        fees_minor=totals["fees"],
        max_drawdown=float(statistics.drawdown),
        exposed_rows=int(statistics.exposed_rows),
        curve=_curve(samples),
        days=_curve(engine.days[: statistics.day_count]),
        price_lines=tuple(prices.lines(len(prepared.universe.instruments))),
        result_hash=execution.result_hash,
        journal_root=writer.root.hex() if writer is not None else "",
        frames=writer.frame_count if writer is not None else 0,
        refusals=execution.refusals,
        series=count_series(
            plan_run_series(prepared.config, prepared.universe, prepared.strategies), prepared.universe, state
        ),
        dropped=execution.dropped,
        verdicts=execution.verdicts,
        regimes=execution.regimes,
        shadows=list_shadows(
            state,
            [account.name for account in prepared.ledger.accounts],
            [strategy.name for strategy in prepared.strategies],
            trades,
        ),
    )


def _curve(samples: np.ndarray) -> EquityCurve:
    fields = (np.ascontiguousarray(samples[name]) for name in ("ts_ns", "equity_minor", "cash_minor"))
    return EquityCurve(*fields)


# --- run.json: where the inputs lie -------------------------------------------------------------------------------


def _write_run_file(prepared: Prepared, run_dir: Path) -> None:
    config = prepared.config
    strategies = [
        msgspec.structs.replace(entry, use=_absolute(entry.use) if ".py" in entry.use else entry.use)
        for entry in config.strategies
    ]
    absolute = msgspec.structs.replace(
        config,
        data=[str(file.path.resolve()) for file in prepared.universe.files],
        strategies=strategies,
        places=Places(),
    )
    text = msgspec.json.format(msgspec.json.encode(absolute), indent=2)
    (run_dir / RUN_FILE).write_bytes(text + b"\n")


def _absolute(use: str) -> str:
    path, _, name = use.partition(".py")
    return f"{Path(path + '.py').resolve()}{name}"


def read_run(run_dir: Path, *, data: list[str] | None = None, strategies: list[str] | None = None) -> Prepared:
    """The configuration of an earlier run, with other places for its data or strategy files where given."""
    file = run_dir / RUN_FILE
    try:
        config = msgspec.json.decode(file.read_bytes(), type=RunConfig)
    except FileNotFoundError:
        raise ConfigError(f"{run_dir}: no {RUN_FILE} there; name the run directory that kernel replay wrote") from None
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{file}: damaged: {error}") from None
    if data:
        config = msgspec.structs.replace(config, data=data)
    if strategies:
        if len(strategies) != len(config.strategies):
            raise ConfigError(f"the run has {len(config.strategies)} strategies; name as many, in their order")
        replaced = [
            msgspec.structs.replace(old, use=use) for use, old in zip(strategies, config.strategies, strict=True)
        ]
        config = msgspec.structs.replace(config, strategies=replaced)
    return prepare(config)
