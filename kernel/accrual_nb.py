"""What accrues: borrow fees, interest, and the sweeps of foreign money.

Owns the amounts. They accrue every 24 hours, for whole days, on what is held at the first event at or after that
instant; a position that was opened since pays from the first instant at or after its entry on.
"""

from kernel.apply_nb import apply_nb
from kernel.emit_nb import begin_nb
from kernel.events.layout import ACCRUAL_DONE, BORROW_PAID, CONVERTED, INTEREST_PAID
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.income_nb import DAY_NS, accrued_until_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, book_index_nb
from kernel.units import RATE_SCALE

MOST_RECORDS = 300  # what one call may write; what is left goes on at the next event


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
    amount = scale_linked_nb(value, instrument.borrow_rate * days, 1, RATE_SCALE * head.days_per_year)
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
    amount = scale_linked_nb(balance.cash_minor, rate * days, 1, RATE_SCALE * head.days_per_year)
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
    converted = scale_linked_nb(balance.cash_minor, balance.rate_numerator, 1, balance.rate_denominator)
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
def accrue_nb(state, output):
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
