"""Events as people read them: decimals, names and times instead of integers.

Owns the meaning of the payload fields (by the unit at the end of their name), one phrase for each event type, and the
JSON object of an event. Knows no terminal.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from kernel.events import catalogue as events
from kernel.events.body import decode_body, shown_body
from kernel.events.layout import Stored
from kernel.lifecycle import MAKER, ORDER_TYPE_NAMES, SIDE_NAMES, TAKER, TIME_IN_FORCE_NAMES
from kernel.market import MESSAGE_END, NO_PRICE, SNAPSHOT, UNKNOWN_SIZE
from kernel.plurals import counted
from kernel.risk.numbers import CHECKS
from kernel.units import RATE_SCALE
from replay.inspect import (
    bar_phrases,
    custody_phrases,
    feature_phrases,
    live_phrases,
    pipeline_phrases,
    risk_phrases,
    signal_phrases,
)
from replay.inspect.names import Names, Scale
from replay.inspect.order_phrases import ORDER_PHRASES, ORDER_SPECIALS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
_PERCENT = Scale(100, len(str(RATE_SCALE)) - 1)
CHECK_NAMES = {0: "approved", **{number: check.name for number, check in CHECKS.items()}}
DEPTH_FLAG_NAMES = {SNAPSHOT: "snapshot", MESSAGE_END: "end", SNAPSHOT | MESSAGE_END: "snapshot, end"}
LIQUIDITY_NAMES = {TAKER: "taker", MAKER: "maker"}
FIELD_NAMES: dict[str, dict[int, str]] = {
    **signal_phrases.FIELD_NAMES,
    "side": SIDE_NAMES,
    "order_type": ORDER_TYPE_NAMES,
    "time_in_force": TIME_IN_FORCE_NAMES,
    "check": CHECK_NAMES,
    "liquidity": LIQUIDITY_NAMES,
    "book_flags": DEPTH_FLAG_NAMES,
}
# Sides that are not those of an order.
_OTHER_SIDES: dict[type[events.Event], dict[int, str]] = {
    events.TradeSeen: {1: "buyer", -1: "seller", 0: "unknown"},
    events.TradeClosed: {1: "long", -1: "short"},
    events.DepthChanged: {1: "bid", -1: "ask"},
}

# [..] is left out when a field in it is empty.
_PHRASES: dict[type[events.Event], str] = {
    **signal_phrases.PHRASES,
    **feature_phrases.PHRASES,
    **pipeline_phrases.PHRASES,
    **bar_phrases.PHRASES,
    events.RunOpened: "{instruments}, {strategies}[, from {start_ns}][, to {end_ns}]",
    events.CurrencyDefined: "{body} with {scale} decimals",
    events.InstrumentDefined: "tick {tick}, lot {lot}, {currency_name}",
    events.StrategyDefined: "{parameters}",
    events.LimitsSet: "[order {order_lots} lots, ][order {order_notional_minor}, ]"
    "[position {position_notional_minor}, ][price band {price_band_rate}, ][{open_orders} open orders, ]"
    "margin {margin_rate}, cost buffer {cost_buffer_rate}",
    events.CashDeposited: "{amount_minor} {currency_name}",
    events.VenueConfigured: "{body}, maker {maker_fee_rate}, taker {taker_fee_rate}, slippage {slippage_rate}, "
    "volume share {volume_share_rate}",
    events.BarClosed: "open {open_ticks}  high {high_ticks}  low {low_ticks}  close {close_ticks}"
    "[  volume {volume_lots}]",
    events.TradeSeen: "{quantity_lots} at {price_ticks}, aggressor {side}",
    events.QuoteSeen: "bid {bid_ticks}[ x {bid_size_lots}]  ask {ask_ticks}[ x {ask_size_lots}]",
    events.DepthChanged: "{side} {price_ticks}: {size_lots}[, {book_flags}]",
    events.TimerSet: "timer {timer}[ due {due_ns}][ every {interval}]",
    events.TimerFired: "timer {timer}, due {due_ns}",
    events.TradingHalted: "[{body}]",
    events.TradingResumed: "[{body}]",
    **ORDER_PHRASES,
    **risk_phrases.PHRASES,
    **custody_phrases.PHRASES,
    **live_phrases.PHRASES,
    events.PositionChanged: "holds {quantity_lots}, cost {cost_minor}, realised {realised_minor}, cash {cash_minor}",
    events.TradeClosed: "{side} {quantity_lots}, realised {realised_minor}, fees {fees_minor}, {fills}, "
    "since {ts_entry_ns}",
    events.StateDigest: "{digest}",
    events.TailDiscarded: "frame {frame}, {tail_bytes} bytes[, {body}]",
    events.RunForked: "from event {parent_sequence} of its parent, in frame {frame} with hash {parent_hash}[, {body}]",
    events.RunClosed: "{rows}, {fills}, cash {cash_minor}, equity {equity_minor}",
}
_PARTS = re.compile(r"\[([^\]]*)\]|([^\[]+)")
_FIELD = re.compile(r"\{(\w+)\}")
# Numbers that say nothing, so that what is around them is left out too.
_HIDDEN: dict[str, tuple[int, ...]] = {
    **signal_phrases.HIDDEN,
    **dict.fromkeys(("start_ns", "end_ns", "due_ns", "limit_ticks", "stop_ticks", "leaves_lots", "order_lots"), (0,)),
    **dict.fromkeys(("excess_lots", "unprotected_lots"), (0,)),
    **dict.fromkeys(("order_notional_minor", "position_notional_minor", "price_band_rate"), (0,)),
    **dict.fromkeys(("tag", "order_id", "open_orders", "book_flags"), (0,)),
    **dict.fromkeys(("volume_lots", "bid_size_lots", "ask_size_lots"), (UNKNOWN_SIZE,)),
}
# A verdict's limit and value are in the unit of the check.
_CHECK_UNITS = {"lots": "lots", "money": "minor", "rate": "rate", "ns": "ns"}
_VERDICT_UNITS = {check.name: _CHECK_UNITS[check.unit] for check in CHECKS.values() if check.unit in _CHECK_UNITS}


@lru_cache(4096)
def time_text(ts_ns: int) -> str:
    """``2016-05-25 04:00:00``, with decimals of the second where it has some. UTC."""
    seconds, rest_ns = divmod(ts_ns, _SECOND_NS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest_ns:09d}".rstrip("0") if rest_ns else text


def iso_time(ts_ns: int) -> str:
    """ISO 8601 with as many decimals of the second as it has, for machines."""
    return time_text(ts_ns).replace(" ", "T") + "Z"


def duration_text(length_ns: int) -> str:
    """``4h``, ``1m30s``, ``0.5s``."""
    seconds, rest_ns = divmod(length_ns, _SECOND_NS)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    if seconds or rest_ns or not parts:
        parts.append(f"{seconds}" + (f".{rest_ns:09d}".rstrip("0") if rest_ns else "") + "s")
    return "".join(parts)


def rate_text(rate: int) -> str:
    """A rate as a percentage."""
    return _PERCENT.text(rate, least=0) + "%"


def _plain_phrase(kind: type[events.Event]) -> str:
    """The phrase of an event that has none of its own: each field with its name."""
    names = kind.__struct_fields__
    return ", ".join(f"{name.rpartition('_')[0].replace('_', ' ') or name} {{{name}}}" for name in names) + "[, {body}]"


Getter = Callable[[Stored], str]


class _Part(NamedTuple):
    """A stretch of a phrase; an optional one is left out when a field in it is empty."""

    optional: bool
    texts: list[str]
    getters: list[Getter]


class Phrases:
    """Text and JSON of the events of one journal."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._compiled: dict[type[events.Event], list[_Part]] = {}

    def sentence(self, stored: Stored) -> str:
        """What the event says, in one line without its header."""
        kind = type(stored.event)
        parts = self._compiled.get(kind)
        if parts is None:
            parts = self._compiled[kind] = [
                _Part(bool(match[1] is not None), *self._parse(kind, match[1] or match[2]))
                for match in _PARTS.finditer(_PHRASES.get(kind) or _plain_phrase(kind))
            ]
        said = []
        for optional, texts, getters in parts:
            values = [getter(stored) for getter in getters]
            if not optional or all(values):
                said.append("".join([text + value for text, value in zip(texts, [*values, ""], strict=True)]))
        return "".join(said)

    def _parse(self, kind: type[events.Event], template: str) -> tuple[list[str], list[Getter]]:
        """The texts around the fields of a template, and what gives each field's value."""
        pieces = _FIELD.split(template)
        return pieces[::2], [self._getter(kind, name) for name in pieces[1::2]]

    def json(self, stored: Stored) -> dict[str, Any]:
        """Raw integers and names under stable keys."""
        kind = stored.type
        return {
            "sequence": stored.sequence,
            "event": kind.name,
            "topic": kind.topic,
            "ts_event": iso_time(stored.ts_event_ns),
            "ts_event_ns": stored.ts_event_ns,
            "ts_ingest_ns": stored.ts_ingest_ns,
            "cause": stored.cause,
            "instrument": stored.instrument,
            "instrument_name": self._names.instrument(stored.instrument) or None,
            "strategy": stored.strategy,
            "strategy_name": self._names.strategy(stored.strategy) or None,
            "account": stored.account,
            "fields": {name: getattr(stored.event, name) for name in kind.fields},
            "body": shown_body(stored.body),
        }

    def _getter(self, kind: type[events.Event], name: str) -> Getter:
        """What gives a field as text; empty text where the field says nothing."""
        names = self._names
        special = _SPECIAL.get((kind, name)) or _SPECIAL.get((None, name))
        if special is not None:
            return lambda stored: str(special(names, stored))
        if name in FIELD_NAMES:
            meanings = _OTHER_SIDES.get(kind, FIELD_NAMES[name]) if name == "side" else FIELD_NAMES[name]
            return lambda stored: meanings.get(getattr(stored.event, name)) or str(getattr(stored.event, name))
        text = _unit_text(names, name)
        hidden = _HIDDEN.get(name, ())
        return lambda stored: (
            "" if (number := getattr(stored.event, name)) in hidden else text(number, stored.instrument)
        )


