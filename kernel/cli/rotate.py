"""``kernel rotate-key``: another key signs the checkpoints of a journal from now on.

Parses, makes the note that both keys sign, and has it recorded: in a journal that nobody has open, or by the session.
"""

import os
import pwd
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import as_json_text, journal_argument, journal_errors, json_option, print_lines


@click.command("rotate-key")
@journal_argument
@click.option("--key", "source", required=True, help="The key that signs now: a file, env:NAME or keyring:...")
@click.option("--new", "new_source", required=True, help="The key that is to sign from now on.")
@click.option("--reason", default="", help="Why; it is recorded.")
@json_option
def rotate_key(journal: Path, source: str, new_source: str, reason: str, as_json: bool) -> None:
    """Record in JOURNAL (a run, or the folder of a session that runs) that another key signs its checkpoints.

    Both keys sign the record. Who has only the first key follows the chain: kernel verify JOURNAL --against finds it. A
    checkpoint that covers the rotation and is signed by the old key alone is refused from then on.
    """
    from kernel.cli.keys import signing_key

    old, new = signing_key(source), signing_key(new_source, "--new")
    with journal_errors():
        from journal.note import NoteError
        from journal.rotation import rotate
        from journal.tlog import journal_origin
        from replay.history import find_journal

        place, _ = find_journal(journal)
        try:
            note = rotate(journal_origin(place), old, new)
        except NoteError as error:
            raise BadInput(str(error)) from error
        sequence = _record(journal, place, note, reason)
    found = {"sequence": sequence, "old": old.verifier.text, "new": new.verifier.text}
    line = f"{old.name} is replaced by {new.name}; recorded as event {sequence:,}. Sign with the new key from now on"
    print_lines([as_json_text(found) if as_json else line])


def _record(run: Path, journal: Path, note: bytes, reason: str) -> int:
    """The sequence of the event."""
    from journal import JournalLocked
    from replay.live.control import ControlError, ask
    from replay.rotations import record_rotation

    try:
        return record_rotation(journal, note, by=_user(), reason=reason)
    except JournalLocked:
        pass  # a session runs: it records it itself
    try:
        made: dict[str, Any] = ask(run, "rotate-key", {"note": note.decode(), "reason": reason})
    except ControlError as error:
        raise Failure(str(error)) from None
    return int(made["sequence"])


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
