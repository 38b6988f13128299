"""What a compiled strategy calls: the event, its book, its memory, and its wishes.

Every function takes the context first. Prices are ticks, quantities are lots, fractions are plain numbers (0.5 is
half of equity). Functions that trade only note an intent: the risk checks see it before anything else does. Those that
ask for an order return the intent, whose other fields (``instructions``, ``display_lots``, ``expire_ns``, ``tag``, ...)
may be set then. Orders of several parts are in ``orders_api_nb``.
"""

import numpy as np

from kernel.events.layout import BAR_CLOSED, TRADE_SEEN
from kernel.exact_nb import MONEY_MAX, OVERFLOW, divide_product_nb, multiply_wide_nb, scale_nb
from kernel.jit import jit
from kernel.ledger_nb import equity_nb
from kernel.lifecycle import BUY, GTC, LIMIT, MARKET, SELL, STOP
from kernel.lifecycle_nb import position_index_nb
from kernel.sizing_nb import to_e8_nb
from kernel.strategy.context import BAR, CANCEL, EMIT_SIGNAL, MAX_INTENTS, REPLACE, SET_TIMER, SUBMIT, TRADE
from kernel.units import RATE_SCALE

NAN = float("nan")

# --- the event --------------------------------------------------------------------------------------------------


@jit
def instrument_of(ctx):
    """The number of the instrument that the event is about."""
    return ctx.call.instrument


@jit
def series(ctx):
    """Which of the strategy's own series of bars this bar is of: its place in ``bars=``, from 0."""
    return ctx.call.series


@jit
def bar_begin_ns(ctx):
    """When the bar began."""
    return ctx.call.words[BAR_CLOSED.ts_open_ns]


@jit
def open_ticks(ctx):
    """Open of the bar."""
    return ctx.call.words[BAR_CLOSED.open_ticks]


@jit
def high_ticks(ctx):
    """High of the bar."""
    return ctx.call.words[BAR_CLOSED.high_ticks]


@jit
def low_ticks(ctx):
    """Low of the bar."""
    return ctx.call.words[BAR_CLOSED.low_ticks]


@jit
def close_ticks(ctx):
    """Close of the bar, price of the trade, or the last price for any other event."""
    call = ctx.call
    if call.kind == BAR:
        return call.words[BAR_CLOSED.close_ticks]
    if call.kind == TRADE:
        return call.words[TRADE_SEEN.price_ticks]
    return ctx.state.instruments[call.instrument].last_ticks


@jit
def volume_lots(ctx):
    """Volume of the bar."""
    return ctx.call.words[BAR_CLOSED.volume_lots]


@jit
def feature_in(ctx, instrument, index):
    """A value of ``features=`` for an instrument, counted over all outputs from 0; NaN before its look-back."""
    at = ctx.feature_books[ctx.call.strategy * ctx.state.head.instrument_count + instrument]
    if index < 0 or index >= ctx.feature_places[at]:
        return NAN
    return ctx.features[ctx.feature_places[at + 1 + index]]


@jit
def feature(ctx, index):
    """``feature_in`` for the event's instrument."""
    return feature_in(ctx, ctx.call.instrument, index)


# --- the book ---------------------------------------------------------------------------------------------------


@jit
def position_in(ctx, instrument):
    """Signed lots that this strategy holds in an instrument."""
    return ctx.state.positions[position_index_nb(ctx.state, ctx.call.strategy, instrument)].quantity_lots


@jit
def position_lots(ctx):
    """Signed lots that this strategy holds in the event's instrument."""
    return position_in(ctx, ctx.call.instrument)


@jit
def pending_in(ctx, instrument):
    """Signed lots that this strategy's open orders in an instrument may still trade."""
    position = ctx.state.positions[position_index_nb(ctx.state, ctx.call.strategy, instrument)]
    return position.pending_buy_lots - position.pending_sell_lots


@jit
def equity_minor(ctx):
    """Equity of the account through which this strategy trades the event's instrument, in its minor units."""
    book = position_index_nb(ctx.state, ctx.call.strategy, max(ctx.call.instrument, 0))
    return equity_nb(ctx.state.accounts[ctx.state.positions[book].account])


