"""The desk of ``shared_strategies.py`` on our kernel: a strategy in plain Python, loaded as any user file is."""

from typing import Any, ClassVar

from kernel.lifecycle import LIMIT, MARKET, STOP, STOP_LIMIT
from kernel.strategy.python import Bar, Strategy
from tests.parity.shared_strategies import STRATEGIES


class Desk:
    """Sizes in units of ``unit_lots`` lots, money in whole currency."""

    def __init__(self, host: Strategy, unit_lots: int, minor_per_tick: int, minor_per_currency: int) -> None:
        self.host, self.unit_lots = host, unit_lots
        self.minor_per_tick, self.minor_per_currency = minor_per_tick, minor_per_currency
        self.orders: list[int] = []
        self.sent = 0

    def begin(self) -> None:
        """Before each bar: what is open now. What the strategy does takes effect after its call."""
        self.orders, self.sent = self.host.open_orders, 0

    @property
    def position(self) -> int:
        return self.host.position_lots // self.unit_lots

    @property
    def equity(self) -> int:
        return self.host.equity_minor // self.minor_per_currency

    @property
    def working(self) -> int:
        return len(self.orders) + self.sent

    def units_for(self, money: int, price: int) -> int:
        return money * self.minor_per_currency // self.minor_per_tick // price

    def buy(self, units: int) -> None:
        self._send(1, MARKET, units)

    def sell(self, units: int) -> None:
        self._send(-1, MARKET, units)

    def limit(self, side: int, units: int, price: int) -> None:
        self._send(side, LIMIT, units, limit_ticks=price)

    def stop(self, side: int, units: int, price: int) -> None:
        self._send(side, STOP, units, stop_ticks=price)

    def stop_limit(self, side: int, units: int, stop: int, limit: int) -> None:
        self._send(side, STOP_LIMIT, units, stop_ticks=stop, limit_ticks=limit)

    def bracket(self, side: int, units: int, limit: int, target: int, loss: int) -> None:
        self.sent += 3
        self.host.bracket(side, units * self.unit_lots, target, loss, limit_ticks=limit)

    def cancel_oldest(self) -> None:
        self.host.cancel(self.orders.pop(0))

    def cancel_all(self) -> None:
        while self.orders:
            self.cancel_oldest()

    def _send(self, side: int, kind: int, units: int, **prices: int) -> None:
        self.sent += 1
        self.host.submit(side, kind, units * self.unit_lots, **prices)


class Parity(Strategy):
    """Runs one of the shared strategies, and notes the equity after every bar."""

    number: int = 0
    units: int = 1
    pace: int = 1
    unit_lots: int = 1
    minor_per_tick: int = 1
    minor_per_currency: int = 1
    skipped_bars: int = 0
    equity_by_bar: ClassVar[list[int]] = []

    def on_start(self) -> None:
        self.equity_by_bar.clear()
        self.decider: Any = list(STRATEGIES.values())[self.number](self.units, self.pace)
        self.desk = Desk(self, self.unit_lots, self.minor_per_tick, self.minor_per_currency)

    def on_bar(self, bar: Bar) -> None:
        self.equity_by_bar.append(self.equity_minor)
        if len(self.equity_by_bar) <= self.skipped_bars:
            return
        self.desk.begin()
        self.decider.on_bar(self.desk, bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
