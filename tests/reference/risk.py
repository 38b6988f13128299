"""Naive exact twin of the risk checks and monitors: written from docs/risk.md, over the naive twin of the kernel.

Nothing is kept that can be derived: exposures are summed over all books, throttles counted over all orders that were
ever approved, windows cut from all bars that were ever seen. ``verdict`` says what the checks must answer, ``watch``
which events the monitors must write.
"""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from kernel.risk.numbers import CHECKS
from kernel.risk.rules import RULES
from tests.reference.kernel import Kernel, Order
from tests.reference.kernel.common import half_even
from tests.reference.kernel.ledger import Place

RATE = 10**8
BOUND, OVERFLOW, MISSING, MOST = 2**62, -(2**63), -1, 2**51
MINUTE, DAY = 60 * 10**9, 86_400 * 10**9
REMEMBERED, WINDOW, DAYS = 256, 20, 250
NUMBER = {check.name: number for number, check in CHECKS.items()}
ORDER = [
    "invalid_order", "halted", "degraded", "kill_switch", "mode", "venue_rules", "reduce_only", "no_market",
    "rate_unknown", "open_orders", "order_quantity", "order_notional", "price_band", "book_band",
    "fat_finger", "volume_multiple", "duplicate_key", "duplicate_order", "self_trade",
    "order_rate", "symbol_orders", "daily_loss", "consecutive_losses",
    "breaker", "slippage", "cvar", "vix", "average_daily_volume",
    "spread", "earnings", "session_hours", "atr_low", "atr_high",
    "band_width_low", "band_width_high", "positions", "symbol_positions", "symbol_exposure",
    "sector_exposure", "strategy_exposure", "total_exposure", "symbol_share", "sector_share",
    "correlated_share", "leverage", "position_notional", "buying_power",
]  # fmt: skip
WINDOW_RULES = (
    "atr_min_percent", "atr_max_percent", "band_width_min_percent", "band_width_max_percent", "volume_multiple",
)  # fmt: skip
Verdict = tuple[int, int, int]


def fraction(value: Fraction) -> int:
    """Rounded half to even; OVERFLOW when it does not fit."""
    rounded = half_even(value)
    return rounded if abs(rounded) < BOUND else OVERFLOW


def rate(part: int, whole: int) -> int:
    return fraction(Fraction(part * RATE, whole))


@dataclass
class Wish:
    """An order that is asked about; ``replaces`` is the order that it would become."""

    strategy: int
    instrument: int
    side: int
    lots: int
    order_type: int = 1
    time_in_force: int = 1
    limit: int = 0
    stop: int = 0
    key: int = 0
    signal_ns: int = 0
    reduce_only: bool = False
    purpose: int = 0
    replaces: Order | None = None


@dataclass
class Symbol:
    sector: int = 0
    drift: int = 0
    bars: list[tuple[int, int, int, int]] = field(default_factory=list)
    earnings: list[int] = field(default_factory=list)
    daily_volume: int | None = None
    session: tuple[int, int] | None = None
    stop: tuple[int, int] = (0, 0)
    slippage: int = 0
    reference: tuple[int, int] = (0, 0)


