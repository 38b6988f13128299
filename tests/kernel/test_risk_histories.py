"""Random histories of the risk checks and monitors against the naive twin, each verdict and each event compared.

The ordinary session is short; ``KERNEL_HISTORIES=10000`` in the environment makes it a long one.
"""

import os
import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as generators

from kernel.events import catalogue as c
from kernel.lifecycle import STOP
from kernel.risk.numbers import APPROVED, ORDER_CHECKS
from kernel.risk.rules import LENGTH, MONEY, RULES
from kernel.units import RATE_SCALE
from tests.kernel.desk import CASH, REASON, RiskDesk
from tests.reference.risk import DAY, MINUTE

HISTORIES = int(os.environ.get("KERNEL_HISTORIES", "60"))
PERCENT = RATE_SCALE // 100
seen: Counter[int] = Counter()
# A value of each rule at which some orders pass and some do not.
TIGHT: dict[str, tuple[int, ...]] = {
    "kill_level": (1, 2, 3),
    "pass_unknown": (0, 1, 1, 1),
    "book_band_bps": (PERCENT,),
    "fat_finger_multiple": (2 * RATE_SCALE, 9 * RATE_SCALE),
    "volume_multiple": (RATE_SCALE, RATE_SCALE // 3),
    "duplicate_window": (MINUTE, DAY),
    "refuse_self_trade": (1,),
    "stale_after": (MINUTE,),
    "orders_per_minute": (2, 5),
    "orders_per_symbol_day": (3, 9),
    "daily_loss_percent": (PERCENT // 1000, PERCENT // 50_000),
    "daily_loss_kill_percent": (PERCENT // 100,),
    "drawdown_percent": (PERCENT // 50,),
    "consecutive_losses": (1, 2),
    "losses_cooldown": (MINUTE,),
    "breaker_move_percent": (2 * PERCENT, 9 * PERCENT),
    "breaker_window": (MINUTE,),
    "breaker_cooldown": (MINUTE, DAY),
    "slippage_multiple": (3 * RATE_SCALE,),
    "slippage_expected_bps": (PERCENT // 10, PERCENT),
    "slippage_cooldown": (MINUTE,),
    "cvar_percent": (PERCENT // 10_000, 5),
    "vix_max": (20 * RATE_SCALE,),
    "average_daily_volume_min": (500,),
    "spread_max_percent": (PERCENT,),
    "earnings_blackout": (DAY,),
    "close_before": (15 * MINUTE,),
    "atr_min_percent": (PERCENT // 2,),
    "atr_max_percent": (3 * PERCENT,),
    "band_width_min_percent": (PERCENT // 2,),
    "band_width_max_percent": (7 * PERCENT,),
    "positions": (2, 4),
    "symbol_positions": (1, 2),
    "symbol_exposure": (9_000, 20_000),
    "sector_exposure": (12_000, 30_000),
    "strategy_exposure": (12_000, 30_000),
    "total_exposure": (15_000, 40_000),
    "symbol_share_percent": (900, 2_000),
    "sector_share_percent": (1_200, 3_000),
    "correlated_share_percent": (1_000, 2_500),
    "correlation_at_least": (50 * PERCENT,),
    "leverage": (1_500, 4_000),
    "drift_percent": (3_000,),
}
# A stop of entries that is over at once stops nothing: what a rule needs beside it to do anything.
NEEDS: dict[str, tuple[str, ...]] = {
    "consecutive_losses": ("losses_cooldown",),
    "breaker_move_percent": ("breaker_window", "breaker_cooldown"),
    "slippage_multiple": ("slippage_expected_bps", "slippage_cooldown"),
    "correlated_share_percent": ("correlation_at_least",),
}


class Draw(random.Random):
    """What a step of a history draws from: one seed."""

    def of(self, *choices: Any) -> Any:
        return choices[self.randrange(len(choices))]

    def price(self) -> int:
        return self.of(1, 2**40, 0) if self.randrange(60) == 0 else 960 + self.randrange(80)


def order(desk: RiskDesk, draw: Draw) -> None:
    kind = draw.of("market", "market", "limit", "limit", "stop", "wrong")
    wish: dict[str, Any] = {"instrument": draw.randrange(3), "strategy": draw.randrange(2)}
    if kind == "limit":
        wish["limit"] = draw.price() or 1
    elif kind == "stop":
        wish |= {"stop": draw.price() or 1, "order_type": STOP}
    elif kind == "wrong" and draw.randrange(4) == 0:
        wish |= draw.of({"time_in_force": 9}, {"order_type": 3}, {"limit": 5, "order_type": 1})
    if draw.randrange(4) == 0:
        wish["key"] = draw.randrange(5)
    if draw.randrange(4) == 0:
        wish["signal_ns"] = max(desk.now_ns - draw.of(0, MINUTE, MINUTE + 1, DAY), 1)
    if draw.randrange(6) == 0:
        wish["reduce_only"] = True
    lots = draw.of(1, 2, 3, 5, 8, 20)
    before = desk.twin.level
    if len(desk.twin.kernel.orders) > 200:
        return
    exposed = desk.twin.total(lambda s, i: i == wish["instrument"])
    desk.submit(draw.of(1, 1, -1), lots, **wish)
    seen[desk.verdicts[-1][0]] += 1
    if desk.verdicts[-1][0] == 0 and before:
        assert desk.twin.approved[-1]["entry"] is False, "no entry after a latched kill switch"
        assert before < 3
    limit = desk.twin.rule("symbol_exposure")
    if desk.verdicts[-1][0] == 0 and limit and desk.twin.approved[-1]["entry"]:
        in_symbol = desk.twin.total(lambda s, i: i == wish["instrument"])
        assert in_symbol <= max(limit, exposed), "no entry takes the exposure beyond the limit"


def replace(desk: RiskDesk, draw: Draw) -> None:
    open_orders = [one for one in desk.twin.kernel.orders if one.status in ("working", "partly filled")]
    if not open_orders:
        return
    one = draw.of(*open_orders)
    change = {"limit": draw.price() or 1} if one.limit_ticks else {"stop": draw.price() or 1} if one.stop_ticks else {}
    desk.submit(
        one.side, draw.of(1, 3, 9, 25), instrument=one.instrument, strategy=one.strategy, order_type=one.order_type,
        time_in_force=one.time_in_force, replaces=one, purpose=one.purpose,
        reduce_only=one.instructions & 2 != 0, **change,
    )  # fmt: skip
    seen[desk.verdicts[-1][0]] += 1


def report(desk: RiskDesk, draw: Draw) -> None:
    """Something that the venue says of an open order."""
    if not desk.twin.kernel.orders:
        return
    one = draw.of(*desk.twin.kernel.orders)
    said = draw.of("accept", "fill", "fill", "fill", "end")
    where = one.instrument, one.strategy
    if said == "accept" and one.status == "submitted":
        desk.apply(c.OrderAccepted(one.order_id), *where)
    elif said == "fill":
        lots = 1 + draw.randrange(one.leaves)
        desk.fill(one, lots, price=max(draw.price(), 1) if draw.randrange(3) else 0, fee=draw.of(0, 1))
    elif said == "end":
        desk.apply(c.OrderCanceled(one.order_id, one.leaves, 0), *where)


def market(desk: RiskDesk, draw: Draw) -> None:
    desk.later(draw.of(1, 1, MINUTE // 3, MINUTE, 60 * MINUTE, DAY))
    instrument, price = draw.randrange(3), draw.price()
    kind = draw.randrange(8)
    if kind < 5:
        span = draw.of(0, 3, 30)
        desk.bar(price, instrument, high=price + span, low=price - span, volume=draw.of(-1, 3, 9, 30))
    elif kind == 5:
        desk.apply(c.TradeSeen(price, 1, 0), instrument)
    elif kind == 6:
        desk.apply(c.QuoteSeen(price, 1, price + draw.of(1, 30), 1), instrument)
    else:
        fact = draw.of(
            c.LevelSet(1, draw.of(10, 20, 21) * RATE_SCALE),
            c.LevelSet(2, draw.of(499, 500)),
            c.LevelSet(3, desk.now_ns + draw.of(0, DAY, 9 * DAY)),
            c.SessionChanged(1, desk.now_ns, desk.now_ns + draw.of(14, 60) * MINUTE, 0),
            c.SessionChanged(0, desk.now_ns - draw.of(1, 60) * MINUTE, desk.now_ns - 1, 0),  # perhaps after the next
        )
        desk.apply(fact, instrument)
    desk.watch(instrument)


def flow(desk: RiskDesk, draw: Draw) -> None:
    """As many bars as an average of volumes looks at, each with a volume that orders come near."""
    instrument = draw.randrange(3)
    for _ in range(20):
        desk.later(draw.of(1, 1, MINUTE))
        desk.bar(960 + draw.randrange(80), instrument, volume=draw.of(0, 1, 3, 9))
    desk.watch(instrument)


def trips(desk: RiskDesk, draw: Draw) -> None:
    """Round trips one after another in a book that is flat, most of them losing."""
    instrument, strategy, side = draw.randrange(3), draw.randrange(2), draw.of(1, -1)
    for _ in range(draw.of(1, 2, 3)):
        book = desk.twin.sides((strategy, instrument, 1))
        if book != (0, 0) or len(desk.twin.kernel.orders) > 200:
            return
        for way in (side, -side):
            desk.submit(way, draw.of(1, 1, 2), instrument=instrument, strategy=strategy)
            seen[desk.verdicts[-1][0]] += 1
            if desk.verdicts[-1][0] != APPROVED:
                return
            desk.fill(desk.last_order, price=1000 - way * side * draw.of(3, 3, 3, 0, -3))
        desk.watch(instrument)


def days(desk: RiskDesk, draw: Draw) -> None:
    for _ in range(draw.of(3, 25)):
        desk.later(DAY)
        desk.bar(960 + draw.randrange(80), draw.randrange(3))
    desk.watch(0)


def operate(desk: RiskDesk, draw: Draw) -> None:
    number = draw.randrange(13)
    if number == 0:
        desk.apply(c.KillSwitchRequested(1 + draw.randrange(3), 1 + draw.randrange(4)))
    elif number < 6:
        desk.apply(c.KillSwitchReset(1), body=REASON)
    elif number == 6:
        desk.apply(c.TradingModeSet(draw.of(0, 0, 1, 2)))
    elif number == 7:
        desk.apply(c.VenuePositionReported(draw.of(-20, 0, 5, 20)), draw.randrange(3))
    elif number == 8:
        desk.apply(c.SectorAssigned(draw.randrange(3)), draw.randrange(3))
    elif number == 9:
        desk.apply(c.CorrelationSet(draw.of(1, 2), draw.of(-1, 49, 50, 90) * PERCENT), 0)
    elif number == 10:
        desk.apply(c.CashDeposited(0, draw.of(5, -5, 10**6)))
    elif number == 11:
        rate = 1, 0, draw.of(1, 90, 110, 3000), draw.of(99, 100)
        desk.apply(*draw.of((c.RateStated(*rate),), (c.RateSet(*rate), draw.randrange(3))))
    else:
        desk.apply(draw.of(c.TradingHalted(1), c.TradingResumed(1)), draw.of(-1, 0))
    if draw.randrange(2):
        desk.apply(c.TradingModeSet(0))
        desk.apply(c.TradingResumed(1))
        desk.apply(c.TradingResumed(1), 0)


STEPS = [order] * 20 + [replace] * 4 + [report] * 14 + [market] * 14 + [days] * 2 + [operate] * 4 + [flow, trips]


def begin(draw: Draw) -> RiskDesk:
    """Three instruments, in some histories the last one in a second currency, with a rate or without one yet."""
    chosen = draw.sample(sorted(TIGHT), draw.of(3, 6, 12))
    chosen += [other for name in chosen for other in NEEDS.get(name, ())]
    desk = RiskDesk(pass_unknown=1, foreign=draw.of(0, 0, 1))
    if draw.randrange(2):
        desk.apply(c.RateStated(1, 0, 110, 100))
    for instrument in range(3):
        desk.apply(c.SectorAssigned(1 + instrument // 2), instrument)
    desk.apply(c.CorrelationSet(1, 60 * PERCENT), 0)
    desk.rules(**{name: draw.of(*TIGHT[name]) for name in chosen})
    if draw.randrange(2) == 0:
        limits = draw.of(0, 19), draw.of(0, 9_000, 30_000), draw.of(0, 6_000, 25_000), draw.of(0, 5 * PERCENT)
        margin = draw.of(0, 0, CASH // 40_000, CASH // 9_000) * RATE_SCALE  # at which so much money takes all cash
        desk.apply(c.LimitsSet(*limits, margin, draw.of(0, PERCENT), draw.of(0, 5, 12)))
    return desk


@settings(deadline=None, max_examples=HISTORIES, suppress_health_check=list(HealthCheck))
@given(generators.integers(0, 2**48), generators.integers(20, 80))
def test_checks_and_monitors_equal_the_naive_twin(seed: int, length: int) -> None:
    draw = Draw(seed)
    desk = begin(draw)
    for _ in range(length):
        draw.of(*STEPS)(desk, draw)
        desk.check()


def test_every_check_was_reached() -> None:
    """A canary for the histories: no check is out of their reach, and orders pass too."""
    if HISTORIES >= 2_500 and seen:
        names = {APPROVED: "approved", **{number: check.name for number, check in ORDER_CHECKS.items()}}
        counts = {name: seen[number] for number, name in names.items()}
        assert min(counts.values()) > 0, counts


def test_the_values_cover_every_rule() -> None:
    assert set(TIGHT) == {rule.name for rule in RULES.values()} - {"trailing_stop_percent"}, "that is an exit plan"
    assert {rule.unit for rule in RULES.values()} >= {MONEY, LENGTH}
