"""One provider over HTTP: GET requests with a key, their answers as bytes, and what went wrong as ProviderError.

Owns the socket. A body is bounded, a redirect is not followed (it would carry the key elsewhere), and no text that
leaves here holds a key.
"""

import email.utils
import time
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from adapters.edge.retry import Backoff
from adapters.edge.secrets import Secret, scrub
from adapters.providers.guard import Guard
from adapters.providers.shapes import Limits, ProviderError, Reason

T = TypeVar("T")
MAXIMUM_BODY_BYTES = 64 << 20
MAXIMUM_RETRY_AFTER_SECONDS = 3600.0
_SHOWN_CHARACTERS = 160


class Answer(msgspec.Struct, frozen=True):
    """An answer as it came. ``retry_after_seconds`` is 0 when it does not say."""

    status: int
    body: bytes
    retry_after_seconds: float = 0.0


class Key(msgspec.Struct, frozen=True):
    """A key with what its header has before it, such as ``Bearer ``: what is scrubbed from texts is the key alone."""

    secret: Secret
    prefix: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be set of a provider: another place, its limit by plan, how patient we are, and who hears of failures.

    ``base_url`` empty and ``limits`` None stand for the provider's own.
    """

    base_url: str = ""
    limits: Limits | None = None
    timeout_seconds: float = 30.0
    backoff: Backoff = Backoff()
    tell: Callable[[str], None] = lambda line: None


class HttpClient:
    """GET, guarded. ``keys`` and ``headers`` go with each request.

    ``refusal`` is the provider's own reading of an answer that is no data; None when it is data.
    """

    def __init__(
        self, name: str, settings: Settings, refusal: Callable[[Answer], ProviderError | None],
        keys: Mapping[str, Key], headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        check_url(name, settings.base_url)
        self._name = name
        self._settings = settings
        self._guard = Guard(name, settings.limits, settings.backoff, tell=settings.tell)
        self._refusal = refusal
        self._keys = keys
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, params: Mapping[str, str], parse: Callable[[bytes], T]) -> T:
        """What ``parse`` makes of the answer. Bytes that it cannot read count as a bad answer, and are asked again."""

        async def attempt() -> T:
            answer = await self._send(path, params)
            try:
                refused = self._refusal(answer)
                if refused is None:
                    return parse(answer.body)
            except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
                text = f"{self._name}: an answer that makes no sense: {first_line(error)}"
                raise ProviderError(Reason.BAD_ANSWER, self._clean(text)) from None
            raise ProviderError(refused.reason, self._clean(str(refused)), refused.retry_after_seconds)

        return await self._guard.run(attempt)

    async def _send(self, path: str, params: Mapping[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds))
        url = self._settings.base_url.rstrip("/") + path
        headers = self._headers | {name: key.prefix + key.secret.reveal() for name, key in self._keys.items()}
        try:
            async with self._session.get(url, params=params, headers=headers, allow_redirects=False) as response:
                body = await _bounded(self._name, response.content)
                retry_after = retry_after_seconds(response.headers.get("Retry-After", ""), time.time())
                status = response.status
        except TimeoutError:
            text = f"{self._name}: no answer within {self._settings.timeout_seconds:g} s"
            raise ProviderError(Reason.UNAVAILABLE, text) from None
        except (aiohttp.ClientError, OSError) as error:
            text = self._clean(f"{self._name}: {first_line(error)}")
            raise ProviderError(Reason.UNAVAILABLE, text) from None
        return Answer(status, body, retry_after)

    def _clean(self, text: str) -> str:
        return scrub(text, [key.secret for key in self._keys.values()])

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()


async def _bounded(name: str, content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAXIMUM_BODY_BYTES:
            raise ProviderError(Reason.REFUSED, f"{name}: an answer of more than {MAXIMUM_BODY_BYTES:,} bytes")
    return bytes(body)


def check_url(name: str, url: str) -> None:
    """Raises ProviderError for what is no place that can be asked."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProviderError(Reason.REFUSED, f"{name}: {url!r} is not a URL: write https://HOST")


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:_SHOWN_CHARACTERS]


def retry_after_seconds(text: str, now_seconds: float) -> float:
    """Seconds of a ``Retry-After`` header (RFC 9110, 10.2.3): a number of them, or a date. 0 for anything else."""
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now_seconds
        except (ValueError, TypeError):
            return 0.0
    return min(max(0.0, seconds), MAXIMUM_RETRY_AFTER_SECONDS)


def ordinary_refusal(name: str, answer: Answer, said: str, key_advice: str) -> ProviderError | None:
    """What a status means where a provider does as HTTP says. ``said`` is its own words, of the body."""
    status = answer.status
    if status == 200:
        return None
    words = f": {first_line(ValueError(said))}" if said.strip() else ""
    if status == 401:
        return ProviderError(Reason.WRONG_KEY, f"{name}: the key is refused{words}; {key_advice}")
    if status == 403:
        return ProviderError(Reason.WRONG_KEY, f"{name}: the key does not allow this{words}; {key_advice}")
    if status == 404:
        return ProviderError(Reason.UNKNOWN_SYMBOL, f"{name}: not found{words}")
    if status in (418, 429):
        text = f"{name}: too many requests{words}"
        return ProviderError(Reason.RATE_LIMITED, text, answer.retry_after_seconds)
    if status >= 500 or status == 408:
        return ProviderError(Reason.UNAVAILABLE, f"{name}: HTTP {status}", answer.retry_after_seconds)
    if 300 <= status < 400:
        return ProviderError(Reason.REFUSED, f"{name}: HTTP {status}, it moved: give its new place with --url")
    return ProviderError(Reason.REFUSED, f"{name}: HTTP {status}{words}")


def with_defaults(settings: Settings, base_url: str, limits: Limits | None) -> Settings:
    """The settings with a provider's own place and limit where none is set."""
    return msgspec.structs.replace(settings, base_url=settings.base_url or base_url, limits=settings.limits or limits)


def said_in(body: bytes, *fields: str) -> str:
    """A provider's own words: the first of these text fields of a JSON object, else nothing."""
    try:
        found = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return ""
    return next((str(found[field]) for field in fields if found.get(field)), "")
