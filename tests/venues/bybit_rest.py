"""The REST interface of a simulated Bybit: signatures, the time window, and the faults of a request."""

import asyncio
import hashlib
import hmac
import json
from decimal import InvalidOperation
from typing import Any

import msgspec
from aiohttp import web

from tests.venues import bybit_words as words
from tests.venues.bybit_endpoints import CODES, ENDPOINTS, AnswerError, check_parameters
from tests.venues.bybit_venue import API_KEY, API_SECRET, Venue
from tests.venues.faults import mangled
from tests.venues.shapes import RefusedError

NEVER_SECONDS = 60.0
SLOW_SECONDS = 0.2
SKEW_MS = 3_600_000


def envelope(venue: Venue, result: Any, code: int = 0, text: str = "OK") -> bytes:
    """What every answer is wrapped in."""
    time_ms = venue.now_ns() // words.MS
    return msgspec.json.encode({"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": time_ms})


async def rest(request: web.Request) -> web.StreamResponse:
    """Any request under /v5/, with its faults."""
    venue: Venue = request.app["venue"]
    faults, where = venue.faults, request.path
    venue.requests[where] = venue.requests.get(where, 0) + 1
    body = await request.read()
    before = faults.first(("maintenance", "http_429", "http_500", "timeout", "slow"), where)
    if before == "maintenance":
        return web.Response(status=503, text="<html>Service Unavailable</html>", content_type="text/html")
    if before == "http_429":
        if faults.counts()["http_429"] % 2:
            return web.Response(status=429, text="<html>Too Many Requests</html>", content_type="text/html")
        return _json(envelope(venue, {}, 10006, "Too many visits. Exceeded the API Rate Limit."))
    if before == "http_500":
        return web.Response(status=500, text="<html>Internal Server Error</html>", content_type="text/html")
    if before == "timeout":
        await asyncio.sleep(NEVER_SECONDS)
    if before == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    answer = _answer(venue, request, body)
    kinds = ("timeout_after_accept", "drop_after_accept", "http_500_after_accept", "malformed", "truncated")
    after = faults.first(kinds, where)
    if after == "timeout_after_accept":
        await asyncio.sleep(NEVER_SECONDS)
    if after == "drop_after_accept":
        assert request.transport is not None
        request.transport.abort()
    if after == "http_500_after_accept":
        return web.Response(status=500, text="<html>Bad Gateway</html>", content_type="text/html")
    return _json(mangled(after, answer) if after in ("malformed", "truncated") else answer)


def _json(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="application/json")


def _answer(venue: Venue, request: web.Request, body: bytes) -> bytes:
    try:
        endpoint = ENDPOINTS.get((request.method, request.path.removeprefix("/v5/")))
        if endpoint is None:
            raise AnswerError(10017, "Route not found.")
        if not request.path.startswith("/v5/market"):
            check_signature(venue, request, body)
        params = json.loads(body) if request.method == "POST" else dict(request.query)
        check_parameters(request.path.removeprefix("/v5/"), params)
        if params.get("category", venue.category) != venue.category:
            raise AnswerError(10001, "params error: category is not served here")
        return envelope(venue, endpoint(venue, params))
    except RefusedError as refused:
        return envelope(venue, {}, CODES[refused.code][venue.category == "spot"], str(refused))
    except AnswerError as error:
        return envelope(venue, {}, error.code, str(error))
    except (KeyError, InvalidOperation, ValueError, TypeError) as error:
        return envelope(venue, {}, 10001, f"Request parameter error: {error}")


def check_signature(venue: Venue, request: web.Request, body: bytes) -> None:
    """Raises AnswerError for a wrong key, signature or time."""
    head = request.headers
    key, stamp = head.get("X-BAPI-API-KEY", ""), head.get("X-BAPI-TIMESTAMP", "0")
    window = head.get("X-BAPI-RECV-WINDOW", "5000")
    if key != API_KEY:
        raise AnswerError(10003, "API key is invalid.")
    payload = body.decode() if request.method == "POST" else request.rel_url.raw_query_string
    expected = hmac.new(API_SECRET.encode(), f"{stamp}{key}{window}{payload}".encode(), hashlib.sha256).hexdigest()
    is_right = hmac.compare_digest(expected, head.get("X-BAPI-SIGN", ""))
    if not is_right or venue.faults.strikes("wrong_signature", request.path):
        raise AnswerError(10004, "error sign! origin_string[...], please check your signature generation algorithm.")
    now_ms = venue.now_ns() // words.MS
    if venue.faults.strikes("clock_skew", request.path):
        now_ms += SKEW_MS
    if not now_ms - int(window) <= int(stamp) < now_ms + 1000:
        text = f"invalid request, please check your server timestamp or recv_window param. req_timestamp[{stamp}]"
        raise AnswerError(10002, f"{text},server_timestamp[{now_ms}],recv_window[{window}]")
