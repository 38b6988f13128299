"""Targets: from the signals of all strategies to what their books are to hold, and to orders.

Owns the step at the end of a transaction. Each book whose target is due gets one: by the sizing plan of its strategy,
or by the strategy's portfolio plan, which divides a share of equity over all of its signals. What is missing becomes a
market order. Orders that make a book smaller come first, so that they free what the others need.

Strategies whose portfolio plan nets share one account: where their new orders oppose each other, they trade with each
other at the last price, without a fee, before the rest leaves. So that buying power is needed for the rest alone
(``netting_nb``), all orders of the transaction are intended before the first gets its verdict. The smaller side trades
whole; its quantity is shared out over the larger one in proportion to what each order wants (``apportion_nb``). Each
strategy keeps its own book.
"""

from kernel.after_fill_nb import after_fill_nb
from kernel.apply_nb import apply_nb
from kernel.apportion_nb import apportion_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import CROSSED, TARGET_SET
from kernel.exact_nb import OVERFLOW, divide_product_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK, equity_nb
from kernel.lifecycle import BUY, INTENDED, INTERNAL, SELL, STRATEGY_ORDER, SUBMITTED
from kernel.lifecycle_nb import find_order_nb, position_index_nb
from kernel.placing_nb import make_order_nb, place_nb, verdict_on_nb, write_verdict_nb
from kernel.plans import CONFIDENCE_WEIGHT, EQUAL_WEIGHT, NO_METHOD
from kernel.risk.numbers import APPROVED
from kernel.sizing_nb import confident_lots_nb, lots_worth_nb, share_minor_nb, size_lots_nb
from kernel.state import STATE
from kernel.units import RATE_SCALE

MOST_RECORDS = 300  # of one call; what is left is done at the next event
MOST_DEFERRED_RECORDS = 200  # the same when the verdicts are still to come


@jit
def leaving_lots_nb(state, strategy, instrument):
    """What open orders of the kernel (exits, liquidations, flattening) will take out of a book."""
    lots = 0
    for at in range(state.head.order_count):
        order = state.orders[at]
        if order.strategy == strategy and order.instrument == instrument and order.purpose != STRATEGY_ORDER:
            lots += order.quantity_lots - order.filled_lots
    return lots


@inlined
def _weigh_nb(state, shares, strategy):
    """Divide 1 over the strategy's signals: rates into ``shares.parts``, by instrument."""
    count = state.head.instrument_count
    plan = state.portfolio_plans[strategy]
    for instrument in range(count):
        row = state.signals[position_index_nb(state, strategy, instrument)]
        wanted = 0
        if row.direction != 0:
            wanted = row.confidence_rate if plan.method == CONFIDENCE_WEIGHT else 1
        shares.weights[instrument] = wanted
        shares.parts[instrument] = state.instruments[instrument].weight_rate
    if plan.method == EQUAL_WEIGHT or plan.method == CONFIDENCE_WEIGHT:
        apportion_nb(shares, RATE_SCALE, count)


@jit
def _equity_nb(state, book):
    """Equity of a book's account in the currency of its instrument, rounded down; 0 when no rate is known."""
    position = state.positions[book]
    equity, balance = equity_nb(state.accounts[position.account]), state.balances[position.balance]
    if balance.rate_numerator == balance.rate_denominator:
        return equity if balance.rate_denominator != 0 else 0
    if equity <= 0 or balance.rate_numerator == 0:
        return 0
    converted, _ = divide_product_nb(equity, balance.rate_denominator, balance.rate_numerator)
    return 0 if converted == OVERFLOW else converted


@inlined
def _portfolio_lots_nb(state, strategy, entry, equity_minor, weight_rate, confidence_rate):
    """Lots by weight, signed as it: its part of the plan's share of equity, at most the cap of the sizing plan."""
    plan, sizing = state.portfolio_plans[strategy], state.sizing_plans[strategy]
    money = share_minor_nb(share_minor_nb(equity_minor, plan.share_rate), abs(weight_rate))
    if sizing.cap_rate > 0:
        money = min(money, share_minor_nb(equity_minor, sizing.cap_rate))
    lots = lots_worth_nb(money, entry.last_ticks, entry.inverse, entry.numerator, entry.denominator)
    if sizing.by_confidence == 1:
        lots = confident_lots_nb(lots, confidence_rate)
    return lots if weight_rate > 0 else -lots


