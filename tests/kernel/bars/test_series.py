"""Bars against their naive twin, and what must hold of them whatever comes in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.bars.aggregate import Aggregator
from kernel.bars.plan import plan_series
from kernel.bars.rule import TICK_IMBALANCE, TICKS, VALUE, VOLUME, VOLUME_IMBALANCE, parse_rule
from kernel.events.layout import SERIES_BAR
from kernel.tables.bars import CUT, GAPS, LATE, SHORT, STRADDLES
from kernel.tables.table import NEVER_NS
from tests.kernel.bars.desk import DAY, HOUR, MINUTE, PAPER, Made, facts, row, rows_of
from tests.reference import bars as twin
from tests.reference.bars import Bar, Input, tick

OPEN = 13 * HOUR + 30 * MINUTE


class Inputs(list[Input]):
    """Inputs that hypothesis prints shortly."""

    def __repr__(self) -> str:
        shown = ", ".join(str(tuple(one)) for one in self[:20])
        return f"[{shown}{', ...' if len(self) > 20 else ''}] ({len(self)})"


@st.composite
def minutes(draw: st.DrawFn, most: int = 400) -> list[Input]:
    """Bars of a minute with gaps, from a random start."""
    seed = draw(st.integers(0, 2**32 - 1))
    count, keep = draw(st.integers(1, most)), draw(st.sampled_from([0.05, 0.5, 0.9, 1.0]))
    at, unknown = draw(st.integers(-3000, 3000)) * MINUTE, draw(st.booleans())
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        if random.random() < keep:
            opened, closed = (int(each) for each in random.integers(90, 111, 2))
            high, low = (
                max(opened, closed) + int(random.integers(0, 3)),
                min(opened, closed) - int(random.integers(0, 3)),
            )
            lots = int(random.integers(-1, 9) if unknown else random.integers(0, 9))
            found.append(Input(at + MINUTE, at, at + MINUTE, opened, high, low, closed, lots, 0, 1, MINUTE))
        at += MINUTE
    return Inputs(found)


@st.composite
def trades(draw: st.DrawFn, signed: bool = True) -> list[Input]:
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 300))
    random = np.random.default_rng(seed)
    at, price, found = draw(st.integers(-10, 10)) * MINUTE, 100, []
    for _ in range(count):
        at += int(random.choice([0, 1, 10**9, 20 * 10**9, MINUTE, 7 * MINUTE]))
        price += int(random.integers(-2, 3))
        side = int(random.integers(-1, 2)) if signed else 0
        found.append(tick(at, price, int(random.integers(1, 20)), side))
    return Inputs(found)


def sessions_of(inputs: list[Input]) -> list[tuple[int, int]]:
    """A session each day that the inputs touch; every third one closes early."""
    days = range(min(one.begin_ns for one in inputs) // DAY, max(one.known_ns for one in inputs) // DAY + 1)
    return [(day * DAY + OPEN, day * DAY + OPEN + (3 * HOUR + 30 * MINUTE if day % 3 == 0 else 6 * HOUR + 30 * MINUTE))
            for day in days]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(minutes(), st.sampled_from([("2m", 2), ("5m", 5), ("1h", 60), ("1d", 1440)]))
def test_time_bars_of_bars_equal_the_twin(inputs: list[Input], rule: tuple[str, int]) -> None:
    made = Made([rule[0]], rows_of(inputs, "bars"))
    until_ns = inputs[-1].known_ns if inputs else 0
    wanted, late, straddled, _ = twin.time_bars(inputs, rule[1] * MINUTE, None, True, until_ns)
    assert made.bars(rule[0]) == wanted
    assert (late, straddled) == (0, 0)
    assert made.series(rule[0])["bar_count"] == len(wanted)


@settings(max_examples=40, deadline=None)
@given(
    trades(),
    st.sampled_from([("1s", 10**9), ("1m", MINUTE), ("5m", 5 * MINUTE)]),
    st.sampled_from(["trades", "quotes"]),
)
def test_time_bars_of_trades_and_quotes_equal_the_twin(inputs: list[Input], rule: tuple[str, int], source: str) -> None:
    if source == "quotes":
        inputs = [tick(one.known_ns, one.close, -1) for one in inputs]
    made = Made(
        [rule[0]], rows_of(inputs, source), facts(bars=False, trades=source == "trades", quotes=source == "quotes")
    )
    assert made.bars(rule[0]) == twin.time_bars(inputs, rule[1], None, False, inputs[-1].known_ns)[0]


@settings(max_examples=40, deadline=None)
@given(minutes(3000), st.sampled_from([("30m session", 30), ("1h session", 60), ("1d session", 0)]))
def test_bars_of_sessions_equal_the_twin(inputs: list[Input], rule: tuple[str, int]) -> None:
    if not inputs:
        return
    sessions = sessions_of(inputs)
    made = Made([rule[0]], rows_of(inputs, "bars", sessions))
    wanted, late, straddled, outside = twin.time_bars(inputs, rule[1] * MINUTE, sessions, True, inputs[-1].known_ns)
    assert made.bars(rule[0]) == wanted
    series = made.series(rule[0])
    assert (series["late_count"], series["straddle_count"], series["outside_count"]) == (late, straddled, outside)
    assert all(opened <= bar.begin_ns < bar.end_ns <= closed for bar in wanted for opened, closed in sessions
               if opened <= bar.begin_ns < closed)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(minutes(3000), st.booleans())
def test_five_minutes_make_the_same_hours_as_minutes(inputs: list[Input], in_session: bool) -> None:
    if not inputs:
        return
    words = " session" if in_session else ""
    chain, direct = f"1h{words} from 5m{words}", f"1h{words}"
    made = Made([chain, direct], rows_of(inputs, "bars", sessions_of(inputs)))
    assert made.bars(chain) == made.bars(direct)
    days = f"1d{words} from {chain}", f"1d{words}"
    made = Made(list(days), rows_of(inputs, "bars", sessions_of(inputs)))
    assert made.bars(days[0]) == made.bars(days[1])


@settings(max_examples=40, deadline=None)
@given(trades(), st.integers(1, 9))
def test_bars_that_count_equal_the_twin(inputs: list[Input], size: int) -> None:
    rows, data = rows_of(inputs, "trades"), facts(bars=False, trades=True)
    rules = [f"{size} ticks", f"{size * 5}e-3 volume", f"{size * 2000}e-6 value"]
    made = Made(rules, rows, data)
    value = {"value_of": lambda price, lots: price * lots}
    sizes = (size, size * 5, size * 2000)
    for rule, kind, units in zip(rules, (TICKS, VOLUME, VALUE), sizes, strict=True):
        assert made.bars(rule) == twin.counted_bars(kind, units, inputs, **value)


@settings(max_examples=40, deadline=None)
@given(trades(), st.integers(1, 40), st.integers(1, 30), st.booleans())
def test_imbalance_bars_equal_the_twin(inputs: list[Input], expected: int, span: int, by_volume: bool) -> None:
    word, kind = ("volume", VOLUME_IMBALANCE) if by_volume else ("tick", TICK_IMBALANCE)
    least, most = max(expected // 4, 1), expected * 3
    rule = f"{expected} {word}-imbalance span={span} least={least} most={most}"
    made = Made([rule], rows_of(inputs, "trades"), facts(bars=False, trades=True))
    assert made.bars(rule) == twin.counted_bars(kind, expected, inputs, limits=(span, least, most))


@settings(max_examples=40, deadline=None)
@given(minutes(), st.integers(1, 12))
def test_renko_and_heikin_ashi_equal_the_twin(inputs: list[Input], size: int) -> None:
    rules = [f"renko {size}", "heikin-ashi", "heikin-ashi 5m"]
    made = Made(rules, rows_of(inputs, "bars"))
    assert made.bars(rules[0]) == twin.renko_bars(size, inputs)
    assert made.bars(rules[1]) == twin.heikin_ashi_bars(inputs)
    fives = [twin.as_input(bar, 0) for bar in made.bars("5m")]
    assert made.bars(rules[2]) == twin.heikin_ashi_bars(fives)


@settings(max_examples=30, deadline=None)
@given(minutes(), st.integers(1, 6), st.integers(1, 4))
def test_series_of_series_take_every_bar_once(inputs: list[Input], brick: int, size: int) -> None:
    rule = f"{size} ticks from heikin-ashi renko {brick}"
    made = Made([rule], rows_of(inputs, "bars"))
    bricks = [bar._replace(leaves=max(bar.leaves, 1)) for bar in made.bars(f"renko {brick}")]
    averages = twin.heikin_ashi_bars([twin.as_input(bar, 0) for bar in bricks])
    assert made.bars(f"heikin-ashi renko {brick}") == averages
    taken = [twin.as_input(bar, 0) for bar in averages]
    prices = [bar[1:5] for bar in twin.counted_bars(TICKS, size, taken)]
    assert [bar[1:5] for bar in made.bars(rule)] == prices


@settings(max_examples=40, deadline=None)
@given(minutes(), st.integers(0, 2**32 - 1))
def test_bars_that_arrive_late_within_the_wait_make_the_same_bars(inputs: list[Input], seed: int) -> None:
    """As when live: finer bars arrive after their end, not always in order."""
    random = np.random.default_rng(seed)
    grace = 40 * 10**9
    arriving = sorted(
        (one._replace(known_ns=one.end_ns + int(random.integers(0, grace))) for one in inputs),
        key=lambda one: one.known_ns,
    )
    live = Made(["5m", "1h"], rows_of(arriving, "bars"), grace_ns=grace)
    replayed = Made(["5m", "1h"], rows_of(inputs, "bars"))
    for rule in ("5m", "1h"):
        bars = live.bars(rule)
        assert [bar[1:] for bar in bars] == [bar[1:] for bar in replayed.bars(rule)][: len(bars)]
        assert len(bars) >= len(replayed.bars(rule)) - 1  # the last one may still be waiting
        assert live.dropped(rule) == []


def minute(number: int, close: int = 100, known_ns: int | None = None, length: int = MINUTE) -> Input:
    begin = number * MINUTE
    end = begin + length
    known_ns = end if known_ns is None else known_ns
    return Input(known_ns, begin, end, 100, max(100, close), min(100, close), close, 1, 0, 1, length)


def test_a_quiet_bar_closes_by_time_before_the_next_row() -> None:
    made = Made(["5m"], rows_of([minute(0, 105), minute(20)], "bars"))
    assert made.bars("5m") == [Bar(5 * MINUTE + 1, 100, 105, 100, 105, 1, 0, 5 * MINUTE, 1, GAPS)]
    assert made.series("5m")["gap_count"] == 1


def test_there_is_no_bar_without_input_and_none_at_the_end_of_the_data() -> None:
    made = Made(["5m"], rows_of([minute(0), minute(60), minute(61)], "bars"))
    assert [bar.begin_ns for bar in made.bars("5m")] == [0]


def test_a_trade_at_the_end_belongs_to_the_next_bar() -> None:
    inputs = [tick(0, 1), tick(MINUTE - 1, 2), tick(MINUTE, 3), tick(2 * MINUTE, 4)]
    made = Made(["1m"], rows_of(inputs, "trades"), facts(bars=False, trades=True))
    assert [(bar.closed_ns, bar.open, bar.close) for bar in made.bars("1m")] == [(MINUTE, 1, 2), (2 * MINUTE, 3, 3)]


def test_what_comes_after_its_bar_has_closed_is_dropped_and_told() -> None:
    late = minute(3, 999, known_ns=6 * MINUTE)
    made = Made(["5m"], rows_of([minute(0), minute(4), late, minute(5), minute(9)], "bars"))
    assert made.dropped("5m") == [(LATE, 3 * MINUTE, 4 * MINUTE)]
    assert [bar.high for bar in made.bars("5m")] == [100, 100]
    assert made.series("5m")["late_count"] == 1


def test_a_bar_that_reaches_beyond_its_end_is_dropped_and_told() -> None:
    long = minute(3, 999, length=4 * MINUTE)
    made = Made(["5m"], rows_of([minute(0), long, minute(8), minute(9)], "bars"), facts(interval_ns=0))
    assert made.dropped("5m") == [(STRADDLES, 3 * MINUTE, 7 * MINUTE)]
    assert [bar.high for bar in made.bars("5m")] == [100, 100]
    assert made.series("5m")["straddle_count"] == 1


def test_the_last_bar_of_a_session_ends_with_it() -> None:
    sessions = [(OPEN, OPEN + 90 * MINUTE)]
    inputs = [minute(OPEN // MINUTE + at) for at in (*range(90), 90, 95)]
    made = Made(["1h session", "1d session"], rows_of(inputs, "bars", sessions))
    assert [(bar.begin_ns, bar.end_ns, bar.flags) for bar in made.bars("1h session")] == [
        (OPEN, OPEN + HOUR, 0), (OPEN + HOUR, OPEN + 90 * MINUTE, SHORT)]  # fmt: skip
    assert [bar[6:] for bar in made.bars("1d session")] == [(OPEN, OPEN + 90 * MINUTE, 90, 0)]
    assert made.series("1h session")["outside_count"] == 2


def test_a_split_cuts_the_bar_in_progress() -> None:
    before, after = rows_of([minute(0), minute(1)], "bars"), rows_of([minute(2, 50), minute(4, 50)], "bars")
    split = row(2 * MINUTE, 8, 2, 2, 1)  # action: two new lots for one
    made = Made(["5m", "10m from 5m", "renko 1", "heikin-ashi 5m"], np.concatenate([before, split, after]))
    assert [bar[5:] for bar in made.bars("5m")] == [
        (2, 0, 2 * MINUTE, 2, SHORT | CUT), (2, 2 * MINUTE, 5 * MINUTE, 2, SHORT | GAPS)]  # fmt: skip
    assert [bar[5:] for bar in made.bars("10m from 5m")] == [(2, 0, 2 * MINUTE, 2, SHORT | CUT)]
    assert made.bars("renko 1") == []  # 100 and 50 are not compared
    assert [bar.open for bar in made.bars("heikin-ashi 5m")] == [100, 75]


def test_many_bricks_of_one_price_all_come_before_the_next_row() -> None:
    inputs = [tick(0, 0), tick(1, 20_000), tick(2, 19_999), tick(3, 0)]
    made = Made(["renko 1"], rows_of(inputs, "trades"), facts(bars=False, trades=True))
    closes = [bar.close for bar in made.bars("renko 1")]
    assert closes == [*range(1, 20_001), *range(19_998, -1, -1)]


def test_amounts_that_do_not_fit_are_refused() -> None:
    from kernel.bars.aggregate import AggregateError

    inputs = [tick(0, 1, 1 << 61), tick(1, 1, 1 << 61), tick(2, 1, 1)]
    with pytest.raises(AggregateError, match="no bars"):
        Made(["9 ticks"], rows_of(inputs, "trades"), facts(bars=False, trades=True))
    wild = [Input(MINUTE, 0, MINUTE, 1 << 37, 1 << 37, 1, 1, 1, 0, 1, MINUTE)]
    with pytest.raises(AggregateError, match="no bars"):
        Made(["heikin-ashi"], rows_of(wild, "bars"))


def test_what_there_was_before_does_not_change_with_what_comes_after() -> None:
    inputs = [minute(at, 100 + at % 7) for at in range(200)]
    rules = ["5m", "1h from 5m", "renko 2", "heikin-ashi 5m", "7 ticks"]
    whole = Made(rules, rows_of(inputs, "bars"))
    for cut in (1, 50, 133):
        part = Made(rules, rows_of(inputs[:cut], "bars"))
        for rule in rules:
            assert part.bars(rule) == whole.bars(rule)[: len(part.bars(rule))]


@settings(max_examples=40, deadline=None)
@given(st.lists(minutes(150), min_size=2, max_size=4))
def test_bars_of_several_instruments_do_not_disturb_each_other(several: list[list[Input]]) -> None:
    rules = {"5m": 5 * MINUTE, "1h": HOUR, "1h from 5m": HOUR}
    wanted = [(number, parse_rule(rule)) for number in range(len(several)) for rule in rules]
    plans = plan_series(wanted, [facts()] * len(several))
    parts = [rows_of(inputs, "bars") for inputs in several]
    for number, part in enumerate(parts):
        part["instrument"] = number
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows["instrument"], rows["ts_ns"]))]
    aggregator = Aggregator([PAPER] * len(several), plans)
    records = aggregator.feed(rows)
    words = records["words"][records["kind"] == SERIES_BAR.kind]
    assert np.all(np.diff(records["ts_ingest_ns"]) >= 0)
    until_ns = int(rows["ts_ns"].max()) if len(rows) else 0
    due_ns = []
    for plan in plans:
        bars = twin.time_bars(several[plan.instrument], rules[plan.rule], None, True, until_ns)[0]
        mine = words[words[:, SERIES_BAR.series] == plan.number]
        assert mine[:, :7].tolist() == [[*bar[1:5], bar.lots, bar.begin_ns, bar.end_ns] for bar in bars]
        series = aggregator.state.series[plan.number]
        due_ns += [int(series.end_ns + series.wait_ns)] if series.input_count else []
    assert int(aggregator.state.head.next_bar_ns) == min(due_ns, default=NEVER_NS)
