"""What is asked of an Alpaca account and of the market's past: the reads of the adapter.

Owns paging and the way from a client order id to the order that stands for it. Every read is asked again a bounded
number of times (``rest.py``), then VenueError.
"""

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from adapters.alpaca.describe import CLASSES, describe
from adapters.alpaca.errors import Refused
from adapters.alpaca.identity import base_id
from adapters.alpaca.markets import Market, Markets
from adapters.alpaca.memory import OrderMemory
from adapters.alpaca.parse import (
    REPLACED,
    fill_of_activity,
    parse_activities,
    parse_balances,
    parse_bars,
    parse_clock,
    parse_order,
    parse_orders,
    parse_positions,
    read,
)
from adapters.alpaca.parse_market import parse_past_trades
from adapters.alpaca.rest import Rest
from adapters.alpaca.settings import EQUITY, AlpacaSettings
from adapters.alpaca.times import MINUTE_NS, to_ns, to_text
from adapters.alpaca.wire import ASSET, LATEST_TRADES, WireActivity, WireAsset, WireOrder
from kernel.venue import BalanceSeen, FillSeen, MarketRow, PositionSeen, VenueError, VenueInstrument

PAGE_ORDERS, PAGE_ACTIVITIES, PAGE_BARS, PAGE_TRADES = 500, 100, 1000, 10_000
MOST_PAGES = 200
MOST_TRADE_PAGES = 5
LATE_NS = 1_000_000_000  # a trade may come that much after a later one
MOST_REPLACEMENTS = 200
MILLISECOND_NS = 1_000_000
Result = TypeVar("Result")


