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


def signing_key(source: str) -> "SigningKey":
    """The signing key kept at ``source``: a file, or ``env:NAME``, ``keyring:SERVICE/NAME``. Raises BadInput."""
    from adapters.edge.secrets import SecretError, load_secret
    from journal.note import NoteError, SigningKey

    place = source if source.startswith(PLACES) else f"file:{source}"
    try:
        return SigningKey.parse(load_secret("--key", place).reveal().strip())
    except (SecretError, NoteError) as error:
        raise BadInput(str(error)) from error


def master_key(source: str) -> "MasterKey":
    """The master key kept at ``source``, as a signing key is. Raises BadInput."""
    from adapters.edge.secrets import SecretError, load_secret
    from journal.encryption import EncryptionError, MasterKey

    place = source if source.startswith(PLACES) else f"file:{source}"
    try:
        return MasterKey.parse(load_secret("--key-file", place).reveal())
    except (SecretError, EncryptionError) as error:
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
        path = Path(one)
        text = path.read_text().strip() if path.is_file() else one
        if text.startswith("PRIVATE+KEY+"):
            raise BadInput(f"{one}: that is a signing key; to check, give the verifier key (the .pub file)")
        try:
            keys.append(VerifierKey.parse(text))
        except NoteError as error:
            raise BadInput(f"--key {one[:80]}: {error}; give a .pub file of kernel keygen, or its text") from error
    return keys
