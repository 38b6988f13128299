"""Snapshots of the state: what the events before one come to, bound to the frame that it was taken after.

Owns: what a snapshot says of itself (reducer, layout, digest, definitions), when one may stand in for the events, and
the check of one against all of them. A snapshot is never authoritative: the journal is. It is refused where it does not
fit, and ``check_snapshots`` folds from the first event and compares.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import kernel
from journal import JournalError, Snapshot, SnapshotStore, verify_journal
from journal.encryption import KEYS_NAME
from kernel.events.layout import RECORD, Stored, decode
from kernel.records import record_bytes
from kernel.state import STATE, state_digest

Progress = Callable[[int, int], None]


class SnapshotError(JournalError):
    """A snapshot that cannot be taken or used. The text says why."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself. ``definitions`` are the records and bodies that say what its numbers mean."""

    genesis_id: str
    root: str
    reducer: str
    layout: str
    state_digest: str
    definitions: list[tuple[bytes, bytes]]


class Standing(msgspec.Struct, frozen=True):
    """A snapshot that was checked: the state after ``sequence``, as its own copy."""

    sequence: int
    frame_number: int
    head: bytes
    state: Any
    facts: Facts


@cache
def reducer_version() -> str:
    """SHA-256 over all sources of the core: another one may come to another state."""
    digest, root = hashlib.sha256(), Path(kernel.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] != "cli":
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def state_layout() -> str:
    """SHA-256 over the names, types and places of the state's fields: another one cannot be read."""
    return hashlib.sha256(repr(STATE).encode()).hexdigest()


def take_snapshot(
    journal: Path,
    genesis_id: bytes,
    state: Any,
    definitions: list[tuple[bytes, bytes]],
    progress: Progress | None = None,
) -> Facts:
    """Keep the state after the last event of a journal, whose every byte is verified first. Raises SnapshotError."""
    if (journal / KEYS_NAME).is_file():
        raise SnapshotError(f"{journal}: encrypted; a snapshot would hold its state in plain, so none is taken")
    report = verify_journal(journal, progress)
    if not report.ok or report.tail != "clean":
        raise SnapshotError(f"{journal}: not whole, so no snapshot is taken: {report.first_problem}")
    facts = Facts(
        genesis_id=genesis_id.hex(),
        root=report.root.hex(),
        reducer=reducer_version(),
        layout=state_layout(),
        state_digest=state_digest(state).hex(),
        definitions=definitions,
    )
    SnapshotStore(journal).save(
        int(state.head.next_sequence) - 1,
        record_bytes(state),
        frame_number=report.frames,
        root_or_head=report.head,
        meta=msgspec.msgpack.encode(facts),
    )
    return facts


def standing(snapshot: Snapshot, genesis_id: bytes) -> Standing:
    """A snapshot as a state. Raises SnapshotError where it is of another journal or layout, or not what it says."""
    facts = facts_of(snapshot)
    if facts.genesis_id != genesis_id.hex():
        raise SnapshotError(f"{snapshot.name} is of another journal")
    if facts.layout != state_layout():
        raise SnapshotError(f"{snapshot.name} is of a release with another layout of the state")
    if len(snapshot.payload) != STATE.itemsize or hashlib.sha256(snapshot.payload).hexdigest() != facts.state_digest:
        raise SnapshotError(f"{snapshot.name} does not hold the state that it names")
    whole = np.zeros(1, STATE)
    whole.view(np.uint8)[:] = np.frombuffer(snapshot.payload, np.uint8)
    return Standing(snapshot.sequence, snapshot.frame_number, snapshot.root_or_head, whole[0], facts)


def facts_of(snapshot: Snapshot) -> Facts:
    """What a snapshot says of itself. Raises SnapshotError."""
    try:
        return msgspec.msgpack.decode(snapshot.meta, type=Facts)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"{snapshot.name} does not say what it is: {error}") from None


def newest(journal: Path, genesis_id: bytes, at_most: int | None, *, same_reducer: bool) -> Standing | None:
    """The newest snapshot of at most that sequence that can stand in for the events before it, or None."""
    store, bound = SnapshotStore(journal), at_most
    while (found := store.latest(bound)) is not None:
        try:
            usable = standing(found, genesis_id)
            if not same_reducer or usable.facts.reducer == reducer_version():
                return usable
        except SnapshotError:
            pass
        bound = found.sequence - 1
    return None


def definitions_of(facts: Facts) -> list[Stored]:
    """The defining events that a snapshot carries."""
    return [decode(np.frombuffer(record, RECORD)[0], body) for record, body in facts.definitions]


class Checked(msgspec.Struct, frozen=True):
    """What folding found of one snapshot: empty ``problem`` where it is what the events come to."""

    sequence: int
    frame_number: int
    state_digest: str
    problem: str
