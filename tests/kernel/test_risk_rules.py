"""The rules of [risk]: each check is reachable, says its limit and what it saw, and lets pass what it must.

Every verdict here is compared with the naive twin's on the way (``RiskDesk.ask``).
"""

from typing import Any

import pytest

from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, encode
from kernel.ledger_nb import BAD_INDEX, MISMATCH, OK
from kernel.lifecycle import STOP
from kernel.risk import numbers as n
from kernel.risk.rules import RULES
from kernel.units import RATE_SCALE
from tests.kernel.desk import CASH, REASON, RiskDesk
from tests.reference.risk import DAY, MINUTE, MISSING, ORDER, OVERFLOW

PERCENT = RATE_SCALE // 100
HOUR = 60 * MINUTE


def bars(desk: RiskDesk, count: int, *, span: int = 0, step: int = 0, volume: int = 1000) -> None:
    for at in range(count):
        desk.bar(1000 + step * (at % 2), high=1000 + span, low=1000 - span, volume=volume)


def orders(desk: RiskDesk, count: int, lots: int = 10) -> None:
    for at in range(count):
        desk.submit(1, lots + at % 2, limit=500 + at)


def filled(desk: RiskDesk, price: int, *, stop: int = 0) -> None:
    desk.submit(1, 1, stop=stop, order_type=STOP if stop else 1)
    desk.fill(desk.last_order, price=price)
    desk.watch()


def losses(desk: RiskDesk, count: int) -> None:
    for _ in range(count):
        desk.submit(1, 1)
        desk.fill(desk.last_order, price=1000)
        desk.submit(-1, 1)
        desk.fill(desk.last_order, price=999)
    desk.watch()