def _unit_text(names: Names, name: str) -> Callable[[int, int], str]:
    """The text of a number and an instrument, by the unit at the end of the field's name."""
    if name.endswith("_ticks"):
        return lambda number, instrument: "none" if number == NO_PRICE else names.price(number, instrument)
    if name.endswith("_lots"):
        return names.quantity
    if name.endswith("_minor"):
        return lambda number, instrument: names.money(number, names.currency_of(instrument))
    if name.endswith("_ns"):
        return lambda number, instrument: time_text(number)
    if name.endswith("_rate"):
        return lambda number, instrument: rate_text(number)
    return lambda number, instrument: str(number)


def _body(names: Names, stored: Stored) -> str:
    value = shown_body(stored.body)
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {item}" for key, item in value.items())
    return "" if value is None else str(value)


def _parameters(names: Names, stored: Stored) -> str:
    value = decode_body(stored.body)
    return ", ".join(f"{key} {item}" for key, item in value["parameters"].items()) or "no parameters"


def _from_body(key: str) -> Any:
    return lambda names, stored: (decode_body(stored.body) or {}).get(key, "?")


def _verdict(field: str) -> Any:
    def text(names: Names, stored: Stored) -> str:
        check = CHECK_NAMES.get(stored.event.check, "")  # type: ignore[attr-defined]
        number = getattr(stored.event, field)
        if not stored.event.check or check in ("invalid_order", "no_market", "halted", "not_open"):  # type: ignore[attr-defined]
            return ""
        unit = "time" if risk_phrases.is_stopped(stored.event) else _VERDICT_UNITS.get(check, "")
        if number == -(1 << 63):
            return "more than fits"
        if unit == "lots":
            return names.quantity(number, stored.instrument)
        length = time_text if risk_phrases.is_time(stored.event) else duration_text
        texts: dict[str, Callable[[int], str]] = {
            "minor": names.money,
            "rate": rate_text,
            "time": time_text,
            "ns": lambda number: length(number) if number >= 0 else "none",
        }
        return texts.get(unit, str)(number)

    return text


