"""A venue-neutral exchange with one account: what a test server stands on. No sockets; the time is given to it.

    exchange = Exchange([Symbol("BTCUSDT", "BTC", "USDT", LINEAR, ...)], {"USDT": Decimal(100_000)}, seed=1)
    exchange.listeners.append(lambda kind, thing: ...)   # kinds and things: shapes.EVENTS
    order = exchange.place(Request(...), now_ns)         # raises RefusedError; a second order with an id is refused
    exchange.amend(order_id, now_ns, quantity=..., limit=..., trigger=...); exchange.cancel(order_id, now_ns)
    exchange.find(order_id="", client_order_id="")       # Order or None
    exchange.step(symbol, now_ns)                        # the market moves, and with it what rests
    exchange.push_price(symbol, price, now_ns)           # the same at a price of your choice
    exchange.trade_by_hand(symbol, side, quantity, now_ns)   # another client of the account
    exchange.state()                                     # everything as JSON-able data, with the append-only ledger

Orders that can trade fill at once or in parts: ``partial`` is the chance that only a part fills, the rest follows with
the next steps. What happens depends on the seed and the order of the calls alone.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal
from random import Random
from typing import Any

from tests.venues.account import Account
from tests.venues.market import Walk
from tests.venues.rules import check
from tests.venues.shapes import (
    BUY,
    CANCELED,
    FILLED,
    NEW,
    PARTLY_FILLED,
    SPOT,
    UNTRIGGERED,
    Fill,
    Order,
    RefusedError,
    Request,
    Symbol,
    plain,
)


class Exchange:
    """Symbols, their markets, one account and its orders."""

    def __init__(
        self, symbols: list[Symbol], cash: dict[str, Decimal], *, seed: int, now_ns: int, partial: float = 0.3
    ) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.walks = {symbol.name: Walk(symbol, seed, now_ns) for symbol in symbols}
        self.account = Account(cash)
        self.orders: dict[str, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.ledger: list[dict[str, Any]] = []
        self.listeners: list[Callable[[str, Any], None]] = []
        self.partial = partial
        self._random = Random(f"{seed}/matching")
        self._open: dict[str, Order] = {}

    # --- what clients ask ------------------------------------------------------------------------------------------

    def place(self, request: Request, now_ns: int) -> Order:
        """Accept an order and let it trade. Raises RefusedError."""
        if request.client_order_id and request.client_order_id in self.by_client_id:
            raise RefusedError("duplicate", f"client order id {request.client_order_id} was used before")
        check(self, request)
        order = Order(f"{0xF0000000 + len(self.orders):08x}", request, NEW, now_ns, now_ns)
        order.best = self.walks[request.symbol].price
        if request.trigger is not None or request.trail is not None or request.trail_percent is not None:
            order.status = UNTRIGGERED
            self._trail(order)
        self.orders[order.order_id] = order
        self._open[order.order_id] = order
        if request.client_order_id:
            self.by_client_id[request.client_order_id] = order
        self._note("placed", now_ns, order_id=order.order_id, request=plain(asdict(request)))
        self._tell_order(order, now_ns)
        self._work(order, now_ns, is_new=True)
        return order

    def find(self, order_id: str = "", client_order_id: str = "") -> Order | None:
        """An order by either id."""
        return self.orders.get(order_id) or self.by_client_id.get(client_order_id)

    def open_orders(self) -> list[Order]:
        """All that may still fill, oldest first."""
        return list(self._open.values())

    def cancel(self, order_id: str, now_ns: int, reason: str = "requested") -> Order:
        """End an open order. Raises RefusedError (unknown_order, order_over)."""
        order = self._open_order(order_id)
        self._end(order, CANCELED, reason, now_ns)
        return order

    def amend(
        self,
        order_id: str,
        now_ns: int,
        *,
        quantity: Decimal | None = None,
        limit: Decimal | None = None,
        trigger: Decimal | None = None,
    ) -> Order:
        """Change an open order. Raises RefusedError."""
        order = self._open_order(order_id)
        old = order.request
        new = replace(
            old,
            quantity=old.quantity if quantity is None else quantity,
            limit=old.limit if limit is None else limit,
            trigger=old.trigger if trigger is None else trigger,
        )
        if new == old:
            raise RefusedError("no_change", "nothing would change")
        if new.quantity <= order.filled:
            raise RefusedError("too_small", "less than what has filled")
        check(self, new, order)
        order.request = new
        self._note("amended", now_ns, order_id=order.order_id, request=plain(asdict(new)))
        self._tell_order(order, now_ns)
        self._work(order, now_ns, is_new=False)
        return order

    # --- what happens at the venue ---------------------------------------------------------------------------------

    def step(self, symbol: str, now_ns: int) -> None:
        """The market of a symbol moves by one trade, then what rests there may fill."""
        self._moved(symbol, *self.walks[symbol].step(now_ns), now_ns)

    def push_price(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """The market of a symbol moves to this price."""
        self._moved(symbol, *self.walks[symbol].trade_at(price, now_ns), now_ns)

    def close_bar(self, symbol: str) -> None:
        """Close the minute that is forming, without waiting for its end."""
        self._tell("bar", self.walks[symbol].close_bar())

    def settle(self, now_ns: int) -> None:
        """Let every open order trade that can, without a move of the market."""
        for order in self.open_orders():
            self._work(order, now_ns, is_new=False)

    def fill_rest(self, order_id: str, now_ns: int) -> None:
        """Fill all that is left of an open order at its limit or the market: a fill that overtakes a cancel."""
        order = self._open_order(order_id)
        self._fill(order, order.rest, self._price_for(order), now_ns, is_maker=order.request.limit is not None)

    def trade_by_hand(self, symbol: str, side: int, quantity: Decimal, now_ns: int) -> Fill:
        """Another client of the account trades at the market."""
        walk = self.walks[symbol]
        order = Order(f"{0xE0000000 + len(self.orders):08x}", Request(symbol, side, quantity), NEW, now_ns, now_ns)
        self.orders[order.order_id] = order
        self._open[order.order_id] = order
        self._note("placed", now_ns, order_id=order.order_id, request=plain(asdict(order.request)), by_hand=True)
        price = walk.ask if side == BUY else walk.bid
        return self._fill(order, quantity, price, now_ns, is_maker=False, by_hand=True)

    def fund(self, symbol: str, rate: Decimal, now_ns: int) -> None:
        """A funding of a contract at the last price."""
        quantity, mark = self.account.positions[symbol].quantity, self.walks[symbol].price
        amount = self.account.fund(self.symbols[symbol], rate, mark)
        thing = {"symbol": symbol, "rate": rate, "mark": mark, "amount": amount, "quantity": quantity, "ts_ns": now_ns}
        self._note("funding", now_ns, **plain(thing))
        self._tell("funding", thing)
        self._tell("cash", self.symbols[symbol].settle)

    def change_symbol(self, name: str, **changes: Any) -> None:
        """Other rules from now on: any fields of Symbol."""
        symbol = replace(self.symbols[name], **changes)
        self.symbols[name] = self.walks[name].symbol = symbol
        self._tell("symbol", symbol)

    def state(self) -> dict[str, Any]:
        """Everything, as data that JSON can carry (decimals as text)."""
        return plain(
            {
                "orders": [asdict(order) for order in self.orders.values()],
                "fills": [asdict(fill) for fill in self.fills],
                "cash": dict(self.account.cash),
                "deposits": self.account.deposits,
                "positions": {name: asdict(held) for name, held in self.account.positions.items()},
                "prices": {name: walk.price for name, walk in self.walks.items()},
                "ledger": self.ledger,
            }
        )

    # --- how orders trade ------------------------------------------------------------------------------------------

    def _moved(self, symbol: str, tick: Any, bars: list[Any], now_ns: int) -> None:
        for bar in bars:
            self._tell("bar", bar)
        self._tell("tick", tick)
        for order in self.open_orders():
            if order.request.symbol == symbol:
                self._work(order, now_ns, is_new=False)

    def _work(self, order: Order, now_ns: int, *, is_new: bool) -> None:
        """Trigger, trade, and end what may not rest."""
        if order.status == UNTRIGGERED and not self._triggers(order, now_ns):
            return
        if not order.is_open:
            return
        request, walk = order.request, self.walks[order.request.symbol]
        touch = walk.ask if request.side == BUY else walk.bid
        starts = is_new or (order.was_triggered and order.filled == 0)
        if request.limit is None or (request.limit - touch) * request.side >= 0:
            if request.post_only and starts:
                self._end(order, CANCELED, "post_only", now_ns)
                return
            price = touch if request.limit is None or starts else request.limit
            quantity = order.rest if request.time_in_force == "fok" else self._part(order)
            self._fill(order, quantity, price, now_ns, is_maker=request.limit is not None and not starts)
        if order.is_open and request.time_in_force in ("ioc", "fok"):
            self._end(order, CANCELED, request.time_in_force, now_ns)

    def _triggers(self, order: Order, now_ns: int) -> bool:
        self._trail(order)
        request, price = order.request, self.walks[order.request.symbol].price
        assert request.trigger is not None
        if price < request.trigger if request.trigger_rises else price > request.trigger:
            return False
        order.status, order.was_triggered = NEW, True
        self._note("triggered", now_ns, order_id=order.order_id)
        self._tell_order(order, now_ns)
        return True

    def _trail(self, order: Order) -> None:
        """Move the trigger of a trailing order after the best price."""
        request, price = order.request, self.walks[order.request.symbol].price
        if request.trail is None and request.trail_percent is None:
            return
        order.best = min(order.best, price) if request.side == BUY else max(order.best, price)
        distance = request.trail if request.trail is not None else order.best * (request.trail_percent or 0) / 100
        tick = self.symbols[request.symbol].tick
        request.trigger = (order.best + request.side * distance) // tick * tick
        request.trigger_rises = request.side == BUY

    def _part(self, order: Order) -> Decimal:
        step = self.symbols[order.request.symbol].step
        steps = int(order.rest / step)
        if steps < 2 or self._random.random() >= self.partial:
            return order.rest
        return step * self._random.randint(1, steps - 1)

    def _price_for(self, order: Order) -> Decimal:
        walk, request = self.walks[order.request.symbol], order.request
        return request.limit or (walk.ask if request.side == BUY else walk.bid)

    def _fill(
        self, order: Order, quantity: Decimal, price: Decimal, now_ns: int, *, is_maker: bool, by_hand: bool = False
    ) -> Fill:
        request, symbol = order.request, self.symbols[order.request.symbol]
        fee, currency = self.account.fee(symbol, request.side, price, quantity, is_maker)
        number = f"{0xABC0000000 + len(self.fills):012x}"
        ids = (number, order.order_id, request.client_order_id, request.symbol)
        fill = Fill(*ids, request.side, price, quantity, fee, currency, is_maker, now_ns, by_hand)
        self.fills.append(fill)
        self.account.book(symbol, fill)
        order.filled += quantity
        order.value += price * quantity
        order.fees += fee
        order.status = FILLED if order.rest == 0 else PARTLY_FILLED
        self._note("fill", now_ns, **plain(asdict(fill)))
        self._tell("fill", fill)
        self._tell_order(order, now_ns)
        self._tell("position", symbol.name)
        for name in dict.fromkeys((symbol.settle, currency) + ((symbol.base,) if symbol.kind == SPOT else ())):
            self._tell("cash", name)
        if order.status == FILLED:
            self._open.pop(order.order_id, None)
        return fill

    def _end(self, order: Order, status: str, reason: str, now_ns: int) -> None:
        order.status, order.reason = status, reason
        self._open.pop(order.order_id, None)
        self._note("ended", now_ns, order_id=order.order_id, status=status, reason=reason)
        self._tell_order(order, now_ns)

    def _open_order(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise RefusedError("unknown_order", f"there is no order {order_id}")
        if not order.is_open:
            raise RefusedError("order_over", f"order {order_id} is {order.status}")
        return order

    def _tell_order(self, order: Order, now_ns: int) -> None:
        order.updated_ns = now_ns
        self._tell("order", order.picture())

    def _tell(self, kind: str, thing: Any) -> None:
        for listener in self.listeners:
            listener(kind, thing)

    def _note(self, kind: str, now_ns: int, **details: Any) -> None:
        self.ledger.append({"number": len(self.ledger), "kind": kind, "ts_ns": now_ns, **details})
