"""What Alpaca says of an account, from bytes to the shapes of ``kernel.venue``. Pure: no clock, no sockets.

What concerns another symbol than ours is left out. What cannot be read raises ParseError with one line.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from adapters.alpaca.identity import base_id
from adapters.alpaca.markets import Markets
from adapters.alpaca.times import MINUTE_NS, to_ns
from adapters.alpaca.wire import (
    ACCOUNT,
    ACTIVITIES,
    BARS,
    CLOCK,
    ORDER,
    ORDERS,
    POSITIONS,
    UPDATE,
    WireActivity,
    WireOrder,
    WireUpdate,
)
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    BUY,
    CANCEL_AUCTION,
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_ON_REQUEST,
    DAY,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    REDUCE_ONLY,
    REJECT_BY_VENUE,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKER,
    TRAILING_STOP,
)
from kernel.market import BAR
from kernel.units import UnitError
from kernel.venue import BalanceSeen, FillSeen, MarketRow, OrderSeen, OrderStatus, PositionSeen

# What each status means. ``replaced`` is none of them: the order goes on under another id (``replaced_by``).
_OPEN = (
    "new",
    "accepted",
    "pending_new",
    "accepted_for_bidding",
    "partially_filled",
    "pending_cancel",
    "pending_replace",
    "stopped",
    "suspended",
    "held",
    "done_for_day",
    "calculated",
)
STATUSES = {
    **dict.fromkeys(_OPEN, OrderStatus.OPEN),
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
REPLACED = "replaced"
ORDER_TYPES = {
    "market": MARKET,
    "limit": LIMIT,
    "stop": STOP,
    "stop_limit": STOP_LIMIT,
    "trailing_stop": TRAILING_STOP,
}
TIMES_IN_FORCE = {"day": DAY, "gtc": GTC, "ioc": IOC, "fok": FOK, "opg": AT_OPEN, "cls": AT_CLOSE, "gtd": GTD}
SIDES = {"buy": BUY, "sell": SELL, "sell_short": SELL}
_CANCELED = {IOC: CANCEL_IOC, FOK: CANCEL_FOK, AT_OPEN: CANCEL_AUCTION, AT_CLOSE: CANCEL_AUCTION}
_CLOSING = ("buy_to_close", "sell_to_close")


class ParseError(ValueError):
    """An answer or a message that is not as Alpaca documents it. One line; holds no secret."""


def read(decoder: Any, raw: bytes, what: str) -> Any:
    """Decode, or raise ParseError."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(f"alpaca: {what} cannot be read ({error}); {len(raw)} bytes") from None


def known(table: Mapping[str, Any], word: str, what: str) -> Any:
    """The meaning of a word of Alpaca's, or ParseError."""
    try:
        return table[word]
    except KeyError:
        raise ParseError(f"alpaca: {what} {word!r} is not known here") from None


def order_seen(order: WireOrder, markets: Markets, text: str = "") -> OrderSeen | None:
    """The picture that an order makes; None for a symbol that is not ours."""
    market = markets.get(order.symbol)
    if market is None:
        return None
    status = known(STATUSES, order.status, "order status")
    time_in_force = known(TIMES_IN_FORCE, order.time_in_force, "time in force")
    order_type = known(ORDER_TYPES, order.type or order.order_type or "", "order type")
    reason = 0
    if status is OrderStatus.REJECTED:
        reason = REJECT_BY_VENUE
    elif status is OrderStatus.CANCELED:
        reason = _CANCELED.get(time_in_force, CANCEL_ON_REQUEST)
    try:
        filled_lots = market.lots.count(order.filled_qty or 0)
        return OrderSeen(
            venue_order_id=order.id,
            client_order_id=base_id(order.client_order_id),
            instrument=market.place,
            status=status,
            side=known(SIDES, order.side, "side"),
            order_type=order_type,
            time_in_force=time_in_force,
            # An order for an amount of money has no quantity; it is then what has filled.
            quantity_lots=filled_lots if order.qty is None else market.lots.count(order.qty),
            filled_lots=filled_lots,
            limit_ticks=market.ticks.nearest(order.limit_price or 0),
            # The stop of a trailing order moves by itself: it is no term of the order.
            stop_ticks=0 if order_type == TRAILING_STOP else market.ticks.nearest(order.stop_price or 0),
            instructions=REDUCE_ONLY if order.position_intent in _CLOSING else 0,
            reason=reason,
            text=text,
            ts_event_ns=_time(order.updated_at or order.submitted_at or order.created_at),
        )
    except UnitError as error:
        raise ParseError(f"alpaca: order {order.id}: {error}") from None


def parse_order(raw: bytes) -> WireOrder:
    """One order as it is on the wire."""
    order: WireOrder = read(ORDER, raw, "an order")
    return order


def parse_orders(raw: bytes) -> list[WireOrder]:
    """A page of orders as they are on the wire."""
    orders: list[WireOrder] = read(ORDERS, raw, "a list of orders")
    return orders


