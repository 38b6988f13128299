"""The socket: what is bounded, what is not followed, and that no text holds a key."""

import asyncio
import email.utils

import pytest

from adapters.edge.retry import Backoff
from adapters.edge.secrets import Secret
from adapters.providers.alpaca import Alpaca
from adapters.providers.http import (
    MAXIMUM_BODY_BYTES,
    Answer,
    HttpClient,
    Key,
    Settings,
    ordinary_refusal,
    retry_after_seconds,
)
from adapters.providers.shapes import MINUTE_NS, SECOND_NS, Limits, ProviderError, Reason
from tests.venues.process import Server

ONCE = Backoff(attempts=1)


def refusal(answer: Answer) -> ProviderError | None:
    return ordinary_refusal("x", answer, answer.body.decode("latin-1"), "advice")


def get(server_url: str, path: str, parse=bytes, **settings: object):
    """One request through a client of its own."""
    keys = {"X-Key": Key(Secret("a-secret-key"), "Bearer ")}
    client = HttpClient("x", Settings(base_url=server_url, backoff=ONCE, **settings), refusal, keys)

    async def ask():
        try:
            return await client.get(path, {}, parse)
        finally:
            await client.close()

    return asyncio.run(ask())


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(answer)
    await writer.drain()
    writer.close()


def from_bytes(answer: bytes, **settings: object):
    """What comes of a server that says just these bytes."""
    keys = {"X-Key": Key(Secret("a-secret-key"), "Bearer ")}

    async def scenario():
        server = await asyncio.start_server(lambda r, w: _answer(r, w, answer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        told = Settings(base_url=f"http://127.0.0.1:{port}", backoff=ONCE, **settings)
        client = HttpClient("x", told, refusal, keys)
        try:
            return await client.get("/", {}, bytes)
        finally:
            await client.close()
            server.close()
            await server.wait_closed()

    return asyncio.run(scenario())


def test_a_body_without_end_is_cut() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAXIMUM_BODY_BYTES + 1)
    with pytest.raises(ProviderError, match="more than 67,108,864 bytes") as raised:
        from_bytes(head + b"x" * (MAXIMUM_BODY_BYTES + 1))
    assert raised.value.reason is Reason.REFUSED


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(ProviderError, match="it moved") as raised:
        from_bytes(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    assert raised.value.reason is Reason.REFUSED


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_whole_answer_is_unavailable(answer: bytes) -> None:
    with pytest.raises(ProviderError) as raised:
        from_bytes(answer)
    assert raised.value.reason is Reason.UNAVAILABLE
    assert "\n" not in str(raised.value)


def test_a_server_that_repeats_the_key_does_not_get_it_into_a_text() -> None:
    with pytest.raises(ProviderError) as raised:
        from_bytes(b"HTTP/1.1 401 No\r\nContent-Length: 27\r\n\r\nno: Bearer a-secret-key  no")
    assert str(raised.value) == "x: the key is refused: no: Bearer ***  no; advice"


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(ProviderError) as raised:
        get("http://127.0.0.1:1", "/")
    assert raised.value.reason is Reason.UNAVAILABLE


def test_what_makes_no_sense_is_a_bad_answer(server: Server) -> None:
    def parse(body: bytes) -> None:
        raise ValueError("two\nlines")

    with pytest.raises(ProviderError, match=r"^x: an answer that makes no sense: two$") as raised:
        get(server.url, "/test/requests", parse)
    assert raised.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize("url", ["", "api.example", "ftp://x", "https://", "file:///etc/passwd"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ProviderError, match="is not a URL: write https://HOST"):
        HttpClient("x", Settings(base_url=url), refusal, {})


def test_retry_after_is_seconds_or_a_date() -> None:
    now = 1_700_000_000.0
    rows = {
        "": 0.0, "17": 17.0, "-1": 0.0, "soon": 0.0, "99999": 3600.0, "١": 0.0,
        email.utils.formatdate(now + 90, usegmt=True): 90.0, email.utils.formatdate(now - 90, usegmt=True): 0.0,
    }  # fmt: skip
    assert {text: retry_after_seconds(text, now) for text in rows} == rows


def test_the_limit_of_a_plan_holds_over_real_sockets(server: Server) -> None:
    server.post("/test/begin", {"page": 200})
    key, secret = Secret(server.line["key"]), Secret(server.line["secret"])

    async def ask() -> tuple[int, float]:
        provider = Alpaca(key, secret, Settings(base_url=server.url, limits=Limits(4, 0.3)))
        began = asyncio.get_running_loop().time()
        start, end = 1401926400 * SECOND_NS, 1402358400 * SECOND_NS
        try:
            pages = [page async for page in provider.fetch_bars("AAPL", MINUTE_NS, start, end)]
        finally:
            await provider.close()
        return len(pages), asyncio.get_running_loop().time() - began

    pages, seconds = asyncio.run(ask())
    assert pages == 12
    assert seconds >= 0.6
