"""Forking a live session: its recorded inputs again up to the fork, and after it the recorded market alone.

Up to the fork all inputs are taken in as they came, the venue's reports among them. At the fork the orders that rest at
the venue are over, and what stopped entries for the sake of connections is lifted. From there on only market rows are
taken in; orders go to the simulated venue, and what the real one reported afterwards, or operators asked, is not heard.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from journal import JournalReader, JournalWriter
from journal.encryption import master_in_use
from kernel.events.body import encode_body, unpack_bodies
from kernel.events.catalogue import CancelAsked, DegradedSet, OrderCanceled
from kernel.events.layout import RECORD, STATE_DIGEST, schema_digest
from kernel.instruments import currency_scale
from kernel.lifecycle import CANCEL_ON_REQUEST
from kernel.market import INPUT
from replay.audit import Difference, DivergenceError, compare_records, records_of
from replay.execution import Prepared
from replay.folders import refuse_used
from replay.fork.changes import ForkError
from replay.fork.figures import Figures, Forked, Progress, figures_of, measure_anew
from replay.fork.files import ForkFile, read_fork_file, write_fork_file
from replay.fork.point import ForkEvents, Origin, Told, differing_events, find_origin, fork_body, records_of_told
from replay.fork.tandem import Switch, tandem_run
from replay.live.audit import LiveAudit, input_kinds
from replay.live.core import ROW_KIND_OF_EVENT, FrameTaker, LiveCore
from replay.live.files import JOURNAL_DIR, LiveFile, prepare_live
from replay.live.orders import OpenOrders
from replay.opening import opening_frames
from replay.pipeline import FrameCut

ORIGIN = "trading-kernel/fork"
MODE = "live"
BATCH = 1024
ROUNDS = 8  # of cancels: what a cancelled order lets go is cancelled too
_OVER = encode_body("cancelled by the fork: it rested at the venue, which a fork does not reach")
_IS_MARKET = ROW_KIND_OF_EVENT != INPUT


def fork_live(
    journal: Path, live: LiveFile, forked: Prepared, at: int, changes: list[str], out: Path, progress: Progress
) -> Forked:
    """Make a fork of a session into an empty or new folder. Raises ForkError, ConfigError or StrategyError."""
    refuse_used(out)
    origin, parent = find_origin(journal, at), prepare_live(live.config, live.instruments)
    there = _parent_again(journal, live, parent, at)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    with JournalWriter.create(
        out / JOURNAL_DIR,
        origin=ORIGIN,
        genesis_id=origin.genesis(MODE, forked.resolved),
        schema_digest=schema_digest(),
        fsync=live.config.fsync,
        master=master_in_use(),
    ) as writer:
        walk = _Walk(live, parent, forked, origin, changes, lambda *frame: _append(writer, *frame))
        walk.run(JournalReader(journal), progress)
        writer.sync()
        root, frames = writer.root.hex(), writer.frame_count
    file = ForkFile(
        origin=origin,
        forked_at=walk.forked_at,
        own_events=walk.own_events,
        parent=live.config,
        fork=forked.config,
        changes=changes,
        live=live,
    )
    write_fork_file(out, file)
    currency = (live.config.accounts[0].currency if live.config.accounts else "") or live.instruments[0].currency
    return Forked(
        file=file,
        at_fork=walk.at_fork,
        parent=there,
        fork=figures_of(walk.core.memory),
        scale=currency_scale(currency),
        currency=currency,
        root=root,
        frames=frames,
        last_sequence=walk.core.next_sequence - 1,
    )


def replay_live_fork(run_dir: Path, progress: Progress) -> LiveAudit:
    """Decide a fork of a session again, from its own journal. Raises DivergenceError at the first difference."""
    file = read_fork_file(run_dir)
    assert file.live is not None
    parent = prepare_live(file.parent, file.live.instruments)
    forked = prepare_live(file.fork, file.live.instruments)
    reader = JournalReader(run_dir / JOURNAL_DIR)
    compared = _Compared(reader)
    walk = _Walk(file.live, parent, forked, file.origin, file.changes, compared.take)
    walk.run(reader, progress, file.forked_at)
    compared.finish()
    return LiveAudit(frames=reader.frame_count, events=walk.core.next_sequence - 1, inputs=walk.inputs, seconds=0.0)


def _append(writer: JournalWriter, records: bytes, bodies: bytes, cut: FrameCut) -> None:
    writer.append(
        records,
        bodies,
        event_count=cut.event_count,
        first_sequence=cut.first_sequence,
        ts_ingest_ns=cut.ts_ingest_ns,
    )


def _parent_again(journal: Path, live: LiveFile, parent: Prepared, at: int) -> Figures:
    """What the parent comes to, by taking its inputs in again; its last digest is held against the recorded one."""
    core = LiveCore(parent, lambda records, bodies, cut: None, elsewhere=live.elsewhere)
    feed = _Feed(core, input_kinds(elsewhere=live.elsewhere))
    core.open(opening_frames(parent.config, parent.universe, parent.strategies, parent.resolved, live.opened_ns))
    is_marked = False
    for records, bodies in _after_opening(JournalReader(journal), core.next_sequence):
        for part, listed, is_last in _cut(records, bodies, at):
            feed.take(part, listed)
            if is_last and not is_marked:
                feed.complete(at, int(part["ts_ingest_ns"][-1]))
                measure_anew(core.memory)
                is_marked = True
    if feed.digests_wrong:
        raise ForkError("the parent does not come out as recorded: code has changed; see kernel replay of it")
    return figures_of(core.memory)


def _after_opening(reader: JournalReader, first: int) -> Iterator[tuple[np.ndarray, list[bytes]]]:
    """Records and bodies by frame, without the opening."""
    for frame in reader:
        if frame.first_sequence >= first:
            records = records_of(frame).copy()
            yield records, list(unpack_bodies(records, frame.bodies))


def _cut(records: np.ndarray, bodies: list[bytes], at: int) -> Iterator[tuple[np.ndarray, list[bytes], bool]]:
    """A frame in its parts up to an event and after it; the last says whether the first part ends with the event."""
    count = int(np.count_nonzero(records["sequence"] <= at))
    if count:
        yield records[:count], bodies[:count], int(records[count - 1]["sequence"]) == at
    if count < len(records):
        yield records[count:], bodies[count:], False


class _Feed:
    """Gives the inputs among recorded events to a core, and makes digests again where they stand."""

    def __init__(self, core: LiveCore, known: np.ndarray) -> None:
        self._core, self._known = core, known
        self.inputs = self.digests_wrong = 0

    def take(self, records: np.ndarray, bodies: Sequence[bytes]) -> None:
        """Take in what is an input; all else comes of it."""
        start = 0
        for at in np.flatnonzero(records["kind"] == STATE_DIGEST.kind).tolist():
            self.take_inputs(records[start:at], bodies[start:at])
            if self._core.next_sequence == int(records[at]["sequence"]):
                made = self._core.record_digest()
                self.digests_wrong += int((made[-1]["words"] != records[at]["words"]).any())
            start = at + 1
        self.take_inputs(records[start:], bodies[start:])

    def take_inputs(self, records: np.ndarray, bodies: Sequence[bytes]) -> None:
        """Take in what is an input, and nothing else."""
        places = np.flatnonzero(self._known[records["kind"]])
        for first in range(0, len(places), BATCH):
            chosen = places[first : first + BATCH]
            self._core.take_again(records[chosen], [bodies[at] for at in chosen])
        self.inputs += len(places)

    def complete(self, at: int, ts_ns: int) -> None:
        """Let what is due by itself happen until event ``at`` has. Raises ForkError when it does not."""
        if self._core.next_sequence <= at:
            self._core.advance(ts_ns)
        if self._core.next_sequence <= at:
            raise ForkError(
                f"event {at:,} does not come out as recorded: code has changed; see kernel replay of the run"
            )


class _Walk:
    """One way through the inputs that turns off at the fork."""

    def __init__(
        self, live: LiveFile, parent: Prepared, forked: Prepared, origin: Origin, changes: list[str], put: FrameTaker
    ) -> None:
        self._live, self._parent, self._origin, self._put = live, parent, origin, put
        self._switch = Switch()
        self._events = ForkEvents(origin, differing_events(parent, forked), fork_body(parent, forked, changes))
        tandem = tandem_run(parent, forked, self._switch)
        self.core = LiveCore(tandem, put, elsewhere=live.elsewhere)
        self._feed = _Feed(self.core, input_kinds(elsewhere=live.elsewhere))
        self.forked_at = self.own_events = 0
        self.at_fork = figures_of(self.core.memory)

    @property
    def inputs(self) -> int:
        """How many inputs were taken in."""
        return self._feed.inputs

    def run(self, reader: JournalReader, progress: Progress, forked_at: int | None = None) -> None:
        """Through a journal: the parent's, or with ``forked_at`` the fork's own."""
        self._open()
        at = self._origin.at if forked_at is None else forked_at
        rows = _Feed(self.core, _IS_MARKET)
        for number, (records, bodies) in enumerate(_after_opening(reader, self.core.next_sequence)):
            for part, listed, is_last in _cut(records, bodies, at):
                if self.forked_at:
                    rows.take_inputs(part, listed)
                else:
                    self._feed.take(part, listed)
                if is_last and not self.forked_at:
                    self._turn_off(at, int(part["ts_ingest_ns"][-1]))
            progress(number, reader.frame_count)
        self.core.record_digest()

    def _open(self) -> None:
        run = self._parent
        frames = opening_frames(run.config, run.universe, run.strategies, run.resolved, self._live.opened_ns)
        for frame in frames:
            records = frame.records
            cut = FrameCut(0, 0, 0, int(records["sequence"][0]), len(records), self._live.opened_ns)
            self._put(records.tobytes(), frame.bodies, cut)
        self.core.open(frames)

    def _turn_off(self, at: int, ts_ns: int) -> None:
        self._feed.complete(at, ts_ns)
        core = self.core
        self.forked_at = core.next_sequence - 1
        self.at_fork = figures_of(core.memory)
        self._switch.is_forked = True
        self._say(self._events.told(self.forked_at))
        if self._live.elsewhere:
            self._end_orders()
            core.memory.engine.venue.head.elsewhere = 0
        self._say(list(self._lifted()))
        measure_anew(core.memory)
        self.own_events = core.next_sequence - 1 - self.forked_at

    def _say(self, listed: Sequence[Told]) -> None:
        """Record inputs now, as of the last event's time: the next row must not be earlier."""
        if listed:
            records, _ = records_of_told(listed, self.core.now_ns)
            self.core.take_again(records, [body for *_, body, _ in listed])

    def _lifted(self) -> Iterator[Told]:
        """What stopped entries because of connections, clocks or reconciliations."""
        state = self.core.state
        if state.head.degraded:
            yield -1, -1, DegradedSet(0), encode_body("the fork has no connections"), -1
        for number in range(int(state.head.instrument_count)):
            if state.instruments[number]["degraded"]:
                yield number, -1, DegradedSet(0), encode_body("the fork has no connections"), -1

    def _end_orders(self) -> None:
        """The orders at the venue are over: what is asked of none of them is answered."""
        orders = OpenOrders(self.core.state)
        if next(iter(orders), None) is not None:
            self._say([(-1, -1, CancelAsked(0), b"", -1)])
        for _ in range(ROUNDS):
            listed: list[Told] = [
                (order.instrument, order.strategy, OrderCanceled(order.order_id, order.left_lots, CANCEL_ON_REQUEST),
                 _OVER, orders.account_of(order.strategy, order.instrument))
                for order in orders
            ]  # fmt: skip
            if not listed:
                return
            self._say(listed)
        raise ForkError("the orders that rest at the venue do not end; fork at another event")


