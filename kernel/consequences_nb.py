"""What a market event means for money: funding, dividends, splits, expiry, interest, borrow fees.

Owns the amounts of these events, each a function of the state and the row that led to it. The loop calls
``consequences_nb`` after the venue has matched the row, and only when ``has_consequences_nb`` says so. Margin calls and
liquidations are in ``liquidation_nb``.

Funding: a position pays its value at the mark price times the rate; a mark of 0 is the last price. A dividend is
paid on the lots that are held when it comes. A split cancels the open orders of its instrument. Interest and borrow
fees accrue every 24 hours, for whole days, on what is held at the first event at or after that instant; a position
that was opened since pays from the first instant after its entry on.
"""

from numba import types

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import (
    ACCRUAL_DONE,
    BORROW_PAID,
    CANCEL_REQUESTED,
    CONTRACT_EXPIRED,
    CONVERTED,
    CORPORATE_ACTION,
    DIVIDEND_PAID,
    FUNDING_DUE,
    FUNDING_PAID,
    INTEREST_PAID,
    SETTLED,
    SPLIT_APPLIED,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_nb
from kernel.income_nb import DAY_NS, accrued_until_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, OK, book_index_nb, exposure_nb
from kernel.liquidation_nb import is_cancellable_nb, watch_margin_nb
from kernel.market import DIVIDEND, ROW, SPLIT
from kernel.react_nb import after_fill_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE

MOST_RECORDS = 300  # what one call may write; what is left goes on at the next event


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
    """Ask for the end of every open order of an instrument that can be asked for. Returns a status."""
    at = 0
    while at < state.head.order_count:
        order = state.orders[at]
        before = state.head.order_count
        if order.instrument == instrument and is_cancellable_nb(order):
            record = begin_nb(state, output, CANCEL_REQUESTED.kind, instrument, order.strategy)
            record.words[CANCEL_REQUESTED.order_id] = order.order_id
            status = apply_nb(state, record)
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
    amount = scale_nb(value, words[FUNDING_DUE.rate], 1, RATE_SCALE)
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
    amount = scale_nb(position.quantity_lots, numerator, 1, denominator)
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
    total = abs(before) * numerator
    after, rest = total // denominator, total % denominator
    side = 1 if before > 0 else -1
    cash = scale_nb(instrument.last_ticks, rest, instrument.numerator, denominator * instrument.denominator)
    cost_out = scale_nb(position.cost_minor, rest, 1, total)
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
    """Settle what has expired: open orders end, positions are closed, and the contract is over."""
    now_ns = state.head.now_ns
    for number in range(state.head.instrument_count):
        instrument = state.instruments[number]
        if instrument.expiry_ns == 0 or instrument.expired != 0 or instrument.expiry_ns > now_ns:
            continue
        status = cancel_orders_nb(state, output, number)
        if status == OK:
            status = _each_book_nb(state, output, CONTRACT_EXPIRED.kind, number, words)
        if status == OK:
            record = begin_nb(state, output, CONTRACT_EXPIRED.kind, number, -1)
            record.words[CONTRACT_EXPIRED.price_ticks] = instrument.last_ticks
            status = apply_nb(state, record)
        if status != OK:
            return status
    return OK


@jit
def _due_days_nb(head, accrued_ns, entry_ns):
    """Instants of accrual since the last one that is booked, or since the entry, up to now."""
    first_ns = accrued_ns + DAY_NS if accrued_ns >= head.next_accrual_ns else head.next_accrual_ns
    if entry_ns > first_ns:
        first_ns += (entry_ns - first_ns + DAY_NS - 1) // DAY_NS * DAY_NS
    return (head.now_ns - first_ns) // DAY_NS + 1 if first_ns <= head.now_ns else 0


@jit
def _borrow_nb(state, output, strategy, instrument_id, leg, position):
    """The fee of one short position for the loan of what was sold."""
    head, instrument = state.head, state.instruments[instrument_id]
    days = _due_days_nb(head, position.accrued_ns, position.trade_ts_entry_ns)
    value = abs(position.value_minor)
    if days <= 0:
        return OK
    amount = scale_nb(value, instrument.borrow_rate * days, 1, RATE_SCALE * head.days_per_year)
    if amount == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, BORROW_PAID.kind, instrument_id, strategy)
    record.words[BORROW_PAID.leg] = leg
    record.words[BORROW_PAID.value_minor] = value
    record.words[BORROW_PAID.rate] = instrument.borrow_rate
    record.words[BORROW_PAID.days] = days
    record.words[BORROW_PAID.amount_minor] = amount
    return apply_nb(state, record)


