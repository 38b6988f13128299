"""Ensembles: the votes of several strategies, and the signal that they come to.

Owns the vote of a member and the verdict over all of them. All of it is exact: rates in 1/100,000,000, the score
rounded half to even. A member that signals votes with its latest signal while its horizon lasts; one that never did,
and trades by orders, with the side of its book. Nothing happens while no vote changes.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import SIGNAL_COMBINED, SIGNAL_VOTED
from kernel.exact_nb import scale_linked_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle_nb import position_index_nb
from kernel.pipeline.confidence_nb import shape_confidence_nb
from kernel.pipeline.rules import (
    ALL,
    AT_LEAST,
    CONFIDENCE,
    COUNTS,
    DISAGREEMENT,
    MAJORITY,
    NO_DIRECTION,
    NO_OPINION,
    OVER,
    PASSES,
    QUANTILE,
    VETO,
)
from kernel.pipeline.signal_nb import emit_shaped_nb
from kernel.sizing_nb import MISSING
from kernel.state import STATE
from kernel.strategy.context import EMIT_SIGNAL
from kernel.tables.table import MAX_STRATEGIES
from kernel.units import RATE_SCALE


@jit
def vote_nb(state, member, instrument, quantile_rate):
    """``(direction, confidence, reason)`` of a member's vote on an instrument now."""
    book = position_index_nb(state, member, instrument)
    row, held = state.signals[book], state.positions[book].quantity_lots
    if row.signal_sequence == 0:
        direction = 1 if held > 0 else -1 if held < 0 else 0
        return direction, RATE_SCALE * abs(direction), COUNTS if held != 0 else NO_OPINION
    if row.direction == 0:
        return 0, 0, NO_OPINION
    if row.horizon_ns > 0 and state.head.now_ns - row.signal_ns > row.horizon_ns:
        return 0, 0, OVER
    if quantile_rate > 0 and (row.low_return_rate != 0 or row.high_return_rate != 0):
        expected = row.low_return_rate if row.direction > 0 else -row.high_return_rate
        if expected < quantile_rate:
            return 0, 0, QUANTILE
    return row.direction, min(row.confidence_rate, RATE_SCALE), COUNTS


@inlined
def _take_votes_nb(state, output, ensemble, instrument):
    """Record the votes that have changed. Returns ``(status, how many, the last of their sequences)``."""
    changed, last = 0, output.cause
    for member in range(state.head.strategy_count):
        entry = state.members[ensemble * MAX_STRATEGIES + member]
        if entry.active == 0:
            continue
        direction, confidence, reason = vote_nb(state, member, instrument, state.ensembles[ensemble].quantile_rate)
        vote = state.votes[position_index_nb(state, member, instrument)]
        if vote.direction == direction and vote.confidence_rate == confidence and vote.reason == reason:
            continue
        record = begin_nb(state, output, SIGNAL_VOTED.kind, instrument, ensemble)
        words = record.words
        words[SIGNAL_VOTED.member] = member
        words[SIGNAL_VOTED.direction] = direction
        words[SIGNAL_VOTED.confidence_rate] = confidence
        words[SIGNAL_VOTED.weight_rate] = entry.weight_rate
        words[SIGNAL_VOTED.reason] = reason
        changed, last = changed + 1, record.sequence
        status = apply_nb(state, record)
        if status != OK:
            return status, changed, last
    return OK, changed, last


@jit
def score_nb(state, ensemble, instrument):
    """The weighted mean of the votes, direction times confidence, over the weights of all members."""
    total, weights = 0, 0
    for member in range(state.head.strategy_count):
        entry = state.members[ensemble * MAX_STRATEGIES + member]
        if entry.active == 1:
            vote = state.votes[position_index_nb(state, member, instrument)]
            total += entry.weight_rate * vote.direction * vote.confidence_rate
            weights += entry.weight_rate
    return scale_linked_nb(total, 1, 1, weights) if weights > 0 else 0


