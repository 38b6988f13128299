"""Proofs as files that are checked offline, without the journal: of one event, and that a log only grew.

Owns: the layout of both (FORMAT.md describes them), making them from a journal and checking them. Must not know: what
an event means: the frame is in the proof, byte for byte.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from journal.checkpoint import Checkpoint, SignedCheckpoint, checkpoint_origin, open_checkpoint
from journal.errors import JournalError
from journal.frame import Frame
from journal.kept import LogError
from journal.layout import END_MARK_BYTES, seal_frame, unpack_frame_header
from journal.note import VerifierKey, decode_hash, decode_number
from journal.proof import is_consistent, is_included, prove_consistency, prove_inclusion
from journal.reader import JournalReader
from journal.tlog import nodes_of

EVENT_MAGIC = "journal-event-proof@v1"
CONSISTENCY_MAGIC = "journal-consistency-proof@v1"
TLOG_PROOF_MAGIC = "c2sp.org/tlog-proof@v1"
MOST_PROOF_BYTES = 200_000


class ProofError(JournalError):
    """A proof that does not prove. The text says why."""


@dataclass(frozen=True, slots=True)
class EventProof:
    """A checked proof: the frame that accounts for the event is in the log that the keys signed."""

    sequence: int
    frame: Frame
    signed: SignedCheckpoint

    @property
    def checkpoint(self) -> Checkpoint:
        return self.signed.checkpoint


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """A checked proof: the log of ``old`` is the beginning of the log of ``new``."""

    old: Checkpoint
    signed: SignedCheckpoint

    @property
    def new(self) -> Checkpoint:
        return self.signed.checkpoint


def prove_event(journal: Path, sequence: int, note: bytes) -> bytes:
    """The proof file of one event, under a checkpoint. Raises LogError or another JournalError."""
    checkpoint = Checkpoint.of_note(note)
    reader = JournalReader(journal, check_hashes=False)
    if checkpoint.origin != checkpoint_origin(reader.origin, reader.genesis_id):
        raise LogError(f"the checkpoint is of {checkpoint.origin}, and not of this journal")
    frame = next(reader.iter_from(sequence), None)
    if frame is None or not frame.first_sequence <= sequence < frame.next_sequence:
        raise LogError(
            f"the journal has no event {sequence:,}; it has {reader.first_sequence} to {reader.last_sequence}"
        )
    proof, data = prove_frame(journal, frame, note), bytes(frame.view)
    head = f"{EVENT_MAGIC}\nevent {sequence}\nproof {len(proof)}\nframe {len(data)}\n\n"
    return head.encode() + proof + data


def check_event_proof(data: bytes, keys: Sequence[VerifierKey]) -> EventProof:
    """Check a proof file of an event. Raises ProofError or NoteError."""
    (sequence, proof_bytes, frame_bytes), rest = _head(data, EVENT_MAGIC, ("event", "proof", "frame"))
    if len(rest) != proof_bytes + frame_bytes:
        raise ProofError(f"the proof says {proof_bytes} and {frame_bytes} bytes, and {len(rest)} follow")
    frame, opened = check_frame(rest[:proof_bytes], rest[proof_bytes:], keys)
    if not frame.first_sequence <= sequence < frame.next_sequence:
        raise ProofError(f"the frame holds events {frame.first_sequence} to {frame.next_sequence - 1}, not {sequence}")
    return EventProof(sequence, frame, opened)


def prove_frame(journal: Path, frame: Frame, note: bytes) -> bytes:
    """The C2SP tlog-proof of a frame of the journal, under a checkpoint. Raises LogError."""
    checkpoint = Checkpoint.of_note(note)
    if frame.number > checkpoint.size:
        raise LogError(f"frame {frame.number:,} came after the checkpoint; make a new one with kernel checkpoint")
    path = prove_inclusion(nodes_of(journal, checkpoint), frame.number - 1, checkpoint.size)
    if not is_included(frame.hash, frame.number - 1, checkpoint.size, path, checkpoint.root):
        raise LogError(f"frame {frame.number:,} is not the one that was signed; see kernel verify --against")
    lines = [TLOG_PROOF_MAGIC, f"index {frame.number - 1}", *map(_encode, path), "", ""]
    return "\n".join(lines).encode() + note


def check_frame(proof: bytes, data: bytes, keys: Sequence[VerifierKey]) -> tuple[Frame, SignedCheckpoint]:
    """Check a tlog-proof of a frame, given as its bytes. Raises ProofError or NoteError."""
    index, path, note = _inclusion(proof)
    opened = open_checkpoint(note, keys)
    checkpoint = opened.checkpoint
    frame, genesis_id = _frame(data)
    if not is_included(frame.hash, index, checkpoint.size, path, checkpoint.root):
        raise ProofError(f"the frame is not at place {index} of the log with this checkpoint")
    if not checkpoint.origin.endswith(f"/{genesis_id.hex()}"):
        raise ProofError(f"the frame is of journal {genesis_id.hex()}, the checkpoint of {checkpoint.origin}")
    if frame.number != index + 1:
        raise ProofError(f"frame {frame.number} stands at place {index}, where frame {index + 1} is due")
    return frame, opened


def prove_growth(journal: Path, old: bytes, new: bytes) -> bytes:
    """The proof file that the log of one checkpoint is the beginning of another's. Raises LogError."""
    first, second = map(Checkpoint.of_note, (old, new))
    if first.origin != second.origin or first.size > second.size:
        raise LogError("the two checkpoints are not of one log, the smaller one first")
    nodes = nodes_of(journal, second)
    path = prove_consistency(nodes, first.size, second.size)
    if not is_consistent(first.size, second.size, path, first.root, second.root):
        raise LogError(f"the log of {first.size:,} frames is not the beginning of the one of {second.size:,}: a fork")
    head = [CONSISTENCY_MAGIC, f"old {len(old)}", f"new {len(new)}", *map(_encode, path), "", ""]
    return "\n".join(head).encode() + old + new


