"""What stands between the kernel and a venue: the shapes that an adapter gives and takes.

Owns no behaviour and knows no venue. An adapter turns bytes into these and these into requests; a driver turns what was
seen into recorded inputs. What an adapter says of an order is a picture of it (``OrderSeen``), not a step: the same
picture twice, from a stream and from a poll, is the same thing said twice, and the driver finds the step by comparing.

Prices are ticks and quantities lots of the instrument, times nanoseconds since the epoch, UTC. Instruments are the
numbers that ``VenueAdapter.open`` gave them, their places in the list.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

from kernel.instruments import Instrument

# A market row as an adapter gives it: (ts_event_ns, kind, instrument, word 0, ..., word 5); see ``kernel.market``.
MarketRow = tuple[int, int, int, int, int, int, int, int, int]


class InstrumentRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue demands of an order in an instrument. 0 stands for no rule.

    Prices are multiples of ``price_step_ticks`` and quantities of ``quantity_step_lots``; ``minimum_notional`` is
    decimal text in the instrument's currency, ``maximum_leverage`` decimal text.
    """

    price_step_ticks: int = 1
    quantity_step_lots: int = 1
    minimum_lots: int = 0
    maximum_lots: int = 0
    maximum_market_lots: int = 0
    minimum_notional: str = "0"
    maximum_leverage: str = "0"
    is_trading: bool = True


class VenueInstrument(msgspec.Struct, frozen=True):
    """An instrument as the venue describes it, with its rules."""

    instrument: Instrument
    rules: InstrumentRules


class Feeds(msgspec.Struct, frozen=True, kw_only=True):
    """What market data is wanted. ``depth`` is the number of levels of the order book, 0 for none."""

    bars: bool = True
    trades: bool = False
    quotes: bool = True
    depth: int = 0
    funding: bool = False
    open_interest: bool = False


# --- what the kernel sends ------------------------------------------------------------------------------------------


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to submit. Numbers of types, times in force and instructions are those of ``kernel.lifecycle``.

    ``client_order_id`` is at most 32 characters of ``[0-9a-z-]``. ``reference_ticks`` is the last price, for what a
    venue wants to know beside the order (which side a trigger lies on, a notional).
    """

    client_order_id: str
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    limit_ticks: int = 0
    stop_ticks: int = 0
    instructions: int = 0
    expire_ns: int = 0
    trail_kind: int = 0
    trail_value: int = 0
    display_lots: int = 0
    leg: int = 0
    reference_ticks: int = 0


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request to cancel what is left of an order. ``venue_order_id`` is empty where it is not known."""

    client_order_id: str
    instrument: int
    venue_order_id: str = ""


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request to change an open order: ``quantity_lots`` is its new total, prices are 0 where it has none."""

    client_order_id: str
    instrument: int
    quantity_lots: int
    limit_ticks: int = 0
    stop_ticks: int = 0
    venue_order_id: str = ""


# --- what a venue shows ---------------------------------------------------------------------------------------------


class OrderStatus(Enum):
    """Where an order is, as the venue says."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of an order. ``client_order_id`` is empty for an order that was not placed with one.

    ``quantity_lots`` is its total, ``filled_lots`` what has filled of it so far. ``reason`` is a REJECT_* or CANCEL_*
    number of ``kernel.lifecycle`` for what ended, ``text`` the venue's own words.
    """

    venue_order_id: str
    client_order_id: str
    instrument: int
    status: OrderStatus
    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    filled_lots: int
    limit_ticks: int = 0
    stop_ticks: int = 0
    instructions: int = 0
    reason: int = 0
    text: str = ""
    ts_event_ns: int = 0


class FillSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. ``trade_id`` is the venue's and unique there.

    ``fee`` is decimal text in ``fee_currency``: positive is paid, negative a rebate. Liquidity is TAKER or MAKER of
    ``kernel.lifecycle``.
    """

    trade_id: str
    venue_order_id: str
    client_order_id: str
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    fee: str
    fee_currency: str
    liquidity: int
    ts_event_ns: int


class PositionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What the account holds in an instrument; a short position is negative. ``leg`` as in ``OrderIntended``.

    ``average_price`` is its entry price as decimal text, with all the digits that the venue gives; empty where it does
    not say.
    """

    instrument: int
    quantity_lots: int
    average_price: str = ""
    leg: int = 0


class BalanceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Money in a currency: all of it without what open positions gained, as decimal text."""

    currency: str
    total: str


Seen = OrderSeen | FillSeen | PositionSeen | BalanceSeen


class OutcomeStatus(Enum):
    """What came of a request. Ambiguous: it may or may not have reached the venue, and is never simply sent again."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request. ``retry_after_ns`` above 0: it surely did nothing, and may be sent again then."""

    status: OutcomeStatus
    reason: int = 0
    text: str = ""
    venue_order_id: str = ""
    retry_after_ns: int = 0


class VenueError(RuntimeError):
    """A read that failed. The text is one line: what was asked, what came back, what to do.

    ``is_fatal`` means that asking again will not help (a wrong key, an unknown symbol).
    """

    def __init__(self, text: str, *, is_fatal: bool = False) -> None:
        super().__init__(text)
        self.is_fatal = is_fatal


class Stream(Enum):
    """The connections of an adapter."""

    MARKET = 1
    PRIVATE = 2


class StreamStatus(Enum):
    """What became of a connection. GAP: it stands, but something is known to be missing from it."""

    DOWN = 0
    UP = 1
    GAP = 2


class Inbox(Protocol):
    """Where an adapter puts what it hears, without waiting. The driver bounds it."""

    def market(self, rows: Sequence[MarketRow], raw: bytes) -> None:
        """Market rows of one message, and the message."""

    def private(self, seen: Sequence[Seen], raw: bytes) -> None:
        """What one message of a private stream, or one answer to a poll, shows of the account."""

    def stream(self, stream: Stream, status: StreamStatus, text: str) -> None:
        """A connection came up (subscribed and, where that is needed, signed in), broke, or has a gap."""

    def rules(self, instrument: int, rules: InstrumentRules) -> None:
        """The venue changed what it demands."""


class VenueAdapter(Protocol):
    """One account at one venue. All coroutines run in one event loop; a read that fails raises VenueError."""

    name: str

    async def describe(self, symbols: Sequence[str]) -> list[VenueInstrument]:
        """The instruments, in the order of the symbols. Raises VenueError (fatal) for one that is not there."""

    async def open(self, instruments: Sequence[Instrument], feeds: Feeds) -> None:
        """From here on instruments are known by their places in this list."""

    async def run(self, inbox: Inbox) -> None:
        """Keep all streams up until cancelled: connect, subscribe, hear, and connect again with growing pauses."""

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order. Never raises for what a venue or a network can do."""

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Ask for a cancel. Accepted means that the venue will try; what became of it is seen later."""

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Ask for a change."""

    async def fetch_order(self, client_order_id: str, instrument: int) -> OrderSeen | None:
        """An order by its client order id, open or not; None when the venue has never seen it."""

    async def fetch_open_orders(self) -> list[OrderSeen]:
        """All orders that are open in the instruments."""

    async def fetch_fills(self, since_ns: int) -> list[FillSeen]:
        """All executions since then in the instruments, oldest first."""

    async def fetch_positions(self) -> list[PositionSeen]:
        """What the account holds in each instrument; instruments that it does not hold are left out."""

    async def fetch_balances(self) -> list[BalanceSeen]:
        """The account's money."""

    async def fetch_time_ns(self) -> int:
        """The venue's clock."""

    async def fetch_bars(self, instrument: int, since_ns: int) -> list[MarketRow]:
        """Closed 1-minute bars that opened then or later, oldest first; at most 1,000."""

    async def close(self) -> None:
        """Let go of every connection."""
