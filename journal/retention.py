"""Pruning: removing whole segments from the beginning of a journal, under a policy, so that proofs stay valid.

Owns: which segments a policy lets go, what must cover them first (a signed checkpoint with its tiles, a snapshot, no
hold), and the order of the steps, so that a kill leaves a journal that is whole before or after. Must not know: what
events mean, or the time: both are the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from journal.checkpoint import Checkpoint, open_checkpoint
from journal.errors import CorruptJournal, JournalError
from journal.files import sync_folder, write_file
from journal.kept import TLOG_DIR, kept_checkpoints
from journal.layout import segment_name
from journal.merkle import MerkleTree
from journal.note import NoteError, VerifierKey
from journal.proof import root_of
from journal.pruned import PRUNED_NAME, Pruned, read_pruned
from journal.scan import Scan
from journal.storage import FileStorage
from journal.tiles import TileError, TileNodes

Progress = Callable[[int, int], None]
HOLDS_NAME = "holds"
_DAY_NS = 86_400_000_000_000
_UNITS_NS = {"d": _DAY_NS, "w": 7 * _DAY_NS, "y": 365 * _DAY_NS}
_UNITS_BYTES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
PROGRESS_BYTES = 32 << 20


class RetentionError(JournalError):
    """A policy that is none, or a journal that must not be pruned so. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may go: segments whose last frame is older than ``age_ns``, and while the rest is above ``most_bytes``.

    Where both are given, both must let a segment go.
    """

    text: str
    age_ns: int | None = None
    most_bytes: int | None = None

    @classmethod
    def parse(cls, text: str) -> Policy:
        """``age=180d``, ``size=10GB`` or both with a comma. Raises RetentionError."""
        found: dict[str, int] = {}
        for part in text.split(","):
            age = re.fullmatch(r"\s*age=(\d{1,6})([dwy])\s*", part)
            size = re.fullmatch(r"\s*size=(\d{1,9})(\w{0,2})\s*", part)
            if age is not None and "age" not in found:
                found["age"] = int(age[1]) * _UNITS_NS[age[2]]
            elif size is not None and size[2] in _UNITS_BYTES and "size" not in found:
                found["size"] = int(size[1]) * _UNITS_BYTES[size[2]]
            else:
                raise RetentionError(
                    f"{part.strip()!r} is no policy; write age=180d (or w, y), size=10GB, or age=7y,size=1TB"
                )
        return cls(text, found.get("age"), found.get("size"))


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch of time that must be kept until it is released, both ends in it; nanoseconds."""

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One segment: where it ends, in frames, events and time, and what the tree is up to there."""

    name: str
    frames: int
    next_sequence: int
    first_ns: int
    last_ns: int
    length_bytes: int
    hash: bytes
    frontier: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        return MerkleTree.grown(self.frames, self.frontier).root


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy lets go: all up to the end of ``last`` (None: nothing). ``why`` says why no more than that."""

    genesis_id: bytes
    already: int
    gone: tuple[Stretch, ...]
    kept_bytes: int
    why: str

    @property
    def last(self) -> Stretch | None:
        return self.gone[-1] if self.gone else None

    @property
    def gone_bytes(self) -> int:
        return sum(one.length_bytes for one in self.gone)


# --- holds ----------------------------------------------------------------------------------------------------------


def read_holds(journal: Path) -> list[Hold]:
    """The holds that are in force. Raises RetentionError for a damaged file: then nothing may be pruned."""
    path = journal / HOLDS_NAME
    if not path.is_file():
        return []
    holds = []
    for line in path.read_text().splitlines():
        words = line.split(" ")
        if len(words) != 3 or not all(re.fullmatch(r"-?\d{1,19}", word) for word in words[1:]):
            raise RetentionError(f"{path}: {line[:60]!r} is no hold; restore the file, or nothing is pruned")
        holds.append(Hold(words[0], int(words[1]), int(words[2])))
    return holds


def write_holds(journal: Path, holds: Sequence[Hold]) -> None:
    """Replace the holds, whole and durably."""
    write_file(journal / HOLDS_NAME, "".join(f"{one.name} {one.start_ns} {one.end_ns}\n" for one in holds).encode())


# --- planning -------------------------------------------------------------------------------------------------------


def plan_pruning(
    journal: Path,
    policy: Policy,
    now_ns: int,
    snapshot_frames: int,
    progress: Progress | None = None,
    keys: Sequence[VerifierKey] = (),
) -> Plan:
    """Verify the whole journal and find what the policy lets go. Raises JournalError when it is not whole.

    ``snapshot_frames`` is up to which frame a snapshot stands in for the events: 0 where there is none. With ``keys``
    only checkpoints count that one of them signed.
    """
    scan = Scan(FileStorage(journal))
    notes = {note.size: note for note in _checkpoints(journal, keys)}
    stretches, signed = _walk(scan, notes, progress)
    total, gone = sum(one.length_bytes for one in stretches), list[Stretch]()
    why = "the last segment always stays"
    for one in stretches[:-1]:
        why = _refusal(one, policy, now_ns, total, read_holds(journal), signed, snapshot_frames)
        if why:
            break
        gone.append(one)
        total -= one.length_bytes
        why = "the last segment always stays"
    if gone and not _has_tiles(journal, notes[signed]):
        gone, why = [], f"the tiles under {TLOG_DIR} do not have the root that was signed; kernel checkpoint makes them"
    assert scan.identity is not None
    return Plan(scan.identity.genesis_id, scan.pruned.frames, tuple(gone), total, why)