def check_growth(data: bytes, keys: Sequence[VerifierKey]) -> ConsistencyProof:
    """Check a consistency proof. Raises ProofError or NoteError."""
    text, blank, rest = data.partition(b"\n\n")
    lines = text.decode("ascii", "replace").split("\n")
    if not blank or lines[0] != CONSISTENCY_MAGIC or len(lines) < 3:
        raise ProofError("this is no consistency proof")
    old_bytes, new_bytes = _number(lines[1], "old"), _number(lines[2], "new")
    if len(rest) != old_bytes + new_bytes:
        raise ProofError(f"the proof says {old_bytes} and {new_bytes} bytes, and {len(rest)} follow")
    path = [_hash(line) for line in lines[3:]]
    old = open_checkpoint(rest[:old_bytes], keys).checkpoint
    signed = open_checkpoint(rest[old_bytes:], keys, old.origin)
    new = signed.checkpoint
    if not is_consistent(old.size, new.size, path, old.root, new.root):
        raise ProofError(f"the log of {old.size:,} frames is not shown to be the beginning of the one of {new.size:,}")
    return ConsistencyProof(old, signed)


def _inclusion(data: bytes) -> tuple[int, list[bytes], bytes]:
    """Index, path and note of a C2SP tlog-proof."""
    text, blank, note = data.partition(b"\n\n")
    lines = text.decode("ascii", "replace").split("\n")
    if not blank or lines[0] != TLOG_PROOF_MAGIC:
        raise ProofError("the proof within is no tlog-proof")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    if len(lines) < 2:
        raise ProofError("the proof within has no index")
    return _number(lines[1], "index"), [_hash(line) for line in lines[2:]], note


def _frame(data: bytes) -> tuple[Frame, bytes]:
    """A frame by itself, and its journal's genesis id: its header and end mark must be good."""
    view = memoryview(data)
    header = unpack_frame_header(view, 0)
    if header is None or header.frame_bytes != len(data):
        raise ProofError("the frame in the proof is damaged: its header is not good")
    end_mark, hashed = seal_frame(view)
    if view[-END_MARK_BYTES:] != end_mark:
        raise ProofError("the frame in the proof is damaged: its end mark is not good")
    return Frame(header, view, "", 0, hashed), header.genesis_id


def _head(data: bytes, magic: str, names: Sequence[str]) -> tuple[list[int], bytes]:
    head, blank, rest = data.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    if not blank or lines[0] != magic or len(lines) != 1 + len(names) or len(data) > MOST_PROOF_BYTES:
        raise ProofError(f"this is no {magic.partition('@')[0].replace('-', ' ')}")
    return [_number(line, name) for line, name in zip(lines[1:], names, strict=True)], rest


def _number(line: str, name: str) -> int:
    word, _, number = line.partition(" ")
    found = decode_number(number)
    if word != name or found is None:
        raise ProofError(f"the line {line[:60]!r} should be {name!r} and a number")
    return found


def _hash(line: str) -> bytes:
    found = decode_hash(line)
    if found is None:
        raise ProofError(f"{line[:60]!r} is not the base64 of a hash")
    return found


def _encode(hashed: bytes) -> str:
    return base64.b64encode(hashed).decode()
