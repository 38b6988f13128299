"""What a market event means for money: funding, dividends, splits, expiry, interest, borrow fees.

Owns the amounts of these events, each a function of the state and the row that led to it. The loop calls
``consequences_nb`` after the venue has matched the row, and only when ``has_consequences_nb`` says so. Interest and
borrow fees are in ``accrual_nb``, margin calls and liquidations in ``liquidation_nb``.

Funding: a position pays its value at the mark price times the rate; a mark of 0 is the last price. A dividend is
paid on the lots that are held when it comes. A split or an expiry ends the open orders of its instrument, at once.
"""

import numpy as np

from kernel.accrual_nb import accrue_nb
from kernel.after_fill_nb import after_fill_nb
from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import (
    CONTRACT_EXPIRED,
    CORPORATE_ACTION,
    DIVIDEND_PAID,
    FUNDING_DUE,
    FUNDING_PAID,
    SETTLED,
    SPLIT_APPLIED,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, OK, book_index_nb, exposure_nb
from kernel.lifecycle import ASK_CANCEL, NEXT
from kernel.liquidation_nb import watch_margin_nb
from kernel.market import DIVIDEND, ROW, SPLIT
from kernel.requests_nb import ask_cancel_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE

SAFE_DIVISOR = 4.0e18  # below 2**62 by more than any rounding of the float estimate


@inlined
def has_consequences_nb(head, kind):
    """Whether a market event of this kind may move money by itself at this moment."""
    return (
        kind == FUNDING_DUE.kind
        or kind == CORPORATE_ACTION.kind
        or head.margin_watched != 0
        or head.next_accrual_ns <= head.now_ns
        or head.next_expiry_ns <= head.now_ns
    )


@jit
def cancel_orders_nb(state, output, instrument):
    """Ask for the end of every open order of an instrument, at once: its exchange would. Returns a status."""
    at = 0
    while at < state.head.order_count:
        order = state.orders[at]
        before = state.head.order_count
        if order.instrument == instrument and order.cancel_linked == 0 and NEXT[order.status, ASK_CANCEL] >= 0:
            status = ask_cancel_nb(state, output, order, 1)
            if status != OK:
                return status
        if state.head.order_count == before:  # else a held order ended at once, and the next one is in its row
            at += 1
    return OK


@inlined
def _fund_nb(state, output, instrument_id, strategy, leg, position, words):
    """Longs pay the rate on the value at the mark price, shorts receive it."""
    instrument = state.instruments[instrument_id]
    mark = words[FUNDING_DUE.mark_ticks] if words[FUNDING_DUE.mark_ticks] > 0 else instrument.last_ticks
    value = exposure_nb(instrument, mark, abs(position.quantity_lots))
    if value == OVERFLOW:
        return MONEY_OVERFLOW
    if position.quantity_lots < 0:
        value = -value
    amount = scale_linked_nb(value, words[FUNDING_DUE.rate], 1, RATE_SCALE)
    if amount == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, FUNDING_PAID.kind, instrument_id, strategy)
    record.words[FUNDING_PAID.leg] = leg
    record.words[FUNDING_PAID.lots] = position.quantity_lots
    record.words[FUNDING_PAID.value_minor] = value
    record.words[FUNDING_PAID.rate] = words[FUNDING_DUE.rate]
    record.words[FUNDING_PAID.mark_ticks] = mark
    record.words[FUNDING_PAID.amount_minor] = amount
    return apply_nb(state, record)


@inlined
def _dividend_nb(state, output, instrument_id, strategy, leg, position, words):
    numerator, denominator = words[CORPORATE_ACTION.numerator], words[CORPORATE_ACTION.denominator]
    if numerator < 0 or denominator <= 0:
        return MISMATCH
    amount = scale_linked_nb(position.quantity_lots, numerator, 1, denominator)
    if amount == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, DIVIDEND_PAID.kind, instrument_id, strategy)
    record.words[DIVIDEND_PAID.leg] = leg
    record.words[DIVIDEND_PAID.lots] = position.quantity_lots
    record.words[DIVIDEND_PAID.numerator] = numerator
    record.words[DIVIDEND_PAID.denominator] = denominator
    record.words[DIVIDEND_PAID.amount_minor] = amount
    return apply_nb(state, record)


