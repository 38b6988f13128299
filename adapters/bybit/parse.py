"""Answers and private messages of Bybit to the shapes of ``kernel.venue``. Pure: bytes in, shapes out; no clock.

Orders and executions of instruments that the adapter was not opened with are passed over.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.bybit import wire
from adapters.bybit.funding import Fundings, funding_row
from adapters.bybit.market import bar_row
from adapters.bybit.reasons import reason_of
from adapters.bybit.units import Listed, ParseError, steps_of
from adapters.edge.seen import is_new
from kernel.instruments import Instrument
from kernel.lifecycle import (
    BUY,
    CLOSE_POSITION,
    FOK,
    GTC,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MAKER,
    MARKET,
    MARKET_IF_TOUCHED,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKER,
)
from kernel.units import to_decimal
from kernel.venue import (
    BalanceSeen,
    FillSeen,
    InstrumentRules,
    MarketRow,
    OrderSeen,
    OrderStatus,
    PositionSeen,
    Seen,
    VenueInstrument,
)

MS = 1_000_000
REMEMBERED_FILLS = 4096
SPOT_LOT = "0.00000001"  # finer than the venue's step, so that a fee taken in the base coin is whole lots
CONTRACTS = {
    "LinearPerpetual": "perpetual",
    "LinearFutures": "future",
    "InversePerpetual": "inverse-perpetual",
    "InverseFutures": "inverse-future",
}
STATUSES = {
    "New": OrderStatus.OPEN,
    "Created": OrderStatus.OPEN,
    "PartiallyFilled": OrderStatus.OPEN,
    "Untriggered": OrderStatus.OPEN,
    "Triggered": OrderStatus.OPEN,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
TIMES_IN_FORCE = {"GTC": GTC, "IOC": IOC, "FOK": FOK, "PostOnly": GTC, "RPI": GTC}
SIDES = {"Buy": BUY, "Sell": SELL}
# Executions that change a position; funding does not, and is a market row.
FILLS = ("Trade", "AdlTrade", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition", "FutureSpread")
Book = dict[str, Listed]  # the instruments of an adapter by their symbols


def decoded(data: bytes | msgspec.Raw, kind: type) -> object:
    """JSON as the shape that it should have. Raises ParseError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ParseError(f"not what the documentation says ({error}): {bytes(data)[:80]!r}") from None


