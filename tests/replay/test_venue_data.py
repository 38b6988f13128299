"""Data that is there for the venue alone, and the books that data makes: from the configuration to the journal."""

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from journal import JournalReader
from kernel.events.layout import FILLED
from kernel.market import BAR, QUOTE, TRADE
from kernel.strategy.python import Bar, Strategy, Trade
from replay.audit import records_of
from replay.catalogue import write_file
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.loading import load_universe
from replay.runner import run_backtest
from tests.replay.catalogue.makers import MINUTE_NS, START_NS, catalogue_file, metadata_of

LATE = 10**12


class Listener(Strategy):
    """Buys at the first bar, and writes down what it hears."""

    name = "listener"
    heard: ClassVar[list[int]] = []

    def on_bar(self, bar: Bar) -> None:
        self.heard.append(bar.ts_ns)
        if len(self.heard) == 1:
            self.buy(5)

    def on_trade(self, trade: Trade) -> None:
        self.heard.append(trade.ts_ns)


def bars_file(path: Path, minutes: int, count: int, price: int = 10_000) -> str:
    """Bars of so many minutes, each a tick dearer than the last."""
    span_ns = minutes * MINUTE_NS
    prices = price + np.arange(count)
    columns = dict.fromkeys(("open", "high", "low", "close"), prices)
    columns["ts_open"] = START_NS + np.arange(count) * span_ns
    columns["ts"] = columns["ts_open"] + span_ns
    columns["volume"] = np.full(count, LATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(write_file(path, msgspec.structs.replace(metadata_of(BAR), interval_ns=span_ns), columns).path)


def run(tmp_path: Path, **settings: Any) -> tuple[list[int], list[tuple[int, int]]]:
    """What the strategy heard, and the times and prices of the fills."""
    (tmp_path / "listener.py").write_text(
        "from tests.replay.test_venue_data import Listener as Base\n\nclass Listener(Base):\n    pass\n"
    )
    Listener.heard.clear()
    config = load_config(None, {"strategy": [{"use": str(tmp_path / "listener.py")}], "fee_bps": 0, **settings})
    run_backtest(prepare(config), tmp_path / "run")
    fills = []
    for frame in JournalReader(tmp_path / "run" / "journal"):
        for record in records_of(frame):
            if record["kind"] == FILLED.kind:
                fills.append((int(record["ts_ingest_ns"]), int(record["words"][FILLED.price_ticks])))
    return Listener.heard[:], fills


def test_finer_bars_fill_and_are_not_heard(tmp_path: Path) -> None:
    coarse = bars_file(tmp_path / "coarse" / "bars.parquet", 5, 4)
    finer = bars_file(tmp_path / "finer" / "bars.parquet", 1, 20, price=20_000)
    venue = {"profile": "intrabar", "finer": [finer], "slippage": {"fixed_bps": 0}}
    heard, fills = run(tmp_path, data=[coarse], venue=venue)
    assert heard == [START_NS + minutes * MINUTE_NS for minutes in (5, 10, 15, 20)]
    assert fills == [(START_NS + 6 * MINUTE_NS, 20_005)]


def test_finer_trades_fill_and_are_not_heard(tmp_path: Path) -> None:
    coarse = bars_file(tmp_path / "coarse" / "bars.parquet", 5, 2)
    times = [START_NS + 5 * MINUTE_NS, START_NS + 6 * MINUTE_NS]
    file = catalogue_file(tmp_path / "trades.parquet", TRADE, times)
    venue = {"profile": "intrabar", "finer": [str(file.path)], "volume_share": 1}
    heard, fills = run(tmp_path, data=[coarse], venue=venue)
    assert heard == [START_NS + 5 * MINUTE_NS, START_NS + 10 * MINUTE_NS]
    assert [ts_ns for ts_ns, _ in fills] == times[1:]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: bars_file(folder / "x.parquet", 5, 2), "the data of test/ABC-USD is not bars that are longer"),
        (lambda folder: catalogue_file(folder / "x.parquet", TRADE, [START_NS], "XYZ").path, "the data has no bars of"),
    ],
)
def test_finer_data_must_be_finer_data_of_the_same(tmp_path: Path, make: Any, message: str) -> None:
    coarse = bars_file(tmp_path / "coarse" / "bars.parquet", 5, 4)
    with pytest.raises(ConfigError, match=message):
        load_universe([coarse], [str(make(tmp_path))])


def test_a_book_needs_more_than_bars(tmp_path: Path) -> None:
    coarse = bars_file(tmp_path / "coarse" / "bars.parquet", 5, 4)
    settings = {"strategy": [{"use": "ema_cross"}], "data": [coarse], "fill": "book"}
    with pytest.raises(ConfigError, match="fill is book; test/ABC-USD has no depth, quotes or trades in the data"):
        prepare(load_config(None, settings))


def test_impact_needs_volume(tmp_path: Path) -> None:
    file = catalogue_file(tmp_path / "quotes.parquet", QUOTE, [START_NS])
    unknown = msgspec.structs.replace(metadata_of(BAR), volume_known=False, interval_ns=MINUTE_NS)
    columns = {name: np.array([5]) for name in ("open", "high", "low", "close", "volume")}
    columns |= {"ts_open": np.array([START_NS]), "ts": np.array([START_NS + MINUTE_NS])}
    bars = write_file(tmp_path / "bars.parquet", unknown, columns)
    settings = {
        "strategy": [{"use": "ema_cross"}],
        "data": [str(file.path), str(bars.path)],
        "venue": {"slippage": {"impact_bps": 5}},
    }
    with pytest.raises(ConfigError, match="depends on volume, which the data of test/ABC-USD does not have"):
        prepare(load_config(None, settings))
