"""One fill at the simulated venue: what it costs, and whether account and position can carry it."""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import FILLED
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import (
    CASH,
    MONEY_OVERFLOW,
    OK,
    book_index_nb,
    convert_nb,
    equity_nb,
    exposure_nb,
    initial_rate_nb,
)
from kernel.lifecycle import CANCEL_NO_FUNDS, CANCEL_REDUCE_ONLY, REDUCING
from kernel.lifecycle_nb import reducible_lots_nb
from kernel.netting_nb import nets_nb, netted_gross_minor_nb, netted_value_nb
from kernel.react_nb import react_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE
from replay.venue.costs_nb import charge_nb, count_volume_nb, fee_nb
from replay.venue.memory import MAX_REPORTS, VENUE, VENUE_ORDER
from replay.venue.profiles import LATENCY_NONE
from replay.venue.reports_nb import begin_report_nb, cancel_rest_nb, send_report_nb, unheard_lots_nb


@inlined
def _has_funds_nb(state, order, price_ticks, quantity_lots, fee_minor):
    """Whether the account carries the position that this fill would leave (always, if it makes it smaller).

    Books that net are one position; a fill that makes its book smaller, or that position, passes.
    """
    limits = state.limits
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    account = state.accounts[position.account]
    after = position.quantity_lots + order.side * quantity_lots
    instrument, balance = state.instruments[order.instrument], state.balances[position.balance]
    if abs(after) <= abs(position.quantity_lots):
        return True
    money = exposure_nb(instrument, price_ticks, abs(after))
    if money == OVERFLOW:
        return False
    if account.mode == CASH and instrument.margined == 0:
        return after >= 0 and money - position.value_minor <= balance.cash_minor - fee_minor
    if instrument.has_margin != 0:
        initial = scale_nb(money, initial_rate_nb(state, instrument, money), 1, RATE_SCALE)
        before = convert_nb(balance, position.initial_minor)
        initial = convert_nb(balance, initial) if initial != OVERFLOW else OVERFLOW
        fits = initial != OVERFLOW and before != OVERFLOW
        return fits and account.initial_minor - before + initial <= equity_nb(account) - convert_nb(balance, fee_minor)
    before = abs(position.value_minor)
    if state.head.strategy_count > 1 and nets_nb(state, order.strategy, order.instrument, position.account):
        value, _, held, _ = netted_value_nb(state, order.instrument, position.account)
        after, before = held + order.side * quantity_lots, abs(value)
        if abs(after) <= abs(held):
            return True
        money = exposure_nb(instrument, price_ticks, abs(after))
    money = convert_nb(balance, money) if money != OVERFLOW else OVERFLOW
    if limits.margin_rate == 0 or money == OVERFLOW:
        return money != OVERFLOW
    gross = netted_gross_minor_nb(state, position.account) - convert_nb(balance, before) + money
    required = scale_nb(gross, limits.margin_rate, 1, RATE_SCALE)
    return required != OVERFLOW and required <= equity_nb(account) - convert_nb(balance, fee_minor)


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, np.int64, np.int64, np.int64, np.int64)
def fill_nb(venue, state, output, order, price_ticks, quantity_lots, liquidity, ts_event_ns):
    """Report one fill, or that the account cannot carry it, or that there is nothing left to reduce."""
    head, fees = venue.head, venue.fees
    reduces = order.instructions & REDUCING != 0
    if reduces:
        lots = reducible_lots_nb(state, order.strategy, order.instrument, order.leg, order.side) - unheard_lots_nb(
            venue, order
        )
        if lots <= 0:
            return cancel_rest_nb(venue, state, output, order, CANCEL_REDUCE_ONLY)
        quantity_lots = min(quantity_lots, lots)
    money = exposure_nb(state.instruments[order.instrument], price_ticks, quantity_lots)
    if money == OVERFLOW:
        return MONEY_OVERFLOW
    raw_fee = fee_nb(fees, venue.markets[order.instrument], money, quantity_lots, liquidity)
    if raw_fee == OVERFLOW:
        return MONEY_OVERFLOW
    fee = charge_nb(fees, order, raw_fee)
    if not _has_funds_nb(state, order, price_ticks, quantity_lots, fee):
        return cancel_rest_nb(venue, state, output, order, CANCEL_NO_FUNDS)
    order.fee_minor += raw_fee
    order.charged_minor += fee
    count_volume_nb(fees, money, output.ts_ingest_ns)
    head.next_trade_id += 1
    order.remaining_lots -= quantity_lots
    order.filled_lots += quantity_lots
    head.fill_ticks = price_ticks
    ts_row_ns = output.ts_event_ns
    output.ts_event_ns = ts_event_ns
    record = begin_report_nb(venue, state, output, FILLED.kind, order.instrument, order.strategy)
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
    if venue.report_latency.model != LATENCY_NONE:
        venue.report_groups[(head.report_first + head.report_count) % MAX_REPORTS] = order.group_id
    at, cause = output.count - 1, output.cause
    status = send_report_nb(venue, state, output, record)
    if status == OK and venue.report_latency.model == LATENCY_NONE:
        # At once: an order may fill in two parts, and each has its own book afterwards.
        status = react_nb(state, output, at)
        output.cause = cause
    if reduces and status == OK and order.remaining_lots > 0 and quantity_lots == lots:
        return cancel_rest_nb(venue, state, output, order, CANCEL_REDUCE_ONLY)
    return status
