"""Missed trades: handed on when they come, told to be missing when they do not."""

import asyncio

import pytest

from adapters.edge.missed import Missed, catch_up
from kernel.market import TRADE
from kernel.venue import MarketRow, Stream, StreamStatus, VenueError
from tests.adapters.bybit.live import Heard

ROW: MarketRow = (1, TRADE, 0, 100, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("answer", "rows", "why"),
    [
        (([ROW, ROW], True), 2, ""),
        (([], True), 0, ""),
        (([ROW], False), 1, "more than it lists"),
        (VenueError("http 500"), 0, "http 500"),
        (ValueError("not a number: 'x'"), 0, "not a number: 'x'"),
        (None, 0, "no answer in time"),
    ],
)
def test_trades_are_handed_on_or_their_gap_is_told(answer: Missed | Exception | None, rows: int, why: str) -> None:
    async def ask() -> Missed:
        if answer is None:
            await asyncio.sleep(60)
        if not isinstance(answer, tuple):
            raise answer or AssertionError("nobody waits so long")
        return answer

    heard, taken = Heard(), list[MarketRow]()
    asyncio.run(catch_up("BTCUSDT", ask(), taken.extend, heard, within_s=0.05, bound="more than it lists"))
    gap = (Stream.MARKET, StreamStatus.GAP, f"trades of BTCUSDT are missing: {why}")
    assert taken == [ROW] * rows
    assert heard.streams == ([gap] if why else [])


def test_what_is_a_fault_of_ours_is_not_a_gap() -> None:
    async def ask() -> Missed:
        raise KeyError("ours")

    heard = Heard()
    with pytest.raises(KeyError, match="ours"):
        asyncio.run(catch_up("BTCUSDT", ask(), print, heard, within_s=5, bound="more than it lists"))
    assert heard.streams == []
