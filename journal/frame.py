"""A frame as its readers see it. Owns nothing but views; must not know how it was checked."""

from __future__ import annotations

from typing import Any

from journal.encryption import Bound, EncryptionError, Keyring
from journal.layout import ENCRYPTED, END_MARK_BYTES, FRAME_HEADER_BYTES, RECORD_BYTES, seal_frame


class Frame:
    """One frame of a journal, as views into the mapped segment (nothing is copied).

    The views keep their segment mapped for as long as they live: copy what must outlive the loop. Of an encrypted
    frame ``records`` and ``bodies`` are opened with the keys of its journal; all else is as it is stored.
    """

    __slots__ = (
        "_body_bytes",
        "_keys",
        "_plain",
        "durable_upto",
        "epoch",
        "event_count",
        "first_sequence",
        "flags",
        "frame_bytes",
        "genesis_id",
        "kind",
        "known_hash",
        "number",
        "offset",
        "prev",
        "record_count",
        "segment",
        "ts_ingest_ns",
        "version",
        "view",
        "zero_sectors",
    )

    version: int
    kind: int
    flags: int
    record_count: int
    zero_sectors: int
    frame_bytes: int
    event_count: int
    number: int
    first_sequence: int
    durable_upto: int
    ts_ingest_ns: int
    epoch: int
    genesis_id: bytes
    prev: bytes

    def __init__(
        self,
        fields: tuple[Any, ...],
        view: memoryview,
        segment: str,
        offset: int,
        frame_hash: bytes | None = None,
        keys: Keyring | None = None,
    ) -> None:
        (
            _,
            _,
            self.version,
            self.kind,
            self.flags,
            self.record_count,
            self.zero_sectors,
            self._body_bytes,
            self.frame_bytes,
            self.event_count,
            self.number,
            self.first_sequence,
            self.durable_upto,
            self.ts_ingest_ns,
            self.epoch,
            self.genesis_id,
            self.prev,
            _,
            _,
        ) = fields
        self.view = view
        self.segment = segment
        self.offset = offset
        self.known_hash = frame_hash  # None until it is worked out
        self._keys = keys
        self._plain: memoryview | None = None

    @property
    def records(self) -> memoryview:
        """The stored records: record_count * 128 bytes. Raises EncryptionError where they cannot be opened."""
        return self._payload[: self.record_count * RECORD_BYTES]

    @property
    def bodies(self) -> memoryview:
        """The opaque bytes after the records, without padding."""
        return self._payload[self.record_count * RECORD_BYTES :]

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & ENCRYPTED)

    @property
    def _payload(self) -> memoryview:
        end = FRAME_HEADER_BYTES + self.record_count * RECORD_BYTES + self._body_bytes
        stored = self.view[FRAME_HEADER_BYTES:end]
        if not self.flags & ENCRYPTED:
            return stored
        if self._plain is None:
            if self._keys is None:
                raise EncryptionError(f"frame {self.number} is encrypted, and its journal's keys are not here")
            bound = Bound(
                self.genesis_id,
                self.number,
                self.first_sequence,
                self.event_count,
                self.ts_ingest_ns,
                self.kind,
                self.flags,
                self.record_count,
                self._body_bytes,
            )
            self._plain = self._keys.open(stored, bound)
        return self._plain

    @property
    def fields(self) -> dict[str, int]:
        """What ``JournalWriter.append`` is given beside records and bodies to write such a frame again, in plain."""
        return {
            "event_count": self.event_count,
            "first_sequence": self.first_sequence,
            "ts_ingest_ns": self.ts_ingest_ns,
            "kind": self.kind,
            "flags": self.flags & ~ENCRYPTED,
        }

    @property
    def hash(self) -> bytes:
        """The frame's RFC 6962 leaf hash, which the next frame carries as `prev`."""
        if self.known_hash is None:
            self.known_hash = seal_frame(self.view)[1]
        return self.known_hash

    @property
    def end_mark(self) -> bytes:
        return bytes(self.view[-END_MARK_BYTES:])

    @property
    def next_sequence(self) -> int:
        """The first sequence of the frame after this one."""
        return self.first_sequence + self.event_count

    def __repr__(self) -> str:
        place = f"{self.segment} at byte {self.offset}"
        return f"Frame({self.number}, sequences {self.first_sequence}+{self.event_count}, {place})"
