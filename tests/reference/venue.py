"""A naive venue, written from ``docs/fills.md``: one instrument, orders sent after a bar that closed at 100, then bars.

Prices are seen from the order's side: for a sale every price is negated, so that "low" is always what a limit waits
for. Slippage, fees, groups and requests are left to the tables; here it is the rules for every type of order, for the
profiles that see a bar as a range and for those that walk it as ticks.
"""

from dataclasses import dataclass
from fractions import Fraction

PLENTY = 1 << 62
MARKETS = ("market", "stop", "market-if-touched", "trailing stop")
TOUCHES = ("market-if-touched", "limit-if-touched")
TRAILING = ("trailing stop", "trailing stop-limit")


@dataclass
class Order:
    """One order as the venue sees it."""

    number: int
    side: int
    kind: str
    force: str
    lots: int
    limit: int = 0
    stop: int = 0
    trail: int = 0
    offset: int = 0
    triggered: bool = False
    met: bool = False
    done: bool = False

    @property
    def first(self) -> bool:
        """Whether a bar meets it before limit and touch orders (not under ``next_open``)."""
        return self.kind not in ("limit", *TOUCHES)

    def follow(self, price: int) -> None:
        """The stop follows a price, in the order's favour only; the limit follows the stop."""
        if self.kind in TRAILING and not self.triggered:
            moved = price + self.side * self.trail
            if moved > 0:
                better = min if self.side > 0 else max
                self.stop = moved if self.stop == 0 else better(self.stop, moved)
            if self.kind == "trailing stop-limit":
                self.limit = max(self.stop + self.side * self.offset, 1)


class Venue:
    """The reports so far, as the tables write them."""

    def __init__(self, profile: str, share: Fraction, orders: list[Order]) -> None:
        self.profile, self.share, self.orders = profile, share, orders
        self.row, self.said = 0, []
        self.standing = (100, 1_000_000 - 3 * 250_000)
        self.is_bar = True

    def say(self, order: Order, what: str) -> None:
        named = f"#{order.number} " if len(self.orders) > 1 else ""
        self.said.append(f"{self.row}: {named}{what}")

    def fill(self, order: Order, price: int, lots: int, how: str, *, at_open: bool = False) -> None:
        order.lots -= lots
        order.done = order.lots == 0
        self.say(order, f"{lots} at {abs(price)} {how}{' open' if at_open and self.is_bar else ''}")

    def cancel(self, order: Order, why: str) -> None:
        order.done = True
        self.say(order, f"{order.lots} cancelled ({why})")

    @property
    def open(self) -> list[Order]:
        return [order for order in self.orders if not order.done]

    def outcome(self) -> str:
        return "; ".join(self.said) or "rests"


class RangeVenue(Venue):
    """``pessimistic``, ``next_open``, and ``intrabar`` on its finer rows."""

    def arrive(self) -> None:
        for order in self.orders:
            order.follow(100)

    def trade(self, price: int, lots: int) -> None:
        """One price, which meets all in the order of their arrival."""
        self.row, self.is_bar = self.row + 1, False
        left = PLENTY if self.profile == "next_open" else round(lots * self.share)
        for order in self.open:
            before = order.lots
            self.meet(order, price, price, price, left)
            left -= before - order.lots

    def bar(self, open_: int, high: int, low: int, close: int, volume: int) -> None:
        self.row, self.is_bar = self.row + 1, True
        left = round(volume * self.share) if self.profile == "pessimistic" else PLENTY
        by_arrival = self.profile == "next_open"
        for turn in (True, False):
            for order in [order for order in self.open if (by_arrival or order.first) == turn]:
                before = order.lots
                self.meet(order, open_, high, low, left)
                left -= before - order.lots

    def meet(self, order: Order, open_: int, high: int, low: int, left: int) -> None:
        side = order.side
        at_once = order.force in ("IOC", "FOK")
        order.follow(open_)
        seen_open = side * open_
        best, worst = (side * low, side * high) if side > 0 else (side * high, side * low)
        if at_once:
            best = worst = seen_open
        rested = order.met and order.triggered
        crosses = not order.met and seen_open <= side * order.limit
        price, at_open = self.price(order, seen_open, best, worst)
        makes = not at_once and ((order.kind == "limit" and not crosses) or rested)
        order.met = True
        lots = min(order.lots, left) if price is not None else 0
        if order.force == "FOK" and lots < order.lots:
            return self.cancel(order, "FOK")
        if lots > 0:
            self.fill(order, price, lots, "maker" if makes else "taker", at_open=at_open)
        else:
            order.follow(low if side > 0 else high)
        if at_once and not order.done:
            self.cancel(order, "IOC")
        return None

    def price(self, order: Order, open_: int, best: int, worst: int) -> tuple[int | None, bool]:
        """What it fills at and whether at the open, as a buyer sees it."""
        limit, stop, touch = order.side * order.limit, order.side * order.stop, order.kind in TOUCHES
        if order.kind == "market":
            return open_, True
        hit = best <= stop if touch else worst >= stop
        if order.kind in MARKETS:
            if not hit:
                return None, False
            return (min(stop, open_), open_ <= stop) if touch else (max(stop, open_), open_ >= stop)
        if order.kind == "limit" or order.triggered:
            return self.limit_price(limit, open_, best)
        order.triggered = hit
        if not hit or self.profile != "next_open":
            return None, False
        if touch:
            return self.limit_price(min(limit, stop), open_, best)
        if best > limit or limit <= stop:
            return None, False
        return min(stop, limit), False

    def limit_price(self, limit: int, open_: int, best: int) -> tuple[int | None, bool]:
        if self.profile != "next_open":
            return (limit, False) if best < limit else (None, False)
        return (min(open_, limit), open_ <= limit) if best <= limit else (None, False)


