"""RFC 3161 timestamps of checkpoints on the command line: asking for one, and checking one that is kept beside a note.

Owns the options and the words for it. What is stamped is the text of a checkpoint, so that signatures can be added.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernel.cli.errors import BadInput, Failure

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from journal.note import Note

SUFFIX = ".tsr"
MOST_BYTES = 1_000_000

timestamp_option = click.option(
    "--timestamp", "authority", metavar="URL", help="Also have this RFC 3161 authority say when."
)
token_option = click.option(
    "--timestamp",
    "token_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TOKEN",
    help="The RFC 3161 token of the checkpoint; the file beside it that ends in .tsr otherwise.",
)
certificate_option = click.option(
    "--tsa-cert",
    "certificate_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PEM",
    help="Check the timestamp against these certificates: the authority's root.",
)


def stamp(journal: Path, note: bytes, url: str, certificate_file: Path | None) -> bytes:
    """The token of a checkpoint, asked for where none is kept, and kept. Raises BadInput or Failure."""
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"--timestamp {url[:80]!r}: write its address, as in https://tsa.example")
    from journal.checkpoint import Checkpoint
    from journal.kept import keep_timestamp, kept_timestamp
    from journal.note import Note

    certificates = _certificates(certificate_file) if certificate_file is not None else None
    try:
        from adapters.timestamps.client import ask_authority
        from adapters.timestamps.tokens import TimestampError, check_token, is_of
    except ImportError:
        raise BadInput("--timestamp needs the extra: pip install 'trading-kernel[timestamps]'") from None
    made, data = Checkpoint.of_note(note), Note.parse(note).text.encode()
    token = kept_timestamp(journal, made)
    try:
        if token is None or not is_of(data, token):
            token = asyncio.run(ask_authority(url, data))
        if certificates is not None:
            check_token(data, token, certificates)
    except TimestampError as error:
        raise Failure(f"{error}; the signed checkpoint is kept, and the same command asks again") from error
    keep_timestamp(journal, made, token)
    return token


def stamped_at(note: "Note", beside: Path, token_file: Path | None, certificate_file: Path | None) -> datetime | None:
    """When the checkpoint was there, as its timestamp says; None when that is not asked for. Raises BadInput, Failure.

    The token is at ``token_file``, or beside the file that was given.
    """
    if certificate_file is None:
        if token_file is not None:
            raise BadInput("--timestamp needs --tsa-cert: a timestamp is worth what the authority is that gave it")
        return None
    place = token_file or beside.with_name(beside.name + SUFFIX)
    if not place.is_file():
        raise BadInput(f"{place}: there is no timestamp; name it with --timestamp")
    certificates = _certificates(certificate_file)
    from adapters.timestamps.tokens import TimestampError, check_token

    try:
        return check_token(note.text.encode(), _read(place), certificates)
    except TimestampError as error:
        raise Failure(f"{place}: {error}") from error


def _certificates(path: Path) -> "list[Certificate]":
    try:
        from adapters.timestamps.tokens import TimestampError, read_certificates
    except ImportError:
        raise BadInput("--tsa-cert needs the extra: pip install 'trading-kernel[timestamps]'") from None
    try:
        return read_certificates(_read(path))
    except TimestampError as error:
        raise BadInput(f"{path}: {error}") from error


def _read(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path}: too large for what it should be")
    return path.read_bytes()
