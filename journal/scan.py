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
from journal.layout import (
    END_MARK_BYTES,
    FORMAT_VERSION,
    SEGMENT_HEADER_BYTES,
    Identity,
    SegmentHeader,
    UnknownVersion,
    seal_frame,
    segment_name,
    unpack_frame_fields,
    unpack_segment,
)
from journal.merkle import MerkleTree
from journal.order import WalkedPart, follows, misplaced
from journal.pruned import read_pruned
from journal.seal import HEAD_NAME, read_seal
from journal.segments import End, read_segment_header, refuse_version, segment_holding
from journal.storage import Storage
from journal.torn import REFUSED, Expected, Verdict, judge, judge_segment_header

RELEASE_BYTES = 8 << 20


class Scan:
    """Walks the frames of a journal once. After the walk, `end` says where and how it ended.

    Raises CorruptJournal at the first break, UnsupportedFormat for a newer format, JournalError if there is
    no journal. A torn tail ends the walk quietly: see `end.torn`. Without `check_hashes`, headers and numbers
    are checked, but neither end marks nor the chain.
    """

    def __init__(self, storage: Storage, *, check_hashes: bool = True) -> None:
        self.storage, self.keys = storage, Keyring(storage)
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
        self._joined, self._begin = 0, SEGMENT_HEADER_BYTES  # where parts that were walked apart have led
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
        """The whole frames in order, from the one that holds `from_sequence` on (None: all that did not join)."""
        seal, expected = self.seal, self._expected
        if seal is not None and self.identity is not None and seal.genesis_id != self.identity.genesis_id:
            self._corrupt("foreign-seal", HEAD_NAME, 0, "the head seal belongs to another journal")
        start = self._joined
        if from_sequence is not None:
            start = segment_holding(self.storage, self.segments, from_sequence)
            if start:
                header = read_segment_header(self.storage, self.segments[start])
                if header is not None:
                    expected.number, expected.first_sequence = header.first_frame_number, header.first_sequence
                    expected.prev = header.prev
        for index in range(start, len(self.segments)):
            begin = self._begin if index == self._joined else SEGMENT_HEADER_BYTES
            yield from self._segment(index, from_sequence, begin)
            if self.end is not None:
                return
        self._finish()

    def frames_apart(self, segment: str, begin: int, number: int, first_sequence: int, prev: bytes) -> Iterator[Frame]:
        """The whole frames of one segment from byte `begin` on; the first has these, and all before it is assumed."""
        expected = self._expected
        expected.number, expected.first_sequence, expected.prev = number, first_sequence, prev
        expected.epoch = expected.durable_upto = 0
        self._previous = self.end = None
        yield from self._segment(self.segments.index(segment), None, begin)

    def join(self, part: WalkedPart) -> bool:
        """Go on after this part, which was walked apart, if this walk would have found it good; else False."""
        expected, at = self._expected, self._joined
        if self.identity is None or at == len(self.segments):
            return False
        if not follows(part, self.segments[at], self._begin, self.identity, expected, self.seal):
            return False
        expected.number += part.frames
        expected.first_sequence += part.events
        expected.prev, expected.epoch, expected.durable_upto = part.head, part.epoch, part.durable_upto
        self.bytes_done += part.end - part.begin + len(part.header)
        self._kept = (part.segment, part.end)
        self._joined, self._begin = (at + 1, SEGMENT_HEADER_BYTES) if part.is_rest else (at, part.end)
        return True

    def _segment(self, index: int, from_sequence: int | None, begin: int) -> Iterator[Frame]:
        mapped, name = self.storage.map(self.segments[index]), self.segments[index]
        view = mapped.view
        if begin == SEGMENT_HEADER_BYTES and not self._enter_segment(index, view):
            return
        offset, released = begin, 0
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
        fields = unpack_frame_fields(view, offset)
        if fields is not None:
            frame = Frame(fields, view, name, offset, None, self.keys)
            self._check_place(frame)
            stop = offset + frame.frame_bytes
            if stop <= len(view):
                frame.view = frame_view = view[offset:stop]
                skip = from_sequence is not None and frame.next_sequence <= from_sequence
                if skip or not self.check_hashes:
                    if any(frame_view[-END_MARK_BYTES:]):
                        return frame
                else:
                    end_mark, frame.known_hash = seal_frame(frame_view)
                    if frame_view[-END_MARK_BYTES:] == end_mark:
                        self._check_chain(frame)
                        return frame
        self._settle_prev()
        verdict = judge(view, name, offset, self._expected, is_last_segment=index == len(self.segments) - 1)
        self._stop(verdict, name, offset, len(view) - offset)
        return None

    def _check_place(self, frame: Frame) -> None:
        """The header is intact, its CRC says so; does it belong here? What fails here cannot be torn."""
        if frame.version != FORMAT_VERSION:
            refuse_version(f"the frame at byte {frame.offset} of {frame.segment}", frame.version)
        wrong = misplaced(frame, self._expected)
        if wrong is not None:
            self._corrupt(wrong.kind, frame.segment, frame.offset, wrong.sentence)

    def _check_chain(self, frame: Frame) -> None:
        if self._previous is not None:
            self._settle_prev()
        prev, seal = self._expected.prev, self.seal
        if prev is not None and frame.prev != prev:
            self._corrupt(
                "chain-broken",
                frame.segment,
                frame.offset,
                f"frame {frame.number} does not carry the hash of the frame before it",
            )
        if seal is not None and frame.number == seal.frame_number and frame.known_hash != seal.frame_hash:
            self._corrupt(
                "acknowledged-differs",
                frame.segment,
                frame.offset,
                f"frame {frame.number} is not the one that was acknowledged",
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
        expected.first_sequence = frame.first_sequence + frame.event_count
        expected.durable_upto = frame.durable_upto
        expected.epoch = frame.epoch
        if frame.known_hash is None:
            self._previous = frame
        else:
            expected.prev = frame.known_hash

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
