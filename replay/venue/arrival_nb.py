"""What happens when a request reaches the venue: an order is taken or refused, cancelled or changed.

Owns the answers to requests. How long they are on their way is in ``receive_nb``, what a market row does to a resting
order in ``match_nb``.
"""

from kernel.chance_nb import DRAW_BITS, chance_nb
from kernel.emit_nb import OUTPUT
from kernel.events.layout import ACCEPTED, CANCELED, REPLACED
from kernel.jit import jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import (
    AT_CLOSE,
    AT_OPEN,
    CANCEL_ON_REQUEST,
    DAY,
    GTD,
    LIMIT,
    POST_ONLY,
    REDUCING,
    REJECT_BY_VENUE,
    REJECT_CLOSED,
    REJECT_EXPIRED,
    REJECT_FILLED,
    REJECT_NO_SESSION,
    REJECT_POST_ONLY,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    REJECT_UNKNOWN_ORDER,
    REQUEST_CANCEL,
    REQUEST_REPLACE,
)
from kernel.lifecycle_nb import find_order_nb, reducible_lots_nb
from kernel.state import STATE
from replay.venue.book_rules_nb import best_nb, join_nb, meet_book_nb
from replay.venue.kinds_nb import goes_first_nb, has_trigger_nb, is_touch_nb, is_trailing_nb
from replay.venue.memory import MAX_REQUESTS, REQUEST, VENUE, VENUE_ORDERS
from replay.venue.path_rules_nb import standing_nb, tick_order_nb
from replay.venue.profiles import BOOK, CANCEL, NEW, OHLC, OHLC_ADAPTIVE, REJECT_DRAW, TRADING
from replay.venue.reports_nb import (
    begin_report_nb,
    cancel_rest_nb,
    reject_nb,
    reject_request_nb,
    send_report_nb,
    unheard_lots_nb,
)
from replay.venue.resting_nb import find_resting_nb, is_halted_nb, is_in_maintenance_nb, note_end_nb
from replay.venue.trail_nb import follow_nb

_RATE_PARTS = 100_000_000


@jit
def _has_bad_luck_nb(head, order_id):
    """Whether the venue refuses an order for no reason that can be foreseen."""
    return head.reject_rate > 0 and (chance_nb(head.seed, REJECT_DRAW, order_id) * _RATE_PARTS >> DRAW_BITS) < (
        head.reject_rate
    )


@jit
def _reached_nb(venue, state, order):
    """The price that an arriving order meets: that which stands in a path profile, else the last one; 0 for none."""
    if venue.head.profile == OHLC or venue.head.profile == OHLC_ADAPTIVE:
        price, _ = standing_nb(venue, order.instrument, order.side)
        return price
    if venue.head.profile == BOOK:
        return best_nb(venue, order.instrument, -order.side)
    return state.instruments[order.instrument].last_ticks


@jit
def _is_late_nb(venue, order, price_ticks):
    """Whether the market is beyond the trigger when the order arrives; only the path profiles refuse that.

    A child protects a position that is already there: it is taken, and fires at the next tick.
    """
    walks = venue.head.profile == OHLC or venue.head.profile == OHLC_ADAPTIVE
    if not walks or order.is_child == 1 or order.stop_ticks == 0 or price_ticks <= 0:
        return False
    beyond = order.side * (price_ticks - order.stop_ticks)
    return beyond <= 0 if is_touch_nb(order.order_type) else beyond >= 0


@jit
def _would_take_nb(order, price_ticks):
    """Whether a post-only order would meet the market at once."""
    if order.instructions & POST_ONLY == 0 or order.order_type != LIMIT or price_ticks <= 0:
        return False
    return order.side * price_ticks <= order.side * order.limit_ticks


