"""The kernel's share of the way from a market message to an order: with the kernel, and without it.

    python -m bench.live_latency [--orders 320] [--rounds 8] [--rate 1000]

Both loops use the same client (ccxt's, through the same adapter) at the same local venue, and send a limit order that
rests after every so many quotes. The clock starts when a message was parsed and stops when aiohttp has written the
body of the order's request. The bare loop counts quotes and sends; the kernel's applies, decides, checks risk and
journals. Both run in turn, in short rounds, because a shared machine is now fast and now slow: what counts is the
median of the rounds' own ratios. The venue has a processor of its own where there are two, as it has elsewhere: sharing
one with it is measured with ``--shared``.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from adapters.bybit.client import BybitAdapter
from kernel.lifecycle import GTC, LIMIT
from kernel.market import QUOTE
from kernel.venue import (
    CancelOrder,
    Feeds,
    InstrumentRules,
    MarketRow,
    NewOrder,
    Seen,
    Stream,
    StreamStatus,
)
from replay.config import load_config
from replay.live import run as live_run
from replay.live.commands import Commands
from replay.live.driver import LiveSession
from replay.live.venues import make_adapter
from tests.live.places import BYBIT
from tests.live.sessions import BUSY, KEY, SECRET, write_config
from tests.venues.process import Server, started

EVERY = 100  # quotes between two orders
RESTS_TICKS = 2_000  # below the bid
ALL_PROCESSORS = os.sched_getaffinity(0)
STRATEGY = f"""
from kernel.events.layout import QUOTE_SEEN
from kernel.lifecycle import BUY
from kernel.strategy.api_nb import cancel_all, instrument_of, limit_order
from kernel.strategy.declare import compiled

