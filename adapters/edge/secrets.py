"""Secrets: the keys of venues and providers, from where they are kept to where they are used, and never in any text.

Owns the type that holds a key, the few places that one may come from (an environment variable, a private file, the
keyring of the operating system), and how keys are taken out of the texts of libraries. Knows no venue.

A configuration names where a key is, and never holds it: ``env:BYBIT_API_KEY``, ``file:~/.config/kernel/bybit.key``,
``keyring:SERVICE/NAME``. No message repeats what stands there unless it is surely a place and no key.
"""

import base64
import hmac
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Self
from urllib.parse import quote

HIDDEN = "***"
HOW_TO_WRITE = "write env:NAME, file:PATH or keyring:SERVICE/NAME"
MAXIMUM_BYTES = 4096
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Shorter pieces turn up by chance: they are no trace of a key, and taking them out would spoil a text.
_SHORTEST_TRACE = 6


class SecretError(Exception):
    """A secret that cannot be had. The text is one line: which one, why, what to do. It never holds the secret."""


class Secret:
    """Text that shows itself to nobody: every ordinary way to print, format or store it gives ``***`` or fails."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the one place that sends or signs with it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, specification: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret is not written anywhere")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memory: dict[int, Any]) -> Self:
        return self


def load_secret(name: str, source: str, environment: Mapping[str, str] | None = None) -> Secret:
    """The secret that ``source`` names; ``name`` is the setting it is for, as messages call it.

    Raises SecretError when it is not there, is not private, or ``source`` is not one of the three forms (a key written
    out in a configuration, for one).
    """
    scheme, colon, place = source.strip().partition(":")
    if colon and scheme == "env":
        text = _from_environment(name, place, os.environ if environment is None else environment)
    elif colon and scheme == "file":
        text = _from_file(name, place)
    elif colon and scheme == "keyring":
        text = _from_keyring(name, place)
    else:  # what stands there may be the key itself, so it is not shown
        raise SecretError(f"{name}: a key is not written out in settings; {HOW_TO_WRITE}")
    return Secret(_checked(name, scheme, text))


def _checked(name: str, scheme: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise SecretError(f"{name}: what its {scheme}: names is empty; put the key there")
    if not text.isprintable():
        raise SecretError(f"{name}: what its {scheme}: names is not one line of plain text; put the key alone there")
    return text


def _from_environment(name: str, variable: str, environment: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(variable):
        raise SecretError(f"{name}: what follows env: is not the name of an environment variable; {HOW_TO_WRITE}")
    if variable not in environment:
        raise SecretError(f"{name}: the environment variable {variable} is not set")
    return environment[variable]


def _from_file(name: str, place: str) -> str:
    path = Path(place).expanduser()
    if os.name != "posix":
        raise SecretError(f"{name}: whether a file is private cannot be told here; write env:NAME or keyring:...")
    try:
        # What is open is what is judged: a link is followed first, and nothing can be put in its place meanwhile. Not
        # blocking, so that a pipe cannot hold us up.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError(f"{name}: {path}: {error.strerror}") from None
    try:
        reason = _not_private(os.fstat(handle), path)
        raw = b"" if reason else os.read(handle, MAXIMUM_BYTES + 1)
    finally:
        os.close(handle)
    if reason:
        raise SecretError(f"{name}: {path}: {reason}")
    if len(raw) > MAXIMUM_BYTES:
        raise SecretError(f"{name}: {path}: more than {MAXIMUM_BYTES} bytes; put the key alone in the file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{name}: {path}: not plain text; put the key alone in the file") from None


def _not_private(facts: os.stat_result, path: Path) -> str:
    """Why an open file is no place for a key; empty when it is one."""
    if not stat.S_ISREG(facts.st_mode):
        return "not an ordinary file"
    if facts.st_uid != os.geteuid():
        return "belongs to another user; keep the key in a file of your own"
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"open to other users; run chmod 600 {path} (and think of a new key)"
    return ""


def _from_keyring(name: str, place: str) -> str:
    service, _, user = place.rpartition("/")
    if not service or not user:
        raise SecretError(f"{name}: write keyring:SERVICE/NAME")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise SecretError(f"{name}: keyring: needs the extra: pip install 'trading-kernel[live]'") from None
    try:
        text = keyring.get_password(service, user)
    except KeyringError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SecretError(f"{name}: the keyring cannot be asked ({reason}); write env:NAME or file:PATH") from None
    if text is None:
        raise SecretError(f"{name}: the keyring has nothing there; run keyring set {service} {user}")
    return text


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with every secret in it, however it is written, replaced by ``***``: for what libraries say."""
    pieces = {piece for secret in secrets for _, piece in _forms(secret)}
    for piece in sorted(pieces, key=len, reverse=True):
        text = text.replace(piece, HIDDEN)
    return text


def traces(data: bytes, secrets: Mapping[str, Secret]) -> list[str]:
    """Which secrets (by their names) are in ``data``, and how each is written there: empty for good data.

    For tests that search logs, journals and errors.
    """
    return [
        f"{name}, {form}, at byte {data.find(piece.encode())}"
        for name, secret in secrets.items()
        for form, piece in _forms(secret)
        if piece.encode() in data
    ]


def _forms(secret: Secret) -> list[tuple[str, str]]:
    """The ways in which programs write a text: as it is, quoted for a URL or JSON, in base64, in hexadecimal."""
    text = secret.reveal()
    raw = text.encode()
    forms = {"plain": text}
    if len(text) >= _SHORTEST_TRACE:
        forms |= {
            "quoted for a URL": quote(text, safe=""),
            "quoted for JSON": json.dumps(text)[1:-1],
            "quoted by Python": repr(text)[1:-1],
            "hexadecimal": raw.hex(),
        }
        for shift in range(3):  # base64 takes three bytes at a time: what stands before decides how ours come out
            piece = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            # Without the characters that also hold bits of what stands before and behind.
            inner = piece[(0, 2, 3)[shift] : len(piece) - (1 if (len(raw) + shift) % 3 else 0)]
            if len(inner) >= _SHORTEST_TRACE:
                forms[f"base64, {shift}"] = inner
    return [(form, piece) for form, piece in forms.items() if piece]
