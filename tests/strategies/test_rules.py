"""Built-in strategies on real bars against their rules from the definition, without the kernel; no look-ahead."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from replay.catalogue.files import open_file, read_columns, write_file
from replay.catalogue.sessions import session_times, write_sessions
from replay.loading import find_strategy
from strategies import BUILT_IN
from tests.strategies.decisions import SPY, data_of, decisions
from tests.strategies.naive_rules import HOUR_NS, RULES, Wish


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


@pytest.mark.parametrize("strategy", BUILT_IN)
def test_it_waits_for_its_warm_up_and_never_looks_ahead(tmp_path: Path, strategy: str) -> None:
    whole = decisions(tmp_path / "whole", strategy)
    source = find_strategy(strategy)[0]
    warm_up = source.warm_up_bars(source.defaults)
    seen = np.zeros(len(data_of(strategy)), np.int64)
    first = whole.orders[0].at if whole.orders else 0
    for number, _, _ in whole.events[:first]:
        seen[number] += 1
    assert strategy == "do_nothing" or seen.max() >= warm_up
    cut = "2024-08-08T23:57:30" if strategy == "market_maker" else "2008-03-01"
    part = decisions(tmp_path / "part", strategy, to=cut)
    assert part.events == whole.events[: len(part.events)]
    assert part.orders == [order for order in whole.orders if order.at < len(part.events)]
    assert len(part.events) < len(whole.events)


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
