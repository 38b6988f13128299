"""The part of ``apply`` for the events of series: definitions, bars that close, inputs that were dropped.

A bar that closes must be the one in progress: a journal that says otherwise is refused.
"""

from kernel.bars.input_nb import cut_series_nb, flags_nb, make_due_nb, refresh_next_bar_nb, take_input_nb
from kernel.bars.kinds_nb import expect_imbalance_nb, lay_brick_nb
from kernel.bars.rule import FROM_SERIES, HEIKIN_ASHI, RENKO, TICK_IMBALANCE, TIME, VOLUME_IMBALANCE
from kernel.events.layout import BAR_DROPPED, BAR_DUE, RECORD, SERIES_BAR, SERIES_DEFINED, SERIES_SOURCE
from kernel.jit import inlined, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, NO_CAPACITY, OK
from kernel.state import STATE
from kernel.tables.bars import GAPS, LATE, MAX_SERIES
from kernel.tables.table import NEVER_NS

LONG_AGO_NS = -(1 << 62)


@inlined
def _define_nb(state, record):
    words, head = record.words, state.head
    number = head.series_count
    if number >= MAX_SERIES:
        return NO_CAPACITY
    kind, size = words[SERIES_DEFINED.rule_kind], words[SERIES_DEFINED.size_units]
    is_whole = kind == HEIKIN_ASHI or (kind == TIME and words[SERIES_DEFINED.session] == 1)
    if words[SERIES_DEFINED.series] != number or record.instrument < 0 or record.instrument >= head.instrument_count:
        return BAD_INDEX
    if kind < TIME or kind > HEIKIN_ASHI or size < 0 or (size == 0 and not is_whole):
        return MISMATCH
    instrument = state.instruments[record.instrument]
    series = state.series[number]
    series.instrument = record.instrument
    series.kind = kind
    series.size_units = size
    series.session = words[SERIES_DEFINED.session]
    series.span = words[SERIES_DEFINED.span]
    series.least = words[SERIES_DEFINED.least]
    series.most = words[SERIES_DEFINED.most]
    series.parent = -1
    series.due_ns = NEVER_NS
    series.last_end_ns = LONG_AGO_NS
    head.series_count += 1
    at = instrument.first_series
    if at == 0:
        instrument.first_series = number + 1
        return OK
    while state.series[at - 1].next_series > 0:
        at = state.series[at - 1].next_series
    state.series[at - 1].next_series = number + 1
    return OK


@inlined
def _set_source_nb(state, record):
    words, head = record.words, state.head
    number, parent, source = words[SERIES_SOURCE.series], words[SERIES_SOURCE.parent], words[SERIES_SOURCE.source]
    if number < 0 or number >= head.series_count or parent >= number:
        return BAD_INDEX
    series = state.series[number]
    if series.source != 0 or source < 1 or source > FROM_SERIES or (source == FROM_SERIES) != (parent >= 0):
        return MISMATCH
    if parent >= 0 and state.series[parent].instrument != series.instrument:
        return MISMATCH
    series.source = source
    series.parent = max(parent, -1)
    series.from_bars = words[SERIES_SOURCE.from_bars]
    series.source_span_ns = words[SERIES_SOURCE.source_span_ns]
    series.skip_span_ns = words[SERIES_SOURCE.skip_span_ns]
    series.wait_ns = words[SERIES_SOURCE.wait_ns]
    if series.wait_ns > series.from_bars:
        head.bars_wait = 1
    return OK


@inlined
def _due_nb(state, record):
    """Of one instrument: its bars that end by then are due, because a later input is at hand."""
    if record.instrument < 0:
        return OK
    if record.instrument >= state.head.instrument_count:
        return BAD_INDEX
    at = state.instruments[record.instrument].first_series
    while at > 0:
        series = state.series[at - 1]
        ends = series.kind == TIME and series.input_count > 0
        if ends and series.end_ns <= record.words[BAR_DUE.end_ns] and series.due_ns > state.head.now_ns:
            make_due_nb(state.head, series)
        at = series.next_series
    return OK


