"""Signals, targets and exits against their naive twin: random histories, compared after each event.

The ordinary session is short; ``KERNEL_HISTORIES=10000`` in the environment makes it a long one.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as generators

from kernel import ledger_nb
from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.exits_nb import PARTIAL_TARGET, STOP_LOSS
from kernel.plans import METHODS, MODELS, sizing_plan
from kernel.units import RATE_SCALE
from tests.kernel.signal_desk import EQUITY, SignalDesk, told
from tests.reference.kernel import Kernel, RefusedError
from tests.reference.signals import Row, Signals, crosses

HISTORIES = int(os.environ.get("KERNEL_HISTORIES", "60"))
INSTRUMENTS, STRATEGIES = 3, 3


class Pair(SignalDesk):
    """A desk whose every event is also given to the twin."""

    def __init__(self) -> None:
        self.twin = Signals(Kernel())
        super().__init__(INSTRUMENTS, STRATEGIES)

    def apply(self, event: c.Event, instrument: int = -1, strategy: int = -1) -> None:
        assert self.offer(event, instrument, strategy) == "OK"

    def offer(self, event: c.Event, instrument: int = -1, strategy: int = -1) -> str:
        sequence = int(self.state.head.next_sequence)
        stored = Stored(sequence, self.now_ns, self.now_ns, 0, instrument, strategy, 0, event)
        return self.both(stored)

    def both(self, stored: Stored, *, kernel_has_it: bool = False) -> str:
        before = self.state.copy()
        status = "OK"
        try:
            self.twin.apply(stored)
        except RefusedError as error:
            status = error.status
        if not kernel_has_it:
            code = int(apply_nb(self.state, encode(stored)[0]))
            assert code == getattr(ledger_nb, status), f"{stored.event}: {code}, the twin: {status}"
            if status != "OK":
                for name in before.dtype.names:
                    self.state[name] = before[name]
        return status

    def heard(self, events: list[Stored]) -> list[Stored]:
        """Tell the twin what the kernel wrote by itself."""
        for stored in events:
            assert self.both(stored, kernel_has_it=True) == "OK"
        return events

    def check(self) -> None:
        head = self.state.head
        assert int(head.targets_due) == self.twin.targets_due()
        assert int(head.exits_on) == int(bool(self.twin.exits))
        for strategy in range(STRATEGIES):
            for instrument in range(INSTRUMENTS):
                row = self.row(instrument, strategy)
                values = dict(zip(row.dtype.names, (int(value) for value in row), strict=True))
                assert values == vars(self.twin.rows.get((strategy, instrument), Row())), (strategy, instrument)


rates = generators.sampled_from([0, 1, RATE_SCALE // 3, RATE_SCALE // 2, RATE_SCALE, 2 * RATE_SCALE])
places = generators.tuples(generators.integers(0, INSTRUMENTS - 1), generators.integers(0, STRATEGIES - 1))
directions = generators.sampled_from([-1, 0, 1])
few_lots = generators.integers(1, 12)


@generators.composite
def plan_events(draw: generators.DrawFn) -> c.Event:
    kind = draw(generators.integers(0, 2))
    if kind == 0:
        model = draw(generators.sampled_from(list(MODELS)))
        fields = {"quantity_lots": draw(few_lots), "money_minor": 5_000, "win_rate": RATE_SCALE * 6 // 10,
                  "payoff_rate": RATE_SCALE, "by_confidence": draw(generators.integers(0, 1))}  # fmt: skip
        return c.SizingPlanSet(*(int(value) for value in sizing_plan(model, **fields)))
    if kind == 1:
        method = draw(generators.sampled_from(list(METHODS)))
        return c.PortfolioPlanSet(method, draw(rates), draw(generators.integers(0, 1)))
    return c.ExitPlanSet(RATE_SCALE // 20, *[0] * 9)


def step(desk: Pair, data: generators.DataObject) -> None:
    instrument, strategy = data.draw(places)
    kind = data.draw(generators.sampled_from(["signal", "signal", "bar", "bar", "fill", "plan", "weight", "targets",
                                              "exit", "reject", "wrong"]))  # fmt: skip
    desk.now_ns += 1
    if kind == "signal":
        desk.offer(c.SignalEmitted(data.draw(directions), data.draw(rates), data.draw(rates), 5,
                                   data.draw(generators.sampled_from([0, 0, 80])),
                                   data.draw(generators.sampled_from([0, 0, 120])),
                                   data.draw(generators.sampled_from([-1, 0, RATE_SCALE]))),
                   instrument, strategy)  # fmt: skip
    elif kind == "bar":
        close = data.draw(generators.integers(80, 120))
        high, low = close + data.draw(generators.integers(0, 9)), close - data.draw(generators.integers(0, 9))
        desk.bar(close, high=high, low=low, instrument=instrument)
    elif kind == "fill":
        desk.hold(data.draw(few_lots) * data.draw(generators.sampled_from([1, -1])), instrument=instrument,
                  strategy=strategy, price=data.draw(generators.integers(80, 120)))  # fmt: skip
    elif kind == "plan":
        desk.apply(data.draw(plan_events()), -1, strategy)
    elif kind == "weight":
        desk.apply(c.WeightSet(data.draw(rates) - RATE_SCALE // 3), instrument)
    elif kind == "targets":
        decide_and_compare(desk)
    elif kind == "exit":
        reason = data.draw(generators.sampled_from([STOP_LOSS, PARTIAL_TARGET]))
        desk.offer(c.ExitTriggered(2, reason, 0, 0, data.draw(few_lots), 1), instrument, strategy)
    elif kind == "reject":
        order_id = int(desk.state.head.next_sequence)
        instructions = data.draw(generators.sampled_from([0, life.REDUCE_ONLY]))
        desk.apply(c.OrderIntended(1, life.MARKET, life.GTC, 1, 0, 0, 0, instructions), instrument, strategy)
        desk.apply(c.RiskChecked(order_id, 0, 0, 0), instrument, strategy)
        desk.apply(c.OrderRejected(order_id, 1), instrument, strategy)
    else:
        wrong = data.draw(generators.sampled_from([c.SignalEmitted(2, 0, 0, 0, 0, 0, 0),
                                                   c.PortfolioTarget(0, 0, 0, 0, 0, 0, 5)]))  # fmt: skip
        desk.offer(wrong, instrument, strategy)


def decide_and_compare(desk: Pair) -> None:
    """The kernel's targets and orders are the twin's, in its order; then what opposes each other is crossed."""
    expected = desk.twin.decide()
    netting = [desk.twin.portfolios.get(strategy) for strategy in range(STRATEGIES)]
    events = desk.heard(desk.targets())
    targets = [(stored.strategy, stored.instrument, stored.event.target_lots) for stored in events
               if isinstance(stored.event, c.PortfolioTarget)]  # fmt: skip
    assert targets == [decided[:3] for decided in expected]
    orders = [(stored.strategy, stored.instrument, stored.event.side * stored.event.quantity_lots)
              for stored in events if isinstance(stored.event, c.OrderIntended)]  # fmt: skip
    assert orders == [(strategy, instrument, lots) for strategy, instrument, _, lots in expected if lots]
    crossed: dict[tuple[int, int], int] = {}
    if sum(bool(plan and plan.net) for plan in netting) > 1:
        for instrument in range(INSTRUMENTS):
            mine = [order for order in orders if order[1] == instrument and (plan := netting[order[0]]) and plan.net]
            done = crosses([lots for *_, lots in mine])
            crossed |= {order[:2]: lots for order, lots in zip(mine, done, strict=True) if lots}
    told_lots = {(stored.strategy, stored.instrument): stored.event.side * stored.event.quantity_lots
                 for stored in events if isinstance(stored.event, c.OrderCrossed)}  # fmt: skip
    assert told_lots == crossed
    desk.fill_all()


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(generators.data(), generators.integers(5, 40))
def test_the_state_equals_the_twin_after_each_event(data: Any, steps: int) -> None:
    desk = Pair()
    for _ in range(steps):
        step(desk, data)
        desk.check()


def test_a_strategy_without_a_plan_is_sized_by_equity_share() -> None:
    desk = SignalDesk()
    assert int(desk.state.sizing_plans[0].model) == 3
    desk.signal(1)
    (target,) = told(desk.targets(), c.PortfolioTarget)
    assert target.target_lots == EQUITY * 95 // 100 // 100


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (c.ExitRungSet(4, 1, 1), ledger_nb.BAD_INDEX),
        (c.ExitRungSet(-1, 1, 1), ledger_nb.BAD_INDEX),
        (c.ExitRungSet(0, 1, RATE_SCALE + 1), ledger_nb.MISMATCH),
    ],
)
def test_a_rung_that_cannot_be_is_refused(event: c.Event, status: int) -> None:
    desk = SignalDesk()
    record = encode(Stored(int(desk.state.head.next_sequence), 1, 1, 0, -1, 0, 0, event))
    assert apply_nb(desk.state, record[0]) == status


@pytest.mark.parametrize(("instrument", "strategy"), [(0, 9), (9, 0), (-1, 0), (0, -1)])
def test_a_signal_of_nobody_or_nothing_is_refused(instrument: int, strategy: int) -> None:
    desk = SignalDesk()
    event = c.SignalEmitted(1, 0, 0, 0, 0, 0, 0)
    record = encode(Stored(int(desk.state.head.next_sequence), 1, 1, 0, instrument, strategy, 0, event))
    assert apply_nb(desk.state, record[0]) == ledger_nb.BAD_INDEX
