"""Small cases run by NautilusTrader itself: ``python nautilus_cases.py < cases.json > outcomes.json``.

Runs in the peer's interpreter and imports nothing of ours. A case is ``{"orders": text, "market": text, "adaptive":
bool}`` in the language of ``docs/fills.md``: before it one bar closes at 100, then the orders are sent, then the bars
come, numbered from 1. The outcome names the bar that brought each report; bar 0 is the one that closed at 100. Prices
are ticks of 1 and quantities lots of 1. Each case is a backtest of its own.
"""

import json
import sys
from decimal import Decimal

import nautilus_trader
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import (
    AccountType,
    ContingencyType,
    LiquiditySide,
    OmsType,
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.events import (
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderTriggered,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
START_NS = 1_728_036_000 * 10**9
NAME = InstrumentId(Symbol("CASE"), Venue("PEER"))
BAR_TYPE = BarType.from_str(f"{NAME}-1-HOUR-LAST-EXTERNAL")
PLENTY = 1_000_000
FORCES = {"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "DAY": TimeInForce.DAY, "GTD": TimeInForce.GTD}
TRIGGERS = {"last": TriggerType.LAST_PRICE, "either": TriggerType.LAST_OR_BID_ASK}


def parts(text):
    return [part.split() for part in text.split(";") if part.strip()]


def number_after(words, name):
    return int(words[words.index(name) + 1]) if name in words else None


def price(value):
    return None if value is None else Price(value, 0)


class CaseConfig(StrategyConfig, frozen=True):
    orders: str
    requests: dict
    row_of: dict


class Case(Strategy):
    """Sends the orders after the first bar, the requests after theirs, and writes down what the venue reports."""

    def __init__(self, config):
        super().__init__(config)
        self.row, self.said, self.sent = -1, [], []

    def on_start(self):
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar):
        self.row += 1
        if self.row == 0:
            self.send_all(parts(self.config.orders))
        for words in self.config.requests.get(str(self.row), []):
            self.request(words)

    def send_all(self, orders):
        for words in orders:
            order = self.order(words)
            linked = "bracket" in words
            if linked:
                self.sent += [order.orders[at].client_order_id for at in (0, 2, 1)]  # the target before the loss
                self.submit_order_list(order)
            else:
                self.sent.append(order.client_order_id)
                self.submit_order(order)

    def order(self, words):
        side = OrderSide.BUY if words[0] == "buy" else OrderSide.SELL
        quantity = Quantity(int(words[1]), 0)
        force = next((FORCES[word] for word in words if word in FORCES), TimeInForce.GTC)
        limit, stop, touch = (price(number_after(words, name)) for name in ("limit", "stop", "touch"))
        base = {"instrument_id": NAME, "order_side": side, "quantity": quantity, "time_in_force": force}
        base["reduce_only"] = "reduce-only" in words
        make = self.order_factory
        if "bracket" in words:
            return self.bracket(words, side, quantity, limit)
        if force == TimeInForce.GTD:
            base["expire_time"] = pd.Timestamp(START_NS + HOUR_NS * (1 + number_after(words, "GTD")), tz="UTC")
        if "trail" in words:
            base["trailing_offset"] = Decimal(number_after(words, "trail"))
            base["trailing_offset_type"] = TrailingOffsetType.PRICE
            base["trigger_type"] = next((TRIGGERS[word] for word in words if word in TRIGGERS), TriggerType.DEFAULT)
            base["activation_price"] = price(number_after(words, "active"))
            if "apart" in words:
                return make.trailing_stop_limit(limit_offset=Decimal(number_after(words, "apart")), **base)
            return make.trailing_stop_market(**base)
        if limit is not None:
            base["post_only"] = "post-only" in words
        if touch is not None and limit is not None:
            return make.limit_if_touched(price=limit, trigger_price=touch, **base)
        if touch is not None:
            return make.market_if_touched(trigger_price=touch, **base)
        if stop is not None and limit is not None:
            return make.stop_limit(price=limit, trigger_price=stop, **base)
        if stop is not None:
            return make.stop_market(trigger_price=stop, **base)
        if limit is not None:
            return make.limit(price=limit, **base)
        return make.market(**base)

    def bracket(self, words, side, quantity, limit):
        given = {} if limit is None else {"entry_price": limit}
        return self.order_factory.bracket(
            NAME, side, quantity, entry_order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            tp_price=price(number_after(words, "target")), sl_trigger_price=price(number_after(words, "loss")),
            tp_post_only=False, contingency_type=ContingencyType.OCO if "oco" in words else ContingencyType.OUO,
            **given,
        )  # fmt: skip

    def request(self, words):
        order = self.cache.order(self.sent[(int(words[1][1:]) - 1) if words[-1].startswith("#") else 0])
        if words[0] == "cancel":
            self.cancel_order(order)
        elif words[0] == "send":
            self.send_all([words[1:]])
        else:
            limit, stop = number_after(words, "limit"), number_after(words, "stop")
            self.modify_order(order, Quantity(int(words[1]), 0), price(limit), price(stop))

    def on_order_event(self, event):
        what = self.words(event)
        if what:
            many = f"#{self.sent.index(event.client_order_id) + 1} " if len(self.sent) > 1 else ""
            self.said.append(f"{self.config.row_of[str(event.ts_event)]}: {many}{what}")

    def words(self, event):
        if isinstance(event, OrderFilled):
            liquidity = {LiquiditySide.MAKER: "maker", LiquiditySide.TAKER: "taker"}[event.liquidity_side]
            return f"{int(event.last_qty)} at {int(event.last_px)} {liquidity}"
        if isinstance(event, OrderCanceled):
            return "cancelled"
        if isinstance(event, OrderExpired):
            return "expired"
        if isinstance(event, OrderRejected):
            return f"rejected ({event.reason})"
        if isinstance(event, OrderModifyRejected):
            return f"refused ({event.reason})"
        if isinstance(event, OrderTriggered):
            return "triggered"
        if isinstance(event, OrderUpdated):
            stop = f" stop {event.trigger_price}" if event.trigger_price is not None else ""
            limit = f" limit {event.price}" if event.price is not None else ""
            return f"updated {event.quantity}{stop}{limit}"
        return ""


def read_market(text):
    bars, requests, clock = [(START_NS + HOUR_NS, [100] * 4, PLENTY)], {}, START_NS + HOUR_NS
    for words in parts(text):
        if words[0] in ("cancel", "replace", "send"):
            requests.setdefault(str(len(bars) - 1), []).append(words)
            continue
        if words[0] == "@midnight":
            clock = (clock // DAY_NS + 1) * DAY_NS
            continue
        clock += HOUR_NS
        volume = int(words[1][1:]) if len(words) > 1 else PLENTY
        bars.append((clock, [int(value) for value in words[0].split("/")], volume))
    return [
        Bar(BAR_TYPE, *(Price(value, 0) for value in prices), Quantity(volume, 0), ts, ts)
        for ts, prices, volume in bars
    ], requests


def run(case):
    bars, requests = read_market(case["market"])
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        NAME.venue, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000_000, USD)], base_currency=USD,
        default_leverage=Decimal(1), bar_adaptive_high_low_ordering=case.get("adaptive", False),
        **case.get("venue", {}),
    )  # fmt: skip
    engine.add_instrument(
        Equity(NAME, NAME.symbol, USD, 0, Price(1, 0), Quantity(1, 0), 0, 0, maker_fee=Decimal(0), taker_fee=Decimal(0))
    )
    engine.add_data(bars)
    row_of = {str(bar.ts_init): row for row, bar in enumerate(bars)}
    strategy = Case(CaseConfig(orders=case["orders"], requests=requests, row_of=row_of))
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return "; ".join(strategy.said) or "rests"


def main():
    outcomes = [run(case) for case in json.load(sys.stdin)]
    json.dump({"version": nautilus_trader.__version__, "outcomes": outcomes}, sys.stdout)


main()
