"""The session's bookkeeping around the loop: pipeline errors, price lines, samples, timers and fills in Python."""

import numpy as np
import pytest

from kernel.events.layout import RECORD
from kernel.instruments import Instrument
from kernel.market import BAR, DEPTH, QUOTE, ROW, TRADE
from kernel.strategy.python import Strategy
from replay.api import backtest
from replay.execution import Execution
from replay.outcome import ResultHash
from replay.pipeline import Chunk, FrameCut, Pipeline
from replay.prices import ROOM, PriceLine
from replay.session import describe_row


class FailingSink:
    """A sink whose disk is full."""

    def frame(self, records, bodies, *, first_sequence, event_count, ts_ns):
        if first_sequence > 1:
            raise OSError(28, "No space left on device")


def test_an_error_behind_the_engine_ends_the_run(prepare_sample):
    execution = Execution(prepare_sample(), FailingSink())
    with pytest.raises(OSError, match="No space left"):
        execution.run()
    assert not execution.completed


def test_after_an_error_the_pipeline_drains_and_never_blocks():
    pipeline = Pipeline(FailingSink(), ResultHash(), (), None, by_reference=False)
    cut = FrameCut(record_end=0, row_count=0, row_end=0, first_sequence=2, event_count=0, ts_ingest_ns=0)
    chunk = Chunk(np.zeros(0, RECORD), [cut], np.zeros(0, ROW), 0, 0)
    pipeline.put(chunk)
    with pytest.raises(OSError, match="No space left"):
        put_many(pipeline, chunk)
    with pytest.raises(OSError, match="No space left"):
        pipeline.close()


def put_many(pipeline, chunk):
    """More chunks than the queue holds."""
    for _ in range(50):
        pipeline.put(chunk)


@pytest.mark.parametrize("count", [10, ROOM, 5 * ROOM])
def test_price_lines_are_thinned_evenly_and_do_not_depend_on_batches(count):
    rows = np.zeros(count, ROW)
    rows["ts_ns"] = np.arange(count)
    rows["kind"] = np.where(np.arange(count) % 3 == 0, BAR, TRADE)
    rows["instrument"] = np.arange(count) % 2
    rows["words"][:, 0], rows["words"][:, 3] = np.arange(count), np.arange(count)
    lines = []
    for step in (7 * count, 1000):
        line = PriceLine()
        for at in range(0, count, step):
            line.add(rows[at : at + step])
        lines.append(line.lines(2))
    for (ts_a, price_a), (ts_b, price_b) in zip(*lines, strict=True):
        assert np.array_equal(ts_a, ts_b)
        assert np.array_equal(price_a, price_b)
        assert np.array_equal(ts_a, price_a)
        assert len(ts_a) <= ROOM
        assert len(ts_a) >= min(count, ROOM) // 6


def test_a_quote_without_a_bid_is_not_drawn():
    rows = np.zeros(2, ROW)
    rows["kind"] = QUOTE
    rows["words"][:, 0] = (-(1 << 62), 5)
    line = PriceLine()
    line.add(rows)
    assert line.lines(1)[0][1].tolist() == [5]


def test_depth_is_not_drawn():
    rows = np.zeros(2, ROW)
    rows["kind"] = DEPTH, TRADE
    rows["words"][:, 0] = 1, 5
    line = PriceLine()
    line.add(rows)
    assert line.lines(1)[0][1].tolist() == [5]


def test_rows_are_described_in_decimals():
    instrument = Instrument(venue="v", symbol="S", currency="USD", tick_size="0.5", lot_size="0.01")
    rows = np.zeros(2, ROW)
    rows["kind"] = DEPTH, TRADE
    rows["words"][:, :4] = (-1, 5, 150, 2), (5, 150, 1, 0)
    assert describe_row(rows[0], [instrument]) == (
        "depth of v/S at 1970-01-01T00:00:00.000000000Z: side -1 price 2.5 quantity 1.5 flags 2"
    )
    assert describe_row(rows[1], [instrument]).endswith("Z: price 2.5 quantity 1.5")


HANDLERS = """
from kernel.strategy.python import Strategy

HOUR_NS = 3_600_000_000_000


class Handlers(Strategy):
    seen = []

    def on_start(self):
        self.seen.clear()
        self.seen.append(("start", self.instrument))
        self.count = 0

    def on_bar(self, bar):
        self.count += 1
        if self.count == 1:
            self.set_timer(7, bar.ts_ns + HOUR_NS, 2 * HOUR_NS)
            self.target_fraction(0.5)
        if self.count == 3:
            self.set_timer(7, 0)
            self.target_lots(0)
        self.seen.append(("bar", bar.ts_ns, self.position_lots > 0, len(self.open_orders)))

    def on_fill(self, fill):
        self.seen.append(("fill", fill.side, fill.leaves_lots, self.position_lots == fill.quantity_lots))

    def on_timer(self, timer):
        self.seen.append(("timer", timer.timer, timer.ts_ns))
"""


def test_the_handlers_of_a_python_strategy_are_called_in_order(tmp_path):
    from replay.loading import find_strategy

    file = tmp_path / "handlers.py"
    file.write_text(HANDLERS)
    settings = {"to": "2016-05-19", "volume_share": "1", "cash": 10}
    result = backtest(str(file), run_dir=tmp_path / "run", **settings)
    cls, _ = find_strategy(str(file))
    assert issubclass(cls, Strategy)
    hour = 3_600_000_000_000
    first = next(entry[1] for entry in cls.seen if entry[0] == "bar")
    kinds = [entry[0] for entry in cls.seen]
    assert kinds[:8] == ["start", "bar", "timer", "timer", "fill", "bar", "timer", "timer"]
    fired = [entry[2] for entry in cls.seen if entry[0] == "timer"]
    assert fired == [first + hours * hour for hours in (1, 3, 5, 7)]
    assert cls.seen[1] == ("bar", first, False, 0)
    assert result.fills == 2


def test_ticks_drive_fills_too(tmp_path):
    from replay.sample import sample_root

    data = [str(sample_root() / "binance-perp")]
    file = tmp_path / "ticks.py"
    file.write_text(
        "from kernel.strategy.python import Strategy\n\n\nclass Ticks(Strategy):\n    n = 0\n\n"
        "    def on_quote(self, quote):\n        self.n += 1\n        if self.n % 500 == 0:\n"
        "            self.target_lots(0 if self.position_lots else 1)\n\n"
        "    def on_trade(self, trade):\n        assert trade.side in (-1, 1)\n"
    )
    result = backtest(str(file), data=data, run_dir=tmp_path / "run", fee_bps=1)
    assert result.trades > 10
    assert result.fills >= 2 * result.trades
