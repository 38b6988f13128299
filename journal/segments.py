"""What is known of a segment from outside: its header, and where a walk over segments ended.

Owns: the refusal of newer versions. Must not know: frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from journal.errors import Problem, UnsupportedFormat
from journal.layout import (
    FORMAT_VERSION,
    HASH_SHA256_RFC6962,
    SEGMENT_HEADER_BYTES,
    SegmentHeader,
    UnknownVersion,
    unpack_segment,
)
from journal.storage import Storage


@dataclass(frozen=True, slots=True)
class End:
    """Where the walk stopped: `offset` is the end of the last whole frame in `segment`, the last one kept."""

    segment: str
    offset: int
    number: int
    next_sequence: int
    head: bytes
    epoch: int
    durable_upto: int
    torn: Problem | None = None
    torn_bytes: int = 0


def read_segment_header(storage: Storage, name: str) -> SegmentHeader | None:
    """The header of one segment; None if it is damaged; UnsupportedFormat if it is of a newer format."""
    header = unpack_segment(storage.map(name).view[:SEGMENT_HEADER_BYTES])
    if isinstance(header, UnknownVersion):
        refuse_version(name, header.version, header.hash_algorithm)
    return header


def segment_holding(storage: Storage, segments: Sequence[str], sequence: int) -> int:
    """Which of the segments accounts for ``sequence``, by their headers; the first, if it lies before them."""
    low, high = 0, len(segments) - 1
    while low < high:
        middle = (low + high + 1) // 2
        header = read_segment_header(storage, segments[middle])
        if header is not None and header.first_sequence <= sequence:
            low = middle
        else:
            high = middle - 1
    return low


def refuse_version(where: str, version: int, algorithm: int = HASH_SHA256_RFC6962) -> NoReturn:
    """Raise UnsupportedFormat with one line that names both versions."""
    raise UnsupportedFormat(
        f"{where} has format version {version}, hash {algorithm}; this release reads format "
        f"version {FORMAT_VERSION}, hash {HASH_SHA256_RFC6962}: use a newer release"
    )
