"""What verification says of a journal's bytes, and the checkpoints that lie beside it.

Owns the reading of kept checkpoints: whose names are on them, whether they are of this journal, and, where keys are
given, whether the signatures are good.
"""

from collections.abc import Sequence
from pathlib import Path

from journal import JournalError, VerifyReport
from journal.checkpoint import Checkpoint as Statement
from journal.kept import kept_checkpoints
from journal.note import ED25519, Note, NoteError, VerifierKey
from journal.tlog import journal_origin
from replay.audit_report.facts import Chain, Checkpoint
from replay.audit_report.gather import Gathered
from replay.history import History

NOT_CHECKED = "not checked: no key was given"


def chain_facts(history: History, report: VerifyReport, found: Gathered, keys: Sequence[VerifierKey]) -> Chain:
    """The facts of the chain, and of all checkpoints. The roots at their sizes are in ``report``."""
    reader = history.reader
    first = next(iter(reader), None)
    problem = report.first_problem
    return Chain(
        is_whole=report.ok,
        problem="" if problem is None else problem.sentence,
        tail=report.tail,
        origin=reader.origin,
        genesis_id=reader.genesis_id.hex(),
        schema_digest=reader.schema_digest.hex(),
        is_our_schema=history.same_schema,
        pruned_frames=history.pruned.frames,
        first_sequence=reader.first_sequence,
        frames=report.frames,
        events=report.events,
        records=report.records,
        bytes=report.bytes,
        segments_of_rows=found.segments,
        rows_by_reference=found.rows_by_reference,
        state_digests=found.digests,
        first_hash=first.hash.hex() if first is not None else "",
        head=report.head.hex(),
        root=report.root.hex(),
        checkpoints=checkpoints(history.journal, report, keys),
    )


def checkpoints(journal: Path, report: VerifyReport, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, ...]:
    """The kept checkpoints, oldest first."""
    origin = journal_origin(journal)
    return tuple(_checkpoint(note, origin, report, keys) for note in kept_checkpoints(journal))


def _checkpoint(data: bytes, origin: str, report: VerifyReport, keys: Sequence[VerifierKey]) -> Checkpoint:
    try:
        note = Note.parse(data)
        said = Statement.parse(note.text)
    except JournalError as error:
        return Checkpoint(
            frames=0, root="", signed_by=(), cosigned_by=(), is_of_this_journal=False, signature=f"damaged: {error}"
        )
    signer = origin_signers(note)
    return Checkpoint(
        frames=said.size,
        root=said.root.hex(),
        signed_by=tuple(signer),
        cosigned_by=tuple(f"{one.name}" for one in note.signatures if one.name not in signer),
        is_of_this_journal=said.origin == origin and report.roots.get(said.size) == said.root,
        signature=_signature(note, keys),
    )


def origin_signers(note: Note) -> list[str]:
    """The names on the signature lines that have the length of a plain signature; a cosignature has its time too."""
    return [one.name for one in note.signatures if len(one.data) == 64]


def _signature(note: Note, keys: Sequence[VerifierKey]) -> str:
    if not keys:
        return NOT_CHECKED
    try:
        good = [key.name for key in note.check([key for key in keys if key.kind == ED25519])]
        witnesses = [key.name for key, _ in note.cosigners(keys)]
    except NoteError as error:
        return str(error)
    seen = f"; cosigned by {', '.join(witnesses)}" if witnesses else ""
    return f"good: {', '.join(good)}{seen}"
