"""Where the time of a run goes: ``python -m bench --profile``.

Owns the stop watches that are put around the functions of a run while it is measured. Nanoseconds a bar, for the two
threads apart: the engine's (decode, loop, hand-over) and the pipeline's (row hash, frames, tables). The slower of the
two, plus what they cannot do at the same time, is the time of the run. Wall time is what the user waits for and counts
what else the machine does; processor time is the part's own work. A gap between them is waiting: for the disk, for the
interpreter's lock, which both threads need for Python code, or for a core. Each stop watch costs about a microsecond a
call, so a part with many calls reads a little high.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import msgspec

from bench.runs import run_once
from journal.builder import FrameBuilder
from journal.merkle import MerkleTree
from journal.seal import SealWriter
from journal.storage import FileStorage
from journal.writer import JournalWriter
from replay.engine import EngineMemory
from replay.execution import Prepared
from replay.outcome import ResultHash
from replay.pipeline import Pipeline, _Segment
from replay.prices import PriceLine
from replay.session import Session
from replay.tables import TradeWriter
from replay.tape import Tape

ENGINE, PIPELINE = "engine", "pipeline"
# What is watched, in the order of the table: (thread, part, class, method). Time inside a part that is itself watched
# is taken off the outer one, so the parts of a thread add up.
WATCHED: tuple[tuple[str, str, type, str], ...] = (
    (ENGINE, "decode and interleave", Tape, "__iter__"),
    (ENGINE, "compiled loop", EngineMemory, "run"),
    (ENGINE, "hand-over: copies", Session, "_hand_over"),
    (ENGINE, "state digests", Session, "record_digest"),
    (ENGINE, "waiting for the pipeline", Pipeline, "put"),
    (ENGINE, "waiting at the end", Pipeline, "close"),
    (PIPELINE, "result hash", ResultHash, "add_fills"),
    (PIPELINE, "trades table", TradeWriter, "add_closed"),
    (PIPELINE, "price line", PriceLine, "add"),
    (PIPELINE, "row hash", _Segment, "add"),
    (PIPELINE, "segment records", _Segment, "finish"),
    (PIPELINE, "frames: load", FrameBuilder, "load"),
    (PIPELINE, "frames: header and hash", FrameBuilder, "finish"),
    (PIPELINE, "frames: tree", MerkleTree, "append"),
    (PIPELINE, "frames: write", FileStorage, "pwrite"),
    (PIPELINE, "frames: fdatasync", FileStorage, "fdatasync"),
    (PIPELINE, "frames: seal", SealWriter, "flush"),
    (PIPELINE, "frames: the rest of append", JournalWriter, "append"),
    (PIPELINE, "the rest of a chunk", Pipeline, "_take"),
)


class Part(msgspec.Struct):
    """The time and the calls of one part."""

    thread: str
    name: str
    wall_seconds: float = 0.0
    processor_seconds: float = 0.0
    calls: int = 0


class Breakdown(msgspec.Struct, frozen=True):
    """One run, taken apart. ``seconds`` is the run loop with the watches on it."""

    bars: int
    frames: int
    events: int
    seconds: float
    parts: list[Part]


class _Watches:
    """Stop watches that nest: each thread has its own stack of what is under way."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def running(self, part: Part) -> Iterator[None]:
        stack = self._local.__dict__.setdefault("stack", [])
        stack.append([0.0, 0.0])
        wall, processor = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            processor, wall = time.thread_time() - processor, time.perf_counter() - wall
            inner_wall, inner_processor = stack.pop()
            part.wall_seconds += wall - inner_wall
            part.processor_seconds += processor - inner_processor
            part.calls += 1
            if stack:
                stack[-1][0] += wall
                stack[-1][1] += processor

    def around(self, part: Part, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.running(part):
                return function(*args, **kwargs)

        def watched_steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
            steps = function(*args, **kwargs)
            while True:
                with self.running(part):
                    step = next(steps, None)
                if step is None:
                    return
                yield step

        return watched_steps if function.__name__ == "__iter__" else watched


def profile_run(prepared: Prepared, repeats: int = 3) -> Breakdown:
    """Take apart the fastest of ``repeats`` runs."""
    return min((_watched_run(prepared) for _ in range(repeats)), key=lambda breakdown: breakdown.seconds)


def _watched_run(prepared: Prepared) -> Breakdown:
    watches, parts = _Watches(), []
    with ExitStack() as stack:
        for thread, name, owner, method in WATCHED:
            part = Part(thread, name)
            parts.append(part)
            stack.enter_context(mock.patch.object(owner, method, watches.around(part, getattr(owner, method))))
        result = run_once(prepared)
    return Breakdown(result.bars, result.frames, result.events, result.seconds, parts)


def render_profile(breakdown: Breakdown) -> str:
    """The breakdown as a table."""
    unit = 1e9 / breakdown.bars
    lines = [
        f"{breakdown.bars:,} bars, {breakdown.frames:,} frames, {breakdown.events:,} events; "
        f"{breakdown.seconds * unit:.1f} ns a bar with stop watches on it"
    ]
    for thread in (ENGINE, PIPELINE):
        chosen = [part for part in breakdown.parts if part.thread == thread]
        lines += ["", f"{thread + ' thread, ns a bar':<32}{'wall':>8}{'processor':>11}{'calls':>9}{'us a call':>11}"]
        for part in chosen:
            wall, processor = part.wall_seconds * unit, part.processor_seconds * unit
            each = part.wall_seconds / part.calls * 1e6 if part.calls else 0.0
            lines.append(f"  {part.name:<30}{wall:>8.1f}{processor:>11.1f}{part.calls:>9,}{each:>11.1f}")
        wall = sum(part.wall_seconds for part in chosen) * unit
        processor = sum(part.processor_seconds for part in chosen) * unit
        lines.append(f"  {'together':<30}{wall:>8.1f}{processor:>11.1f}")
    return "\n".join(lines)
