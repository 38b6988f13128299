"""The one walk over a journal: it checks every rule of the format, frame by frame, in order.

Owns: the order of the checks and the words for each finding. The reader, the verifier, the recovery and the
writer's opening all use this walk, so they cannot disagree. Must not know: how to repair anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from journal.encryption import Keyring
from journal.errors import CorruptJournal, JournalError, Problem
from journal.frame import Frame
from journal.hashing import HashAhead
from journal.layout import (
    END_MARK_BYTES,
    FORMAT_VERSION,
    SEGMENT_HEADER_BYTES,
    FrameHeader,
    Identity,
    SegmentHeader,
    UnknownVersion,
    seal_frame,
    segment_name,
    unpack_frame_header,
    unpack_segment,
)
from journal.merkle import MerkleTree
from journal.pruned import read_pruned
from journal.seal import HEAD_NAME, read_seal
from journal.segments import End, read_segment_header, refuse_version
from journal.storage import Storage
from journal.torn import REFUSED, Expected, Verdict, judge, judge_segment_header

RELEASE_BYTES = 8 << 20


class Scan:
    """Walks the frames of a journal once. After the walk, `end` says where and how it ended.

    Raises CorruptJournal at the first break, UnsupportedFormat for a newer format, JournalError if there is
    no journal. A torn tail ends the walk quietly: see `end.torn`. Without `check_hashes`, headers and numbers
    are checked, but neither end marks nor the chain. `ahead` hashes what comes next on other threads.
    """

    def __init__(self, storage: Storage, *, check_hashes: bool = True, ahead: HashAhead | None = None) -> None:
        self.storage, self._ahead, self.keys = storage, ahead, Keyring(storage)
        self.check_hashes = check_hashes
        # The seal is read before the segments: a writer may be at work, and the seal must not be the newer of
        # the two.
        self.seal, self.sealed_epoch = read_seal(storage)
        self.pruned = read_pruned(storage)
        # Segments of frames that were pruned are no part of the journal any more, should they still be there.
        least = segment_name(self.pruned.frames + 1)
        self.segments = [name for name in storage.list() if name.endswith(".seg") and name >= least]
        if not self.segments:
            raise JournalError("there is no journal here: no segment file was found")
        first = read_segment_header(storage, self.segments[0])
        self.identity: Identity | None = first.identity if first is not None else None
        self.end: End | None = None
        self.bytes_done = 0
        self._previous: Frame | None = None
        acknowledged = self.seal.frame_number if self.seal is not None else 0
        covered = self.seal is not None and self.seal.states_all_acknowledged
        genesis_id = self.identity.genesis_id if self.identity is not None else b""
        pruned = self.pruned
        if pruned.frames and self.identity is not None and pruned.genesis_id != genesis_id:
            raise JournalError("the record of pruned frames is of another journal; restore the folder from a backup")
        first_sequence = first.first_sequence if first else 0
        self.first_prev = (
            self.identity.genesis_prev() if self.identity is not None and not pruned.frames else pruned.prev
        )
        self._expected = Expected(
            genesis_id,
            pruned.frames + 1,
            pruned.next_sequence if pruned.frames else first_sequence,
            self.first_prev or None,
            0,
            0,
            acknowledged,
            covered,
        )

    @property
    def first_sequence(self) -> int:
        """The sequence with which the walk begins; before the walk, the journal's first."""
        return self._expected.first_sequence

    def tree(self) -> MerkleTree:
        """The tree over the frames before the first that is there: without leaves, if nothing was pruned."""
        return MerkleTree.grown(self.pruned.frames, self.pruned.frontier)

    def frames(self, from_sequence: int | None = None) -> Iterator[Frame]:
        """The whole frames in order, from the one that holds `from_sequence` on (None: all of them)."""
        seal, expected = self.seal, self._expected
        if seal is not None and self.identity is not None and seal.genesis_id != self.identity.genesis_id:
            self._corrupt("foreign-seal", HEAD_NAME, 0, "the head seal belongs to another journal")
        start = 0
        if from_sequence is not None:
            start = self._segment_holding(from_sequence)
            header = read_segment_header(self.storage, self.segments[start])
            if start and header is not None:
                expected.number, expected.first_sequence = header.first_frame_number, header.first_sequence
                expected.prev = header.prev
        for index in range(start, len(self.segments)):
            yield from self._segment(index, from_sequence)
            if self.end is not None:
                return
        self._finish()

    def _segment_holding(self, sequence: int) -> int:
        low, high = 0, len(self.segments) - 1
        while low < high:
            middle = (low + high + 1) // 2
            header = read_segment_header(self.storage, self.segments[middle])
            if header is not None and header.first_sequence <= sequence:
                low = middle
            else:
                high = middle - 1
        return low

    def _segment(self, index: int, from_sequence: int | None) -> Iterator[Frame]:
        mapped, name = self.storage.map(self.segments[index]), self.segments[index]
        view = mapped.view
        if not self._enter_segment(index, view):
            return
        offset, released = SEGMENT_HEADER_BYTES, 0
        if self._ahead is not None:
            self._ahead.begin(view, offset)
        while offset < len(view):
            frame = self._frame(index, view, offset, from_sequence)
            if frame is None:
                return
            offset += frame.frame_bytes
            self.bytes_done += frame.frame_bytes
            self._advance(frame)
            if from_sequence is None or frame.next_sequence > from_sequence:
                yield frame
            if offset - released >= RELEASE_BYTES:
                mapped.release_before(frame.offset)
                released = offset
        self._kept = (name, offset)

    def _enter_segment(self, index: int, view: memoryview) -> bool:
        """Check a segment's name and header; False (and `end` set) if its creation was interrupted."""
        name, expected = self.segments[index], self._expected
        self._settle_prev()
        if name != segment_name(expected.number):
            self._corrupt(
                "segment-missing",
                name,
                0,
                f"the segment that begins with frame {expected.number} is missing; the next one found is {name}",
            )
        header = unpack_segment(view[:SEGMENT_HEADER_BYTES])
        if isinstance(header, UnknownVersion):
            refuse_version(name, header.version, header.hash_algorithm)
        if header is None:
            due = None
            if self.identity is not None and expected.prev is not None:
                due = SegmentHeader(self.identity, expected.number, expected.first_sequence, expected.prev).pack()
            last = index == len(self.segments) - 1
            self._stop(judge_segment_header(view, name, due, expected, is_last_segment=last), name, 0, len(view))
            return False
        found = (header.identity, header.first_frame_number, header.first_sequence, header.prev)
        if found != (self.identity, expected.number, expected.first_sequence, expected.prev):
            self._corrupt("segment-foreign", name, 0, "the segment's header does not follow from what precedes it")
        self._kept = (name, SEGMENT_HEADER_BYTES)
        self.bytes_done += SEGMENT_HEADER_BYTES
        return True

    def _frame(self, index: int, view: memoryview, offset: int, from_sequence: int | None) -> Frame | None:
        """The checked frame at `offset`; None (and `end` set) if a torn tail begins there."""
        name = self.segments[index]
        header = unpack_frame_header(view, offset)
        if header is not None:
            self._check_numbers(header, name, offset)
            stop = offset + header.frame_bytes
            if stop <= len(view):
                frame_view = view[offset:stop]
                skip = from_sequence is not None and header.first_sequence + header.event_count <= from_sequence
                if skip or not self.check_hashes:
                    if any(frame_view[-END_MARK_BYTES:]):
                        return Frame(header, frame_view, name, offset, keys=self.keys)
                else:
                    hashed_ahead = self._ahead.take(offset) if self._ahead is not None else None
                    end_mark, hashed = hashed_ahead or seal_frame(frame_view)
                    if frame_view[-END_MARK_BYTES:] == end_mark:
                        self._check_chain(header, hashed, name, offset)
                        return Frame(header, frame_view, name, offset, hashed, self.keys)
        self._settle_prev()
        verdict = judge(view, name, offset, self._expected, is_last_segment=index == len(self.segments) - 1)
        self._stop(verdict, name, offset, len(view) - offset)
        return None

    def _check_numbers(self, header: FrameHeader, name: str, offset: int) -> None:
        """The header is intact, its CRC says so; does it belong here? What fails here cannot be torn."""
        expected = self._expected
        if header.version != FORMAT_VERSION:
            refuse_version(f"the frame at byte {offset} of {name}", header.version)
        if header.genesis_id != expected.genesis_id:
            self._corrupt("frame-foreign", name, offset, "the frame belongs to another journal")
        if header.number != expected.number:
            self._corrupt(
                "frame-out-of-order",
                name,
                offset,
                f"frame {header.number} stands where frame {expected.number} is due",
            )
        if header.first_sequence != expected.first_sequence:
            self._corrupt(
                "sequence-gap",
                name,
                offset,
                f"frame {header.number} begins with sequence "
                f"{header.first_sequence}, but {expected.first_sequence} is due",
            )
        if not expected.durable_upto <= header.durable_upto < header.number:
            self._corrupt(
                "durable-order",
                name,
                offset,
                f"frame {header.number} calls frame {header.durable_upto} durable after {expected.durable_upto} was",
            )
        if header.epoch < expected.epoch:
            self._corrupt(
                "epoch-order",
                name,
                offset,
                f"frame {header.number} is of writer epoch {header.epoch}, after epoch {expected.epoch}",
            )

    def _check_chain(self, header: FrameHeader, hashed: bytes, name: str, offset: int) -> None:
        self._settle_prev()
        expected = self._expected
        if expected.prev is not None and header.prev != expected.prev:
            self._corrupt(
                "chain-broken",
                name,
                offset,
                f"frame {header.number} does not carry the hash of the frame before it",
            )
        if self.seal is not None and header.number == self.seal.frame_number and hashed != self.seal.frame_hash:
            self._corrupt(
                "acknowledged-differs",
                name,
                offset,
                f"frame {header.number} is not the one that was acknowledged",
            )

    def _settle_prev(self) -> None:
        # The hash of a frame that was skipped, or read without hashing, is worked out only where it is
        # needed.
        if self._previous is not None:
            self._expected.prev = self._previous.hash
            self._previous = None

    def _advance(self, frame: Frame) -> None:
        expected = self._expected
        expected.number = frame.number + 1
        expected.first_sequence = frame.next_sequence
        expected.durable_upto = frame.durable_upto
        expected.epoch = frame.epoch
        self._previous = frame

    def _finish(self) -> None:
        expected = self._expected
        self._settle_prev()
        if expected.number <= expected.acknowledged:
            self._corrupt(
                "acknowledged-missing",
                *self._kept,
                f"the journal ends with frame {expected.number - 1}, "
                f"but frame {expected.acknowledged} was acknowledged",
            )
        self._set_end(*self._kept)

    def _stop(self, verdict: Verdict, name: str, offset: int, torn_bytes: int) -> None:
        if not verdict.torn:
            raise CorruptJournal(verdict.problem)
        self._set_end(name, offset, verdict.problem, torn_bytes)

    def _set_end(self, name: str, offset: int, torn: Problem | None = None, torn_bytes: int = 0) -> None:
        expected = self._expected
        self.end = End(
            name,
            offset,
            expected.number - 1,
            expected.first_sequence,
            expected.prev or b"",
            expected.epoch,
            expected.durable_upto,
            torn,
            torn_bytes,
        )

    def _corrupt(self, kind: str, segment: str, offset: int, sentence: str) -> NoReturn:
        raise CorruptJournal(Problem(kind, segment, offset, self._expected.number, sentence, REFUSED))
