"""One fill at the simulated venue: what it costs, and whether account and position can carry it."""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import FILLED
from kernel.exact_nb import OVERFLOW
from kernel.funds_nb import has_funds_nb
from kernel.jit import unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, exposure_nb
from kernel.lifecycle import CANCEL_NO_FUNDS, CANCEL_REDUCE_ONLY, REDUCING
from kernel.lifecycle_nb import reducible_lots_nb
from kernel.react_nb import react_nb
from kernel.state import STATE
from replay.venue.costs_nb import charge_nb, count_volume_nb, fee_nb
from replay.venue.memory import MAX_REPORTS, VENUE, VENUE_ORDER
from replay.venue.profiles import LATENCY_NONE
from replay.venue.reports_nb import begin_report_nb, cancel_rest_nb, send_report_nb, unheard_lots_nb


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
    strategy, number = order.strategy, order.instrument
    if not has_funds_nb(state, strategy, number, order.leg, order.side, price_ticks, quantity_lots, fee):
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
