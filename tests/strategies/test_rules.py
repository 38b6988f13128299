"""Built-in strategies on real bars against their rules from the definition, without the kernel; no look-ahead."""

from collections.abc import Callable
from math import floor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from kernel.events.layout import QUOTE_SEEN
from replay.catalogue.files import open_file, read_columns, write_file
from replay.catalogue.sessions import session_times, write_sessions
from replay.loading import find_strategy
from strategies import BUILT_IN, OF_OTHERS
from tests.strategies.decisions import BTC, SPY, Order, data_of, decisions
from tests.strategies.naive_rules import HOUR_NS, RULES, Wish, windows


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_trades_by_its_rule(tmp_path: Path, rule: Callable[..., Wish]) -> None:
    found = decisions(tmp_path / "run", rule.__name__)
    names = ("open", "high", "low", "close", "volume", "ts_open")
    wish = rule({name: found.column(name) for name in names})
    expected = []
    for at, held in enumerate(found.held_lots):
        side = int(np.sign(held.get(0, 0)))
        wanted = wish(at, side)
        if wanted is not None and wanted != side:
            expected.append((at, 1 if wanted > side else -1))
    assert len(expected) > 10
    assert {side for _, side in expected} == {1, -1}
    assert [(order.at, order.side) for order in found.orders] == expected


@pytest.mark.parametrize("strategy", [name for name in BUILT_IN if name not in OF_OTHERS])
def test_it_waits_for_its_warm_up_and_never_looks_ahead(tmp_path: Path, strategy: str) -> None:
    whole = decisions(tmp_path / "whole", strategy)
    source = find_strategy(strategy)[0]
    warm_up = source.warm_up_bars(source.defaults)
    seen = np.zeros(len(data_of(strategy)), np.int64)
    first = whole.orders[0].at if whole.orders else 0
    for number, _, _ in whole.events[:first]:
        seen[number] += 1
    # There are fewer bars in a session than in a day, so with longer bars the warm-up is the most that it can be.
    assert strategy == "do_nothing" or seen.max() >= warm_up or len(source.bar_rules(source.defaults)) > 1
    cut = "2024-08-08T23:57:30" if strategy == "market_maker" else "2008-03-01"
    part = decisions(tmp_path / "part", strategy, to=cut)
    assert part.events == whole.events[: len(part.events)]
    assert part.orders == [order for order in whole.orders if order.at < len(part.events)]
    assert len(part.events) < len(whole.events)


def statistic(one: np.ndarray, other: np.ndarray) -> float:
    """Engle and Granger's, without lags."""
    slope, level = np.polyfit(other, one, 1)
    left = one - slope * other - level
    before, moves = left[:-1], np.diff(left)
    pull = before @ moves / (before @ before)
    return float(pull / np.sqrt(np.sum((moves - pull * before) ** 2) / (before.size - 1) / (before @ before)))


@pytest.mark.parametrize(("significance", "below", "least"), [(0, np.inf, 100), (5, -3.44165, 10)])
def test_pairs_trade_by_their_rule(tmp_path: Path, significance: int, below: float, least: int) -> None:
    """EURUSD is instrument 0 and SPY 1; a bar counts when both have one of the same end."""
    found = decisions(tmp_path / "run", "pairs", set={"significance": significance})
    closes: list[dict[int, float]] = [{}, {}]
    ends = []
    for at, (number, ts_ns, words) in enumerate(found.events):
        closes[number][ts_ns] = float(words[3])
        if ts_ns in closes[1 - number]:
            ends.append((at, ts_ns))
    one, other = (np.array([column[ts_ns] for _, ts_ns in ends]) for column in closes)
    slope, level = (np.full(one.size, np.nan) for _ in range(2))
    for row in range(59, one.size):
        slope[row], level[row] = np.polyfit(other[row - 59 : row + 1], one[row - 59 : row + 1], 1)
    spread = one - slope * other - level
    distance = np.full(one.size, np.nan)
    used = spread[59:]
    distance[118:] = ((used - windows(used, 60, np.mean)) / windows(used, 60, np.std))[59:]
    expected: list[tuple[int, int, int]] = []
    shares = []
    for row, (at, _) in enumerate(ends):
        side = int(np.sign(found.held_lots[at].get(0, 0)))
        last = slice(row - 59, row + 1)
        enters = side == 0 and abs(distance[row]) > 2 and slope[row] > 0
        if enters and statistic(one[last], other[last]) < below:
            wanted = -int(np.sign(distance[row]))
            expected += [(at, 0, wanted), (at, 1, -wanted)]
            shares.append(slope[row] * other[row] / one[row])
        elif side * distance[row] > -0.5 and side:
            expected += [(at, 0, -side), (at, 1, side)]
    assert len(expected) > least
    assert [(order.at, order.instrument, order.side) for order in found.orders] == expected
    entries = [order for order in found.orders if order.at in {at for at, _, _ in expected[::4]}]
    for (first, second), share in zip(zip(entries[::2], entries[1::2], strict=True), shares, strict=True):
        prices = [closes[order.instrument][found.events[order.at][1]] for order in (first, second)]
        euros = first.quantity_lots * prices[0] * 1e-5
        shares_of_spy = share * euros / (prices[1] * 1e-4)
        assert shares_of_spy - 1.01 < second.quantity_lots < shares_of_spy + 0.01  # whole lots, towards zero


