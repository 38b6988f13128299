"""Rules, sectors, correlations, mode and kill switch in the state: the part of ``apply`` for the events of risk.

The kill switch is latched here: its level rises with what asks for it or trips it, and only a reset with a reason from
an operator puts it back.
"""

from kernel.events.layout import (
    CORRELATION_SET,
    ENTRIES_STOPPED,
    HAS_BODY,
    KILL_REQUESTED,
    KILL_RESET,
    KILL_TRIPPED,
    MODE_SET,
    RECORD,
    RULE_SET,
    SECTOR_ASSIGNED,
    VENUE_POSITION,
)
from kernel.jit import inlined, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, NO_CAPACITY, OK, UNKNOWN_KIND, book_index_nb, equity_nb
from kernel.risk.modes import ANY_ORDER, EXIT_MODE, FLATTEN_ALL, NO_ENTRIES, OPERATOR
from kernel.risk.totals_nb import assign_sector_nb, money_nb, refresh_symbol_nb
from kernel.state import STATE
from kernel.tables.risk import MAX_CORRELATIONS, MAX_RULES, MAX_SECTORS
from kernel.tables.table import MAX_INSTRUMENTS


@inlined
def _measure_anew_nb(state, number):
    """Losses are measured from the equity of now."""
    account, equity = state.risk_accounts[number], equity_nb(state.accounts[number])
    account.day_equity_minor = equity
    account.peak_equity_minor = equity


@unit(STATE)
def switch_on_nb(state):
    """From now on the totals are kept, so they must be right now: the one scan over all books."""
    if state.head.risk_on == 0:
        state.head.risk_on = 1
        for instrument in range(state.head.instrument_count):
            refresh_symbol_nb(state, instrument)
        for number in range(state.head.account_count):
            _measure_anew_nb(state, number)
    return OK


@inlined
def _correlate_nb(state, first, words):
    other, rate = words[CORRELATION_SET.other], words[CORRELATION_SET.rate]
    if other < 0 or other >= state.head.instrument_count or other == first:
        return BAD_INDEX
    low, high = min(first, other), max(first, other)
    count = state.risk.correlation_count
    row = count
    for at in range(count):
        if state.correlations[at].first == low and state.correlations[at].second == high:
            row = at
    if row == MAX_CORRELATIONS:
        return NO_CAPACITY
    entry = state.correlations[row]
    entry.first = low
    entry.second = high
    entry.rate = rate
    state.risk.correlation_count = max(count, row + 1)
    return OK


@inlined
def _venue_position_nb(state, account_number, instrument, venue_lots):
    """By how much the venue differs, in money: the last that was reported of each instrument."""
    if account_number < 0 or account_number >= state.head.account_count:
        return BAD_INDEX
    if state.accounts[account_number].shadow == 1:
        return MISMATCH  # no venue knows of it
    lots, book = 0, book_index_nb(state, 0, instrument, 1)
    for strategy in range(state.head.strategy_count):
        for leg in (1, -1):
            at = book_index_nb(state, strategy, instrument, leg)
            if state.positions[at].account == account_number:
                book = at
                lots += state.positions[at].quantity_lots
    drift = state.risk_drifts[account_number * MAX_INSTRUMENTS + instrument]
    money = money_nb(state, book, instrument, state.instruments[instrument].last_ticks, venue_lots - lots)
    state.risk_accounts[account_number].drift_minor += money - drift.money_minor
    drift.money_minor = money
    return OK


@inlined
def _stop_nb(state, record):
    """Entries stop until then; a later end replaces an earlier one. What led to it is measured anew."""
    words, risk = record.words, state.risk
    until_ns, check = words[ENTRIES_STOPPED.until_ns], words[ENTRIES_STOPPED.check]
    if record.instrument < 0:
        risk.loss_streak = 0
        if until_ns >= risk.stop_until_ns:
            risk.stop_until_ns = until_ns
            risk.stop_check = check
        return OK
    symbol = state.risk_symbols[record.instrument]
    symbol.slippage_rate = 0
    symbol.reference_ticks = state.instruments[record.instrument].last_ticks
    symbol.reference_ns = record.ts_ingest_ns
    if until_ns >= symbol.stop_until_ns:
        symbol.stop_until_ns = until_ns
        symbol.stop_check = check
    return OK


@inlined
def _raise_kill_nb(state, level, check, sequence):
    if level < NO_ENTRIES or level > FLATTEN_ALL:
        return MISMATCH
    risk = state.risk
    if level > risk.kill_level:
        risk.kill_level = level
        risk.kill_check = check
        risk.kill_cause = sequence
    return OK


@inlined
def _reset_nb(state, record):
    if record.words[KILL_RESET.source] != OPERATOR or record["flags"] & HAS_BODY == 0:
        return MISMATCH
    risk = state.risk
    risk.kill_level = 0
    risk.kill_check = 0
    risk.kill_cause = 0
    risk.stop_until_ns = 0
    risk.stop_check = 0
    risk.loss_streak = 0
    for number in range(state.head.account_count):
        _measure_anew_nb(state, number)
    return OK


@unit(STATE, RECORD)
def risk_event_nb(state, record):
    """Book one event of risk. Returns a status."""
    kind, words, instrument = record.kind, record.words, record.instrument
    known = 0 <= instrument < state.head.instrument_count
    if kind == SECTOR_ASSIGNED.kind or kind == CORRELATION_SET.kind or kind == VENUE_POSITION.kind:
        if not known:
            return BAD_INDEX
    elif instrument >= state.head.instrument_count:
        return BAD_INDEX
    switch_on_nb(state)
    if kind == RULE_SET.kind:
        rule = words[RULE_SET.rule]
        if rule <= 0 or rule >= MAX_RULES or words[RULE_SET.value] < 0:
            return MISMATCH
        state.rules[rule].value = words[RULE_SET.value]
        return OK
    if kind == SECTOR_ASSIGNED.kind:
        sector = words[SECTOR_ASSIGNED.sector]
        if sector < 0 or sector >= MAX_SECTORS:
            return BAD_INDEX
        assign_sector_nb(state, instrument, sector)
        return OK
    if kind == CORRELATION_SET.kind:
        return _correlate_nb(state, instrument, words)
    if kind == MODE_SET.kind:
        if words[MODE_SET.mode] < ANY_ORDER or words[MODE_SET.mode] > EXIT_MODE:
            return MISMATCH
        state.risk.mode = words[MODE_SET.mode]
        return OK
    if kind == KILL_REQUESTED.kind:
        return _raise_kill_nb(state, words[KILL_REQUESTED.level], 0, record.sequence)
    if kind == KILL_TRIPPED.kind:
        return _raise_kill_nb(state, words[KILL_TRIPPED.level], words[KILL_TRIPPED.check], record.sequence)
    if kind == KILL_RESET.kind:
        return _reset_nb(state, record)
    if kind == ENTRIES_STOPPED.kind:
        return _stop_nb(state, record)
    if kind == VENUE_POSITION.kind:
        return _venue_position_nb(state, record.account, instrument, words[VENUE_POSITION.quantity_lots])
    return UNKNOWN_KIND
