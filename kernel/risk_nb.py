"""Pre-trade checks: what an order must pass before it may leave.

Owns the checks, their numbers and their order, which is part of the contract: the first check that refuses is the
verdict. Each verdict carries the limit and the value that was compared with it. Limits of 0 are off. A check that
cannot compute its value (it would overflow) refuses.
"""

from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import equity_nb, exposure_nb
from kernel.lifecycle import REDUCING
from kernel.orders_nb import position_index_nb, reducible_lots_nb
from kernel.terms_nb import is_valid_nb
from kernel.units import RATE_SCALE

APPROVED = 0
(
    HALTED,
    INVALID_ORDER,
    REDUCE_ONLY,
    NO_MARKET,
    OPEN_ORDERS,
    ORDER_QUANTITY,
    ORDER_NOTIONAL,
    PRICE_BAND,
    POSITION_NOTIONAL,
    BUYING_POWER,
    GROUP_REFUSED,
    NOT_OPEN,
    CAPACITY,
    INVALID_TIMER,
) = range(1, 15)

CHECKS = {
    HALTED: ("halted", "trading in the instrument, or all trading, is halted"),
    INVALID_ORDER: ("invalid_order", "side, type, time in force, quantity, prices and terms must make an order"),
    REDUCE_ONLY: ("reduce_only", "there must be a position that the order reduces"),
    NO_MARKET: ("no_market", "no price of the instrument has been seen yet"),
    OPEN_ORDERS: ("open_orders", "open orders, this one included, against limit.open_orders"),
    ORDER_QUANTITY: ("order_quantity", "lots of the order against limit.order_lots"),
    ORDER_NOTIONAL: ("order_notional", "money of the order against limit.order_notional"),
    PRICE_BAND: ("price_band", "distance of limit or stop from the last price against limit.price_band"),
    POSITION_NOTIONAL: ("position_notional", "money of the position that would result against limit.position_notional"),
    BUYING_POWER: ("buying_power", "margin for all positions and open orders, and costs, against equity"),
    GROUP_REFUSED: ("group_refused", "another order of its group was refused"),
    NOT_OPEN: ("not_open", "the order to cancel or replace is not open, or not the strategy's"),
    CAPACITY: ("capacity", "the kernel's table of open orders, intents or timers is full"),
    INVALID_TIMER: ("invalid_timer", "a timer must be due later than now, and repeat no faster than each millisecond"),
}


@inlined
def _worst_lots_nb(position, side):
    """The position if every open order on ``side`` filled."""
    if side > 0:
        return position.quantity_lots + position.pending_buy_lots
    return position.quantity_lots - position.pending_sell_lots


@inlined
def _required_minor_nb(state, book, side, quantity_lots, price_ticks):
    """Money at risk if each book's worse side filled; ``book`` with ``quantity_lots`` more, at no less than a price."""
    total = 0
    instruments = state.head.instrument_count
    for at in range(instruments * state.head.strategy_count):
        position = state.positions[at]
        in_use = position.quantity_lots != 0 or position.pending_buy_lots != 0 or position.pending_sell_lots != 0
        if not in_use and at != book:
            continue
        long, short = _worst_lots_nb(position, 1), _worst_lots_nb(position, -1)
        if at == book and side > 0:
            long += quantity_lots
        if at == book and side < 0:
            short -= quantity_lots
        if long == 0 and short == 0:
            continue
        instrument = state.instruments[at % instruments]
        price = max(instrument.last_ticks, price_ticks) if at == book else instrument.last_ticks
        money = exposure_nb(instrument, price, max(abs(long), abs(short)))
        if money == OVERFLOW or total + money >= MONEY_MAX:
            return OVERFLOW
        total += money
    return total


@jit
def check_order_nb(state, order, extra_lots, quantity_lots, limit_ticks, stop_ticks):
    """The verdict on an order (a row of the state's orders): ``(check, limit, value)``; check 0 means approved.

    ``quantity_lots`` is what it may still fill, of which ``extra_lots`` are not yet among the pending lots of its book
    (0 for an order that has been intended, the change for a replace); the prices are those that it is to have.
    """
    head, limits = state.head, state.limits
    strategy, instrument_id, side = order.strategy, order.instrument, order.side
    instrument = state.instruments[instrument_id]
    if head.halted != 0 or instrument.halted != 0:
        return HALTED, 0, 1
    if not is_valid_nb(order, quantity_lots, limit_ticks, stop_ticks, head.now_ns):
        return INVALID_ORDER, 0, quantity_lots
    reducing = order.instructions & REDUCING != 0
    if reducing and order.parent_id == 0 and reducible_lots_nb(state, strategy, instrument_id, order.leg, side) == 0:
        return REDUCE_ONLY, 0, quantity_lots
    last = instrument.last_ticks
    if last <= 0:
        return NO_MARKET, 0, last
    if limits.open_orders > 0 and head.order_count > limits.open_orders:
        return OPEN_ORDERS, limits.open_orders, head.order_count
    if limits.order_lots > 0 and quantity_lots > limits.order_lots:
        return ORDER_QUANTITY, limits.order_lots, quantity_lots
    price = max(last, limit_ticks, stop_ticks)
    notional = exposure_nb(instrument, price, quantity_lots)
    if notional == OVERFLOW:
        return ORDER_NOTIONAL, limits.order_notional_minor, OVERFLOW
    if limits.order_notional_minor > 0 and notional > limits.order_notional_minor:
        return ORDER_NOTIONAL, limits.order_notional_minor, notional
    if limits.price_band_rate > 0:
        of_limit = abs(limit_ticks - last) if limit_ticks > 0 else 0
        of_stop = abs(stop_ticks - last) if stop_ticks > 0 else 0
        distance = max(of_limit, of_stop)
        rate = scale_nb(distance, RATE_SCALE, 1, last)
        if rate == OVERFLOW or rate > limits.price_band_rate:
            return PRICE_BAND, limits.price_band_rate, rate
    if reducing:
        return APPROVED, 0, 0
    return _check_exposure_nb(state, strategy, instrument_id, side, extra_lots, price, notional)


@inlined
def _check_exposure_nb(state, strategy, instrument_id, side, extra_lots, price_ticks, notional_minor):
    """Position and margin, for an order that may make its book larger."""
    limits = state.limits
    book = position_index_nb(state, strategy, instrument_id)
    position = state.positions[book]
    account = state.accounts[position.account]
    after = _worst_lots_nb(position, side) + side * extra_lots
    if abs(after) <= abs(position.quantity_lots):
        return APPROVED, 0, 0
    if limits.position_notional_minor > 0:
        money = exposure_nb(state.instruments[instrument_id], price_ticks, abs(after))
        if money == OVERFLOW or money > limits.position_notional_minor:
            return POSITION_NOTIONAL, limits.position_notional_minor, money
    if limits.margin_rate > 0:
        exposure = _required_minor_nb(state, book, side, extra_lots, price_ticks)
        costs = scale_nb(notional_minor, limits.cost_buffer_rate, 1, RATE_SCALE)
        if exposure == OVERFLOW or costs == OVERFLOW:
            return BUYING_POWER, equity_nb(account), OVERFLOW
        required = scale_nb(exposure, limits.margin_rate, 1, RATE_SCALE)
        if required == OVERFLOW or required + costs > equity_nb(account):
            return BUYING_POWER, equity_nb(account), required + costs if required != OVERFLOW else OVERFLOW
    return APPROVED, 0, 0
