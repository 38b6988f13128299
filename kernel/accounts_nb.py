"""Accounts, currencies, rates and instruments in the state: the part of ``apply`` that says what money means.

Owns the making of balances and the rates between currencies. Called seldom, so it is compiled as units of its own.
"""

import numpy as np

from kernel.events.layout import (
    ACCOUNT_DEFINED,
    BOOK_ASSIGNED,
    CURRENCY,
    DEPOSIT,
    INSTRUMENT,
    RATE_SOURCE,
    RATE_STATED,
    RECORD,
)
from kernel.exact_nb import MONEY_MAX
from kernel.instruments import FIRST_INVERSE, FIRST_MARGINED, OPTION
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import (
    BAD_INDEX,
    MISMATCH,
    MONEY_OVERFLOW,
    NO_CAPACITY,
    OK,
    UNKNOWN_KIND,
    balance_fits_nb,
    book_index_nb,
    rate_row_nb,
    rebase_margin_nb,
    rebase_nb,
)
from kernel.state import STATE
from kernel.tables.table import MAX_ACCOUNTS, MAX_BALANCES, MAX_CURRENCIES, NEVER_NS


@jit
def is_currency_nb(currency):
    """Whether a number may be that of a currency."""
    return 0 <= currency < MAX_CURRENCIES


@jit
def find_balance_nb(state, account, currency):
    """The row of an account's balance in a currency, or -1."""
    for row in range(state.head.balance_count):
        if state.balances[row].account == account and state.balances[row].currency == currency:
            return row
    return -1


@inlined
def _take_rate_nb(state, balance):
    """The rate from a balance's currency to that of its account, as far as it is known."""
    base = state.accounts[balance.account].currency
    if balance.currency == base:
        balance.rate_numerator = balance.rate_denominator = 1
        return
    rate = state.rates[rate_row_nb(balance.currency, base)]
    balance.rate_numerator = rate.numerator
    balance.rate_denominator = rate.denominator


@jit
def balance_row_nb(state, account, currency):
    """The row of an account's balance in a currency, made when there is none; -1 when the table is full."""
    row = find_balance_nb(state, account, currency)
    if row >= 0:
        return row
    row = state.head.balance_count
    if row >= MAX_BALANCES:
        return -1
    state.head.balance_count += 1
    balance = state.balances[row]
    balance.account = account
    balance.currency = currency
    _take_rate_nb(state, balance)
    return row


@jit
def post_nb(state, account, balance):
    """After amounts were added to a balance: they must fit, and the account follows."""
    return rebase_nb(state.accounts[account], balance) if balance_fits_nb(balance) else MONEY_OVERFLOW


@unit(STATE, np.int64, np.int64, np.int64, np.int64)
def set_rate_nb(state, from_currency, to_currency, numerator, denominator):
    """State a rate, and so the one back; every balance that it concerns is converted anew. Returns a status."""
    if not (is_currency_nb(from_currency) and is_currency_nb(to_currency)) or from_currency == to_currency:
        return BAD_INDEX
    if not (0 < numerator < MONEY_MAX and 0 < denominator < MONEY_MAX):
        return MISMATCH
    there = state.rates[rate_row_nb(from_currency, to_currency)]
    back = state.rates[rate_row_nb(to_currency, from_currency)]
    there.numerator = back.denominator = numerator
    there.denominator = back.numerator = denominator
    there.updated_ns = back.updated_ns = state.head.now_ns
    for row in range(state.head.balance_count):
        balance = state.balances[row]
        account = state.accounts[balance.account]
        if (balance.currency == from_currency and account.currency == to_currency) or (
            balance.currency == to_currency and account.currency == from_currency
        ):
            _take_rate_nb(state, balance)
            status = rebase_nb(account, balance)
            if status == OK:
                status = rebase_margin_nb(account, balance)
            if status != OK:
                return status
    return OK


