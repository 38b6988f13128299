"""Asking witnesses: those that are there, away, slow, behind, ahead, or lie."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from adapters.edge.retry import Backoff
from adapters.witness.client import Word, ask_witnesses
from journal.checkpoint import Checkpoint
from journal.merkle import MerkleTree, leaf_hash
from journal.note import COSIGNATURE, Note, SigningKey, cosign
from journal.proof import LeafNodes
from journal.witness import SIZE
from tests.adapters.serving import serving
from tests.adapters.witness.processes import WitnessProcess, start_all

LOG = SigningKey("example.com/desk", bytes(32))
ORIGIN = f"example.com/log/{bytes(16).hex()}"
HASHES = [leaf_hash(bytes([number])) for number in range(40)]
FORK = [*HASHES[:5], *(leaf_hash(bytes([number, 1])) for number in range(35))]
KEY = SigningKey("witness.example/w9", bytes([9]) * 32, COSIGNATURE)
OTHER = SigningKey("witness.example/w9", bytes([8]) * 32, COSIGNATURE)
QUICK = Backoff(attempts=3, first_seconds=0.01, cap_seconds=0.02, deadline_seconds=2.0)


def _note(size: int, hashes: list[bytes] = HASHES) -> bytes:
    return Checkpoint(ORIGIN, size, MerkleTree(hashes[:size]).root).sign(LOG)


async def _ask(urls: list[str], size: int, hashes: list[bytes] = HASHES, *keys: SigningKey, old: int = 0) -> list[Word]:
    known = [key.verifier for key in keys]
    return await ask_witnesses(urls, _note(size, hashes), LeafNodes(hashes), known, old_size=old, backoff=QUICK)


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[WitnessProcess]]:
    made = [WitnessProcess(tmp_path / f"w{number}", ORIGIN, LOG.verifier, number=number) for number in (1, 2)]
    start_all(made)
    yield made
    for one in made:
        one.stop()


def test_witnesses_are_followed_from_where_they_are(witnesses: list[WitnessProcess]) -> None:
    first, second = witnesses
    keys = [one.key for one in witnesses]

    def ask(urls: list[str], size: int, hashes: list[bytes] = HASHES, old: int = 0) -> list[Word]:
        return asyncio.run(_ask(urls, size, hashes, *keys, old=old))

    (alone,) = ask([first.url], 7)
    assert not alone.problem
    words = ask([first.url, second.url], 12, old=9)  # one has 7, the other none, and both are thought to have 9
    assert [word.problem for word in words] == ["", ""]
    whole = Note.parse(_note(12))
    whole = Note(whole.text, whole.signatures + words[0].signatures + words[1].signatures)
    assert [key for key, _ in whole.cosigners([key.verifier for key in keys])] == [key.verifier for key in keys]
    for size, hashes, says in (
        (9, HASHES, "it saw 12 frames"),
        (20, FORK, "it saw another history"),
        (12, FORK, "409"),
    ):
        for word in ask([first.url, second.url], size, hashes):
            assert (word.is_refusal, says in word.problem, word.signatures) == (True, True, ())
    second.stop(signal.SIGKILL)
    words = ask([first.url, second.url], 15, old=12)
    assert [word.is_refusal for word in words] == [False, False]
    assert words[0].signatures
    assert "Cannot connect" in words[1].problem
    second.start()
    assert all(word.signatures for word in ask([first.url, second.url], 15))


@asynccontextmanager
async def _liar(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/add-checkpoint", answer)
    async with serving(app) as url:
        yield f"{url}/"


_LINE = cosign(Note.parse(_note(7)).text, KEY, 1_700_000_000).line
_WRONG = cosign(Note.parse(_note(6)).text, KEY, 1_700_000_000).line


@pytest.mark.parametrize(
    ("status", "content_type", "body", "is_refusal", "says"),
    [
        (200, "text/plain", _LINE, False, ""),
        (200, "text/plain", cosign(_note(7).decode(), OTHER, 1).line + _LINE, False, ""),
        (200, "text/plain", _WRONG, True, "is not good"),
        (200, "text/plain", cosign(Note.parse(_note(7)).text, OTHER, 1).line, True, "a key that is not given"),
        (200, "text/plain", "", True, "no cosignature"),
        (200, "text/plain", "x" * 100_000, True, "no cosignature"),
        (301, "text/plain", "elsewhere", True, "301"),
        (403, "text/plain", "\x1b[31mno\nforged line", True, "does not know the key (403: [31mno)"),
        (404, "text/plain", "", True, "does not know the log"),
        (409, SIZE, "6\n", False, "changes all the time"),
        (409, SIZE, "07\n", True, "409"),
        (409, SIZE, "8\n", True, "it saw 8 frames"),
        (422, "text/plain", "", True, "another history"),
        (429, "text/plain", "later", False, "it answers 429: later"),
        (500, "text/plain", "", False, "it answers 500"),
    ],
)
def test_answers(status: int, content_type: str, body: str, is_refusal: bool, says: str) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(await request.read())
        return web.Response(status=status, body=body.encode(), headers={"Content-Type": content_type})

    async def run() -> list[Word]:
        async with _liar(answer) as url:
            return await _ask([url], 7, HASHES, KEY)

    (word,) = asyncio.run(run())
    assert word.is_refusal == is_refusal
    assert (says in word.problem) if says else (not word.problem and [one.line for one in word.signatures] == [_LINE])
    assert len(asked) == (4 if "changes" in says else 3 if "answers" in says else 1)


def test_one_that_is_away_at_first_is_asked_again() -> None:
    answers = [500, 503, 200]

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=answers.pop(0), text=_LINE)

    async def run() -> list[Word]:
        async with _liar(answer) as url:
            return await _ask([url], 7, HASHES, KEY)

    assert not asyncio.run(run())[0].problem


def test_one_that_never_answers_holds_nobody_up(witnesses: list[WitnessProcess]) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    async def run() -> list[Word]:
        async with _liar(answer) as url:
            return await _ask([url, witnesses[0].url], 7, HASHES, witnesses[0].key)

    started = time.monotonic()
    words = asyncio.run(run())
    assert time.monotonic() - started < 10
    assert "no answer within" in words[0].problem
    assert words[1].signatures
