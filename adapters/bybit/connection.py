"""ccxt's Bybit client at its extension points: raw answers, raw stream messages, and what is known of each request.

ccxt does the signing, the addresses, the rate limit, the connecting, signing in and pinging. Answers keep their text:
the envelope is read here, the rest by ``parse``. Stream messages go to a callback as text, before ccxt looks at them;
only those that are about the connection itself (answers to auth, subscribe and ping) go on to ccxt.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import ccxt.pro
import msgspec
from ccxt.async_support.base.throttler import Throttler
from ccxt.async_support.base.ws.client import Client

from adapters.bybit import wire
from adapters.bybit.errors import Call
from adapters.bybit.settings import BybitSettings

CALL: ContextVar[Call] = ContextVar("bybit_call")
RATE_WINDOW_MS = 1000
_ENVELOPE = msgspec.json.Decoder(wire.Envelope)


class RawClient(Client):
    """A websocket of ccxt whose data messages go to ``on_text`` unread. ``ended`` is set when it is over."""

    def start(self, on_text: Callable[[str], bool]) -> None:
        """``on_text`` returns whether the message was its own; what it raises ends the connection."""
        self.on_text = on_text
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None

    def handle_text_or_binary_message(self, data: str | bytes) -> None:
        text = data.decode() if isinstance(data, bytes) else data
        try:
            if not self.on_text(text):
                super().handle_text_or_binary_message(text)
        except Exception as error:  # ccxt's loop would stop without a word
            self.failure = error
            self.on_error(ccxt.NetworkError(f"{type(error).__name__} in a message"))

    def on_error(self, error: Exception) -> None:
        super().on_error(error)
        self._over(f"{type(error).__name__}: {error}")

    def on_close(self, code: int) -> None:
        super().on_close(code)
        self._over(f"closed with code {code}")

    def _over(self, text: str) -> None:
        if not self.ended.done():
            self.ended.set_result(" ".join(text.split())[:200])


class Connection(ccxt.pro.bybit):
    """ccxt's client with this account's settings. The text of an answer is beside its envelope."""

    # ccxt logs requests with their headers, and with them the key, at the level of debugging. This one has no handlers.
    logger = logging.Logger("ccxt", logging.WARNING)
    clients: dict[str, RawClient]

    def __init__(self, settings: BybitSettings) -> None:
        rest = settings.rest
        super().__init__(
            {
                "apiKey": settings.api_key.reveal(),
                "secret": settings.api_secret.reveal(),
                "timeout": int(settings.request_seconds * 1000),
                "enableRateLimit": True,
                # ccxt's other limiter makes a request pay for the one before it, however long ago that was.
                "rateLimiterAlgorithm": "rollingWindow",
                "rollingWindowSize": RATE_WINDOW_MS,
                "rateLimit": RATE_WINDOW_MS / settings.request_weight,
                "timeout_on_exit": 250 if rest.startswith("https") else 10,
                "options": {"recvWindow": settings.recv_window_ms, "timeDifference": 0, "ws": {"compress": 0}},
                "urls": {"api": dict.fromkeys(("public", "private", "v2", "spot", "futures"), rest)},
                "streaming": {
                    "keepAlive": int(settings.keep_alive_seconds * 1000),
                    "connectionTimeout": max(1000, int(settings.connect_seconds * 1000)),
                },
            }
        )

    # --- REST ------------------------------------------------------------------------------------------------------

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """From here on something may have been sent."""
        CALL.get().sent = True
        return await super().fetch(url, method, headers, body)

    def parse_json(self, http_response: str) -> Any:
        """The envelope of an answer as ccxt expects it, with what is inside unread; None for what is no JSON."""
        try:
            envelope = _ENVELOPE.decode(http_response)
        except msgspec.MsgspecError:
            return None
        return {
            "retCode": envelope.ret_code,
            "retMsg": envelope.ret_message,
            "result": envelope.result,
            "time": envelope.time,
            "text": http_response,
        }

    def handle_errors(self, status: int, *rest: Any) -> Any:
        """What the venue said is kept before ccxt makes an error of it; ``rest`` is as ccxt passes it."""
        call = CALL.get()
        call.status, response = status, rest[5]
        if isinstance(response, dict):
            call.code, call.message = response["retCode"], " ".join(response["retMsg"].split())[:300]
        return super().handle_errors(status, *rest)

    # --- streams ---------------------------------------------------------------------------------------------------

    def stream(self, url: str, on_text: Callable[[str], bool]) -> RawClient:
        """A websocket that is not connected yet, known to ccxt by its address."""
        self.open()
        options = self.extend(self.streaming, {"ping": self.ping, "asyncio_loop": self.asyncio_loop, "compress": 0})
        options["throttle"] = Throttler(self.tokenBucket, self.asyncio_loop)
        client = RawClient(url, self.handle_message, self.on_error, self.on_close, self.on_connected, options)
        client.start(on_text)
        self.clients = self.clients or {}
        self.clients[url] = client
        return client
