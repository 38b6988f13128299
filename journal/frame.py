"""A frame as its readers see it. Owns nothing but views; must not know how it was checked."""

from __future__ import annotations

from journal.layout import END_MARK_BYTES, FRAME_HEADER_BYTES, RECORD_BYTES, FrameHeader, seal_frame


class Frame:
    """One frame of a journal, as views into the mapped segment (nothing is copied).

    The views keep their segment mapped for as long as they live: copy what must outlive the loop.
    """

    __slots__ = (
        "_body_bytes",
        "_hash",
        "durable_upto",
        "epoch",
        "event_count",
        "first_sequence",
        "flags",
        "frame_bytes",
        "kind",
        "number",
        "offset",
        "prev",
        "record_count",
        "segment",
        "ts_ingest_ns",
        "view",
        "zero_sectors",
    )

    def __init__(
        self,
        header: FrameHeader,
        view: memoryview,
        segment: str,
        offset: int,
        frame_hash: bytes | None = None,
    ) -> None:
        (
            _,
            _,
            _,
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
            _,
            self.prev,
        ) = header
        self.view = view
        self.segment = segment
        self.offset = offset
        self._hash = frame_hash

    @property
    def records(self) -> memoryview:
        """The stored records: record_count * 128 bytes."""
        return self.view[FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + self.record_count * RECORD_BYTES]

    @property
    def bodies(self) -> memoryview:
        """The opaque bytes after the records, without padding."""
        start = FRAME_HEADER_BYTES + self.record_count * RECORD_BYTES
        return self.view[start : start + self._body_bytes]

    @property
    def hash(self) -> bytes:
        """The frame's RFC 6962 leaf hash, which the next frame carries as `prev`."""
        if self._hash is None:
            self._hash = seal_frame(self.view)[1]
        return self._hash

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