@inlined
def _feed_nb(state, number):
    """Give the bar that has just closed to the series that are made of this one. Returns a status."""
    bar = state.series[number]
    at = bar.next_series
    status = OK
    while at > 0 and status == OK:
        child = state.series[at - 1]
        if child.parent == number:
            status = take_input_nb(
                state, at - 1, bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.volume_lots, 0,
                bar.begin_ns, bar.end_ns, max(bar.input_count, 1), bar.covered_ns,
            )  # fmt: skip
            if bar.cut == 1:
                cut_series_nb(state.head, child)
        at = child.next_series
    return status


@inlined
def _after_bar_nb(state, number):
    """Clear the bar in progress. Returns a status."""
    series = state.series[number]
    status = OK
    was_next = series.kind == TIME and (series.cut == 1 or series.end_ns + series.wait_ns <= state.head.next_bar_ns)
    if series.kind == TICK_IMBALANCE or series.kind == VOLUME_IMBALANCE:
        status = expect_imbalance_nb(series)
    series.bar_count += 1
    if flags_nb(series) & GAPS != 0:
        series.gap_count += 1
    series.last_end_ns = series.end_ns
    series.input_count = series.step_count = series.volume_lots = series.value_minor = series.covered_ns = 0
    series.cut = 0
    series.due_ns = NEVER_NS
    if series.kind == RENKO:
        series.brick_ticks = series.close_ticks
        series.brick_count -= 1
        if series.brick_count > 0:
            series.begin_ns = series.end_ns
            lay_brick_nb(series)
            make_due_nb(state.head, series)
    if was_next:
        refresh_next_bar_nb(state, number)
    return status


@inlined
def _close_nb(state, record):
    words, head = record.words, state.head
    number = words[SERIES_BAR.series]
    if number < 0 or number >= head.series_count:
        return BAD_INDEX
    series = state.series[number]
    if (
        series.due_ns > head.now_ns
        or record.instrument != series.instrument
        or words[SERIES_BAR.open_ticks] != series.open_ticks
        or words[SERIES_BAR.high_ticks] != series.high_ticks
        or words[SERIES_BAR.low_ticks] != series.low_ticks
        or words[SERIES_BAR.close_ticks] != series.close_ticks
        or words[SERIES_BAR.volume_lots] != series.volume_lots
        or words[SERIES_BAR.ts_open_ns] != series.begin_ns
        or words[SERIES_BAR.end_ns] != series.end_ns
        or words[SERIES_BAR.input_count] != series.input_count
        or words[SERIES_BAR.bar_flags] != flags_nb(series)
    ):
        return MISMATCH
    status = _feed_nb(state, number)
    return status if status != OK else _after_bar_nb(state, number)


@inlined
def _drop_nb(state, record):
    words = record.words
    number = words[BAR_DROPPED.series]
    if number < 0 or number >= state.head.series_count:
        return BAD_INDEX
    series = state.series[number]
    if series.dropped == 0 or series.dropped != words[BAR_DROPPED.reason] or series.instrument != record.instrument:
        return MISMATCH
    if series.dropped == LATE:
        series.late_count += 1
    else:
        series.straddle_count += 1
    series.dropped = series.dropped_open_ns = series.dropped_end_ns = 0
    return OK


@unit(STATE, RECORD)
def series_event_nb(state, record):
    """Book an event of a series; its time and sequence are counted already. Returns a status."""
    kind = record.kind
    if kind == SERIES_BAR.kind:
        return _close_nb(state, record)
    if kind == BAR_DUE.kind:
        return _due_nb(state, record)
    if kind == BAR_DROPPED.kind:
        return _drop_nb(state, record)
    if kind == SERIES_DEFINED.kind:
        return _define_nb(state, record)
    return _set_source_nb(state, record)