@compiled(memory=1, settle=1, on="quote")
def resting(ctx, own):
    own[0] += 1.0
    if int(own[0]) % {EVERY} == 0:
        limit_order(ctx, BUY, 1, ctx.call.words[QUOTE_SEEN.bid_ticks] - {RESTS_TICKS})
    elif int(own[0]) % {EVERY} == {EVERY // 2}:
        cancel_all(ctx, instrument_of(ctx))
"""


class Clock:
    """When a message was parsed, and when the body of an order's request was written."""

    def __init__(self) -> None:
        self.parsed_ns = 0
        self.taken_ns: list[int] = []

    def start(self, order_id: int, parsed_ns: int) -> None:
        """An order is handed to the client; the message that led to it was parsed then."""
        self.parsed_ns = parsed_ns

    def trace(self) -> aiohttp.TraceConfig:
        """For the client's session."""
        config = aiohttp.TraceConfig(lambda **kwargs: {})

        async def begins(session: Any, context: Any, params: aiohttp.TraceRequestStartParams) -> None:
            context["is_order"] = params.url.path.endswith("/order/create")

        async def written(session: Any, context: Any, params: Any) -> None:
            if context.get("is_order") and self.parsed_ns:
                self.taken_ns.append(time.perf_counter_ns() - self.parsed_ns)

        config.on_request_start.append(begins)
        config.on_request_chunk_sent.append(written)
        return config

    async def attach(self, adapter: BybitAdapter) -> None:
        """Give the client that sends orders a session that tells."""
        orders = adapter.orders_client
        orders.open()
        await orders.session.close()
        orders.session = aiohttp.ClientSession(trace_configs=[self.trace()])


class BareInbox:
    """Counts quotes, and sends: what a script without kernel and journal does."""

    def __init__(self, adapter: BybitAdapter, clock: Clock, orders: int) -> None:
        self._adapter, self._clock, self._left = adapter, clock, orders
        self._count = 0
        self._last = ""
        self._tasks: set[asyncio.Task[Any]] = set()
        self.done = asyncio.Event()

    def market(self, rows: Sequence[MarketRow], raw: bytes) -> None:
        parsed_ns = time.perf_counter_ns()
        for row in rows:
            if row[1] == QUOTE:
                self._count += 1
                if self._count % EVERY == 0:
                    self._start(self._order(row[3] - RESTS_TICKS, parsed_ns))
                elif self._count % EVERY == EVERY // 2 and self._last:
                    self._start(self._adapter.cancel(CancelOrder(client_order_id=self._last, instrument=0)))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _order(self, limit_ticks: int, parsed_ns: int) -> None:
        self._left -= 1
        self._last = f"bare-{os.getpid()}-{time.time_ns() % 10**12}"
        order = NewOrder(
            client_order_id=self._last,
            instrument=0,
            side=1,
            order_type=LIMIT,
            time_in_force=GTC,
            quantity_lots=1,
            limit_ticks=limit_ticks,
            reference_ticks=limit_ticks,
        )
        self._clock.parsed_ns = parsed_ns
        await self._adapter.submit(order)
        if self._left <= 0:
            self.done.set()

    def private(self, seen: Sequence[Seen], raw: bytes) -> None:
        """Not looked at."""

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        """Not looked at."""

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        """Not looked at."""


async def bare(config: Any, orders: int) -> list[int]:
    """Latencies of the loop without kernel and journal, in nanoseconds."""
    adapter, clock = make_adapter(config.live), Clock()
    assert isinstance(adapter, BybitAdapter)
    described = await adapter.describe(config.live.symbols)
    await adapter.open([one.instrument for one in described], Feeds(bars=False))
    await clock.attach(adapter)
    inbox = BareInbox(adapter, clock, orders)
    running = asyncio.create_task(adapter.run(inbox))
    await asyncio.wait_for(inbox.done.wait(), 300)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await adapter.close()
    return clock.taken_ns


async def with_kernel(config: Any, folder: Path, orders: int) -> list[int]:
    """Latencies of a session, in nanoseconds."""
    clock = Clock()

    async def watch(session: LiveSession, commands: Commands) -> None:
        assert isinstance(session.adapter, BybitAdapter)
        await clock.attach(session.adapter)
        session.on_order_leaves = clock.start
        while len(clock.taken_ns) < orders:
            await asyncio.sleep(0.05)
        session.stop()

    await live_run.run_live(config, folder, watch=watch, say=lambda text: None)
    return clock.taken_ns


def _line(name: str, rounds: list[list[int]], bare: list[list[int]]) -> str:
    taken = [one for part in rounds for one in part]
    p50, p99 = (float(np.percentile(taken, share)) / 1e6 for share in (50, 99))
    ratios = [float(np.median(part) / np.median(base)) for part, base in zip(rounds, bare, strict=True)]
    spread = f"{np.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{name:<22} {p50:8.3f} ms {p99:8.3f} ms {spread}   {len(taken)} orders"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=320)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--shared", action="store_true", help="let the venue run on all processors, too")
    arguments = parser.parse_args()
    taken: dict[str, list[list[int]]] = {"bare loop": [], "kernel, fsync off": [], "kernel, fsync batch": []}
    os.environ[KEY], os.environ[SECRET] = BYBIT.keys
    for _ in range(arguments.rounds):
        folder = Path(tempfile.mkdtemp(prefix="kernel-latency-"))
        with started(BYBIT.module, "--rate", str(arguments.rate), "--symbols", "BTCUSDT") as server:
            if not arguments.shared:
                _part_from(server)
            share = arguments.orders // arguments.rounds
            taken["bare loop"].append(asyncio.run(bare(_config(folder, server, "off"), share)))
            for fsync in ("off", "batch"):
                config = _config(folder, server, fsync)
                taken[f"kernel, fsync {fsync}"].append(asyncio.run(with_kernel(config, folder / fsync, share)))
    print(f"{'parsed -> order written':<22} {'p50':>11} {'p99':>11} {'to bare, of rounds':>22}")
    for name, rounds in taken.items():
        print(_line(name, rounds, taken["bare loop"]))


def _part_from(server: Server) -> None:
    """A processor for this process, the others for the venue."""
    mine, *others = sorted(ALL_PROCESSORS)
    if others:
        os.sched_setaffinity(server.process.pid, others)
        os.sched_setaffinity(0, {mine})


def _config(folder: Path, server: Server, fsync: str) -> Any:
    strategy = folder / "resting.py"
    strategy.write_text(STRATEGY)
    file = write_config(folder / "live.toml", BYBIT, server, symbols=["BTCUSDT"], feeds=["quotes"])
    text = file.read_text().replace(str(BUSY), str(strategy))
    file.write_text(f'fsync = "{fsync}"\n' + "\n".join(line for line in text.splitlines() if "set =" not in line))
    return load_config(file, {})


if __name__ == "__main__":
    main()