class _Compared:
    """Holds what comes out against what a journal has, however either is cut into frames."""

    def __init__(self, reader: JournalReader) -> None:
        self._recorded = ((records_of(frame).copy(), bytes(frame.bodies)) for frame in reader)
        self._left = np.zeros(0, RECORD)
        self._bodies: list[bytes] = []

    def take(self, frame: bytes, bodies: bytes, cut: FrameCut) -> None:
        """Compare as many recorded events. Raises DivergenceError."""
        records = np.frombuffer(frame, RECORD)
        while len(self._left) < len(records):
            more = next(self._recorded, None)
            if more is None:
                break
            self._left = np.concatenate([self._left, more[0]])
            self._bodies += list(unpack_bodies(more[0], more[1]))
        difference = compare_records(self._left[: len(records)], records)
        made = list(unpack_bodies(records, bodies))
        if difference is None and made != self._bodies[: len(made)]:
            at = next(at for at, pair in enumerate(zip(made, self._bodies, strict=False)) if pair[0] != pair[1])
            sequence = int(records[at]["sequence"])
            difference = Difference(sequence, "event", "body", "what was recorded", "what came out")
        if difference is not None:
            raise DivergenceError(difference)
        self._left, self._bodies = self._left[len(records) :], self._bodies[len(records) :]

    def finish(self) -> None:
        """Nothing may be left. Raises DivergenceError."""
        more = next(self._recorded, None)
        left = self._left if more is None else np.concatenate([self._left, more[0]])
        difference = compare_records(left, np.zeros(0, RECORD))
        if difference is not None:
            raise DivergenceError(difference)
