"""What follows what: a frame on the frames before it, and what was walked apart on what comes before it.

Owns: the rules of order that a header by itself can meet or break, and what a walk of a part tells. Must not
know: who walked, hashes of frames, or what becomes of what does not follow.
"""

from __future__ import annotations

from typing import NamedTuple

from journal.frame import Frame
from journal.layout import SEGMENT_HEADER_BYTES, Identity, SegmentHeader, segment_name, unpack_segment
from journal.merkle import HASH_BYTES
from journal.seal import Seal
from journal.torn import Expected


class Misplaced(NamedTuple):
    """Which rule of order a frame breaks, and how."""

    kind: str
    sentence: str


def misplaced(frame: Frame, expected: Expected) -> Misplaced | None:
    """Why this frame, going by its header, cannot be the next one; None if it can."""
    if frame.genesis_id != expected.genesis_id:
        return Misplaced("frame-foreign", "the frame belongs to another journal")
    if frame.number != expected.number:
        return Misplaced("frame-out-of-order", f"frame {frame.number} stands where frame {expected.number} is due")
    if frame.first_sequence != expected.first_sequence:
        begins, due = frame.first_sequence, expected.first_sequence
        return Misplaced("sequence-gap", f"frame {frame.number} begins with sequence {begins}, but {due} is due")
    if not expected.durable_upto <= frame.durable_upto < frame.number:
        called = f"frame {frame.number} calls frame {frame.durable_upto} durable"
        return Misplaced("durable-order", f"{called} after {expected.durable_upto} was")
    if frame.epoch < expected.epoch:
        epochs = f"is of writer epoch {frame.epoch}, after epoch {expected.epoch}"
        return Misplaced("epoch-order", f"frame {frame.number} {epochs}")
    return None


class WalkedPart(NamedTuple):
    """Frames of a segment, in a row, that a walk found good, taking the word of the first for what precedes it.

    There is at least one. ``header`` is the segment's where they begin it, else empty. They reach from byte ``begin``
    to ``end``, and ``is_rest`` says that the file ends there. ``hashes`` are those of the frames, end to end.
    """

    segment: str
    header: bytes
    begin: int
    end: int
    is_rest: bool
    genesis_id: bytes
    number: int
    first_sequence: int
    prev: bytes
    first_durable_upto: int
    first_epoch: int
    durable_upto: int
    epoch: int
    events: int
    records: int
    hashes: bytes

    @property
    def frames(self) -> int:
        return len(self.hashes) // HASH_BYTES

    @property
    def head(self) -> bytes:
        """The hash of its last frame."""
        return self.hashes[-HASH_BYTES:]

    def frame_hashes(self) -> list[bytes]:
        """The hashes of its frames, one by one."""
        return [self.hashes[at : at + HASH_BYTES] for at in range(0, len(self.hashes), HASH_BYTES)]


def follows(
    part: WalkedPart, segment: str, begin: int, identity: Identity, expected: Expected, seal: Seal | None
) -> bool:
    """Whether the one walk, having come as far as ``expected``, would find all of this part good too.

    It would go on at byte ``begin`` of ``segment``. In the part itself all was found good; so what is left are the
    rules that join the segment's header, the first frame and the seal to what is outside of it.
    """
    due = (expected.genesis_id, expected.number, expected.first_sequence, expected.prev)
    found = (part.genesis_id, part.number, part.first_sequence, part.prev)
    if (part.segment, part.begin) != (segment, begin) or found != due:
        return False
    if begin == SEGMENT_HEADER_BYTES:
        header = SegmentHeader(identity, expected.number, expected.first_sequence, part.prev)
        if segment != segment_name(expected.number) or unpack_segment(part.header) != header:
            return False
    if part.first_durable_upto < expected.durable_upto or part.first_epoch < expected.epoch:
        return False
    if seal is None:
        return True
    at = (seal.frame_number - expected.number) * HASH_BYTES
    acknowledged = part.hashes[at : at + HASH_BYTES] if 0 <= at < len(part.hashes) else seal.frame_hash
    return seal.genesis_id == identity.genesis_id and acknowledged == seal.frame_hash
