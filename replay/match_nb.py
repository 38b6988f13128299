"""Matching: what a market row does to the orders that rest at the simulated venue.

Owns the order in which a row meets them, the fees and the funds of a fill. At which price and how much a row fills is
decided in ``fill_rules_nb``.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import FILLED
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, equity_nb, notional_nb
from kernel.lifecycle import CANCEL_FOK, CANCEL_IOC, CANCEL_NO_FUNDS, FOK, IOC, LIMIT, MAKER, TAKER
from kernel.market import BAR, QUOTE, ROW
from kernel.orders_nb import position_index_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE
from replay.fill_rules_nb import offered_lots_nb, price_nb, range_nb
from replay.settle_nb import settle_nb
from replay.venue_nb import VENUE, cancel_rest_nb, drop_done_nb


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
        return cancel_rest_nb(state, output, order, CANCEL_NO_FUNDS)
    head.next_trade_id += 1
    order.remaining_lots -= quantity_lots
    order.filled_lots += quantity_lots
    ts_row_ns = output.ts_event_ns
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
    return apply_nb(state, record)


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
        return cancel_rest_nb(state, output, order, CANCEL_FOK), 0
    status = OK
    if quantity > 0:
        ts_event_ns = ts_open_ns if at_open else row.ts_ns
        status = _fill_nb(venue, state, output, order, price, quantity, is_maker, ts_event_ns)
    if status == OK and at_once and order.remaining_lots > 0:
        status = cancel_rest_nb(state, output, order, CANCEL_IOC)
    return status, order.filled_lots - filled_before


@unit(VENUE, STATE, OUTPUT, ROW)
def match_nb(venue, state, output, row):
    """Fill what the row fills, in the order of arrival; the orders of one side share what the row offers.

    What follows from a fill is settled before the next order is tried.
    """
    head = venue.head
    cause = output.cause
    instrument = state.instruments[row.instrument]
    buys, sells = offered_lots_nb(head, instrument, row, 1), offered_lots_nb(head, instrument, row, -1)
    shared = row.kind != QUOTE
    at = 0
    while at < head.order_count:  # it grows when a fill releases other orders
        order = venue.orders[at]
        at += 1
        if order.instrument != row.instrument or order.remaining_lots == 0:
            continue
        first_record = output.count
        status, filled = _match_order_nb(venue, state, output, order, row, buys if order.side > 0 else sells)
        if status == OK and output.count > first_record:
            status = settle_nb(venue, state, output, first_record)
            output.cause = cause
        if status != OK:
            return status
        if order.side > 0 or shared:
            buys -= filled
        if order.side < 0 or shared:
            sells -= filled
    drop_done_nb(venue)
    return OK