@jit
def _interest_nb(state, output, row):
    """Interest on one balance."""
    head, balance = state.head, state.balances[row]
    currency = state.currencies[balance.currency]
    rate = currency.credit_rate if balance.cash_minor > 0 else currency.debit_rate
    days = _due_days_nb(head, balance.accrued_ns, 0)
    if rate == 0 or days <= 0 or balance.cash_minor == 0:
        return OK
    amount = scale_nb(balance.cash_minor, rate * days, 1, RATE_SCALE * head.days_per_year)
    if amount == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, INTEREST_PAID.kind, -1, -1)
    record.account = balance.account
    record.words[INTEREST_PAID.currency] = balance.currency
    record.words[INTEREST_PAID.cash_minor] = balance.cash_minor
    record.words[INTEREST_PAID.rate] = rate
    record.words[INTEREST_PAID.days] = days
    record.words[INTEREST_PAID.amount_minor] = amount
    return apply_nb(state, record)


@jit
def _sweep_nb(state, output, row):
    """Convert what an account holds in another currency into its own, at the rate in force."""
    balance = state.balances[row]
    account = state.accounts[balance.account]
    known = balance.rate_denominator != 0 and balance.currency != account.currency
    if account.sweep == 0 or not known or balance.cash_minor == 0:
        return OK
    converted = scale_nb(balance.cash_minor, balance.rate_numerator, 1, balance.rate_denominator)
    if converted == OVERFLOW:
        return MONEY_OVERFLOW
    record = begin_nb(state, output, CONVERTED.kind, -1, -1)
    record.account = balance.account
    record.words[CONVERTED.from_currency] = balance.currency
    record.words[CONVERTED.from_minor] = balance.cash_minor
    record.words[CONVERTED.to_currency] = account.currency
    record.words[CONVERTED.to_minor] = converted
    record.words[CONVERTED.numerator] = balance.rate_numerator
    record.words[CONVERTED.denominator] = balance.rate_denominator
    return apply_nb(state, record)


@inlined
def _accrue_nb(state, output):
    """Borrow fees, interest, sweeps; when the transaction is full, what is left comes with the next event."""
    head, first_record = state.head, output.count
    for instrument_id in range(head.instrument_count):
        instrument = state.instruments[instrument_id]
        if instrument.holder_count == 0 or instrument.borrow_rate == 0 or instrument.margined != 0:
            continue
        for strategy in range(head.strategy_count):
            for side in (1, -1):
                position = state.positions[book_index_nb(state, strategy, instrument_id, side)]
                if position.quantity_lots >= 0:
                    continue
                if output.count - first_record > MOST_RECORDS:
                    return OK
                leg = side * state.accounts[position.account].hedging
                status = _borrow_nb(state, output, strategy, instrument_id, leg, position)
                if status != OK:
                    return status
    for row in range(head.balance_count):
        status = _interest_nb(state, output, row)
        if status == OK:
            status = _sweep_nb(state, output, row)
        if status != OK:
            return status
    record = begin_nb(state, output, ACCRUAL_DONE.kind, -1, -1)
    record.words[ACCRUAL_DONE.next_ns] = accrued_until_nb(head) + DAY_NS
    record.words[ACCRUAL_DONE.days] = (head.now_ns - head.next_accrual_ns) // DAY_NS + 1
    return apply_nb(state, record)


@unit(STATE, OUTPUT, ROW, types.int64)
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
        status = _accrue_nb(state, output)
    if status == OK and head.margin_watched != 0:
        status = watch_margin_nb(state, output)
    output.cause = cause
    return status
