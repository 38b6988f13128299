"""Money that moves without a fill: the part of ``apply`` for funding, dividends, splits, interest, margin and the rest.

Owns the postings of these events. An event states its amounts; what it says of the state must be so, and a posting that
would not balance is refused.
"""

from numba import types

from kernel.accounts_nb import balance_row_nb, is_currency_nb, note_next_expiry_nb
from kernel.events.layout import (
    ACCRUAL_DONE,
    ACCRUAL_SET,
    ADJUSTED,
    BORROW_PAID,
    CONTRACT_EXPIRED,
    CONVERTED,
    DIVIDEND_PAID,
    FUNDING_PAID,
    INTEREST_PAID,
    INTEREST_SET,
    LIQUIDATION_ENDED,
    LIQUIDATION_FEE,
    LIQUIDATION_STARTED,
    MARGIN_CALLED,
    MARGIN_RESTORED,
    MARGIN_RULES,
    MARGIN_TIER,
    RECORD,
    SETTLED,
    SPLIT_APPLIED,
    TERMS,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_nb
from kernel.fills_nb import fill_nb, hand_over_trade_nb
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
    rebase_nb,
    revalue_nb,
)
from kernel.state import STATE
from kernel.tables.ledger import INSTRUMENT, MAX_TIERS, POSITION
from kernel.tables.table import NEVER_NS

DAY_NS = 86_400_000_000_000
MAX_RATE = 1 << 40  # ten thousand times the whole: far from 64 bits in every product


@jit
def scaled_ticks_nb(ticks, numerator, denominator):
    """A price after a split of ``numerator`` new lots for ``denominator`` old ones, rounded half to even."""
    return scale_nb(ticks, denominator, 1, numerator)


@unit(INSTRUMENT, types.int64, types.int64)
def adjust_price_nb(instrument, numerator, denominator):
    """Adjust the prices of an instrument for a split, so that no book looks richer until the next price."""
    if not (0 < numerator < MAX_RATE and 0 < denominator < MAX_RATE) or instrument.margined != 0:
        return MISMATCH
    last = scaled_ticks_nb(instrument.last_ticks, numerator, denominator)
    bid = scaled_ticks_nb(instrument.bid_ticks, numerator, denominator)
    ask = scaled_ticks_nb(instrument.ask_ticks, numerator, denominator)
    high = scaled_ticks_nb(instrument.high_ticks, numerator, denominator)
    low = scaled_ticks_nb(instrument.low_ticks, numerator, denominator)
    if last == OVERFLOW or bid == OVERFLOW or ask == OVERFLOW or high == OVERFLOW or low == OVERFLOW:
        return MONEY_OVERFLOW
    instrument.last_ticks = last
    instrument.bid_ticks = bid
    instrument.ask_ticks = ask
    instrument.high_ticks = high
    instrument.low_ticks = low
    return OK


@jit
def _post_nb(state, account, balance):
    """After amounts were added to a balance: they must fit, and the account follows."""
    return rebase_nb(state.accounts[account], balance) if balance_fits_nb(balance) else MONEY_OVERFLOW


@inlined
def _set_terms_nb(state, record):
    words = record.words
    if not 0 <= record.instrument < state.head.instrument_count:
        return BAD_INDEX
    for word in range(len(TERMS) - 1):
        if not 0 <= words[word] < MAX_RATE:
            return MISMATCH
    instrument = state.instruments[record.instrument]
    if instrument.holder_count != 0:
        return MISMATCH
    instrument.initial_rate = words[TERMS.initial_rate]
    instrument.maintenance_rate = words[TERMS.maintenance_rate]
    instrument.borrow_rate = words[TERMS.borrow_rate]
    instrument.liquidation_fee_rate = words[TERMS.liquidation_fee_rate]
    _note_margin_nb(state, instrument)
    return OK


@jit
def _note_margin_nb(state, instrument):
    """Whether positions in an instrument need margin of their own."""
    rates = instrument.initial_rate != 0 or instrument.maintenance_rate != 0
    instrument.has_margin = 1 if rates or instrument.tier_count > 0 else 0
    if instrument.maintenance_rate != 0 or instrument.tier_count > 0:
        state.head.margin_watched = 1


@inlined
def _set_tier_nb(state, record):
    """The tiers of an instrument follow each other, and so do their rows."""
    head, words = state.head, record.words
    if not 0 <= record.instrument < head.instrument_count:
        return BAD_INDEX
    if head.tier_count >= MAX_TIERS:
        return NO_CAPACITY
    instrument = state.instruments[record.instrument]
    last = instrument.first_tier + instrument.tier_count
    if instrument.holder_count != 0 or (instrument.tier_count > 0 and last != head.tier_count):
        return MISMATCH
    if instrument.tier_count > 0 and words[MARGIN_TIER.limit_minor] <= state.tiers[last - 1].limit_minor:
        return MISMATCH
    rates_fit = 0 <= words[MARGIN_TIER.initial_rate] < MAX_RATE and 0 <= words[MARGIN_TIER.maintenance_rate] < MAX_RATE
    if not rates_fit or not 0 <= words[MARGIN_TIER.deduction_minor] < MONEY_MAX:
        return MISMATCH
    if instrument.tier_count == 0:
        instrument.first_tier = head.tier_count
    tier = state.tiers[head.tier_count]
    tier.limit_minor = words[MARGIN_TIER.limit_minor]
    tier.initial_rate = words[MARGIN_TIER.initial_rate]
    tier.maintenance_rate = words[MARGIN_TIER.maintenance_rate]
    tier.deduction_minor = words[MARGIN_TIER.deduction_minor]
    instrument.tier_count += 1
    head.tier_count += 1
    _note_margin_nb(state, instrument)
    return OK


