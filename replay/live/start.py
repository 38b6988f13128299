"""Beginning a live session: a new folder, or the one of an earlier session that goes on.

Owns the order of it: the folder is locked by the journal's writer, what it holds is re-run and compared, a torn tail is
set aside, and only then does anything new happen.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from journal import JournalReader, JournalWriter, recover_journal
from journal.encryption import master_in_use
from journal.restore import RESTORED, restored_from
from journal.writer import random_genesis_id
from kernel.events.body import encode_body
from kernel.events.catalogue import JournalRestored, TailDiscarded
from kernel.events.layout import PlainRecord, plain_records, schema_digest
from kernel.instruments import Instrument
from replay.config import ConfigError, RunConfig, StrategyConfig
from replay.execution import Prepared
from replay.folders import refuse_used
from replay.live.audit import Progress, Rerun
from replay.live.core import Input, LiveCore
from replay.live.files import (
    JOURNAL_DIR,
    ORIGIN,
    LiveFile,
    prepare_live,
    read_live_file,
    without_places,
    write_live_file,
)
from replay.live.identities import NOTED, Identities
from replay.live.outbox import SENT
from replay.live.writing import NO_COMMIT_BYTES, Back, GroupCommit
from replay.opening import opening_frames
from replay.pipeline import FrameCut

EXTERNAL = "external"  # the strategy whose books hold what was traded elsewhere
Durable = Callable[[int], None]
Failed = Callable[[BaseException], None]
_TOLD = NOTED | SENT


class Frames:
    """Where the frames of a core go: nowhere while a recorded journal is gone through, then to the journal.

    ``on_told`` hears what a frame says of the kinds that ``identities`` and ``outbox`` go by.
    """

    def __init__(self, identities: Identities) -> None:
        self.identities = identities
        self.journal: GroupCommit | None = None
        self.on_told: Callable[[Sequence[PlainRecord]], None] = lambda told: None
        self._last = b""  # the records of the last frame that said something, and had no bodies

    def __call__(self, records: bytes, bodies: bytes, cut: FrameCut) -> None:
        if self.journal is not None:
            self.journal.put(records, bodies, cut)
        told = plain_records(records, _TOLD)
        if told:
            if not bodies:
                self._last = records
            self.identities.note(told, records, bodies)
            self.on_told(told)

    def rehearse(self) -> None:
        """Go through the last frame that said something once more, without effect."""
        if self.journal is not None:
            self.journal.rehearse(self._last)
        Identities(self.identities.genesis_id).note(plain_records(self._last, _TOLD), self._last, b"")


class Opened(msgspec.Struct):
    """A session that is ready for its first input."""

    run_dir: Path
    file: LiveFile
    prepared: Prepared
    core: LiveCore
    frames: Frames
    journal: GroupCommit
    resumed: bool

    @property
    def identities(self) -> Identities:
        """Who is who, up to the last frame."""
        return self.frames.identities

    @property
    def external(self) -> int:
        """The number of the strategy that holds what was traded elsewhere."""
        return len(self.prepared.strategies) - 1


def with_external(config: RunConfig) -> RunConfig:
    """The configuration with the book of what was traded elsewhere, which comes last."""
    if any(strategy.name == EXTERNAL for strategy in config.strategies):
        raise ConfigError(f"a strategy is named {EXTERNAL}; that name is taken by what was traded elsewhere")
    external = StrategyConfig(use="do_nothing", name=EXTERNAL)
    return msgspec.structs.replace(config, strategies=[*config.strategies, external], journal="full")


def begin(
    config: RunConfig,
    instruments: list[Instrument],
    run_dir: Path,
    *,
    elsewhere: bool,
    on_durable: Durable,
    on_failure: Failed,
    back: Back,
) -> Opened:
    """A new session in an empty folder. Raises ConfigError."""
    refuse_used(run_dir, f", or go on with kernel live --resume {run_dir}")
    prepared = prepare_live(config, instruments)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = LiveFile(
        config=without_places(config),
        instruments=instruments,
        elsewhere=elsewhere,
        opened_ns=time.time_ns(),
        genesis_id=random_genesis_id().hex(),
    )
    write_live_file(run_dir, file)
    writer = JournalWriter.create(
        run_dir / JOURNAL_DIR,
        origin=ORIGIN,
        genesis_id=bytes.fromhex(file.genesis_id),
        schema_digest=schema_digest(),
        fsync=config.fsync,
        batch_bytes=NO_COMMIT_BYTES,
        batch_frames=NO_COMMIT_BYTES,
        master=master_in_use(),
    )
    frames = Frames(Identities(file.genesis_id))
    core = LiveCore(prepared, frames, elsewhere=elsewhere)
    opening = opening_frames(prepared.config, prepared.universe, prepared.strategies, prepared.resolved, file.opened_ns)
    for frame in opening:
        writer.append(
            frame.records.view(np.uint8),
            frame.bodies,
            event_count=len(frame.records),
            first_sequence=int(frame.records["sequence"][0]),
            ts_ingest_ns=file.opened_ns,
        )
    writer.sync()
    core.open(opening)
    frames.journal = GroupCommit(writer, config.fsync, on_durable, on_failure, back)
    return Opened(run_dir, file, prepared, core, frames, frames.journal, False)


def go_on(
    run_dir: Path,
    *,
    on_durable: Durable,
    on_failure: Failed,
    back: Back,
    progress: Progress | None = None,
    take_over: bool = False,
) -> Opened:
    """The session of a folder, where it ended: all of it decided again and compared first.

    A folder that was restored from a backup is refused without ``take_over``: the session that it was copied from may
    still trade. Raises ConfigError, DivergenceError when code or configuration are no longer those that decided, or a
    JournalError.
    """
    file = read_live_file(run_dir)
    journal_dir = run_dir / JOURNAL_DIR
    if not (journal_dir.is_dir() and any(journal_dir.glob("*.seg"))):
        raise ConfigError(f"{run_dir}: the journal was never begun; start anew in another folder")
    restored = check_restored(run_dir, take_over=take_over)
    refuse_pruned(JournalReader(journal_dir))
    recovered = recover_journal(journal_dir)
    prepared = prepare_live(file.config, file.instruments)
    writer = JournalWriter.open(
        journal_dir, fsync=file.config.fsync, batch_bytes=NO_COMMIT_BYTES, batch_frames=NO_COMMIT_BYTES
    )
    try:
        frames = Frames(Identities(file.genesis_id))
        rerun = Rerun(prepared, file, frames)
        rerun.run(JournalReader(journal_dir), progress)
    except BaseException:
        writer.close()
        raise
    frames.journal = GroupCommit(writer, file.config.fsync, on_durable, on_failure, back)
    opened = Opened(run_dir, file, prepared, rerun.core, frames, frames.journal, True)
    if recovered.torn is not None:
        body = encode_body({"kept_at": recovered.torn.kept_at})
        event = TailDiscarded(recovered.torn.frame_number, recovered.torn.bytes)
        opened.core.take([Input(event, account=-1, body=body)], time.time_ns())
    if restored is not None:
        _note_restored(opened, restored)
    return opened


def refuse_pruned(reader: JournalReader) -> None:
    """A live journal is decided again from its first input. Raises ConfigError where that was pruned."""
    if reader.pruned_frames:
        raise ConfigError(
            f"events before {reader.first_sequence:,} were pruned, so what was decided cannot be decided again; kernel "
            "verify and proofs hold for what is there, and a backup from before has the rest"
        )


def check_restored(run_dir: Path, *, take_over: bool) -> dict[str, Any] | None:
    """What is known of a backup that the folder was restored from. Raises ConfigError without ``take_over``."""
    restored = restored_from(run_dir)
    if restored is not None and not take_over:
        raise ConfigError(
            f"{run_dir} was restored from a backup: the session it is a copy of must never trade again, or both trade "
            "the same account; make sure that it has ended for good, then add --take-over"
        )
    return restored


def _note_restored(opened: Opened, restored: dict[str, Any]) -> None:
    """Record that the session goes on from a backup; orders from here on have other names at the venue."""
    words = np.frombuffer(bytes.fromhex(restored["root"]), ">i8")
    event = JournalRestored(int(restored["frames"]), *(int(word) for word in words))
    body = encode_body({"backup": restored["backup"], "cut_after": restored["cut_after"]})
    opened.core.take([Input(event, account=-1, body=body)], time.time_ns())
    opened.journal.writer.sync()
    (opened.run_dir / RESTORED).unlink()


def environment_facts() -> dict[str, Any]:
    """Who started the process: for the record of a session."""
    return {"user_id": os.getuid(), "process_id": os.getpid()}
