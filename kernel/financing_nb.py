"""What positions need and money costs: the part of ``apply`` that takes in margin rates, tiers, interest and accrual.

Owns the settings only. What margin a position needs is in ``ledger_nb``, what accrues in ``accrual_nb``.
"""

from kernel.accounts_nb import is_currency_nb
from kernel.events.layout import ACCRUAL_SET, INTEREST_SET, MARGIN_RULES, MARGIN_TIER, RECORD, TERMS
from kernel.exact_nb import MONEY_MAX
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, NO_CAPACITY, OK, UNKNOWN_KIND
from kernel.state import STATE
from kernel.tables.ledger import MAX_TIERS

MAX_RATE = 1 << 40  # ten thousand times the whole: far from 64 bits in every product


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


@unit(STATE, RECORD)
def set_financing_nb(state, record):
    """Book one setting. Returns a status."""
    kind = record.kind
    if kind == TERMS.kind:
        return _set_terms_nb(state, record)
    if kind == MARGIN_TIER.kind:
        return _set_tier_nb(state, record)
    if kind == INTEREST_SET.kind or kind == ACCRUAL_SET.kind or kind == MARGIN_RULES.kind:
        return _set_rates_nb(state, record)
    return UNKNOWN_KIND