class PathVenue(Venue):
    """``ohlc`` and ``ohlc_adaptive``."""

    def arrive(self) -> None:
        for order in self.orders:
            order.follow(100)
            late = order.kind not in ("market", "limit") and self.sets_off(order, 100)
            if late and order.kind not in TRAILING:
                order.done = True
                self.say(order, "rejected (stop)")
                continue
            price, size = self.standing
            reached = order.kind == "limit" and order.side * price <= order.side * order.limit
            if order.kind == "market" or reached:
                self.take(order, price, size, at_open=False)
                if order.kind == "limit" and not order.done:
                    self.make(order, price, size, through=False, at_open=False)
            elif order.kind == "limit" and order.force in ("IOC", "FOK"):
                self.cancel(order, order.force)

    def bar(self, open_: int, high: int, low: int, close: int, volume: int) -> None:
        self.row, self.is_bar = self.row + 1, True
        quarter = max(volume // 4, 1)
        high_first = self.profile == "ohlc" or high - open_ < open_ - low
        middle = [high, low] if high_first else [low, high]
        sizes = [quarter] * 3 + [max(volume - 3 * quarter, 1)]
        for number, (price, size) in enumerate(zip([open_, *middle, close], sizes, strict=True)):
            if price != self.standing[0]:
                self.standing = price, size
                self.tick(price, size, at_open=number == 0)

    def trade(self, price: int, lots: int) -> None:
        """One tick, whatever the last one was."""
        self.row, self.is_bar = self.row + 1, False
        self.standing = price, lots
        self.tick(price, lots, at_open=True)

    def tick(self, price: int, size: int, *, at_open: bool) -> None:
        def rank(order: Order) -> tuple[int, int]:
            waits = order.kind not in ("market", "limit") and not order.triggered
            aim = order.stop if waits else order.limit
            return (-order.side, -order.side * aim)

        for order in sorted(self.open, key=rank):
            waits = order.kind not in ("market", "limit") and not order.triggered
            if not waits:
                self.rest(order, price, size, at_open=at_open)
            elif self.sets_off(order, price):
                order.triggered = True
                self.set_off(order, price, size, at_open=at_open)
            else:
                order.follow(price)

    def sets_off(self, order: Order, price: int) -> bool:
        beyond = order.side * (price - order.stop)
        return beyond <= 0 if order.kind in TOUCHES else beyond >= 0

    def set_off(self, order: Order, price: int, size: int, *, at_open: bool) -> None:
        side = order.side
        tick, limit, stop = side * price, side * order.limit, side * order.stop
        if order.kind in MARKETS:
            self.take(order, price if at_open else order.stop, size, at_open=at_open)
        elif tick > limit:
            return
        elif order.kind != "limit-if-touched":
            self.take(order, abs(min(limit, stop)), size, at_open=at_open)
        elif limit < stop:
            self.make(order, order.limit, size, through=tick < limit, at_open=at_open)
        else:
            self.take(order, order.stop if limit > stop else price, size, at_open=at_open)

    def rest(self, order: Order, price: int, size: int, *, at_open: bool) -> None:
        side = order.side
        tick, limit, stop = side * price, side * order.limit, side * order.stop
        if tick > limit:
            return
        at = limit if order.kind in ("limit", "limit-if-touched") else max(tick, min(limit, stop))
        self.make(order, abs(at), size, through=tick < limit, at_open=at_open)

    def take(self, order: Order, price: int, size: int, *, at_open: bool) -> None:
        if order.force == "FOK" and size < order.lots:
            return self.cancel(order, "FOK")
        self.fill(order, price, min(size, order.lots), "taker", at_open=at_open)
        if order.done:
            return None
        if order.force == "IOC":
            return self.cancel(order, "IOC")
        worse = price + order.side
        if order.kind in MARKETS or order.side * worse <= order.side * order.limit:
            self.fill(order, worse, order.lots, "taker", at_open=at_open)
        return None

    def make(self, order: Order, price: int, size: int, *, through: bool, at_open: bool) -> None:
        if order.force == "FOK" and size < order.lots:
            return self.cancel(order, "FOK")
        self.fill(order, price, min(size, order.lots), "maker", at_open=at_open)
        if order.done:
            return None
        if order.force == "IOC":
            return self.cancel(order, "IOC")
        if through:
            self.fill(order, order.limit, order.lots, "maker", at_open=at_open)
        return None
