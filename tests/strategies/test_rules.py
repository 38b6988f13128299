"""Built-in strategies on real bars against their rules from the definition, without the kernel; no look-ahead."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from replay.loading import find_strategy
from strategies import BUILT_IN
from tests.strategies.decisions import data_of, decisions
from tests.strategies.naive_rules import RULES, Wish


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
