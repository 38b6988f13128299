"""The engine loop: rows in, records out, compiled once for every strategy.

Owns the order in which one market event takes effect, and the cutting of the stream of records into frames. It is the
same for backtest and audit. For each row, as one transaction:

1. the event gets its sequence and is applied (last price, value of what is held);
2. the venue ends DAY orders of an earlier day, then fills resting orders from the row, each fill booked at once;
3. the monitors of risk look: they stop entries, or trip the kill switch, which cancels and flattens;
4. the exits of open positions in the instrument;
5. each strategy hears of its fills, then of the row, in the order in which the strategies were given;
6. what a strategy wants is checked and submitted right after its call;
7. the bars of series that the row completes close, each heard by the strategies that asked for it;
8. the targets that its signals asked for are set, and what is missing is ordered; what fills at once is told at the
   end.

What the venue does by itself (a report arrives, an order expires), bars that end, and timers, that are due at or before
a row's time come before it, each as a transaction of its own, earliest first, the venue before bars before timers.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.bars.closing_nb import due_series_nb, overtaken_ns_nb
from kernel.consequences_nb import consequences_nb, has_consequences_nb
from kernel.emit_nb import OUTPUT_RECORDS, begin_nb
from kernel.events.layout import CANCEL_ASKED, FILLED, FLATTEN_ASKED, RECORD, TIMER_FIRED, WORDS
from kernel.exit_orders_nb import exits_nb
from kernel.jit import inlined, unit, vector
from kernel.ledger_nb import OK
from kernel.market import BAR, CLOCK, DEPTH, INPUT, QUOTE, ROW, ROW_WORDS, WEIGHT
from kernel.marks_nb import event_kind_nb, market_nb
from kernel.operator_nb import operator_nb
from kernel.portfolio_nb import portfolio_nb
from kernel.react_nb import react_nb
from kernel.risk.watch_nb import watch_nb
from kernel.strategy.context import START, TIMER
from kernel.tables.table import MAX_TIMERS
from replay.bars_nb import close_bars_nb, fall_due_nb
from replay.calls_nb import carry_nb, copy_words_nb, invoke_nb, stamp_nb, tell_fills_nb
from replay.cuts_nb import (
    APPLY_FAILED,
    DIGEST_DUE,
    NEED_ROWS,
    OUTPUT_FULL,
    STOP_DUE,
    cut_frame_nb,
    end_transaction_nb,
)
from replay.features_nb import compute_features_nb
from replay.memory import ENGINE, MAX_FRAMES, TRANSACTION_RECORDS
from replay.statistics_nb import observe_nb
from replay.venue.actions_nb import act_nb
from replay.venue.finer_nb import is_finer_nb
from replay.venue.match_nb import match_nb
from replay.venue.profiles import OHLC
from replay.venue.resting_nb import drop_done_nb
from replay.venue.settle_nb import settle_nb

ROW_TAKEN, INPUT_TAKEN = 1, 2


@unit(ENGINE, vector(np.int64))
def _start_nb(engine, entries):
    """Call each strategy once before the first row, for each of its instruments (or once for a portfolio)."""
    ctx = engine.context
    head = ctx.state.head
    ts_ns = head.now_ns
    for word in range(WORDS):
        ctx.call.words[word] = 0
    for strategy in range(head.strategy_count):
        for instrument in range(head.instrument_count):
            if engine.books[strategy * head.instrument_count + instrument].starts == 1:
                cause = head.next_sequence - 1
                stamp_nb(engine.output, ts_ns, cause)
                result = invoke_nb(engine, entries, strategy, instrument, START, cause, ts_ns)
                if result != NEED_ROWS:
                    return result
    return NEED_ROWS


@inlined
def _due_timer_nb(state, ts_ns):
    """The row of the timer that fires next, at or before ``ts_ns``: earliest first, then by place."""
    found = -1
    for at in range(MAX_TIMERS):
        timer = state.timers[at]
        if timer.active == 1 and timer.due_ns <= ts_ns and (found < 0 or timer.due_ns < state.timers[found].due_ns):
            found = at
    return found


@unit(ENGINE, vector(np.int64), np.int64)
def _fire_nb(engine, entries, ts_ns):
    """Fire the next timer, due at ``ts_ns`` at the latest: an input of its own."""
    ctx, output = engine.context, engine.output
    at = _due_timer_nb(ctx.state, ts_ns)
    timer = ctx.state.timers[at]
    strategy, instrument, due_ns = timer.strategy, timer.instrument, timer.due_ns
    stamp_nb(output, due_ns, 0)
    record = begin_nb(ctx.state, output, TIMER_FIRED.kind, instrument, strategy)
    record.words[TIMER_FIRED.timer] = timer.timer
    record.words[TIMER_FIRED.due_ns] = due_ns
    cause = record.sequence
    status = apply_nb(ctx.state, record)
    if status != OK:
        engine.control.status = status
        return APPLY_FAILED
    output.cause = cause
    copy_words_nb(ctx.call.words, record.words, WORDS)
    return invoke_nb(engine, entries, strategy, instrument, TIMER, cause, due_ns)


@inlined
def _act_nb(engine):
    """Let the venue do what is due by itself."""
    status = act_nb(engine.venue, engine.context.state, engine.output)
    if status != OK:
        engine.control.status = status
        return APPLY_FAILED
    return NEED_ROWS


@inlined
def _take_row_nb(engine, row):
    """Apply the row: as a record (``--journal full``), or by reference. The state comes out the same."""
    state, output = engine.context.state, engine.output
    stamp_nb(output, row.ts_ns, 0)
    if engine.control.dated == 1:
        output.ts_event_ns = engine.events_ns[engine.control.row]
    kind = event_kind_nb(row.kind)
    if engine.control.inline == 0:
        return market_nb(state, kind, row.instrument, row.ts_ns, row.words)
    record = begin_nb(state, output, kind, row.instrument, -1)
    record.account = -1
    copy_words_nb(record.words, row.words, ROW_WORDS)
    output.ts_event_ns = row.ts_ns
    return apply_nb(state, record)


@inlined
def _consequences_nb(engine, row, cause):
    """What the row does to money without a fill, settled."""
    state, output, first_record = engine.context.state, engine.output, engine.output.count
    output.cause = cause
    status = consequences_nb(state, output, row, event_kind_nb(row.kind))
    if status == OK and output.count > first_record:
        status = settle_nb(engine.venue, state, output, first_record)
        drop_done_nb(engine.venue)
    return status


@inlined
def _watch_nb(engine, cause, instrument):
    """Let the monitors of risk look, and settle what they want."""
    state, output, venue = engine.context.state, engine.output, engine.venue
    first_record = output.count
    output.cause = cause
    status = watch_nb(state, output, instrument)
    if status == OK and output.count > first_record:
        status = settle_nb(venue, state, output, first_record)
        drop_done_nb(venue)
    output.cause = cause
    return status


@inlined
def _row_nb(engine, entries, row):
    """One market event and all that it causes."""
    ctx, control, output, venue = engine.context, engine.control, engine.output, engine.venue
    state = ctx.state
    cause = state.head.next_sequence
    status = _take_row_nb(engine, row)
    output.cause = cause
    listens = venue.head.order_count > 0 or venue.head.profile >= OHLC or row.kind > QUOTE
    listens = listens and venue.head.elsewhere == 0
    if status == OK and listens:
        status = match_nb(venue, state, output, row)
    if status == OK and has_consequences_nb(state.head, event_kind_nb(row.kind)):
        status = _consequences_nb(engine, row, cause)
    if status == OK and state.head.risk_on == 1:
        status = _watch_nb(engine, cause, row.instrument)
    if status != OK:
        engine.control.status = status
        return APPLY_FAILED
    if state.head.exits_on == 1 and row.kind <= QUOTE:
        asked = output.count
        status = exits_nb(state, output, row.instrument, cause)
        if not carry_nb(engine, status, asked):
            return APPLY_FAILED
    if output.count > control.told_record:
        result = tell_fills_nb(engine, entries, row.ts_ns)
        if result != NEED_ROWS:
            return result
    if row.kind == WEIGHT or is_finer_nb(venue.markets[row.instrument], row):
        return NEED_ROWS
    if control.features_on == 1 and row.kind == BAR:
        copy_words_nb(ctx.call.words, row.words, ROW_WORDS)
        status = compute_features_nb(engine, entries, row.instrument, -1, cause)
        if status != OK:
            control.status = status
            return APPLY_FAILED
    instruments = state.head.instrument_count
    for strategy in range(state.head.strategy_count):
        heard = engine.books[strategy * instruments + row.instrument].subscribed
        if heard == 1 or (heard == 2 and row.kind != BAR):
            copy_words_nb(ctx.call.words, row.words, ROW_WORDS)
            result = invoke_nb(engine, entries, strategy, row.instrument, row.kind, cause, row.ts_ns)
            if result != NEED_ROWS:
                return result
    if state.head.series_count > 0 and due_series_nb(state, row.instrument, -1) >= 0:
        result = close_bars_nb(engine, entries, cause, row.instrument)
        if result != NEED_ROWS:
            return result
    if state.head.targets_due > 0 and row.kind <= QUOTE:
        asked = output.count
        status = portfolio_nb(state, output)
        if not carry_nb(engine, status, asked):
            return APPLY_FAILED
    return NEED_ROWS


@unit(ENGINE, vector(np.int64), np.int64, np.int64)
def input_nb(engine, entries, at, ts_ns):
    """An input that is no market row, and all that it causes: a report of a venue, a request of an operator, ..."""
    state, output, venue, control = engine.context.state, engine.output, engine.venue, engine.control
    event, first_record = engine.inputs[at], output.count
    stamp_nb(output, ts_ns, 0)
    record = begin_nb(state, output, event.kind, event.instrument, event.strategy)
    record.ts_event_ns = event.ts_event_ns
    record.cause = event.cause
    record.account = event.account
    record["flags"] = event["flags"]
    copy_words_nb(record.words, event.words, WORDS)
    control.body_bytes = engine.input_bytes[at]
    cause = record.sequence
    status = apply_nb(state, record)
    if status == OK and event.kind == FILLED.kind:  # settling leaves what follows from a fill to who books it
        status = react_nb(state, output, first_record)
    elif status == OK and (event.kind == FLATTEN_ASKED.kind or event.kind == CANCEL_ASKED.kind):
        status = operator_nb(state, output, first_record)
    if status == OK:
        status = settle_nb(venue, state, output, first_record)
        drop_done_nb(venue)
    if status == OK and state.head.risk_on == 1:
        status = _watch_nb(engine, cause, event.instrument)
    if status != OK:
        control.status = status
        return APPLY_FAILED
    return NEED_ROWS


@unit(ENGINE, vector(np.int64), vector(ROW))
def run_nb(engine, entries, rows):
    """Process rows until they are used up or the caller is needed; see the codes at the top of this module.

    ``entries`` holds the addresses of the strategies' entries. After a stop of STRATEGY_RAISED or later the state is
    not to be used further, and the records of the transaction under way are not counted in the output.
    """
    head, control, output, venue = engine.context.state.head, engine.control, engine.output, engine.venue
    while control.row < len(rows):
        if head.digest_interval > 0 and head.next_sequence >= head.next_digest:
            return DIGEST_DUE
        if control.stop_sequence > 0 and head.next_sequence >= control.stop_sequence:
            return STOP_DUE
        if output.count > OUTPUT_RECORDS - TRANSACTION_RECORDS or control.frame_count > MAX_FRAMES - 2:
            return OUTPUT_FULL
        row = rows[control.row]
        first_record, first_sequence, ts_before_ns = output.count, head.next_sequence, head.now_ns
        control.transaction_record = control.told_record = first_record
        taken = 0
        overtaken_ns = 0
        if head.bars_wait == 1 and row.kind < INPUT:
            overtaken_ns = overtaken_ns_nb(engine.context.state, row)
        if control.started == 0:
            control.started = 1
            result = _start_nb(engine, entries)
        elif control.bars_left == 1:
            result = fall_due_nb(engine, entries, head.now_ns, -1, 0)
        elif venue.head.next_due_ns <= min(row.ts_ns, head.next_timer_ns, head.next_bar_ns):
            result = _act_nb(engine)
        elif head.next_bar_ns <= min(row.ts_ns, head.next_timer_ns):
            result = fall_due_nb(engine, entries, max(head.next_bar_ns, head.now_ns), -1, 0)
        elif overtaken_ns > 0:
            result = fall_due_nb(engine, entries, row.ts_ns, row.instrument, overtaken_ns)
        elif head.next_timer_ns <= row.ts_ns:
            result = _fire_nb(engine, entries, row.ts_ns)
        elif row.kind == CLOCK:
            control.row += 1
            continue
        elif row.kind == INPUT:
            taken = INPUT_TAKEN
            result = input_nb(engine, entries, row.words[0], row.ts_ns)
        else:
            taken = ROW_TAKEN
            result = _row_nb(engine, entries, row)
        if result == NEED_ROWS and output.count > control.told_record:
            result = tell_fills_nb(engine, entries, head.now_ns)
        if result == NEED_ROWS:
            result = end_transaction_nb(engine, first_record, first_sequence, ts_before_ns, int(taken == ROW_TAKEN))
        if result != NEED_ROWS:
            output.count = first_record
            return result
        if taken == ROW_TAKEN:
            observe_nb(engine, row.ts_ns, row.kind > DEPTH)
        elif taken == INPUT_TAKEN:
            control.row += 1
    if control.quiet_rows > 0:
        records = output.count - control.frame_record
        if records > control.frame_rows or records >= control.quiet_rows:
            cut_frame_nb(engine, output.count, control.done_sequence, control.done_ts_ns)
    return NEED_ROWS


@unit(ENGINE, RECORD)
def record_event_nb(engine, event):
    """Record an event that comes from the driver (a digest, an end, an injected input) as a transaction of its own.

    Sequence, and the times where they are 0, are filled in here.
    """
    state, output = engine.context.state, engine.output
    first_record, first_sequence, ts_before_ns = output.count, state.head.next_sequence, state.head.now_ns
    stamp_nb(output, ts_before_ns, event.cause)
    record = begin_nb(state, output, event.kind, event.instrument, event.strategy)
    record.account = event.account
    record["flags"] = event["flags"]
    if event.ts_ingest_ns != 0:
        record.ts_event_ns = event.ts_event_ns
        record.ts_ingest_ns = event.ts_ingest_ns
    copy_words_nb(record.words, event.words, WORDS)
    status = apply_nb(state, record)
    if status != OK:
        engine.control.status = status
        return APPLY_FAILED
    return end_transaction_nb(engine, first_record, first_sequence, ts_before_ns, 0)


@unit(ENGINE)
def close_frame_nb(engine):
    """Put all transactions that are done and in no frame yet into a frame of their own."""
    control = engine.control
    if control.done_sequence > control.frame_sequence:
        cut_frame_nb(engine, engine.output.count, control.done_sequence, control.done_ts_ns)
    return 0
