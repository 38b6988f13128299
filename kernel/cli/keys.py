"""Keys on the command line: reading a signing key from where it is kept, and verifier keys that are given.

Owns what ``--key`` may be. A signing key is a secret: a private file, an environment variable or the system's keyring.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.cli.errors import BadInput

if TYPE_CHECKING:
    from journal.encryption import MasterKey
    from journal.note import SigningKey, VerifierKey

PLACES = ("env:", "file:", "keyring:")
SECRETS = ("PRIVATE+KEY+", "journal-master-key")  # how keys begin that nobody else may have


def signing_key(source: str, option: str = "--key") -> "SigningKey":
    """The signing key kept at ``source``: a file, or ``env:NAME``, ``keyring:SERVICE/NAME``. Raises BadInput."""
    from journal.note import NoteError, SigningKey

    try:
        return SigningKey.parse(_revealed(option, source).strip())
    except NoteError as error:
        raise BadInput(f"{option}: {error}") from error


def master_key(source: str, option: str = "--key-file") -> "MasterKey":
    """The master key kept at ``source``, as a signing key is. Raises BadInput."""
    from journal.encryption import EncryptionError, MasterKey

    try:
        return MasterKey.parse(_revealed(option, source))
    except EncryptionError as error:
        raise BadInput(f"{option}: {error}") from error


def _revealed(option: str, source: str) -> str:
    from adapters.edge.secrets import SecretError, load_secret

    if source.startswith(SECRETS):  # others of the machine see command lines; and it is not repeated
        raise BadInput(f"{option}: that is the key itself; keep it in a private file, and name that")
    try:
        return load_secret(option, source if source.startswith(PLACES) else f"file:{source}").reveal()
    except SecretError as error:
        raise BadInput(str(error)) from error


def use_master_key_of(source: str) -> None:
    """Read encrypted journals with the key kept at ``source``. Raises BadInput."""
    from journal.encryption import use_master_key

    use_master_key(master_key(source))


def master_key_when_needed(source: str) -> None:
    """The same, looked up only by whoever meets an encrypted journal."""
    from journal.encryption import use_master_key

    use_master_key(lambda: master_key(source))


def verifier_keys(given: Sequence[str]) -> "list[VerifierKey]":
    """The keys that are given, each as its text or a file that holds it. Raises BadInput."""
    from journal.note import NoteError, VerifierKey

    keys = []
    for one in given:
        text = _text_of(one)
        if text.startswith(SECRETS):
            named = "--key" if text == one else one  # a secret is not repeated
            raise BadInput(f"{named}: that is a signing key; to check, give the verifier key (the .pub file)")
        try:
            keys.append(VerifierKey.parse(text))
        except NoteError as error:
            raise BadInput(f"--key {one[:80]}: {error}; give a .pub file of kernel keygen, or its text") from error
    return keys


def _text_of(given: str) -> str:
    """What a file holds; or what was given, where it names none."""
    try:
        return Path(given).read_text(errors="replace").strip()
    except OSError:
        return given
