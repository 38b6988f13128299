"""Planted bugs: each must turn the table red, or the harness could not have noticed the real thing.

Owns: the bugs, as replacements of single functions for the time of one run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from unittest import mock

import journal.scan
import journal.sink
import journal.torn
from journal.faulty import MemoryStorage
from journal.seal import Seal
from journal.torn import Expected, Verdict, judge
from tests.journal.torture import damage, failures
from tests.journal.torture.workload import ONE_SEGMENT, SMALL_SEGMENTS, Tally

Canary = tuple[str, Any, str, Any, Callable[[], Tally]]


def _naive_judge(*arguments: Any, is_last_segment: bool) -> Verdict:
    """The rule that many logs have: a bad frame at the end of the last file is a torn one."""
    verdict = judge(*arguments, is_last_segment=is_last_segment)
    return dataclasses.replace(verdict, torn=is_last_segment)


def _gaps_always_torn(
    view: memoryview, segment: str, offset: int, expected: Expected, *, is_last_segment: bool
) -> Verdict:
    expected.unacknowledged_above_seal = True
    return judge(view, segment, offset, expected, is_last_segment=is_last_segment)


def _sync_without_rewriting(storage: MemoryStorage, segments: list[str], *_: Any) -> None:
    for name in segments:
        storage.fdatasync(storage.open(name))


def _seal_first(sink: Any, number: int, next_sequence: int, head: bytes) -> None:
    sink._seal.note(number, head, next_sequence)
    sink._seal.flush()
    sink._storage.fdatasync(sink._handle)
    sink._gathered_bytes = sink._gathered_frames = 0


def _nothing(*_: Any) -> None:
    """Stands in for a step that was forgotten."""


def _flips(sealed: bool) -> Tally:
    return damage.flips("always", ONE_SEGMENT, sealed=sealed, stride=37)


def _power_cuts(policy: str, seeds: int) -> Tally:
    return failures.crashes(policy, seeds, kill=False)


def _one_group() -> Tally:
    return failures.crashes("batch", 12, kill=False, one_group=True)


CANARIES: tuple[Canary, ...] = (
    ("bad last frame: truncate", journal.scan, "judge", _naive_judge, lambda: _flips(sealed=False)),
    ("the same, with a seal", journal.scan, "judge", _naive_judge, lambda: _flips(sealed=True)),
    (
        "gaps are torn without proof", journal.scan, "judge", _gaps_always_torn,
        lambda: damage.zeroed("batch", SMALL_SEGMENTS, sealed=False, stride=1),
    ),
    ("gaps are never torn", Seal, "states_all_acknowledged", property(lambda _: False), _one_group),
    ("fsync removed", MemoryStorage, "fdatasync", _nothing, lambda: _power_cuts("always", 3)),
    ("folder sync removed", MemoryStorage, "sync_folder", _nothing, _one_group),
    (
        "seal written before the data", journal.sink.Sink, "_sync_segment", _seal_first,
        lambda: _power_cuts("batch", 12),
    ),
    (
        "no rewriting after a failed fsync", journal.sink, "make_durable", _sync_without_rewriting,
        lambda: failures.failing_io("batch", "fsync", 1),
    ),
    (
        "written zeros taken for lost sectors", journal.torn, "count_zero_sectors", lambda *_: 1 << 15,
        lambda: _flips(sealed=False),
    ),
    (
        "hash chain not checked", journal.scan.Scan, "_check_chain", _nothing,
        lambda: damage.forged("batch", SMALL_SEGMENTS, sealed=True),
    ),
    (
        "segments joined wherever they stood", journal.scan, "follows", lambda *_: True,
        lambda: damage.rearranged("batch", SMALL_SEGMENTS, sealed=False),
    ),
    (
        "seal not read", journal.scan, "read_seal", lambda _: (None, 0),
        lambda: damage.cuts("batch", SMALL_SEGMENTS, sealed=True, stride=29),
    ),
)  # fmt: skip


def canaries() -> list[tuple[str, Tally]]:
    """(what was planted, the row that has to be red)."""
    found = []
    for planted, target, name, bug, run in CANARIES:
        with mock.patch.object(target, name, bug):
            found.append((planted, run()))
    return found
