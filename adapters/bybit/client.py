"""One account at Bybit as a ``VenueAdapter``: a thin shell around ``parse``, ``render``, ``errors`` and the streams."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from adapters.bybit import wire
from adapters.bybit.connection import Connection
from adapters.bybit.funding import Fundings
from adapters.bybit.market import MarketParser, book_depth
from adapters.bybit.parse import (
    PrivateParser,
    balances_seen,
    closed_bars,
    described,
    holdings_seen,
    order_seen,
    position_seen,
    rules_of,
)
from adapters.bybit.render import NotSupportedError, Params, amend_params, cancel_params, create_params
from adapters.bybit.rest import Rest, shown
from adapters.bybit.settings import BybitSettings
from adapters.bybit.streams import MarketStream, PrivateStream
from adapters.bybit.units import Listed, ParseError
from kernel.instruments import Instrument
from kernel.lifecycle import REJECT_UNKNOWN_ORDER
from kernel.venue import (
    BalanceSeen,
    CancelOrder,
    Feeds,
    FillSeen,
    Inbox,
    InstrumentRules,
    MarketRow,
    NewOrder,
    OrderSeen,
    Outcome,
    OutcomeStatus,
    PositionSeen,
    ReplaceOrder,
    Stream,
    StreamStatus,
    VenueError,
    VenueInstrument,
)

MS = 1_000_000
WEEK_MS = 7 * 24 * 3600 * 1000
OLDEST_WEEKS = 104  # the venue keeps executions for two years
MAXIMUM_BARS = 1000
MINUTE_MS = 60_000
SPOT_TRADES, CONTRACT_TRADES = 60, 1000  # that the venue lists at most
FEW = 3  # instruments that are asked about one by one


class BybitAdapter:
    """See ``kernel.venue.VenueAdapter``. ``fetch_fills`` also brings fundings that were missed, as market rows."""

    name = "bybit"

    def __init__(self, settings: BybitSettings) -> None:
        self._settings = settings
        self._connection = Connection(settings)
        self._orders = Connection(settings)
        self._rest = Rest(self._connection, self._orders, settings)
        self._fundings = Fundings()
        self._intervals_ns: dict[str, int] = {}
        self._book: dict[str, Listed] = {}
        self._listed: list[Listed] = []
        self._feeds = Feeds()
        self._rules: dict[str, InstrumentRules] = {}
        self._inbox: Inbox | None = None
        self._look = asyncio.Event()

    @property
    def orders_client(self) -> Connection:
        """ccxt's client through which orders leave: for who wants to trace its requests."""
        return self._orders

    async def describe(self, symbols: Sequence[str]) -> list[VenueInstrument]:
        """The instruments, in the order of the symbols. Raises VenueError (fatal) for one that is not there."""
        found = []
        for symbol in symbols:
            info = await self._info(symbol)
            try:
                found.append(described(info, self._settings.category))
            except ParseError as error:
                raise VenueError(f"Bybit {self._settings.category}: {error}", is_fatal=True) from None
            self._intervals_ns[symbol] = (info.funding_interval or 480) * 60 * 10**9
            self._rules[symbol] = found[-1].rules
        return found

    async def _info(self, symbol: str) -> wire.InstrumentInfo:
        params = {"category": self._settings.category, "symbol": symbol}
        text = f"Bybit has no {self._settings.category} symbol {symbol}; write it as the venue does, such as BTCUSDT"
        try:
            infos = await self._rest.pages("public_get_v5_market_instruments_info", params, wire.InstrumentInfo)
        except VenueError as error:
            if not error.is_fatal:
                raise
            raise VenueError(f"{text} ({error})", is_fatal=True) from None
        for info in infos:
            if info.symbol == symbol:
                return info
        raise VenueError(text, is_fatal=True)

    async def open(self, instruments: Sequence[Instrument], feeds: Feeds) -> None:
        """From here on instruments are known by their places in this list; the clocks are compared."""
        try:
            book_depth(feeds.depth)
        except ValueError as error:
            raise VenueError(str(error), is_fatal=True) from None
        self._listed = [Listed(number, instrument) for number, instrument in enumerate(instruments)]
        self._book = {one.symbol: one for one in self._listed}
        self._feeds = feeds
        await self.fetch_time_ns()

    # --- streams ---------------------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """Keep all streams up until cancelled, and look at the venue's rules now and then."""
        self._inbox = inbox
        settings = self._settings
        parser = MarketParser(self._listed, self._feeds, settings.category, self._fundings)
        async with asyncio.TaskGroup() as group:
            if parser.topics:
                market = MarketStream(self._connection, settings, inbox, parser, self._look.set, self._recent_trades)
                group.create_task(market.keep_up())
            else:
                inbox.stream(Stream.MARKET, StreamStatus.UP, "no market data is wanted")
            if settings.has_key:
                private = PrivateStream(self._connection, settings, inbox, self._private_parser())
                group.create_task(private.keep_up())
            group.create_task(self._watch_rules(inbox))

    async def _recent_trades(self, symbol: str) -> list[wire.RecentTrade]:
        """The last public trades, newest first. Raises VenueError."""
        most = SPOT_TRADES if self._settings.category == "spot" else CONTRACT_TRADES
        params = {"category": self._settings.category, "symbol": symbol, "limit": most}
        return await self._rest.pages("public_get_v5_market_recent_trade", params, wire.RecentTrade)

    def _private_parser(self) -> PrivateParser:
        return PrivateParser(self._book, self._settings.category, self._fundings, self._intervals_ns)

    async def _watch_rules(self, inbox: Inbox) -> None:
        """Tell the driver when the venue changed what it demands; a look that fails is made again later."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.rules_seconds):
                    await self._look.wait()
            self._look.clear()
            with contextlib.suppress(VenueError, ParseError):
                for info in await self._infos():
                    one = self._book[info.symbol]
                    rules = rules_of(info, one.instrument)
                    if rules != self._rules.get(one.symbol):
                        self._rules[one.symbol] = rules
                        inbox.rules(one.number, rules)

    async def _infos(self) -> list[wire.InstrumentInfo]:
        """What the venue says of our instruments now: one by one when they are few, else out of the whole list."""
        if len(self._listed) <= FEW:
            return [await self._info(one.symbol) for one in self._listed]
        params = {"category": self._settings.category, "limit": 1000}
        infos = await self._rest.pages("public_get_v5_market_instruments_info", params, wire.InstrumentInfo)
        return [info for info in infos if info.symbol in self._book]

    # --- requests --------------------------------------------------------------------------------------------------

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order, once."""
        one = self._listed[order.instrument]
        try:
            params = create_params(order, one, self._settings.category)
        except NotSupportedError as error:
            return Outcome(status=OutcomeStatus.REJECTED, reason=error.reason, text=str(error))
        return await self._changed("private_post_v5_order_create", params)

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Ask for a cancel. On spot, conditional orders are cancelled by another word: it is tried second."""
        one, category = self._listed[request.instrument], self._settings.category
        outcome = await self._changed("private_post_v5_order_cancel", cancel_params(request, one, category))
        if category == "spot" and outcome.reason == REJECT_UNKNOWN_ORDER:
            params = cancel_params(request, one, category, "StopOrder")
            return await self._changed("private_post_v5_order_cancel", params)
        return outcome

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Ask for a change."""
        params = amend_params(request, self._listed[request.instrument], self._settings.category)
        return await self._changed("private_post_v5_order_amend", params)

    async def _changed(self, method: str, params: Params) -> Outcome:
        answer = await self._rest.submit(method, params)
        if isinstance(answer, wire.Placed):
            return Outcome(status=OutcomeStatus.ACCEPTED, venue_order_id=answer.order_id)
        return answer

    # --- questions -------------------------------------------------------------------------------------------------

    async def fetch_order(self, client_order_id: str, instrument: int) -> OrderSeen | None:
        """An order by its client order id: among those of late, then in the history."""
        one = self._listed[instrument]
        params = {"category": self._settings.category, "symbol": one.symbol, "orderLinkId": client_order_id}
        for method in ("private_get_v5_order_realtime", "private_get_v5_order_history"):
            orders = await self._rest.pages(method, params, wire.Order)
            found = [order for order in orders if order.order_link_id == client_order_id]
            if found:
                return shown(order_seen, found[0], one)
        return None

    async def fetch_open_orders(self) -> list[OrderSeen]:
        """All orders that are open in the instruments."""
        found: list[OrderSeen] = []
        for params in self._scopes():
            params |= {"openOnly": 0, "limit": 50}
            orders = await self._rest.pages("private_get_v5_order_realtime", params, wire.Order)
            mine = [(order, self._book[order.symbol]) for order in reversed(orders) if order.symbol in self._book]
            found += [shown(order_seen, order, one) for order, one in mine]
        return found

    def _scopes(self) -> list[dict[str, Any]]:
        """What to ask about so that all instruments are in it: each while they are few, else all of the category."""
        category = {"category": self._settings.category}
        if len(self._listed) <= FEW:
            return [category | {"symbol": one.symbol} for one in self._listed]
        if self._settings.category != "linear":
            return [category]
        coins = dict.fromkeys(one.instrument.currency for one in self._listed)
        return [category | {"settleCoin": coin} for coin in coins]

    async def fetch_fills(self, since_ns: int) -> list[FillSeen]:
        """All executions since then in the instruments, oldest first; at most of two years."""
        now_ms = await self.fetch_time_ns() // MS
        start_ms = max(since_ns // MS, now_ms - OLDEST_WEEKS * WEEK_MS)
        executions: list[wire.Execution] = []
        while start_ms <= now_ms:
            end_ms = start_ms + WEEK_MS - 1
            params = {"category": self._settings.category, "startTime": start_ms, "endTime": end_ms, "limit": 100}
            page = await self._rest.pages("private_get_v5_execution_list", params, wire.Execution)
            executions += reversed(page)
            start_ms = end_ms + 1
        executions.sort(key=lambda execution: int(execution.exec_time))
        mine = [(execution, self._book[execution.symbol]) for execution in executions if execution.symbol in self._book]
        fills, rows = shown(self._private_parser().executions, mine)
        if rows and self._inbox is not None:
            self._inbox.market(rows, b"")
        return [fill for fill in fills if isinstance(fill, FillSeen) and fill.ts_event_ns >= since_ns // MS * MS]

    async def fetch_positions(self) -> list[PositionSeen]:
        """What the account holds in each instrument."""
        if self._settings.category == "spot":
            return [held for held in holdings_seen(await self._coins(), self._book) if held.quantity_lots]
        found: list[PositionSeen] = []
        for params in self._scopes():
            params |= {"limit": 200}
            positions = await self._rest.pages("private_get_v5_position_list", params, wire.Position)
            mine = [(position, self._book[position.symbol]) for position in positions if position.symbol in self._book]
            found += [shown(position_seen, position, one) for position, one in mine]
        return [position for position in found if position.quantity_lots]

    async def fetch_balances(self) -> list[BalanceSeen]:
        """The account's money: what its wallet holds, without what open positions gained."""
        return balances_seen(await self._coins())

    async def _coins(self) -> list[wire.Coin]:
        params = {"accountType": self._settings.account_type}
        wallets = await self._rest.pages("private_get_v5_account_wallet_balance", params, wire.Wallet)
        return [coin for wallet in wallets for coin in wallet.coin]

    async def fetch_time_ns(self) -> int:
        """The venue's clock. Requests are signed with it from now on."""
        return await self._rest.compare_clocks()

    async def fetch_bars(self, instrument: int, since_ns: int) -> list[MarketRow]:
        """Closed 1-minute bars that opened then or later, oldest first; at most 1,000."""
        one = self._listed[instrument]
        start_ms = -(-since_ns // (MINUTE_MS * MS)) * MINUTE_MS
        params = {
            "category": self._settings.category,
            "symbol": one.symbol,
            "interval": "1",
            "start": start_ms,
            "end": start_ms + MAXIMUM_BARS * MINUTE_MS - 1,
            "limit": MAXIMUM_BARS,
        }
        answer, whole = await self._rest.read("public_get_v5_market_kline", params, wire.KlineLines)
        return shown(closed_bars, answer.list, whole.time_ms, one)

    async def close(self) -> None:
        """Let go of every connection."""
        await asyncio.gather(self._connection.close(), self._orders.close())
