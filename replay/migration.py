"""Writing a journal of an earlier release anew in the layouts of this one.

Owns: what stays as it was (sequences, times, frames, what was not known) and what the report says. The new journal is
another one: its genesis id is made of the old one's last hash, so it is bound to it. The old one is not touched.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from journal import Frame, JournalError, JournalReader, JournalWriter, verify_journal
from journal.encryption import KEYS_NAME, master_in_use
from kernel.events.body import decode_body, encode_body, pack_body, unpack_bodies
from kernel.events.layout import HAS_BODY, schema_digest
from kernel.events.upcast import RELEASED, UpcastError, Upcasters
from replay.audit import event_name, records_of

Progress = Callable[[int, int], None]
_TAG = b"journal-migrated-v1\n"
_GROUP_BYTES = 64 << 20
KERNEL_FRAMES = 0  # the kind of frames that hold events; others are copied as they are


class MigrationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of what. ``upcast`` counts the events that got another layout, by name and version.

    ``unknown_kinds`` were kept as they are, and so were ``unknown_fields`` of bodies, by the event's name.
    """

    frames: int
    events: int
    old_genesis_id: str
    old_head: str
    old_root: str
    old_schema: str
    genesis_id: str
    root: str
    schema: str
    upcast: dict[str, int]
    unknown_kinds: dict[int, int]
    unknown_fields: dict[str, list[str]]


def migrated_genesis_id(genesis_id: bytes, frames: int, head: bytes, schema: bytes) -> bytes:
    """The genesis id of a journal that another was migrated to: of the old one's last hash and the new schema."""
    return hashlib.sha256(_TAG + genesis_id + frames.to_bytes(8, "little") + head + schema).digest()[:16]


def needs_migration(journal: Path) -> bool:
    """Whether a journal was written with another catalogue of events."""
    return JournalReader(journal).schema_digest != schema_digest()


def migrate_journal(
    source: Path, target: Path, upcasters: Upcasters = RELEASED, progress: Progress | None = None
) -> MigrationReport:
    """Verify a journal, and write it anew to ``target``, each event in its newest layout.

    Raises JournalError for one that is not whole, UpcastError for an event that cannot be joined to this release.
    """
    report = verify_journal(source)
    if not report.ok or report.tail != "clean":
        raise JournalError(f"{source}: not whole, so it is not migrated: {report.first_problem}")
    if report.pruned:
        raise JournalError(f"{source}: frames 1 to {report.pruned:,} were pruned; only a whole journal is migrated")
    old, schema, joined = JournalReader(source), schema_digest(), _Joined(upcasters)
    genesis_id = migrated_genesis_id(old.genesis_id, report.frames, report.head, schema)
    with JournalWriter.create(
        target,
        origin=old.origin,
        genesis_id=genesis_id,
        schema_digest=schema,
        first_sequence=old.first_sequence,
        batch_bytes=_GROUP_BYTES,
        master=master_in_use() if (source / KEYS_NAME).is_file() else None,
    ) as writer:
        for frame in old:
            records, bodies = joined.frame(frame)
            writer.append(records, bodies, **frame.fields)
            if progress is not None:
                progress(frame.number, report.frames)
    return MigrationReport(
        frames=report.frames,
        events=report.events,
        old_genesis_id=old.genesis_id.hex(),
        old_head=report.head.hex(),
        old_root=report.root.hex(),
        old_schema=old.schema_digest.hex(),
        genesis_id=genesis_id.hex(),
        root=writer.root.hex(),
        schema=schema.hex(),
        upcast=dict(sorted(joined.counts.items())),
        unknown_kinds=dict(sorted(joined.unknown_kinds.items())),
        unknown_fields={name: sorted(fields) for name, fields in sorted(joined.unknown_fields.items())},
    )


class _Joined:
    """Frames in this release's layouts, and what was found on the way."""

    def __init__(self, upcasters: Upcasters) -> None:
        self._upcasters = upcasters
        self.counts: Counter[str] = Counter()
        self.unknown_kinds: Counter[int] = Counter()
        self.unknown_fields: dict[str, set[str]] = {}

    def frame(self, frame: Frame) -> tuple[bytes, bytes]:
        """Records and bodies of a frame; where nothing changes, byte for byte those that it has."""
        if frame.kind != KERNEL_FRAMES:
            return bytes(frame.records), bytes(frame.bodies)
        records = records_of(frame).copy()
        bodies: list[bytes] | None = None
        for at, (kind, version) in enumerate(zip(records["kind"].tolist(), records["version"].tolist(), strict=True)):
            if not self._upcasters.is_known(kind):
                self.unknown_kinds[kind] += 1
            elif not self._upcasters.is_newest(kind, version):
                if bodies is None:
                    bodies = list(unpack_bodies(records, frame.bodies))
                bodies[at] = self._record(records[at : at + 1], bodies[at])
        if bodies is None:
            return records.tobytes(), bytes(frame.bodies)
        return records.tobytes(), b"".join(pack_body(body) for body in bodies if body)

    def _record(self, record: np.ndarray, body: bytes) -> bytes:
        """Bring one record to its newest version, in place; returns its body."""
        kind, version = int(record["kind"][0]), int(record["version"][0])
        name, sequence = event_name(kind), int(record["sequence"][0])
        try:
            found = self._upcasters.upcast(kind, version, tuple(record["words"][0].tolist()), decode_body(body))
        except UpcastError as error:
            raise UpcastError(f"event {sequence:,} ({name}): {error}") from None
        record["version"], record["words"][0] = found.version, found.words
        self.counts[f"{name} {version} to {found.version}"] += 1
        if found.unknown:
            self.unknown_fields.setdefault(name, set()).update(found.unknown)
        after = encode_body(found.body) if found.body is not None else b""
        record["flags"] = int(record["flags"][0]) & ~HAS_BODY | (HAS_BODY if after else 0)
        return after
