"""The public stream: the text of a message to market rows. No input or output, no clock.

Owns what must be remembered between messages: trades and bars that were seen (bounded), the touch, and the number of
the last change of each order book. A book that skipped a change raises BookGapError once, and is
silent until its next snapshot.
"""

from collections.abc import Callable, Sequence

import msgspec

from adapters.bybit import wire
from adapters.bybit.funding import MINUTE_NS, MS, Fundings, Ticker
from adapters.bybit.units import Grid, Listed, ParseError
from adapters.edge.seen import is_new
from kernel.market import (
    BAR,
    DEPTH,
    MESSAGE_END,
    NO_PRICE,
    QUOTE,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIZE,
)
from kernel.venue import Feeds, MarketRow

DEPTHS = (50, 200, 1000)
REMEMBERED_TRADES = 8192
REMEMBERED_BARS = 64
REPEATED_MS = 1000

_TRADES = msgspec.json.Decoder(wire.Trades)
_BOOK = msgspec.json.Decoder(wire.Book)
_KLINES = msgspec.json.Decoder(wire.Klines)
START = '{"topic":"'  # of a message with market data


class BookGapError(Exception):
    """A book that is not whole any more: ``topic`` must be subscribed to again."""

    def __init__(self, topic: str, text: str) -> None:
        super().__init__(text)
        self.topic = topic


class MarketParser:
    """Messages of the public stream to rows, for the instruments and feeds that it was made for."""

    def __init__(self, listed: Sequence[Listed], feeds: Feeds, category: str, fundings: Fundings) -> None:
        self._handlers: dict[str, Callable[[str], list[MarketRow]]] = {}
        self._books: list[_Book] = []
        self.trades: list[Trades] = []
        for one in listed:
            for topic, handler in _handlers_of(one, feeds, category, fundings):
                self._handlers[topic] = handler.rows
                if isinstance(handler, _Book):
                    self._books.append(handler)
                elif isinstance(handler, Trades):
                    self.trades.append(handler)

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return list(self._handlers)

    def is_waiting(self) -> bool:
        """Whether a book still waits for a snapshot."""
        return any(book.is_waiting for book in self._books)

    def start_over(self) -> None:
        """A new connection: books start with its snapshots."""
        for book in self._books:
            book.is_waiting = True

    def parse(self, text: str) -> list[MarketRow] | None:
        """The rows of a message; None for one that is no market data. Raises ParseError and BookGapError."""
        if not text.startswith(START):
            return self._parse_slowly(text)
        handler = self._handlers.get(text[10 : text.find('"', 10)])
        if handler is None:
            return None
        return _decoded(handler, text)

    def _parse_slowly(self, text: str) -> list[MarketRow] | None:
        """A message whose topic does not come first."""
        try:
            topic = msgspec.json.decode(text, type=wire.PrivateMessage).topic
        except msgspec.MsgspecError:
            raise ParseError(f"not a message: {text[:80]!r}") from None
        handler = self._handlers.get(topic)
        return None if handler is None else _decoded(handler, text)


def _decoded(handler: Callable[[str], list[MarketRow]], text: str) -> list[MarketRow]:
    try:
        return handler(text)
    except ParseError:
        raise
    except (msgspec.MsgspecError, ValueError) as error:
        raise ParseError(f"not what its topic says ({error}): {text[:80]!r}") from None


def _handlers_of(one: Listed, feeds: Feeds, category: str, fundings: Fundings) -> list[tuple[str, "_Handler"]]:
    handlers: list[tuple[str, _Handler]] = []
    if feeds.trades:
        handlers.append((f"publicTrade.{one.symbol}", Trades(one)))
    if feeds.quotes:
        handlers.append((f"orderbook.1.{one.symbol}", _Touch(one)))
    if feeds.bars:
        handlers.append((f"kline.1.{one.symbol}", _Bars(one)))
    if feeds.depth:
        topic = f"orderbook.{book_depth(feeds.depth)}.{one.symbol}"
        handlers.append((topic, _Book(one, topic)))
    if category != "spot" and (feeds.funding or feeds.open_interest):
        handlers.append((f"tickers.{one.symbol}", Ticker(one, feeds, fundings)))
    return handlers


def book_depth(levels: int) -> int:
    """The least depth that the venue has with so many levels. Raises ValueError when it has none."""
    for depth in DEPTHS:
        if levels <= depth:
            return depth
    raise ValueError(f"an order book of {levels} levels: Bybit has at most {DEPTHS[-1]}")


