"""What verification says of a journal's bytes, and the checkpoints that lie beside it.

Owns the reading of kept checkpoints: whose names are on them, whether they are of this journal, and, where keys are
given, whether the signatures are good.
"""

from collections.abc import Sequence
from pathlib import Path

from journal import JournalError, VerifyReport
from journal.checkpoint import Checkpoint as Statement
from journal.checkpoint import open_checkpoint
from journal.kept import kept_checkpoints, kept_timestamp
from journal.note import Note, VerifierKey
from journal.rotation import KeyChain
from journal.tlog import journal_origin
from replay.audit_report.facts import Chain, Checkpoint
from replay.audit_report.gather import Gathered
from replay.history import History
from replay.rotations import key_chain

NOT_CHECKED = "not checked: no key was given"
SIGNATURE_BYTES = 64  # of Ed25519; a cosignature has its time before it


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
    """The kept checkpoints, oldest first. Keys that took the places of those that are given count as well."""
    origin = journal_origin(journal)
    try:
        chain = key_chain(journal, list(keys))
    except JournalError:  # it is broken: no rotation is to be believed
        chain = KeyChain(origin, keys, ())
    return tuple(_checkpoint(journal, note, origin, report, chain) for note in kept_checkpoints(journal))


def _checkpoint(journal: Path, data: bytes, origin: str, report: VerifyReport, chain: KeyChain) -> Checkpoint:
    try:
        note = Note.parse(data)
        said = Statement.parse(note.text)
    except JournalError as error:
        return Checkpoint(
            frames=0,
            root="",
            signed_by=(),
            cosigned_by=(),
            has_timestamp=False,
            is_of_this_journal=False,
            signature=f"damaged: {error}",
        )
    return Checkpoint(
        frames=said.size,
        root=said.root.hex(),
        signed_by=tuple(one.name for one in note.signatures if len(one.data) == SIGNATURE_BYTES),
        cosigned_by=tuple(one.name for one in note.signatures if len(one.data) != SIGNATURE_BYTES),
        has_timestamp=kept_timestamp(journal, said) is not None,
        is_of_this_journal=said.origin == origin and report.roots.get(said.size) == said.root,
        signature=_signature(data, chain),
    )


def _signature(data: bytes, chain: KeyChain) -> str:
    if not chain.keys:
        return NOT_CHECKED
    try:
        opened = open_checkpoint(data, chain.keys)
        chain.check(opened)
        witnesses = [key.name for key, _ in opened.note.cosigners(chain.keys)]
    except JournalError as error:
        return str(error)
    seen = f"; cosigned by {', '.join(witnesses)}" if witnesses else ""
    return f"good: {', '.join(key.name for key in opened.signers)}{seen}"
