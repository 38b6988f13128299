"""Failures at work: a full disk, failing writes and fsyncs, crashes; each at every point, under every policy.

Owns: where each failure strikes, and that the writer behaves from there on. Must not know: what a disk keeps.
"""

from __future__ import annotations

from contextlib import suppress

from journal import JournalError, JournalPoisoned
from journal.faulty import Crash, Faults, MemoryStorage
from tests.journal.torture.workload import ONE_SEGMENT, Ledger, Tally, check_restart, resume, run

POLICIES = ("always", "batch", "off")


def counts(policy: str) -> MemoryStorage:
    """A fault-free run, for its number of operations, writes, fsyncs and bytes."""
    storage = MemoryStorage()
    run(storage, Ledger(), policy=policy)
    return storage


def full_disk(policy: str, stride: int) -> Tally:
    """Every number of bytes that the disk may still take; then space is freed and the journal reopened."""
    tally = Tally(f"disk full at every byte, {policy}")
    for space in range(0, sum(len(data) for data in counts(policy).files.values()), stride):
        storage, ledger = MemoryStorage(Faults(space_bytes=space)), Ledger()
        failure = _run_to_failure(storage, ledger, policy)
        tally.unusable += failure is None or not ledger.stayed_poisoned or "the disk is full" not in str(failure)
        check_restart(tally, storage.after_kill(), ledger, policy, may_refuse=False)
    return tally


def failing_io(policy: str, what: str, stride: int) -> Tally:
    """EIO on each write or fsync. Then restart; or cut the power; or restart, go on and cut the power."""
    tally = Tally(f"EIO on each {what}, {policy}")
    clean = counts(policy)
    for at in range(1, (clean.writes if what == "write" else clean.fsyncs) + 1, stride):
        for leaves in ("drop", "clean") if what == "fsync" else ("clean",):
            faults = Faults(fsync_failure=leaves)  # type: ignore[arg-type]
            setattr(faults, f"fail_{what}", at)
            _one_failure(tally, faults, policy)
    return tally


def _one_failure(tally: Tally, faults: Faults, policy: str) -> None:
    may_refuse = policy == "off"
    storage, ledger = MemoryStorage(faults), Ledger()
    failure = _run_to_failure(storage, ledger, policy)
    tally.unusable += failure is None or not ledger.stayed_poisoned
    for mode in ("lost", "kept", "torn"):
        cut = storage.after_power_cut(mode, seed=1)  # type: ignore[arg-type]
        check_restart(tally, cut, _copy(ledger), policy, may_refuse=may_refuse)
    if ledger.created:
        # What the reopened journal acknowledges must outlive the next power cut, whatever the failed fsync
        # left.
        reopened, second = storage.after_kill(), _copy(ledger)
        resume(reopened, second, policy)
        for mode in ("lost", "torn"):
            cut = reopened.after_power_cut(mode, seed=2)  # type: ignore[arg-type]
            check_restart(tally, cut, _copy(second), policy, may_refuse=may_refuse)
    check_restart(tally, storage.after_kill(), ledger, policy, may_refuse=may_refuse)


def crashes(policy: str, seeds: int, *, kill: bool, one_group: bool = False) -> Tally:
    """Stop at each operation: as a killed process, or as a power cut that keeps nothing, all, or a part by
    seed.
    """
    shape = "one big group" if one_group else "small segments"
    tally = Tally(f"{'process killed' if kill else 'power cut'} at each operation, {policy}, {shape}")
    options = {"segment_bytes": ONE_SEGMENT, "batch_frames": 99} if one_group else {}
    for at in range(1, counts(policy).operations + 1):
        storage, ledger = MemoryStorage(Faults(crash_at_operation=at)), Ledger()
        with suppress(Crash):
            run(storage, ledger, policy=policy, **options)
        if kill:
            check_restart(tally, storage.after_kill(), ledger, policy, may_refuse=False)
            continue
        for seed in range(seeds):
            mode = ("lost", "kept", "torn")[min(seed, 2)]
            cut = storage.after_power_cut(mode, seed)  # type: ignore[arg-type]
            check_restart(tally, cut, _copy(ledger), policy, may_refuse=policy == "off")
    return tally


def crashes_in_recovery(policy: str) -> Tally:
    """Cut the power, then again at each operation of the recovery and the resumption."""
    may_refuse = policy == "off"
    tally = Tally(f"power cut during recovery, {policy}")
    for at in range(12, counts(policy).operations + 1, 3):
        storage, ledger = MemoryStorage(Faults(crash_at_operation=at)), Ledger()
        with suppress(Crash):
            run(storage, ledger, policy=policy)
        found = storage.after_power_cut("torn", at)
        for again in range(1, 40):
            second, told = MemoryStorage(Faults(crash_at_operation=again), files=found.files), _copy(ledger)
            try:
                resume(second, told, policy)
            except Crash:
                check_restart(tally, second.after_power_cut("torn", again), told, policy, may_refuse=may_refuse)
                continue
            except JournalError:
                tally.unusable += not may_refuse and ledger.created
            break
    return tally


def _run_to_failure(storage: MemoryStorage, ledger: Ledger, policy: str) -> JournalPoisoned | None:
    """Run until the writer fails, then see that it stays failed."""
    try:
        run(storage, ledger, policy=policy)
    except JournalPoisoned as failure:
        return failure
    return None


def _copy(ledger: Ledger) -> Ledger:
    return Ledger(list(ledger.hashes), ledger.acknowledged, ledger.created)