@jit
def _refusal_nb(venue, state, output, order):
    """Why the venue does not take an order, 0 if it does. The order of the reasons is part of the contract."""
    if is_in_maintenance_nb(venue, order.instrument, output.ts_ingest_ns) or is_halted_nb(venue, order.instrument):
        return REJECT_CLOSED
    if _has_bad_luck_nb(venue.head, order.order_id):
        return REJECT_BY_VENUE
    force = order.time_in_force
    if force == GTD and order.ends_ns <= output.ts_ingest_ns:
        return REJECT_EXPIRED
    if (force == AT_OPEN or force == AT_CLOSE) and venue.markets[order.instrument].session_close_ns == 0:
        return REJECT_NO_SESSION
    if order.instructions & REDUCING != 0 and order.is_child == 0:
        lots = reducible_lots_nb(state, order.strategy, order.instrument, order.leg, order.side)
        if lots <= unheard_lots_nb(venue, order):
            return REJECT_REDUCE_ONLY
    price = _reached_nb(venue, state, order)
    if _would_take_nb(order, price):
        return REJECT_POST_ONLY
    if has_trigger_nb(order.order_type) and _is_late_nb(venue, order, price):
        return REJECT_STOP_IN_MARKET
    return 0


@jit
def _meet_market_nb(venue, state, output, order):
    """An order, new or changed, reaches the market: a path profile lets it meet the tick that stands."""
    head = venue.head
    order.triggered = 0
    order.seen = 0
    order.accepted_ns = output.ts_ingest_ns
    order.arrived_in_row = head.matching
    order.entry_ticks = head.fill_ticks
    order.entry_at_open = head.fill_at_open
    order.tick = head.tick
    order.shown_lots = order.display_lots
    if head.profile != BOOK:
        follow_nb(order, _reached_nb(venue, state, order))
    waits = order.time_in_force == AT_OPEN or order.time_in_force == AT_CLOSE
    if not waits and (head.profile == OHLC or head.profile == OHLC_ADAPTIVE):
        return tick_order_nb(venue, state, output, order, 1, output.ts_event_ns)
    open_now = venue.markets[order.instrument].status == TRADING
    if not waits and open_now and head.profile == BOOK:
        return meet_book_nb(venue, state, output, venue.markets[order.instrument], order, output.ts_event_ns)
    return OK


@jit
def _note_order_end_nb(venue, order, expire_ns):
    """When the order ends by itself. That of a DAY order is not known while its exchange is closed."""
    market = venue.markets[order.instrument]
    order.ends_ns = 0
    if order.time_in_force == GTD:
        order.ends_ns = expire_ns
    elif order.time_in_force == DAY and market.session_close_ns >= order.accepted_ns:
        order.ends_ns = market.session_close_ns + 1
    if order.ends_ns > 0:
        note_end_nb(venue, order.ends_ns)


@jit
def _take_nb(venue, state, output, request):
    """Take an order that the kernel submitted and report it accepted, or refuse it."""
    row = find_order_nb(state, request.order_id)
    if row < 0:
        return OK
    head, order = venue.head, state.orders[row]
    if head.order_count >= VENUE_ORDERS:
        return reject_nb(venue, state, output, request, REJECT_BY_VENUE)
    resting = venue.orders[head.order_count]
    resting.order_id = order.order_id
    resting.strategy = order.strategy
    resting.instrument = order.instrument
    resting.leg = order.leg
    resting.side = order.side
    resting.order_type = order.order_type
    resting.time_in_force = order.time_in_force
    resting.instructions = order.instructions
    resting.remaining_lots = order.quantity_lots - order.filled_lots
    resting.filled_lots = order.filled_lots
    resting.limit_ticks = order.limit_ticks
    resting.stop_ticks = order.stop_ticks
    resting.trail_kind = order.trail_kind
    resting.trail_value = order.trail_value
    resting.limit_offset_ticks = order.limit_offset_ticks
    resting.display_lots = order.display_lots
    resting.group_id = order.group_id
    resting.is_child = 1 if order.parent_id != 0 else 0
    resting.goes_first = 1 if goes_first_nb(head.profile, order) else 0
    resting.ends_ns = order.expire_ns
    resting.accepted_ns = output.ts_ingest_ns
    resting.fee_minor = 0
    resting.charged_minor = 0
    reason = _refusal_nb(venue, state, output, resting)
    if reason != 0:
        return reject_nb(venue, state, output, request, reason)
    head.order_count += 1
    _note_order_end_nb(venue, resting, order.expire_ns)
    record = begin_report_nb(venue, state, output, ACCEPTED.kind, order.instrument, order.strategy)
    record.words[ACCEPTED.order_id] = resting.order_id
    status = send_report_nb(venue, state, output, record)
    if status != OK:
        return status
    return _meet_market_nb(venue, state, output, resting)


