"""The small journal that every case starts from, and the ledger of what its writer acknowledged.

Owns: the calls that are made to a writer, and the tally of outcomes. Must not know: which fault is at work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from journal import (
    CorruptJournal,
    JournalError,
    JournalPoisoned,
    JournalReader,
    JournalWriter,
    UnsupportedFormat,
    recover_journal,
    verify_journal,
)
from journal.faulty import MemoryStorage

FRAMES = 12
GENESIS_ID = bytes(range(16))
SCHEMA_DIGEST = bytes(range(32))
ONE_SEGMENT = 1 << 20
SMALL_SEGMENTS = 2048


@dataclass(slots=True)
class Ledger:
    """What the caller of a writer was told: hashes of appended frames, and the number acknowledged as
    durable.
    """

    hashes: list[bytes] = field(default_factory=list)
    acknowledged: int = 0
    created: bool = False
    stayed_poisoned: bool = True


@dataclass(slots=True)
class Tally:
    """One row of the table. `lost`, `accepted` and `unlike` must end at 0; `refused` counts journals that would not
    open, `unlike` those of which joined segments make another report than the one walk.
    """

    name: str
    cases: int = 0
    lost: int = 0
    accepted: int = 0
    refused: int = 0
    unusable: int = 0
    unlike: int = 0
    slugs: Counter[str] = field(default_factory=Counter)

    @property
    def violations(self) -> int:
        return self.lost + self.accepted + self.unusable + self.unlike


def frame_parts(index: int) -> tuple[bytes, bytes, int]:
    """Records, bodies and event count of the workload's frame `index`; one frame holds whole sectors of
    zeros.
    """
    records = bytes((index * 7 + at) % 251 + 1 for at in range(128 * (index % 4)))
    body = bytes((index + at) % 255 + 1 for at in range(index * 17 % 90))
    if index == 5:
        body = bytes(1200) + body
    if index == 9:
        body = body * 40
    return records, body, index % 3 + 1


def append_frame(writer: JournalWriter, ledger: Ledger, index: int) -> None:
    records, bodies, events = frame_parts(index)
    writer.append(records, bodies, event_count=events, first_sequence=writer.next_sequence, ts_ingest_ns=index * 1000)
    ledger.hashes.append(writer.head)
    ledger.acknowledged = max(ledger.acknowledged, writer.durable_upto)


def run(
    storage: MemoryStorage,
    ledger: Ledger,
    *,
    policy: str,
    segment_bytes: int = SMALL_SEGMENTS,
    frames: int = FRAMES,
    batch_frames: int = 3,
) -> None:
    """Create a journal, append, sync once in the middle, close. The ledger is right even if this raises."""
    writer = JournalWriter.create(
        storage,
        origin="torture",
        genesis_id=GENESIS_ID,
        schema_digest=SCHEMA_DIGEST,
        fsync=policy,
        segment_bytes=segment_bytes,
        batch_frames=batch_frames,
    )
    ledger.created = True
    try:
        for index in range(1, frames + 1):
            append_frame(writer, ledger, index)
            if index == 7:
                ledger.acknowledged = max(ledger.acknowledged, writer.sync())
        writer.close()
    except JournalPoisoned:
        ledger.stayed_poisoned = stays_poisoned(writer)
        raise
    ledger.acknowledged = max(ledger.acknowledged, writer.durable_upto)


def stays_poisoned(writer: JournalWriter) -> bool:
    """Every later call on a failed writer raises with the first cause; closing releases the lock all the
    same.
    """
    durable_upto = writer.durable_upto
    for call in (lambda: append_frame(writer, Ledger(), 99), writer.sync, writer.sync):
        try:
            call()
            return False
        except JournalPoisoned as error:
            if error.cause is None or writer.durable_upto != durable_upto:
                return False
    with suppress(JournalPoisoned):
        writer.close()
    return True


def resume(storage: MemoryStorage, ledger: Ledger, policy: str, frames: int = 2) -> None:
    """Recover, check what is there against the ledger, and write on: all as an operator's restart would."""
    recover_journal(storage)
    with JournalWriter.open(storage, fsync=policy, batch_frames=3) as writer:
        found = [frame.hash for frame in JournalReader(storage)]
        # One more than was told is right: the frame whose append failed may be whole on the disk.
        told = len(ledger.hashes)
        assert found[:told] == ledger.hashes[: len(found)], "recovery found frames that were never written"
        assert len(found) <= told + 1, "recovery found frames that were never written"
        ledger.hashes = found
        ledger.acknowledged = max(ledger.acknowledged, writer.durable_upto)
        for index in range(FRAMES + 1, FRAMES + 1 + frames):
            append_frame(writer, ledger, index)
    ledger.acknowledged = max(ledger.acknowledged, writer.durable_upto)


def check_restart(tally: Tally, storage: MemoryStorage, ledger: Ledger, policy: str, *, may_refuse: bool) -> None:
    """Count one crash case: what was acknowledged must be there, and the journal must be usable again."""
    tally.cases += 1
    acknowledged, before = ledger.acknowledged, list(ledger.hashes)
    try:
        report = recover_journal(storage)
    except (CorruptJournal, UnsupportedFormat) as error:
        tally.refused += 1
        tally.slugs[slug_of(error)] += 1
        tally.unusable += 0 if may_refuse else 1
        return
    except JournalError:
        # No segment at all: right only if the creation never returned, or if nothing was ever made durable.
        tally.slugs["no-journal"] += 1
        tally.lost += ledger.created and policy != "off"
        return
    tally.slugs[report.torn.kind if report.torn else "clean"] += 1
    if report.frames == 0 and not any(name.endswith(".seg") for name in storage.files):
        tally.lost += ledger.created and policy != "off"
        return
    try:
        found = [frame.hash for frame in JournalReader(storage)]
    except CorruptJournal as error:
        tally.slugs[slug_of(error)] += 1
        tally.lost += 1
        return
    if found[:acknowledged] != before[:acknowledged]:
        tally.lost += 1
        return
    if found != before[: len(found)] and len(found) <= len(before):
        tally.accepted += 1
        return
    # A frame whose append never returned may be whole on the disk: it is the caller's in doubt, and it is
    # valid.
    ledger.hashes = found
    resume(storage, ledger, policy)
    report_after = verify_journal(storage)
    tally.unusable += 0 if report_after.ok and report_after.tail == "clean" else 1


def slug_of(error: BaseException) -> str:
    return error.problem.kind if isinstance(error, CorruptJournal) else type(error).__name__


def total(tallies: Iterable[Tally]) -> int:
    return sum(tally.violations for tally in tallies)
