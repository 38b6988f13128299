"""``kernel keygen``, ``checkpoint``, ``prove`` and ``export-tlog``: what an auditor is given.

Each parses, calls one function of the journal, renders. Exit codes: 0 done; 1 the journal is not what was signed, or
does not verify; 2 wrong usage.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import as_json_text, journal_argument, journal_errors, json_option, parse_sequence, print_lines
from kernel.cli.progress import ProgressBar
from kernel.cli.signed import checkpoint_fields, cosigner_fields
from kernel.cli.timestamps import SUFFIX, certificate_option, stamp, timestamp_option
from kernel.cli.witnesses import Witnesses, witness_options
from kernel.plurals import counted

checkpoint_option = click.option(
    "--checkpoint",
    "note_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The checkpoint to prove under; the journal's last one otherwise.",
)


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where to write OUT.key and OUT.pub; the name's last part."
)
@click.option("--witness", "is_witness", is_flag=True, help="A key that cosigns, for kernel witness serve.")
def keygen(name: str, out: Path | None, is_witness: bool) -> None:
    """Make an Ed25519 key called NAME (as example.com/desk) to sign checkpoints with.

    NAME.key is for whoever signs, and for nobody else; NAME.pub is for everybody who is to check.
    """
    from journal.note import COSIGNATURE, ED25519, SEED_BYTES, NoteError, SigningKey

    try:
        key = SigningKey(name, secrets.token_bytes(SEED_BYTES), COSIGNATURE if is_witness else ED25519)
    except NoteError as error:
        raise BadInput(str(error)) from error
    base = out or Path(name.rpartition("/")[2])
    for suffix, text, mode in ((".key", key.text, 0o600), (".pub", key.verifier.text, 0o644)):
        path = base.with_name(base.name + suffix)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise BadInput(f"{path} is there already; name another --out") from None
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
    print_lines([key.verifier.text])


@click.command()
@journal_argument
@click.option("--key", "source", required=True, help="The signing key: a file, env:NAME or keyring:SERVICE/NAME.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the note there.")
@witness_options
@timestamp_option
@certificate_option
@json_option
def checkpoint(
    journal: Path,
    source: str,
    out: Path | None,
    authority: str | None,
    certificate_file: Path | None,
    witnesses: Sequence[str],
    witness_keys: Sequence[str],
    quorum: int | None,
    as_json: bool,
) -> None:
    """Verify JOURNAL whole, and sign how many frames it has and their root (a C2SP checkpoint).

    The note is kept in the journal's folder tlog, with tiles for proofs. Give it to somebody else: only a checkpoint
    that others hold shows that the tail was cut or history rewritten. One that does not follow from those before it is
    not signed.

    With --witness others cosign it, each only if it follows from the last one it saw. When fewer than --quorum do, the
    exit code is 1 and the signed note is kept: the same command asks again.

    With --timestamp an RFC 3161 authority says when; its token is kept beside the note, and beside --out.
    """
    from kernel.cli.keys import signing_key

    policy = Witnesses.read(witnesses, witness_keys, quorum)
    if certificate_file is not None and authority is None:
        raise BadInput("--tsa-cert goes with --timestamp URL")
    key = signing_key(source)
    with journal_errors():
        from journal.checkpoint import open_checkpoint
        from journal.tlog import make_checkpoint
        from replay.history import find_journal
        from replay.rotations import key_chain

        place, _ = find_journal(journal)
        new = key_chain(place, [key.verifier]).successor(key.verifier)
        if new is not None:
            raise Failure(f"the key {key.name} was replaced by {new.name} ({new.id.hex()}); sign with that")
        with ProgressBar("checkpoint") as progress:
            note = make_checkpoint(place, key, progress)
        if policy is not None:
            note = policy.cosign(place, note, key.verifier)
        token = stamp(place, note, authority, certificate_file) if authority is not None else None
        if out is not None:
            out.write_bytes(note)
            if token is not None:
                out.with_name(out.name + SUFFIX).write_bytes(token)
        made = open_checkpoint(note, [key.verifier, *(policy.keys if policy is not None else ())])
    if as_json:
        fields = checkpoint_fields(made.checkpoint) | cosigner_fields(made)
        print_lines([as_json_text(fields | {"signer": key.name, "note": note.decode()})])
    else:
        print_lines(note.decode().splitlines())


@click.command()
@journal_argument
@click.option("--event", "sequence", help="The sequence of the event to prove, or end.")
@click.option(
    "--consistency",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="OLD NEW",
    help="Two checkpoints: prove that the log of OLD is the beginning of the one of NEW.",
)
@checkpoint_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The proof file to write.")
@json_option
def prove(
    journal: Path,
    sequence: str | None,
    consistency: tuple[Path, Path] | None,
    note_file: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write a small file that proves one event of JOURNAL, or that it only grew; kernel verify checks it offline."""
    if (sequence is None) == (consistency is None):
        raise BadInput("say what to prove: --event SEQUENCE or --consistency OLD NEW")
    with journal_errors():
        from journal import JournalReader
        from journal.proof_file import prove_event, prove_growth
        from replay.history import find_journal

        place, _ = find_journal(journal)
        if consistency is not None:
            proof = prove_growth(place, *(path.read_bytes() for path in consistency))
        else:
            number = parse_sequence(sequence or "", lambda: JournalReader(place, check_hashes=False).last_sequence)
            proof = prove_event(place, number, _note(place, note_file))
        out.write_bytes(proof)
    found = {"proof": str(out), "bytes": len(proof)}
    line = f"{out}: {len(proof):,} bytes; check it with kernel verify {out} --key KEY.pub"
    print_lines([as_json_text(found) if as_json else line])


@click.command("export-tlog")
@journal_argument
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@checkpoint_option
@json_option
def export_tlog(journal: Path, folder: Path, note_file: Path | None, as_json: bool) -> None:
    """Write JOURNAL as a transparency log (C2SP tlog-tiles) to FOLDER, up to its last checkpoint.

    Serve the folder with any web server: certificate-transparency tools read it as it is. A later export goes on.
    """
    with journal_errors():
        from journal.tlog import export_log
        from replay.history import find_journal

        place, _ = find_journal(journal)
        with ProgressBar("export") as progress:
            made = export_log(place, folder, _note(place, note_file), progress)
    if as_json:
        print_lines([as_json_text(checkpoint_fields(made) | {"folder": str(folder)})])
    else:
        print_lines([f"{folder}: {made.origin}, {counted(made.size, 'frame')}"])


def _note(journal: Path, note_file: Path | None) -> bytes:
    """The note to prove under. Raises BadInput."""
    from journal.kept import latest_checkpoint

    note = note_file.read_bytes() if note_file is not None else latest_checkpoint(journal)
    if note is None:
        raise BadInput(f"{journal} has no checkpoint yet; make one with kernel checkpoint {journal} --key FILE")
    return note
