"""NautilusTrader runs the strategies: ``python nautilus_peer.py JOB.json > outcomes.json``.

Runs in the peer's interpreter and imports nothing of ours but the text of the strategies. Prices are fed in thousands
of ticks, because it computes the adaptive order of a bar in 64 bits, which overflow at a distance of 922 units. Sizes
are units with as many decimals as lots need; the account's currency is a thousand ticks of one unit, with as many
decimals as our money has, so that its rounding of fees is ours. The job names the bars (a .npy of whole numbers: open
time, close time, open, high, low, close, volume), the cash and the runs. Settings are its defaults: no latency, fill
and fee models of its own, stops in the market rejected; the risk engine is bypassed, as ours has no limits either.
Bars that have no volume at all get plenty, because ours takes none for unknown.
"""

import json
import sys
from decimal import Decimal

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide, OrderType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from shared_strategies import STRATEGIES

NAME = InstrumentId(Symbol("BARS"), Venue("PEER"))
BAR_TYPE = BarType.from_str(f"{NAME}-1-MINUTE-LAST-EXTERNAL")
PLENTY = 1_000_000_000
FINER = 3  # decimals of a price
BASE = Currency("THING", 8, 0, "what is traded", CurrencyType.CRYPTO)


def ticks(price):
    """A price as it is fed."""
    return Price(price / 10**FINER, FINER)


def in_ticks(amount):
    """A price, or money, as it was."""
    return amount.as_decimal().scaleb(FINER)


class HostConfig(StrategyConfig, frozen=True):
    """Nothing: what a host needs it is given before the run."""


class Host(Strategy):
    """Calls a shared strategy, and writes down fills and the equity after every bar."""

    def prepare(self, job, run, currency):
        self.desk = Desk(self, job)
        self.decider = STRATEGIES[run["strategy"]](run["size"], run["pace"])
        self.currency = currency
        self.fills, self.equity, self.held = [], [], 0

    def on_start(self):
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar):
        self.equity.append(self.worth(bar.close))
        self.desk.begin()
        self.decider.on_bar(self.desk, *(int(in_ticks(one)) for one in (bar.open, bar.high, bar.low, bar.close)))

    def worth(self, close):
        """Equity in ticks of one unit: the balance and the value of what is open, at the close of the bar."""
        total = in_ticks(self.portfolio.account(NAME.venue).balance_total(self.currency))
        return float(total + sum(in_ticks(one.unrealized_pnl(close)) for one in self.cache.positions_open()))

    def on_order_filled(self, event):
        lots = int(event.last_qty.as_decimal() * self.desk.unit_lots)
        signed = lots if event.order_side == OrderSide.BUY else -lots
        bar, price = self.desk.row_of[event.ts_event], int(in_ticks(event.last_px))
        closing = 0
        if self.held * signed < 0:
            closing = int(np.sign(signed)) * min(abs(signed), abs(self.held))
            self.fills.append([bar, closing, price, 0.0])
        if signed != closing:
            self.fills.append([bar, signed - closing, price, None])
        self.held += signed

    def on_position_closed(self, event):
        last = next(fill for fill in reversed(self.fills) if fill[3] is not None)
        last[3] = float(in_ticks(event.realized_pnl))


