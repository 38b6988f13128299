"""The event catalogue: every event type, declared once.

From these declarations come the record layout that compiled code reads and writes, the codec, the SQL columns and the
reference page; nothing about an event is written a second time. A released declaration never changes: a new version
is a new declaration, and an upcaster joins the two.

Each class is one event type. Its fields are the payload words of the record, in order: signed 64-bit integers, at
most ten. What all events share (sequence, times, cause, instrument, strategy, account) is in the record header and is
not repeated. A field's unit is the end of its name: ticks, lots, minor (money), ns, rate (1/100,000,000).
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True):
    """Base of all events."""


Declared = TypeVar("Declared", bound=Event)


class EventType(msgspec.Struct, frozen=True):
    """What the catalogue knows of one event type.

    ``external`` marks an input (a fact from outside, never re-derived); ``market`` marks the inputs that a backtest
    journals by reference.
    """

    cls: type[Event]
    kind: int
    topic: str
    version: int
    market: bool
    external: bool

    @property
    def name(self) -> str:
        """The name of the event type, past tense, as in ``OrderFilled``."""
        return self.cls.__name__

    @property
    def table(self) -> str:
        """The name of its SQL view: the topic with underscores, as in ``execution_fill``."""
        return self.topic.replace(".", "_")

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the payload words, in order."""
        return self.cls.__struct_fields__

    @property
    def description(self) -> str:
        """One paragraph for people."""
        return " ".join((self.cls.__doc__ or "").split())


_BY_KIND: dict[int, EventType] = {}
_BY_CLASS: dict[type[Event], EventType] = {}


def declare(
    kind: int, topic: str, *, version: int = 1, market: bool = False, external: bool = False
) -> Callable[[type[Declared]], type[Declared]]:
    """Enter the decorated class into the catalogue under its kind number and topic."""

    def enter(cls: type[Declared]) -> type[Declared]:
        assert kind not in _BY_KIND, f"kind {kind} is declared twice"
        _BY_KIND[kind] = _BY_CLASS[cls] = EventType(cls, kind, topic, version, market, external)
        return cls

    return enter


def event_types() -> tuple[EventType, ...]:
    """All event types, by kind number."""
    return tuple(_BY_KIND[kind] for kind in sorted(_BY_KIND))


def by_kind(kind: int) -> EventType:
    """The event type of a kind number. Raises KeyError for a number that is not in the catalogue."""
    return _BY_KIND[kind]


def by_class(cls: type[Event]) -> EventType:
    """The event type of an event class."""
    return _BY_CLASS[cls]


# --- definitions: what the integers of later events mean --------------------------------------------------------


@declare(1, "run.opened", external=True)
class RunOpened(Event, frozen=True):
    """A history begins. The body is the resolved configuration."""

    instrument_count: int
    strategy_count: int
    start_ns: int
    end_ns: int
    digest_interval: int


@declare(2, "define.currency", external=True)
class CurrencyDefined(Event, frozen=True):
    """A currency gets its number and its scale. The body is its name."""

    currency: int
    scale: int


@declare(3, "define.instrument", external=True)
class InstrumentDefined(Event, frozen=True):
    """An instrument gets its number; minor units = ticks * lots * numerator / denominator. The body describes it."""

    currency: int
    numerator: int
    denominator: int
    volume_known: int


@declare(4, "define.strategy", external=True)
class StrategyDefined(Event, frozen=True):
    """A strategy gets its number. The body holds its name, instruments and parameters."""

    parameter_count: int


@declare(5, "risk.limits", external=True)
class LimitsSet(Event, frozen=True):
    """The pre-trade limits in force from here on; 0 means no limit."""

    order_lots: int
    order_notional_minor: int
    position_notional_minor: int
    price_band_rate: int
    margin_rate: int
    cost_buffer_rate: int
    open_orders: int


@declare(6, "account.deposit", external=True)
class CashDeposited(Event, frozen=True):
    """Money enters an account from outside (negative: it leaves)."""

    currency: int
    amount_minor: int


@declare(7, "venue.profile", external=True)
class VenueConfigured(Event, frozen=True):
    """The simulated venue's fill profile, fees and slippage. The body names the profile."""

    profile: int
    maker_fee_rate: int
    taker_fee_rate: int
    slippage_rate: int
    volume_share_rate: int


# --- market data ----------------------------------------------------------------------------------------------


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


@declare(19, "market.segment", external=True)
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


