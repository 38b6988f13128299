"""A fork held against its parent: is it bound to it, do both share what they say, and where do they part.

Owns the proof, from the two journals alone, and the finding of the first decision that differs. Sequences after the
fork are moved by the events that the fork itself is.
"""

from collections.abc import Iterator
from itertools import zip_longest

import msgspec
import numpy as np

from kernel.events.catalogue import RunForked, event_types
from kernel.events.layout import INTENDED, RUN_CLOSED, RUN_FORKED, SIGNAL, STATE_DIGEST, Stored, decode
from replay.fork.changes import ForkError
from replay.fork.files import ForkFile
from replay.history import History
from replay.inspect.compare import compare_histories
from replay.inspect.frames import MARKET_KINDS, Filter, HistoryFrame, stored_events

# Words that hold the sequence of another event, by kind.
_NAMED = ("order_id", "group_id", "parent_id", "entry_sequence")
_REFERENCES = {kind.kind: [at for at, name in enumerate(kind.fields) if name in _NAMED] for kind in event_types()}
_WISHES = frozenset((INTENDED.kind, SIGNAL.kind))
_SKIPPED = sorted({*MARKET_KINDS, STATE_DIGEST.kind, RUN_CLOSED.kind})


class ForkProof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``problem`` is empty when the fork is bound to the parent and shares its history."""

    forked_at: int
    frame: int
    events: int
    problem: str


class Parting(msgspec.Struct, frozen=True):
    """The first event after the fork in which the two differ, on each side (None: no such event)."""

    parent: Stored | None
    fork: Stored | None


def fork_event(history: History) -> Stored | None:
    """The event that made a journal a fork; None for one that is none."""
    for frame in history.stored_frames():
        places = np.flatnonzero(frame.records["kind"] == RUN_FORKED.kind)
        if len(places):
            record = frame.records[int(places[0])]
            return decode(record, frame.body_of().get(int(record["sequence"]), b""))
    return None


def check_fork(fork: History, parent: History) -> ForkProof:
    """Hold a fork against its parent, both of which were verified.

    Raises ForkError for a journal that is no fork, and for a parent of which a part is gone: nothing is said then.
    """
    found = fork_event(fork)
    if found is None:
        raise ForkError(f"{fork.journal}: is no fork: there is no event run.forked")
    if parent.pruned.frames:
        raise ForkError(
            f"{parent.journal}: frames 1 to {parent.pruned.frames:,} were pruned, so what the fork shares with them "
            "cannot be compared; give a backup from before"
        )
    event = found.event
    assert isinstance(event, RunForked)
    last, problem = event.parent_sequence, _unbound(event, found.sequence, parent)
    events = 0
    if not problem:
        compared = compare_histories(parent, fork)
        first = compared.difference
        events = compared.events
        if first is not None and first.sequence <= last:
            problem = f"they differ before the fork: {first.describe('the parent', 'the fork')}"
        elif not compared.market:
            problem = f"market rows were not compared: {compared.market_problem}"
    return ForkProof(forked_at=last, frame=event.frame, events=min(events, last), problem=problem)


def _unbound(event: RunForked, sequence: int, parent: History) -> str:
    """Why the fork is not bound to that journal; empty when it is."""
    genesis = words_bytes(event.genesis_0, event.genesis_1)
    if genesis != parent.reader.genesis_id:
        return f"its parent is the journal {genesis.hex()}, and not {parent.reader.genesis_id.hex()}"
    if sequence != event.parent_sequence + 1 or event.parent_sequence > parent.last_sequence:
        return f"it names event {event.parent_sequence:,} of its parent, and stands at {sequence:,}"
    frame = next(iter(parent.reader.iter_from(event.parent_sequence)))
    wanted = words_bytes(event.hash_0, event.hash_1, event.hash_2, event.hash_3)
    if frame.number != event.frame or frame.hash != wanted:
        return f"frame {event.frame:,} of the parent has the hash {frame.hash.hex()}, and the fork names {wanted.hex()}"
    return ""


def words_bytes(*words: int) -> bytes:
    """Big-endian 64-bit words as the bytes that they stand for."""
    return np.array(words, ">i8").tobytes()


def first_parting(parent: History, fork: History, file: ForkFile) -> Parting | None:
    """The first decision or report after the fork that differs; None when there is none.

    Market rows, digests and the end are passed over; sequences in the fork are counted without what the fork itself
    recorded.
    """
    forked_at, shift = file.forked_at, file.own_events
    if file.live is not None:
        here, there = _wishes(parent, forked_at), _wishes(fork, forked_at + shift)
    else:
        here, there = _after(parent, forked_at, 0), _after(fork, forked_at + shift, shift)
    for left, right in zip_longest(here, there):
        if left is None or right is None or left[0].tobytes() != right[0].tobytes():
            return Parting(None if left is None else left[1], None if right is None else right[1])
    return None


def _after(history: History, last: int, shift: int) -> Iterator[tuple[np.ndarray, Stored]]:
    """The events after ``last``, as they would be without ``shift`` events before them, and as they are."""
    for frame in history.stored_frames(last + 1):
        records = frame.records[(frame.records["sequence"] > last) & ~np.isin(frame.records["kind"], _SKIPPED)]
        moved = _moved(records, last - shift, shift)
        for at in range(len(records)):
            yield moved[at : at + 1], _stored(records[at], frame)


def _wishes(history: History, last: int) -> Iterator[tuple[np.ndarray, Stored]]:
    """What was wanted after ``last``: orders and signals, with nothing in them that names another event.

    A session's journal has reports of a real venue where the fork's has simulated ones, so nothing else has its like.
    """
    for records, bodies in history.batches(Filter(kinds=_WISHES, first=last + 1)):
        bare = records.copy()
        bare["sequence"] = bare["cause"] = 0
        for at, stored in enumerate(stored_events(records, bodies)):
            yield bare[at : at + 1], stored


def _moved(records: np.ndarray, last: int, shift: int) -> np.ndarray:
    out: np.ndarray = records.copy()
    out["sequence"] -= shift
    out["cause"] -= np.where(out["cause"] > last + shift, shift, 0)
    for kind in np.unique(out["kind"]).tolist():
        for word in _REFERENCES.get(kind, []):
            mine = out["kind"] == kind
            values = out["words"][mine, word]
            out["words"][mine, word] = values - np.where(values > last + shift, shift, 0)
    return out


def _stored(record: np.void, frame: HistoryFrame) -> Stored:
    return decode(record, frame.body_of().get(int(record["sequence"]), b""))
