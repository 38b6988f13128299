"""``watch``: what the monitors decide after each event: stops of entries, the kill switch, and what the switch does.

Owns the events that follow from losses, moves, slippage and drift. Its work in one call is bounded: when it has written
``WORK_RECORDS`` records it leaves the rest to the next event, and the state (level of the switch, orders that are open,
books that are not flat) says what is left.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import ENTRIES_STOPPED, INTENDED, KILL_TRIPPED
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK, book_index_nb, equity_nb, in_first_currency_nb
from kernel.lifecycle import (
    ASK_CANCEL,
    EXIT_ORDER,
    FLATTEN_ORDER,
    GTC,
    LIQUIDATION_ORDER,
    MARKET,
    NEXT,
    PENDING_CANCEL,
    REDUCE_ONLY,
)
from kernel.placing_nb import write_verdict_nb
from kernel.requests_nb import ask_cancel_nb
from kernel.risk import rules
from kernel.risk.modes import CANCEL_ALL, FLATTEN_ALL
from kernel.risk.numbers import (
    BREAKER,
    CONSECUTIVE_LOSSES,
    DAILY_LOSS,
    DAILY_LOSS_KILL,
    DRAWDOWN,
    DRIFT,
    SLIPPAGE,
)
from kernel.risk.totals_nb import rule_nb
from kernel.risk_nb import check_order_nb
from kernel.state import STATE
from kernel.tables.risk import EXPOSURE_MAX
from kernel.tables.table import MAX_ORDERS
from kernel.units import RATE_SCALE
from kernel.venue_rules_nb import is_sendable_nb, step_lots_nb

WORK_RECORDS = 300
_NEARLY = 1.0 - 1e-9


@jit
def _rate_nb(part_minor, whole_minor):
    """A loss of a whole as a rate: 0 without a loss, EXPOSURE_MAX when it does not fit."""
    if part_minor <= 0 or whole_minor <= 0:
        return 0
    rate = scale_nb(part_minor, RATE_SCALE, 1, whole_minor)
    return EXPOSURE_MAX if rate == OVERFLOW else rate


@inlined
def _within_nb(part_minor, whole_minor, limit_rate):
    """Whether a loss is surely at most a rate of its whole, found without a division: nearly every bar says so.

    The figures as floats are right to some parts in 10**16, so a loss that is below by one part in 10**9 is below; what
    is nearer is for ``_rate_nb`` to tell.
    """
    most = np.float64(whole_minor) * np.float64(limit_rate) * _NEARLY
    return part_minor <= 0 or np.float64(part_minor) * RATE_SCALE < most


@inlined
def _over_rate_nb(part_minor, whole_minor, limit_rate):
    """``_rate_nb`` of a loss that may be over the limit; 0 when it is not, or the limit is off."""
    if limit_rate == 0 or _within_nb(part_minor, whole_minor, limit_rate):
        return 0
    return _rate_nb(part_minor, whole_minor)


@jit
def _trip_nb(state, output, level, check, limit, value):
    record = begin_nb(state, output, KILL_TRIPPED.kind, -1, -1)
    record.words[KILL_TRIPPED.level] = level
    record.words[KILL_TRIPPED.check] = check
    record.words[KILL_TRIPPED.limit] = limit
    record.words[KILL_TRIPPED.value] = value
    return apply_nb(state, record)


@jit
def _stop_nb(state, output, instrument, check, until_ns, limit, value):
    record = begin_nb(state, output, ENTRIES_STOPPED.kind, instrument, -1)
    record.words[ENTRIES_STOPPED.check] = check
    record.words[ENTRIES_STOPPED.until_ns] = until_ns
    record.words[ENTRIES_STOPPED.limit] = limit
    record.words[ENTRIES_STOPPED.value] = value
    return apply_nb(state, record)


@inlined
def _is_calm_nb(state, account, equity):
    """Whether no limit of losses or drift can have been reached: one test for all, which nearly every bar passes.

    If what is missing to the higher of the peak and the day's begin is within the smallest limit of the lower of them,
    each of both losses is within its own.
    """
    fall, kill = rule_nb(state, rules.DRAWDOWN), rule_nb(state, rules.DAILY_LOSS_KILL)
    loss = rule_nb(state, rules.DAILY_LOSS)
    smallest = 1 << 62
    for limit in (fall, kill, loss):
        if limit > 0:
            smallest = min(smallest, limit)
    day, peak = account.day_equity_minor, account.peak_equity_minor
    return account.drift_minor <= 0 and _within_nb(max(day, peak) - equity, min(day, peak), smallest)


@inlined
def _account_nb(state, output, number):
    """Losses and drift of one account, the worst first."""
    risk, account = state.risk, state.risk_accounts[number]
    equity = equity_nb(state.accounts[number])
    if _is_calm_nb(state, account, equity):
        return OK
    status = OK
    limit = rule_nb(state, rules.DRAWDOWN)
    fall = _over_rate_nb(account.peak_equity_minor - equity, account.peak_equity_minor, limit)
    if fall > limit and risk.kill_level < FLATTEN_ALL:
        status = _trip_nb(state, output, FLATTEN_ALL, DRAWDOWN, limit, fall)
    limit, level = rule_nb(state, rules.DAILY_LOSS_KILL), rule_nb(state, rules.KILL_LEVEL)
    loss = _over_rate_nb(account.day_equity_minor - equity, account.day_equity_minor, limit)
    if status == OK and loss > limit and risk.kill_level < level:
        status = _trip_nb(state, output, level, DAILY_LOSS_KILL, limit, loss)
    limit = rule_nb(state, rules.DRIFT)
    drift = 0
    if limit > 0 and account.drift_minor > 0:
        worth = in_first_currency_nb(state, state.accounts[number], equity)  # the drift is in the first currency
        drift = _rate_nb(account.drift_minor, max(worth, 1))
    if status == OK and drift > limit and risk.kill_level < level:
        status = _trip_nb(state, output, level, DRIFT, limit, drift)
    limit = rule_nb(state, rules.DAILY_LOSS)
    loss = _over_rate_nb(account.day_equity_minor - equity, account.day_equity_minor, limit)
    if status == OK and loss > limit and risk.stop_until_ns < risk.day_end_ns:
        status = _stop_nb(state, output, -1, DAILY_LOSS, risk.day_end_ns, limit, loss)
    return status


@inlined
def _streak_nb(state, output):
    """Losing round trips in a row."""
    limit, streak = rule_nb(state, rules.CONSECUTIVE_LOSSES), state.risk.loss_streak
    if limit == 0 or streak < limit:
        return OK
    until_ns = state.head.now_ns + rule_nb(state, rules.LOSSES_COOLDOWN)
    return _stop_nb(state, output, -1, CONSECUTIVE_LOSSES, until_ns, limit, streak)


@inlined
def _symbol_nb(state, output, instrument):
    """Slippage and the circuit breaker of one instrument."""
    symbol, now_ns = state.risk_symbols[instrument], state.head.now_ns
    status = OK
    if symbol.slippage_rate > 0:
        limit = scale_nb(
            rule_nb(state, rules.SLIPPAGE_EXPECTED), rule_nb(state, rules.SLIPPAGE_MULTIPLE), 1, RATE_SCALE
        )
        until_ns = now_ns + rule_nb(state, rules.SLIPPAGE_COOLDOWN)
        status = _stop_nb(state, output, instrument, SLIPPAGE, until_ns, limit, symbol.slippage_rate)
    limit = rule_nb(state, rules.BREAKER_MOVE)
    if status == OK and limit > 0 and symbol.reference_ticks > 0:
        moved = abs(state.instruments[instrument].last_ticks - symbol.reference_ticks)
        move = _over_rate_nb(moved, symbol.reference_ticks, limit)
        if move > limit:
            until_ns = now_ns + rule_nb(state, rules.BREAKER_COOLDOWN)
            status = _stop_nb(state, output, instrument, BREAKER, until_ns, limit, move)
    return status


@inlined
def _cancel_all_nb(state, output, most):
    """Ask for the cancel of every open order but those that flatten, from the youngest on.

    Below the level that flattens exits go on too: they only make positions smaller, and would be asked for again.
    """
    spared = LIQUIDATION_ORDER if state.risk.kill_level >= FLATTEN_ALL else EXIT_ORDER
    for back in range(MAX_ORDERS):
        row = state.head.order_count - 1 - back
        if row < 0 or output.count >= most:
            break
        order = state.orders[row]
        asked = order.status == PENDING_CANCEL
        if order.purpose >= spared or asked or NEXT[order.status, ASK_CANCEL] < 0:
            continue
        status = ask_cancel_nb(state, output, order, 0)
        if status != OK:
            return status
    return OK


@jit
def _is_flattening_nb(state, strategy, instrument, leg):
    for row in range(state.head.order_count):
        order = state.orders[row]
        if (
            order.purpose >= LIQUIDATION_ORDER
            and order.strategy == strategy
            and order.instrument == instrument
            and order.leg == leg
        ):
            return True
    return False


@inlined
def _flatten_nb(state, output, strategy, instrument, leg, held_lots):
    """One order at the market for all that a book holds; it may only reduce. Checked like any other."""
    side = -1 if held_lots > 0 else 1
    record = begin_nb(state, output, INTENDED.kind, instrument, strategy)
    words = record.words
    words[INTENDED.side] = side
    words[INTENDED.order_type] = MARKET
    words[INTENDED.time_in_force] = GTC
    words[INTENDED.quantity_lots] = abs(held_lots)
    words[INTENDED.instructions] = REDUCE_ONLY
    words[INTENDED.purpose] = FLATTEN_ORDER
    words[INTENDED.leg] = leg
    status = apply_nb(state, record)
    if status != OK:
        return status
    order = state.orders[state.head.order_count - 1]
    cause = output.cause
    check = check_order_nb(state, output, order, 0, order.quantity_lots, 0, 0)
    status = write_verdict_nb(state, output, order, check, output.ask.limit, output.ask.value)
    output.cause = cause
    return status


@jit
def _flatten_books_nb(state, output, strategy, instrument, most):
    """The one book of a strategy in an instrument, or the long and the short one of a hedging account."""
    for leg in (1, -1):
        position = state.positions[book_index_nb(state, strategy, instrument, leg)]
        said = leg if state.accounts[position.account].hedging == 1 else 0
        room = output.count < most and state.head.order_count < MAX_ORDERS
        held = position.quantity_lots if state.accounts[position.account].shadow == 0 else 0
        held = step_lots_nb(state, instrument, abs(held)) * (1 if held > 0 else -1)
        if not is_sendable_nb(state, instrument, abs(held)) or not room:
            continue
        if _is_flattening_nb(state, strategy, instrument, said):
            continue
        status = _flatten_nb(state, output, strategy, instrument, said, held)
        if status != OK:
            return status
    return OK


@unit(STATE, OUTPUT, np.int64, np.int64)
def flatten_instrument_nb(state, output, instrument, most):
    """An order to flatten for each book of an instrument that is not flat and has none under way."""
    if state.instruments[instrument].last_ticks <= 0:
        return OK
    for strategy in range(state.head.strategy_count):
        status = _flatten_books_nb(state, output, strategy, instrument, most)
        if status != OK:
            return status
    return OK


@inlined
def _flatten_all_nb(state, output, most):
    """An order to flatten for each book that is not flat, has a price, and has none under way."""
    for instrument in range(state.head.instrument_count):
        held, priced = state.risk_symbols[instrument].position_count, state.instruments[instrument].last_ticks > 0
        if held == 0 or not priced or state.head.now_ns < state.instruments[instrument].retry_ns:
            continue
        status = flatten_instrument_nb(state, output, instrument, most)
        if status != OK:
            return status
    return OK


@unit(STATE, OUTPUT, np.int64)
def kill_nb(state, output, most):
    """What the level of the kill switch asks for, until the output holds ``most`` records."""
    output.cause = state.risk.kill_cause
    status = _cancel_all_nb(state, output, most)
    if status == OK and state.risk.kill_level >= FLATTEN_ALL:
        status = _flatten_all_nb(state, output, most)
    return status


@unit(STATE, OUTPUT, np.int64)
def watch_nb(state, output, instrument):
    """Look after an event of an instrument, when ``head.risk_on`` is set. Returns a status; changes the cause."""
    most = output.count + WORK_RECORDS
    status = OK
    for number in range(state.head.account_count):
        if status == OK and state.accounts[number].shadow == 0:
            status = _account_nb(state, output, number)
    if status == OK:
        status = _streak_nb(state, output)
    if status == OK and instrument >= 0:
        status = _symbol_nb(state, output, instrument)
    if status == OK and state.risk.kill_level >= CANCEL_ALL:
        status = kill_nb(state, output, most)
    return status
