"""Money that moves without a fill: the part of ``apply`` for funding, dividends, splits, interest, margin and the rest.

Owns the postings of these events. An event states its amounts; what it says of the state must be so, and a posting that
would not balance is refused.
"""

from kernel.accounts_nb import balance_row_nb, is_currency_nb, note_next_expiry_nb, post_nb
from kernel.events.layout import (
    ACCRUAL_DONE,
    ADJUSTED,
    BORROW_PAID,
    CONTRACT_EXPIRED,
    CONVERTED,
    DIVIDEND_PAID,
    FUNDING_PAID,
    INTEREST_PAID,
    LIQUIDATION_ENDED,
    LIQUIDATION_FEE,
    LIQUIDATION_STARTED,
    MARGIN_CALLED,
    MARGIN_RESTORED,
    MARGIN_RULES,
    RECORD,
    SETTLED,
    SPLIT_APPLIED,
    TERMS,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.fills_nb import fill_nb
from kernel.financing_nb import set_financing_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import (
    BAD_INDEX,
    MISMATCH,
    MONEY_OVERFLOW,
    NO_CAPACITY,
    OK,
    UNKNOWN_KIND,
    book_index_nb,
)
from kernel.splits_nb import book_split_nb
from kernel.state import STATE
from kernel.tables.table import NEVER_NS

DAY_NS = 86_400_000_000_000


@jit
def accrued_until_nb(head):
    """The last instant of accrual at or before now."""
    return head.next_accrual_ns + (head.now_ns - head.next_accrual_ns) // DAY_NS * DAY_NS


@inlined
def _pay_book_nb(state, record, position):
    """Funding, a dividend, a borrow fee or a fee of liquidation: an amount between a book and its balance's cash."""
    kind, words = record.kind, record.words
    balance = state.balances[position.balance]
    if kind == FUNDING_PAID.kind:
        amount = words[FUNDING_PAID.amount_minor]
    elif kind == DIVIDEND_PAID.kind:
        amount = words[DIVIDEND_PAID.amount_minor]
    elif kind == BORROW_PAID.kind:
        amount = words[BORROW_PAID.amount_minor]
    else:
        amount = words[LIQUIDATION_FEE.amount_minor]
    if not -MONEY_MAX < amount < MONEY_MAX:
        return MONEY_OVERFLOW
    if kind == LIQUIDATION_FEE.kind:
        balance.fees_minor += amount
        balance.cash_minor -= amount
        position.fees_minor += amount
        return post_nb(state, position.account, balance) if abs(position.fees_minor) < MONEY_MAX else MONEY_OVERFLOW
    income = -amount
    if kind == FUNDING_PAID.kind:
        balance.funding_minor += amount
    elif kind == BORROW_PAID.kind:
        balance.borrow_minor += amount
        position.accrued_ns = accrued_until_nb(state.head)
    else:
        income = amount
        balance.dividends_minor += amount
    balance.cash_minor += income
    position.income_minor += income
    position.trade_income_minor += income
    if abs(position.income_minor) >= MONEY_MAX or abs(position.trade_income_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    return post_nb(state, position.account, balance)


@inlined
def _settle_nb(state, record, instrument, position):
    """Close a book at the price of the settlement, without a fee."""
    words = record.words
    lots = words[SETTLED.lots]
    if lots == 0 or lots != position.quantity_lots:
        return MISMATCH
    side = -1 if lots > 0 else 1
    price = words[SETTLED.price_ticks]
    state.closed_trade.purpose = 0
    status = fill_nb(
        state, instrument, position, words[SETTLED.leg], side, price, abs(lots), 0, record.ts_event_ns, record.sequence
    )
    if status == OK and instrument.expired != 0:
        note_next_expiry_nb(state)
    return status


@inlined
def _book_event_nb(state, record):
    """The events of one book; the leg is the first word, but for a fee of liquidation, whose fill was the last."""
    head, kind, words = state.head, record.kind, record.words
    if not (0 <= record.strategy < head.strategy_count and 0 <= record.instrument < head.instrument_count):
        return BAD_INDEX
    leg = state.closed_trade.leg if kind == LIQUIDATION_FEE.kind else words[0]
    instrument = state.instruments[record.instrument]
    position = state.positions[book_index_nb(state, record.strategy, record.instrument, leg)]
    if abs(leg) != state.accounts[position.account].hedging:
        return MISMATCH
    if kind == SPLIT_APPLIED.kind:
        return book_split_nb(state, record, instrument, position)
    if kind == SETTLED.kind:
        return _settle_nb(state, record, instrument, position)
    if (kind == FUNDING_PAID.kind or kind == DIVIDEND_PAID.kind) and words[1] != position.quantity_lots:
        return MISMATCH
    if kind == BORROW_PAID.kind and (
        position.quantity_lots >= 0 or words[BORROW_PAID.days] <= 0 or head.now_ns < head.next_accrual_ns
    ):
        return MISMATCH
    return _pay_book_nb(state, record, position)


@inlined
def _cash_event_nb(state, record):
    """Interest and corrections: cash of one balance of an account."""
    kind, words = record.kind, record.words
    if not is_currency_nb(words[0]):
        return BAD_INDEX
    amount = words[INTEREST_PAID.amount_minor] if kind == INTEREST_PAID.kind else words[ADJUSTED.amount_minor]
    if not -MONEY_MAX < amount < MONEY_MAX:
        return MONEY_OVERFLOW
    row = balance_row_nb(state, record.account, words[0])
    if row < 0:
        return NO_CAPACITY
    balance = state.balances[row]
    if kind == INTEREST_PAID.kind:
        if words[INTEREST_PAID.cash_minor] != balance.cash_minor or words[INTEREST_PAID.days] <= 0:
            return MISMATCH
        if state.head.now_ns < state.head.next_accrual_ns:
            return MISMATCH
        balance.interest_minor += amount
        balance.accrued_ns = accrued_until_nb(state.head)
    else:
        balance.adjustment_minor += amount
    balance.cash_minor += amount
    return post_nb(state, record.account, balance)


@inlined
def _convert_nb(state, record):
    """Money of one currency becomes money of another; the amounts must be what the stated rate makes of them."""
    words = record.words
    source, target = words[CONVERTED.from_currency], words[CONVERTED.to_currency]
    numerator, denominator = words[CONVERTED.numerator], words[CONVERTED.denominator]
    if not (is_currency_nb(source) and is_currency_nb(target)) or source == target:
        return BAD_INDEX
    if not (0 < numerator < MONEY_MAX and 0 < denominator < MONEY_MAX):
        return MISMATCH
    given, taken = words[CONVERTED.from_minor], words[CONVERTED.to_minor]
    if (
        not -MONEY_MAX < given < MONEY_MAX
        or taken != scale_linked_nb(given, numerator, 1, denominator)
        or taken == OVERFLOW
    ):
        return MISMATCH
    there, here = balance_row_nb(state, record.account, source), balance_row_nb(state, record.account, target)
    if there < 0 or here < 0:
        return NO_CAPACITY
    state.balances[there].cash_minor -= given
    state.balances[there].conversion_minor -= given
    state.balances[here].cash_minor += taken
    state.balances[here].conversion_minor += taken
    status = post_nb(state, record.account, state.balances[there])
    return status if status != OK else post_nb(state, record.account, state.balances[here])


@inlined
def _margin_event_nb(state, record):
    """Calls and liquidations are a state of the account."""
    kind, account = record.kind, state.accounts[record.account]
    if kind == MARGIN_CALLED.kind:
        account.called = 1
    elif kind == MARGIN_RESTORED.kind:
        account.called = 0
    else:
        account.liquidating = 1 if kind == LIQUIDATION_STARTED.kind else 0
    return OK


@inlined
def _expire_nb(state, record):
    if not 0 <= record.instrument < state.head.instrument_count:
        return BAD_INDEX
    instrument = state.instruments[record.instrument]
    if instrument.expiry_ns == 0 or instrument.expired != 0 or instrument.holder_count != 0:
        return MISMATCH
    instrument.expired = 1
    instrument.halted = 1
    note_next_expiry_nb(state)
    return OK


@inlined
def _accrued_nb(state, words):
    if words[ACCRUAL_DONE.next_ns] <= state.head.next_accrual_ns or state.head.next_accrual_ns == NEVER_NS:
        return MISMATCH
    state.head.next_accrual_ns = words[ACCRUAL_DONE.next_ns]
    return OK


@unit(STATE, RECORD)
def book_money_nb(state, record):
    """Book one event that moves money, or sets what moves it, without a fill. Returns a status."""
    kind = record.kind
    if TERMS.kind <= kind <= MARGIN_RULES.kind:
        return set_financing_nb(state, record)
    if kind == ACCRUAL_DONE.kind:
        return _accrued_nb(state, record.words)
    if kind == CONTRACT_EXPIRED.kind:
        return _expire_nb(state, record)
    book = FUNDING_PAID.kind <= kind <= BORROW_PAID.kind or kind == SETTLED.kind or kind == LIQUIDATION_FEE.kind
    if book:
        return _book_event_nb(state, record)
    if not 0 <= record.account < state.head.account_count:
        return BAD_INDEX
    if kind == INTEREST_PAID.kind or kind == ADJUSTED.kind:
        return _cash_event_nb(state, record)
    if kind == CONVERTED.kind:
        return _convert_nb(state, record)
    if MARGIN_CALLED.kind <= kind <= LIQUIDATION_ENDED.kind:
        return _margin_event_nb(state, record)
    return UNKNOWN_KIND
