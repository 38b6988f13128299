"""Downloads over real sockets while much goes wrong, by seed: whatever fails, the file in the end is the same.

``KERNEL_FETCHES`` is how many seeds.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from adapters.edge.retry import Backoff
from adapters.edge.secrets import Secret
from adapters.providers.alpaca import Alpaca
from adapters.providers.chain import Chain, Link
from adapters.providers.http import Settings
from adapters.providers.polygon import Polygon
from adapters.providers.shapes import MINUTE_NS, SECOND_NS, Limits, ProviderError
from replay.catalogue import ImportOptions
from replay.fetch.fetching import FetchReport, fetch
from replay.fetch.staging import Request
from tests.venues.process import Server, started
from tests.venues.provider_bars import read_bars

SEEDS = int(os.environ.get("KERNEL_FETCHES", "4"))
KINDS = ("http_500", "maintenance", "truncated", "malformed", "drop_after_accept", "timeout")
START_NS, END_NS = 1401926400 * SECOND_NS, 1402358400 * SECOND_NS
QUICK = Backoff(attempts=3, first_seconds=0.001, cap_seconds=0.01)
MANY = Limits(10_000)
RUNS = 200


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started("tests.venues.provider_server") as running:
        yield running


async def attempt(server: Server, root: Path, told: list[str]) -> FetchReport:
    """One run of the download, as a process would make it: nothing is left of the one before but its files."""
    key, secret = Secret(server.line["key"]), Secret(server.line["secret"])
    settings = Settings(base_url=server.url, limits=MANY, timeout_seconds=0.15, backoff=QUICK, tell=told.append)
    links = [Link(Alpaca(key, secret, settings), "AAPL"), Link(Polygon(key, settings), "AAPL")]
    chain = Chain(links, told.append)
    request = Request("alpaca", "AAPL", MINUTE_NS, START_NS, END_NS)
    try:
        return await fetch(chain, root, request, ImportOptions(), tell=told.append)
    finally:
        await chain.close()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_goes_wrong_the_file_is_the_same(server: Server, seed: int) -> None:
    chance = Random(seed)
    faults = ",".join(f"{kind}={chance.choice((0.05, 0.15, 0.3))}" for kind in chance.sample(KINDS, 3))
    server.post("/test/begin", {"seed": seed, "faults": faults, "page": chance.choice((100, 300, 5000))})
    told: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        report = None
        for _ in range(RUNS):
            try:
                report = asyncio.run(attempt(server, Path(folder), told))
                break
            except ProviderError as error:
                told.append(str(error))
        assert report is not None, told
        found = pq.read_table(report.file.path).to_pydict()
    tick = Decimal(report.file.instrument.tick_size)
    want = read_bars("us_AAPL_1m.csv")
    assert [ts // SECOND_NS for ts in found["ts_open"]] == [bar.t for bar in want]
    for name in ("open", "high", "low", "close"):
        assert [value * tick for value in found[name]] == [getattr(bar, name[0]) for bar in want]
    assert found["volume"] == [bar.v for bar in want]
