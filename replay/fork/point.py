"""The moment of a fork: the event that names the parent, and the definitions that differ from there on.

Owns these events, and their place: at the end of the transaction in which the wanted event lies.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from journal import Frame, JournalReader
from journal.scan import Scan
from journal.storage import FileStorage
from kernel.events import catalogue as events
from kernel.events.body import encode_body, pack_body
from kernel.events.catalogue import Event, RunForked
from kernel.events.layout import RECORD, Stored, encode
from replay.execution import Prepared
from replay.fork.changes import ForkError
from replay.fork.tandem import is_changed
from replay.opening import opening_events
from replay.session import Injection

MOST_BYTES = 60_000  # of the fork's events: they are one frame
MOST_EVENTS = 400
# What may be said again while a history is under way; what is left out then is off.
AGAIN = (
    events.StrategyDefined,
    events.SizingPlanSet,
    events.ExitPlanSet,
    events.ExitRungSet,
    events.LimitsSet,
    events.RiskRuleSet,
    events.TradingModeSet,
)
Told = tuple[int, int, Event, bytes, int]  # instrument, strategy, event, body, account


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a fork is bound to: the parent's genesis id, and the frame that accounts for the wanted event."""

    genesis_id: str
    frame: int
    frame_hash: str
    at: int

    def genesis(self, mode: str, resolved: dict[str, Any]) -> bytes:
        """16 bytes that identify the fork's journal: a digest of what decides it, so that it comes out again."""
        said = f"fork\0{mode}\0{self.genesis_id}\0{self.frame}\0{self.frame_hash}\0{self.at}\0".encode()
        return hashlib.sha256(said + encode_body(resolved)).digest()[:16]

    def event(self, sequence: int) -> RunForked:
        """The event that says so, after the parent's event ``sequence``."""
        genesis = np.frombuffer(bytes.fromhex(self.genesis_id), ">i8").tolist()
        words = np.frombuffer(bytes.fromhex(self.frame_hash), ">i8").tolist()
        return RunForked(sequence, self.frame, *genesis, *words)


def find_origin(journal: Path, at: int) -> Origin:
    """Where a fork at an event of a journal is bound to. Raises ForkError."""
    reader = JournalReader(journal)
    last, pruned = reader.last_sequence, Scan(FileStorage(journal)).pruned
    if pruned.frames:
        raise ForkError(
            f"the first {pruned.frames:,} frames of the journal were pruned, and a fork does all of it again; fork a "
            "backup from before"
        )
    if not 1 <= at < last:
        raise ForkError(f"--at {at:,}: the journal has events 1 to {last:,}; name one before its last")
    frame: Frame = next(iter(reader.iter_from(at)))
    return Origin(genesis_id=reader.genesis_id.hex(), frame=frame.number, frame_hash=frame.hash.hex(), at=at)


def differing_events(parent: Prepared, forked: Prepared) -> list[Told]:
    """The definitions that the fork has and its parent has not, in their order. Raises ForkError."""
    before, after = _by_key(parent), _by_key(forked)
    renewed = {key[2] for key, told in after.items() if before.get(key) != told and key[0] is events.StrategyDefined}
    found: list[Told] = []
    for key, told in after.items():
        # A definition of a strategy makes its sizing the ordinary one, so what sizes it is said again.
        again = key[0] is events.SizingPlanSet and key[2] in renewed
        if before.get(key) != told or again:
            if key[0] not in AGAIN:
                raise ForkError(
                    f"the fork would have another {key[0].__name__}, which a history under way cannot change"
                )
            found.append(told)
    for key in before.keys() - after.keys():
        found.append(_off(key))
    if not found:
        return found
    return sorted(found, key=lambda told: AGAIN.index(type(told[2])))


def _by_key(prepared: Prepared) -> dict[tuple[Any, ...], Told]:
    listed = opening_events(prepared.config, prepared.universe, prepared.strategies, prepared.resolved, 0)
    found: dict[tuple[Any, ...], Told] = {}
    for instrument, strategy, event, body, *account in listed:
        if isinstance(event, events.RunOpened):
            continue
        number = getattr(event, "rule", getattr(event, "rung", 0))
        while (key := (type(event), instrument, strategy, number)) in found:
            number += 1
        found[key] = (instrument, strategy, event, body, account[0] if account else 0)
    return found


def _off(key: tuple[Any, ...]) -> Told:
    kind, instrument, strategy, name = key
    if kind is events.RiskRuleSet:
        return instrument, strategy, events.RiskRuleSet(name, 0), b"", 0
    if kind is events.TradingModeSet:
        return instrument, strategy, events.TradingModeSet(0), encode_body("fork"), 0
    raise ForkError(f"the fork would have no {kind.__name__} any more, which a history under way cannot undo")


class ForkEvents(msgspec.Struct, frozen=True):
    """All that is recorded at a fork."""

    origin: Origin
    definitions: list[Told]
    body: dict[str, Any]

    def told(self, last_sequence: int) -> list[Told]:
        """The events, after the parent's event ``last_sequence``. Raises ForkError when they are too many."""
        listed: list[Told] = [(-1, -1, self.origin.event(last_sequence), encode_body(self.body), -1), *self.definitions]
        if sum(128 + len(pack_body(told[3])) for told in listed) > MOST_BYTES or len(listed) > MOST_EVENTS:
            raise ForkError("the changes are more than one frame holds; make a run of its own")
        return listed


def records_of_told(listed: Sequence[Told], ts_ns: int = 0) -> tuple[np.ndarray, bytes]:
    """Records (dtype RECORD) and their packed bodies; sequences are given when they are taken in."""
    records = [
        encode(Stored(0, ts_ns, ts_ns, 0, instrument, strategy, account, event, body))
        for instrument, strategy, event, body, account in listed
    ]
    bodies = b"".join(pack_body(body) for *_, body, _ in listed if body)
    return np.concatenate(records) if records else np.zeros(0, RECORD), bodies


class ForkPoint(Injection, frozen=True):
    """The place in a run at which something is done, and what is recorded there. ``make`` gets the last sequence."""

    make: Callable[[int], Sequence[Told]]

    def taken(self, next_sequence: int) -> Injection:
        return Injection(self.sequence, *records_of_told(self.make(next_sequence - 1)))


def fork_point(at: int, make: Callable[[int], Sequence[Told]]) -> ForkPoint:
    """The end of the transaction in which event ``at`` lies."""
    return ForkPoint(at + 1, np.zeros(0, RECORD), b"", make)


def fork_body(parent: Prepared, forked: Prepared, changes: list[str]) -> dict[str, Any]:
    """What the event of a fork says for people."""
    sources = {
        new.name: new.source_sha256
        for old, new in zip(parent.strategies, forked.strategies, strict=True)
        if is_changed(old, new)
    }
    return {"changes": changes, "configuration_sha256": forked.config_sha256, "sources_sha256": sources}
