"""SimVenue: a simulated venue with its own deterministic state.

Owns the resting orders as the venue sees them and the rules by which market data fills them. The kernel hears of it
only through reports (accepted, filled, cancelled, expired, replaced), which are events like those of a real venue.

At which price and how much a row fills is decided in ``fill_rules_nb``.
"""

from kernel.apply_nb import apply_nb, position_index_nb
from kernel.decide_nb import after_fill_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import ACCEPTED, CANCELED, EXPIRED, FILLED, REPLACED
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, equity_nb, notional_nb
from kernel.lifecycle import (
    CANCEL_FOK,
    CANCEL_IOC,
    CANCEL_NO_FUNDS,
    CANCEL_REQUESTED,
    DAY,
    FOK,
    IOC,
    LIMIT,
    MAKER,
    TAKER,
)
from kernel.market import BAR, QUOTE
from kernel.records import record_dtype
from kernel.state import MAX_ORDERS, table_dtype
from kernel.units import RATE_SCALE
from replay.fill_rules_nb import offered_lots_nb, price_nb, range_nb

DAY_NS = 86_400_000_000_000

VENUE_ORDER = table_dtype(
    "order_id",
    "strategy",
    "instrument",
    "side",
    "order_type",
    "time_in_force",
    "remaining_lots",
    "filled_lots",
    "limit_ticks",
    "stop_ticks",
    "triggered",
    "seen",  # whether it has met the market
    "accepted_ns",
)
VENUE = record_dtype(
    head=table_dtype(
        "order_count",
        "next_trade_id",
        "day",
        "profile",
        "maker_fee_rate",
        "taker_fee_rate",
        "slippage_rate",
        "volume_share_rate",
    ),
    orders=(VENUE_ORDER, MAX_ORDERS + 1),  # the last row stays zero: it clears the others
)


@jit
def find_resting_nb(venue, order_id):
    """The row of a resting order at the venue, or -1."""
    for at in range(venue.head.order_count):
        if venue.orders[at].order_id == order_id:
            return at
    return -1


@jit
def _drop_done_nb(venue):
    """Take the finished orders out, keeping the others in the order of their arrival."""
    head = venue.head
    kept = 0
    for at in range(head.order_count):
        if venue.orders[at].remaining_lots > 0:
            if kept != at:
                venue.orders[kept] = venue.orders[at]
            kept += 1
    for at in range(kept, head.order_count):
        venue.orders[at] = venue.orders[MAX_ORDERS]
    head.order_count = kept


@inlined
def accept_nb(venue, state, output, order_id, order):
    """Take an order that the kernel submitted, and report it accepted."""
    head = venue.head
    resting = venue.orders[head.order_count]
    head.order_count += 1
    resting.order_id = order_id
    resting.strategy = order.strategy
    resting.instrument = order.instrument
    resting.side = order.side
    resting.order_type = order.order_type
    resting.time_in_force = order.time_in_force
    resting.remaining_lots = order.quantity_lots
    resting.filled_lots = 0
    resting.limit_ticks = order.limit_ticks
    resting.stop_ticks = order.stop_ticks
    resting.triggered = 0
    resting.seen = 0
    resting.accepted_ns = output.ts_ingest_ns
    record = begin_nb(state, output, ACCEPTED.kind, order.instrument, order.strategy)
    record.words[ACCEPTED.order_id] = order_id
    return apply_nb(state, record)


@jit
def _cancel_rest_nb(state, output, order, reason):
    record = begin_nb(state, output, CANCELED.kind, order.instrument, order.strategy)
    record.words[CANCELED.order_id] = order.order_id
    record.words[CANCELED.leaves_lots] = order.remaining_lots
    record.words[CANCELED.reason] = reason
    order.remaining_lots = 0
    return apply_nb(state, record)


@inlined
def cancel_nb(venue, state, output, order_id):
    """Cancel a resting order on request."""
    status = _cancel_rest_nb(state, output, venue.orders[find_resting_nb(venue, order_id)], CANCEL_REQUESTED)
    _drop_done_nb(venue)
    return status


@inlined
def replace_nb(venue, state, output, order_id, quantity_lots, limit_ticks, stop_ticks):
    """Change a resting order; it is a new order to the market from now on (its stop is armed again)."""
    order = venue.orders[find_resting_nb(venue, order_id)]
    order.remaining_lots = quantity_lots - order.filled_lots
    order.limit_ticks = limit_ticks
    order.stop_ticks = stop_ticks
    order.triggered = 0
    order.seen = 0
    order.accepted_ns = output.ts_ingest_ns
    record = begin_nb(state, output, REPLACED.kind, order.instrument, order.strategy)
    record.words[REPLACED.order_id] = order_id
    record.words[REPLACED.quantity_lots] = quantity_lots
    record.words[REPLACED.limit_ticks] = limit_ticks
    record.words[REPLACED.stop_ticks] = stop_ticks
    return apply_nb(state, record)


@inlined
def expire_nb(venue, state, output, ts_ns):
    """At the first market event of a new UTC day: end the DAY orders of the days before.

    ``ts_ns`` is when the event began: a bar belongs to the day in which it opened, though it is known at its close.
    """
    head = venue.head
    day = ts_ns // DAY_NS
    if day <= head.day:
        return OK
    head.day = day
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.time_in_force == DAY and order.accepted_ns // DAY_NS < day:
            record = begin_nb(state, output, EXPIRED.kind, order.instrument, order.strategy)
            record.words[EXPIRED.order_id] = order.order_id
            record.words[EXPIRED.leaves_lots] = order.remaining_lots
            order.remaining_lots = 0
            status = apply_nb(state, record)
            if status != OK:
                return status
    _drop_done_nb(venue)
    return OK


