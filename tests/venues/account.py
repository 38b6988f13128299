"""One account's money and positions: what a fill, a fee or a funding does to them. Exact decimals, no orders.

Spot moves base against quote; linear and inverse contracts move cash by what they gained. Cost is kept, not an average
price: a partial close takes its share of the cost, rounded half to even, and leaves the rest.
"""

from collections import defaultdict
from decimal import Decimal

from tests.venues.shapes import BUY, SPOT, Fill, Position, Symbol, money, rounded


class Account:
    """Cash by currency (spot holdings are cash of their base) and positions by symbol."""

    def __init__(self, cash: dict[str, Decimal]) -> None:
        self.cash: defaultdict[str, Decimal] = defaultdict(Decimal, cash)
        self.positions: defaultdict[str, Position] = defaultdict(Position)
        self.deposits = dict(cash)

    def fee(self, symbol: Symbol, side: int, price: Decimal, quantity: Decimal, is_maker: bool) -> tuple[Decimal, str]:
        """The fee of a trade and its currency."""
        rate = symbol.maker_rate if is_maker else symbol.taker_rate
        if symbol.kind == SPOT and symbol.fee_in == "received" and side == BUY:
            return rounded(quantity * rate, symbol.base_decimals), symbol.base
        return money(symbol.value(price, quantity) * rate, symbol.settle), symbol.settle

    def book(self, symbol: Symbol, fill: Fill) -> None:
        """Take in a fill."""
        signed = fill.side * fill.quantity
        if symbol.kind == SPOT:
            self.cash[symbol.base] += signed
            self.cash[symbol.quote] -= fill.side * symbol.value(fill.price, fill.quantity)
        gained = self._hold(symbol, signed, fill.price)
        if symbol.kind != SPOT:
            self.cash[symbol.settle] += gained
        if symbol.kind == SPOT and fill.fee_currency == symbol.base:
            self._hold_less(symbol, fill.fee)
        self.cash[fill.fee_currency] -= fill.fee

    def _hold(self, symbol: Symbol, signed: Decimal, price: Decimal) -> Decimal:
        """Change a position; returns what was realised."""
        position = self.positions[symbol.name]
        held = position.quantity
        gained = Decimal(0)
        closed = Decimal(0)
        if held and (held > 0) != (signed > 0):
            closed = min(abs(held), abs(signed))
            share = position.cost if closed == abs(held) else money(position.cost * closed / abs(held), symbol.settle)
            out = symbol.value(price, closed) * (1 if held > 0 else -1)
            gained = share - out if symbol.kind == "inverse" else out - share
            position.cost -= share
            position.quantity += closed if signed > 0 else -closed
            position.realised += gained
        opened = abs(signed) - closed
        if opened:
            direction = 1 if signed > 0 else -1
            position.cost += direction * symbol.value(price, opened)
            position.quantity += direction * opened
        return gained

    def _hold_less(self, symbol: Symbol, quantity: Decimal) -> None:
        """A fee in the base coin shrinks what is held, not what it cost."""
        self.positions[symbol.name].quantity -= quantity

    def fund(self, symbol: Symbol, rate: Decimal, mark: Decimal) -> Decimal:
        """Pay (positive) or get the funding of a position; returns the amount."""
        position = self.positions[symbol.name]
        sign = 1 if position.quantity > 0 else -1
        amount = money(sign * symbol.value(mark, abs(position.quantity)) * rate, symbol.settle)
        self.cash[symbol.settle] -= amount
        return amount
