"""RFC 3161 tokens of a real authority (OpenSSL's): asked for, checked, spoiled."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.edge.retry import Backoff
from adapters.timestamps.client import ask_authority
from adapters.timestamps.tokens import (
    MOST_TOKEN_BYTES,
    TimestampError,
    check_token,
    is_of,
    make_request,
    read_certificates,
)
from tests.adapters.timestamps.authority import Authority, needs_openssl

pytestmark = needs_openssl
DATA = b"example.com/log/00\n7\nAAAA\n"
QUICK = Backoff(attempts=3, first_seconds=0.01, cap_seconds=0.02, deadline_seconds=5.0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("tsa") / "one") as made:
        yield made


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return asyncio.run(ask_authority(authority.url, DATA, QUICK))


def test_a_token_says_when(authority: Authority, token: bytes, tmp_path: Path) -> None:
    moment = check_token(DATA, token, read_certificates(authority.root.read_bytes()))
    assert abs(moment.timestamp() - time.time()) < 120
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "token").write_bytes(token)
    assert authority.accepts(tmp_path / "data", tmp_path / "token")
    assert [is_of(*one) for one in ((DATA, token), (b"other", token), (DATA, b"nonsense"))] == [True, False, False]


def test_what_does_not_hold(authority: Authority, token: bytes, tmp_path: Path) -> None:
    certificates = read_certificates(authority.root.read_bytes())
    with pytest.raises(TimestampError, match="does not hold"):
        check_token(DATA + b"x", token, certificates)
    stranger = Authority(tmp_path / "two", "Another TSA")
    with pytest.raises(TimestampError, match="does not hold"):
        check_token(DATA, token, read_certificates(stranger.root.read_bytes()))
    with pytest.raises(TimestampError):
        check_token(DATA, b"", certificates)
    with pytest.raises(TimestampError, match="at most"):
        check_token(DATA, bytes(MOST_TOKEN_BYTES + 1), certificates)
    with pytest.raises(TimestampError, match="no PEM"):
        read_certificates(b"nonsense")


def test_no_byte_of_the_signed_part_can_change(authority: Authority, token: bytes, tmp_path: Path) -> None:
    """What is accepted says the same, and OpenSSL accepts it as well: some bytes (of algorithms) are not signed."""
    certificates = read_certificates(authority.root.read_bytes())
    (tmp_path / "data").write_bytes(DATA)
    moment, accepted = check_token(DATA, token, certificates), 0
    for at in range(0, len(token), 7):
        spoiled = bytearray(token)
        spoiled[at] ^= 1
        try:
            found = check_token(DATA, bytes(spoiled), certificates)
        except TimestampError:
            continue
        accepted += 1
        (tmp_path / "token").write_bytes(spoiled)
        assert found == moment
        assert authority.accepts(tmp_path / "data", tmp_path / "token"), at
    assert accepted < len(token) // 7 // 10


def _refusal(text: bytes) -> bytes:
    """A TimeStampResp with the status rejection and a text (RFC 3161, section 2.4.2), in DER."""
    told = bytes([0x0C, len(text)]) + text
    status = b"\x02\x01\x02" + bytes([0x30, len(told)]) + told
    inner = bytes([0x30, len(status)]) + status
    return bytes([0x30, len(inner)]) + inner


@pytest.mark.parametrize(
    ("answer", "times", "says"),
    [
        ((500, b""), 3, "it answers 500"),
        ((429, b""), 3, "it answers 429"),
        ((404, b""), 1, "it answers 404"),
        ((200, b"nonsense"), 1, "no answer of a timestamp authority"),
        ((200, b"x" * 100_000), 1, "at most"),
        ((200, _refusal(b"\x1b[31mbusy\nError: forged")), 1, r"refused \(rejection: \[31mbusy\)"),
    ],
)
def test_bad_answers(authority: Authority, answer: tuple[int, bytes], times: int, says: str) -> None:
    authority.answer, before = answer, len(authority.requests)
    try:
        with pytest.raises(TimestampError, match=says):
            asyncio.run(ask_authority(authority.url, DATA, QUICK))
    finally:
        authority.answer = None
    assert len(authority.requests) - before == times


def test_an_answer_to_another_request_is_refused(authority: Authority) -> None:
    for other in (make_request(DATA), make_request(b"other")):  # another number; other data
        authority.answer = (200, authority.reply(other.as_bytes()))
        try:
            with pytest.raises(TimestampError, match="another request"):
                asyncio.run(ask_authority(authority.url, DATA, QUICK))
        finally:
            authority.answer = None


def test_an_authority_that_is_away(authority: Authority) -> None:
    with pytest.raises(TimestampError, match="Cannot connect"):
        asyncio.run(ask_authority("http://127.0.0.1:9/", DATA, QUICK))
