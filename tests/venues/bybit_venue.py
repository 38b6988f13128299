"""A simulated Bybit without its sockets: the exchange, its faults and clock, and who listens.

One category a server. Messages leave through sessions (``bybit_streams``), which only need ``offer(topic, message)``.
"""

import time
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any, Protocol

from tests.venues import bybit_words as words
from tests.venues.exchange import Exchange
from tests.venues.faults import Faults
from tests.venues.shapes import INVERSE, LINEAR, SPOT, Bar, Symbol, Tick

KINDS = {"spot": SPOT, "linear": LINEAR, "inverse": INVERSE}
PRICES = {"BTC": Decimal(60_000), "ETH": Decimal(3_000)}
CASH = {"USDT": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(20)}
EIGHT_HOURS_MS = 8 * 3600 * 1000
EVERY_TICKS = 10  # tickers and unconfirmed bars come with every tenth trade
API_KEY, API_SECRET = "TESTKEY0123456789ab", "testsecret0123456789abcdefghijklmnop"


def symbol_of(name: str, category: str) -> Symbol:
    """A symbol such as BTCUSDT or BTCUSD with plausible rules."""
    quote = "USD" if category == "inverse" else "USDT"
    base = name.removesuffix(quote)
    price = PRICES.get(base, Decimal(100))
    if category == "spot":
        rules = {"tick": Decimal("0.01"), "step": Decimal("0.000001"), "minimum": Decimal("0.000011")}
        return Symbol(name, base, quote, SPOT, price=price, minimum_notional=Decimal(5), **rules)
    if category == "inverse":
        rules = {"tick": Decimal("0.50"), "step": Decimal(1), "minimum": Decimal(1)}
        return Symbol(name, base, quote, INVERSE, price=price, **rules)
    rules = {"tick": Decimal("0.10"), "step": Decimal("0.001"), "minimum": Decimal("0.001")}
    return Symbol(name, base, quote, LINEAR, price=price, minimum_notional=Decimal(5), **rules)


class Session(Protocol):
    """A connection of a client that hears some topics."""

    topics: set[str]

    def offer(self, topic: str, message: dict[str, Any]) -> None:
        """Send a message when it is its turn."""