def _digest(names: Names, stored: Stored) -> str:
    return _hex(*(getattr(stored.event, name) for name in stored.type.fields))


def _hex(*words: int) -> str:
    return "".join(f"{word & (1 << 64) - 1:016x}" for word in words)


_SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    **signal_phrases.SPECIAL,
    **feature_phrases.SPECIAL,
    **pipeline_phrases.SPECIAL,
    **bar_phrases.SPECIAL,
    **risk_phrases.SPECIAL,
    **custody_phrases.SPECIAL,
    **live_phrases.SPECIAL,
    (None, "body"): _body,
    (None, "currency_name"): lambda names, stored: names.currency_name(getattr(stored.event, "currency", 0)),
    (events.RunOpened, "instruments"): lambda names, stored: counted(stored.event.instrument_count, "instrument"),
    (events.RunOpened, "strategies"): lambda names, stored: counted(stored.event.strategy_count, "strategy"),
    (events.TradeClosed, "fills"): lambda names, stored: counted(stored.event.fill_count, "fill"),
    (events.RunForked, "parent_hash"): lambda names, stored: _hex(
        stored.event.hash_0, stored.event.hash_1, stored.event.hash_2, stored.event.hash_3
    ),
    (events.RunClosed, "rows"): lambda names, stored: counted(stored.event.row_count, "market row"),
    (events.RunClosed, "fills"): lambda names, stored: counted(stored.event.fill_count, "fill"),
    (events.InstrumentDefined, "tick"): _from_body("tick_size"),
    (events.InstrumentDefined, "lot"): _from_body("lot_size"),
    (events.StrategyDefined, "parameters"): _parameters,
    (events.RiskChecked, "limit"): _verdict("limit"),
    (events.RiskChecked, "value"): _verdict("value"),
    (events.KillSwitchTripped, "limit"): _verdict("limit"),
    (events.KillSwitchTripped, "value"): _verdict("value"),
    (events.EntriesStopped, "limit"): _verdict("limit"),
    (events.EntriesStopped, "value"): _verdict("value"),
    (events.RequestRefused, "limit"): _verdict("limit"),
    (events.RequestRefused, "value"): _verdict("value"),
    (events.StateDigest, "digest"): _digest,
    (events.TimerSet, "interval"): lambda names, stored: (
        duration_text(stored.event.interval_ns) if stored.event.interval_ns else ""
    ),
    **ORDER_SPECIALS,
}
