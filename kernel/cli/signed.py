"""``kernel verify`` with something that was signed: a checkpoint that somebody holds, or a proof by itself.

Owns the options and the words for it. What is good is decided in the journal's modules.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import as_json_text, journal_errors, print_lines

if TYPE_CHECKING:
    from journal import VerifyReport
    from journal.checkpoint import Checkpoint, SignedCheckpoint
    from journal.note import VerifierKey

MOST_BYTES = 1_000_000

against_option = click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CHECKPOINT",
    help="A checkpoint that you hold: is the journal still what was signed? Needs --key.",
)
keys_option = click.option(
    "--key", "keys", multiple=True, metavar="KEY", help="A verifier key, as text or a .pub file; may be repeated."
)


class Held:
    """A checkpoint that somebody holds of a journal, or none."""

    def __init__(self, journal: Path, given: "SignedCheckpoint | None", keys: "list[VerifierKey]") -> None:
        self._journal, self._given, self._keys = journal, given, keys

    @classmethod
    def read(cls, journal: Path, against: Path | None, keys: Sequence[str]) -> "Held":
        """The checkpoint of a file, its signature checked. Raises BadInput or NoteError."""
        from journal.checkpoint import open_checkpoint
        from journal.tlog import journal_origin
        from kernel.cli.keys import verifier_keys

        found = verifier_keys(keys)
        if against is None:
            return cls(journal, None, found)
        if not found:
            raise BadInput("--against needs --key: a checkpoint is worth what the key is that signed it")
        return cls(journal, open_checkpoint(against.read_bytes(), found, journal_origin(journal)), found)

    @property
    def sizes(self) -> set[int]:
        """At how many frames the root is needed."""
        from journal.tlog import kept_sizes

        return set() if self._given is None else {self._given.checkpoint.size, *kept_sizes(self._journal)}

    def compare(self, report: "VerifyReport") -> dict[str, Any] | None:
        """What the checkpoint says of the journal, or None when there is none, or the journal itself is broken."""
        from journal.tlog import compare_with

        if self._given is None or not report.ok:
            return None
        found = compare_with(self._journal, self._given, report.roots, report.frames, self._keys)
        return {
            "ok": found.is_good,
            "finding": found.finding.value,
            "sentence": found.sentence,
            "signers": [key.name for key in self._given.signers],
            **checkpoint_fields(self._given.checkpoint),
        }


def verify_file(path: Path, keys: Sequence[str], as_json: bool) -> None:
    """Check a proof or a checkpoint offline, and say what it shows."""
    from kernel.cli.keys import verifier_keys

    found = verifier_keys(keys)
    if not found:
        raise BadInput(f"{path}: a proof is worth what the key is that signed it; give --key")
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path}: this is neither a proof nor a checkpoint")
    with journal_errors():
        lines, fields = _check(path.read_bytes(), found)
    print_lines([as_json_text(fields)] if as_json else lines)


def _check(data: bytes, keys: "list[VerifierKey]") -> tuple[list[str], dict[str, Any]]:
    from journal.checkpoint import open_checkpoint
    from journal.proof_file import CONSISTENCY_MAGIC, EVENT_MAGIC, check_growth

    if data.startswith(EVENT_MAGIC.encode()):
        return _check_event(data, keys)
    if data.startswith(CONSISTENCY_MAGIC.encode()):
        growth = check_growth(data, keys)
        old, new = growth.old, growth.new
        line = f"proven: the {new.size:,} frames of {new.origin} begin with the {old.size:,} that were signed before"
        return [line], {"proven": "consistency", "old_frames": old.size, **checkpoint_fields(new)}
    opened = open_checkpoint(data, keys)
    signers, made = [key.name for key in opened.signers], opened.checkpoint
    line = f"signed by {', '.join(signers)}: {made.origin} has {made.size:,} frames, root {made.root.hex()}"
    return [line], {"proven": "checkpoint", "signers": signers, **checkpoint_fields(made)}


def _check_event(data: bytes, keys: "list[VerifierKey]") -> tuple[list[str], dict[str, Any]]:
    from journal.proof_file import check_event_proof
    from replay.inspect.text import pairs

    proof = check_event_proof(data, keys)
    event = _event(proof.sequence, proof.frame)
    entries = [
        ("journal", proof.checkpoint.origin),
        ("frame", f"{proof.frame.number:,} of {proof.checkpoint.size:,}"),
        ("signed by", ", ".join(proof.signers)),
        ("event", event or "by reference: the frame accounts for it, and holds the hash of its data"),
    ]
    fields = {"proven": "event", "event": proof.sequence, "frame": proof.frame.number, "record": event or None}
    head = f"proven: event {proof.sequence:,} is in the journal that was signed"
    return [head, *pairs(entries)], {
        **fields,
        **checkpoint_fields(proof.checkpoint),
        "signers": list(proof.signers),
    }


def _event(sequence: int, frame: Any) -> str:
    """The event as the frame holds it, in words; empty when the frame only accounts for it by reference."""
    import numpy as np

    from kernel.events.body import unpack_bodies
    from kernel.events.layout import RECORD, decode

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