class Venue:
    """The exchange and everything around it that a client can notice."""

    def __init__(self, category: str, names: Iterable[str], seed: int, faults: str, partial: float) -> None:
        self.category = category
        self.faults = Faults(seed, faults)
        self.offset_ns = 0
        symbols = [symbol_of(name, category) for name in names]
        self.exchange = Exchange(symbols, dict(CASH), seed=seed, now_ns=self.now_ns(), partial=partial)
        self.exchange.listeners.append(self._heard)
        self.sessions: set[Session] = set()
        self.private_sessions: set[Session] = set()
        self.fundings: list[dict[str, Any]] = []
        self.next_funding_ms = (self.now_ns() // words.MS // EIGHT_HOURS_MS + 1) * EIGHT_HOURS_MS
        self.forgotten: set[str] = set()  # orders that realtime does not show any more, as after a restart
        self.market_messages = self.private_messages = 0
        self.requests: dict[str, int] = {}
        self._random = Random(f"{seed}/venue")
        self._books: dict[str, tuple[dict, dict]] = {}
        self._numbers: dict[str, int] = {}
        self._steps = 0

    def now_ns(self) -> int:
        """The venue's clock."""
        return time.time_ns() + self.offset_ns

    # --- what the clock brings ----------------------------------------------------------------------------------------

    def step(self, symbol: str) -> None:
        """One move of the market, with what may happen beside it."""
        now_ns = self.now_ns()
        self.exchange.step(symbol, now_ns)
        if self.faults.strikes("instrument_change", symbol):
            self.change_rules(symbol)
        open_orders = self.exchange.open_orders()
        if open_orders and self.faults.strikes("venue_cancel", symbol):
            self.exchange.cancel(self._random.choice(open_orders).order_id, now_ns, "venue")

    def settle(self) -> None:
        """Let what filled in part fill on."""
        self.exchange.settle(self.now_ns())

    def change_rules(self, name: str) -> None:
        """Ten times the step and the least quantity, or back again."""
        symbol = self.exchange.symbols[name]
        normal = symbol_of(name, self.category)
        factor = 10 if symbol.step == normal.step else 1
        self.exchange.change_symbol(name, step=normal.step * factor, minimum=normal.step * factor)

    def fund(self, symbol: str, rate: Decimal) -> None:
        """Funding now: the account's execution, then the ticker with the next one."""
        at_ms = self.now_ns() // words.MS // 60_000 * 60_000
        self._public(f"tickers.{symbol}", self.ticker(symbol, at_ms, rate))
        self.exchange.fund(symbol, rate, at_ms * words.MS)
        self._public(f"tickers.{symbol}", self.ticker(symbol, at_ms + EIGHT_HOURS_MS, rate))

    # --- messages -----------------------------------------------------------------------------------------------------

    def _heard(self, kind: str, thing: Any) -> None:
        if kind == "tick":
            self._tick(thing)
        elif kind == "bar":
            self._bar(thing)
        elif kind == "order":
            symbol = self.exchange.symbols[thing.request.symbol]
            self._private("order", words.order(thing, symbol, self.category))
        elif kind == "fill":
            placed, symbol = self.exchange.orders[thing.order_id], self.exchange.symbols[thing.symbol]
            self._private("execution", words.execution(thing, placed, symbol, self.category))
        elif kind == "position" and self.category != "spot":
            symbol = self.exchange.symbols[thing]
            held = self.exchange.account.positions[thing]
            self._private("position", words.position(held, symbol, self.category, on_stream=True))
        elif kind == "cash":
            self._private("wallet", words.wallet({thing: self.exchange.account.cash[thing]}))
        elif kind == "funding" and thing["quantity"]:
            self.fundings.append(words.funding(thing, self.category))
            self._private("execution", self.fundings[-1])

    def _tick(self, tick: Tick) -> None:
        name = tick.symbol
        self._steps += 1
        self._public(f"publicTrade.{name}", words.trade(tick))
        number = self._next_number(f"orderbook.1.{name}")
        self._public(f"orderbook.1.{name}", words.touch(self.exchange.walks[name].quote(tick.ts_ns), number))
        for depth in (50, 200, 1000):
            if self._is_heard(f"orderbook.{depth}.{name}"):
                self._book_change(f"orderbook.{depth}.{name}", name, depth, tick.ts_ns)
        if self._steps % EVERY_TICKS == 0:
            self._public(f"tickers.{name}", self.ticker(name, self.next_funding_ms, Decimal("0.0001")))
            self._public(f"kline.1.{name}", words.kline(self.exchange.walks[name].forming, confirm=False))

    def _bar(self, bar: Bar) -> None:
        self._public(f"kline.1.{bar.symbol}", words.kline(bar, confirm=True))

    def ticker(self, name: str, next_funding_ms: int, rate: Decimal) -> dict[str, Any]:
        """tickers: of a contract."""
        price = self.exchange.walks[name].price
        data = {
            "symbol": name,
            "lastPrice": words.text(price),
            "markPrice": words.text(price),
            "openInterest": words.text(Decimal(100_000) + self._steps),
            "fundingRate": words.text(rate),
            "nextFundingTime": str(next_funding_ms),
            "fundingIntervalHour": "8",
        }
        return {"topic": f"tickers.{name}", "type": "snapshot", "data": data, "cs": 1, "ts": self.now_ns() // words.MS}

    def _book_change(self, topic: str, name: str, depth: int, now_ns: int) -> None:
        new = self.exchange.walks[name].book(min(depth, 50))
        old = self._books.get(topic, ({}, {}))
        gone = [dict.fromkeys(old[side].keys() - new[side].keys(), Decimal(0)) for side in (0, 1)]
        moved = [{p: s for p, s in new[side].items() if old[side].get(p) != s} for side in (0, 1)]
        self._books[topic] = new
        delta = (gone[0] | moved[0], gone[1] | moved[1])
        self._public(topic, words.book(topic, "delta", name, delta, self._next_number(topic), now_ns))

    def snapshot(self, topic: str) -> dict[str, Any] | None:
        """What a new listener of a topic hears first."""
        kind, _, rest = topic.partition(".")
        name = rest.rpartition(".")[2]
        if kind == "tickers":
            return self.ticker(name, self.next_funding_ms, Decimal("0.0001"))
        if kind != "orderbook":
            return None
        depth = int(rest.partition(".")[0])
        if depth == 1:
            return words.touch(self.exchange.walks[name].quote(self.now_ns()), self._numbers.get(topic, 0))
        if topic not in self._books:
            self._books[topic] = self.exchange.walks[name].book(min(depth, 50))
        number = self._numbers.setdefault(topic, 1)
        return words.book(topic, "snapshot", name, self._books[topic], number, self.now_ns())

    def _next_number(self, topic: str) -> int:
        self._numbers[topic] = self._numbers.get(topic, 0) + 1
        return self._numbers[topic]

    def _is_heard(self, topic: str) -> bool:
        return any(topic in session.topics for session in self.sessions)

    def _public(self, topic: str, message: dict[str, Any]) -> None:
        for session in self.sessions:
            if topic in session.topics:
                self.market_messages += 1
                session.offer(topic, message)

    def _private(self, topic: str, data: dict[str, Any]) -> None:
        now = self.now_ns()
        message = {"id": f"{now:x}", "topic": topic, "creationTime": now // words.MS, "data": [data]}
        for session in self.private_sessions:
            if topic in session.topics:
                self.private_messages += 1
                session.offer(topic, message)
