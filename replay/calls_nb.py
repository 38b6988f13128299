"""Calls of strategies by the engine loop, and what is made of their wishes.

Owns the setting up of a call, the order in which strategies hear of their fills, and the settling of intents.
"""

from kernel.decide_nb import decide_nb
from kernel.events.layout import CROSSED, FILLED, SHADOW_FILLED, WORDS
from kernel.jit import call_entry, inlined, jit
from kernel.ledger_nb import OK
from kernel.placing_nb import abandon_group_nb
from kernel.requests_nb import refuse_nb
from kernel.risk.numbers import CAPACITY
from kernel.strategy.context import FILL, MAX_INTENTS
from replay.cuts_nb import APPLY_FAILED, FRAME_TOO_LARGE, NEED_ROWS, STRATEGY_RAISED
from replay.memory import FRAME_RECORDS
from replay.venue.resting_nb import drop_done_nb
from replay.venue.settle_nb import settle_nb


@jit
def copy_words_nb(to, words, count):
    for word in range(count):
        to[word] = words[word]


@inlined
def _call_nb(engine, entries, strategy, instrument, kind, cause, ts_ns):
    """Set up the call (its words are already there) and make it. Returns what the strategy returned."""
    ctx = engine.context
    book = engine.books[strategy * ctx.state.head.instrument_count + instrument]
    call = ctx.call
    call.kind = kind
    call.strategy = strategy
    call.instrument = instrument
    call.cause = cause
    call.ts_ns = ts_ns
    call.memory_at = book.memory_at
    call.memory_size = book.memory_size
    call.parameters_at = book.parameters_at
    call.callback = book.callback
    call.intent_count = 0
    call.intents_lost = 0
    call.group_left = 0
    return call_entry(entries[strategy], ctx)


@jit
def _settle_call_nb(engine):
    """Turn the intents of the call into events, one after another, each carried to the venue before the next."""
    ctx, output, venue = engine.context, engine.output, engine.venue
    state, call = ctx.state, ctx.call
    for at in range(call.intent_count):
        output.cause = call.cause
        first_record = output.count
        status = decide_nb(state, output, call.strategy, ctx.intents[at])
        if status == OK:
            status = settle_nb(venue, state, output, first_record)
        if status != OK:
            return status
    drop_done_nb(venue)
    if output.group_left > 0:
        status = abandon_group_nb(state, output)
        if status != OK:
            return status
    if call.intents_lost > 0:
        output.cause = call.cause
        lost = call.intent_count + call.intents_lost
        return refuse_nb(state, output, call.strategy, call.instrument, 0, CAPACITY, MAX_INTENTS, lost)
    return OK


@inlined
def invoke_nb(engine, entries, strategy, instrument, kind, cause, ts_ns):
    """Call one strategy and settle what it wants. Returns NEED_ROWS when all is well, else why the loop must stop."""
    if engine.output.count - engine.control.transaction_record > FRAME_RECORDS:
        return FRAME_TOO_LARGE
    if _call_nb(engine, entries, strategy, instrument, kind, cause, ts_ns) != 0:
        engine.control.strategy = strategy
        return STRATEGY_RAISED
    if engine.context.call.intent_count > 0:
        status = _settle_call_nb(engine)
        if status != OK:
            engine.control.status = status
            return APPLY_FAILED
    return NEED_ROWS


@inlined
def stamp_nb(output, ts_ns, cause):
    """The time and the cause that the next records bear."""
    output.ts_event_ns = ts_ns
    output.ts_ingest_ns = ts_ns
    output.cause = cause


@jit
def tell_fills_nb(engine, entries, ts_ns):
    """Tell each strategy of its fills since the last time, in the order in which they happened.

    What it does about one may fill at once, and is told too.
    """
    control, output = engine.control, engine.output
    while control.told_record < output.count:
        record = output.records[control.told_record]
        control.told_record += 1
        if record.kind == FILLED.kind or record.kind == CROSSED.kind or record.kind == SHADOW_FILLED.kind:
            copy_words_nb(engine.context.call.words, record.words, WORDS)
            result = invoke_nb(engine, entries, record.strategy, record.instrument, FILL, record.sequence, ts_ns)
            if result != NEED_ROWS:
                return result
    return NEED_ROWS


@jit
def carry_nb(engine, status, first_record):
    """Settle what the kernel wanted by itself from ``first_record`` on. Returns whether all is well."""
    output, venue = engine.output, engine.venue
    if status == OK and output.count > first_record:
        status = settle_nb(venue, engine.context.state, output, first_record)
        drop_done_nb(venue)
    engine.control.status = status
    return status == OK
