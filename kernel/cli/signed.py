"""``kernel verify`` with something that was signed: a checkpoint that somebody holds, or a proof by itself.

Owns the options and the words for it. What is good is decided in the journal's modules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import as_json_text, journal_errors, print_lines
from kernel.cli.timestamps import stamped_at
from kernel.plurals import counted

if TYPE_CHECKING:
    from journal import VerifyReport
    from journal.checkpoint import Checkpoint, SignedCheckpoint
    from journal.note import VerifierKey
    from journal.rotation import KeyChain

MOST_BYTES = 1_000_000
NANOSECONDS = 1_000_000_000

against_option = click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CHECKPOINT",
    help="A checkpoint that you hold: is the journal still what was signed? Needs --key.",
)
keys_option = click.option(
    "--key", "keys", multiple=True, metavar="KEY", help="A verifier key, as text or a .pub file; may be repeated."
)

quorum_option = click.option(
    "--quorum",
    type=click.IntRange(min=1),
    metavar="K",
    help="Refuse a checkpoint that fewer than K of the witnesses cosigned whose keys are given with --key.",
)


@dataclass(frozen=True)
class Demands:
    """What is asked of a checkpoint beside the signature of its log: witnesses, and a timestamp."""

    quorum: int | None = None
    token_file: Path | None = None
    certificate_file: Path | None = None

    def check(self, signed: "SignedCheckpoint", beside: Path) -> list[str]:
        """When the checkpoint was stamped, in words, where that is asked. Raises NoteError, BadInput or Failure."""
        signed.require(self.quorum or 0)
        moment = stamped_at(signed.note, beside, self.token_file, self.certificate_file)
        return (
            [] if moment is None else [f"{moment:%Y-%m-%d %H:%M:%S} UTC, by the authority of {self.certificate_file}"]
        )


class Held:
    """A checkpoint that somebody holds of a journal, or none."""

    def __init__(
        self,
        journal: Path,
        given: "SignedCheckpoint | None" = None,
        chain: "KeyChain | None" = None,
        stamped: Sequence[str] = (),
    ) -> None:
        self._journal, self._given, self._chain, self._stamped = journal, given, chain, list(stamped)

    @classmethod
    def read(cls, journal: Path, against: Path | None, keys: Sequence[str], demands: Demands) -> "Held":
        """The checkpoint of a file, its signatures checked. Raises BadInput, Failure or NoteError."""
        from journal.checkpoint import open_checkpoint
        from journal.tlog import journal_origin
        from kernel.cli.keys import verifier_keys

        found = verifier_keys(keys)
        if against is None:
            if demands != Demands():
                raise BadInput("--quorum and --tsa-cert need --against: it is a checkpoint that others vouch for")
            return cls(journal)
        if not found:
            raise BadInput("--against needs --key: a checkpoint is worth what the key is that signed it")
        chain = _chain(journal, found)
        given = open_checkpoint(against.read_bytes(), chain.keys, journal_origin(journal))
        chain.check(given)
        return cls(journal, given, chain, demands.check(given, against))

    @property
    def sizes(self) -> set[int]:
        """At how many frames the root is needed."""
        from journal.kept import kept_sizes

        return set() if self._given is None else {self._given.checkpoint.size, *kept_sizes(self._journal)}

    def compare(self, report: "VerifyReport") -> dict[str, Any] | None:
        """What the checkpoint says of the journal, or None when there is none, or the journal itself is broken."""
        from journal.tlog import compare_with

        if self._given is None or self._chain is None or not report.ok:
            return None
        found = compare_with(self._journal, self._given, report.roots, report.frames, self._chain.keys)
        return {
            "ok": found.is_good,
            "finding": found.finding.value,
            "sentence": found.sentence,
            "signers": [key.name for key in self._given.signers],
            **checkpoint_fields(self._given.checkpoint),
            **cosigner_fields(self._given),
            "witnesses": cosigned_by(self._given),
            "rotations": self._chain.links,
            "stamped": self._stamped,
        }


def _chain(journal: Path, keys: "list[VerifierKey]") -> "KeyChain":
    """The keys that are given and those that took their places; of a journal that is broken, those that are given."""
    from journal import JournalError
    from journal.rotation import KeyChain
    from replay.rotations import key_chain

    try:
        return key_chain(journal, keys)
    except JournalError:
        return KeyChain("", keys, ())


def verify_file(path: Path, keys: Sequence[str], demands: Demands, as_json: bool) -> None:
    """Check a proof or a checkpoint offline, and say what it shows."""
    from kernel.cli.keys import verifier_keys

    found = verifier_keys(keys)
    if not found:
        raise BadInput(f"{path}: a proof is worth what the key is that signed it; give --key")
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path}: this is neither a proof nor a checkpoint")
    with journal_errors():
        signed, lines, fields = _check(path.read_bytes(), found)
        stamped = demands.check(signed, path)
        lines += [f"cosigned by {said}" for said in cosigned_by(signed)] + [f"stamped {said}" for said in stamped]
        fields |= checkpoint_fields(signed.checkpoint) | cosigner_fields(signed) | {"stamped": stamped}
    print_lines([as_json_text(fields)] if as_json else lines)


def _check(data: bytes, keys: "list[VerifierKey]") -> "tuple[SignedCheckpoint, list[str], dict[str, Any]]":
    """The checkpoint under which something holds, and what holds, in lines and as plain values."""
    from journal.checkpoint import open_checkpoint
    from journal.proof_file import CONSISTENCY_MAGIC, EVENT_MAGIC, check_growth

    if data.startswith(EVENT_MAGIC.encode()):
        return _check_event(data, keys)
    if data.startswith(CONSISTENCY_MAGIC.encode()):
        growth = check_growth(data, keys)
        old, new = growth.old, growth.new
        has = f"{new.origin} has {counted(new.size, 'frame')}"
        line = f"proven: {has}, and begins with the {old.size:,} that were signed before"
        return growth.signed, [line], {"proven": "consistency", "old_frames": old.size}
    opened = open_checkpoint(data, keys)
    signers, made = [key.name for key in opened.signers], opened.checkpoint
    line = f"signed by {', '.join(signers)}: {made.origin} has {counted(made.size, 'frame')}, root {made.root.hex()}"
    return opened, [line], {"proven": "checkpoint", "signers": signers}


def _check_event(data: bytes, keys: "list[VerifierKey]") -> "tuple[SignedCheckpoint, list[str], dict[str, Any]]":
    from journal.proof_file import check_event_proof
    from replay.inspect.text import pairs

    proof = check_event_proof(data, keys)
    event, signers = _event(proof.sequence, proof.frame), [key.name for key in proof.signed.signers]
    entries = [
        ("journal", proof.checkpoint.origin),
        ("frame", f"{proof.frame.number:,} of {proof.checkpoint.size:,}"),
        ("signed by", ", ".join(signers)),
        ("event", event or "by reference: the frame accounts for it, and holds the hash of its data"),
    ]
    fields = {"proven": "event", "event": proof.sequence, "frame": proof.frame.number, "record": event or None}
    head = f"proven: event {proof.sequence:,} is in the journal that was signed"
    return proof.signed, [head, *pairs(entries)], {**fields, "signers": signers}


def _event(sequence: int, frame: Any) -> str:
    """The event as the frame holds it, in words; empty when the frame only accounts for it by reference."""
    import numpy as np

    from kernel.events.body import unpack_bodies
    from kernel.events.layout import RECORD, decode

    if frame.is_encrypted:
        return "encrypted: the proof shows that it is there, not what it says"
    records = np.frombuffer(frame.records, RECORD)
    found = np.flatnonzero(records["sequence"] == sequence)
    if not len(found):
        return ""
    body = list(unpack_bodies(records, frame.bodies))[int(found[0])]
    try:
        return repr(decode(records[int(found[0])], body).event)
    except KeyError:
        return "of another catalogue of events"


def checkpoint_fields(made: "Checkpoint") -> dict[str, Any]:
    """A checkpoint as plain values."""
    return {"origin": made.origin, "frames": made.size, "root": made.root.hex()}


def cosigner_fields(signed: "SignedCheckpoint") -> dict[str, Any]:
    """Who cosigned, as plain values: each witness's name and the second since 1970."""
    return {"cosigners": [{"name": key.name, "seconds": seconds} for key, seconds in signed.cosigners]}


def cosigned_by(signed: "SignedCheckpoint") -> list[str]:
    """Who cosigned, and when, in words."""
    from replay.inspect.phrases import time_text

    return [f"{key.name}, {time_text(seconds * NANOSECONDS)} UTC" for key, seconds in signed.cosigners]