def test_the_grid_rests_a_step_below_and_a_step_above(tmp_path: Path) -> None:
    """The orders after a bar are those that what is held and the anchor say; the ladder is worked out from the bars."""
    found = decisions(tmp_path / "run", "grid", data=[BTC], **{"from": "2020-01-01", "to": "2021-01-01"})
    close = found.column("close").astype(int)
    anchor = unit = 0
    by_bar: dict[int, list[Order]] = {}
    for order in found.orders:
        by_bar.setdefault(order.at, []).append(order)
    assert len(by_bar) > 30
    levels = set()
    for at, orders in by_bar.items():
        held = found.held_lots[at].get(0, 0)
        if at == 0:
            anchor, unit = close[0], orders[0].quantity_lots
        last = orders[-2:] if orders[-1].side < 0 and len(orders) > 1 else orders[-1:]
        if held == 0 and close[at] * 100 > anchor * 101:
            anchor, unit = close[at], last[-1].quantity_lots
        step = anchor // 100
        level = -(-held // unit)
        levels.add(level)
        for order in last:
            below = held // unit + 1
            wanted = (below * unit - held, anchor - below * step)
            if order.side < 0:
                wanted = (held - (level - 1) * unit, anchor - (level - 1) * step)
            assert (order.quantity_lots, order.limit_ticks) == wanted
    assert len(levels) > 5


def test_the_market_maker_leans_against_what_it_holds(tmp_path: Path) -> None:
    found = decisions(tmp_path / "run", "market_maker")
    unit = max(order.quantity_lots for order in found.orders)
    bid = ask = last = 0
    expected: list[Order] = []
    for at, (_, _, words) in enumerate(found.events):
        held = found.held_lots[at].get(0, 0)
        best_bid, best_ask = words[QUOTE_SEEN.bid_ticks], words[QUOTE_SEEN.ask_ticks]
        fair = 2 * ((best_bid + best_ask) // 2) + (best_bid + best_ask) % 2 - floor(2 * 10 * held / unit)
        new_bid = min(floor(fair / 2) - 20, best_ask - 1)
        new_ask = max(-floor(-fair / 2) + 20, best_bid + 1)
        if held == last and abs(new_bid - bid) < 5 and abs(new_ask - ask) < 5:
            continue
        bid, ask, last = new_bid, new_ask, held
        if held < 5 * unit:
            expected.append(Order(at, 0, 1, min(unit, 5 * unit - held), bid))
        if held > -5 * unit:
            expected.append(Order(at, 0, -1, min(unit, 5 * unit + held), ask))
    assert found.orders == expected
    held = {lots.get(0, 0) for lots in found.held_lots}
    assert max(held) > 0 > min(held)
    assert max(abs(lots) for lots in held) <= 5 * unit


def test_the_opening_range_with_a_calendar(tmp_path: Path) -> None:
    """The range is of the first bar that opens in the exchange's session; out before the session, or six hours, end."""
    columns = {name: values[-800:] for name, values in read_columns(Path(SPY)).items()}
    file = open_file(SPY)
    instrument = msgspec.structs.replace(file.instrument, calendar="XNYS")
    path = tmp_path / "us" / "SPY" / Path(SPY).name
    write_file(path, msgspec.structs.replace(file.metadata, instrument=instrument, rows=800), columns)
    write_sessions(tmp_path, instrument, int(columns["ts"][0]), int(columns["ts"][-1]))
    opens, closes = session_times("XNYS", int(columns["ts"][0]), int(columns["ts"][-1]))
    found = decisions(tmp_path / "run", "opening_range_breakout", data=[str(tmp_path)], **{"from": "", "to": ""})
    begins = found.column("ts_open")
    high, low, close = (found.column(name) for name in ("high", "low", "close"))
    first: dict[int, int] = {}
    done = set()
    expected = []
    for at, begin in enumerate(begins):
        session = int(np.searchsorted(opens, begin, "right")) - 1
        if session < 0 or begin >= closes[session]:
            continue
        side = int(np.sign(found.held_lots[at].get(0, 0)))
        start = first.setdefault(session, at)
        if at == start or begin + 2 * HOUR_NS >= min(closes[session], opens[session] + 6 * HOUR_NS):
            expected += [(at, -side)] if side else []
        elif session not in done and (close[at] > high[start] or close[at] < low[start]):
            done.add(session)
            expected.append((at, 1 if close[at] > high[start] else -1))
    assert len(expected) > 50
    assert [(order.at, order.side) for order in found.orders] == expected