@jit
def lots_for_fraction(ctx, instrument, fraction):
    """Whole lots that ``fraction`` of equity buys at the last price; 0 when there is no price or it does not fit.

    The fraction is taken to 1/100,000,000 and the lots are rounded towards zero, in exact integers.
    """
    entry = ctx.state.instruments[instrument]
    price = entry.last_ticks
    if price <= 0:
        return 0
    money = scale_nb(equity_minor(ctx), np.int64(np.rint(abs(fraction) * RATE_SCALE)), 1, RATE_SCALE)
    if money == OVERFLOW or money <= 0:
        return 0
    book = position_index_nb(ctx.state, ctx.call.strategy, instrument)
    balance = ctx.state.balances[ctx.state.positions[book].balance]
    if balance.rate_numerator != balance.rate_denominator:
        if balance.rate_denominator == 0:
            return 0
        money = scale_nb(money, balance.rate_denominator, 1, balance.rate_numerator)
    if entry.inverse != 0 and money != OVERFLOW:
        if np.float64(price) * np.float64(entry.denominator) >= MONEY_MAX:
            return 0
        lots, _ = divide_product_nb(money, price * entry.denominator, entry.numerator)
        return 0 if lots == OVERFLOW else lots if fraction > 0.0 else -lots
    if money == OVERFLOW:
        return 0
    if np.float64(price) * np.float64(entry.numerator) >= MONEY_MAX:
        return 0
    lot_money = price * entry.numerator  # of one lot, times the denominator
    lots = scale_nb(money, entry.denominator, 1, lot_money)
    if lots == OVERFLOW:
        return 0
    cost_high, cost_low = multiply_wide_nb(np.uint64(lots), np.uint64(lot_money))
    money_high, money_low = multiply_wide_nb(np.uint64(money), np.uint64(entry.denominator))
    if cost_high > money_high or (cost_high == money_high and cost_low > money_low):
        lots -= 1  # the quotient was rounded up
    return lots if fraction > 0.0 else -lots


# --- wishes -----------------------------------------------------------------------------------------------------


@jit
def next_intent(ctx, action, instrument):
    """The next free intent, cleared; past the last one it is counted as lost, and the kernel says so.

    So is an order of a group that has no room as a whole.
    """
    call = ctx.call
    at = call.intent_count
    if at >= MAX_INTENTS or (action == SUBMIT and call.group_left > 0 and call.group_size == 0):
        call.intents_lost += 1
        at = MAX_INTENTS  # a row behind the last one, never read
    else:
        call.intent_count += 1
    intent = ctx.intents[at]
    intent.action = action
    intent.instrument = instrument
    intent.side = 0
    intent.order_type = 0
    intent.time_in_force = 0
    intent.quantity_lots = 0
    intent.limit_ticks = 0
    intent.stop_ticks = 0
    intent.order_id = 0
    intent.tag = 0
    intent.instructions = 0
    intent.leg = 0
    intent.due_ns = 0
    intent.interval_ns = 0
    intent.trail_kind = 0
    intent.trail_value = 0
    intent.limit_offset_ticks = 0
    intent.display_lots = 0
    intent.expire_ns = 0
    intent.group_role = 0
    intent.group_size = 0
    intent.strength_rate = 0
    intent.confidence_rate = 0
    intent.horizon_ns = 0
    intent.measure_e8 = 0
    intent.low_return_rate = 0
    intent.high_return_rate = 0
    return intent


@jit
def _in_group(call, intent):
    """Give the order its place in the group that was begun."""
    is_first = call.group_left == call.group_size
    call.group_left -= 1
    intent.group_role = call.group_first if is_first else call.group_rest
    intent.group_size = call.group_size if is_first else 0


@jit
def submit(ctx, instrument, side, order_type, time_in_force, quantity_lots, limit_ticks, stop_ticks, tag):
    """Ask for any order. ``tag`` is the strategy's own number for it; unused prices are 0. Returns the intent."""
    intent = next_intent(ctx, SUBMIT, instrument)
    intent.side = side
    intent.order_type = order_type
    intent.time_in_force = time_in_force
    intent.quantity_lots = quantity_lots
    intent.limit_ticks = limit_ticks
    intent.stop_ticks = stop_ticks
    intent.tag = tag
    if ctx.call.group_left > 0:
        _in_group(ctx.call, intent)
    return intent


@jit
def buy(ctx, quantity_lots):
    """Buy at the market in the event's instrument."""
    return submit(ctx, ctx.call.instrument, BUY, MARKET, GTC, quantity_lots, 0, 0, 0)