@jit
def _count_nb(state, ensemble, instrument, direction):
    """``(agreeing, opposing, abstaining, the first member that vetoes the direction or -1)``."""
    agreeing, opposing, abstaining, vetoed_by = 0, 0, 0, -1
    for member in range(state.head.strategy_count):
        entry = state.members[ensemble * MAX_STRATEGIES + member]
        if entry.active == 0:
            continue
        vote = state.votes[position_index_nb(state, member, instrument)].direction
        agreeing += int(vote == direction and vote != 0)
        opposing += int(vote * direction < 0)
        abstaining += int(vote == 0)
        if entry.veto == 1 and vote != direction and vetoed_by < 0:
            vetoed_by = member
    return agreeing, opposing, abstaining, vetoed_by


@inlined
def _verdict_nb(plan, direction, confidence_rate, agreeing, members, vetoed_by):
    """The first rule that the vote does not meet."""
    if direction == 0:
        return NO_DIRECTION
    if vetoed_by >= 0:
        return VETO
    needed = 0
    if plan.rule == MAJORITY:
        needed = members // 2 + 1
    elif plan.rule == ALL:
        needed = members
    elif plan.rule == AT_LEAST:
        needed = plan.at_least
    if agreeing < needed:
        return DISAGREEMENT
    return PASSES if confidence_rate >= plan.minimum_confidence_rate else CONFIDENCE


@inlined
def _measure_nb(state, ensemble, instrument, direction):
    """The measure for sizing: that of the first member that agrees and knows one."""
    for member in range(state.head.strategy_count):
        row = state.signals[position_index_nb(state, member, instrument)]
        ours = state.members[ensemble * MAX_STRATEGIES + member].active == 1
        if ours and row.direction == direction and row.signal_sequence != 0 and row.measure_e8 >= 0:
            return row.measure_e8
    return MISSING


@inlined
def _fill_intent_nb(intent, instrument, direction, confidence_rate, measure_e8):
    intent.action = EMIT_SIGNAL
    intent.instrument = instrument
    intent.side = direction
    intent.strength_rate = confidence_rate
    intent.confidence_rate = confidence_rate
    intent.horizon_ns = 0
    intent.stop_ticks = 0
    intent.limit_ticks = 0
    intent.measure_e8 = measure_e8
    intent.low_return_rate = 0
    intent.high_return_rate = 0


@unit(STATE, OUTPUT, np.int64, np.int64)
def combine_nb(state, output, ensemble, instrument):
    """Take the votes on an instrument; when any has changed, record the verdict and signal it. Returns a status."""
    plan = state.ensembles[ensemble]
    if plan.active == 0 or instrument < 0 or instrument >= state.head.instrument_count:
        return OK
    cause = output.cause
    status, changed, last = _take_votes_nb(state, output, ensemble, instrument)
    if status != OK or changed == 0:
        return status
    score = score_nb(state, ensemble, instrument)
    direction = 1 if score > 0 else -1 if score < 0 else 0
    raw = abs(score)
    confidence = shape_confidence_nb(state, ensemble, instrument, direction, raw)
    agreeing, opposing, abstaining, vetoed_by = _count_nb(state, ensemble, instrument, direction)
    members = agreeing + opposing + abstaining
    reason = _verdict_nb(plan, direction, confidence, agreeing, members, vetoed_by)
    output.cause = last
    record = begin_nb(state, output, SIGNAL_COMBINED.kind, instrument, ensemble)
    words = record.words
    words[SIGNAL_COMBINED.direction] = direction
    words[SIGNAL_COMBINED.score_rate] = score
    words[SIGNAL_COMBINED.confidence_rate] = confidence
    words[SIGNAL_COMBINED.agreeing] = agreeing
    words[SIGNAL_COMBINED.opposing] = opposing
    words[SIGNAL_COMBINED.abstaining] = abstaining
    words[SIGNAL_COMBINED.vetoed_by] = vetoed_by if reason == VETO else -1
    words[SIGNAL_COMBINED.reason] = reason
    output.cause = record.sequence
    status = apply_nb(state, record)
    said = direction if reason == PASSES else 0
    if status == OK and (said != 0 or state.signals[position_index_nb(state, ensemble, instrument)].direction != 0):
        intent = output.work.intent
        measure = _measure_nb(state, ensemble, instrument, direction)
        _fill_intent_nb(intent, instrument, said, confidence, measure)
        status = emit_shaped_nb(state, output, ensemble, intent, raw if raw != confidence else 0)
    output.cause = cause
    return status