# --- timers and operators ---------------------------------------------------------------------------------------


@declare(24, "timer.set")
class TimerSet(Event, frozen=True):
    """A strategy asked to be woken; an interval of 0 means once. A due time of 0 removes the timer."""

    timer: int
    due_ns: int
    interval_ns: int


@declare(25, "timer.fired", external=True)
class TimerFired(Event, frozen=True):
    """A timer came due."""

    timer: int
    due_ns: int


@declare(28, "operator.halt", external=True)
class TradingHalted(Event, frozen=True):
    """New orders stop: for one instrument, or for all when the instrument is -1. The body gives the reason."""

    level: int


@declare(29, "operator.resume", external=True)
class TradingResumed(Event, frozen=True):
    """New orders are allowed again. The body gives the reason."""

    level: int


# --- orders -----------------------------------------------------------------------------------------------------


@declare(32, "execution.intent")
class OrderIntended(Event, frozen=True):
    """A strategy wants an order. The sequence of this event is the order's id for ever."""

    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int
    tag: int


@declare(33, "risk.check")
class RiskChecked(Event, frozen=True):
    """The verdict on an intent: approved (check 0), or refused by the check named, with its limit and what it saw."""

    order_id: int
    check: int
    limit: int
    value: int


@declare(34, "execution.accepted", external=True)
class OrderAccepted(Event, frozen=True):
    """The venue took the order."""

    order_id: int


@declare(35, "execution.rejected", external=True)
class OrderRejected(Event, frozen=True):
    """The venue refused the order, or dropped it, for a reason of its own."""

    order_id: int
    reason: int


@declare(36, "execution.fill", external=True)
class OrderFilled(Event, frozen=True):
    """The venue reports a fill; ``leaves_lots`` is what stays open."""

    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int
    liquidity: int
    trade_id: int


@declare(37, "execution.canceled", external=True)
class OrderCanceled(Event, frozen=True):
    """The venue cancelled what was left of the order: on request (reason 0), or by its time in force."""

    order_id: int
    leaves_lots: int
    reason: int


@declare(38, "execution.expired", external=True)
class OrderExpired(Event, frozen=True):
    """The order's time in force ended."""

    order_id: int
    leaves_lots: int


@declare(39, "execution.cancel_request")
class CancelRequested(Event, frozen=True):
    """A strategy wants the rest of an order cancelled."""

    order_id: int


@declare(40, "execution.replace_request")
class ReplaceRequested(Event, frozen=True):
    """A strategy wants an open order changed; the id stays."""

    order_id: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int


@declare(41, "execution.replaced", external=True)
class OrderReplaced(Event, frozen=True):
    """The venue changed the order; ``quantity_lots`` is the new total."""

    order_id: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int


@declare(42, "execution.request_refused")
class RequestRefused(Event, frozen=True):
    """A cancel or replace was not passed on: the order is not open, or the check named refused it."""

    order_id: int
    check: int
    limit: int
    value: int


# --- portfolio --------------------------------------------------------------------------------------------------


@declare(48, "portfolio.position")
class PositionChanged(Event, frozen=True):
    """The book of one strategy in one instrument after a fill, and the account's cash."""

    order_id: int
    quantity_lots: int
    cost_minor: int
    realised_minor: int
    fees_minor: int
    cash_minor: int


@declare(49, "portfolio.trade")
class TradeClosed(Event, frozen=True):
    """A round trip is over: from flat (or the turn) to flat (or the turn)."""

    ts_entry_ns: int
    ts_exit_ns: int
    side: int
    quantity_lots: int
    entry_minor: int
    exit_minor: int
    realised_minor: int
    fees_minor: int
    entry_sequence: int
    fill_count: int


# --- the journal about itself -------------------------------------------------------------------------------------


@declare(56, "journal.digest")
class StateDigest(Event, frozen=True):
    """SHA-256 of the whole state just before this event, as four big-endian 64-bit words."""

    digest_0: int
    digest_1: int
    digest_2: int
    digest_3: int


@declare(57, "journal.tail_discarded", external=True)
class TailDiscarded(Event, frozen=True):
    """After a crash a torn tail was set aside. The body says where it is kept."""

    frame: int
    tail_bytes: int


@declare(58, "run.closed", external=True)
class RunClosed(Event, frozen=True):
    """The history was ended on purpose."""

    row_count: int
    cash_minor: int
    equity_minor: int
    fill_count: int