@jit
def sell(ctx, quantity_lots):
    """Sell at the market in the event's instrument."""
    return submit(ctx, ctx.call.instrument, SELL, MARKET, GTC, quantity_lots, 0, 0, 0)


@jit
def limit_order(ctx, side, quantity_lots, limit_ticks):
    """Rest a good-till-cancelled limit order in the event's instrument."""
    return submit(ctx, ctx.call.instrument, side, LIMIT, GTC, quantity_lots, limit_ticks, 0, 0)


@jit
def stop_order(ctx, side, quantity_lots, stop_ticks):
    """Rest a good-till-cancelled stop order in the event's instrument."""
    return submit(ctx, ctx.call.instrument, side, STOP, GTC, quantity_lots, 0, stop_ticks, 0)


@jit
def target_in(ctx, instrument, target_lots):
    """Trade at the market whatever is missing to hold ``target_lots``, counting what is already on its way."""
    missing = target_lots - position_in(ctx, instrument) - pending_in(ctx, instrument)
    if missing != 0:
        submit(ctx, instrument, BUY if missing > 0 else SELL, MARKET, GTC, abs(missing), 0, 0, 0)


@jit
def target(ctx, target_lots):
    """``target_in`` for the event's instrument."""
    target_in(ctx, ctx.call.instrument, target_lots)


@jit
def target_fraction(ctx, fraction):
    """Hold ``fraction`` of equity in the event's instrument (negative: short), at its last price."""
    instrument = ctx.call.instrument
    target_in(ctx, instrument, lots_for_fraction(ctx, instrument, fraction))


@jit
def cancel(ctx, order_id):
    """Cancel what is left of an open order."""
    next_intent(ctx, CANCEL, ctx.call.instrument).order_id = order_id


@jit
def cancel_all(ctx, instrument):
    """Cancel every open order of this strategy in an instrument."""
    for row in range(ctx.state.head.order_count):
        order = ctx.state.orders[row]
        if order.strategy == ctx.call.strategy and order.instrument == instrument:
            cancel(ctx, order.order_id)


@jit
def replace(ctx, order_id, quantity_lots, limit_ticks, stop_ticks):
    """Change an open order's total quantity and prices; it keeps its id."""
    intent = next_intent(ctx, REPLACE, ctx.call.instrument)
    intent.order_id = order_id
    intent.quantity_lots = quantity_lots
    intent.limit_ticks = limit_ticks
    intent.stop_ticks = stop_ticks


@jit
def set_timer(ctx, timer, due_ns, interval_ns):
    """Be called with ``TIMER`` at ``due_ns``, then every ``interval_ns`` (0: once). A due time of 0 removes it."""
    intent = next_intent(ctx, SET_TIMER, ctx.call.instrument)
    intent.tag = timer
    intent.due_ns = due_ns
    intent.interval_ns = interval_ns


@jit
def signal_in(ctx, instrument, direction, strength, confidence, horizon_ns, stop_ticks, target_ticks, measure):
    """Say what is thought of an instrument: the run's sizing, portfolio and exit plans make targets and orders of it.

    ``direction`` is positive for long, negative for short, 0 for flat. ``strength`` and ``confidence`` are numbers
    from 0 to 1, ``horizon_ns`` is how long the signal holds (0: for ever), stop and target are prices in ticks (0:
    none). ``measure`` is what the sizing model needs: the average true range in ticks, or the volatility as a share.
    Each float is rounded here, once, to 1/100,000,000; a negative one counts as not known. Returns the intent.
    """
    intent = next_intent(ctx, EMIT_SIGNAL, instrument)
    intent.side = 1 if direction > 0 else (-1 if direction < 0 else 0)
    intent.strength_rate = max(to_e8_nb(strength), 0)
    intent.confidence_rate = max(to_e8_nb(confidence), 0)
    intent.horizon_ns = max(horizon_ns, 0)
    intent.stop_ticks = max(stop_ticks, 0)
    intent.limit_ticks = max(target_ticks, 0)
    intent.measure_e8 = to_e8_nb(measure)
    return intent


@jit
def signal(ctx, direction, strength, confidence, measure):
    """``signal_in`` for the event's instrument, without horizon, stop and target."""
    signal_in(ctx, ctx.call.instrument, direction, strength, confidence, 0, 0, 0, measure)
