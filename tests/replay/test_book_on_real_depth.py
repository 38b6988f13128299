"""Recorded depth through both order books: they agree, and their best prices are those that the venue published."""

from pathlib import Path

import numpy as np
import pytest

from kernel.market import MESSAGE_END, NO_PRICE
from replay.catalogue import ImportOptions, import_file
from replay.catalogue.files import read_columns
from replay.sample import sample_root
from tests.reference.book import NaiveBook
from tests.replay.books import FastBook

SOURCE = Path(__file__).parents[1] / "data" / "depth" / "binance_btcusdt_20240808.parquet"
WARM_MESSAGES = 40  # there is no snapshot: until then the touch may not have been told yet


@pytest.fixture(scope="module")
def depth(tmp_path_factory: pytest.TempPathFactory) -> list[list[int]]:
    """Rows of time, side, price, size and flags."""
    report = import_file(SOURCE, tmp_path_factory.mktemp("depth"), ImportOptions(tick_size="0.1", lot_size="0.001"))
    columns = read_columns(report.file.path)
    return np.stack(list(columns.values()), 1).tolist()


def test_both_books_agree_on_every_row(depth: list[list[int]]) -> None:
    naive, fast = NaiveBook(limit=200), FastBook(limit=200)
    for number, (_, *row) in enumerate(depth):
        assert fast.apply(*row) == naive.apply(*row)
        if number % 100 == 0:
            for side in (1, -1):
                assert fast.outward(side) == naive.outward(side)
                assert fast.walk(side, 5000, NO_PRICE) == naive.walk(side, 5000, NO_PRICE)
                price = naive.best(side) - side * 50
                assert fast.ahead(side, price) == naive.ahead(side, price)
    assert fast.dropped == naive.dropped > 0


def test_the_touch_is_what_the_venue_published(depth: list[list[int]]) -> None:
    quotes = read_columns(sample_root() / "binance-perp" / "BTCUSDT" / "quotes.parquet")
    ts = quotes.pop("ts")
    touches = np.stack([quotes[name] for name in ("bid", "bid_size", "ask", "ask_size")], 1).tolist()
    book = FastBook()
    messages = 0
    for ts_ns, *row in depth:
        book.apply(*row)
        if not row[3] & MESSAGE_END:
            continue
        messages += 1
        if messages > WARM_MESSAGES:
            bid, ask = book.best(1), book.best(-1)
            seen = [bid, book.lots_at(1, bid), ask, book.lots_at(-1, ask)]
            # Several quotes share a millisecond; the message is as of one of them, or of the last before.
            first, last = np.searchsorted(ts, [ts_ns, ts_ns + 1])
            assert seen in touches[max(first - 1, 0) : last]
    assert (messages, book.uncrossed, book.dropped) == (148, 0, 0)
