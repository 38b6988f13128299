"""Strategies in plain Python: subclass ``Strategy`` and write the handlers that you need.

Slower than compiled ones and otherwise equal: they see the same state, wish through the same intents, and leave the
same events. Class attributes with an ``int`` or ``float`` annotation are the parameters. One object is made for each
instrument, or one for all when ``per = "portfolio"``.

A strategy must be deterministic: no clock, no randomness, no files, nothing that differs between two runs. Its own
attributes are not part of the journal; whatever it does with them is proven by what it decides.
"""

import inspect
from typing import Any, ClassVar

import msgspec

from kernel.events.layout import (
    BAR_CLOSED,
    CORPORATE_ACTION,
    DEPTH_CHANGED,
    FILLED,
    FUNDING_DUE,
    LEVEL_SET,
    MODEL_SIGNAL,
    QUOTE_SEEN,
    RATE_SET,
    SESSION_CHANGED,
    STATUS_CHANGED,
    TIMER_FIRED,
    TRADE_SEEN,
)
from kernel.strategy import api_nb
from kernel.strategy.context import (
    ACTION,
    BAR,
    CALL_NAMES,
    DEPTH,
    FILL,
    FUNDING,
    LEVEL,
    MODEL,
    QUOTE,
    RATE,
    SESSION,
    START,
    STATUS,
    TIMER,
    TRADE,
)
from kernel.strategy.wishes import Wishes

# Market events that come as their words: the handler, and how many words there are.
_FACTS = {
    kind: (f"on_{CALL_NAMES[kind]}", len(positions) - 1)
    for kind, positions in (
        (FUNDING, FUNDING_DUE),
        (STATUS, STATUS_CHANGED),
        (ACTION, CORPORATE_ACTION),
        (RATE, RATE_SET),
        (LEVEL, LEVEL_SET),
        (MODEL, MODEL_SIGNAL),
    )
}


class Bar(msgspec.Struct, frozen=True):
    """A bar that has closed. Prices in ticks, volume in lots; ``series`` is its place among the strategy's ``bars``."""

    instrument: int
    ts_ns: int
    ts_open_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    series: int = 0


class Trade(msgspec.Struct, frozen=True):
    """A trade of others. ``side`` is the aggressor: 1 buyer, -1 seller, 0 unknown."""

    instrument: int
    ts_ns: int
    price_ticks: int
    quantity_lots: int
    side: int


class Quote(msgspec.Struct, frozen=True):
    """The best bid and offer; an absent side has ``kernel.market.NO_PRICE``."""

    instrument: int
    ts_ns: int
    bid_ticks: int
    bid_size_lots: int
    ask_ticks: int
    ask_size_lots: int


class Depth(msgspec.Struct, frozen=True):
    """One level of the order book: side 1 is a bid, -1 an ask; 0 lots delete it. Flags as in ``kernel.market``."""

    instrument: int
    ts_ns: int
    side: int
    price_ticks: int
    size_lots: int
    book_flags: int


class Session(msgspec.Struct, frozen=True):
    """The exchange's session opens (phase 1) or closes (phase 0)."""

    instrument: int
    ts_ns: int
    phase: int
    open_ns: int
    close_ns: int
    next_open_ns: int


class Fact(msgspec.Struct, frozen=True):
    """Another market event: its event type in ``kernel.events.market`` says what the words are, in order."""

    instrument: int
    ts_ns: int
    words: tuple[int, ...]


class Fill(msgspec.Struct, frozen=True):
    """A fill of one of the strategy's own orders; the book already holds it."""

    instrument: int
    ts_ns: int
    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int


class Timer(msgspec.Struct, frozen=True):
    """A timer that the strategy set is due."""

    instrument: int
    ts_ns: int
    timer: int


