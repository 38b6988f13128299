"""Checks of one order by itself: against the book, the average, what was sent before, and what rests.

Each returns its number when it refuses, with the limit and the value left in the question, else 0.
"""

from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import book_index_nb
from kernel.lifecycle import INTENDED, LIMIT, MARKET, REDUCING
from kernel.risk import rules
from kernel.risk.count_nb import reduces_nb
from kernel.risk.numbers import (
    BOOK_BAND,
    DUPLICATE_KEY,
    DUPLICATE_ORDER,
    FAT_FINGER,
    ORDER_RATE,
    SELF_TRADE,
    SYMBOL_ORDERS,
    VOLUME_SHARE,
)
from kernel.risk.totals_nb import rule_nb
from kernel.tables.risk import MEMORY_ORDERS, WINDOW_BARS
from kernel.units import RATE_SCALE

MINUTE_NS = 60_000_000_000
AVERAGE_ORDERS = 4  # approved orders of a symbol before their average says anything


@jit
def refuse_nb(ask, check, limit, value):
    """Leave the verdict's figures in the question."""
    ask.limit = limit
    ask.value = value
    return check


@jit
def over_nb(ask, check, limit, value):
    """Refuse a value above a limit that is on, or one that could not be computed."""
    if limit > 0 and (value > limit or value == OVERFLOW):
        return refuse_nb(ask, check, limit, value)
    return 0


@inlined
def book_band_nb(state, ask):
    """How far the limit is beyond the other side of the book; passes when that side is not quoted."""
    limit, instrument = rule_nb(state, rules.BOOK_BAND), state.instruments[ask.instrument]
    other = instrument.ask_ticks if ask.side > 0 else instrument.bid_ticks
    if limit == 0 or ask.limit_ticks == 0 or other <= 0:
        return 0
    beyond = ask.side * (ask.limit_ticks - other)
    return over_nb(ask, BOOK_BAND, limit, scale_linked_nb(max(beyond, 0), RATE_SCALE, 1, other))


@inlined
def fat_finger_nb(state, ask):
    """Lots against a multiple of the average order of the symbol."""
    multiple, symbol = rule_nb(state, rules.FAT_FINGER), state.risk_symbols[ask.instrument]
    if multiple == 0 or symbol.order_count < AVERAGE_ORDERS:
        return 0
    limit = scale_linked_nb(scale_linked_nb(symbol.order_lots, 1, 1, symbol.order_count), multiple, 1, RATE_SCALE)
    if limit == OVERFLOW or ask.quantity_lots > limit:
        return refuse_nb(ask, FAT_FINGER, limit, ask.quantity_lots)
    return 0


@inlined
def volume_nb(state, ask):
    """Lots against a multiple of the average volume of the last bars; passes when the source has no volume."""
    multiple, symbol = rule_nb(state, rules.VOLUME_MULTIPLE), state.risk_symbols[ask.instrument]
    if multiple == 0 or symbol.bar_count < WINDOW_BARS:
        return 0
    total = 0
    for at in range(WINDOW_BARS):
        volume = state.past_bars[ask.instrument * WINDOW_BARS + at].volume_lots
        if volume < 0 or total >= 1 << 61:
            return 0
        total += min(volume, 1 << 61)
    limit = scale_linked_nb(total, multiple, 1, WINDOW_BARS * RATE_SCALE)
    if limit == OVERFLOW or ask.quantity_lots > limit:
        return refuse_nb(ask, VOLUME_SHARE, limit, ask.quantity_lots)
    return 0


@inlined
def duplicate_nb(state, ask):
    """The same key among the orders that are remembered, or the same order within the window."""
    if ask.replaces != 0:
        return 0
    window, risk, now_ns = rule_nb(state, rules.DUPLICATE_WINDOW), state.risk, state.head.now_ns
    for back in range(1, min(risk.order_count, MEMORY_ORDERS) + 1):
        past = state.past_orders[(risk.order_count - back) % MEMORY_ORDERS]
        if ask.key == 0 and now_ns - past.ts_ns >= window:
            break  # those before it are older still
        if past.strategy != ask.strategy:
            continue
        if ask.key != 0 and past.key == ask.key:
            return refuse_nb(ask, DUPLICATE_KEY, 0, past.order_id)
        same = past.instrument == ask.instrument and past.side == ask.side and past.quantity_lots == ask.quantity_lots
        same = same and past.limit_ticks == ask.limit_ticks and past.stop_ticks == ask.stop_ticks
        if window > 0 and same and now_ns - past.ts_ns < window:
            return refuse_nb(ask, DUPLICATE_ORDER, window, now_ns - past.ts_ns)
    return 0


@inlined
def account_of_nb(state, strategy, instrument):
    """The account through which a strategy trades an instrument."""
    return state.positions[book_index_nb(state, strategy, instrument, 1)].account


@inlined
def self_trade_nb(state, ask):
    """Whether it would meet a resting limit order of the same account at once."""
    if rule_nb(state, rules.SELF_TRADE) == 0 or (ask.order_type != MARKET and ask.order_type != LIMIT):
        return 0
    instrument = state.instruments[ask.instrument]
    price = ask.limit_ticks
    if ask.order_type == MARKET:
        quoted = instrument.ask_ticks if ask.side > 0 else instrument.bid_ticks
        price = quoted if quoted > 0 else instrument.last_ticks
    account = account_of_nb(state, ask.strategy, ask.instrument)
    for row in range(state.head.order_count):
        order = state.orders[row]
        if order.instrument != ask.instrument or order.side != -ask.side or order.order_type != LIMIT:
            continue
        if account_of_nb(state, order.strategy, order.instrument) != account:
            continue
        if ask.side * (price - order.limit_ticks) >= 0:
            return refuse_nb(ask, SELF_TRADE, 0, order.order_id)
    return 0


@jit
def _waiting_nb(state, ask, instrument):
    """Entries that were intended before this one and wait for their verdicts too; in an instrument, or (-1) in all."""
    count = 0
    for row in range(state.head.order_count):
        order = state.orders[row]
        if order.status != INTENDED or order.order_id >= ask.order_id:
            continue
        if instrument < 0 or order.instrument == instrument:
            position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
            pending = position.pending_buy_lots if order.side > 0 else position.pending_sell_lots
            count += int(not reduces_nb(position, order.side, pending, order.instructions & REDUCING != 0))
    return count


@inlined
def throttle_nb(state, ask):
    """Entries within the last minute, and of the day in the symbol; a replaced order is no new one.

    Orders that get their verdicts together (of a group, or of strategies that net) count those before them.
    """
    if ask.replaces != 0:
        return 0
    limit, risk, now_ns = rule_nb(state, rules.ORDERS_PER_MINUTE), state.risk, state.head.now_ns
    if limit > 0:
        count = 1 + _waiting_nb(state, ask, -1)
        for back in range(1, min(risk.order_count, MEMORY_ORDERS) + 1):
            past = state.past_orders[(risk.order_count - back) % MEMORY_ORDERS]
            if now_ns - past.ts_ns >= MINUTE_NS:
                break  # those before it are older still
            count += past.entry
        if count > limit:
            return refuse_nb(ask, ORDER_RATE, limit, count)
    symbol, limit = state.risk_symbols[ask.instrument], rule_nb(state, rules.ORDERS_PER_SYMBOL_DAY)
    today = symbol.day_orders if symbol.day_number == risk.day_number else 0
    if limit > 0:
        today += _waiting_nb(state, ask, ask.instrument)
    return over_nb(ask, SYMBOL_ORDERS, limit, today + 1)
