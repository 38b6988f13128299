"""A live core on made-up market data, with its journal: what the tests of the live driver stand on."""

import random
from pathlib import Path
from typing import Any

import numpy as np

from journal import JournalWriter
from kernel.events.layout import PlainRecord, plain_records, schema_digest
from kernel.instruments import Instrument
from kernel.market import BAR, QUOTE
from kernel.venue import MarketRow
from replay.config import RunConfig, StrategyConfig
from replay.live.core import LiveCore
from replay.live.files import JOURNAL_DIR, ORIGIN, LiveFile, prepare_live, write_live_file
from replay.live.identities import NOTED
from replay.live.outbox import SENT
from replay.live.writing import GroupCommit
from replay.opening import opening_frames

MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_000_000_000_000 // MINUTE_NS * MINUTE_NS
GENESIS = bytes(range(16))


def instrument(symbol: str = "BTCUSDT", contract: str = "perpetual") -> Instrument:
    """A linear contract in ticks of 0.10 and lots of 0.001."""
    return Instrument(
        venue="bybit", symbol=symbol, currency="USDT", tick_size="0.10", lot_size="0.001", contract=contract
    )


def configuration(**changes: Any) -> RunConfig:
    """EMA cross on one instrument, with an external book for what is traded elsewhere."""
    strategies = [
        StrategyConfig(use="ema_cross", parameters={"fast": 3, "slow": 8}),
        StrategyConfig(use="do_nothing", name="external"),
    ]
    return RunConfig(strategies=strategies, journal="full", digest_interval=500, **changes)


def market(minutes: int, seed: int = 1, instrument_number: int = 0) -> list[tuple[int, list[MarketRow]]]:
    """``(now_ns, rows)`` of a random walk: three quotes a minute, then its bar."""
    chance, price, out = random.Random(seed), 600_000, []
    for minute in range(minutes):
        open_ns = START_NS + minute * MINUTE_NS
        first = high = low = price
        for second in (10, 30, 50):
            price += chance.randint(-400, 400)
            high, low = max(high, price), min(low, price)
            at = open_ns + second * 1_000_000_000
            out.append((at + 5_000_000, [(at, QUOTE, instrument_number, price - 1, 500, price + 1, 500, 0, 0)]))
        end = open_ns + MINUTE_NS
        out.append((end + 7_000_000, [(end, BAR, instrument_number, first, high, low, price, 1000, open_ns)]))
    return out


def told(made: np.ndarray) -> list[PlainRecord]:
    """What events (dtype RECORD) say of the kinds that identities and requests go by."""
    return plain_records(made.tobytes(), NOTED | SENT)


class Written:
    """A core whose frames go to a journal in a folder, opened and ready."""

    def __init__(self, run_dir: Path, config: RunConfig, instruments: list[Instrument], *, elsewhere: bool) -> None:
        self.run_dir = run_dir
        run_dir.mkdir()
        self.file = LiveFile(
            config=config,
            instruments=instruments,
            elsewhere=elsewhere,
            opened_ns=START_NS,
            genesis_id=GENESIS.hex(),
        )
        write_live_file(run_dir, self.file)
        prepared = prepare_live(config, instruments)
        writer = JournalWriter.create(
            run_dir / JOURNAL_DIR, origin=ORIGIN, genesis_id=GENESIS, schema_digest=schema_digest(), fsync="off"
        )
        self.failures: list[BaseException] = []
        self.journal = GroupCommit(writer, "off", lambda _: None, self.failures.append)
        self.core = LiveCore(prepared, self.journal.put, elsewhere=elsewhere)
        frames = opening_frames(
            prepared.config, prepared.universe, prepared.strategies, prepared.resolved, self.file.opened_ns
        )
        for frame in frames:
            writer.append(
                frame.records.tobytes(),
                frame.bodies,
                event_count=len(frame.records),
                first_sequence=int(frame.records["sequence"][0]),
                ts_ingest_ns=START_NS,
            )
        self.opening = frames
        self.core.open(frames)

    def close(self) -> None:
        """Seal the journal."""
        self.journal.close()
        assert not self.failures