@jit
def _take_back_nb(venue, order_id):
    """A group cancels an order that is on its way here. Returns whether there is one."""
    head = venue.head
    found = False
    for number in range(head.request_count):
        sent = venue.requests[(head.request_first + number) % MAX_REQUESTS]
        if sent.order_id == order_id and sent.kind == NEW:
            sent.kind = 0
            found = True
    return found


@jit
def _cancel_nb(venue, state, output, request, reason):
    at = find_resting_nb(venue, request.order_id)
    if at >= 0 and reason == 0:
        return cancel_rest_nb(venue, state, output, venue.orders[at], CANCEL_ON_REQUEST)
    row = find_order_nb(state, request.order_id)
    if at < 0 and row >= 0 and request.linked == 1 and _take_back_nb(venue, request.order_id):
        record = begin_report_nb(venue, state, output, CANCELED.kind, request.instrument, request.strategy)
        record.words[CANCELED.order_id] = request.order_id
        record.words[CANCELED.leaves_lots] = state.orders[row].quantity_lots - state.orders[row].filled_lots
        record.words[CANCELED.reason] = CANCEL_ON_REQUEST
        return send_report_nb(venue, state, output, record)
    return reject_request_nb(venue, state, output, request, REQUEST_CANCEL, reason if at >= 0 else REJECT_UNKNOWN_ORDER)


@jit
def _misfit_nb(venue, state, order):
    """Why an order with new prices would not be taken, 0 if it would."""
    price = _reached_nb(venue, state, order)
    if _would_take_nb(order, price):
        return REJECT_POST_ONLY
    return REJECT_STOP_IN_MARKET if has_trigger_nb(order.order_type) and _is_late_nb(venue, order, price) else 0


@jit
def _replace_nb(venue, state, output, request, reason):
    """Change a resting order. Other prices make it a new order to the market; another quantity alone does not."""
    at = find_resting_nb(venue, request.order_id)
    order = venue.orders[max(at, 0)]
    limit_ticks, stop_ticks = order.limit_ticks, order.stop_ticks
    moved = request.limit_ticks != limit_ticks or request.stop_ticks != stop_ticks
    is_new = request.linked == 0 and moved and not is_trailing_nb(order.order_type)
    if at < 0:
        reason = REJECT_UNKNOWN_ORDER
    elif reason == 0 and request.quantity_lots <= order.filled_lots:
        reason = REJECT_FILLED
    elif reason == 0 and is_new:
        order.limit_ticks, order.stop_ticks = request.limit_ticks, request.stop_ticks
        reason = _misfit_nb(venue, state, order)
        if reason != 0:
            order.limit_ticks, order.stop_ticks = limit_ticks, stop_ticks
    if reason != 0:
        return reject_request_nb(venue, state, output, request, REQUEST_REPLACE, reason)
    grows = request.quantity_lots - order.filled_lots > order.remaining_lots
    order.remaining_lots = request.quantity_lots - order.filled_lots
    if grows and not is_new and venue.head.profile == BOOK:
        join_nb(venue, order)
    record = begin_report_nb(venue, state, output, REPLACED.kind, order.instrument, order.strategy)
    record.words[REPLACED.order_id] = request.order_id
    record.words[REPLACED.quantity_lots] = request.quantity_lots
    record.words[REPLACED.limit_ticks] = request.limit_ticks
    record.words[REPLACED.stop_ticks] = request.stop_ticks
    status = send_report_nb(venue, state, output, record)
    if status != OK or not is_new:
        return status
    return _meet_market_nb(venue, state, output, order)


@unit(VENUE, STATE, OUTPUT, REQUEST)
def carry_out_nb(venue, state, output, request):
    """Carry out a request that has reached the venue. Returns a status."""
    if request.kind == 0:
        return OK
    if request.kind == NEW:
        return _take_nb(venue, state, output, request)
    reason = 0
    if request.linked == 0:
        closed = is_halted_nb(venue, request.instrument) and request.kind != CANCEL
        if closed or is_in_maintenance_nb(venue, request.instrument, output.ts_ingest_ns):
            reason = REJECT_CLOSED
    if request.kind == CANCEL:
        return _cancel_nb(venue, state, output, request, reason)
    return _replace_nb(venue, state, output, request, reason)
