"""Every reason for which the kernel refuses, stops or gives up has a test; and what cannot be computed refuses.

Compiled code raises nothing. What an exception inside a check would be, is here: an amount that does not fit, a measure
that has not been seen, a float that is no number. Each refuses.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel import lifecycle as life
from kernel.decide_nb import decide_nb
from kernel.events import catalogue as c
from kernel.exact_nb import OVERFLOW
from kernel.exits_nb import REASONS
from kernel.ledger_nb import OK
from kernel.plans import ATR_RISK, VOLATILITY_TARGET
from kernel.risk import numbers as n
from kernel.sizing_nb import MISSING, to_e8_nb
from kernel.strategy.context import CANCEL, SET_TIMER, SUBMIT
from kernel.tables.table import MAX_ORDERS
from kernel.units import RATE_SCALE
from tests.kernel import test_exits, test_experiment, test_risk, test_risk_currencies, test_risk_rules, test_shadow
from tests.kernel.desk import CASH, RiskDesk
from tests.kernel.signal_desk import SignalDesk, told
from tests.kernel.test_kernel_orders import ask, with_order
from tests.reference.risk import DAY

PERCENT = RATE_SCALE // 100


def duplicate_key() -> int:
    desk = RiskDesk(orders_per_minute=99)
    desk.submit(1, 1, key=7)
    return desk.submit(1, 2, key=7)[0]


def group_refused() -> int:
    desk = test_risk.Desk()
    for limit, size in ((90, 2), (0, 0)):
        intent = desk.intent(
            action=SUBMIT, side=1, quantity_lots=1, order_type=life.LIMIT, time_in_force=life.GTC, limit_ticks=limit,
            group_role=life.OCO, group_size=size,
        )  # fmt: skip
        assert decide_nb(desk.state, desk.output, 0, intent) == OK
    verdicts = [one.event.check for one in desk.events(0) if isinstance(one.event, c.RiskChecked)]
    assert verdicts == [n.GROUP_REFUSED, n.INVALID_ORDER]
    return verdicts[0]


def shadow_order() -> int:
    desk = test_shadow.shadow_desk()
    return test_shadow.ask(desk, order_type=life.LIMIT, limit_ticks=90)[0].check


def not_routed() -> int:
    desk = test_experiment.ExperimentDesk(share=0)
    return desk.order(1, 10)[-1].check


def not_open() -> int:
    return test_risk.Desk().ask(CANCEL, 77).check


def capacity() -> int:
    desk = test_risk.Desk()
    for _ in range(MAX_ORDERS):
        desk.submit(1, 1)
    return desk.submit(1, 1)[0]


def invalid_timer() -> int:
    desk = test_risk.Desk()
    assert decide_nb(desk.state, desk.output, 0, desk.intent(action=SET_TIMER, due_ns=1)) == OK
    return desk.events(0)[-1].event.check


def kernel_order() -> int:
    desk, order_id = with_order(life.EXIT_ORDER)
    return ask(desk, CANCEL, order_id).event.check


def rate_unknown() -> int:
    return test_risk_currencies.MoneyDesk().submit(1, test_risk_currencies.EUR)[0]


def tripped(lots: int, ticks: int, **rules: int) -> int:
    desk = RiskDesk(kill_level=2, **rules)
    desk.hold(lots)
    desk.bar(ticks)
    return desk.watch()[0].check


def drift() -> int:
    desk = RiskDesk(kill_level=2, drift_percent=PERCENT)
    desk.apply(c.VenuePositionReported(10**5), 0)
    return desk.watch()[0].check


# What has no row in a table of orders and verdicts.
SCENES: dict[int, Callable[[], int]] = {
    n.DUPLICATE_KEY: duplicate_key,
    n.GROUP_REFUSED: group_refused,
    n.NOT_OPEN: not_open,
    n.CAPACITY: capacity,
    n.INVALID_TIMER: invalid_timer,
    n.KERNEL_ORDER: kernel_order,
    n.SHADOW_ORDER: shadow_order,
    n.NOT_ROUTED: not_routed,
    n.RATE_UNKNOWN: rate_unknown,
    n.DAILY_LOSS_KILL: lambda: tripped(10**6, 899, daily_loss_kill_percent=10 * PERCENT),
    n.DRAWDOWN: lambda: tripped(10**6, 899, drawdown_percent=10 * PERCENT),
    n.DRIFT: drift,
}
TABLES = (test_risk.ROWS, test_risk_rules.ROWS, test_risk_currencies.ROWS)


@pytest.mark.parametrize("check", SCENES, ids=lambda number: n.CHECKS[number].name)
def test_a_scene_reaches_its_reason(check: int) -> None:
    assert SCENES[check]() == check


def test_every_check_of_the_code_has_a_row() -> None:
    """The rows are run, and compared, in the modules that have them."""
    tabled = {row[4][0] for table in TABLES for row in table} - {n.APPROVED}
    assert tabled | set(SCENES) == set(n.CHECKS)
    numbers = [value for name, value in vars(n).items() if name.isupper() and isinstance(value, int) and value]
    assert sorted(numbers) == sorted(n.CHECKS), "a number without a check, or a check twice"
    assert len({check.name for check in n.CHECKS.values()}) == len(n.CHECKS)


def test_every_check_that_has_a_limit_passes_at_it() -> None:
    """Where there is a limit, a row of an approved order stands beside that of the refused one."""
    approved = {name for table in TABLES for name, *_, verdict in table if verdict[0] == n.APPROVED}
    assert len(approved) > 30


def test_every_exit_of_the_code_has_a_row() -> None:
    assert {row[2] for row in test_exits.ROWS} >= {name for name, *_ in REASONS.values()}


# --- what cannot be computed ----------------------------------------------------------------------------------------

HUGE = 2**61
# A rule, what is there, an order whose figure does not fit, the check and the value with which it is refused.
OVERFLOWS = [
    ({"book_band_bps": 1}, lambda d: d.apply(c.QuoteSeen(1, 1, 1, 1), 0), {"lots": 1, "limit": HUGE},
     n.BOOK_BAND, OVERFLOW),
    ({"spread_max_percent": 1}, lambda d: d.apply(c.QuoteSeen(1, 1, HUGE, 1), 0), {"lots": 1},
     n.SPREAD, 2 * RATE_SCALE),
    ({"symbol_exposure": 1 << 50}, None, {"lots": 2**44, "limit": 2**17}, n.SYMBOL_EXPOSURE, 1 << 51),
    ({"total_exposure": 1 << 50}, None, {"lots": 2**44, "limit": 2**17}, n.TOTAL_EXPOSURE, 1 << 51),
    ({"strategy_exposure": 1 << 50}, None, {"lots": 2**44, "limit": 2**17}, n.STRATEGY_EXPOSURE, 1 << 51),
    ({"leverage": RATE_SCALE}, lambda d: d.apply(c.CashDeposited(0, 1 - CASH)), {"lots": 2**44, "limit": 2**17},
     n.LEVERAGE, OVERFLOW),
    ({"leverage": RATE_SCALE}, lambda d: d.apply(c.CashDeposited(0, -CASH)), {"lots": 1}, n.LEVERAGE, OVERFLOW),
    ({}, None, {"lots": 2**54, "limit": 2**60}, n.ORDER_NOTIONAL, OVERFLOW),
    ({"band_width_max_percent": 1}, lambda d: [d.bar(2**53) for _ in range(20)], {"lots": 1}, n.WIDTH_HIGH, -1),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "before", "order", "check", "value"), OVERFLOWS)
def test_a_figure_that_does_not_fit_refuses(rules, before, order, check: int, value: int) -> None:
    desk = RiskDesk(**rules)
    if before is not None:
        before(desk)
    found = desk.submit(1, **order)
    assert (found[0], found[2]) == (check, value)


def test_margin_and_price_bands_that_do_not_fit_refuse() -> None:
    desk = test_risk.Desk(margin_rate=RATE_SCALE)
    assert desk.submit(1, 2**54, order_type=life.LIMIT, limit=255)[:3] == (n.BUYING_POWER, 10**6, 255 * 2**54)
    desk = test_risk.Desk(price_band_rate=1)
    assert desk.submit(1, 1, order_type=life.LIMIT, limit=2**61)[:3] == (n.PRICE_BAND, 1, OVERFLOW)
    desk = test_risk.Desk(position_notional_minor=1)
    assert desk.submit(1, 2**54, order_type=life.LIMIT, limit=255)[0] == n.POSITION_NOTIONAL


GATES = {
    "vix_max": n.VOLATILITY_INDEX, "average_daily_volume_min": n.DAILY_VOLUME, "spread_max_percent": n.SPREAD,
    "close_before": n.SESSION_HOURS, "atr_min_percent": n.RANGE_LOW, "atr_max_percent": n.RANGE_HIGH,
    "band_width_min_percent": n.WIDTH_LOW, "band_width_max_percent": n.WIDTH_HIGH,
}  # fmt: skip


@pytest.mark.parametrize("rule", GATES)
def test_a_measure_that_has_not_been_seen_refuses(rule: str) -> None:
    assert RiskDesk(**{rule: 7}).submit(1, 1) == (GATES[rule], 7, MISSING)
    assert RiskDesk(**{rule: 7, "pass_unknown": 1}).submit(1, 1)[0] == n.APPROVED, "but for who says so"


@pytest.mark.parametrize("measure", [float("nan"), float("inf"), -float("inf"), -1.0, 1e300])
@pytest.mark.parametrize("model", [ATR_RISK, VOLATILITY_TARGET])
def test_a_measure_that_is_no_number_sizes_nothing(measure: float, model: int) -> None:
    assert to_e8_nb(measure) == MISSING
    desk = SignalDesk()
    desk.size(model)
    desk.signal(1, measure_e8=int(to_e8_nb(measure)))
    (target,) = told(desk.targets(), c.PortfolioTarget)
    assert (target.target_lots, int(desk.state.head.order_count)) == (0, 0)


EXTREMES = generators.one_of(
    generators.integers(1, 2000),
    generators.integers(1, 2**62 - 1),
    generators.sampled_from([2**53, 2**54, 2**61, 2**62 - 1]),
)


@settings(max_examples=200, deadline=None)
@given(
    price=EXTREMES,
    lots=EXTREMES,
    limit=generators.one_of(generators.just(0), EXTREMES),
    side=generators.sampled_from([1, -1]),
)
def test_what_is_approved_is_within_its_limit_exactly(price: int, lots: int, limit: int, side: int) -> None:
    """With whole numbers of any size as the judge: an approval never rests on a figure that wrapped."""
    most = 2**50
    desk = RiskDesk(price=0, symbol_exposure=most, total_exposure=most, leverage=2 * RATE_SCALE, earnings_blackout=DAY)
    desk.apply(c.QuoteSeen(price, 1, price, 1), 0)
    check, _, _ = desk.submit(side, lots, limit=limit)
    if check == n.APPROVED:
        money = max(price, limit) * lots
        assert money <= most
        assert money <= 2 * CASH
