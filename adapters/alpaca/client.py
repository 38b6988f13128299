"""One Alpaca account as a ``kernel.venue.VenueAdapter``: the thin shell around pure parse and render.

Owns tasks, streams and rules. Orders are sent by ``orders.py``, questions asked by ``reads.py``.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from adapters.alpaca.describe import is_below_penny, pair_rules, share_rules
from adapters.alpaca.identity import base_id, generation
from adapters.alpaca.markets import Markets, exact
from adapters.alpaca.memory import UNSETTLED, OrderMemory
from adapters.alpaca.orders import Orders
from adapters.alpaca.parse import REPLACED, fill_of_update, order_seen, parse_update
from adapters.alpaca.parse_market import DataMessage
from adapters.alpaca.reads import Reads
from adapters.alpaca.rest import Rest
from adapters.alpaca.settings import EQUITY, AlpacaSettings
from adapters.alpaca.streams import DataLive, TradingLive, kept_up
from adapters.alpaca.wire import WireAsset, WireOrder
from adapters.edge.missed import catch_up
from kernel.instruments import Instrument
from kernel.market import BAR, TRADE
from kernel.units import UnitError
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
    PositionSeen,
    ReplaceOrder,
    Stream,
    StreamStatus,
    VenueError,
    VenueInstrument,
)

_FILLS = ("fill", "partial_fill")
_CORRECTIONS = ("trade_bust", "trade_correct")
_SAID = ("rejected", "suspended", "done_for_day", "order_cancel_rejected", "order_replace_rejected", "expired")
MOST_QUESTIONS = 64  # asked because of the stream, at once


class AlpacaAdapter:
    """See ``kernel.venue.VenueAdapter``. ``passed_over`` counts what the market stream said that is not used."""

    name = "alpaca"

    def __init__(self, settings: AlpacaSettings) -> None:
        self.passed_over: Counter[str] = Counter()
        self._settings = settings
        self._memory = OrderMemory()
        self._rest = Rest(settings)
        self._reads = Reads(settings, self._rest, self._memory)
        self._feeds = Feeds()
        self._assets: dict[str, WireAsset] = {}
        self._rules: dict[int, InstrumentRules] = {}
        self._is_below: dict[int, bool] = {}
        self._questions = 0
        self._described: dict[str, InstrumentRules] = {}
        self._rules_are_due = False  # the first round is for what ``describe`` did not see
        self._orders = Orders(settings, self._rest, self._reads, self._memory)

    @property
    def _markets(self) -> Markets:
        return self._reads.markets

    # --- what there is to trade ------------------------------------------------------------------------------------

    async def describe(self, symbols: Sequence[str]) -> list[VenueInstrument]:
        """The instruments with their rules, in the order of the symbols."""
        assets = [await self._reads.asset(symbol) for symbol in symbols]
        found = await self._reads.described(assets)
        for asset, one in zip(assets, found, strict=True):
            self._assets[one.instrument.symbol] = asset
            self._described[one.instrument.symbol] = one.rules
        return found

    async def open(self, instruments: Sequence[Instrument], feeds: Feeds) -> None:
        """From here on instruments are known by their places."""
        self._reads.markets = Markets(instruments)
        self._feeds = feeds
        for place, instrument in enumerate(instruments):
            if instrument.symbol in self._described:
                self._rules[place] = self._described[instrument.symbol]

    # --- streams ---------------------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """Keep both streams and the rules up to date until cancelled."""
        data = DataLive(
            self._settings,
            self._markets,
            self._feeds,
            lambda message, raw: self._heard_market(inbox, message, raw),
            lambda: self._catch_up(inbox),
        )
        async with asyncio.TaskGroup() as tasks:

            async def heard(update: bytes, raw: bytes) -> None:
                await self._heard_private(inbox, tasks, update, raw)

            trading = TradingLive(self._settings, heard)
            tasks.create_task(kept_up(Stream.MARKET, inbox, self._settings, data, self._rest.clean))
            tasks.create_task(kept_up(Stream.PRIVATE, inbox, self._settings, trading, self._rest.clean))
            tasks.create_task(self._watch_rules(inbox))

    def _heard_market(self, inbox: Inbox, message: DataMessage, raw: bytes) -> None:
        self.passed_over.update(message.passed_over)
        if not message.rows:
            return
        inbox.market(message.rows, raw)
        if self._settings.asset_class == EQUITY:
            for row in message.rows:
                if row[1] == TRADE or row[1] == BAR:
                    self._priced(inbox, row[2], row[3] if row[1] == TRADE else row[6])

    async def _catch_up(self, inbox: Inbox) -> None:
        """The trades while there was no connection, before those that come; or word that they are missing."""
        begun = [market for market in self._markets.all if market.last_trade_ns]
        for market in begun:
            await catch_up(
                market.symbol,
                self._reads.missed_trades(market),
                lambda rows: self._heard_market(inbox, DataMessage(rows, [], Counter()), b""),
                inbox,
                within_s=self._settings.handshake_timeout_s / (2 * len(begun)),
                bound="too many to ask for",
            )

    def _priced(self, inbox: Inbox, place: int, price_ticks: int) -> None:
        """The step of prices of a share depends on whether it costs a dollar."""
        market = self._markets.all[place]
        is_below = is_below_penny(exact(market.ticks.text(price_ticks)))
        asset = self._assets.get(market.instrument.symbol)
        if self._is_below.get(place) == is_below or asset is None:
            return
        self._is_below[place] = is_below
        self._show_rules(inbox, place, share_rules(asset, self._settings, is_below))

    def _show_rules(self, inbox: Inbox, place: int, rules: InstrumentRules) -> None:
        if self._rules.get(place) != rules:
            self._rules[place] = rules
            inbox.rules(place, rules)

    async def _watch_rules(self, inbox: Inbox) -> None:
        while True:
            for place, market in enumerate(self._markets.all):
                symbol = market.instrument.symbol
                if symbol in self._assets and not self._rules_are_due:
                    continue
                try:
                    asset = await self._reads.asset(market.symbol)
                except VenueError:
                    continue  # the next round asks again; a symbol that is gone refuses its orders by itself
                self._assets[symbol] = asset
                is_share = self._settings.asset_class == EQUITY
                below = self._is_below.get(place, self._step_is_tick(place))
                self._show_rules(
                    inbox, place, share_rules(asset, self._settings, below) if is_share else pair_rules(asset)
                )
            self._rules_are_due = True
            await asyncio.sleep(self._settings.rules_every_s)

    def _step_is_tick(self, place: int) -> bool:
        rules = self._rules.get(place)
        return rules is not None and rules.price_step_ticks == 1

    async def _heard_private(self, inbox: Inbox, tasks: asyncio.TaskGroup, data: bytes, raw: bytes) -> None:
        update = parse_update(data)
        order, number = update.order, generation(update.order.client_order_id)
        self._memory.note(order)
        if update.event in _CORRECTIONS:
            inbox.stream(Stream.PRIVATE, StreamStatus.GAP, f"order {order.id}: {update.event}: compare with the venue")
            return
        seen: list[Any] = []
        if update.event in _FILLS:
            self._memory.note_execution(update)
            seen.append(fill_of_update(update, self._markets))
        is_replaced = order.status == REPLACED
        is_failed_replacement = number > 0 and order.status == "rejected"
        if is_replaced or is_failed_replacement:
            self._ask_later(inbox, tasks, order, raw)
        elif not (number and order.status in UNSETTLED):
            seen.append(order_seen(order, self._markets, update.event if update.event in _SAID else ""))
        seen = [one for one in seen if one is not None]
        if seen:
            inbox.private(seen, raw)

    def _ask_later(self, inbox: Inbox, tasks: asyncio.TaskGroup, order: WireOrder, raw: bytes) -> None:
        """Another order stands for this one now: ask which, without holding up the stream."""
        self._memory.forget_head(order.client_order_id)
        if self._markets.get(order.symbol) is None:
            return
        if self._questions >= MOST_QUESTIONS:
            inbox.stream(Stream.PRIVATE, StreamStatus.GAP, "too many replacements at once: compare with the venue")
            return
        self._questions += 1
        tasks.create_task(self._ask(inbox, base_id(order.client_order_id), raw))

    async def _ask(self, inbox: Inbox, client_order_id: str, raw: bytes) -> None:
        try:
            order = await self._reads.order_by_client_id(client_order_id)
            if order is None or self._memory.is_old(order):  # the stream went on meanwhile
                return
            seen = order_seen(order, self._markets)
            if seen is not None:
                inbox.private([seen], raw)
        except (VenueError, ValueError) as error:
            inbox.stream(Stream.PRIVATE, StreamStatus.GAP, self._rest.clean(str(error)))
        finally:
            self._questions -= 1

    # --- orders ----------------------------------------------------------------------------------------------------

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order, once."""
        return await self._orders.submit(order)

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Ask for a cancel."""
        return await self._orders.cancel(request)

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Ask for a change."""
        return await self._orders.replace(request)

    # --- reads -----------------------------------------------------------------------------------------------------

    async def fetch_order(self, client_order_id: str, instrument: int) -> OrderSeen | None:
        """An order by its client order id, with its replacements."""
        order = await self._reads.order_by_client_id(client_order_id)
        return None if order is None else self._picture(order)

    async def fetch_open_orders(self) -> list[OrderSeen]:
        """All open orders in the instruments."""
        seen = [self._picture(order) for order in await self._reads.open_orders()]
        return [one for one in seen if one is not None]

    def _picture(self, order: WireOrder) -> OrderSeen | None:
        try:
            return order_seen(order, self._markets)
        except (ValueError, UnitError) as error:
            raise VenueError(str(error), is_fatal=True) from None

    async def fetch_fills(self, since_ns: int) -> list[FillSeen]:
        """All executions since then, the oldest first."""
        return await self._reads.fills(since_ns)

    async def fetch_positions(self) -> list[PositionSeen]:
        """What the account holds."""
        return await self._reads.positions()

    async def fetch_balances(self) -> list[BalanceSeen]:
        """The account's cash."""
        return await self._reads.balances()

    async def fetch_time_ns(self) -> int:
        """Alpaca's clock."""
        return await self._reads.time_ns()

    async def fetch_bars(self, instrument: int, since_ns: int) -> list[MarketRow]:
        """Closed 1-minute bars."""
        return await self._reads.bars(instrument, since_ns)

    async def close(self) -> None:
        """Let go of the threads. The streams end with ``run``."""
        self._rest.close()