@inlined
def _set_rates_nb(state, record):
    """Interest, the time of accrual, and the rule of the margin call."""
    kind, words = record.kind, record.words
    if kind == INTEREST_SET.kind:
        currency = words[INTEREST_SET.currency]
        if not is_currency_nb(currency):
            return BAD_INDEX
        if abs(words[INTEREST_SET.credit_rate]) >= MAX_RATE or abs(words[INTEREST_SET.debit_rate]) >= MAX_RATE:
            return MISMATCH
        state.currencies[currency].credit_rate = words[INTEREST_SET.credit_rate]
        state.currencies[currency].debit_rate = words[INTEREST_SET.debit_rate]
        return OK
    if kind == ACCRUAL_SET.kind:
        if words[ACCRUAL_SET.first_ns] <= 0 or not 0 < words[ACCRUAL_SET.days_per_year] <= 366:
            return MISMATCH
        state.head.next_accrual_ns = words[ACCRUAL_SET.first_ns]
        state.head.days_per_year = words[ACCRUAL_SET.days_per_year]
        return OK
    if not 0 <= words[MARGIN_RULES.call_rate] < MAX_RATE:
        return MISMATCH
    state.head.margin_call_rate = words[MARGIN_RULES.call_rate]
    return OK


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
        return _post_nb(state, position.account, balance) if abs(position.fees_minor) < MONEY_MAX else MONEY_OVERFLOW
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
    return _post_nb(state, position.account, balance)


@unit(STATE, RECORD, INSTRUMENT, POSITION)
def _split_nb(state, record, instrument, position):
    """Change the lots of a book; what was left of a lot leaves with its share of the cost."""
    words = record.words
    before, after = words[SPLIT_APPLIED.lots_before], words[SPLIT_APPLIED.lots_after]
    numerator, denominator = words[SPLIT_APPLIED.numerator], words[SPLIT_APPLIED.denominator]
    if not (0 < numerator < MAX_RATE and 0 < denominator < MAX_RATE) or before == 0 or before * after < 0:
        return MISMATCH
    whole = scale_nb(before, numerator, 1, denominator)
    cash, realised = words[SPLIT_APPLIED.cash_minor], words[SPLIT_APPLIED.realised_minor]
    if whole == OVERFLOW or abs(whole) >= MONEY_MAX or not -MONEY_MAX < cash < MONEY_MAX:
        return MONEY_OVERFLOW
    if before != position.quantity_lots or abs(after) > abs(whole) + 1:
        return MISMATCH
    cost_out = cash - realised
    if abs(cost_out) > abs(position.cost_minor) or (after == 0 and cost_out != position.cost_minor):
        return MISMATCH
    balance = state.balances[position.balance]
    balance.cash_minor += cash
    balance.realised_minor += realised
    if instrument.margined != 0:
        return MISMATCH  # nothing that is margined is ever split
    balance.cost_minor -= cost_out
    position.cost_minor -= cost_out
    position.realised_minor += realised
    position.quantity_lots = after
    position.trade_realised_minor += realised
    position.trade_exit_minor += abs(cash)
    position.trade_quantity_lots = scale_nb(position.trade_quantity_lots, numerator, 1, denominator)
    position.high_ticks = scaled_ticks_nb(position.high_ticks, numerator, denominator)
    position.low_ticks = scaled_ticks_nb(position.low_ticks, numerator, denominator)
    position.trade_stop_ticks = scaled_ticks_nb(position.trade_stop_ticks, numerator, denominator)
    if position.trade_quantity_lots == 0:
        position.trade_quantity_lots = 1  # a round trip is never of nothing
    if position.trade_quantity_lots == OVERFLOW or position.high_ticks == OVERFLOW or position.low_ticks == OVERFLOW:
        return MONEY_OVERFLOW
    if position.trade_stop_ticks == OVERFLOW or abs(position.realised_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    state.closed_trade.leg = words[SPLIT_APPLIED.leg]
    state.closed_trade.quantity_lots = 0
    if after == 0:
        instrument.holder_count -= 1
        hand_over_trade_nb(position, state.closed_trade, record.ts_event_ns)
    status = _post_nb(state, position.account, balance)
    return status if status != OK else revalue_nb(state, instrument, position)


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
    return fill_nb(
        state, instrument, position, words[SETTLED.leg], side, price, abs(lots), 0, record.ts_event_ns, record.sequence
    )


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
        return _split_nb(state, record, instrument, position)
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
    return _post_nb(state, record.account, balance)


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
    if not -MONEY_MAX < given < MONEY_MAX or taken != scale_nb(given, numerator, 1, denominator) or taken == OVERFLOW:
        return MISMATCH
    there, here = balance_row_nb(state, record.account, source), balance_row_nb(state, record.account, target)
    if there < 0 or here < 0:
        return NO_CAPACITY
    state.balances[there].cash_minor -= given
    state.balances[there].conversion_minor -= given
    state.balances[here].cash_minor += taken
    state.balances[here].conversion_minor += taken
    status = _post_nb(state, record.account, state.balances[there])
    return status if status != OK else _post_nb(state, record.account, state.balances[here])


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
    if kind == TERMS.kind:
        return _set_terms_nb(state, record)
    if kind == MARGIN_TIER.kind:
        return _set_tier_nb(state, record)
    if kind == INTEREST_SET.kind or kind == ACCRUAL_SET.kind or kind == MARGIN_RULES.kind:
        return _set_rates_nb(state, record)
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
