"""trades.parquet read in batches: totals over all rows, only the last ones in full."""

from pathlib import Path

import numpy as np
import pytest

from replay.report import no_trades, read_trades, trades
from tests.replay.report.makers import DAY_NS, MONEY, START_NS, trades_of, write_trades


@pytest.mark.parametrize("batch_rows", [1, 3, 65_536])
@pytest.mark.parametrize("group_rows", [1, 4, 1024])
@pytest.mark.parametrize("limit", [0, 1, 5, 11, 100])
def test_totals_and_tail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int, group_rows: int, limit: int
) -> None:
    monkeypatch.setattr(trades, "BATCH_ROWS", batch_rows)
    profits = [5, -3, 0, 12, -7, 1, 1, -20, 4, 30, -1]
    table = read_trades(write_trades(tmp_path / "trades.parquet", profits, group_rows), limit)
    assert (table.count, table.win_count, table.loss_count) == (11, 6, 4)
    assert (table.gross_profit_minor, table.gross_loss_minor) == (53 * MONEY, 31 * MONEY)
    assert (table.best_minor, table.worst_minor, table.holding_ns) == (30 * MONEY, -20 * MONEY, 11 * DAY_NS)
    assert table.histogram.sum() == 11
    assert (table.histogram[2048:].sum(), table.histogram[:2048].sum()) == (7, 4)
    assert (table.histogram[2048], table.histogram[-1], table.histogram[682]) == (1, 1, 1)
    kept = profits[max(0, 11 - limit) :]
    assert table.last.profit_minor.tolist() == [profit * MONEY for profit in kept]
    assert len(table.last) == len(kept)
    if kept:
        assert table.last.ts_entry_ns[0] == START_NS + (11 - len(kept)) * DAY_NS


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    large = 2**62 // MONEY
    table = trades_of(tmp_path, [large] * 5 + [-large] * 3)
    assert table.gross_profit_minor == 5 * large * MONEY
    assert table.gross_loss_minor == 3 * large * MONEY


def test_no_trade_is_an_empty_table(tmp_path: Path) -> None:
    table = trades_of(tmp_path, [])
    empty = no_trades()
    assert (table.count, len(table.last), table.histogram.size) == (0, 0, 0)
    assert (table.best_minor, table.worst_minor, table.holding_ns) == (0, 0, 0)
    assert np.array_equal(table.last.profit_minor, empty.last.profit_minor)


def test_equal_profits_fall_into_one_step(tmp_path: Path) -> None:
    assert trades_of(tmp_path, [2, 2, 2]).histogram[-1] == 3
    assert trades_of(tmp_path, [-2, -2]).histogram[0] == 2
    assert trades_of(tmp_path, [0]).histogram[2048] == 1