class Trades:
    """Public trades, each once, from the stream and from the list of recent ones."""

    def __init__(self, one: Listed) -> None:
        self._one = one
        self._seen: dict[str, None] = {}
        self._first_ms = 0  # of the first trade that was seen: what came before it was not missed

    @property
    def symbol(self) -> str:
        """Whose trades they are."""
        return self._one.symbol

    @property
    def has_begun(self) -> bool:
        """Whether a trade was seen: before that none can be missed."""
        return bool(self._seen)

    def rows(self, text: str) -> list[MarketRow]:
        return self._rows_of(_TRADES.decode(text).data)

    def _rows_of(self, trades: Sequence[wire.Trade]) -> list[MarketRow]:
        number, ticks, lots, seen = self._one.number, self._one.ticks, self._one.lots, self._seen
        rows = []
        if trades and not self._first_ms:
            self._first_ms = trades[0].T
        for trade in trades:
            if is_new(seen, trade.i, REMEMBERED_TRADES):
                side = 1 if trade.S == "Buy" else -1
                price, size = ticks.exact(trade.p), lots.floor(trade.v)
                rows.append((trade.T * MS, TRADE, number, price, size, side, 0, 0, 0))
        return rows

    def missed(self, recent: Sequence[wire.RecentTrade]) -> tuple[list[MarketRow], bool]:
        """Of the recent trades (newest first) those that were not seen, oldest first; and whether none is missing."""
        reaches_back = any(trade.exec_id in self._seen for trade in recent)
        data = [
            wire.Trade(T=int(trade.time), S=trade.side, v=trade.size, p=trade.price, i=trade.exec_id)
            for trade in reversed(recent)
            if int(trade.time) >= self._first_ms
        ]
        return self._rows_of(data), reaches_back


class _Touch:
    """Both best sides. A change of one side leaves the other as it was.

    What is told again at once is passed over. In a quiet market the venue repeats itself every three seconds, and so
    does this: it shows that the price is not old.
    """

    def __init__(self, one: Listed) -> None:
        self._one = one
        self._last: tuple[int, ...] = ()
        self._told_ms = self._u = 0

    def rows(self, text: str) -> list[MarketRow]:
        book = _BOOK.decode(text)
        data, one = book.data, self._one
        is_whole = book.type == "snapshot"
        if not is_whole and (data.u <= self._u or not self._last):
            return []
        self._u = data.u
        before = () if is_whole else self._last
        bid = _best(data.b, one.ticks, one.lots, before[:2])
        ask = _best(data.a, one.ticks, one.lots, before[2:])
        now = (*bid, *ask)
        is_repeated = now == self._last
        if is_repeated and book.ts - self._told_ms < REPEATED_MS:
            return []
        self._last, self._told_ms = now, book.ts
        # The matching engine's time stands still with the book; of a repetition it is the message's that counts.
        ts_ms = book.ts if is_repeated else book.cts or book.ts
        return [(ts_ms * MS, QUOTE, one.number, *now, 0, 0)]


def _best(levels: list[tuple[str, str]], ticks: Grid, lots: Grid, before: tuple[int, ...]) -> tuple[int, int]:
    """One side after its changes: a level with a size is the best one now, one of size 0 is gone."""
    price, size = (before[0], before[1]) if before else (NO_PRICE, UNKNOWN_SIZE)
    for price_text, size_text in levels:
        new_price, new_size = ticks.exact(price_text), lots.floor(size_text)
        if size_text.strip("0."):
            return new_price, new_size
        if new_price == price:
            price, size = NO_PRICE, UNKNOWN_SIZE
    return price, size


class _Bars:
    """Bars that are confirmed; known at their close."""

    def __init__(self, one: Listed) -> None:
        self._one = one
        self._seen: dict[int, None] = {}

    def rows(self, text: str) -> list[MarketRow]:
        rows = []
        for bar in _KLINES.decode(text).data:
            if bar.confirm and is_new(self._seen, bar.start, REMEMBERED_BARS):
                rows.append(bar_row(self._one, bar.start, (bar.open, bar.high, bar.low, bar.close), bar.volume))
        return rows


def bar_row(one: Listed, start_ms: int, prices: Sequence[str], volume: str) -> MarketRow:
    """The row of a closed minute; ``prices`` are open, high, low, close."""
    opened, high, low, close = (one.ticks.exact(price) for price in prices)
    open_ns = start_ms * MS
    return (open_ns + MINUTE_NS, BAR, one.number, opened, high, low, close, one.lots.floor(volume), open_ns)


class _Book:
    def __init__(self, one: Listed, topic: str) -> None:
        self._one = one
        self._topic = topic
        self._u = self._seq = 0
        self.is_waiting = True

    def rows(self, text: str) -> list[MarketRow]:
        book = _BOOK.decode(text)
        data = book.data
        is_snapshot = book.type == "snapshot"
        if is_snapshot:
            self.is_waiting = False
        elif self.is_waiting or data.u <= self._u:
            return []
        elif data.u != self._u + 1 or data.seq < self._seq:
            self.is_waiting = True
            raise BookGapError(self._topic, f"{self._topic}: change {data.u} after {self._u}")
        self._u, self._seq = data.u, data.seq
        return self._changes((book.cts or book.ts) * MS, data, SNAPSHOT if is_snapshot else 0)

    def _changes(self, ts_ns: int, data: wire.BookLevels, first_flag: int) -> list[MarketRow]:
        one = self._one
        rows: list[MarketRow] = []
        for side, levels in ((1, data.b), (-1, data.a)):
            for price, size in levels:
                words = (side, one.ticks.exact(price), one.lots.floor(size), first_flag, 0, 0)
                rows.append((ts_ns, DEPTH, one.number, *words))
                first_flag = 0
        if rows:
            last = rows[-1]
            rows[-1] = (*last[:6], last[6] | MESSAGE_END, 0, 0)
        return rows


_Handler = Trades | _Touch | _Bars | _Book | Ticker
