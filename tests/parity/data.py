"""The bars that both sides get: catalogue files of bars as they are, and trades made into bars of one second.

Owns the common whole numbers: prices in ticks, sizes in *units*. A unit is the smallest power of ten of lots for which
one tick is a whole number of minor units of money, so that money is whole on both sides.
"""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.instruments import Instrument
from kernel.market import BAR, TRADE
from replay.catalogue import open_file
from replay.catalogue.files import read_columns
from replay.catalogue.importer import import_file
from replay.catalogue.options import ImportOptions
from replay.sample import sample_root

SAMPLE = ("coinbase/BTC-USD/bars-4h", "us/SPY/bars-1h", "oanda/EURUSD/bars-1h", "binance-perp/BTCUSDT/trades")
CASH = 10_000_000  # in whole currency: far more than any strategy uses, unless a case says otherwise
SHARE = 200  # a plain order is this part of the cash, so that 10 bp a side over 14,000 round trips do not use it up
COLUMNS = ("ts_open", "ts", "open", "high", "low", "close", "volume")
FEWEST_MINOR = 100  # of one tick of one unit, so that no amount in ticks is too large for a peer
SECOND_NS = 10**9


class Bars(msgspec.Struct, frozen=True):
    """Bars of one instrument. ``table`` is int64 with the columns of COLUMNS; volume is in lots.

    ``minor_per_tick`` is the money of one tick of one unit; ``size`` a plain number of units for an order, ``pace``
    the usual range of a bar in millionths of the price.
    """

    name: str
    path: Path
    instrument: Instrument
    table: np.ndarray
    unit_lots: int
    minor_per_tick: int
    size: int
    pace: int

    def first(self, count: int) -> "Bars":
        """The same, cut after so many bars (0: all)."""
        return msgspec.structs.replace(self, table=self.table[: count or None])

    @property
    def end(self) -> str:
        """The first moment that is not in it any more, as our configuration wants it."""
        return f"{np.datetime64(int(self.table[-1, 1]) + 1_000, 'ns').astype('datetime64[us]')}+00:00"

    @property
    def ticks_per_currency(self) -> int:
        """How many ticks of one unit make one unit of currency."""
        return int(10**self.instrument.scale) // self.minor_per_tick


def load(path: Path, folder: Path) -> Bars:
    """The bars of a catalogue file; what has to be made of it is put below ``folder``. Raises CatalogueError."""
    file = open_file(path)
    if file.kind == TRADE:
        file = open_file(_bars_of_trades(path, file.instrument, folder))
    if file.kind != BAR:
        raise ValueError(f"{path}: parity needs bars or trades")
    instrument = file.instrument
    unit_lots, minor_per_tick = _unit(instrument)
    columns = read_columns(file.path)
    table = np.stack([columns[name] for name in COLUMNS], 1)
    cash_ticks = CASH * 10**instrument.scale // minor_per_tick
    size = max(1, cash_ticks // SHARE // int(table[:, 3].max()))
    pace = int(np.median((table[:, 3] - table[:, 4]) * 1_000_000 // table[:, 5]))
    name = f"{instrument.name} {file.path.stem}"
    return Bars(name, file.path, instrument, table, unit_lots, minor_per_tick, size, pace)


def sample(folder: Path) -> list[Bars]:
    """The sample that is shipped."""
    return [load(sample_root() / f"{name}.parquet", folder) for name in SAMPLE]


def _unit(instrument: Instrument) -> tuple[int, int]:
    numerator, denominator = instrument.notional_ratio
    unit_lots = 1
    while numerator * unit_lots % denominator or numerator * unit_lots < FEWEST_MINOR * denominator:
        unit_lots *= 10
    return unit_lots, numerator * unit_lots // denominator


def _bars_of_trades(path: Path, instrument: Instrument, folder: Path) -> Path:
    """Bars of one second from trades, imported like any other source."""
    trades = read_columns(path)
    seconds = trades["ts"] // SECOND_NS
    first = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
    last = np.append(first[1:], len(seconds)) - 1
    tick, lot = float(instrument.tick_size), float(instrument.lot_size)
    prices = {
        "open": trades["price"][first],
        "high": np.maximum.reduceat(trades["price"], first),
        "low": np.minimum.reduceat(trades["price"], first),
        "close": trades["price"][last],
    }
    places = len(instrument.tick_size.partition(".")[2])
    table = {"ts": pa.array(seconds[first] * SECOND_NS, pa.timestamp("ns", "UTC"))}
    table |= {name: pa.array(np.round(values * tick, places)) for name, values in prices.items()}
    volume = np.add.reduceat(trades["quantity"], first) * lot
    table["volume"] = pa.array(np.round(volume, len(instrument.lot_size.partition(".")[2])))
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "seconds.parquet"
    pq.write_table(pa.table(table), source)
    options = ImportOptions(
        venue=instrument.venue, symbol=instrument.symbol, currency=instrument.currency, kind="bars", interval="1s",
        tick_size=instrument.tick_size, lot_size=instrument.lot_size, multiplier=instrument.multiplier, ts_label="open",
        asset_class=instrument.asset_class, replace=True,
    )  # fmt: skip
    return import_file(source, folder / "catalogue", options).file.path