class Risk:
    """The twin. ``apply`` takes the same events as the kernel."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.rules: dict[str, int] = {}
        self.symbols: dict[int, Symbol] = {}
        self.correlations: dict[frozenset[int], int] = {}
        self.on = False
        self.mode = self.level = self.cause = 0
        self.stop = (0, 0)
        self.streak = 0
        self.index: int | None = None
        self.approved: list[dict[str, int]] = []
        self.day: int | None = None
        self.day_equity = self.peak = 0
        self.returns: list[int] = []

    def rule(self, name: str) -> int:
        return self.rules.get(name, 0)

    def symbol(self, instrument: int) -> Symbol:
        return self.symbols.setdefault(instrument, Symbol())

    # --- what follows from the books ---

    @property
    def equity(self) -> int:
        cash, value, _ = self.kernel.totals(0)
        return cash + value

    def account_of(self, order: Any) -> int:
        return self.kernel.books[order.strategy, order.instrument, 1].account

    def money(self, instrument: int, price: int, lots: int) -> int:
        """Unsigned, in the currency of the first account; what does not fit, or has no rate, counts as MOST."""
        paper = self.kernel.papers[instrument]
        exact = fraction(Fraction(price * lots * paper.numerator, paper.denominator))
        return min(abs(self.in_first(instrument, exact)), MOST)

    def in_first(self, instrument: int, money: int) -> int:
        """Money of an instrument in the currency of the first account, the only one here; OVERFLOW without a rate."""
        known = self.kernel.rate((0, self.kernel.papers[instrument].currency))
        if money in (0, OVERFLOW):
            return money
        return OVERFLOW if known is None else fraction(money * known)

    def sides(self, place: Place) -> tuple[int, int]:
        held = self.kernel.books[place].lots
        strategy, instrument, leg = place
        buys, sells = (self.kernel.pending(strategy, instrument, side, leg) for side in (1, -1))
        return held + buys, held - sells

    def pending(self, strategy: int, instrument: int, side: int) -> int:
        return self.kernel.pending(strategy, instrument, side, 1)

    def exposure(self, place: Place) -> int:
        lots = max(map(abs, self.sides(place)))
        return self.money(place[1], self.kernel.papers[place[1]].last, lots) if lots else 0

    def total(self, chosen: Any = lambda strategy, instrument: True) -> int:
        return sum(self.exposure(place) for place in self.kernel.books if chosen(*place[:2]))

    def count(self, chosen: Any = lambda strategy, instrument: True) -> int:
        return sum(self.sides(place) != (0, 0) for place in self.kernel.books if chosen(*place[:2]))

    def reduces(self, strategy: int, instrument: int, side: int, pending: int, forced: bool) -> bool:
        held = self.kernel.books[strategy, instrument, 1].lots
        return forced or (held * side < 0 and pending <= abs(held))

    # --- events ---

    def apply(self, stored: Stored) -> None:
        event = stored.event
        market = stored.type.market
        if market and self.on and stored.ts_ingest_ns // DAY != self.day:
            self.roll(stored.ts_ingest_ns)
        if self.on and isinstance(event, c.RiskChecked) and event.check == 0:
            self.approve(event, stored)
        if self.on and isinstance(event, c.OrderFilled):
            self.slip(event)
        self.kernel.apply(stored)
        handler = getattr(self, "on_" + type(event).__name__, None)
        if handler is not None:
            handler(event, stored)
        if market and self.on:
            self.peak = max(self.peak, self.equity)
            self.move(stored)

    def roll(self, ts_ns: int) -> None:
        equity = self.equity
        if self.day is not None and self.day_equity > 0:
            self.returns.append(rate(equity - self.day_equity, self.day_equity))
        self.day = ts_ns // DAY
        self.day_equity = equity
        self.peak = max(self.peak, equity)

    def approve(self, event: c.RiskChecked, stored: Stored) -> None:
        order = self.kernel.order(event.order_id)
        pending = self.pending(order.strategy, order.instrument, order.side)
        forced = order.instructions & 6 != 0
        entry = not self.reduces(order.strategy, order.instrument, order.side, pending, forced)
        self.approved.append(
            {
                **vars(order),
                "ts": stored.ts_ingest_ns,
                "entry": entry,
                "day": -1 if self.day is None else self.day,
            }
        )

    def slip(self, event: c.OrderFilled) -> None:
        order = self.kernel.order(event.order_id)
        if not self.rule("slippage_multiple") or order.limit_ticks or order.arrival_ticks <= 0:
            return
        best = (max if order.side > 0 else min)(order.arrival_ticks, order.stop_ticks or order.arrival_ticks)
        worse = rate(order.side * (event.price_ticks - best), best)
        symbol = self.symbol(order.instrument)
        if worse > self.slippage_limit():
            symbol.slippage = max(symbol.slippage, worse)

    def slippage_limit(self) -> int:
        return fraction(Fraction(self.rule("slippage_expected_bps") * self.rule("slippage_multiple"), RATE))

    def move(self, stored: Stored) -> None:
        """The reference of the circuit breaker."""
        symbol, last = self.symbol(stored.instrument), self.kernel.papers[stored.instrument].last
        ticks, since = symbol.reference
        if self.rule("breaker_move_percent") and (
            ticks <= 0 or stored.ts_ingest_ns - since >= self.rule("breaker_window")
        ):
            symbol.reference = last, stored.ts_ingest_ns

    def switch_on(self) -> None:
        if not self.on:
            self.on = True
            self.day_equity = self.peak = self.equity

    def on_CashDeposited(self, event: c.CashDeposited, stored: Stored) -> None:  # noqa: N802
        if self.on:
            self.day_equity += event.amount_minor
            self.peak += event.amount_minor

    def on_TradeClosed(self, event: c.TradeClosed, stored: Stored) -> None:  # noqa: N802
        if self.on:
            self.streak = self.streak + 1 if event.realised_minor < event.fees_minor else 0

    def on_BarClosed(self, event: c.BarClosed, stored: Stored) -> None:  # noqa: N802
        bar = event.high_ticks, event.low_ticks, event.close_ticks, event.volume_lots
        if any(self.rule(name) for name in WINDOW_RULES):
            self.symbol(stored.instrument).bars.append(bar)

    def on_LevelSet(self, event: c.LevelSet, stored: Stored) -> None:  # noqa: N802
        symbol = self.symbol(stored.instrument)
        if event.level == 1:
            self.index = event.value
        elif event.level == 2:
            symbol.daily_volume = event.value
        elif event.level == 3 and symbol.earnings[-1:] != [event.value]:
            symbol.earnings.append(event.value)

    def on_SessionChanged(self, event: c.SessionChanged, stored: Stored) -> None:  # noqa: N802
        symbol = self.symbol(stored.instrument)  # the close of an earlier session says nothing new
        if symbol.session is None or event.open_ns >= symbol.session[0]:
            symbol.session = event.open_ns, event.close_ns

    def on_RiskRuleSet(self, event: c.RiskRuleSet, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        self.rules[RULES[event.rule].name] = event.value

    def on_SectorAssigned(self, event: c.SectorAssigned, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        self.symbol(stored.instrument).sector = event.sector

    def on_CorrelationSet(self, event: c.CorrelationSet, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        self.correlations[frozenset((stored.instrument, event.other))] = event.rate

    def on_TradingModeSet(self, event: c.TradingModeSet, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        self.mode = event.mode

    def on_KillSwitchRequested(self, event: Any, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        if event.level > self.level:
            self.level, self.cause = event.level, stored.sequence

    on_KillSwitchTripped = on_KillSwitchRequested  # noqa: N815

    def on_KillSwitchReset(self, event: c.KillSwitchReset, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        self.level = self.cause = self.streak = 0
        self.stop = (0, 0)
        self.day_equity = self.peak = self.equity

    def on_EntriesStopped(self, event: c.EntriesStopped, stored: Stored) -> None:  # noqa: N802
        if stored.instrument < 0:
            self.streak = 0
            if event.until_ns >= self.stop[0]:
                self.stop = event.until_ns, event.check
            return
        symbol = self.symbol(stored.instrument)
        symbol.slippage = 0
        symbol.reference = self.kernel.papers[stored.instrument].last, stored.ts_ingest_ns
        if event.until_ns >= symbol.stop[0]:
            symbol.stop = event.until_ns, event.check

    def on_VenuePositionReported(self, event: c.VenuePositionReported, stored: Stored) -> None:  # noqa: N802
        self.switch_on()
        at = stored.instrument
        lots = sum(book.lots for (_, instrument, _), book in self.kernel.books.items() if instrument == at)
        self.symbol(at).drift = self.money(at, self.kernel.papers[at].last, event.quantity_lots - lots)

    # --- the checks ---

    def verdict(self, wish: Wish) -> Verdict:
        """What the checks answer; the order that is asked about is not among the open ones."""
        if wish.replaces is not None and wish.replaces.purpose:
            return NUMBER["kernel_order"], 0, wish.replaces.purpose
        age, oldest = self.kernel.now_ns - wish.signal_ns, self.rule("stale_after")
        if wish.signal_ns and wish.replaces is None and 0 < oldest < age:
            return NUMBER["stale"], oldest, age
        reducible = max(-wish.side * self.kernel.books[wish.strategy, wish.instrument, 1].lots, 0)
        if wish.reduce_only and reducible:
            wish = replace(wish, lots=min(wish.lots, reducible))
        if wish.lots <= 0:
            return NUMBER["invalid_order"], wish.replaces.filled_lots if wish.replaces else 0, wish.lots
        asked = Question(self, wish)
        for name in ORDER:
            found = getattr(asked, name)()
            if found is not None:
                limit, value, *other = found
                return other[0] if other else NUMBER[name], limit, value
        return 0, 0, 0

    # --- the monitors ---

    def watch(self, instrument: int) -> list[c.Event]:
        """The stops and trips that must follow now; what they cause is for ``kill``."""
        now, out, level, stopped = self.kernel.now_ns, [], self.level, self.stop[0]
        equity, kill_level = self.equity, self.rule("kill_level")
        fall = self.loss(self.peak - equity, self.peak)
        loss = self.loss(self.day_equity - equity, self.day_equity)
        drift = self.loss(sum(symbol.drift for symbol in self.symbols.values()), max(equity, 1))
        for name, value, to in (
            ("drawdown_percent", fall, 3),
            ("daily_loss_kill_percent", loss, kill_level),
            ("drift_percent", drift, kill_level),
        ):
            limit = self.rule(name)
            if limit and value > limit and level < to:
                level = to
                out.append(c.KillSwitchTripped(to, NUMBER[name.removesuffix("_percent")], limit, value))
        limit = self.rule("daily_loss_percent")
        day_end = 0 if self.day is None else (self.day + 1) * DAY
        streak = self.streak
        if limit and loss > limit and stopped < day_end:
            out.append(c.EntriesStopped(NUMBER["daily_loss"], day_end, limit, loss))
            streak = 0
        limit = self.rule("consecutive_losses")
        if limit and streak >= limit:
            until = now + self.rule("losses_cooldown")
            out.append(c.EntriesStopped(NUMBER["consecutive_losses"], until, limit, streak))
        return out + self.watch_symbol(instrument, now)

    def loss(self, part: int, whole: int) -> int:
        if part <= 0 or whole <= 0:
            return 0
        found = rate(part, whole)
        return MOST if found == OVERFLOW else found

    def watch_symbol(self, instrument: int, now: int) -> list[c.Event]:
        symbol, last, out = self.symbol(instrument), self.kernel.papers[instrument].last, []
        reference = symbol.reference[0]
        if symbol.slippage:
            until = now + self.rule("slippage_cooldown")
            out.append(c.EntriesStopped(NUMBER["slippage"], until, self.slippage_limit(), symbol.slippage))
            reference = last
        limit = self.rule("breaker_move_percent")
        if limit and reference > 0:
            moved = self.loss(abs(last - reference), reference)
            if moved > limit:
                until = now + self.rule("breaker_cooldown")
                out.append(c.EntriesStopped(NUMBER["breaker"], until, limit, moved))
        return out

    def cancels(self) -> list[int]:
        """The orders whose cancel must be asked for, youngest first."""
        able = ("submitted", "working", "partly filled", "replace pending")
        spared = 2 if self.level >= 3 else 1
        found = [order.order_id for order in self.kernel.orders if order.status in able and order.purpose < spared]
        return found[::-1] if self.level >= 2 else []

    def flattens(self) -> list[tuple[int, int, int]]:
        """``(instrument, strategy, lots)`` of the orders that must flatten."""
        if self.level < 3:
            return []
        busy = {(order.strategy, order.instrument) for order in self.kernel.orders if order.purpose >= 2}
        return sorted(
            (instrument, strategy, -book.lots)
            for (strategy, instrument, _), book in self.kernel.books.items()
            if book.lots and (strategy, instrument) not in busy and self.kernel.papers[instrument].last > 0
            if self.kernel.now_ns >= self.kernel.retry_ns[instrument]
        )


class Question:
    """One method for each check: None lets pass, else ``(limit, value)``."""

    def __init__(self, risk: Risk, wish: Wish) -> None:
        self.risk, self.wish, self.kernel = risk, wish, risk.kernel
        self.limits, self.rule = risk.kernel.limits, risk.rule
        self.place = wish.strategy, wish.instrument
        self.paper = self.kernel.papers[wish.instrument]
        self.symbol = risk.symbol(wish.instrument)
        self.now = self.kernel.now_ns
        pending = risk.pending(*self.place, wish.side)
        if wish.replaces is not None and not wish.reduce_only:
            pending -= wish.replaces.leaves
        self.others = pending
        self.reduces = risk.reduces(*self.place, wish.side, pending + wish.lots, wish.reduce_only)
        self.is_exit = self.reduces and wish.purpose != 0
        self.price = max(self.paper.last, wish.limit, wish.stop)
        self.ratio = Fraction(self.paper.numerator, self.paper.denominator)

    def over(self, limit: int, value: int) -> tuple[int, int] | None:
        return (limit, value) if limit and (value > limit or value == OVERFLOW) else None

    def unknown(self, limit: int) -> tuple[int, int] | None:
        return None if self.rule("pass_unknown") else (limit, MISSING)

    def invalid_order(self) -> Any:
        w = self.wish
        needs = {1: (False, False), 2: (True, False), 3: (False, True), 4: (True, True)}.get(w.order_type)
        good = w.side in (1, -1) and w.time_in_force in (1, 2, 3, 4) and 0 < w.lots <= 2**54
        return None if good and min(w.limit, w.stop) >= 0 and (w.limit > 0, w.stop > 0) == needs else (0, w.lots)

    def halted(self) -> Any:
        liquidating = bool(self.kernel.liquidating)  # the desk has one account
        return (0, 1) if not self.reduces and (self.kernel.halted or self.paper.halted or liquidating) else None

    def degraded(self) -> Any:
        reasons = self.kernel.degraded[-1] | self.kernel.degraded[self.wish.instrument]
        stopped = not self.reduces or (reasons & 64 and self.wish.purpose == 0)
        return (0, reasons) if reasons and stopped else None

    def venue_rules(self) -> Any:
        """Least and most lots, and the least money of what does not reduce."""
        _, _, least, most, most_at_market, least_money, _ = self.kernel.rules.get(self.wish.instrument, (0,) * 7)
        lots, price = self.wish.lots, self.wish.limit or self.paper.last
        if lots < least:
            return least, lots
        most = most_at_market if self.wish.order_type == 1 and most_at_market else most
        if most and lots > most:
            return most, lots
        money = abs(fraction(Fraction(price * lots) * self.ratio))
        return (least_money, money) if not self.reduces and price > 0 and money < least_money else None

    def kill_switch(self) -> Any:
        level = self.risk.level
        ends = self.reduces and self.wish.purpose >= 2
        return (0, level) if (level and not self.reduces) or (level == 3 and not ends) else None

    def mode(self) -> Any:
        mode = self.risk.mode
        return (0, mode) if (mode and not self.reduces) or (mode == 2 and not self.is_exit) else None

    def reduce_only(self) -> Any:
        held = self.kernel.books[*self.place, 1].lots
        return (0, self.wish.lots) if self.wish.reduce_only and held * self.wish.side >= 0 else None

    def no_market(self) -> Any:
        return (0, self.paper.last) if self.paper.last <= 0 else None

    def rate_unknown(self) -> Any:
        unknown = self.kernel.rate((0, self.paper.currency)) is None
        return (0, self.paper.currency) if unknown and not self.reduces else None

    def open_orders(self) -> Any:
        count = len(self.kernel.orders) + (self.wish.replaces is None)
        return None if self.is_exit else self.over(self.limits.open_orders, count)

    def order_quantity(self) -> Any:
        return None if self.is_exit else self.over(self.limits.order_lots, self.wish.lots)

    def notional(self) -> int:
        return fraction(self.price * self.wish.lots * self.ratio)

    def order_notional(self) -> Any:
        limit, money = self.limits.order_notional_minor, self.notional()
        money = self.risk.in_first(self.wish.instrument, money) if limit else money
        return (limit, money) if not self.is_exit and (money == OVERFLOW or 0 < limit < money) else None

    def price_band(self) -> Any:
        away = max(
            abs(price - self.paper.last) for price in (self.wish.limit, self.wish.stop, self.paper.last) if price
        )
        return None if self.is_exit else self.over(self.limits.price_band_rate, rate(away, self.paper.last))

    def book_band(self) -> Any:
        other = self.paper.ask if self.wish.side > 0 else self.paper.bid
        if self.is_exit or not self.wish.limit or other <= 0:
            return None
        return self.over(self.rule("book_band_bps"), rate(max(self.wish.side * (self.wish.limit - other), 0), other))

    def fat_finger(self) -> Any:
        lots = [order["quantity_lots"] for order in self.risk.approved if order["instrument"] == self.wish.instrument]
        multiple = self.rule("fat_finger_multiple")
        if self.is_exit or not multiple or len(lots) < 4:
            return None
        limit = fraction(Fraction(half_even(Fraction(sum(lots), len(lots))) * multiple, RATE))
        return (limit, self.wish.lots) if self.wish.lots > limit else None

    def volume_multiple(self) -> Any:
        volumes = [bar[3] for bar in self.symbol.bars[-WINDOW:]]
        multiple = self.rule("volume_multiple")
        if self.is_exit or not multiple or len(volumes) < WINDOW or min(volumes) < 0:
            return None
        limit = fraction(Fraction(sum(volumes) * multiple, WINDOW * RATE))
        return (limit, self.wish.lots) if self.wish.lots > limit else None

    def duplicates(self) -> tuple[Any, Any]:
        """The verdicts by key and by content; the youngest of the last orders that is like this one decides."""
        if self.is_exit or self.wish.replaces is not None or not self.risk.on:
            return None, None
        window, wish = self.rule("duplicate_window"), self.wish
        for past in reversed(self.risk.approved[-REMEMBERED:]):
            if past["strategy"] != wish.strategy:
                continue
            if wish.key and past["key"] == wish.key:
                return (0, past["order_id"]), None
            names = ("instrument", "side", "quantity_lots", "limit_ticks", "stop_ticks")
            same = [past[name] for name in names] == [wish.instrument, wish.side, wish.lots, wish.limit, wish.stop]
            if same and self.now - past["ts"] < window:
                return None, (window, self.now - past["ts"])
        return None, None

    def duplicate_key(self) -> Any:
        return self.duplicates()[0]

    def duplicate_order(self) -> Any:
        return self.duplicates()[1]

    def self_trade(self) -> Any:
        wish = self.wish
        if self.is_exit or not self.rule("refuse_self_trade") or wish.order_type not in (1, 2):
            return None
        quoted = self.paper.ask if wish.side > 0 else self.paper.bid
        price = wish.limit or (quoted if quoted > 0 else self.paper.last)
        for order in self.kernel.orders:
            meets = order.instrument == wish.instrument and order.side == -wish.side and order.order_type == 2
            meets = meets and self.risk.account_of(order) == self.risk.account_of(wish)
            if meets and wish.side * (price - order.limit_ticks) >= 0:
                return 0, order.order_id
        return None

    def order_rate(self) -> Any:
        if self.reduces or self.wish.replaces is not None:
            return None
        recent = [p for p in self.risk.approved[-REMEMBERED:] if p["entry"] and self.now - p["ts"] < MINUTE]
        return self.over(self.rule("orders_per_minute"), len(recent) + 1)

    def symbol_orders(self) -> Any:
        if self.reduces or self.wish.replaces is not None:
            return None
        day = -1 if self.risk.day is None else self.risk.day
        past = [p for p in self.risk.approved if p["instrument"] == self.wish.instrument and p["entry"]]
        return self.over(self.rule("orders_per_symbol_day"), len([p for p in past if p["day"] == day]) + 1)

    def daily_loss(self) -> Any:
        """All stops of entries: each bears the number of the check that stopped them."""
        for until, check in (self.risk.stop, self.symbol.stop):
            if self.now < until and not self.reduces:
                return until, self.now, check
        return None

    def consecutive_losses(self) -> Any:
        return None

    breaker = slippage = consecutive_losses

    def cvar(self) -> Any:
        returns = sorted(self.risk.returns[-DAYS:])
        if self.reduces or len(returns) < 20:
            return None
        worst = returns[: math.ceil(len(returns) / 20)]
        return self.over(self.rule("cvar_percent"), -half_even(Fraction(sum(worst), len(worst))))

    def vix(self) -> Any:
        limit = self.rule("vix_max")
        if self.reduces or not limit:
            return None
        return self.unknown(limit) if self.risk.index is None else self.over(limit, self.risk.index)

    def average_daily_volume(self) -> Any:
        limit, seen = self.rule("average_daily_volume_min"), self.symbol.daily_volume
        if self.reduces or not limit:
            return None
        if seen is None:
            return self.unknown(limit)
        return (limit, seen) if seen < limit else None

    def spread(self) -> Any:
        limit, bid, ask = self.rule("spread_max_percent"), self.paper.bid, self.paper.ask
        if self.reduces or not limit:
            return None
        if bid <= 0 or ask <= 0:
            return self.unknown(limit)
        return self.over(limit, fraction(Fraction((ask - bid) * 2 * RATE, bid + ask)))

    def earnings(self) -> Any:
        window = self.rule("earnings_blackout")
        dates = self.symbol.earnings[-2:]
        if self.reduces or not window or not dates:
            return None
        nearest = min(abs(self.now - date) for date in dates)
        return (window, nearest) if nearest <= window else None

    def session_hours(self) -> Any:
        before = self.rule("close_before")
        if self.reduces or not before:
            return None
        if self.symbol.session is None:
            return self.unknown(before)
        opens, closes = self.symbol.session
        if not opens <= self.now < closes:
            return before, MISSING
        return (before, closes - self.now) if closes - self.now < before else None

    def range_rate(self) -> int | None:
        """Wilder's average true range of 14 bars, rounded to 1e-8 ticks at each bar."""
        bars = self.symbol.bars
        average = 0
        for at, (high, low, _, _) in enumerate(bars):
            close = bars[at - 1][2] if at else None
            span = high - low if close is None else max(high - low, abs(high - close), abs(low - close))
            span = min(span, 2**35)
            average += half_even(Fraction(span * RATE - average, min(at + 1, 14)))
        return half_even(Fraction(average, self.paper.last)) if len(bars) >= 14 else None

    def bounds(self, low: str, high: str, seen: int | None, is_low: bool) -> Any:
        least, most = self.rule(low), self.rule(high)
        if self.reduces or not (least or most):
            return None
        if seen is None:
            return self.unknown(max(least, most)) if is_low == bool(least) else None
        if is_low:
            return (least, seen) if seen < least else None
        return self.over(most, seen)

    def atr_low(self) -> Any:
        return self.bounds("atr_min_percent", "atr_max_percent", self.range_rate(), True)

    def atr_high(self) -> Any:
        return self.bounds("atr_min_percent", "atr_max_percent", self.range_rate(), False)

    def width_rate(self) -> int | None:
        """In floats, as stated: the mean, then the squares in the order of the kernel's ring."""
        bars = self.symbol.bars
        if len(bars) < WINDOW:
            return None
        closes = [0] * WINDOW
        for at in range(len(bars) - WINDOW, len(bars)):
            closes[at % WINDOW] = bars[at][2]
        if min(closes) <= 0 or max(closes) >= 2**52:
            return None
        mean = float(sum(closes)) / WINDOW
        squares = 0.0
        for close in closes:
            squares += (close - mean) * (close - mean)
        return round(4.0 * math.sqrt(squares / WINDOW) / mean * RATE)

    def band_width_low(self) -> Any:
        return self.bounds("band_width_min_percent", "band_width_max_percent", self.width_rate(), True)

    def band_width_high(self) -> Any:
        return self.bounds("band_width_min_percent", "band_width_max_percent", self.width_rate(), False)

    # --- exposures ---

    def lots(self, own: int) -> int:
        held, side = self.kernel.books[*self.place, 1].lots, self.wish.side
        other = held - side * self.risk.pending(*self.place, -side)
        return max(abs(held + side * (self.others + own)), abs(other))

    @property
    def grows(self) -> bool:
        return not self.reduces and self.lots(self.wish.lots) > self.lots(0)

    def exposed(self, chosen: Any = lambda strategy, instrument: True) -> int:
        """Money of the chosen books, this one with the order."""
        other = self.risk.total(lambda *place: chosen(*place) and place != self.place)
        return other + self.risk.money(self.wish.instrument, self.price, self.lots(self.wish.lots))

    def counted(self, limit: str, chosen: Any) -> Any:
        if not self.grows or self.lots(0):
            return None
        others = self.risk.count(lambda *place: chosen(*place) and place != self.place)
        return self.over(self.rule(limit), others + 1)

    def positions(self) -> Any:
        return self.counted("positions", lambda s, i: True)

    def symbol_positions(self) -> Any:
        return self.counted("symbol_positions", lambda s, i: i == self.wish.instrument)

    def in_sector(self, strategy: int, instrument: int) -> bool:
        return self.risk.symbol(instrument).sector == self.symbol.sector

    def symbol_exposure(self) -> Any:
        limit = self.rule("symbol_exposure")
        return self.over(limit, self.exposed(lambda s, i: i == self.wish.instrument)) if self.grows else None

    def sector_exposure(self) -> Any:
        if not self.grows or not self.symbol.sector:
            return None
        return self.over(self.rule("sector_exposure"), self.exposed(self.in_sector))

    def strategy_exposure(self) -> Any:
        limit = self.rule("strategy_exposure")
        return self.over(limit, self.exposed(lambda s, i: s == self.wish.strategy)) if self.grows else None

    def total_exposure(self) -> Any:
        return self.over(self.rule("total_exposure"), self.exposed()) if self.grows else None

    def share(self, limit: str, money: int) -> Any:
        equity = self.risk.equity
        return self.over(self.rule(limit), rate(money, equity) if equity > 0 else OVERFLOW)

    def symbol_share(self) -> Any:
        mine = self.exposed(lambda s, i: i == self.wish.instrument) if self.grows else 0
        return self.share("symbol_share_percent", mine) if self.grows else None

    def sector_share(self) -> Any:
        if not self.grows or not self.symbol.sector:
            return None
        return self.share("sector_share_percent", self.exposed(self.in_sector))

    def correlated_share(self) -> Any:
        if not self.grows:
            return None
        least = self.rule("correlation_at_least")
        alike = {
            other
            for pair, found in self.risk.correlations.items()
            if self.wish.instrument in pair and found >= least
            for other in pair
        } | {self.wish.instrument}
        return self.share("correlated_share_percent", self.exposed(lambda s, i: i in alike))

    def leverage(self) -> Any:
        return self.share("leverage", self.exposed()) if self.grows else None

    # --- what every run has ---

    def after(self) -> int:
        return self.kernel.books[*self.place, 1].lots + self.wish.side * (self.others + self.wish.lots)

    @property
    def enlarges(self) -> bool:
        after, held = self.after(), self.kernel.books[*self.place, 1].lots
        return not self.is_exit and not self.wish.reduce_only and abs(after) > abs(held)

    def position_notional(self) -> Any:
        money = fraction(self.price * abs(self.after()) * self.ratio)
        limit = self.limits.position_notional_minor
        return self.over(limit, self.risk.in_first(self.wish.instrument, money)) if self.enlarges else None

    def buying_power(self) -> Any:
        """Margin for the worse side of each book, and what the order costs; no instrument has a margin of its own."""
        if not self.enlarges or not self.limits.margin_rate:
            return None
        money, equity = [self.worst(place) for place in self.kernel.books], self.risk.equity
        gross = OVERFLOW if OVERFLOW in money or sum(money) >= BOUND else sum(money)
        required = gross if gross == OVERFLOW else fraction(Fraction(gross * self.limits.margin_rate, RATE))
        costs = fraction(Fraction(self.notional() * self.limits.cost_buffer_rate, RATE))
        costs = self.risk.in_first(self.wish.instrument, costs)
        if OVERFLOW in (required, costs):
            return equity, OVERFLOW
        return (equity, required + costs) if required + costs > equity else None

    def worst(self, place: Place) -> int:
        """Money of a book's worse side; that of the order counts with it, at its price."""
        mine, instrument = place == (*self.place, 1), place[1]
        paper = self.kernel.papers[instrument]
        lots = self.lots(self.wish.lots) if mine else max(map(abs, self.risk.sides(place)))
        exact = Fraction((self.price if mine else paper.last) * lots * paper.numerator, paper.denominator)
        return self.risk.in_first(instrument, fraction(exact))
