"""What a simulated exchange is made of: symbols, orders, fills, refusals. Decimals only, no float, no sockets.

Venue-neutral: a server translates its own words into these and back.
"""

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

BUY, SELL = 1, -1
NEW, UNTRIGGERED, PARTLY_FILLED = "new", "untriggered", "partly_filled"
FILLED, CANCELED, EXPIRED = "filled", "canceled", "expired"
OPEN_STATUSES = (NEW, UNTRIGGERED, PARTLY_FILLED)
SPOT, LINEAR, INVERSE = "spot", "linear", "inverse"
MINUTE_NS = 60_000_000_000

MONEY_DECIMALS = {"BTC": 8, "ETH": 8}  # money of a currency is kept with so many decimals, of others with six


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """``amount`` to so many decimals, half to even: how this exchange rounds whatever it rounds."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)


def money(amount: Decimal, currency: str) -> Decimal:
    """An amount of a currency as this exchange books it."""
    return rounded(amount, MONEY_DECIMALS.get(currency, 6))


@dataclass(frozen=True)
class Symbol:
    """What can be traded and by which rules. Quantities of spot and linear are in base, of inverse in quote money.

    ``fee_in`` is where the fee of a spot trade is taken: ``received`` (the base coin of a buy) or ``quote``.
    ``can_short`` lets the base of a spot symbol become negative (a share that is borrowed).
    """

    name: str
    base: str
    quote: str
    kind: str = SPOT
    tick: Decimal = Decimal("0.01")
    step: Decimal = Decimal("0.000001")
    minimum: Decimal = Decimal("0")
    maximum: Decimal = Decimal("1000000")
    maximum_market: Decimal = Decimal("1000000")
    minimum_notional: Decimal = Decimal("0")
    maker_rate: Decimal = Decimal("0.0002")
    taker_rate: Decimal = Decimal("0.00055")
    fee_in: str = "received"
    base_decimals: int = 8
    leverage: Decimal = Decimal("10")
    price: Decimal = Decimal("100")
    can_short: bool = False
    is_trading: bool = True

    @property
    def settle(self) -> str:
        """The currency that profit and loss are in."""
        return self.base if self.kind == INVERSE else self.quote

    def value(self, price: Decimal, quantity: Decimal) -> Decimal:
        """What a quantity is worth at a price, in ``settle``."""
        return money(quantity / price if self.kind == INVERSE else price * quantity, self.settle)


@dataclass
class Request:
    """What a client asks for. ``trigger_rises``: the trigger strikes when the price rises to it, else falls to it.

    ``trail`` (a distance) or ``trail_percent`` make the trigger follow the best price since the order came.
    """

    symbol: str
    side: int
    quantity: Decimal
    client_order_id: str = ""
    limit: Decimal | None = None
    trigger: Decimal | None = None
    trigger_rises: bool = True
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: str = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    tags: dict[str, Any] = field(default_factory=dict)  # what a server wants to remember of the venue's own words


@dataclass
class Order:
    """An order and all that became of it. ``value`` is the sum of price * quantity over its fills."""

    order_id: str
    request: Request
    status: str
    created_ns: int
    updated_ns: int
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    reason: str = ""  # why it ended: requested, venue, ioc, fok, post_only, no_funds, reduce_only, expired
    was_triggered: bool = False
    best: Decimal = Decimal(0)

    @property
    def rest(self) -> Decimal:
        """What has not filled."""
        return self.request.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN_STATUSES

    def picture(self) -> "Order":
        """A copy that later happenings do not change."""
        return replace(self, request=replace(self.request))


@dataclass(frozen=True)
class Fill:
    """One execution. ``fee`` is positive when paid. ``by_hand``: another client of the account traded."""

    trade_id: str
    order_id: str
    client_order_id: str
    symbol: str
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    ts_ns: int
    by_hand: bool = False


@dataclass
class Position:
    """What is held: signed quantity and what it cost, in the settlement currency (both of one sign)."""

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)

    def average_price(self, symbol: Symbol) -> Decimal:
        """Entry price, as exact as decimals are; 0 for no position."""
        if self.quantity == 0:
            return Decimal(0)
        return self.quantity / self.cost if symbol.kind == INVERSE else self.cost / self.quantity


@dataclass(frozen=True)
class Bar:
    """A minute of a symbol."""

    symbol: str
    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True)
class Quote:
    """Both best sides with their sizes."""

    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    ts_ns: int


@dataclass(frozen=True)
class Tick:
    """A public trade; side of who took."""

    symbol: str
    number: int
    side: int
    price: Decimal
    quantity: Decimal
    ts_ns: int


class RefusedError(Exception):
    """A request that had no effect. ``code`` is one of REFUSALS; a server makes the venue's error of it."""

    def __init__(self, code: str, text: str) -> None:
        assert code in REFUSALS, code
        super().__init__(text)
        self.code = code


REFUSALS = (
    "unknown_symbol",
    "not_trading",
    "duplicate",
    "off_tick",
    "off_step",
    "too_small",
    "too_large",
    "notional",
    "no_funds",
    "reduce_only",
    "trigger",
    "unknown_order",
    "order_over",
    "no_change",
)

# What listeners hear: kind, then the thing (orders as pictures that do not change any more).
EVENTS = {
    "order": "Order: an order as it is after a change",
    "fill": "Fill",
    "position": "str: the symbol whose position changed",
    "cash": "str: the currency whose balance changed",
    "tick": "Tick: a public trade; the quote and the book moved with it",
    "bar": "Bar: a minute closed",
    "symbol": "Symbol: its rules changed",
    "funding": "dict: symbol, rate, mark, amount (what the account paid), quantity, ts_ns",
}


def plain(thing: Any) -> Any:
    """Decimals as text, the rest as it is."""
    if isinstance(thing, Decimal):
        return format(thing, "f")
    if isinstance(thing, dict):
        return {key: plain(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [plain(value) for value in thing]
    return thing