@inlined
def _define_currency_nb(state, words):
    currency = words[CURRENCY.currency]
    if not is_currency_nb(currency):
        return BAD_INDEX
    state.currencies[currency].defined = 1
    state.currencies[currency].scale = words[CURRENCY.scale]
    for number in range(state.head.account_count):
        if state.accounts[number].currency == currency:
            state.accounts[number].scale = words[CURRENCY.scale]
    return OK


@inlined
def _define_account_nb(state, record):
    """A new account, or another currency and other rules for one that nothing refers to yet."""
    head, words, number = state.head, record.words, record.account
    if number < 0 or number > head.account_count or number >= MAX_ACCOUNTS or not is_currency_nb(words[0]):
        return BAD_INDEX
    for instrument in range(head.instrument_count):
        if state.instruments[instrument].denominator != 0:
            return MISMATCH  # books refer to balances from the first instrument on
    shadow = words[ACCOUNT_DEFINED.shadow]
    if shadow < 0 or shadow > 1 or (shadow == 1 and number == 0):
        return MISMATCH  # the figures of a run are told in the currency of its first account, which is a real one
    account = state.accounts[number]
    row = find_balance_nb(state, number, account.currency) if number < head.account_count else -1
    if number == head.account_count:
        head.account_count += 1
    elif state.balances[row].deposits_minor != 0:
        return MISMATCH
    head.hedging_count += (1 if words[ACCOUNT_DEFINED.hedging] != 0 else 0) - account.hedging
    account.currency = words[ACCOUNT_DEFINED.currency]
    account.scale = state.currencies[account.currency].scale
    account.mode = words[ACCOUNT_DEFINED.mode]
    account.hedging = 1 if words[ACCOUNT_DEFINED.hedging] != 0 else 0
    account.sweep = words[ACCOUNT_DEFINED.sweep]
    head.shadow_count += shadow - account.shadow
    account.shadow = shadow
    if row >= 0:
        state.balances[row].currency = account.currency
    return OK if balance_row_nb(state, number, account.currency) >= 0 else NO_CAPACITY


@jit
def _assign_nb(state, strategy, instrument, account):
    """Give both books of a strategy in an instrument to an account; not to another one while an order is open there.

    An order says which leg it is for, and that is a matter of its account.
    """
    balance = balance_row_nb(state, account, state.instruments[instrument].currency)
    if balance < 0:
        return NO_CAPACITY
    ordered = False
    for row in range(state.head.order_count):
        order = state.orders[row]
        ordered = ordered or (order.strategy == strategy and order.instrument == instrument)
    for leg in (1, -1):
        position = state.positions[book_index_nb(state, strategy, instrument, leg)]
        used = position.quantity_lots != 0 or position.realised_minor != 0 or position.fees_minor != 0
        if (used or ordered) and (position.account != account or position.balance != balance):
            return MISMATCH
        position.account = account
        position.balance = balance
    return OK


@inlined
def _assign_book_nb(state, record):
    head, account = state.head, record.words[BOOK_ASSIGNED.account]
    if not (0 <= record.strategy < head.strategy_count and 0 <= record.instrument < head.instrument_count):
        return BAD_INDEX
    if not 0 <= account < head.account_count:
        return BAD_INDEX
    return _assign_nb(state, record.strategy, record.instrument, account)


@jit
def note_next_expiry_nb(state):
    """When the first contract that is not settled expires. One that is over is not while a late fill is held in it."""
    state.head.next_expiry_ns = NEVER_NS
    for number in range(state.head.instrument_count):
        instrument = state.instruments[number]
        if instrument.expiry_ns > 0 and (instrument.expired == 0 or instrument.holder_count > 0):
            state.head.next_expiry_ns = min(state.head.next_expiry_ns, instrument.expiry_ns)


