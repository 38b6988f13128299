"""Re-running a live journal: the recorded inputs through the same kernel, every event compared.

Owns what is an input in such a journal, and the comparison of what comes out with what is recorded. ``kernel replay``
proves a journal with it; ``kernel live --resume`` goes on from where it ends.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from journal import Frame, JournalReader
from kernel.events.body import unpack_bodies
from kernel.events.catalogue import event_types
from kernel.events.layout import (
    ACCEPTED,
    BAR_DUE,
    CANCELED,
    EXPIRED,
    FILLED,
    RECORD,
    REJECTED,
    REPLACED,
    REQUEST_REJECTED,
    SEGMENT,
    STATE_DIGEST,
    TIMER_FIRED,
)
from replay.audit import Difference, DivergenceError, compare_records, event_name, records_of
from replay.execution import Prepared
from replay.live.core import FrameTaker, LiveCore
from replay.live.files import LiveFile, prepare_live
from replay.opening import opening_frames
from replay.pipeline import FrameCut

Progress = Callable[[int, int], None]  # frames done, and in all

BATCH = 1024
# What the loop brings about by itself, though it is written as a fact from outside.
OF_TIME = (TIMER_FIRED.kind, BAR_DUE.kind, SEGMENT.kind)
REPORTS = (
    ACCEPTED.kind,
    REJECTED.kind,
    FILLED.kind,
    CANCELED.kind,
    EXPIRED.kind,
    REPLACED.kind,
    REQUEST_REJECTED.kind,
)


class LiveAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-run of a live journal found identical."""

    frames: int
    events: int
    inputs: int
    seconds: float


def input_kinds(*, elsewhere: bool) -> np.ndarray:
    """Which kinds of events are inputs (bool, by number): reports are, where a real venue made them."""
    known = np.zeros(1 << 10, bool)
    for kind in event_types():
        known[kind.kind] = kind.external
    known[list(OF_TIME)] = False
    if not elsewhere:
        known[list(REPORTS)] = False
    return known


class Rerun:
    """A core that goes through a recorded journal again. After ``run`` it stands where the journal ends."""

    def __init__(self, prepared: Prepared, live: LiveFile, put: FrameTaker | None = None) -> None:
        self._prepared, self._live = prepared, live
        self.core = LiveCore(prepared, put or _take_frame, elsewhere=live.elsewhere)
        self._known = input_kinds(elsewhere=live.elsewhere)
        self._made: list[np.ndarray] = []
        self._recorded: list[np.ndarray] = []
        self._batch: list[np.ndarray] = []
        self._bodies: list[bytes] = []
        self.frames = self.events = self.inputs = 0

    def run(self, reader: JournalReader, progress: Progress | None = None) -> None:
        """Go through all frames. Raises DivergenceError at the first event that comes out otherwise."""
        frames = iter(reader)
        self._open(frames)
        for frame in frames:
            records = records_of(frame)
            self._recorded.append(records)
            self._gather(records, list(unpack_bodies(records, frame.bodies)))
            if sum(map(len, self._batch)) >= BATCH:
                self._flush()
            self.frames += 1
            self.events += len(records)
            if progress is not None:
                progress(self.frames, reader.frame_count)
        self._flush()
        if self._recorded:
            left = np.concatenate(self._recorded)
            difference = compare_records(left, np.zeros(0, RECORD))
            assert difference is not None
            raise DivergenceError(difference)

    def _open(self, frames: Iterator[Frame]) -> None:
        """The opening, made again from the configuration."""
        opening = opening_frames(
            self._prepared.config,
            self._prepared.universe,
            self._prepared.strategies,
            self._prepared.resolved,
            self._live.opened_ns,
        )
        for made in opening:
            recorded = next(frames, None)
            records = records_of(recorded) if recorded is not None else np.zeros(0, RECORD)
            difference = compare_records(records, made.records)
            if difference is None and recorded is not None and bytes(recorded.bodies) != made.bodies:
                sequence = int(records[0]["sequence"])
                name = event_name(int(records[0]["kind"]))
                difference = Difference(sequence, name, "body", "what was recorded", "what the configuration says")
            if difference is not None:
                raise DivergenceError(difference)
            self.frames += 1
            self.events += len(records)
        self.core.open(opening)

    def _gather(self, records: np.ndarray, bodies: list[bytes]) -> None:
        """Put the inputs of a frame aside; a digest is made again where it stands."""
        known = self._known[records["kind"]]
        start = 0
        for at in np.flatnonzero(records["kind"] == STATE_DIGEST.kind).tolist():
            self._put_aside(records[start:at], known[start:at], bodies[start:at])
            self._flush_inputs()
            if self.core.next_sequence == int(records[at]["sequence"]):
                self._made.append(self.core.record_digest())
            start = at + 1
        self._put_aside(records[start:], known[start:], bodies[start:])

    def _put_aside(self, records: np.ndarray, known: np.ndarray, bodies: list[bytes]) -> None:
        if known.any():
            self._batch.append(records[known])
            self._bodies.extend(bodies[at] for at in np.flatnonzero(known))

    def _flush_inputs(self) -> None:
        if not self._batch:
            return
        inputs, bodies = np.concatenate(self._batch), self._bodies
        self._batch, self._bodies = [], []
        self.inputs += len(inputs)
        for first in range(0, len(inputs), BATCH):
            self._made.append(self.core.take_again(inputs[first : first + BATCH], bodies[first : first + BATCH]))
        self._made.append(self.core.close_frame())

    def _flush(self) -> None:
        """Run what was put aside, and compare as much as both sides have."""
        self._flush_inputs()
        made = np.concatenate(self._made) if self._made else np.zeros(0, RECORD)
        recorded = np.concatenate(self._recorded) if self._recorded else np.zeros(0, RECORD)
        count = min(len(made), len(recorded))
        difference = compare_records(recorded[:count], made[:count])
        if difference is None and len(made) > len(recorded):
            difference = compare_records(recorded, made)
        if difference is not None:
            raise DivergenceError(difference)
        self._made = []
        self._recorded = [recorded[count:]] if count < len(recorded) else []


def _take_frame(records: bytes, bodies: bytes, cut: FrameCut) -> None:
    """Frames of a re-run go nowhere: where they are cut says when inputs came, not what was decided."""


def audit_live(journal: Path, live: LiveFile, progress: Progress | None = None) -> LiveAudit:
    """Prove that a live journal comes out as recorded. Raises DivergenceError at the first difference."""
    started = time.perf_counter()  # measured for the summary; nothing that decides sees it
    rerun = Rerun(prepare_live(live.config, live.instruments), live)
    rerun.run(JournalReader(journal), progress)
    return LiveAudit(
        frames=rerun.frames, events=rerun.events, inputs=rerun.inputs, seconds=time.perf_counter() - started
    )
