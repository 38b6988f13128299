"""One fill at the simulated venue: its fee, and whether the account can carry it."""

from numba import types

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import FILLED
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, book_index_nb, convert_nb, equity_nb, exposure_nb
from kernel.lifecycle import CANCEL_NO_FUNDS, MAKER
from kernel.orders_nb import find_order_nb
from kernel.react_nb import react_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE
from replay.venue.memory import VENUE, VENUE_ORDER
from replay.venue.reports_nb import cancel_rest_nb


@inlined
def _has_funds_nb(state, order, price_ticks, quantity_lots, fee_minor):
    """Whether the account carries the position that this fill would leave (always, if it makes it smaller)."""
    limits = state.limits
    leg = 0
    if state.head.hedging_count > 0:
        leg = state.orders[find_order_nb(state, order.order_id)].leg
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, leg)]
    account = state.accounts[position.account]
    after = position.quantity_lots + order.side * quantity_lots
    if limits.margin_rate == 0 or abs(after) <= abs(position.quantity_lots):
        return True
    money = exposure_nb(state.instruments[order.instrument], price_ticks, abs(after))
    if money != OVERFLOW:
        money = convert_nb(state.balances[position.balance], money)
    if money == OVERFLOW:
        return False
    gross = account.gross_minor - convert_nb(state.balances[position.balance], abs(position.value_minor)) + money
    required = scale_nb(gross, limits.margin_rate, 1, RATE_SCALE)
    return required != OVERFLOW and required <= equity_nb(account) - fee_minor


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, types.int64, types.int64, types.int64, types.int64)
def fill_nb(venue, state, output, order, price_ticks, quantity_lots, liquidity, ts_event_ns):
    """Report one fill (or that the account cannot carry it), and let the kernel book it."""
    head = venue.head
    rate = head.maker_fee_rate if liquidity == MAKER else head.taker_fee_rate
    money = exposure_nb(state.instruments[order.instrument], price_ticks, quantity_lots)
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
    words[FILLED.liquidity] = liquidity
    words[FILLED.trade_id] = head.next_trade_id
    at, cause = output.count - 1, output.cause
    status = apply_nb(state, record)
    if status == OK:  # at once: an order may fill in two parts, and each has its own book afterwards
        status = react_nb(state, output, at)
        output.cause = cause
    return status
