"""The websockets of a simulated Bybit: sign-in, subscriptions, ping and pong, and the faults of a stream."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.venues.bybit_venue import API_KEY, API_SECRET, Venue
from tests.venues.faults import mangled

MAXIMUM_WAITING = 50_000
LATE_SECONDS = 0.3
PRIVATE_TOPICS = {"order", "execution", "position", "wallet", "execution.fast"}
CLOSE = ""  # in the place of a topic: close the connection


class StreamSession:
    """One connection. What is offered waits in a bounded queue and is sent in order, but for the faults."""

    def __init__(self, venue: Venue, socket: web.WebSocketResponse, *, is_private: bool) -> None:
        self.topics: set[str] = set()
        self._venue, self._socket, self._is_private = venue, socket, is_private
        self._where = "ws/private/" if is_private else "ws/public/"
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._wake = asyncio.Event()
        self._held: dict[str, bytes] = {}
        self._is_silent = False
        self._signed_in = not is_private

    def offer(self, topic: str, message: dict[str, Any]) -> None:
        """Put a message in the queue; a client that is too slow is cut off."""
        self._put(topic, msgspec.json.encode(message))

    def _put(self, topic: str, data: bytes) -> None:
        if len(self._waiting) >= MAXIMUM_WAITING:
            self._waiting.clear()
            topic = CLOSE
        self._waiting.append((topic, data))
        self._wake.set()

    async def send_all(self) -> None:
        """Send what waits, until cancelled or cut off."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                topic, data = self._waiting.popleft()
                if topic == CLOSE or not await self._send(topic, data):
                    await self._socket.close(code=1011)
                    return

    async def _send(self, topic: str, data: bytes) -> bool:
        """One message with the faults of a stream; whether the connection goes on."""
        faults, where = self._venue.faults, self._where + topic
        if self._is_silent or faults.strikes("lost_message", where):
            return True
        if faults.strikes("half_open", where):
            self._is_silent = True
            return True
        if topic == "execution" and faults.strikes("late_fill", where):
            asyncio.get_running_loop().call_later(LATE_SECONDS, self._put, "late", data)
            return True
        if topic not in self._held and faults.strikes("reorder", where):
            self._held[topic] = data
            return True
        broken = faults.first(("malformed", "truncated"), where)
        await self._text(mangled(broken, data) if broken else data)
        if topic in self._held:
            await self._text(self._held.pop(topic))
        if faults.strikes("duplicate", where):
            await self._text(data)
        return not faults.strikes("disconnect", where)

    async def _text(self, data: bytes) -> None:
        if not self._socket.closed:
            await self._socket.send_str(data.decode(errors="replace"))

    async def hear(self) -> None:
        """Answer what the client asks, until the connection is over."""
        async for message in self._socket:
            if message.type is WSMsgType.TEXT and not self._is_silent:
                await self._answer(json.loads(message.data))

    async def _answer(self, asked: dict[str, Any]) -> None:
        op, args, name = asked.get("op"), asked.get("args") or [], asked.get("req_id", "")
        if op == "ping":
            if self._is_private:
                reply = {"req_id": name, "op": "pong", "args": ["1"], "conn_id": "c1"}
            else:
                reply = {"success": True, "ret_msg": "pong", "conn_id": "c1", "req_id": name, "op": "ping"}
            await self._socket.send_json(reply)
            return
        error = ""
        if op == "auth":
            error = self._sign_in(args)
        elif op == "subscribe":
            error = self._subscribe(args)
        elif op == "unsubscribe":
            self.topics -= set(args)
        else:
            error = "error:invalid op"
        reply = {"success": not error, "ret_msg": error, "conn_id": "c1", "req_id": name, "op": op}
        if error:
            reply["request"] = asked
        await self._socket.send_json(reply)
        if op == "subscribe" and not error:
            for topic in args:
                first = None if self._is_private else self._venue.snapshot(topic)
                if first is not None:
                    self.offer(topic, first)

    def _sign_in(self, args: list[Any]) -> str:
        if len(args) != 3 or args[0] != API_KEY or self._venue.faults.strikes("wrong_signature", "ws/auth"):
            return "error:USVC1111"
        signature = hmac.new(API_SECRET.encode(), f"GET/realtime{args[1]}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, str(args[2])):
            return "error:USVC1111"
        if int(args[1]) < self._venue.now_ns() // 1_000_000:
            return "Request expired"
        self._signed_in = True
        return ""

    def _subscribe(self, args: list[str]) -> str:
        for topic in args:
            known = (
                topic in PRIVATE_TOPICS
                if self._is_private
                else topic.rpartition(".")[2] in self._venue.exchange.symbols
            )
            if not known:
                return f"error:handler not found,topic:{topic}"
        if not self._signed_in:
            return "error:not authorized"
        self.topics |= set(args)
        return ""


async def stream(request: web.Request) -> web.WebSocketResponse:
    """A connection to the public or the private stream."""
    venue: Venue = request.app["venue"]
    is_private = request.path.endswith("/private")
    if venue.faults.strikes("maintenance", "ws/connect"):
        raise web.HTTPServiceUnavailable
    socket = web.WebSocketResponse(autoping=True)
    await socket.prepare(request)
    session = StreamSession(venue, socket, is_private=is_private)
    sessions = venue.private_sessions if is_private else venue.sessions
    sessions.add(session)
    sending = asyncio.ensure_future(session.send_all())
    try:
        await session.hear()
    finally:
        sessions.discard(session)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return socket
