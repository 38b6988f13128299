"""Planted bugs: each must turn the table red, or the harness could not have noticed the real thing.

Owns: the bugs, as replacements of single functions for the time of one run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import journal.recover
import journal.scan
import journal.sink
import journal.torn
from journal.faulty import MemoryStorage
from journal.torn import Verdict, judge
from tests.journal.torture import damage, failures
from tests.journal.torture.workload import ONE_SEGMENT, SMALL_SEGMENTS, Tally


def _naive_judge(*arguments: Any, is_last_segment: bool) -> Verdict:
    """The rule that many logs have: a bad frame at the end of the last file is a torn one."""
    verdict = judge(*arguments, is_last_segment=is_last_segment)
    return dataclasses.replace(verdict, torn=is_last_segment)


def _sync_without_rewriting(storage: MemoryStorage, segments: list[str], *_: Any) -> None:
    for name in segments:
        storage.fdatasync(storage.open(name))


def _seal_first(sink: Any, number: int, next_sequence: int, head: bytes) -> None:
    sink._seal.note(number, head, next_sequence)
    sink._seal.flush()
    sink._storage.fdatasync(sink._handle)
    sink._gathered_bytes = sink._gathered_frames = 0


@contextmanager
def _planted(target: Any, name: str, bug: Any) -> Iterator[None]:
    with mock.patch.object(target, name, bug):
        yield


def canaries() -> list[tuple[str, Tally]]:
    """(what was planted, the row that has to be red)."""
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731 - the bug is that nothing happens
    found: list[tuple[str, Tally]] = []

    def plant(what: str, target: Any, name: str, bug: Any, run: Callable[[], Tally]) -> None:
        with _planted(target, name, bug):
            found.append((what, run()))

    plant(
        "bad last frame: truncate",
        journal.scan,
        "judge",
        _naive_judge,
        lambda: damage.flips("always", ONE_SEGMENT, sealed=False, stride=37),
    )
    plant(
        "bad last frame: truncate, sealed",
        journal.scan,
        "judge",
        _naive_judge,
        lambda: damage.flips("always", ONE_SEGMENT, sealed=True, stride=37),
    )
    plant(
        "fsync removed",
        MemoryStorage,
        "fdatasync",
        nothing,
        lambda: failures.crashes("always", 3, kill=False),
    )
    plant(
        "folder sync removed",
        MemoryStorage,
        "sync_folder",
        nothing,
        lambda: failures.crashes("batch", 3, kill=False),
    )
    plant(
        "seal written before the data",
        journal.sink.Sink,
        "_sync_segment",
        _seal_first,
        lambda: failures.crashes("batch", 12, kill=False),
    )
    plant(
        "no rewriting after a failed fsync",
        journal.sink,
        "make_durable",
        _sync_without_rewriting,
        lambda: failures.failing_io("batch", "fsync", 1),
    )
    plant(
        "lost sectors not counted",
        journal.torn,
        "count_zero_sectors",
        lambda *_: 1 << 15,
        lambda: damage.flips("always", ONE_SEGMENT, sealed=False, stride=37),
    )
    plant(
        "hash chain not checked",
        journal.scan.Scan,
        "_check_chain",
        nothing,
        lambda: damage.forged("batch", SMALL_SEGMENTS, sealed=True),
    )
    plant(
        "seal not read",
        journal.scan,
        "read_seal",
        lambda storage: (None, 0),
        lambda: damage.cuts("batch", SMALL_SEGMENTS, sealed=True, stride=29),
    )
    return found