def described(info: wire.InstrumentInfo, category: str) -> VenueInstrument:
    """An instrument with its rules."""
    is_spot = category == "spot"
    expiry = ""
    if not is_spot and int(info.delivery_time or 0) > 0:
        expiry = datetime.fromtimestamp(int(info.delivery_time) // 1000, UTC).isoformat()
    contract = "spot" if is_spot else CONTRACTS.get(info.contract_type, "")
    if not contract:
        raise ParseError(f"{info.symbol}: contracts of type {info.contract_type!r} are not known here")
    instrument = Instrument(
        venue="bybit",
        symbol=info.symbol,
        currency=info.quote_coin if is_spot else info.settle_coin,
        tick_size=info.price_filter.tick_size,
        lot_size=SPOT_LOT if is_spot else info.lot_size_filter.qty_step,
        asset_class="spot" if is_spot else "perpetual" if "perpetual" in contract else "future",
        contract=contract,
        expiry=expiry,
    )
    return VenueInstrument(instrument, rules_of(info, instrument))


def rules_of(info: wire.InstrumentInfo, instrument: Instrument) -> InstrumentRules:
    """What the venue demands now, in the ticks and lots that the instrument was opened with.

    Where the venue's step is no multiple of ours, orders must be multiples of both.
    """
    sizes = info.lot_size_filter
    lot = to_decimal(instrument.lot_size)

    def lots(text: str, *, up: bool = False) -> int:
        number = to_decimal(text or "0") / lot
        return -int(-number // 1) if up else int(number // 1)

    return InstrumentRules(
        price_step_ticks=steps_of(info.price_filter.tick_size, instrument.tick_size),
        quantity_step_lots=steps_of(sizes.base_precision or sizes.qty_step, instrument.lot_size),
        minimum_lots=lots(sizes.min_order_qty, up=True),
        maximum_lots=lots(sizes.max_limit_order_qty or sizes.max_order_qty),
        maximum_market_lots=lots(sizes.max_market_order_qty or sizes.max_mkt_order_qty),
        minimum_notional=sizes.min_order_amt or sizes.min_notional_value or "0",
        maximum_leverage=info.leverage_filter.max_leverage,
        is_trading=info.status == "Trading",
    )


def order_seen(order: wire.Order, one: Listed) -> OrderSeen:
    """An order as the venue shows it."""
    status = STATUSES.get(order.order_status)
    filled = one.lots.exact(order.cum_exec_qty or "0")
    by_value = order.market_unit == "quoteCoin"  # its quantity is money: only what filled of it is known in lots
    order_type = _order_type(order)
    reason, text = (0, f"status {order.order_status}") if status is None else reason_of(order, status)
    return OrderSeen(
        venue_order_id=order.order_id,
        client_order_id=order.order_link_id,
        instrument=one.number,
        status=status or OrderStatus.OPEN,  # of a status that is not known it is only sure that it may go on
        side=SIDES[order.side],
        order_type=order_type,
        time_in_force=TIMES_IN_FORCE.get(order.time_in_force, GTC),
        quantity_lots=filled if by_value else one.lots.exact(order.qty),
        filled_lots=filled,
        limit_ticks=one.ticks.exact(order.price) if order.order_type == "Limit" and order.price else 0,
        stop_ticks=one.ticks.exact(order.trigger_price or "0") if order_type >= STOP else 0,
        instructions=_instructions(order),
        reason=reason,
        text=text,
        ts_event_ns=int(order.updated_time or 0) * MS,
    )


def _instructions(order: wire.Order) -> int:
    bits = POST_ONLY if order.time_in_force == "PostOnly" else 0
    if order.close_on_trigger:
        return bits | CLOSE_POSITION
    return bits | (REDUCE_ONLY if order.reduce_only else 0)


def _order_type(order: wire.Order) -> int:
    """A trigger that a buy waits for upwards, or a sell downwards, is a stop; the other way it is if-touched."""
    is_limit = order.order_type == "Limit"
    if not (order.trigger_price or "0").strip("0."):
        return LIMIT if is_limit else MARKET
    rises = order.trigger_direction == 1
    if order.trigger_direction == 0 and order.last_price_on_created.strip("0."):
        rises = to_decimal(order.trigger_price) > to_decimal(order.last_price_on_created)
    elif order.trigger_direction == 0:
        rises = order.side == "Buy"  # the venue does not say: taken for a stop
    if rises == (order.side == "Buy"):
        return STOP_LIMIT if is_limit else STOP
    return LIMIT_IF_TOUCHED if is_limit else MARKET_IF_TOUCHED


def fill_seen(execution: wire.Execution, one: Listed, category: str) -> FillSeen:
    """An execution that changed a position."""
    currency = execution.fee_currency or one.instrument.currency
    if not execution.fee_currency and category == "spot" and execution.side == "Buy":
        currency = one.base
    return FillSeen(
        trade_id=execution.exec_id,
        venue_order_id=execution.order_id,
        client_order_id=execution.order_link_id,
        instrument=one.number,
        side=SIDES[execution.side],
        price_ticks=one.ticks.exact(execution.exec_price),
        quantity_lots=one.lots.exact(execution.exec_qty),
        fee=execution.exec_fee or "0",
        fee_currency=currency,
        liquidity=MAKER if execution.is_maker else TAKER,
        ts_event_ns=int(execution.exec_time) * MS,
    )


def funding_of(execution: wire.Execution, one: Listed, fundings: Fundings, interval_ns: int) -> list[MarketRow]:
    """The market row of a funding that the account took part in, once.

    The side is that of the position. What is certain is who paid: a long that pays has a rate above 0, a short that
    pays one below.
    """
    ts_ns = int(execution.exec_time) * MS
    if not fundings.is_new(one.number, ts_ns):
        return []
    pays = to_decimal(execution.exec_fee or "0") * SIDES[execution.side]
    size = execution.fee_rate.lstrip("-")
    return [funding_row(one, ts_ns, f"-{size}" if pays < 0 else size, execution.exec_price, interval_ns)]


def position_seen(position: wire.Position, one: Listed) -> PositionSeen:
    """A position of a contract; ``leg`` is 0 in one-way mode, +1 and -1 in hedge mode."""
    lots = one.lots.exact(position.size or "0")
    price = position.entry_price or position.avg_price
    return PositionSeen(
        instrument=one.number,
        quantity_lots=-lots if position.side == "Sell" else lots,
        average_price=price if lots else "",
        leg={1: 1, 2: -1}.get(position.position_idx, 0),
    )


def balances_seen(coins: Sequence[wire.Coin]) -> list[BalanceSeen]:
    """The money of an account; coins without a balance are left out."""
    return [BalanceSeen(currency=coin.coin, total=coin.wallet_balance) for coin in coins if coin.wallet_balance]


def holdings_seen(coins: Sequence[wire.Coin], book: Book) -> list[PositionSeen]:
    """What spot instruments hold: all of the base coin is counted for the first instrument that has it."""
    first = {one.base: one for one in reversed(book.values())}
    found = [(first[coin.coin], coin.wallet_balance) for coin in coins if coin.coin in first and coin.wallet_balance]
    return [PositionSeen(instrument=one.number, quantity_lots=one.lots.floor(total)) for one, total in found]


def closed_bars(lines: list[list[str]], now_ms: int, one: Listed) -> list[MarketRow]:
    """The minutes of an answer, newest first there, that are over."""
    over = [line for line in reversed(lines) if int(line[0]) + 60_000 <= now_ms]
    return [bar_row(one, int(line[0]), line[1:5], line[5]) for line in over]


class PrivateParser:
    """Messages of the private stream. Executions that were seen are remembered, so that each is told once."""

    def __init__(self, book: Book, category: str, fundings: Fundings, intervals_ns: dict[str, int]) -> None:
        self._book, self._category, self._fundings, self._intervals_ns = book, category, fundings, intervals_ns
        self._seen: dict[str, None] = {}

    def parse(self, data: bytes) -> tuple[list[Seen], list[MarketRow]]:
        """What a message shows of the account, and the fundings in it. Raises ParseError."""
        try:
            return self._parse(data)
        except ParseError:
            raise
        except (KeyError, ValueError) as error:
            raise ParseError(f"not what the documentation says ({error!r}): {data[:80]!r}") from None

    def _parse(self, data: bytes) -> tuple[list[Seen], list[MarketRow]]:
        message = decoded(data, wire.PrivateMessage)
        assert isinstance(message, wire.PrivateMessage)
        topic = message.topic.partition(".")[0]
        if topic == "order":
            orders = self._mine(message.data, list[wire.Order])
            return [order_seen(order, one) for order, one in orders], []
        if topic == "execution":
            return self.executions(self._mine(message.data, list[wire.Execution]))
        if topic == "position":
            return [position_seen(*pair) for pair in self._mine(message.data, list[wire.Position])], []
        if topic == "wallet":
            wallets = decoded(message.data, list[wire.Wallet])
            coins = [coin for wallet in wallets for coin in wallet.coin]  # type: ignore[attr-defined]
            held = holdings_seen(coins, self._book) if self._category == "spot" else []
            return [*balances_seen(coins), *held], []
        return [], []

    def executions(self, pairs: list[tuple[wire.Execution, Listed]]) -> tuple[list[Seen], list[MarketRow]]:
        """Executions as fills and fundings."""
        fills: list[Seen] = []
        rows: list[MarketRow] = []
        for execution, one in pairs:
            if execution.exec_type == "Funding":
                interval_ns = self._intervals_ns.get(one.symbol, 8 * 3600 * 10**9)
                rows += funding_of(execution, one, self._fundings, interval_ns)
            elif execution.exec_type in FILLS and is_new(self._seen, execution.exec_id, REMEMBERED_FILLS):
                fills.append(fill_seen(execution, one, self._category))
        return fills, rows

    def _mine(self, data: msgspec.Raw, kind: type) -> list[tuple[Any, Listed]]:
        """Those of the category and the instruments, each with its instrument."""
        things = decoded(data, kind)
        mine = [thing for thing in things if thing.category in ("", self._category)]  # type: ignore[attr-defined]
        return [(thing, self._book[thing.symbol]) for thing in mine if thing.symbol in self._book]