@inlined
def _has_funds_nb(state, order, price_ticks, quantity_lots, fee_minor):
    """Whether the account carries the position that this fill would leave (always, if it makes it smaller)."""
    limits, account = state.limits, state.accounts[0]
    position = state.positions[position_index_nb(state, order.strategy, order.instrument)]
    after = position.quantity_lots + order.side * quantity_lots
    if limits.margin_rate == 0 or abs(after) <= abs(position.quantity_lots):
        return True
    money = notional_nb(state.instruments[order.instrument], price_ticks, abs(after))
    if money == OVERFLOW:
        return False
    gross = account.gross_minor - abs(position.value_minor) + money
    required = scale_nb(gross, limits.margin_rate, 1, RATE_SCALE)
    return required != OVERFLOW and required <= equity_nb(account) - fee_minor


@inlined
def _fill_nb(venue, state, output, order, price_ticks, quantity_lots, is_maker, ts_event_ns):
    """Report one fill (or that the account cannot carry it), and let the kernel book it."""
    head = venue.head
    rate = head.maker_fee_rate if is_maker else head.taker_fee_rate
    money = notional_nb(state.instruments[order.instrument], price_ticks, quantity_lots)
    fee = scale_nb(money, rate, 1, RATE_SCALE) if money != OVERFLOW else OVERFLOW
    if fee == OVERFLOW:
        return MONEY_OVERFLOW
    if not _has_funds_nb(state, order, price_ticks, quantity_lots, fee):
        return _cancel_rest_nb(state, output, order, CANCEL_NO_FUNDS)
    head.next_trade_id += 1
    order.remaining_lots -= quantity_lots
    order.filled_lots += quantity_lots
    ts_row_ns, cause = output.ts_event_ns, output.cause
    output.ts_event_ns = ts_event_ns
    record = begin_nb(state, output, FILLED.kind, order.instrument, order.strategy)
    output.ts_event_ns = ts_row_ns
    words = record.words
    words[FILLED.order_id] = order.order_id
    words[FILLED.side] = order.side
    words[FILLED.price_ticks] = price_ticks
    words[FILLED.quantity_lots] = quantity_lots
    words[FILLED.leaves_lots] = order.remaining_lots
    words[FILLED.fee_minor] = fee
    words[FILLED.liquidity] = MAKER if is_maker else TAKER
    words[FILLED.trade_id] = head.next_trade_id
    status = apply_nb(state, record)
    if status != OK:
        return status
    output.cause = record.sequence
    status = after_fill_nb(state, output, order.strategy, order.instrument, order.order_id)
    output.cause = cause
    return status


@inlined
def _match_order_nb(venue, state, output, order, row, offered_lots):
    """Try one resting order against a row. Returns ``(status, lots filled)``."""
    open_, high, low, ts_open_ns = range_nb(row, order.side)
    too_young = order.accepted_ns > ts_open_ns if row.kind == BAR else order.accepted_ns >= row.ts_ns
    if open_ <= 0 or too_young:
        return OK, 0
    at_once = order.time_in_force == IOC or order.time_in_force == FOK
    if at_once:
        high = low = open_
    was_waiting = order.seen == 1 and order.triggered == 1
    crosses = order.seen == 0 and order.side * open_ <= order.side * order.limit_ticks
    price, at_open, order.triggered = price_nb(venue.head, order, open_, high, low)
    # A limit makes the market unless it crosses on arrival, or is let loose by its stop in this very bar.
    is_maker = not at_once and ((order.order_type == LIMIT and not crosses) or was_waiting)
    order.seen = 1
    filled_before = order.filled_lots
    quantity = 0
    if price > 0:
        quantity = min(order.remaining_lots, offered_lots)
    if order.time_in_force == FOK and quantity < order.remaining_lots:
        return _cancel_rest_nb(state, output, order, CANCEL_FOK), 0
    status = OK
    if quantity > 0:
        ts_event_ns = ts_open_ns if at_open else row.ts_ns
        status = _fill_nb(venue, state, output, order, price, quantity, is_maker, ts_event_ns)
    if status == OK and at_once and order.remaining_lots > 0:
        status = _cancel_rest_nb(state, output, order, CANCEL_IOC)
    return status, order.filled_lots - filled_before


@inlined
def match_nb(venue, state, output, row):
    """Fill what the row fills, in the order of arrival; the orders of one side share what the row offers."""
    head = venue.head
    instrument = state.instruments[row.instrument]
    buys, sells = offered_lots_nb(head, instrument, row, 1), offered_lots_nb(head, instrument, row, -1)
    shared = row.kind != QUOTE
    done = False
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.instrument != row.instrument:
            continue
        status, filled = _match_order_nb(venue, state, output, order, row, buys if order.side > 0 else sells)
        if status != OK:
            return status
        if order.side > 0 or shared:
            buys -= filled
        if order.side < 0 or shared:
            sells -= filled
        done = done or order.remaining_lots == 0
    if done:
        _drop_done_nb(venue)
    return OK
