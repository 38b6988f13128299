"""The engine loop: the order in which one market event takes effect, timers, frames, and what it observes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.ledger_nb import OK
from kernel.market import BAR, DEPTH, QUOTE, ROW, TRADE
from kernel.risk.numbers import CAPACITY, INVALID_TIMER
from kernel.strategy.context import MAX_INTENTS
from kernel.strategy.python import Bar, Depth, Fill, Quote, Strategy, Timer, Trade
from replay.cuts_nb import FRAME_TOO_LARGE, NEED_ROWS, STRATEGY_RAISED
from replay.engine import CapacityError, EngineMemory, Plan
from replay.memory import FRAME_RECORDS, FRAME_ROWS
from replay.python_host import PythonHost
from replay.venue.profiles import NEXT_OPEN

MINUTE_NS = 60 * 10**9
START_NS = 20_000 * 86_400 * 10**9
Call = tuple[Any, ...]


def bar(at: int, price: int = 100, instrument: int = 0, *, low: int | None = None) -> tuple[Any, ...]:
    """A flat bar that closes ``at`` minutes after the start, and reaches down to ``low``."""
    close_ns = START_NS + at * MINUTE_NS
    words = (price, price, price if low is None else low, price, 1000, close_ns - MINUTE_NS)
    return close_ns, BAR, instrument, words


def trade(at: int, price: int, instrument: int = 0) -> tuple[Any, ...]:
    return START_NS + at * MINUTE_NS, TRADE, instrument, (price, 5, 1, 0, 0, 0)


def quote(at: int, bid: int, ask: int, instrument: int = 0) -> tuple[Any, ...]:
    return START_NS + at * MINUTE_NS, QUOTE, instrument, (bid, 5, ask, 6, 0, 0)


def depth(at: int, side: int, price: int, instrument: int = 0) -> tuple[Any, ...]:
    return START_NS + at * MINUTE_NS, DEPTH, instrument, (side, price, 7, 2, 0, 0)


class Stage:
    """An engine whose strategies are written by the test, and a log of all their calls in order."""

    def __init__(
        self, *acts: Callable[[Any, Call], None] | None, instruments: int = 1, per: str = "instrument",
        subscribed: Sequence[int] | None = None, cash: int = 10**9,
    ) -> None:  # fmt: skip
        self.log: list[Call] = []
        chosen = list(range(instruments)) if subscribed is None else list(subscribed)
        self.hosts = [PythonHost(self.strategy(number, act, per), {}, chosen) for number, act in enumerate(acts)]
        self.memory = EngineMemory(instruments, [host.plan() for host in self.hosts])
        for host in self.hosts:
            host.attach(self.memory)
        state = self.memory.state
        opening = [(-1, c.RunOpened(instruments, len(acts), 0, 0, 0)), (-1, c.CashDeposited(0, cash))]
        opening += [(number, c.InstrumentDefined(0, 1, 1, 1)) for number in range(instruments)]
        for instrument, event in opening:
            record = encode(Stored(int(state.head.next_sequence), START_NS, START_NS, 0, instrument, -1, 0, event))
            assert apply_nb(state, record[0]) == OK
        control = self.memory.engine.control
        control.frame_sequence = control.done_sequence = state.head.next_sequence
        self.memory.engine.venue.head.profile = NEXT_OPEN
        self.first = int(state.head.next_sequence)

    def strategy(self, number: int, act: Callable[[Any, Call], None] | None, per: str) -> type[Strategy]:
        log, which = self.log, per

        class Logged(Strategy):
            name = f"logged{number}"
            per = which

            def say(self, *call: Any) -> None:
                log.append((number, *call))
                if act is not None:
                    act(self, call)

            def on_start(self) -> None:
                self.say("start", int(self._context.call.instrument))

            def on_bar(self, bar: Bar) -> None:
                self.say("bar", bar.instrument, bar.close_ticks)

            def on_trade(self, trade: Trade) -> None:
                self.say("trade", trade.instrument, trade.price_ticks, trade.quantity_lots, trade.side)

            def on_quote(self, quote: Quote) -> None:
                words = quote.bid_ticks, quote.bid_size_lots, quote.ask_ticks, quote.ask_size_lots
                self.say("quote", quote.instrument, *words)

            def on_depth(self, depth: Depth) -> None:
                self.say("depth", depth.instrument, depth.side, depth.price_ticks, depth.size_lots, depth.book_flags)

            def on_fill(self, fill: Fill) -> None:
                self.say("fill", fill.instrument, fill.side * fill.quantity_lots, self.position_lots)

            def on_timer(self, timer: Timer) -> None:
                self.say("timer", timer.timer, (timer.ts_ns - START_NS) // MINUTE_NS)

        return Logged

    def run(self, *rows: tuple[Any, ...], code: int = NEED_ROWS) -> "Stage":
        self.memory.engine.control.row = 0
        assert self.memory.run(np.array(list(rows), ROW)) == code
        for host in self.hosts:
            if code == NEED_ROWS and host.error is not None:
                raise host.error
        return self

    @property
    def events(self) -> list[Stored]:
        output = self.memory.engine.output
        return [decode(record) for record in output.records[: output.count]]

    def kinds(self) -> list[str]:
        return [stored.type.name for stored in self.events]


def at_first_bar(wish: Callable[[Any], None]) -> Callable[[Any, Call], None]:
    """Act once, at the first bar."""
    done: list[int] = []

    def act(strategy: Any, call: Call) -> None:
        if call[0] == "bar" and not done:
            done.append(1)
            wish(strategy)

    return act


# --- the order of things ----------------------------------------------------------------------------------------------


def test_each_kind_of_row_reaches_its_handler() -> None:
    stage = Stage(None).run(quote(1, 99, 101), trade(2, 100), bar(3, 102), depth(4, -1, 103))
    heard = [(0, "start", 0), (0, "quote", 0, 99, 5, 101, 6), (0, "trade", 0, 100, 5, 1), (0, "bar", 0, 102)]
    heard.append((0, "depth", 0, -1, 103, 7, 2))
    assert stage.log == heard


def test_depth_neither_fills_an_order_nor_moves_the_last_price() -> None:
    stage = Stage(at_first_bar(lambda strategy: strategy.buy(5))).run(bar(1, 100), depth(2, 1, 1), depth(3, -1, 1))
    assert stage.memory.state.instruments[0].last_ticks == 100
    assert "OrderFilled" not in stage.kinds()
    assert "OrderFilled" in stage.run(bar(5, 100)).kinds()


def test_start_is_called_once_for_each_instrument_or_once_for_a_portfolio() -> None:
    assert Stage(None, None, instruments=2).run(bar(1)).log[:4] == [
        (0, "start", 0), (0, "start", 1), (1, "start", 0), (1, "start", 1)]  # fmt: skip
    stage = Stage(None, instruments=3, per="portfolio", subscribed=[1, 2]).run(bar(1), bar(1, 5, 1), bar(1, 6, 2))
    assert stage.log == [(0, "start", 1), (0, "bar", 1, 5), (0, "bar", 2, 6)]


def test_fills_are_told_before_the_row_that_brought_them() -> None:
    """Strategies hear in the order in which they were given; each fill goes only to its own."""
    buys = [at_first_bar(lambda s: s.buy(3)), at_first_bar(lambda s: s.sell(4))]
    log = Stage(*buys).run(bar(1), bar(2, 105)).log
    assert log[4:] == [(0, "fill", 0, 3, 3), (1, "fill", 0, -4, -4), (0, "bar", 0, 105), (1, "bar", 0, 105)]


def test_a_later_strategy_sees_what_an_earlier_one_left() -> None:
    seen: list[int] = []

    def look(strategy: Any, call: Call) -> None:
        if call[0] == "bar":
            seen.append(int(strategy._context.state.head.order_count))

    Stage(at_first_bar(lambda s: s.buy(3)), look).run(bar(1), bar(2))
    assert seen == [1, 0]


def test_the_events_of_an_order_and_their_causes() -> None:
    stage = Stage(at_first_bar(lambda s: s.buy(3))).run(bar(1), bar(2, 105))
    assert stage.kinds() == ["OrderIntended", "RiskChecked", "OrderAccepted", "OrderFilled", "PositionChanged"]
    intended, checked, accepted, filled, changed = stage.events
    bar_1 = stage.first
    assert (intended.cause, checked.cause, accepted.cause) == (bar_1, intended.sequence, checked.sequence)
    assert (filled.cause, changed.cause) == (accepted.sequence + 1, filled.sequence)
    assert filled.ts_event_ns == START_NS + MINUTE_NS, "the open of the bar"
    assert filled.ts_ingest_ns == START_NS + 2 * MINUTE_NS, "known at its close"


def test_wishes_on_a_fill_are_part_of_the_same_transaction() -> None:
    def bracket(strategy: Any, call: Call) -> None:
        if call[0] == "fill" and call[2] > 0:
            strategy.submit(-1, life.LIMIT, 3, limit_ticks=110)
            strategy.submit(-1, life.STOP, 3, stop_ticks=90)
        elif call[0] == "fill":
            for order_id in strategy.open_orders:
                strategy.cancel(order_id)
        elif call == ("bar", 0, 100) and strategy.position_lots == 0 and not strategy.open_orders:
            strategy.buy(3)

    stage = Stage(bracket).run(bar(1), bar(2, 101), bar(3, 111))
    fills = [stored.event for stored in stage.events if isinstance(stored.event, c.OrderFilled)]
    assert [(fill.side, fill.price_ticks) for fill in fills] == [(1, 101), (-1, 111)]
    assert stage.kinds()[-4:] == ["PositionChanged", "TradeClosed", "CancelRequested", "OrderCanceled"]
    assert stage.memory.state.head.order_count == stage.memory.engine.venue.head.order_count == 0


def test_an_instrument_that_is_not_subscribed_is_not_heard_of() -> None:
    stage = Stage(None, instruments=2, subscribed=[1]).run(bar(1), bar(1, 50, 1))
    assert stage.log == [(0, "start", 1), (0, "bar", 1, 50)]


def test_wishes_beyond_the_limit_are_refused_aloud() -> None:
    stage = Stage(at_first_bar(lambda s: [s.sell(1) for _ in range(MAX_INTENTS + 5)])).run(bar(1))
    assert stage.events[-1].event == c.RequestRefused(0, CAPACITY, MAX_INTENTS, MAX_INTENTS + 5)
    assert stage.kinds().count("OrderAccepted") == MAX_INTENTS


# --- timers -------------------------------------------------------------------------------------------------------


def test_timers_fire_before_the_row_earliest_first() -> None:
    def wish(strategy: Any) -> None:
        for timer, due in ((7, 4), (5, 2), (6, 4), (9, 99)):
            strategy.set_timer(timer, START_NS + due * MINUTE_NS)

    stage = Stage(at_first_bar(wish)).run(bar(1), bar(4), bar(5))
    assert stage.log[2:] == [
        (0, "timer", 5, 2), (0, "timer", 7, 4), (0, "timer", 6, 4), (0, "bar", 0, 100), (0, "bar", 0, 100)]  # fmt: skip
    fired = [stored for stored in stage.events if isinstance(stored.event, c.TimerFired)]
    assert [stored.ts_ingest_ns for stored in fired] == [stored.event.due_ns for stored in fired]  # type: ignore[attr-defined]


def test_an_interval_repeats_until_it_is_removed() -> None:
    def act(strategy: Any, call: Call) -> None:
        if call[0] == "bar" and call[2] == 100:
            strategy.set_timer(1, START_NS + 2 * MINUTE_NS, MINUTE_NS)
        elif call == ("timer", 1, 5):
            strategy.set_timer(1, 0)

    stage = Stage(act).run(bar(1), bar(4, 101), bar(9, 102))
    assert [call[3] for call in stage.log if call[1] == "timer"] == [2, 3, 4, 5]


def test_time_never_runs_backwards() -> None:
    stage = Stage(at_first_bar(lambda s: s.set_timer(1, START_NS))).run(bar(1), bar(2))
    now_ns = START_NS + MINUTE_NS
    assert [stored.event for stored in stage.events] == [c.RequestRefused(0, INVALID_TIMER, now_ns, START_NS)]


def test_an_order_from_a_timer_meets_the_next_bar_that_opens_then() -> None:
    def act(strategy: Any, call: Call) -> None:
        if call == ("bar", 0, 100):
            strategy.set_timer(1, START_NS + 90 * 10**9)
        elif call[0] == "timer":
            strategy.buy(1)

    stage = Stage(act).run(bar(1), bar(2, 101), bar(3, 102))
    fills = [stored.event for stored in stage.events if isinstance(stored.event, c.OrderFilled)]
    assert [fill.price_ticks for fill in fills] == [102], "the bar under way had opened before the order was there"


# --- stops, frames, capacity ------------------------------------------------------------------------------------------


def test_a_strategy_that_raises_stops_the_loop_at_the_last_whole_transaction() -> None:
    def act(strategy: Any, call: Call) -> None:
        if call[0] == "bar":
            strategy.buy(1)
            if call[2] == 103:
                raise ValueError("enough")

    stage = Stage(act).run(bar(1), bar(2), bar(3, 103), bar(4), code=STRATEGY_RAISED)
    assert str(stage.hosts[0].error) == "enough"
    assert int(stage.memory.engine.control.row) == 2
    assert stage.kinds().count("OrderIntended") == 2
    done = int(stage.memory.engine.control.done_sequence)
    assert max(stored.sequence for stored in stage.events) == done - 1


def test_one_event_that_causes_more_than_a_frame_holds_stops_the_loop() -> None:
    """Many resting orders filled by one bar, each fill wishing for more: refused, and nothing is overwritten."""

    def act(strategy: Any, call: Call) -> None:
        if call[0] == "bar" and call[2] == 100:
            for _ in range(MAX_INTENTS):
                strategy.submit(1, life.LIMIT, 1, limit_ticks=50)
        elif call[0] == "fill":
            for _ in range(MAX_INTENTS):
                strategy.submit(1, life.LIMIT, 1, limit_ticks=40)

    stage = Stage(act).run(*[bar(at) for at in range(1, 5)], bar(5, 60, low=45), code=FRAME_TOO_LARGE)
    assert stage.kinds().count("OrderAccepted") == 4 * MAX_INTENTS
    assert "OrderFilled" not in stage.kinds()
    engine = stage.memory.engine
    assert not engine.frames[int(engine.control.frame_count) :].tobytes().strip(b"\0")


def test_frames_hold_whole_transactions_and_follow_each_other() -> None:
    def act(strategy: Any, call: Call) -> None:
        if call[0] == "bar":
            for order_id in strategy.open_orders:
                strategy.cancel(order_id)
            for _ in range(call[2] % 13):
                strategy.submit(1, life.LIMIT, 1, limit_ticks=50)

    stage = Stage(act).run(*[bar(at, 100 + at % 17) for at in range(1, 200)])
    stage.memory.close_frame()
    engine = stage.memory.engine
    frames = engine.frames[: int(engine.control.frame_count)]
    assert len(frames) > 5
    before_record, before_sequence = 0, stage.first
    for frame in frames.tolist():
        record_end, rows, _, first_sequence, events, _ = frame
        assert first_sequence == before_sequence
        assert record_end - before_record <= FRAME_RECORDS
        sequences = engine.output.records["sequence"][before_record:record_end]
        assert first_sequence <= sequences.min() <= sequences.max() < first_sequence + events
        assert events == rows + len(sequences), "a row by reference is an event without a record"
        causes = engine.output.records["cause"][before_record:record_end]
        assert (causes >= first_sequence).all(), "no transaction is cut in two"
        before_record, before_sequence = record_end, first_sequence + events
    assert before_sequence == int(stage.memory.state.head.next_sequence)
    assert before_record == int(engine.output.count)


def test_a_frame_is_cut_after_so_many_rows() -> None:
    stage = Stage(None)
    rows = np.zeros(2 * FRAME_ROWS + 5, ROW)
    rows["ts_ns"] = START_NS + np.arange(len(rows))
    rows["kind"] = TRADE
    rows["words"][:, 0] = 100
    assert stage.memory.run(rows) == NEED_ROWS
    control = stage.memory.engine.control
    assert stage.memory.engine.frames["row_count"][: int(control.frame_count)].tolist() == [FRAME_ROWS, FRAME_ROWS]
    assert int(control.frame_rows) == 5


@pytest.mark.parametrize(
    ("instruments", "plans", "what"),
    [
        (513, [((), 0)], "instruments"),
        (1, [((), 0)] * 33, "strategies"),
        (512, [((), 0)] * 3, "books"),
        (1, [((0,), 70_000)], "words of strategy memory"),
    ],
)
def test_capacity_is_checked_at_once(instruments: int, plans: list[Any], what: str) -> None:
    entry = PythonHost(Strategy, {}, [0]).plan().entry
    made = [Plan(entry, (), memory, "instrument", numbers) for numbers, memory in plans]
    with pytest.raises(CapacityError, match=what):
        EngineMemory(instruments, made)


# --- what it observes ---------------------------------------------------------------------------------------------


def test_equity_curve_and_drawdown() -> None:
    prices = [100, 120, 90, 110, 130, 65, 140, 20, 150]
    stage = Stage(at_first_bar(lambda s: s.buy(10)), cash=1000)
    stage.run(bar(1), *[bar(at + 2, price) for at, price in enumerate(prices)])
    equity = [1000, *[1000 + 10 * (price - 100) for price in prices]]
    engine = stage.memory.engine
    statistics = engine.statistics
    assert engine.samples["equity_minor"][: int(statistics.sample_count)].tolist() == equity
    peak, worst = 0.0, 0.0
    for value in equity:
        peak = max(peak, value)
        worst = max(worst, (peak - value) / peak)
    assert float(statistics.drawdown) == pytest.approx(worst, rel=1e-15)
    assert int(statistics.exposed_rows) == len(prices)


def test_losing_what_was_never_there() -> None:
    """Without money and without a margin limit the peak is 0: no drawdown can be said, and none is."""
    stage = Stage(at_first_bar(lambda s: s.sell(10)), cash=0).run(bar(1), bar(2), bar(3, 120))
    assert int(stage.memory.engine.samples["equity_minor"][2]) == -200
    assert float(stage.memory.engine.statistics.drawdown) == 0.0


def test_the_last_equity_of_each_day() -> None:
    stage = Stage(at_first_bar(lambda s: s.buy(10)), cash=1000)
    day = 24 * 60
    stage.run(bar(1), bar(2), bar(day - 1, 110), bar(day, 120), bar(3 * day + 5, 130))
    engine = stage.memory.engine
    days = engine.days[: int(engine.statistics.day_count)]
    assert days["equity_minor"].tolist() == [1100, 1200, 1300]
