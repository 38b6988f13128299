"""Margin calls and liquidations: what an account does that its equity no longer carries.

Owns the levels and the order in which positions are closed. An account is called when its equity is below the stated
multiple of its maintenance margin, and liquidated when it is below the maintenance margin itself: its open orders are
cancelled, then positions are closed at the market, the one with the largest loss first, until what is left is covered.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import (
    CANCEL_REQUESTED,
    CHECKED,
    INTENDED,
    LIQUIDATION_ENDED,
    LIQUIDATION_STARTED,
    MARGIN_CALLED,
    MARGIN_RESTORED,
)
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, book_index_nb, convert_nb, equity_nb
from kernel.lifecycle import ASK_CANCEL, GTC, LIQUIDATION_ORDER, MARKET, NEXT, PENDING_CANCEL, REDUCE_ONLY
from kernel.pipeline.shadow_nb import shadow_close_nb
from kernel.state import STATE
from kernel.tables.table import MAX_LOTS, MAX_ORDERS, MAX_POSITIONS
from kernel.units import RATE_SCALE

MOST_RECORDS = 300


@jit
def _is_cancellable_nb(order):
    """Whether the end of an order can be asked for, and has not been."""
    return order.status != PENDING_CANCEL and NEXT[order.status, ASK_CANCEL] >= 0


@jit
def _note_nb(state, output, number, kind):
    """Record a change in the state of an account, with its equity and its maintenance margin."""
    account = state.accounts[number]
    record = begin_nb(state, output, kind, -1, -1)
    record.account = number
    record.words[MARGIN_CALLED.equity_minor] = equity_nb(account)
    record.words[MARGIN_CALLED.maintenance_minor] = account.maintenance_minor
    return apply_nb(state, record)


@inlined
def _cancel_account_nb(state, output, number):
    """Ask for the end of every open order of an account, but for those of a liquidation."""
    at = 0
    while at < state.head.order_count:
        order = state.orders[at]
        before = state.head.order_count
        book = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
        if book.account == number and order.purpose != LIQUIDATION_ORDER and _is_cancellable_nb(order):
            record = begin_nb(state, output, CANCEL_REQUESTED.kind, order.instrument, order.strategy)
            record.words[CANCEL_REQUESTED.order_id] = order.order_id
            status = apply_nb(state, record)
            if status != OK:
                return status
        if state.head.order_count == before:  # else a held order ended at once, and the next one is in its row
            at += 1
    return OK


@jit
def _being_closed_nb(state, strategy, instrument, leg):
    """Whether an order of a liquidation for this book is open."""
    for at in range(state.head.order_count):
        order = state.orders[at]
        ours = order.strategy == strategy and order.instrument == instrument and order.leg == leg
        if ours and order.purpose == LIQUIDATION_ORDER:
            return True
    return False


@inlined
def _worst_book_nb(state, number, remaining_minor):
    """``(row of the book with the largest loss that is not being closed yet or -1, maintenance of the others)``.

    The maintenance of books that are being closed is taken from ``remaining_minor``.
    """
    books = state.head.instrument_count * state.head.strategy_count
    found, loss = -1, 0
    for at in range(2 * books):
        row = at if at < books else at - books + MAX_POSITIONS
        position = state.positions[row]
        if position.quantity_lots == 0 or position.account != number:
            continue
        place = at % books
        strategy, instrument = place // state.head.instrument_count, place % state.head.instrument_count
        balance = state.balances[position.balance]
        hedging = state.accounts[number].hedging
        if _being_closed_nb(state, strategy, instrument, hedging if at < books else -1):
            maintenance = convert_nb(balance, position.maintenance_minor)
            remaining_minor -= maintenance if maintenance != OVERFLOW else 0
            continue
        profit = convert_nb(balance, position.value_minor - position.cost_minor)
        if profit != OVERFLOW and (found < 0 or profit < loss) and position.maintenance_minor > 0:
            found, loss = row, profit
    return found, remaining_minor


@inlined
def _close_nb(state, output, row):
    """An order at the market for a whole book, made here and approved at once: no limit keeps a liquidation back."""
    books = state.head.instrument_count * state.head.strategy_count
    place = row if row < books else row - MAX_POSITIONS
    strategy, instrument = place // state.head.instrument_count, place % state.head.instrument_count
    position = state.positions[row]
    hedging = state.accounts[position.account].hedging
    if state.accounts[position.account].shadow == 1:
        return shadow_close_nb(state, output, strategy, instrument, hedging if row < MAX_POSITIONS else -1)
    cause = output.cause
    record = begin_nb(state, output, INTENDED.kind, instrument, strategy)
    words = record.words
    words[INTENDED.side] = -1 if position.quantity_lots > 0 else 1
    words[INTENDED.order_type] = MARKET
    words[INTENDED.time_in_force] = GTC
    words[INTENDED.quantity_lots] = min(abs(position.quantity_lots), MAX_LOTS)
    words[INTENDED.instructions] = REDUCE_ONLY
    words[INTENDED.purpose] = LIQUIDATION_ORDER
    words[INTENDED.leg] = hedging if row < MAX_POSITIONS else -1
    order_id = record.sequence
    status = apply_nb(state, record)
    if status != OK:
        return status
    output.cause = order_id
    record = begin_nb(state, output, CHECKED.kind, instrument, strategy)
    record.words[CHECKED.order_id] = order_id
    status = apply_nb(state, record)
    output.cause = cause
    return status


@inlined
def _liquidate_nb(state, output, number):
    """Close what must be closed. Returns a status."""
    account, first_record = state.accounts[number], output.count
    while True:
        row, remaining = _worst_book_nb(state, number, account.maintenance_minor)
        covered = equity_nb(account) >= remaining
        if covered or row < 0:
            break
        if output.count - first_record > MOST_RECORDS or state.head.order_count >= MAX_ORDERS:
            return OK  # the next event goes on
        status = _close_nb(state, output, row)
        if status != OK:
            return status
    if remaining == account.maintenance_minor and (covered or row < 0):
        return _note_nb(state, output, number, LIQUIDATION_ENDED.kind)  # nothing is being closed any more
    return OK


@unit(STATE, OUTPUT, np.int64)
def _watch_account_nb(state, output, number):
    """Compare equity with the levels of one account."""
    account = state.accounts[number]
    equity, maintenance = equity_nb(account), account.maintenance_minor
    level = scale_linked_nb(maintenance, max(state.head.margin_call_rate, RATE_SCALE), 1, RATE_SCALE)
    if level == OVERFLOW or abs(equity) >= MONEY_MAX:
        return MONEY_OVERFLOW
    status = OK
    if equity < level and account.called == 0:
        status = _note_nb(state, output, number, MARGIN_CALLED.kind)
    elif equity >= level and account.called != 0 and account.liquidating == 0:
        status = _note_nb(state, output, number, MARGIN_RESTORED.kind)
    if status == OK and equity < maintenance and maintenance > 0 and account.liquidating == 0:
        status = _note_nb(state, output, number, LIQUIDATION_STARTED.kind)
        if status == OK:
            status = _cancel_account_nb(state, output, number)
    if status == OK and account.liquidating != 0:
        status = _liquidate_nb(state, output, number)
    return status


@jit
def watch_margin_nb(state, output):
    """Look at every account whose positions need margin, or that was called. Returns a status."""
    for number in range(state.head.account_count):
        account = state.accounts[number]
        if account.maintenance_minor > 0 or account.called != 0 or account.liquidating != 0:
            status = _watch_account_nb(state, output, number)
            if status != OK:
                return status
    return OK
