"""The trades of two strategies against loops that know nothing of the kernel: closes in, trades out.

Market orders fill at the next open, without fee or slippage, if the cash is there.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

import pytest

from kernel.events.layout import TRADE_CLOSED
from replay.catalogue import open_file
from replay.catalogue.files import read_columns
from replay.sample import sample_root
from tests.replay.runs import records_in, run

CASH = 100_000
FILES = {
    "SPY": "us/SPY/bars-1h.parquet",
    "BTC-USD": "coinbase/BTC-USD/bars-4h.parquet",
    "EURUSD": "oanda/EURUSD/bars-1h.parquet",
}


def exponential(values: list[float], span: int) -> list[float]:
    """The moving average by its definition: each value weighs (1 - a) times as much as the one after it."""
    weight = 2.0 / (span + 1.0)
    out = [values[0]]
    for value in values[1:]:
        out.append(weight * value + (1.0 - weight) * out[-1])
    return out


def wilder(values: list[float], period: int) -> list[float | None]:
    """Relative strength by Wilder's worksheet: the mean of the first changes, then his smoothing."""
    out: list[float | None] = [None] * len(values)
    changes = [after - before for before, after in pairwise(values)]
    up = sum(change for change in changes[:period] if change > 0) / period
    down = sum(-change for change in changes[:period] if change < 0) / period
    for at in range(period, len(values)):
        if at > period:
            change = changes[at - 1]
            up = (up * (period - 1) + max(change, 0.0)) / period
            down = (down * (period - 1) + max(-change, 0.0)) / period
        out[at] = 50.0 if up + down == 0 else 100.0 - 100.0 / (1.0 + up / down) if down else 100.0
    return out


def ema_cross(closes: list[float]) -> Callable[[int, int], str]:
    quick, steady = exponential(closes, 12), exponential(closes, 26)

    def wish(at: int, held: int) -> str:
        if at < 25:
            return ""
        if quick[at] > steady[at] and held == 0:
            return "in"
        return "out" if quick[at] < steady[at] and held > 0 else ""

    return wish


def rsi_reversion(closes: list[float]) -> Callable[[int, int], str]:
    strength = wilder(closes, 14)

    def wish(at: int, held: int) -> str:
        value = strength[at]
        if value is None:
            return ""
        if value < 30.0 and held == 0:
            return "in"
        return "out" if value > 55.0 and held > 0 else ""

    return wish


def simulate(
    columns: dict[str, list[int]], unit: Fraction, wish: Callable[[int, int], str], cash: int
) -> tuple[list[tuple[int, ...]], int]:
    """``(entry time, exit time, lots, money in, money out)`` of each trade, and the money at the end.

    Money that moves is rounded to a minor unit, half to even, as on any statement of account.
    """
    trades, held, entry = [], 0, (0, 0)
    order = ""
    lots = 0
    for at, (ts_open, open_, close) in enumerate(
        zip(columns["ts_open"], columns["open"], columns["close"], strict=True)
    ):
        money = round(lots * open_ * unit)
        if order == "in" and money <= cash:
            cash, held, entry = cash - money, lots, (ts_open, money)
        elif order == "out":
            money = round(held * open_ * unit)
            trades.append((entry[0], ts_open, held, entry[1], money))
            cash, held = cash + money, 0
        order = wish(at, held)
        if order == "in":
            lots = floor(round(cash * Fraction(95, 100)) / (close * unit))
    return trades, cash + round(held * columns["close"][-1] * unit)


@pytest.mark.parametrize("data", FILES)
@pytest.mark.parametrize("strategy", [ema_cross, rsi_reversion], ids=lambda function: function.__name__)
def test_trades_equal_those_of_the_naive_loop(
    tmp_path: Path, data: str, strategy: Callable[[list[float]], Callable[[int, int], str]]
) -> None:
    path = sample_root() / FILES[data]
    out = tmp_path / "run"
    free = {"fill": "next_open", "fee_bps": 0, "slippage_bps": 0, "cash": CASH}
    told = run(out, data=[str(path)], strategy=[{"use": strategy.__name__}], **free)
    closed = records_in(out)
    closed = closed[closed["kind"] == TRADE_CLOSED.kind]
    names = ("ts_entry_ns", "ts_exit_ns", "quantity_lots", "entry_minor", "exit_minor")
    ours = [tuple(int(record["words"][getattr(TRADE_CLOSED, name)]) for name in names) for record in closed]

    columns = {name: values.tolist() for name, values in read_columns(path).items()}
    instrument = open_file(path).instrument
    closes = [float(close) for close in columns["close"]]
    unit = Fraction(*instrument.notional_ratio)
    theirs, equity = simulate(columns, unit, strategy(closes), CASH * 10**instrument.scale)
    assert len(theirs) > 100
    assert told["trades"] == len(theirs)
    assert ours == theirs
    assert final_equity(out) == equity


def final_equity(out: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_table(out / "equity.parquet").column("equity_minor")[-1].as_py())
