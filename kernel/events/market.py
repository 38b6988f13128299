"""Market data: what the world shows."""

from kernel.events.declaring import Event, declare


@declare(16, "market.candle", market=True, external=True)
class BarClosed(Event, frozen=True):
    """A bar is complete, and known from now on."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    ts_open_ns: int


@declare(17, "market.trade", market=True, external=True)
class TradeSeen(Event, frozen=True):
    """Somebody traded. Side is the aggressor: 1 buyer, -1 seller, 0 unknown."""

    price_ticks: int
    quantity_lots: int
    side: int


@declare(18, "market.quote", market=True, external=True)
class QuoteSeen(Event, frozen=True):
    """The best bid and offer changed."""

    bid_ticks: int
    bid_size_lots: int
    ask_ticks: int
    ask_size_lots: int


@declare(19, "market.depth", market=True, external=True)
class DepthChanged(Event, frozen=True):
    """One level of the order book: side 1 is a bid, -1 an ask; a size of 0 deletes it.

    Flags are bits: 1 begins a snapshot (both sides are cleared first), 2 is the last row of one message of the venue.
    """

    side: int
    price_ticks: int
    size_lots: int
    book_flags: int


@declare(20, "market.session", market=True, external=True)
class SessionChanged(Event, frozen=True):
    """The exchange's session opens (phase 1) or closes (phase 0); both instants are known at the open.

    Catalogue files say it one nanosecond after the close, so that what happened at the close comes first.
    """

    phase: int
    open_ns: int
    close_ns: int
    next_open_ns: int


@declare(21, "market.funding", market=True, external=True)
class FundingDue(Event, frozen=True):
    """A funding payment of a perpetual: longs pay the rate on the value at the mark price (negative: receive)."""

    rate: int
    mark_ticks: int
    interval_ns: int


@declare(22, "market.status", market=True, external=True)
class StatusChanged(Event, frozen=True):
    """Trading status at the venue: 0 trading, 1 halted, 2 maintenance, 3 auction."""

    status: int


@declare(23, "market.corporate_action", market=True, external=True)
class CorporateAction(Event, frozen=True):
    """Action 1: a dividend of numerator / denominator minor units a lot. Action 2: a split, numerator lots for
    denominator.
    """

    action: int
    numerator: int
    denominator: int


@declare(24, "market.rate", market=True, external=True)
class RateSet(Event, frozen=True):
    """A stated conversion rate: one minor unit of the first currency is numerator / denominator of the second's."""

    from_currency: int
    to_currency: int
    numerator: int
    denominator: int


@declare(25, "market.level", market=True, external=True)
class LevelSet(Event, frozen=True):
    """A number that the gates of risk and the exits read.

    Level 1 is a volatility index (in 1/100,000,000, for all instruments), 2 the average daily volume (in units, rounded
    down), 3 the time of the next earnings (in nanoseconds), 4 a measure of one lot of an option, such as its delta (in
    1/100,000,000).
    """

    level: int
    value: int


@declare(30, "market.segment", external=True)
class DataSegment(Event, frozen=True):
    """Carrier record, no event of its own: the market rows that this frame accounts for without storing them.

    The hash is SHA-256 over the canonical 64-byte rows in merged order, as four big-endian 64-bit words. Each row has
    a sequence of its own: the sequences of this frame that no stored record bears, in order.
    """

    row_count: int
    first_row: int
    first_ts_ns: int
    last_ts_ns: int
    hash_0: int
    hash_1: int
    hash_2: int
    hash_3: int
