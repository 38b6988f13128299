"""Forking a backtest: its rows again, the parent's decisions up to the fork, the fork's after it.

Owns the order of it, and the folder of a fork: ``fork.json``, ``run.json`` (of the parent, for where data lies),
``journal/`` and the tables of a run.
"""

from pathlib import Path

from journal import JournalReader, JournalWriter
from journal.encryption import master_in_use
from kernel.events.layout import RUN_CLOSED, schema_digest
from kernel.ports import FrameSink
from replay.audit import CompareSink, recorded_injections, records_of
from replay.execution import Execution, Prepared, prepare
from replay.folders import refuse_used
from replay.fork.changes import ForkError
from replay.fork.figures import Figures, Forked, Progress, figures_of, measure_anew
from replay.fork.files import ForkFile, read_fork_file, write_fork_file
from replay.fork.point import ForkEvents, Origin, Told, differing_events, find_origin, fork_body, fork_point
from replay.fork.tandem import Switch, tandem_run
from replay.pipeline import JournalSink
from replay.runner import GROUP_BYTES, JOURNAL_DIR, AuditReport, execute, never, report_comparison
from replay.session import Injection

ORIGIN = "trading-kernel/fork"
TABLES = ("trades.parquet", "shadow_trades.parquet", "equity.parquet")


def fork_backtest(
    journal: Path, parent: Prepared, forked: Prepared, at: int, changes: list[str], out: Path, progress: Progress
) -> Forked:
    """Make a fork into an empty or new folder. Raises ForkError, ConfigError or RunError.

    That the history before it is the parent's is for ``check_fork`` to prove.
    """
    refuse_used(out)
    parent, forked = with_journal(parent), with_journal(forked)
    origin = find_origin(journal, at)
    run = _Run(journal, parent, forked, origin, changes)
    there = run.parent_again(progress)
    out.mkdir(parents=True, exist_ok=True)
    mode = parent.config.journal
    with JournalWriter.create(
        out / JOURNAL_DIR,
        origin=ORIGIN,
        genesis_id=origin.genesis(mode, forked.resolved),
        schema_digest=schema_digest(),
        fsync=parent.config.fsync,
        batch_bytes=GROUP_BYTES,
        master=master_in_use(),
    ) as writer:
        result = execute(
            run.tandem, out, JournalSink(writer), run.injections(), progress, never, None, lambda: writer, run.began
        )
    assert run.execution is not None
    if master_in_use() is not None:  # the tables would say what the journal keeps secret
        for name in TABLES:
            (out / name).unlink(missing_ok=True)
    file = ForkFile(
        origin=origin,
        forked_at=run.forked_at,
        own_events=run.own_events,
        parent=parent.config,
        fork=forked.config,
        changes=changes,
    )
    write_fork_file(out, file)
    return Forked(
        file=file,
        at_fork=run.at_fork,
        parent=there,
        fork=figures_of(run.execution.memory),
        scale=result.scale,
        currency=result.currency,
        root=result.journal_root,
        frames=result.frames,
        last_sequence=result.events,
    )


def replay_fork(run_dir: Path, progress: Progress) -> AuditReport:
    """Decide a fork of a backtest again and compare every event. Raises DivergenceError at the first difference."""
    file = read_fork_file(run_dir)
    parent, forked = prepare(file.parent), prepare(file.fork)
    reader = JournalReader(run_dir / JOURNAL_DIR)
    run = _Run(run_dir / JOURNAL_DIR, parent, forked, file.origin, file.changes)
    sink = CompareSink(reader)
    return report_comparison(reader, sink, run.execute(sink, progress))


def with_journal(prepared: Prepared) -> Prepared:
    """The run, which must keep a journal."""
    if prepared.config.journal == "off":
        raise ForkError("the run kept no journal, so there is nothing to fork")
    return prepared


class _Run:
    """One way through the rows that turns off at the fork."""

    def __init__(self, journal: Path, parent: Prepared, forked: Prepared, origin: Origin, changes: list[str]) -> None:
        self._parent, self._origin = parent, origin
        self._switch = Switch()
        self.tandem = tandem_run(parent, forked, self._switch)
        self._events = ForkEvents(origin, differing_events(parent, forked), fork_body(parent, forked, changes))
        recorded = recorded_injections(JournalReader(journal))
        self._before = [one for one in recorded if one.sequence <= origin.at]
        self._recorded = recorded
        self._journal = journal
        self.execution: Execution | None = None
        self.forked_at = self.own_events = 0
        self.at_fork: Figures = Figures(
            fills=0, trades=0, equity_minor=0, fees_minor=0, realised_minor=0, drawdown=0.0
        )  # fmt: skip

    def began(self, execution: Execution) -> None:
        """Note the execution whose figures are asked for at the fork."""
        self.execution = execution

    def injections(self) -> list[Injection]:
        """What is recorded beside the rows: the parent's up to the fork, and the fork itself."""
        self._switch.is_forked = False
        return [*self._before, fork_point(self._origin.at, self._turn_off)]

    def _turn_off(self, last_sequence: int) -> list[Told]:
        assert self.execution is not None
        self._switch.is_forked = True
        self.forked_at = last_sequence
        self.at_fork = figures_of(self.execution.memory)
        measure_anew(self.execution.memory)
        listed = self._events.told(last_sequence)
        self.own_events = len(listed)
        return listed

    def execute(self, sink: FrameSink | None, progress: Progress) -> Execution:
        """Go through all rows."""
        self.execution = Execution(self.tandem, sink, injections=self.injections(), progress=progress)
        self.execution.run()
        return self.execution

    def parent_again(self, progress: Progress) -> Figures:
        """What the parent comes to, by doing it again; its end is held against what its journal says."""
        found: list[Execution] = []

        def mark(last_sequence: int) -> list[Told]:
            measure_anew(found[0].memory)
            return []

        marks = [fork_point(self._origin.at, mark)]
        injections = sorted([*self._recorded, *marks], key=lambda one: one.sequence)
        execution = Execution(self._parent, None, injections=injections, progress=progress)
        found.append(execution)
        execution.run()
        figures = figures_of(execution.memory)
        said = _closed(self._journal)
        if said is not None and said != (figures.equity_minor, figures.fills):
            raise ForkError(
                f"the parent comes to equity {figures.equity_minor} and {figures.fills} fills, and its journal says "
                f"{said[0]} and {said[1]}: data or code have changed; see kernel replay {self._journal.parent}"
            )
        return figures


def _closed(journal: Path) -> tuple[int, int] | None:
    """Equity and fills at the end of a journal; None when it was interrupted."""
    last = None
    for frame in JournalReader(journal, check_hashes=False):
        records = records_of(frame)
        for record in records[records["kind"] == RUN_CLOSED.kind]:
            last = int(record["words"][RUN_CLOSED.equity_minor]), int(record["words"][RUN_CLOSED.fill_count])
    return last
