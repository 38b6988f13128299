"""Secrets: where they may come from, what is refused, and that no text shows them."""

import base64
import copy
import json
import os
import pickle
import traceback
from pathlib import Path

import keyring
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from adapters.edge.secrets import HIDDEN, Secret, SecretError, load_secret, scrub, traces

KEY = "aB3+/x=&%quite-a-secret\"key'"


class Settings(msgspec.Struct, frozen=True):
    """Settings as an adapter has them."""

    url: str
    key: Secret


def test_no_ordinary_text_shows_a_secret() -> None:
    secret = Secret(KEY)
    settings = Settings("https://x", secret)
    try:
        raise ValueError(f"with {secret} and {settings}")
    except ValueError as error:
        told = "".join(traceback.format_exception(error))
    shown = [
        repr(secret), str(secret), f"{secret:>40}", f"{secret!r}", f"{secret}", repr(settings), repr([secret]),
        "%s %r" % (secret, secret), "{}".format(secret), told,  # noqa: UP031, UP032
    ]  # fmt: skip
    for text in shown:
        assert not traces(text.encode(), {"key": secret}), text
    assert HIDDEN in repr(settings)


def test_a_secret_is_not_stored() -> None:
    for store in (pickle.dumps, msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as raised:
            store(Settings("https://x", Secret(KEY)))
        assert KEY not in str(raised.value)
    with pytest.raises(TypeError):
        json.dumps(Secret(KEY))


def test_secrets_compare_by_what_they_hold() -> None:
    assert Secret(KEY) == Secret(KEY) == copy.deepcopy(copy.copy(Secret(KEY)))
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY), Secret("")}) == 2
    assert Secret(KEY)
    assert not Secret("")


def test_from_the_environment() -> None:
    assert load_secret("bybit.key", "env:BYBIT_KEY", {"BYBIT_KEY": f" {KEY}\n"}).reveal() == KEY
    refused("env:BYBIT_KEY", "the environment variable BYBIT_KEY is not set", {})
    refused("env:BYBIT_KEY", "names is empty", {"BYBIT_KEY": "  "})
    refused("env:BYBIT_KEY", "not one line", {"BYBIT_KEY": "one\ntwo"})
    refused(f"env:{KEY}", "not the name of an environment variable", {})


def refused(source: str, reason: str, environment: dict[str, str] | None = None) -> None:
    with pytest.raises(SecretError) as raised:
        load_secret("bybit.key", source, environment)
    text = str(raised.value)
    assert text.startswith("bybit.key: ")
    assert reason in text
    assert "\n" not in text
    assert KEY not in text


@pytest.mark.parametrize("source", [KEY, "", "plain", f"vault:{KEY}", f"ENV:{KEY}", f"https://{KEY}"])
def test_a_key_written_out_is_refused_and_not_repeated(source: str) -> None:
    refused(source, "write env:NAME, file:PATH or keyring:SERVICE/NAME")


def key_file(folder: Path, mode: int = 0o600, raw: bytes = KEY.encode() + b"\n") -> Path:
    path = folder / "bybit.key"
    path.write_bytes(raw)
    path.chmod(mode)
    return path


def test_from_a_private_file(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    assert load_secret("bybit.key", f"file:{path}").reveal() == KEY
    link = tmp_path / "link"
    link.symlink_to(path)
    assert load_secret("bybit.key", f"file:{link}").reveal() == KEY


def test_from_a_file_below_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_secret("bybit.key", "file:~/bybit.key").reveal() == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o601, 0o660, 0o666, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, mode)
    link = tmp_path / "link"
    link.symlink_to(path)
    refused(f"file:{path}", "open to other users; run chmod 600")
    refused(f"file:{link}", "open to other users; run chmod 600")


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = Path("/etc/passwd")
    if os.geteuid() == 0:  # to whom that one belongs, but who can give a file away
        path = key_file(tmp_path)
        os.chown(path, 12345, -1)
    refused(f"file:{path}", "belongs to another user")


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    refused(f"file:{tmp_path / 'pipe'}", "not an ordinary file")
    refused(f"file:{tmp_path}", "not an ordinary file")
    refused(f"file:{tmp_path / 'none'}", "No such file")
    for raw, reason in (
        (b"", "names is empty"),
        (b"one\ntwo", "not one line"),
        (b"\xff\xfeA", "not plain text"),
        (b"x" * 4097, "more than 4096 bytes"),
    ):
        refused(f"file:{key_file(tmp_path, raw=raw)}", reason)


class MemoryKeyring(KeyringBackend):
    """A keyring for a test, through keyring's own extension point."""

    priority = 0.0  # never chosen by itself

    def get_password(self, service: str, username: str) -> str | None:
        return KEY if (service, username) == ("kernel/bybit", "key") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


def test_from_the_keyring() -> None:
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(MemoryKeyring())
        assert load_secret("bybit.key", "keyring:kernel/bybit/key").reveal() == KEY
        refused("keyring:kernel/other", "nothing there; run keyring set kernel other")
        refused("keyring:kernel", "write keyring:SERVICE/NAME")
        keyring.set_keyring(NoKeyring())
        refused("keyring:kernel/bybit/key", "the keyring cannot be asked")
    finally:
        keyring.set_keyring(before)


def test_scrub_takes_every_form_out() -> None:
    secret = Secret(KEY)
    around = [KEY, json.dumps({"key": KEY}), repr(KEY), KEY.encode().hex()]
    around += [base64.b64encode(b"x" * before + KEY.encode() + b"y" * 3).decode() for before in range(3)]
    for text in around:
        assert traces(text.encode(), {"key": secret}), text
        clean = scrub(f"GET {text} failed", [Secret("other"), secret])
        assert HIDDEN in clean
        assert not traces(clean.encode(), {"key": secret}), clean
    assert scrub("nothing here", [secret, Secret("")]) == "nothing here"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=8), st.binary(), st.binary())
def test_a_trace_is_found_wherever_it_is(text: str, before: bytes, behind: bytes) -> None:
    secrets = {"key": Secret(text)}
    assert traces(before + text.encode() + behind, secrets)
    assert traces(base64.b64encode(before + text.encode() + behind), secrets)
    assert traces(b"k" + (before + text.encode() + behind).hex().encode(), secrets)