class Strategy(Wishes):
    """Base class of strategies in plain Python."""

    name: ClassVar[str] = ""
    per: ClassVar[str] = "instrument"
    # As in ``kernel.strategy.declare``; ``kernel check warmup`` holds it to them.
    warm_up: ClassVar[int] = 0
    settle: ClassVar[int] = 0
    settle_days: ClassVar[int] = 0
    features: ClassVar[Any] = ()  # names of features, or a static method that gives them for the parameters
    bars: ClassVar[tuple[str, ...]] = ()  # rules of the series that ``on_bar`` hears, instead of the data's own bars

    def __init__(self, context: Any, instrument: int, parameters: dict[str, int | float]) -> None:
        self._context = context
        self.instrument = instrument
        for key, value in parameters.items():
            setattr(self, key, value)

    # --- what happens: override what you need ---

    def on_start(self) -> None:
        """Called once before the first event."""

    def on_bar(self, bar: Bar) -> None:
        """Called for each bar of the strategy's instruments."""

    def on_trade(self, trade: Trade) -> None:
        """Called for each trade of others."""

    def on_quote(self, quote: Quote) -> None:
        """Called for each change of the best bid and offer."""

    def on_depth(self, depth: Depth) -> None:
        """Called for each change of a level of the order book."""

    def on_session(self, session: Session) -> None:
        """Called when a session of the exchange opens or closes."""

    def on_funding(self, funding: Fact) -> None:
        """Called for each funding payment that is due (``FundingDue``)."""

    def on_status(self, status: Fact) -> None:
        """Called for each change of the trading status (``StatusChanged``)."""

    def on_corporate_action(self, action: Fact) -> None:
        """Called for each dividend or split (``CorporateAction``)."""

    def on_rate(self, rate: Fact) -> None:
        """Called for each stated conversion rate (``RateSet``)."""

    def on_level(self, level: Fact) -> None:
        """Called for each level, such as a volatility index (``LevelSet``)."""

    def on_model(self, signal: Fact) -> None:
        """Called for each signal of a model outside (``ModelSignalSeen``)."""

    def on_fill(self, fill: Fill) -> None:
        """Called for each fill of the strategy's own orders."""

    def on_timer(self, timer: Timer) -> None:
        """Called when a timer that the strategy set is due."""

    # --- what it can see ---

    @property
    def position_lots(self) -> int:
        """Signed lots held in the event's instrument."""
        return int(api_nb.position_lots(self._context))

    def position_in(self, instrument: int) -> int:
        """Signed lots held in an instrument."""
        return int(api_nb.position_in(self._context, instrument))

    def pending_in(self, instrument: int) -> int:
        """Signed lots that open orders in an instrument may still trade."""
        return int(api_nb.pending_in(self._context, instrument))

    def last_ticks(self, instrument: int) -> int:
        """Last price of an instrument; 0 before the first."""
        return int(self._context.state.instruments[instrument].last_ticks)

    def feature(self, index: int, instrument: int | None = None) -> float:
        """A value of ``features``, counted over all outputs from 0; NaN before its look-back."""
        at = self._context.call.instrument if instrument is None else instrument
        return float(api_nb.feature_in(self._context, int(at), int(index)))

    @property
    def equity_minor(self) -> int:
        """Equity of the account in minor units."""
        return int(api_nb.equity_minor(self._context))

    def lots_for_fraction(self, instrument: int, fraction: float) -> int:
        """Whole lots that ``fraction`` of equity buys at the last price."""
        return int(api_nb.lots_for_fraction(self._context, instrument, float(fraction)))

    @property
    def open_orders(self) -> list[int]:
        """Ids of the strategy's open orders in the event's instrument, oldest first."""
        state, call = self._context.state, self._context.call
        orders = state.orders[: state.head.order_count]
        mine = (orders["strategy"] == call.strategy) & (orders["instrument"] == call.instrument)
        return [int(order_id) for order_id in orders["order_id"][mine]]

    def _called(self, kind: int) -> None:
        """What the engine calls, for the event that the context holds."""
        deliver(self, kind)


def strategy_name(cls: type[Strategy]) -> str:
    """What the journal calls the strategy: its ``name``, or the name of the class."""
    return cls.name or cls.__name__


def parameter_defaults(cls: type[Strategy]) -> dict[str, int | float]:
    """The parameters of a strategy class with their defaults: its annotated ``int`` and ``float`` attributes."""
    defaults: dict[str, int | float] = {}
    for base in reversed(cls.__mro__):
        for name, kind in inspect.get_annotations(base, eval_str=True).items():
            if kind in (int, float) and hasattr(cls, name):
                defaults[name] = kind(getattr(cls, name))
    return defaults


def deliver(strategy: Strategy, kind: int) -> None:
    """Call the handler for the event that the context holds."""
    call = strategy._context.call
    instrument, ts_ns, words = int(call.instrument), int(call.ts_ns), call.words.tolist()
    if kind == BAR:
        ts_open_ns = words[BAR_CLOSED.ts_open_ns]
        values = [*words[: BAR_CLOSED.ts_open_ns], int(call.series)]
        strategy.on_bar(Bar(instrument, ts_ns, ts_open_ns, *values))
    elif kind == TRADE:
        strategy.on_trade(Trade(instrument, ts_ns, *words[: TRADE_SEEN.side + 1]))
    elif kind == QUOTE:
        strategy.on_quote(Quote(instrument, ts_ns, *words[: QUOTE_SEEN.ask_size_lots + 1]))
    elif kind == DEPTH:
        strategy.on_depth(Depth(instrument, ts_ns, *words[: DEPTH_CHANGED.book_flags + 1]))
    elif kind == SESSION:
        strategy.on_session(Session(instrument, ts_ns, *words[: SESSION_CHANGED.next_open_ns + 1]))
    elif kind in _FACTS:
        handler, size = _FACTS[kind]
        getattr(strategy, handler)(Fact(instrument, ts_ns, tuple(words[:size])))
    elif kind == FILL:
        strategy.on_fill(Fill(instrument, ts_ns, *words[: FILLED.fee_minor + 1]))
    elif kind == TIMER:
        strategy.on_timer(Timer(instrument, ts_ns, words[TIMER_FIRED.timer]))
    else:
        assert kind == START
        strategy.on_start()