def days(desk: RiskDesk, returns: list[int]) -> None:
    """Days with these returns in percent, made by money that is lost and won in one position."""
    desk.hold(CASH // 1000)
    for percent in returns:
        last = desk.twin.kernel.papers[0].last
        desk.bar(last + percent * 10)
        desk.later(DAY)
    desk.bar(desk.twin.kernel.papers[0].last)


def quote(desk: RiskDesk, bid: int, ask: int) -> None:
    desk.apply(c.QuoteSeen(bid, 1, ask, 1), 0)


def level(number: int, value: int) -> Any:
    return lambda desk: desk.apply(c.LevelSet(number, value), 0)


def session(opens: int, closes: int) -> Any:
    return lambda desk: desk.apply(c.SessionChanged(1, opens, closes, 0), 0)


def sectors(desk: RiskDesk) -> None:
    for instrument, sector in ((0, 1), (1, 1), (2, 2)):
        desk.apply(c.SectorAssigned(sector), instrument)
    desk.hold(5, instrument=1)
    desk.hold(7, instrument=2)


def correlated(desk: RiskDesk) -> None:
    desk.apply(c.CorrelationSet(0, 80 * PERCENT), 1)
    desk.apply(c.CorrelationSet(2, 30 * PERCENT), 0)
    desk.hold(5, instrument=1)
    desk.hold(7, instrument=2)


def killed(kill_level: int) -> Any:
    return lambda desk: desk.apply(c.KillSwitchRequested(kill_level, 1))


def venue(**rules: int) -> Any:
    """What the venue of the first instrument demands, and nothing else."""
    names = c.VenueRulesSet.__struct_fields__
    return lambda desk: desk.apply(c.VenueRulesSet(*(rules.get(name, 0) for name in names)), 0)


def mode(number: int) -> Any:
    return lambda desk: desk.apply(c.TradingModeSet(number))


BUY = {"side": 1, "lots": 10}
# name, rules, what is there already, the order, the verdict (check, limit, value)
ROWS: list[tuple[str, dict[str, int], Any, dict[str, Any], tuple[int, int, int]]] = [
    ("kill switch 1", {}, killed(1), BUY, (n.KILL_SWITCH, 0, 1)),
    ("kill switch 2", {}, killed(2), BUY, (n.KILL_SWITCH, 0, 2)),
    ("kill switch 3", {}, killed(3), BUY, (n.KILL_SWITCH, 0, 3)),
    ("data is stale", {}, lambda d: d.apply(c.DegradedSet(1), 0), BUY, (n.DEGRADED, 0, 1)),
    ("degraded, all and one", {}, lambda d: [d.apply(c.DegradedSet(1), 0), d.apply(c.DegradedSet(6))], BUY,
     (n.DEGRADED, 0, 7)),
    ("the session is ending", {}, lambda d: [d.hold(10), d.apply(c.DegradedSet(64))], {"side": -1, "lots": 5},
     (n.DEGRADED, 0, 64)),
    ("it is only stale", {}, lambda d: [d.hold(10), d.apply(c.DegradedSet(1))], {"side": -1, "lots": 5}, (0, 0, 0)),
    ("degraded elsewhere", {}, lambda d: d.apply(c.DegradedSet(1), 1), BUY, (0, 0, 0)),
    ("degraded no more", {}, lambda d: [d.apply(c.DegradedSet(4)), d.apply(c.DegradedSet(0))], BUY, (0, 0, 0)),
    ("below the venue's least", {}, venue(minimum_lots=11), BUY, (n.VENUE_RULES, 11, 10)),
    ("the venue's least", {}, venue(minimum_lots=10), BUY, (0, 0, 0)),
    ("above the venue's most", {}, venue(maximum_lots=9), {**BUY, "limit": 1000}, (n.VENUE_RULES, 9, 10)),
    ("above its most at the market", {}, venue(maximum_lots=9, maximum_market_lots=8), BUY, (n.VENUE_RULES, 8, 10)),
    ("the venue's most", {}, venue(maximum_lots=10), BUY, (0, 0, 0)),
    ("below the venue's least money", {}, venue(minimum_notional_minor=10_001), BUY, (n.VENUE_RULES, 10_001, 10_000)),
    ("the venue's least money", {}, venue(minimum_notional_minor=10_000), BUY, (0, 0, 0)),
    ("the least money, at the limit", {}, venue(minimum_notional_minor=10_000), {**BUY, "limit": 999},
     (n.VENUE_RULES, 10_000, 9_990)),
    ("mode reduce", {}, mode(1), BUY, (n.MODE, 0, 1)),
    ("mode exit", {}, mode(2), BUY, (n.MODE, 0, 2)),
    ("mode normal again", {}, lambda d: [mode(2)(d), mode(0)(d)], BUY, (0, 0, 0)),
    ("buy above the ask", {"book_band_bps": PERCENT}, lambda d: quote(d, 990, 1000), {**BUY, "limit": 1011},
     (n.BOOK_BAND, PERCENT, 1_100_000)),
    ("at the book band", {"book_band_bps": PERCENT}, lambda d: quote(d, 990, 1000), {**BUY, "limit": 1010}, (0, 0, 0)),
    ("sell below the bid", {"book_band_bps": PERCENT}, lambda d: quote(d, 1000, 1010),
     {"side": -1, "lots": 1, "limit": 980}, (n.BOOK_BAND, PERCENT, 2 * PERCENT)),
    ("no book", {"book_band_bps": 1}, None, {**BUY, "limit": 2000}, (0, 0, 0)),
    ("fat finger", {"fat_finger_multiple": 3 * RATE_SCALE}, lambda d: orders(d, 4), {"side": 1, "lots": 31},
     (n.FAT_FINGER, 30, 31)),
    ("three average orders", {"fat_finger_multiple": 3 * RATE_SCALE}, lambda d: orders(d, 4),
     {"side": 1, "lots": 30}, (0, 0, 0)),
    ("no average yet", {"fat_finger_multiple": 3 * RATE_SCALE}, lambda d: orders(d, 3), {"side": 1, "lots": 999},
     (0, 0, 0)),
    ("volume", {"volume_multiple": RATE_SCALE // 2}, lambda d: bars(d, 20, volume=50), {"side": 1, "lots": 26},
     (n.VOLUME_SHARE, 25, 26)),
    ("half the volume", {"volume_multiple": RATE_SCALE // 2}, lambda d: bars(d, 20, volume=50),
     {"side": 1, "lots": 25}, (0, 0, 0)),
    ("volume unknown", {"volume_multiple": 1}, lambda d: bars(d, 20, volume=-1), BUY, (0, 0, 0)),
    ("the same order", {"duplicate_window": MINUTE}, lambda d: [d.submit(1, 10), d.later(MINUTE - 1)], BUY,
     (n.DUPLICATE_ORDER, MINUTE, MINUTE - 1)),
    ("the same order later", {"duplicate_window": MINUTE}, lambda d: [d.submit(1, 10), d.later(MINUTE)], BUY,
     (0, 0, 0)),
    ("another price", {"duplicate_window": MINUTE}, lambda d: d.submit(1, 10, limit=9), {**BUY, "limit": 8},
     (0, 0, 0)),
    ("of another strategy", {"duplicate_window": MINUTE}, lambda d: d.submit(1, 10, strategy=1), BUY, (0, 0, 0)),
    ("at an own offer", {"refuse_self_trade": 1}, lambda d: d.submit(-1, 5, limit=1000, strategy=1), BUY,
     (n.SELF_TRADE, 0, 11)),
    ("below an own offer", {"refuse_self_trade": 1}, lambda d: d.submit(-1, 5, limit=1001, strategy=1), BUY,
     (0, 0, 0)),
    ("limit at an own offer", {"refuse_self_trade": 1}, lambda d: d.submit(-1, 5, limit=1100, strategy=1),
     {**BUY, "limit": 1100}, (n.SELF_TRADE, 0, 11)),
    ("sell at an own bid", {"refuse_self_trade": 1}, lambda d: d.submit(1, 5, limit=990, strategy=1),
     {"side": -1, "lots": 1, "limit": 990}, (n.SELF_TRADE, 0, 11)),
    ("stale", {"stale_after": 5 * MINUTE}, lambda d: d.later(5 * MINUTE + 1), {**BUY, "signal_ns": 1},
     (n.STALE, 5 * MINUTE, 5 * MINUTE + 1)),
    ("just not stale", {"stale_after": 5 * MINUTE}, lambda d: d.later(5 * MINUTE), {**BUY, "signal_ns": 1},
     (0, 0, 0)),
    ("a sixth in a minute", {"orders_per_minute": 5}, lambda d: orders(d, 5), BUY, (n.ORDER_RATE, 5, 6)),
    ("a fifth in a minute", {"orders_per_minute": 5}, lambda d: orders(d, 4), BUY, (0, 0, 0)),
    ("a minute later", {"orders_per_minute": 5}, lambda d: [orders(d, 5), d.later(MINUTE)], BUY, (0, 0, 0)),
    ("a fourth in a day", {"orders_per_symbol_day": 3}, lambda d: orders(d, 3), BUY, (n.SYMBOL_ORDERS, 3, 4)),
    ("in another symbol", {"orders_per_symbol_day": 3}, lambda d: orders(d, 3), {**BUY, "instrument": 1}, (0, 0, 0)),
    ("the next day", {"orders_per_symbol_day": 3}, lambda d: [orders(d, 3), d.later(DAY), d.bar(1000)], BUY,
     (0, 0, 0)),
    ("daily loss", {"daily_loss_percent": 5 * PERCENT}, lambda d: [d.hold(10**6), d.bar(949), d.watch()], BUY,
     (n.DAILY_LOSS, DAY, 1)),
    ("daily loss at the limit", {"daily_loss_percent": 5 * PERCENT}, lambda d: [d.hold(10**6), d.bar(950), d.watch()],
     BUY, (0, 0, 0)),
    ("the day after a loss", {"daily_loss_percent": 5 * PERCENT},
     lambda d: [d.hold(10**6), d.bar(949), d.watch(), d.later(DAY), d.bar(949), d.watch()], BUY, (0, 0, 0)),
    ("losses in a row", {"consecutive_losses": 3, "losses_cooldown": HOUR}, lambda d: losses(d, 3), BUY,
     (n.CONSECUTIVE_LOSSES, HOUR + 1, 1)),
    ("two losses", {"consecutive_losses": 3, "losses_cooldown": HOUR}, lambda d: losses(d, 2), BUY, (0, 0, 0)),
    ("after the cool-down", {"consecutive_losses": 3, "losses_cooldown": HOUR},
     lambda d: [losses(d, 3), d.later(HOUR)], BUY, (0, 0, 0)),
    ("breaker", {"breaker_move_percent": 10 * PERCENT, "breaker_window": MINUTE, "breaker_cooldown": HOUR},
     lambda d: [d.bar(1000), d.bar(1101), d.watch()], BUY, (n.BREAKER, HOUR + 1, 1)),
    ("breaker in another symbol", {"breaker_move_percent": 10 * PERCENT, "breaker_window": MINUTE,
     "breaker_cooldown": HOUR}, lambda d: [d.bar(1000), d.bar(1101), d.watch()], {**BUY, "instrument": 1}, (0, 0, 0)),
    ("the same move in two windows",
     {"breaker_move_percent": 10 * PERCENT, "breaker_window": MINUTE, "breaker_cooldown": HOUR},
     lambda d: [d.bar(1000), d.bar(1050), d.later(MINUTE), d.bar(1101), d.watch()], BUY, (0, 0, 0)),
    ("slippage", {"slippage_multiple": 3 * RATE_SCALE, "slippage_expected_bps": PERCENT, "slippage_cooldown": HOUR},
     lambda d: filled(d, 1031), BUY, (n.SLIPPAGE, HOUR + 1, 1)),
    ("slippage at the limit",
     {"slippage_multiple": 3 * RATE_SCALE, "slippage_expected_bps": PERCENT, "slippage_cooldown": HOUR},
     lambda d: filled(d, 1030), BUY, (0, 0, 0)),
    ("a stop slips from its stop",
     {"slippage_multiple": 3 * RATE_SCALE, "slippage_expected_bps": PERCENT, "slippage_cooldown": HOUR},
     lambda d: filled(d, 1100, stop=1080), BUY, (0, 0, 0)),
    ("expected shortfall", {"cvar_percent": 4 * PERCENT}, lambda d: days(d, [1, -5, *[0] * 18]), BUY,
     (n.EXPECTED_SHORTFALL, 4 * PERCENT, 4_950_495)),
    ("too few days", {"cvar_percent": 4 * PERCENT}, lambda d: days(d, [1, -5, *[0] * 17]), BUY, (0, 0, 0)),
    ("index", {"vix_max": 30 * RATE_SCALE}, level(1, 30 * RATE_SCALE + 1), BUY,
     (n.VOLATILITY_INDEX, 30 * RATE_SCALE, 30 * RATE_SCALE + 1)),
    ("index at the limit", {"vix_max": 30 * RATE_SCALE}, level(1, 30 * RATE_SCALE), BUY, (0, 0, 0)),
    ("index not seen", {"vix_max": 7}, None, BUY, (n.VOLATILITY_INDEX, 7, MISSING)),
    ("index not seen, let pass", {"vix_max": 7, "pass_unknown": 1}, None, BUY, (0, 0, 0)),
    ("daily volume", {"average_daily_volume_min": 500_000}, level(2, 499_999), BUY,
     (n.DAILY_VOLUME, 500_000, 499_999)),
    ("daily volume enough", {"average_daily_volume_min": 500_000}, level(2, 500_000), BUY, (0, 0, 0)),
    ("daily volume not seen", {"average_daily_volume_min": 5}, None, BUY, (n.DAILY_VOLUME, 5, MISSING)),
    ("spread", {"spread_max_percent": PERCENT}, lambda d: quote(d, 990, 1001), BUY, (n.SPREAD, PERCENT, 1_104_972)),
    ("narrow", {"spread_max_percent": PERCENT}, lambda d: quote(d, 995, 1004), BUY, (0, 0, 0)),
    ("no quote", {"spread_max_percent": 5}, None, BUY, (n.SPREAD, 5, MISSING)),
    ("before earnings", {"earnings_blackout": 2 * DAY}, level(3, 2 * DAY), BUY, (n.EARNINGS, 2 * DAY, 2 * DAY - 1)),
    ("after earnings", {"earnings_blackout": 2 * DAY},
     lambda d: [level(3, 5)(d), level(3, 90 * DAY)(d), d.later(DAY)], BUY, (n.EARNINGS, 2 * DAY, DAY - 4)),
    ("far from earnings", {"earnings_blackout": 2 * DAY}, level(3, 2 * DAY + 2), BUY, (0, 0, 0)),
    ("no earnings", {"earnings_blackout": 2 * DAY}, None, BUY, (0, 0, 0)),
    ("near the close", {"close_before": 15 * MINUTE}, session(0, 15 * MINUTE), BUY,
     (n.SESSION_HOURS, 15 * MINUTE, 15 * MINUTE - 1)),
    ("in the session", {"close_before": 15 * MINUTE}, session(1, 15 * MINUTE + 1), BUY, (0, 0, 0)),
    ("before the session", {"close_before": 15 * MINUTE}, session(2, HOUR), BUY,
     (n.SESSION_HOURS, 15 * MINUTE, MISSING)),
    ("the close of the session before comes late", {"close_before": 15 * MINUTE},
     lambda d: [session(1, HOUR)(d), d.apply(c.SessionChanged(0, 0, 1, 1), 0)], BUY, (0, 0, 0)),
    ("it closes early", {"close_before": 15 * MINUTE},
     lambda d: [session(0, HOUR)(d), d.apply(c.SessionChanged(0, 0, 1, 1), 0)], BUY,
     (n.SESSION_HOURS, 15 * MINUTE, MISSING)),
    ("the first session seen opened before 1970", {"close_before": 15 * MINUTE, "pass_unknown": 1},
     lambda d: d.apply(c.SessionChanged(0, -HOUR, 1, 0), 0), BUY, (n.SESSION_HOURS, 15 * MINUTE, MISSING)),
    ("after the session", {"close_before": 15 * MINUTE}, session(0, 1), BUY, (n.SESSION_HOURS, 15 * MINUTE, MISSING)),
    ("no session seen", {"close_before": 7}, None, BUY, (n.SESSION_HOURS, 7, MISSING)),
    ("quiet", {"atr_min_percent": PERCENT}, lambda d: bars(d, 40, span=4), BUY, (n.RANGE_LOW, PERCENT, 792_274)),
    ("range not known", {"atr_min_percent": PERCENT}, lambda d: bars(d, 12, span=4), BUY,
     (n.RANGE_LOW, PERCENT, MISSING)),
    ("wild", {"atr_max_percent": PERCENT}, lambda d: bars(d, 40, span=6), BUY, (n.RANGE_HIGH, PERCENT, 1_188_410)),
    ("range not known, at most", {"atr_max_percent": 7}, None, BUY, (n.RANGE_HIGH, 7, MISSING)),
    ("range within", {"atr_min_percent": PERCENT // 2, "atr_max_percent": PERCENT}, lambda d: bars(d, 40, span=4),
     BUY, (0, 0, 0)),
    ("bands too narrow", {"band_width_min_percent": PERCENT}, lambda d: bars(d, 20, step=2), BUY,
     (n.WIDTH_LOW, PERCENT, 399_600)),
    ("bands too wide", {"band_width_max_percent": PERCENT}, lambda d: bars(d, 20, step=10), BUY,
     (n.WIDTH_HIGH, PERCENT, 1_990_050)),
    ("bands not known", {"band_width_max_percent": PERCENT}, lambda d: bars(d, 18, step=10), BUY,
     (n.WIDTH_HIGH, PERCENT, MISSING)),
    ("bands within", {"band_width_min_percent": PERCENT, "band_width_max_percent": 2 * PERCENT},
     lambda d: bars(d, 20, step=10), BUY, (0, 0, 0)),
    ("a third position", {"positions": 2}, lambda d: [d.hold(1, 1), d.hold(1, 2)], BUY, (n.POSITIONS, 2, 3)),
    ("more of a position", {"positions": 2}, lambda d: [d.hold(1, 0), d.hold(1, 2)], BUY, (0, 0, 0)),
    ("a second in the symbol", {"symbol_positions": 1}, lambda d: d.hold(1, strategy=1), BUY,
     (n.SYMBOL_POSITIONS, 1, 2)),
    ("symbol exposure", {"symbol_exposure": 14_999}, lambda d: d.hold(5, strategy=1), BUY,
     (n.SYMBOL_EXPOSURE, 14_999, 15_000)),
    ("at the symbol's limit", {"symbol_exposure": 15_000}, lambda d: d.hold(5, strategy=1), BUY, (0, 0, 0)),
    ("exposure on its way", {"symbol_exposure": 14_999}, lambda d: d.submit(1, 5, limit=900), BUY,
     (n.SYMBOL_EXPOSURE, 14_999, 15_000)),
    ("exposure at the limit price", {"symbol_exposure": 10_999}, None, {**BUY, "limit": 1100},
     (n.SYMBOL_EXPOSURE, 10_999, 11_000)),
    ("exposure at a new price", {"symbol_exposure": 29_999}, lambda d: [d.hold(5), d.bar(2000)], BUY,
     (n.SYMBOL_EXPOSURE, 29_999, 30_000)),
    ("short exposure", {"symbol_exposure": 14_999}, lambda d: d.hold(-5), {"side": -1, "lots": 10},
     (n.SYMBOL_EXPOSURE, 14_999, 15_000)),
    ("sector exposure", {"sector_exposure": 14_999}, sectors, BUY, (n.SECTOR_EXPOSURE, 14_999, 15_000)),
    ("at the sector's limit", {"sector_exposure": 15_000}, sectors, BUY, (0, 0, 0)),
    ("strategy exposure", {"strategy_exposure": 14_999}, lambda d: [d.hold(5, 1), d.hold(5, 2, 1)], BUY,
     (n.STRATEGY_EXPOSURE, 14_999, 15_000)),
    ("total exposure", {"total_exposure": 19_999}, lambda d: [d.hold(5, 1), d.hold(5, 2, 1)], BUY,
     (n.TOTAL_EXPOSURE, 19_999, 20_000)),
    ("symbol share", {"symbol_share_percent": PERCENT}, None, {"side": 1, "lots": 10_001},
     (n.SYMBOL_SHARE, PERCENT, 1_000_100)),
    ("no equity", {"symbol_share_percent": PERCENT}, lambda d: d.apply(c.CashDeposited(0, -CASH)), BUY,
     (n.SYMBOL_SHARE, PERCENT, OVERFLOW)),
    ("sector share", {"sector_share_percent": 1400}, sectors, BUY, (n.SECTOR_SHARE, 1400, 1500)),
    ("correlated share", {"correlated_share_percent": 1400, "correlation_at_least": 70 * PERCENT}, correlated, BUY,
     (n.CORRELATED_SHARE, 1400, 1500)),
    ("less correlated", {"correlated_share_percent": 1500, "correlation_at_least": 70 * PERCENT}, correlated, BUY,
     (0, 0, 0)),
    ("all correlated", {"correlated_share_percent": 2100, "correlation_at_least": 30 * PERCENT}, correlated, BUY,
     (n.CORRELATED_SHARE, 2100, 2200)),
    ("leverage", {"leverage": 2 * RATE_SCALE}, lambda d: d.hold(10**6, 1), {"side": 1, "lots": 10**6 + 1},
     (n.LEVERAGE, 2 * RATE_SCALE, 200_000_100)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rules", "before", "order", "verdict"), ROWS, ids=[row[0] for row in ROWS])
def test_check(name: str, rules: dict[str, int], before: Any, order: dict[str, Any], verdict: tuple[int, ...]) -> None:
    desk = RiskDesk(**rules)
    if before is not None:
        before(desk)
    assert desk.submit(**order) == verdict
    desk.check()


def test_a_key_is_used_once() -> None:
    desk = RiskDesk(orders_per_minute=99)
    desk.submit(1, 1, key=7)
    first = desk.last_order.order_id
    assert desk.submit(1, 2, key=7) == (n.DUPLICATE_KEY, 0, first)
    assert desk.submit(1, 2, key=7, strategy=1)[0] == 0
    assert desk.submit(1, 2, key=8)[0] == 0


def test_the_order_is_that_of_the_table() -> None:
    assert [check.name for check in n.ORDER_CHECKS.values()] == ORDER
    assert {check.rule for check in n.CHECKS.values()} - {0} <= set(RULES)


STOPPING: dict[str, Any] = {
    "halted": lambda d: d.apply(c.TradingHalted(1)),
    "degraded": lambda d: d.apply(c.DegradedSet(1)),
    "degraded symbol": lambda d: d.apply(c.DegradedSet(1), 0),
    "halted symbol": lambda d: d.apply(c.TradingHalted(1), 0),
    "liquidated": lambda d: d.apply(c.LiquidationStarted(1, 2)),
    "killed": killed(1),
    "killed, cancelled": killed(2),
    "reduce only": mode(1),
    "throttled": lambda d: d.rules(orders_per_minute=1),
    "enough of the symbol": lambda d: d.rules(orders_per_symbol_day=1),
    "stopped": lambda d: d.apply(c.EntriesStopped(n.DAILY_LOSS, DAY, 0, 0)),
    "symbol stopped": lambda d: d.apply(c.EntriesStopped(n.SLIPPAGE, DAY, 0, 0), 0),
    "gates": lambda d: d.rules(vix_max=1, average_daily_volume_min=1, spread_max_percent=1, close_before=1),
    "ranges": lambda d: d.rules(atr_min_percent=1, band_width_min_percent=1),
    "exposures": lambda d: d.rules(positions=1, symbol_exposure=1, total_exposure=1, strategy_exposure=1, leverage=1),
}


@pytest.mark.parametrize("what", STOPPING)
@pytest.mark.parametrize("held", [10, -10])
def test_what_reduces_passes_what_stops_entries(what: str, held: int) -> None:
    desk = RiskDesk(pass_unknown=1)
    desk.hold(held)
    desk.hold(1, instrument=1)
    desk.rules(pass_unknown=0)
    STOPPING[what](desk)
    side = -1 if held > 0 else 1
    # Eleven would turn the position; only exposures let that pass, as it becomes smaller.
    assert (desk.submit(side, 11)[0] == 0) == (what == "exposures")
    if what == "exposures":
        return
    assert desk.submit(side, 4)[0] == 0
    assert desk.submit(side, 7)[0] != 0, "with the four that are on their way it would turn the position"
    assert desk.submit(side, 7, reduce_only=True)[0] == 0, "held to the position by whoever fills it"
    assert desk.submit(side, 6)[0] == 0
    assert desk.submit(side, 1)[0] != 0
    assert desk.submit(-side, 1)[0] != 0


def test_validity_binds_what_reduces_too() -> None:
    desk = RiskDesk()
    desk.hold(10)
    assert desk.submit(-1, 5, time_in_force=9) == (n.INVALID_ORDER, 0, 5)
    desk.bar(0)
    assert desk.submit(-1, 5) == (n.NO_MARKET, 0, 0)


def test_at_level_three_a_strategy_may_not_even_reduce() -> None:
    desk = RiskDesk()
    desk.hold(10)
    killed(3)(desk)
    assert desk.submit(-1, 5) == (n.KILL_SWITCH, 0, 3)


# --- replace --------------------------------------------------------------------------------------------------------


def test_a_replace_counts_only_what_it_adds() -> None:
    desk = RiskDesk(symbol_exposure=10_000, positions=1, orders_per_minute=1, duplicate_window=DAY)
    desk.submit(1, 8, limit=900)
    desk.apply(c.OrderAccepted(desk.last_order.order_id))
    order = desk.last_order
    wish = {"limit": 900, "replaces": order}
    assert desk.submit(1, 11, **wish) == (n.SYMBOL_EXPOSURE, 10_000, 11_000)
    assert desk.submit(1, 10, **wish) == (0, 0, 0)


# --- kill switch ----------------------------------------------------------------------------------------------------


def test_the_kill_switch_is_latched_until_an_operator_gives_a_reason() -> None:
    desk = RiskDesk()
    killed(2)(desk)
    killed(1)(desk)
    assert int(desk.state.risk.kill_level) == 2, "the level only rises"
    desk.later(30 * DAY)
    desk.bar(1000)
    assert desk.submit(**BUY)[0] == n.KILL_SWITCH
    for event, body in ((c.KillSwitchReset(1), b""), (c.KillSwitchReset(2), REASON), (c.KillSwitchReset(0), REASON)):
        record = encode(Stored(int(desk.state.head.next_sequence), 1, 1, 0, -1, -1, 0, event, body))
        assert apply_nb(desk.state.copy(), record[0]) == MISMATCH
    desk.apply(c.KillSwitchReset(1), body=REASON)
    assert desk.submit(**BUY)[0] == 0


@pytest.mark.parametrize(
    ("event", "instrument", "status"),
    [
        (c.KillSwitchRequested(0, 1), -1, MISMATCH),
        (c.KillSwitchRequested(4, 1), -1, MISMATCH),
        (c.TradingModeSet(3), -1, MISMATCH),
        (c.TradingModeSet(-1), -1, MISMATCH),
        (c.RiskRuleSet(0, 1), -1, MISMATCH),
        (c.RiskRuleSet(64, 1), -1, MISMATCH),
        (c.RiskRuleSet(5, -1), -1, MISMATCH),
        (c.SectorAssigned(1), -1, BAD_INDEX),
        (c.SectorAssigned(1), 3, BAD_INDEX),
        (c.SectorAssigned(32), 0, BAD_INDEX),
        (c.CorrelationSet(0, 1), 0, BAD_INDEX),
        (c.CorrelationSet(3, 1), 0, BAD_INDEX),
        (c.EntriesStopped(1, 1, 1, 1), 3, BAD_INDEX),
        (c.VenuePositionReported(1), -1, BAD_INDEX),
    ],
)
def test_events_that_do_not_fit_are_refused(event: c.Event, instrument: int, status: int) -> None:
    desk = RiskDesk()
    record = encode(Stored(int(desk.state.head.next_sequence), 1, 1, 0, instrument, -1, 0, event))
    assert apply_nb(desk.state, record[0]) == status


def test_level_two_cancels_and_level_three_flattens() -> None:
    desk = RiskDesk()
    desk.hold(10)
    desk.hold(-3, instrument=1, strategy=1)
    desk.submit(1, 5, limit=900)
    order_id = desk.last_order.order_id
    desk.apply(c.OrderAccepted(order_id))
    killed(1)(desk)
    assert desk.watch() == []
    killed(2)(desk)
    assert desk.watch() == [c.CancelRequested(order_id)]
    assert desk.watch() == [], "asked once"
    killed(3)(desk)
    found = desk.watch()
    intended = [event for event in found if isinstance(event, c.OrderIntended)]
    assert [(one.side, one.quantity_lots, one.purpose, one.instructions) for one in intended] == [
        (-1, 10, 3, 2), (1, 3, 3, 2),
    ]  # fmt: skip
    assert all(one.check == 0 for one in found if isinstance(one, c.RiskChecked))
    assert desk.watch() == [], "on their way"
    desk.fill(next(order for order in desk.twin.kernel.orders if order.purpose == 3 and order.instrument == 0), 4)
    desk.apply(c.OrderRejected(next(o for o in desk.twin.kernel.orders if o.instrument == 1).order_id, 1), 1, 1)
    assert [one for one in desk.watch() if isinstance(one, c.OrderIntended)] == [], "not at once"
    desk.later(10**9)
    assert [one.quantity_lots for one in desk.watch() if isinstance(one, c.OrderIntended)] == [3], "tried again"


def test_work_is_bounded_and_goes_on_at_the_next_event() -> None:
    desk = RiskDesk(instruments=200, strategies=1)
    for instrument in range(200):
        desk.hold(1, instrument=instrument)
    for _ in range(50):
        desk.submit(1, 1, limit=900)
    killed(3)(desk)
    first = desk.watch()
    assert 300 <= len(first) <= 302
    for order in list(desk.twin.kernel.orders):
        if order.status == "cancel pending":
            desk.apply(c.OrderCanceled(order.order_id, order.leaves, 0), order.instrument, order.strategy)
        else:
            desk.fill(order)
    second = desk.watch()
    assert sum(isinstance(event, c.OrderIntended) for event in (*first, *second)) == 200


def test_daily_loss_and_drawdown_trip_it() -> None:
    desk = RiskDesk(daily_loss_kill_percent=10 * PERCENT, kill_level=2)
    desk.hold(10**6)
    desk.bar(900)
    assert desk.watch() == []
    desk.bar(899)
    assert desk.watch() == [c.KillSwitchTripped(2, n.DAILY_LOSS_KILL, 10 * PERCENT, 10_100_000)]
    desk = RiskDesk(drawdown_percent=10 * PERCENT)
    desk.hold(10**6)
    desk.bar(1200)
    desk.later(DAY)
    desk.bar(1081)
    assert desk.watch() == []
    desk.bar(1079)
    found = desk.watch()
    assert found[0] == c.KillSwitchTripped(3, n.DRAWDOWN, 10 * PERCENT, 10_083_333)
    assert isinstance(found[1], c.OrderIntended), "and it liquidates"
    desk.apply(c.KillSwitchReset(1), body=REASON)
    assert desk.watch() == [], "measured from the equity of the reset"


def test_money_that_is_paid_out_is_no_loss() -> None:
    desk = RiskDesk(drawdown_percent=PERCENT, daily_loss_percent=PERCENT)
    desk.apply(c.CashDeposited(0, -CASH // 2))
    desk.bar(1000)
    assert desk.watch() == []


def test_drift_from_the_venue_trips_it() -> None:
    desk = RiskDesk(drift_percent=5 * PERCENT, kill_level=2)
    desk.hold(10)
    desk.apply(c.VenuePositionReported(10), 0)
    assert desk.watch() == []
    desk.apply(c.VenuePositionReported(10 + 50_000), 0)
    assert desk.watch() == [], "at the limit"
    desk.apply(c.VenuePositionReported(-1), 1)
    assert desk.watch()[0] == c.KillSwitchTripped(2, n.DRIFT, 5 * PERCENT, 5_000_100)


def test_rules_may_come_later() -> None:
    """The totals are right from the first rule on, whatever is held by then."""
    desk = RiskDesk()
    desk.hold(10)
    desk.submit(1, 5, limit=900)
    desk.check()
    desk.rules(symbol_exposure=14_999)
    desk.check()
    assert desk.submit(1, 1)[0] == n.SYMBOL_EXPOSURE


def test_exposure_that_does_not_fit_is_refused_and_not_wrapped() -> None:
    desk = RiskDesk(symbol_exposure=2**50, total_exposure=2**50)
    assert desk.submit(1, 2**48, limit=2**20)[0] in (n.ORDER_NOTIONAL, n.SYMBOL_EXPOSURE)
    desk.hold(5)
    desk.check()
    assert desk.state.head.risk_on == 1
    assert OK == 0