def parse_update(raw: bytes) -> WireUpdate:
    """The data of a frame of ``trade_updates``."""
    update: WireUpdate = read(UPDATE, raw, "a trade update")
    return update


def fill_of_update(update: WireUpdate, markets: Markets) -> FillSeen | None:
    """The execution that an update tells of. Alpaca reports no fee and no liquidity: "0", and TAKER."""
    order, market = update.order, markets.get(update.order.symbol)
    if market is None:
        return None
    if not update.execution_id or update.price is None or update.qty is None or update.timestamp is None:
        raise ParseError(f"alpaca: a fill of order {order.id} comes without its id, price, quantity or time")
    return _fill(
        market_symbol=order.symbol,
        markets=markets,
        trade_id=update.execution_id,
        order_id=order.id,
        client_order_id=order.client_order_id,
        side=order.side,
        price=update.price,
        quantity=update.qty,
        ts_event_ns=_time(update.timestamp),
    )


def parse_activities(raw: bytes) -> list[WireActivity]:
    """A page of the account's activities."""
    activities: list[WireActivity] = read(ACTIVITIES, raw, "a list of activities")
    return activities


def fill_of_activity(activity: WireActivity, client_order_id: str, markets: Markets) -> FillSeen | None:
    """The execution that an activity tells of. The part of its id behind ``::`` is the id of the execution."""
    if activity.activity_type != "FILL" or markets.get(activity.symbol) is None:
        return None
    _, _, trade_id = activity.id.partition("::")
    if not trade_id or activity.price is None or activity.qty is None:
        raise ParseError(f"alpaca: activity {activity.id} comes without the id of its execution, price or quantity")
    return _fill(
        market_symbol=activity.symbol,
        markets=markets,
        trade_id=trade_id,
        order_id=activity.order_id,
        client_order_id=client_order_id,
        side=activity.side,
        price=activity.price,
        quantity=activity.qty,
        ts_event_ns=_time(activity.transaction_time),
    )


def _fill(
    *,
    market_symbol: str,
    markets: Markets,
    trade_id: str,
    order_id: str,
    client_order_id: str,
    side: str,
    price: Decimal,
    quantity: Decimal,
    ts_event_ns: int,
) -> FillSeen:
    market = markets.by_symbol[market_symbol]
    try:
        return FillSeen(
            trade_id=trade_id,
            venue_order_id=order_id,
            client_order_id=base_id(client_order_id),
            instrument=market.place,
            side=known(SIDES, side, "side"),
            price_ticks=market.ticks.nearest(price),
            quantity_lots=market.lots.count(abs(quantity)),
            fee="0",
            fee_currency=market.instrument.currency,
            liquidity=TAKER,
            ts_event_ns=ts_event_ns,
        )
    except UnitError as error:
        raise ParseError(f"alpaca: fill {trade_id}: {error}") from None


def parse_positions(raw: bytes, markets: Markets) -> list[PositionSeen]:
    """What is held of ours. A short position has a quantity below zero, or says ``short``."""
    seen = []
    for position in read(POSITIONS, raw, "a list of positions"):
        market = markets.get(position.symbol)
        if market is None or position.qty == 0:
            continue
        side = -1 if position.side == "short" else 1
        try:
            seen.append(
                PositionSeen(
                    instrument=market.place,
                    quantity_lots=side * market.lots.count(abs(position.qty)),
                    average_price=f"{position.avg_entry_price:f}",
                )
            )
        except UnitError as error:
            raise ParseError(f"alpaca: position in {position.symbol}: {error}") from None
    return seen


def parse_balances(raw: bytes) -> list[BalanceSeen]:
    """The account's cash."""
    account = read(ACCOUNT, raw, "the account")
    return [BalanceSeen(currency=account.currency, total=format(account.cash, "f"))]


def parse_clock(raw: bytes) -> int:
    """Alpaca's time in nanoseconds."""
    return _time(read(CLOCK, raw, "the clock").timestamp)


def parse_bars(raw: bytes, place: int, markets: Markets) -> tuple[list[MarketRow], str | None]:
    """The 1-minute bars of a page, and the token of the next page."""
    page = read(BARS, raw, "bars")
    market = markets.all[place]
    rows: list[MarketRow] = []
    for bar in (page.bars or {}).get(market.symbol, []):
        opened = _time(bar.t)
        prices = [market.ticks.nearest(price) for price in (bar.o, bar.h, bar.l, bar.c)]
        rows.append((opened + MINUTE_NS, BAR, place, *prices, market.lots.clipped(bar.v), opened))  # type: ignore[arg-type]
    return rows, page.next_page_token


def _time(text: str | None) -> int:
    try:
        return to_ns(text) if text else 0
    except ValueError as error:
        raise ParseError(f"alpaca: {error}") from None
