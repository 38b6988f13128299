"""Asking a timestamp authority over HTTP (RFC 3161, section 3.4).

Owns: the request, within a bound, tried again while the authority is away. What a token is worth is ``tokens.py``'s.
"""

from __future__ import annotations

import time
from typing import Any

import aiohttp

from adapters.edge.retry import Backoff, retried
from adapters.edge.strangers import said
from adapters.timestamps.tokens import MOST_TOKEN_BYTES, TimestampError, check_answer, make_request

REQUEST_WITHIN_S = 10.0
BACKOFF = Backoff(attempts=3, first_seconds=0.25, cap_seconds=2.0, deadline_seconds=25.0)


class _AwayError(TimestampError):
    """No answer, or one that may be another next time."""


async def ask_authority(url: str, data: bytes, backoff: Backoff = BACKOFF) -> bytes:
    """The token that an authority gives for the data. Raises TimestampError."""
    request = make_request(data)

    async def once(deadline: float) -> bytes:
        return await _post(url, request, deadline)

    token = await retried(once, lambda error: 0.0 if isinstance(error, _AwayError) else None, backoff)
    check_answer(token, request)
    return token


async def _post(url: str, request: Any, deadline: float) -> bytes:
    within = aiohttp.ClientTimeout(total=max(min(REQUEST_WITHIN_S, deadline - time.monotonic()), 0.1))
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        async with (
            aiohttp.ClientSession(timeout=within) as session,
            session.post(url, data=request.as_bytes(), headers=headers, allow_redirects=False) as answer,
        ):
            data = b""
            while len(data) <= MOST_TOKEN_BYTES and (part := await answer.content.read(MOST_TOKEN_BYTES + 1)):
                data += part
    except TimeoutError as error:
        raise _AwayError(f"{url}: no answer within {REQUEST_WITHIN_S:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise _AwayError(f"{url}: {said(str(error))}") from error
    if answer.status == 429 or answer.status >= 500:
        raise _AwayError(f"{url}: it answers {answer.status}")
    if answer.status != 200:
        raise TimestampError(f"{url}: it answers {answer.status}")
    return data