@inlined
def _define_instrument_nb(state, record):
    head, words = state.head, record.words
    if not 0 <= record.instrument < head.instrument_count or not is_currency_nb(words[INSTRUMENT.currency]):
        return BAD_INDEX
    instrument, contract = state.instruments[record.instrument], words[INSTRUMENT.contract]
    if not 0 <= contract <= OPTION or words[INSTRUMENT.numerator] <= 0 or words[INSTRUMENT.denominator] <= 0:
        return MISMATCH
    if instrument.holder_count != 0:
        return MISMATCH
    instrument.currency = words[INSTRUMENT.currency]
    instrument.numerator = words[INSTRUMENT.numerator]
    instrument.denominator = words[INSTRUMENT.denominator]
    instrument.volume_known = words[INSTRUMENT.volume_known]
    instrument.contract = contract
    instrument.margined = 1 if FIRST_MARGINED <= contract < OPTION else 0
    instrument.inverse = 1 if FIRST_INVERSE <= contract < OPTION else 0
    instrument.expiry_ns = words[INSTRUMENT.expiry_ns]
    instrument.strike_ticks = words[INSTRUMENT.strike_ticks]
    instrument.option_right = words[INSTRUMENT.option_right]
    instrument.expired = 0
    note_next_expiry_nb(state)
    for strategy in range(head.strategy_count):
        book = state.positions[book_index_nb(state, strategy, record.instrument, 1)]
        status = _assign_nb(state, strategy, record.instrument, book.account)
        if status != OK:
            return status
    return OK


@inlined
def _define_rate_source_nb(state, record):
    words = record.words
    if not 0 <= record.instrument < state.head.instrument_count:
        return BAD_INDEX
    if not (is_currency_nb(words[RATE_SOURCE.from_currency]) and is_currency_nb(words[RATE_SOURCE.to_currency])):
        return BAD_INDEX
    if words[RATE_SOURCE.numerator] <= 0 or words[RATE_SOURCE.denominator] <= 0:
        return MISMATCH
    instrument = state.instruments[record.instrument]
    instrument.rate_from = words[RATE_SOURCE.from_currency]
    instrument.rate_to = words[RATE_SOURCE.to_currency]
    instrument.rate_numerator = words[RATE_SOURCE.numerator]
    instrument.rate_denominator = words[RATE_SOURCE.denominator]
    return OK


@inlined
def _deposit_nb(state, record):
    amount, currency = record.words[DEPOSIT.amount_minor], record.words[DEPOSIT.currency]
    if not 0 <= record.account < state.head.account_count or not is_currency_nb(currency):
        return BAD_INDEX
    if not -MONEY_MAX < amount < MONEY_MAX:
        return MONEY_OVERFLOW
    row = balance_row_nb(state, record.account, currency)
    if row < 0:
        return NO_CAPACITY
    balance = state.balances[row]
    balance.cash_minor += amount
    balance.deposits_minor += amount
    if not balance_fits_nb(balance):
        return MONEY_OVERFLOW
    return rebase_nb(state.accounts[record.account], balance)


@unit(STATE, RECORD)
def define_money_nb(state, record):
    """Book a currency, an account, a book's account, an instrument, a source of a rate or a deposit."""
    kind = record.kind
    if kind == CURRENCY.kind:
        return _define_currency_nb(state, record.words)
    if kind == ACCOUNT_DEFINED.kind:
        return _define_account_nb(state, record)
    if kind == BOOK_ASSIGNED.kind:
        return _assign_book_nb(state, record)
    if kind == INSTRUMENT.kind:
        return _define_instrument_nb(state, record)
    if kind == RATE_SOURCE.kind:
        return _define_rate_source_nb(state, record)
    if kind == RATE_STATED.kind:
        words = record.words
        return set_rate_nb(
            state,
            words[RATE_STATED.from_currency],
            words[RATE_STATED.to_currency],
            words[RATE_STATED.numerator],
            words[RATE_STATED.denominator],
        )
    if kind == DEPOSIT.kind:
        return _deposit_nb(state, record)
    return UNKNOWN_KIND
