"""Asking witnesses to cosign a checkpoint (C2SP tlog-witness), in parallel, each within a bound.

Owns: the requests, which answers are final and which are asked for again, and following a witness to the size that it
has. Must not know: where notes are kept, or how many witnesses are enough. A cosignature is checked before it counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import aiohttp

from adapters.edge.retry import Backoff, retried
from adapters.edge.strangers import said
from journal.checkpoint import Checkpoint
from journal.merkle import Nodes
from journal.note import Note, NoteError, Signature, VerifierKey, decode_number, parse_signatures
from journal.proof import prove_consistency
from journal.witness import SIZE, Request

MOST_ANSWER_BYTES = 64 << 10
MOST_TURNS = 4  # of following a witness to its size, while others ask it too
REQUEST_WITHIN_S = 5.0
BACKOFF = Backoff(attempts=3, first_seconds=0.25, cap_seconds=2.0, deadline_seconds=12.0)


@dataclass(frozen=True, slots=True)
class Word:
    """What a witness said: its cosignatures, or the problem in words.

    ``is_refusal``: it was there, and will say the same again; else it was away.
    """

    url: str
    signatures: tuple[Signature, ...] = ()
    problem: str = ""
    is_refusal: bool = False


class _AwayError(Exception):
    """The witness gave no answer that is final."""


async def ask_witnesses(
    urls: Sequence[str],
    note: bytes,
    nodes: Nodes,
    keys: Sequence[VerifierKey],
    *,
    old_size: int = 0,
    backoff: Backoff = BACKOFF,
) -> list[Word]:
    """Ask each witness to cosign; ``old_size`` is what they are thought to have, ``keys`` those whose word counts.

    ``nodes`` has the subtrees up to the checkpoint. Never raises for what a witness does.
    """
    timeout = aiohttp.ClientTimeout(total=REQUEST_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        asked = (_Asking(session, url, note, nodes, keys, backoff).ask(old_size) for url in urls)
        return list(await asyncio.gather(*asked))


class _Asking:
    """One witness and one note."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        note: bytes,
        nodes: Nodes,
        keys: Sequence[VerifierKey],
        backoff: Backoff,
    ) -> None:
        self._session, self._url, self._note, self._nodes = session, url, Note.parse(note), nodes
        self._size, self._keys, self._backoff = Checkpoint.of_note(note).size, keys, backoff

    async def ask(self, old_size: int) -> Word:
        old_size = min(old_size, self._size)
        for _ in range(MOST_TURNS):
            body = Request(old_size, prove_consistency(self._nodes, old_size, self._size), self._note).encode()
            try:
                status, content_type, answer = await self._post(body)
            except _AwayError as error:
                return Word(self._url, problem=str(error))
            if status == 200:
                return self._cosigned(answer)
            seen = decode_number(answer.decode("ascii", "replace").removesuffix("\n"))
            if status != 409 or not content_type.startswith(SIZE) or seen is None:
                return self._refused(status, answer)
            if seen > self._size:
                text = f"it saw {seen:,} frames, and this journal has {self._size:,}: its tail was cut, or it is old"
                return Word(self._url, problem=text, is_refusal=True)
            old_size = seen
        return Word(self._url, problem="its size changes all the time: others ask it for the same log")

    async def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, type and body of the answer; asked for again while the witness is away."""

        async def once(deadline: float) -> tuple[int, str, bytes]:
            within = aiohttp.ClientTimeout(total=max(min(REQUEST_WITHIN_S, deadline - time.monotonic()), 0.1))
            place = f"{self._url.rstrip('/')}/add-checkpoint"
            try:
                async with self._session.post(place, data=body, timeout=within, allow_redirects=False) as answer:
                    data = await answer.content.read(MOST_ANSWER_BYTES)
                    while not answer.content.at_eof() and len(data) < MOST_ANSWER_BYTES:
                        data += await answer.content.read(MOST_ANSWER_BYTES - len(data))
                    found = answer.status, answer.headers.get("Content-Type", ""), data
            except TimeoutError as error:
                raise _AwayError(f"no answer within {REQUEST_WITHIN_S:g} s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise _AwayError(said(str(error))) from error
            if found[0] in (408, 429) or found[0] >= 500:
                raise _AwayError(f"it answers {found[0]}: {said(data.decode('utf-8', 'replace'))}")
            return found

        return await retried(once, lambda error: 0.0 if isinstance(error, _AwayError) else None, self._backoff)

    def _cosigned(self, answer: bytes) -> Word:
        try:
            whole = replace(self._note, signatures=parse_signatures(answer.decode()))
            good = {(key.name, key.id) for key, _ in whole.cosigners(self._keys)}
        except (NoteError, UnicodeDecodeError) as error:
            return Word(self._url, problem=f"its answer is no cosignature: {said(str(error))}", is_refusal=True)
        signatures = tuple({(one.name, one.id): one for one in reversed(whole.signatures)}.values())
        signatures = tuple(one for one in signatures if (one.name, one.id) in good)
        if not signatures:
            return Word(self._url, problem="it cosigns with a key that is not given", is_refusal=True)
        return Word(self._url, signatures)

    def _refused(self, status: int, answer: bytes) -> Word:
        what = {403: "it does not know the key", 404: "it does not know the log", 422: "it saw another history"}
        text = f"{what.get(status, 'it refuses')} ({status}: {said(answer.decode('utf-8', 'replace'))})"
        return Word(self._url, problem=text, is_refusal=True)