@inlined
def _split_nb(state, output, instrument_id, strategy, leg, position, words):
    """Whole new lots, towards zero; the rest in cash at the last price, which is adjusted already."""
    instrument = state.instruments[instrument_id]
    numerator, denominator = words[CORPORATE_ACTION.numerator], words[CORPORATE_ACTION.denominator]
    before = position.quantity_lots
    if float(abs(before)) * float(numerator) >= MONEY_MAX:
        return MONEY_OVERFLOW
    if float(denominator) * float(instrument.denominator) >= SAFE_DIVISOR:
        return MONEY_OVERFLOW
    total = abs(before) * numerator
    after, rest = total // denominator, total % denominator
    side = 1 if before > 0 else -1
    cash = scale_linked_nb(instrument.last_ticks, rest, instrument.numerator, denominator * instrument.denominator)
    cost_out = scale_linked_nb(position.cost_minor, rest, 1, total)
    if cash == OVERFLOW or cost_out == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, SPLIT_APPLIED.kind, instrument_id, strategy)
    record.words[SPLIT_APPLIED.leg] = leg
    record.words[SPLIT_APPLIED.lots_before] = before
    record.words[SPLIT_APPLIED.lots_after] = side * after
    record.words[SPLIT_APPLIED.numerator] = numerator
    record.words[SPLIT_APPLIED.denominator] = denominator
    record.words[SPLIT_APPLIED.cash_minor] = side * cash
    record.words[SPLIT_APPLIED.realised_minor] = side * cash - cost_out
    status = apply_nb(state, record)
    if status != OK:
        return status
    output.cause = record.sequence
    return after_fill_nb(state, output, strategy, instrument_id, 0)


@inlined
def _settle_nb(state, output, instrument_id, strategy, leg, position):
    """Close a book of an expired contract at the last price that was seen before it expired."""
    record = begin_nb(state, output, SETTLED.kind, instrument_id, strategy)
    record.words[SETTLED.leg] = leg
    record.words[SETTLED.lots] = position.quantity_lots
    record.words[SETTLED.price_ticks] = state.instruments[instrument_id].last_ticks
    status = apply_nb(state, record)
    if status != OK:
        return status
    output.cause = record.sequence
    return after_fill_nb(state, output, strategy, instrument_id, 0)


@jit
def _each_book_nb(state, output, kind, instrument_id, words):
    """Do to every book that holds the instrument what the event says. Returns a status."""
    cause = output.cause
    for side in (1, -1):
        for strategy in range(state.head.strategy_count):
            position = state.positions[book_index_nb(state, strategy, instrument_id, side)]
            if position.quantity_lots == 0:
                continue
            leg = side * state.accounts[position.account].hedging
            status = OK
            if kind == FUNDING_DUE.kind:
                status = _fund_nb(state, output, instrument_id, strategy, leg, position, words)
            elif kind == CONTRACT_EXPIRED.kind:
                status = _settle_nb(state, output, instrument_id, strategy, leg, position)
            elif words[CORPORATE_ACTION.action] == DIVIDEND:
                status = _dividend_nb(state, output, instrument_id, strategy, leg, position, words)
            elif words[CORPORATE_ACTION.action] == SPLIT:
                status = _split_nb(state, output, instrument_id, strategy, leg, position, words)
            output.cause = cause
            if status != OK:
                return status
    return OK


@inlined
def _expire_nb(state, output, words):
    """Settle what has expired: open orders end, positions are closed, and the contract is over.

    A fill of which the kernel hears after that is settled when it is heard of, at the same price.
    """
    now_ns = state.head.now_ns
    for number in range(state.head.instrument_count):
        instrument = state.instruments[number]
        if instrument.expiry_ns == 0 or instrument.expiry_ns > now_ns:
            continue
        if instrument.expired != 0 and instrument.holder_count == 0:
            continue
        status = cancel_orders_nb(state, output, number)
        if status == OK:
            status = _each_book_nb(state, output, CONTRACT_EXPIRED.kind, number, words)
        if status == OK and instrument.expired == 0:
            record = begin_nb(state, output, CONTRACT_EXPIRED.kind, number, -1)
            record.words[CONTRACT_EXPIRED.price_ticks] = instrument.last_ticks
            status = apply_nb(state, record)
        if status != OK:
            return status
    return OK


@unit(STATE, OUTPUT, ROW, np.int64)
def consequences_nb(state, output, row, kind):
    """Derive what a market event, already applied and matched, does to money. Returns a status.

    ``kind`` is the kind of its event; the cause in the output is its sequence.
    """
    head, words, cause, status = state.head, row.words, output.cause, OK
    if kind == FUNDING_DUE.kind or kind == CORPORATE_ACTION.kind:
        if kind == CORPORATE_ACTION.kind and words[CORPORATE_ACTION.action] == SPLIT:
            status = cancel_orders_nb(state, output, row.instrument)
        if status == OK and state.instruments[row.instrument].holder_count > 0:
            status = _each_book_nb(state, output, kind, row.instrument, words)
    if status == OK and head.next_expiry_ns <= head.now_ns:
        status = _expire_nb(state, output, words)
    output.cause = cause
    if status == OK and head.next_accrual_ns <= head.now_ns:
        status = accrue_nb(state, output)
    if status == OK and head.margin_watched != 0:
        status = watch_margin_nb(state, output)
    output.cause = cause
    return status