@jit
def _target_lots_nb(state, strategy, instrument, weight_rate):
    """What a book is to hold, signed."""
    book = position_index_nb(state, strategy, instrument)
    row, entry = state.signals[book], state.instruments[instrument]
    if row.direction == 0:
        return 0
    equity = _equity_nb(state, book)
    if state.portfolio_plans[strategy].method != NO_METHOD:
        return row.direction * _portfolio_lots_nb(state, strategy, entry, equity, weight_rate, row.confidence_rate)
    return row.direction * size_lots_nb(
        state.sizing_plans[strategy],
        equity,
        entry.last_ticks,
        entry.inverse,
        entry.numerator,
        entry.denominator,
        row.measure_e8,
        row.confidence_rate,
    )


@jit
def _set_target_nb(state, output, strategy, instrument, weight_rate, target_lots, missing_lots):
    """Record the target of one book and the order for what is missing. Returns a status."""
    book = position_index_nb(state, strategy, instrument)
    row, plan = state.signals[book], state.portfolio_plans[strategy]
    output.cause = row.due_cause
    record = begin_nb(state, output, TARGET_SET.kind, instrument, strategy)
    words = record.words
    words[TARGET_SET.model] = state.sizing_plans[strategy].model if plan.method == NO_METHOD else 0
    words[TARGET_SET.equity_minor] = _equity_nb(state, book)
    words[TARGET_SET.price_ticks] = state.instruments[instrument].last_ticks
    words[TARGET_SET.measure_e8] = row.measure_e8
    words[TARGET_SET.confidence_rate] = row.confidence_rate
    words[TARGET_SET.weight_rate] = weight_rate if plan.method != NO_METHOD else 0
    words[TARGET_SET.target_lots] = target_lots
    output.cause = record.sequence
    status = apply_nb(state, record)
    if status != OK or missing_lots == 0:
        return status
    make_order_nb(output.work.intent, instrument, BUY if missing_lots > 0 else SELL, abs(missing_lots))
    output.work.intent.signal_ns = row.due_ns
    return place_nb(state, output, strategy, instrument, output.work.intent, STRATEGY_ORDER)


@jit
def _set_targets_nb(state, output, strategy, growing, first_record):
    """Set the due targets of a strategy whose orders make their book larger (``growing`` 1), or the others (0).

    Books without a price wait for one.
    """
    _weigh_nb(state, output.work.shares, strategy)
    for instrument in range(state.head.instrument_count):
        book = position_index_nb(state, strategy, instrument)
        row = state.signals[book]
        if row.due == 0 or row.retry_ns > state.head.now_ns or state.instruments[instrument].last_ticks <= 0:
            continue
        weight_rate = output.work.shares.parts[instrument]
        target_lots = _target_lots_nb(state, strategy, instrument, weight_rate)
        position = state.positions[book]
        leaving = min(leaving_lots_nb(state, strategy, instrument), abs(position.quantity_lots))
        held = position.quantity_lots - leaving if position.quantity_lots > 0 else position.quantity_lots + leaving
        missing_lots = target_lots - held - position.pending_buy_lots + position.pending_sell_lots
        adds = position.quantity_lots == 0 or (position.quantity_lots > 0) == (missing_lots > 0)
        grows = 1 if adds and missing_lots != 0 else 0
        if grows != growing:
            continue
        if output.count - first_record > (MOST_RECORDS if output.defers == 0 else MOST_DEFERRED_RECORDS):
            return OK
        status = _set_target_nb(state, output, strategy, instrument, weight_rate, target_lots, missing_lots)
        if status != OK:
            return status
    return OK


@inlined
def _last_refused_nb(state, output, first_sequence):
    """``(row, check)`` of the last order without a verdict that a check refuses now; the row is -1 without one."""
    for back in range(1, state.head.order_count + 1):
        order = state.orders[state.head.order_count - back]
        if order.status == INTENDED and order.order_id >= first_sequence:
            check, _, _ = verdict_on_nb(state, output, order)
            if check != APPROVED:
                return state.head.order_count - back, check
    return -1, APPROVED


