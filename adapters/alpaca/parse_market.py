"""Alpaca's market data stream, from msgpack to market rows. Pure: no clock, no sockets.

Its numbers are binary floats: each is taken as its shortest decimal text, then to ticks and lots. What is passed over
is counted: updated bars (a bar that was closed stays as it was), daily bars, price bands, symbols that are not ours,
corrections and cancellations of trades.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec

from adapters.alpaca.markets import Market, Markets
from adapters.alpaca.parse import ParseError, read
from adapters.alpaca.times import MINUTE_NS, to_ns
from adapters.alpaca.wire import PAST_TRADES
from adapters.edge.seen import is_new
from kernel.lifecycle import BUY, SELL
from kernel.market import BAR, DEPTH, MESSAGE_END, NO_PRICE, QUOTE, SNAPSHOT, STATUS, TRADE
from kernel.units import UnitError
from kernel.venue import MarketRow

TRADING, HALTED, AUCTION = 0, 1, 3
REMEMBERED_TRADES = 8192  # of each symbol
# Codes of the tapes: 2, 3 of A and B; H, P, Q, T of C and O. The others (indications, imbalances, a short sale
# restriction) change nothing for an order. After Q quotes are shown, and the auction that reopens trading gathers.
STATUS_CODES = {"2": HALTED, "H": HALTED, "P": HALTED, "3": TRADING, "T": TRADING, "Q": AUCTION}
_AGGRESSORS = {"B": BUY, "S": SELL}
_COUNTED = {
    "u": "updated bars",
    "d": "daily bars",
    "l": "price bands",
    "n": "news",
    "c": "corrections",
    "x": "cancellations",
}


class Control(msgspec.Struct, frozen=True):
    """A message about the connection. ``kind`` is ``success``, ``error`` or ``subscription``."""

    kind: str
    text: str = ""
    code: int = 0
    channels: dict[str, list[str]] = {}


class DataMessage(msgspec.Struct, frozen=True):
    """What a frame held: rows in its order, messages about the connection, and what was passed over."""

    rows: list[MarketRow]
    control: list[Control]
    passed_over: Counter[str]


def parse_data(raw: bytes, markets: Markets) -> DataMessage:
    """Read a frame. Raises ParseError when it is not a list of messages, or one of ours is not as documented."""
    try:
        messages = msgpack.unpackb(raw, timestamp=0)
    except Exception as error:  # the library raises many kinds for bytes that are not msgpack
        raise ParseError(f"alpaca: a market frame cannot be read ({type(error).__name__}); {len(raw)} bytes") from None
    if not isinstance(messages, list):
        raise ParseError("alpaca: a market frame is not a list of messages")
    found = DataMessage([], [], Counter())
    for message in messages:
        try:
            _read(message, markets, found)
        except (KeyError, TypeError, ValueError, AttributeError, UnitError) as error:
            kind = message.get("T") if isinstance(message, dict) else type(message).__name__
            raise ParseError(f"alpaca: a market message {kind!r} cannot be read ({error})") from None
    return found


def _read(message: dict[str, Any], markets: Markets, found: DataMessage) -> None:
    kind = message["T"]
    if kind in ("success", "error"):
        found.control.append(Control(kind, str(message.get("msg", "")), int(message.get("code", 0))))
        return
    if kind == "subscription":
        channels = {name: list(value) for name, value in message.items() if isinstance(value, list)}
        found.control.append(Control(kind, channels=channels))
        return
    if kind in _COUNTED:
        found.passed_over[_COUNTED[kind]] += 1
        return
    market, reader = markets.get(message.get("S", "")), _READERS.get(kind)
    if market is None or reader is None:
        found.passed_over["other symbols" if market is None else "unknown messages"] += 1
        return
    rows = reader(message, market)
    if not rows:
        found.passed_over["messages without news"] += 1
    found.rows.extend(rows)


def _trade(message: dict[str, Any], market: Market) -> list[MarketRow]:
    """A trade, once: ids are an exchange's own, and may come again on another day."""
    at = to_ns(message["t"])
    price, quantity = market.ticks.nearest(message["p"]), market.lots.clipped(message["s"])
    side = _AGGRESSORS.get(message.get("tks", ""), 0)
    if not is_new(market.seen_trades, (at, message["i"], message.get("x")), REMEMBERED_TRADES):
        return []
    market.first_trade_ns = market.first_trade_ns or at
    market.last_trade_ns = max(market.last_trade_ns, at)
    return [(at, TRADE, market.place, price, quantity, side, 0, 0, 0)]


def parse_past_trades(raw: bytes, market: Market) -> tuple[list[MarketRow], str | None]:
    """The trades of a page of the past that were not seen yet, and the token of the next page. Raises ParseError."""
    page = read(PAST_TRADES, raw, "trades")
    rows: list[MarketRow] = []
    for trade in (page.trades or {}).get(market.symbol, []):
        try:
            rows += _trade(trade, market)
        except (KeyError, TypeError, ValueError, UnitError) as error:
            raise ParseError(f"alpaca: a trade of the past cannot be read ({error})") from None
    return rows, page.next_page_token


def _quote(message: dict[str, Any], market: Market) -> list[MarketRow]:
    bid, ask = message["bp"], message["ap"]
    return [
        (
            to_ns(message["t"]),
            QUOTE,
            market.place,
            market.ticks.nearest(bid) if bid else NO_PRICE,  # a side that is absent has the price 0
            market.lots.clipped(message["bs"]),
            market.ticks.nearest(ask) if ask else NO_PRICE,
            market.lots.clipped(message["as"]),
            0,
            0,
        )
    ]


def _bar(message: dict[str, Any], market: Market) -> list[MarketRow]:
    opened = to_ns(message["t"])
    nearest = market.ticks.nearest
    prices = (nearest(message["o"]), nearest(message["h"]), nearest(message["l"]), nearest(message["c"]))
    return [(opened + MINUTE_NS, BAR, market.place, *prices, market.lots.clipped(message["v"]), opened)]


def _status(message: dict[str, Any], market: Market) -> list[MarketRow]:
    status = STATUS_CODES.get(message["sc"])
    if status is None:
        return []
    return [(to_ns(message["t"]), STATUS, market.place, status, 0, 0, 0, 0, 0)]


def _book(message: dict[str, Any], market: Market) -> list[MarketRow]:
    """All levels of a message; ``r`` says that it replaces the book."""
    at = to_ns(message["t"])
    levels = [(1, level) for level in message.get("b") or []] + [(-1, level) for level in message.get("a") or []]
    rows: list[MarketRow] = []
    for number, (side, level) in enumerate(levels):
        flags = SNAPSHOT if message.get("r") and number == 0 else 0
        flags |= MESSAGE_END if number == len(levels) - 1 else 0
        price, size = market.ticks.nearest(level["p"]), market.lots.clipped(level["s"])
        rows.append((at, DEPTH, market.place, side, price, size, flags, 0, 0))
    return rows


_READERS: dict[str, Callable[[dict[str, Any], Market], list[MarketRow]]] = {
    "t": _trade,
    "q": _quote,
    "b": _bar,
    "s": _status,
    "o": _book,
}
