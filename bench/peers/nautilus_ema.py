"""NautilusTrader: EMA cross on bars, market orders (filled at the bar that gave the signal). Prints one JSON line.

Settings: its low-level engine, logging bypassed, compiled indicators, no analysis after the run. Counts
``BacktestEngine.run``; bars are built and added before. It is the closest to us in what it does: an event-driven engine
with orders, a risk engine, an execution engine, accounts and positions, which it keeps in memory. P&L is in floats, and
no durable record is written.
"""

import json
import sys
import time
from decimal import Decimal

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

FAST, SLOW, FRACTION = 12, 26, 0.95
VENUE = Venue("BENCH")
NAME = InstrumentId(Symbol("WALK"), VENUE)


class EmaCrossConfig(StrategyConfig, frozen=True):
    bar_type: BarType


class EmaCross(Strategy):
    def __init__(self, config):
        super().__init__(config)
        self.fast, self.slow = ExponentialMovingAverage(FAST), ExponentialMovingAverage(SLOW)

    def on_start(self):
        self.instrument = self.cache.instrument(NAME)
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar):
        if not self.slow.initialized:
            return
        fast, slow = self.fast.value, self.slow.value
        if fast > slow:
            if self.portfolio.is_flat(NAME):
                cash = self.portfolio.account(VENUE).balance_total(USD).as_double()
                quantity = self.instrument.make_qty(int(cash * FRACTION / bar.close.as_double()))
                order = self.order_factory.market(NAME, OrderSide.BUY, quantity)
                self.submit_order(order)
        elif fast < slow and self.portfolio.is_net_long(NAME):
            self.close_all_positions(NAME)


def instrument(fee):
    return Equity(
        instrument_id=NAME, raw_symbol=NAME.symbol, currency=USD, price_precision=1,
        price_increment=Price.from_str("0.1"), lot_size=Quantity.from_int(1), ts_event=0, ts_init=0,
        maker_fee=Decimal(str(fee)), taker_fee=Decimal(str(fee)),
    )  # fmt: skip


def make_bar(bar_type, row):
    opened_s, *prices, volume = row
    ts_ns = (int(opened_s) + 60) * 1_000_000_000
    return Bar(bar_type, *(Price(price, 1) for price in prices), Quantity(volume, 0), ts_ns, ts_ns)


def main():
    table, cash, fee = np.load(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    traded = instrument(fee)
    bar_type = BarType.from_str(f"{NAME}-1-MINUTE-LAST-EXTERNAL")
    bars = [make_bar(bar_type, row) for row in table.tolist()]
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(cash, USD)], base_currency=USD)
    engine.add_instrument(traded)
    engine.add_data(bars)
    engine.add_strategy(EmaCross(EmaCrossConfig(bar_type=bar_type)))
    started = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - started
    trades = len(engine.cache.positions_closed()) + len(engine.cache.position_snapshots())
    equity = engine.portfolio.account(VENUE).balance_total(USD).as_double()
    result = {"bars": len(bars), "seconds": seconds, "trades": trades, "equity": equity}
    print(json.dumps({**result, "version": nautilus_trader.__version__}))


main()