@inlined
def _conclude_nb(state, output, first_sequence):
    """Give the orders that were intended together their verdicts. Returns a status.

    Each is checked as if all the others were approved. While any is refused, the last such one is, and the others are
    checked anew without it: so the earlier order goes first, and none relies on one that does not come.
    """
    while True:
        at, check = _last_refused_nb(state, output, first_sequence)
        if at < 0:
            break
        status = write_verdict_nb(state, output, state.orders[at], check, output.ask.limit, output.ask.value)
        if status != OK:
            return status
    for at in range(state.head.order_count):
        if state.orders[at].status == INTENDED and state.orders[at].order_id >= first_sequence:
            status = write_verdict_nb(state, output, state.orders[at], APPROVED, 0, 0)
            if status != OK:
                return status
    return OK


@jit
def _nets_nb(state, order, first_sequence):
    """Whether an order is new, approved, not yet sent, and of a strategy that nets."""
    fresh = order.status == SUBMITTED and order.order_id >= first_sequence
    return fresh and state.portfolio_plans[order.strategy].net == 1


@jit
def _wanted_nb(state, work, account, instrument, side, first_sequence):
    """Collect the orders of one side of an instrument that net in an account. Returns ``(how many, their lots)``."""
    count = lots = 0
    for at in range(state.head.order_count):
        order = state.orders[at]
        book = position_index_nb(state, order.strategy, order.instrument)
        ours = order.instrument == instrument and order.side == side and state.positions[book].account == account
        if ours and _nets_nb(state, order, first_sequence):
            work.order_ids[count] = order.order_id
            work.shares.weights[count] = order.quantity_lots
            lots += order.quantity_lots
            count += 1
    return count, lots


@jit
def _cross_side_nb(state, output, account, instrument, side, lots, first_sequence, trade_id):
    """Fill one side of a cross. Returns a status."""
    work = output.work
    count, _ = _wanted_nb(state, work, account, instrument, side, first_sequence)
    apportion_nb(work.shares, lots, count)
    for place in range(count):
        if work.shares.parts[place] == 0:
            continue
        order = state.orders[find_order_nb(state, work.order_ids[place])]
        strategy, order_id = order.strategy, order.order_id
        output.cause = order_id
        record = begin_nb(state, output, CROSSED.kind, instrument, strategy)
        words = record.words
        words[CROSSED.order_id] = order_id
        words[CROSSED.side] = side
        words[CROSSED.price_ticks] = state.instruments[instrument].last_ticks
        words[CROSSED.quantity_lots] = work.shares.parts[place]
        words[CROSSED.leaves_lots] = order.quantity_lots - work.shares.parts[place]
        words[CROSSED.liquidity] = INTERNAL
        words[CROSSED.trade_id] = trade_id
        output.cause = record.sequence
        status = apply_nb(state, record)
        if status == OK:
            status = after_fill_nb(state, output, strategy, instrument, order_id)
        if status != OK:
            return status
    return OK


@inlined
def _cross_nb(state, output, account, first_sequence):
    """Let new orders of strategies that net in an account trade with each other, by instrument. Returns a status."""
    for instrument in range(state.head.instrument_count):
        _, bought = _wanted_nb(state, output.work, account, instrument, BUY, first_sequence)
        _, sold = _wanted_nb(state, output.work, account, instrument, SELL, first_sequence)
        lots = min(bought, sold)
        if lots == 0:
            continue
        trade_id = state.head.next_sequence
        status = _cross_side_nb(state, output, account, instrument, SELL, lots, first_sequence, trade_id)
        if status == OK:
            status = _cross_side_nb(state, output, account, instrument, BUY, lots, first_sequence, trade_id)
        if status != OK:
            return status
    return OK


@unit(STATE, OUTPUT)
def portfolio_nb(state, output):
    """Set the targets that are due and order what is missing. Returns a status.

    What does not fit one transaction stays due until the next event.
    """
    first_record, first_sequence = output.count, state.head.next_sequence
    strategies = state.head.strategy_count
    netting = 0
    for strategy in range(strategies):
        netting += state.portfolio_plans[strategy].net
    output.defers = int(netting > 1)
    status = OK
    for turn in range(2 * strategies):
        if status == OK:
            status = _set_targets_nb(state, output, turn % strategies, turn // strategies, first_record)
    output.defers = 0
    if status == OK and netting > 1:
        status = _conclude_nb(state, output, first_sequence)
    for account in range(state.head.account_count if netting > 1 and output.count > first_record else 0):
        if status == OK:
            status = _cross_nb(state, output, account, first_sequence)
    return status