def _checkpoints(journal: Path, keys: Sequence[VerifierKey]) -> Iterator[Checkpoint]:
    for note in kept_checkpoints(journal):
        try:
            yield open_checkpoint(note, keys).checkpoint if keys else Checkpoint.of_note(note)
        except NoteError:
            continue  # it covers nothing


def _walk(scan: Scan, notes: dict[int, Checkpoint], progress: Progress | None) -> tuple[list[Stretch], int]:
    """Every segment with frames, and the largest size at which a kept checkpoint has the journal's root."""
    tree, stretches, signed, told = scan.tree(), list[Stretch](), 0, 0
    total = sum(len(scan.storage.map(name).view) for name in scan.segments)
    segment, first_ns, last_ns = "", 0, 0
    for frame in scan.frames():
        if frame.segment != segment:
            segment, first_ns, last_ns = frame.segment, frame.ts_ingest_ns, frame.ts_ingest_ns
            stretches.append(Stretch(segment, 0, 0, 0, 0, 0, b"", ()))
        tree.append(frame.hash)
        first_ns, last_ns = min(first_ns, frame.ts_ingest_ns), max(last_ns, frame.ts_ingest_ns)
        end = frame.offset + frame.frame_bytes
        stretches[-1] = Stretch(
            segment, frame.number, frame.next_sequence, first_ns, last_ns, end, frame.hash, tree.frontier
        )
        if tree.size in notes:
            if notes[tree.size].root != tree.root:
                raise RetentionError(f"a checkpoint was signed over {tree.size:,} other frames: history was rewritten")
            signed = tree.size
        if progress is not None and scan.bytes_done - told >= PROGRESS_BYTES:
            told = scan.bytes_done
            progress(told, total)
    if scan.end is not None and scan.end.torn is not None:
        raise CorruptJournal(scan.end.torn)
    return stretches, signed


def _refusal(
    one: Stretch, policy: Policy, now_ns: int, total: int, holds: Sequence[Hold], signed: int, snapshot_frames: int
) -> str:
    """Why a segment must stay; empty when it may go. What was pruned before it does not matter."""
    for hold in holds:
        if hold.start_ns <= one.last_ns and one.first_ns <= hold.end_ns:
            return f"{one.name} is under the hold {hold.name}"
    if policy.age_ns is not None and one.last_ns > now_ns - policy.age_ns:
        return f"{one.name} is younger than the policy says"
    if policy.most_bytes is not None and total <= policy.most_bytes:
        return "what is left is not larger than the policy says"
    if signed < one.frames:
        return f"no checkpoint covers {one.name} (up to frame {one.frames:,}); make one with kernel checkpoint"
    if snapshot_frames < one.frames:
        return f"no snapshot covers {one.name} (up to frame {one.frames:,}); make one with kernel snapshot"
    return ""


def _has_tiles(journal: Path, signed: Checkpoint) -> bool:
    try:
        return root_of(TileNodes(journal / TLOG_DIR, signed.size), signed.size) == signed.root
    except TileError:
        return False


# --- doing it -------------------------------------------------------------------------------------------------------


def carry_out(journal: Path, plan: Plan) -> None:
    """Write the record of what goes, durably, and then remove it. The caller has recorded why. Safe to interrupt.

    Raises JournalLocked while a writer has the journal.
    """
    last = plan.last
    assert last is not None
    storage = FileStorage(journal)
    storage.lock()
    try:
        if read_pruned(storage).frames != plan.already:
            raise RetentionError(f"{journal}: it was pruned by somebody else meanwhile; look again")
        record = Pruned(plan.genesis_id, last.frames, last.next_sequence, last.hash, last.frontier)
        write_file(journal / PRUNED_NAME, record.pack())
        _remove(journal, record)
    finally:
        storage.unlock()


def finish_pruning(journal: Path) -> int:
    """Remove segments that an interrupted pruning had recorded as gone; returns how many there were."""
    storage = FileStorage(journal)
    storage.lock()
    try:
        return _remove(journal, read_pruned(storage))
    finally:
        storage.unlock()


def _remove(journal: Path, record: Pruned) -> int:
    left = [path for path in sorted(journal.glob("*.seg")) if path.name < segment_name(record.frames + 1)]
    for path in left:
        path.unlink()
    sync_folder(journal)
    return len(left)