class Reads:
    """The questions. Stateless but for what ``OrderMemory`` remembers."""

    def __init__(self, settings: AlpacaSettings, rest: Rest, memory: OrderMemory) -> None:
        self._settings = settings
        self._rest = rest
        self._memory = memory
        self.markets = Markets()

    async def _read(self, what: str, ask: Callable[[], object], parse: Callable[[bytes], Result]) -> Result:
        try:
            return await self._rest.read(what, ask, parse)
        except Refused as refused:
            advice = "check the keys and the environment" if refused.status in (401, 403) else "check what was asked"
            raise VenueError(self._rest.clean(f"alpaca: {what}: {refused}; {advice}"), is_fatal=True) from None

    async def _found(self, what: str, ask: Callable[[], object]) -> WireOrder | None:
        """An order, or None when Alpaca says that there is none."""
        try:
            order = await self._rest.read(what, ask, parse_order)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise VenueError(self._rest.clean(f"alpaca: {what}: {refused}"), is_fatal=True) from None
        self._memory.note(order)
        return order

    async def asset(self, symbol: str) -> WireAsset:
        """What Alpaca says of a symbol."""
        path = f"/assets/{quote(symbol, safe='')}"
        what = f"asset {symbol}"
        asset: WireAsset = await self._read(
            what, lambda: self._rest.trading.get(path), lambda raw: read(ASSET, raw, what)
        )
        if asset.asset_class != CLASSES[self._settings.asset_class]:
            wanted = self._settings.asset_class
            raise VenueError(
                f"alpaca: {symbol} is {asset.asset_class}, not {wanted}; give it to another adapter", is_fatal=True
            )
        return asset

    async def described(self, assets: list[WireAsset]) -> list[VenueInstrument]:
        """Assets as instruments; what a share may cost in fractions of a cent depends on its last price."""
        references = {}
        if self._settings.asset_class == EQUITY and assets:
            params = {"symbols": ",".join(asset.symbol for asset in assets), "feed": self._settings.feed}
            latest = await self._read(
                "last trades",
                lambda: self._rest.data.get("/stocks/trades/latest", params),
                lambda raw: read(LATEST_TRADES, raw, "last trades"),
            )
            references = {symbol: trade.p for symbol, trade in (latest.trades or {}).items()}
        return [describe(asset, self._settings, references.get(asset.symbol)) for asset in assets]

    async def order_by_client_id(self, client_order_id: str) -> WireOrder | None:
        """The order that stands for a client order id: the last of its replacements."""
        ask = lambda: self._rest.trading.get_order_by_client_id(base_id(client_order_id))  # noqa: E731
        order = await self._found(f"order {client_order_id}", ask)
        for _ in range(MOST_REPLACEMENTS):
            if order is None or order.status != REPLACED or not order.replaced_by:
                return order
            order = await self.order_by_id(order.replaced_by)
        raise VenueError(f"alpaca: order {client_order_id}: more than {MOST_REPLACEMENTS} replacements", is_fatal=True)

    async def order_by_id(self, order_id: str) -> WireOrder | None:
        """An order by Alpaca's id."""
        path = f"/orders/{quote(order_id, safe='')}"
        return await self._found(f"order {order_id}", lambda: self._rest.trading.get(path))

    async def open_orders(self) -> list[WireOrder]:
        """All open orders, the oldest first; a replacement that is not in force yet is left out."""
        found: dict[str, WireOrder] = {}
        after = ""
        for _ in range(MOST_PAGES):
            page = await self._orders_page({"status": "open", "direction": "asc"} | ({"after": after} if after else {}))
            found.update((order.id, order) for order in page)
            if len(page) < PAGE_ORDERS:
                return [order for order in found.values() if order.replaces not in found]
            # One nanosecond less: orders of the same instant may stand on both pages.
            after = to_text(to_ns(page[-1].submitted_at or page[-1].created_at) - 1)
        raise VenueError("alpaca: open orders: too many pages", is_fatal=True)

    async def _orders_page(self, params: dict[str, str]) -> list[WireOrder]:
        asked = params | {"limit": str(PAGE_ORDERS), "nested": "false"}
        page = await self._read("orders", lambda: self._rest.trading.get("/orders", asked), parse_orders)
        for order in page:
            self._memory.note(order)
        return page

    async def fills(self, since_ns: int) -> list[FillSeen]:
        """Executions since then, the oldest first."""
        activities = [one for one in await self._activities(since_ns) if self.markets.get(one.symbol)]
        await self._learn_orders({one.order_id for one in activities})
        seen = []
        for activity in activities:
            fill = fill_of_activity(activity, self._memory.client_ids.get(activity.order_id, ""), self.markets)
            if fill is None or fill.ts_event_ns < since_ns:
                continue
            if self._memory.contradicts(activity, fill.trade_id):
                text = "the stream and the activities have different ids for one fill: it would be counted twice"
                raise VenueError(f"alpaca: order {activity.order_id}: {text}; stop, and report it", is_fatal=True)
            seen.append((fill.ts_event_ns, activity.order_id, activity.cum_qty or 0, fill))
        return [fill for *_, fill in sorted(seen, key=lambda one: one[:3])]

    async def _activities(self, since_ns: int) -> list[WireActivity]:
        """Fills of the account. Their ids count milliseconds, so the question starts one earlier."""
        params = {
            "after": to_text(max(0, since_ns - MILLISECOND_NS)),
            "direction": "asc",
            "page_size": str(PAGE_ACTIVITIES),
        }
        found: list[WireActivity] = []
        for _ in range(MOST_PAGES):
            asked = params | ({"page_token": found[-1].id} if found else {})
            get = lambda asked=asked: self._rest.trading.get("/account/activities/FILL", asked)  # noqa: E731
            page = await self._read("fills", get, parse_activities)
            found += page
            if len(page) < PAGE_ACTIVITIES:
                return found
        raise VenueError("alpaca: fills: too many pages; ask for a shorter time", is_fatal=True)

    async def _learn_orders(self, order_ids: set[str]) -> None:
        """Whose orders these are: an activity does not say the client order id."""
        if order_ids - self._memory.client_ids.keys():
            await self._orders_page({"status": "all", "direction": "desc"})
        for order_id in sorted(order_ids - self._memory.client_ids.keys()):
            await self.order_by_id(order_id)

    async def positions(self) -> list[PositionSeen]:
        """What is held."""
        return await self._read(
            "positions", self._rest.trading.get_all_positions, lambda raw: parse_positions(raw, self.markets)
        )

    async def balances(self) -> list[BalanceSeen]:
        """The account's cash."""
        return await self._read("the account", self._rest.trading.get_account, parse_balances)

    async def time_ns(self) -> int:
        """Alpaca's clock."""
        return await self._read("the clock", self._rest.trading.get_clock, parse_clock)

    async def bars(self, place: int, since_ns: int) -> list[MarketRow]:
        """Closed bars that opened at ``since_ns`` or later, the oldest first, at most a thousand."""
        # The last that can be closed opened two minutes' starts ago: asked for so, a forming bar is never shown.
        last_open_ns = time.time_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        if last_open_ns < since_ns:
            return []
        settings, symbol = self._settings, self.markets.all[place].symbol
        params = {
            "symbols": symbol,
            "timeframe": "1Min",
            "start": to_text(since_ns),
            "end": to_text(last_open_ns),
            "limit": str(PAGE_BARS),
            "sort": "asc",
        }
        path, more = self._past("bars")
        params |= more
        if settings.asset_class == EQUITY:
            params["adjustment"] = "raw"
        rows: list[MarketRow] = []
        for _ in range(MOST_PAGES):
            get = lambda: self._rest.data.get(path, params)  # noqa: E731 (asked before params changes)
            page, token = await self._read("bars", get, lambda raw: parse_bars(raw, place, self.markets))
            rows += page
            if token is None or len(rows) >= PAGE_BARS:
                break
            params["page_token"] = token
        return [row for row in rows if row[-1] >= since_ns][:PAGE_BARS]

    async def missed_trades(self, market: Market) -> tuple[list[MarketRow], bool]:
        """The trades of a market since the last that was seen, oldest first; and whether none is missing."""
        path, params = self._past("trades")
        params |= {"symbols": market.symbol, "limit": str(PAGE_TRADES), "sort": "asc"}
        params["start"] = to_text(max(market.first_trade_ns, market.last_trade_ns - LATE_NS))
        rows: list[MarketRow] = []
        for _ in range(MOST_TRADE_PAGES):
            get = lambda: self._rest.data.get(path, params)  # noqa: E731 (asked before params changes)
            page, token = await self._read("trades", get, lambda raw: parse_past_trades(raw, market))
            rows += page
            if token is None:
                return rows, True
            params["page_token"] = token
        return rows, False

    def _past(self, what: str) -> tuple[str, dict[str, str]]:
        """Where bars or trades of the past are, and what to ask there beside."""
        if self._settings.asset_class == EQUITY:
            return f"/stocks/{what}", {"feed": self._settings.feed}
        return f"/crypto/{self._settings.crypto_location}/{what}", {}
