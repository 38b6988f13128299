"""The rules of a witness (C2SP tlog-witness): it cosigns a checkpoint only when it follows from the last one it saw.

Owns: what is answered to a request, and the one checkpoint that is kept for each log. Must not know: HTTP, the time, or
who asks. One process serves a folder; requests are answered one after another.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from journal.checkpoint import Checkpoint
from journal.errors import JournalError
from journal.files import write_file
from journal.merkle import EMPTY_ROOT
from journal.note import COSIGNATURE, Note, NoteError, SigningKey, VerifierKey, cosign, decode_hash, decode_number
from journal.proof import is_consistent

MOST_STEPS = 63
MOST_EVIDENCE = 1000
EVIDENCE_DIR = "refused"
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


class WitnessError(JournalError):
    """A witness that cannot be set up. The text says why."""


class Answer(NamedTuple):
    """What a request gets: the status of HTTP, a body and its type."""

    status: int
    body: bytes
    content_type: str = TEXT


class Request(NamedTuple):
    """What is asked of a witness: to cosign a checkpoint that follows from one of ``old_size`` leaves."""

    old_size: int
    path: list[bytes]
    note: Note

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *(b64encode(step).decode() for step in self.path), "", ""]
        return "\n".join(lines).encode() + self.note.data

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """The parts of a body. Raises NoteError."""
        head, blank, note = body.partition(b"\n\n")
        lines = head.decode("ascii", "replace").split("\n")
        word, _, number = lines[0].partition(" ")
        old_size = decode_number(number)
        if not blank or word != "old" or old_size is None:
            raise NoteError("the request begins with a line: old SIZE")
        steps = [decode_hash(line) for line in lines[1:]]
        path = [step for step in steps if step is not None]
        if len(path) < len(steps) or len(path) > MOST_STEPS:
            raise NoteError(f"a consistency proof is at most {MOST_STEPS} lines, each the base64 of a hash")
        return cls(old_size, path, Note.parse(note))


class Witness:
    """Cosigns with ``key`` for the logs whose origins are known, each with the keys that may sign for it.

    An origin that ends in ``/*`` stands for every journal of that origin. Raises WitnessError for a key that does not
    cosign.
    """

    def __init__(self, folder: Path, key: SigningKey, logs: dict[str, Sequence[VerifierKey]]) -> None:
        if key.kind != COSIGNATURE:
            raise WitnessError(f"the key {key.name} signs notes; a witness needs one that cosigns")
        self._folder, self._key, self._logs = folder, key, logs

    def latest(self, origin: str) -> Checkpoint:
        """The last checkpoint that was cosigned for a log; the empty log's when there is none."""
        path = self._place(origin)
        if not path.is_file():
            return Checkpoint(origin, 0, EMPTY_ROOT)
        return Checkpoint.of_note(path.read_bytes())

    def add_checkpoint(self, body: bytes, seconds: int) -> Answer:
        """The answer to ``POST add-checkpoint``; ``seconds`` since 1970 is what the cosignature says.

        A checkpoint is on the disk before its cosignature leaves.
        """
        try:
            request = Request.parse(body)
            wanted = Checkpoint.parse(request.note.text)
        except NoteError as error:
            return _refused(400, str(error))
        keys = self._keys_of(wanted.origin)
        if keys is None:
            return _refused(404, "this log is not known here")
        try:
            request.note.check(keys)
        except NoteError as error:
            return _refused(403, str(error))
        if request.old_size > wanted.size:
            return _refused(400, f"the old size is above the checkpoint's {wanted.size}")
        last = self.latest(wanted.origin)
        if request.old_size != last.size:
            return Answer(409, f"{last.size}\n".encode(), SIZE)
        if last.size == wanted.size and last.root != wanted.root:
            self._keep_evidence(wanted, request.note)
            return _refused(409, "the same size was cosigned with another root: the log has forked")
        if not is_consistent(last.size, wanted.size, request.path, last.root, wanted.root):
            self._keep_evidence(wanted, request.note)
            return _refused(422, f"the proof does not show that the log of {last.size} leaves is its beginning")
        write_file(self._place(wanted.origin), request.note.data)
        return Answer(200, cosign(request.note.text, self._key, seconds).line.encode())

    def _keep_evidence(self, wanted: Checkpoint, note: Note) -> None:
        """Keep what the log's key signed and what does not follow from what was seen, up to a bound."""
        folder = self._folder / EVIDENCE_DIR
        name = hashlib.sha256(wanted.text.encode()).hexdigest()
        if not folder.is_dir() or sum(1 for _ in folder.iterdir()) < MOST_EVIDENCE:
            write_file(folder / f"{name}.note", note.data)

    def _keys_of(self, origin: str) -> Sequence[VerifierKey] | None:
        return self._logs.get(origin) or self._logs.get(f"{origin.rpartition('/')[0]}/*")

    def _place(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"


def _refused(status: int, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode())
