"""``python -m bench.bybit_stream``: how many market messages a second the Bybit adapter takes in, in one process.

A server in a process of its own pushes messages that were rendered before, as fast as the socket takes them: half of
them trades, four tenths quotes, one tenth changes of an order book of 50 levels. The adapter is the real one, with
ccxt's websocket client; its inbox counts. What is printed is messages and rows a second, and processor time a message.
"""

import argparse
import asyncio
import contextlib
import json
import random
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from adapters.bybit.client import BybitAdapter
from adapters.bybit.settings import BybitSettings
from kernel.instruments import Instrument
from kernel.venue import Feeds, InstrumentRules, MarketRow, Seen, Stream, StreamStatus

SYMBOLS = ("BTCUSDT", "ETHUSDT")
POOL = 40_000
BATCH = 200
FLOOR = 20_000


def frames() -> list[bytes]:
    """The messages as websocket frames, in batches; they begin with snapshots, so they can be sent again and again."""
    chance = random.Random(1)
    texts = []
    for symbol in SYMBOLS:
        sides = ([[f"{60_000 - level / 10:.2f}", "1.000"] for level in range(50)],)
        data = {"s": symbol, "b": sides[0], "a": [[f"{60_001 + level / 10:.2f}", "1.000"] for level in range(50)]}
        texts.append(_message(f"orderbook.50.{symbol}", "snapshot", {**data, "u": 1, "seq": 1}))
    changes = dict.fromkeys(SYMBOLS, 1)
    for number in range(POOL):
        symbol = SYMBOLS[number % 2]
        price = f"{60_000 + chance.randrange(-500, 500) / 10:.2f}"
        kind = chance.random()
        if kind < 0.5:
            one = {"T": 1_700_000_000_000 + number, "s": symbol, "S": "Buy", "v": "0.123", "p": price, "L": "PlusTick"}
            texts.append(_message(f"publicTrade.{symbol}", "snapshot", [{**one, "i": f"{number:032x}", "BT": False}]))
            continue
        data = {"s": symbol, "b": [[price, "0.500"]], "a": [[price, f"0.{number % 900 + 100}"]], "seq": number}
        if kind < 0.9:
            texts.append(_message(f"orderbook.1.{symbol}", "snapshot", {**data, "u": number}))
            continue
        changes[symbol] += 1
        levels = {side: [[price, "0.250"]] * 3 for side in ("b", "a")}
        data |= {**levels, "u": changes[symbol], "seq": changes[symbol]}
        texts.append(_message(f"orderbook.50.{symbol}", "delta", data))
    packed = [_frame(text) for text in texts]
    return [b"".join(packed[first : first + BATCH]) for first in range(0, len(packed), BATCH)]


def _message(topic: str, kind: str, data: Any) -> bytes:
    ts = 1_700_000_000_000
    return json.dumps({"topic": topic, "type": kind, "ts": ts, "data": data, "cts": ts}, separators=(",", ":")).encode()


def _frame(text: bytes) -> bytes:
    """A text frame of a server (RFC 6455, 5.2): not masked."""
    if len(text) < 126:
        return struct.pack("!BB", 0x81, len(text)) + text
    return struct.pack("!BBH", 0x81, 126, len(text)) + text


async def _push(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(autoping=True)
    await socket.prepare(request)
    asked = await socket.receive_json()
    await socket.send_json({"success": True, "ret_msg": "", "op": "subscribe", "req_id": asked["req_id"]})
    transport = request.transport
    assert transport is not None
    transport.set_write_buffer_limits(high=1 << 20)
    while not transport.is_closing():
        for batch in request.app["frames"]:
            transport.write(batch)
            while transport.get_write_buffer_size() > 1 << 19:
                await asyncio.sleep(0.0005)
            if transport.is_closing():
                break
    return socket


async def _serve() -> None:
    app = web.Application()
    app["frames"] = frames()
    app.router.add_get("/v5/public/linear", _push)
    app.router.add_get("/v5/market/time", _time)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _time(request: web.Request) -> web.Response:
    result = {"timeSecond": "0", "timeNano": str(time.time_ns())}
    return web.json_response({"retCode": 0, "retMsg": "OK", "result": result, "time": time.time_ns() // 10**6})


class Counter:
    """An inbox that counts."""

    def __init__(self) -> None:
        self.messages = self.rows = 0

    def market(self, rows: Sequence[MarketRow], raw: bytes) -> None:
        self.messages += 1
        self.rows += len(rows)

    def private(self, seen: Sequence[Seen], raw: bytes) -> None:
        raise AssertionError("there is no account")

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        if status is not StreamStatus.UP:
            print(f"the stream is {status.name}: {text}", file=sys.stderr)

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        raise AssertionError("rules do not change")


async def measure(port: int, seconds: float) -> tuple[float, float, float]:
    """``(messages a second, rows a second, processor microseconds a message)``."""
    settings = BybitSettings(
        rest_url=f"http://127.0.0.1:{port}", public_ws_url=f"ws://127.0.0.1:{port}/v5/public/linear", rules_seconds=3600
    )
    adapter = BybitAdapter(settings)
    instruments = [
        Instrument(venue="bybit", symbol=symbol, currency="USDT", tick_size="0.10", lot_size="0.001")
        for symbol in SYMBOLS
    ]
    await adapter.open(instruments, Feeds(bars=False, trades=True, quotes=True, depth=50))
    counter = Counter()
    task = asyncio.ensure_future(adapter.run(counter))
    await asyncio.sleep(1.0)
    messages, rows, wall, processor = counter.messages, counter.rows, time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    messages, rows = counter.messages - messages, counter.rows - rows
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await adapter.close()
    return messages / wall, rows / wall, processor / messages * 1e6


def main() -> int:
    """Measure and print; exit 1 below the floor."""
    parser = argparse.ArgumentParser(description="Market messages a second that the Bybit adapter takes in.")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve())
        return 0
    command = [sys.executable, "-m", "bench.bybit_stream", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        messages, rows, microseconds = asyncio.run(measure(port, options.seconds))
        server.stdin.close()
    verdict = "met" if messages >= FLOOR else "missed"
    print(
        f"{messages:,.0f} messages/s, {rows:,.0f} rows/s, {microseconds:.1f} us a message; floor {FLOOR:,}: {verdict}"
    )
    return int(messages < FLOOR)


if __name__ == "__main__":
    sys.exit(main())