class Desk:
    """The desk of ``shared_strategies.py`` on NautilusTrader."""

    def __init__(self, host, job):
        self.host, self.ticks_per_currency, self.row_of = host, job["ticks_per_currency"], job["row_of"]
        self.unit_lots, self.size_decimals = job["unit_lots"], job["size_decimals"]
        self.orders = []

    def begin(self):
        self.orders = [order for order in self.orders if not order.is_closed]

    @property
    def position(self):
        return self.host.held // self.unit_lots

    @property
    def equity(self):
        return int(self.host.equity[-1] // self.ticks_per_currency)

    @property
    def working(self):
        return len(self.orders)

    def units_for(self, money, price):
        return money * self.ticks_per_currency // price

    def buy(self, units):
        self.send(self.host.order_factory.market, 1, units)

    def sell(self, units):
        self.send(self.host.order_factory.market, -1, units)

    def limit(self, side, units, price):
        self.send(self.host.order_factory.limit, side, units, price=ticks(price))

    def stop(self, side, units, price):
        self.send(self.host.order_factory.stop_market, side, units, trigger_price=ticks(price))

    def stop_limit(self, side, units, stop, limit):
        prices = {"trigger_price": ticks(stop), "price": ticks(limit)}
        self.send(self.host.order_factory.stop_limit, side, units, **prices)

    def bracket(self, side, units, limit, target, loss):
        given = {"entry_order_type": OrderType.LIMIT, "entry_price": ticks(limit)} if limit else {}
        orders = self.host.order_factory.bracket(
            NAME, OrderSide.BUY if side > 0 else OrderSide.SELL, Quantity(units, self.size_decimals),
            tp_price=ticks(target), sl_trigger_price=ticks(loss), tp_post_only=False, **given,
        )  # fmt: skip
        self.orders += orders.orders
        self.host.submit_order_list(orders)

    def send(self, make, side, units, **prices):
        order = make(NAME, OrderSide.BUY if side > 0 else OrderSide.SELL, Quantity(units, self.size_decimals), **prices)
        self.orders.append(order)
        self.host.submit_order(order)

    def cancel_oldest(self):
        self.host.cancel_order(self.orders.pop(0))

    def cancel_all(self):
        while self.orders:
            self.cancel_oldest()


def make_bars(table, decimals):
    known = table[:, 6].max() > 0  # -1 or 0 throughout means that nobody wrote it down
    volumes = table[:, 6] if known else np.full(len(table), PLENTY * 10**decimals)
    rows = zip(table[:, 1].tolist(), table[:, 2:6].tolist(), volumes.tolist(), strict=True)
    return [
        Bar(BAR_TYPE, *(ticks(price) for price in prices), quantity(lots, decimals), ts, ts)
        for ts, prices, lots in rows
    ]


def quantity(lots, decimals):
    return Quantity.from_str(f"{Decimal(lots).scaleb(-decimals):.{decimals}f}")


def execute(job, bars, run):
    """One run: fills, and the equity after every bar."""
    decimals = job["money_decimals"] + FINER
    currency = Currency(f"TICK{decimals}", decimals, 0, "a thousand ticks", CurrencyType.FIAT)
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(
        BacktestEngineConfig(logging=quiet, run_analysis=False, risk_engine=RiskEngineConfig(bypass=True))
    )
    engine.add_venue(
        NAME.venue, OmsType.NETTING, AccountType.MARGIN, [Money(job["cash_ticks"] / 10**FINER, currency)],
        base_currency=currency, default_leverage=Decimal(1), bar_adaptive_high_low_ordering=job["adaptive"],
    )  # fmt: skip
    fee = Decimal(str(run["fee"]))
    decimals = job["size_decimals"]
    engine.add_instrument(
        CurrencyPair(
            NAME, NAME.symbol, BASE, currency, FINER, decimals, ticks(1), quantity(1, decimals), 0, 0,
            margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=fee, taker_fee=fee,
        )
    )  # fmt: skip
    engine.add_data(bars)
    host = Host(HostConfig())
    host.prepare(job, run, currency)
    engine.add_strategy(host)
    engine.run()
    engine.dispose()
    return {"fills": host.fills, "equity": host.equity}


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    table = np.load(job["bars"])
    job["row_of"] = {ts: row for row, ts in enumerate(table[:, 1].tolist())}
    bars = make_bars(table, job["size_decimals"])
    outcomes = [execute(job, bars, run) for run in job["runs"]]
    json.dump({"version": nautilus_trader.__version__, "outcomes": outcomes}, sys.stdout)


main()
