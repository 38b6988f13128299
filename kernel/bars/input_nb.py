"""Taking inputs into bars in progress: the part of ``apply`` that every market row of an instrument with series passes.

Owns which bar an input belongs to, and when a bar is due. An input is a trade, a quote, a bar, or a bar of another
series. What an input does not fit is dropped, counted and told; a bar that has closed is never changed.
"""

import numpy as np

from kernel.bars.kinds_nb import take_average_nb, take_brick_nb, take_imbalance_nb
from kernel.bars.rule import (
    FROM_BARS,
    FROM_QUOTES,
    FROM_SERIES,
    FROM_TRADES,
    HEIKIN_ASHI,
    RENKO,
    TICKS,
    TIME,
    VALUE,
    VOLUME,
    VOLUME_IMBALANCE,
)
from kernel.events.layout import BAR_CLOSED, CORPORATE_ACTION, QUOTE_SEEN, TRADE_SEEN
from kernel.exact_nb import MONEY_MAX, OVERFLOW
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import MISMATCH, MONEY_OVERFLOW, OK, notional_nb
from kernel.market import NO_PRICE, SPLIT, UNKNOWN_SIZE
from kernel.state import STATE
from kernel.tables.bars import CUT, GAPS, LATE, SHORT, STRADDLES
from kernel.tables.ledger import INSTRUMENT
from kernel.tables.table import NEVER_NS

_OUTSIDE = 3  # of all sessions; the others are those of the tables


@jit
def make_due_nb(head, series):
    """The bar in progress is to be closed at once."""
    series.due_ns = head.now_ns


@inlined
def _session_span_nb(instrument, size, begin_ns):
    """The bar of the session that holds an instant: ``(begin, end)``; the end is 0 outside of the session."""
    opened, closed = instrument.session_open_ns, instrument.session_close_ns
    if begin_ns < opened or begin_ns >= closed:
        return opened, 0
    if size == 0:
        return opened, closed
    begin = opened + (begin_ns - opened) // size * size
    return begin, min(begin + size, closed)


@inlined
def _place_nb(series, instrument, begin_ns, end_ns):
    """Find the bar of an input of a time series, and begin it when there is none in progress. 0, or why it has none."""
    if series.input_count > 0 and begin_ns >= series.begin_ns and end_ns <= series.end_ns:
        return 0
    size = series.size_units
    if series.session == 1:
        begin, end = _session_span_nb(instrument, size, begin_ns)
        if end == 0:
            return STRADDLES if begin_ns < begin < end_ns else _OUTSIDE
    else:
        begin = begin_ns // size * size
        end = begin + size
    if end_ns > end:
        return STRADDLES
    if begin_ns < (series.begin_ns if series.input_count > 0 else series.last_end_ns):
        return LATE
    if series.input_count == 0:
        series.begin_ns = max(begin, series.last_end_ns)
        series.end_ns = end
    return 0


@inlined
def _begin_nb(series, open_ticks, high_ticks, low_ticks, close_ticks, begin_ns, end_ns):
    series.open_ticks = open_ticks
    series.high_ticks = high_ticks
    series.low_ticks = low_ticks
    series.close_ticks = close_ticks
    series.first_ns = begin_ns
    series.last_ns = end_ns


@inlined
def _extend_nb(series, open_ticks, high_ticks, low_ticks, close_ticks, begin_ns, end_ns):
    """The first input by time opens the bar and the last one closes it, in whatever order they come."""
    if begin_ns < series.first_ns:
        series.open_ticks = open_ticks
        series.first_ns = begin_ns
    if end_ns >= series.last_ns:
        series.close_ticks = close_ticks
        series.last_ns = end_ns
    series.high_ticks = max(series.high_ticks, high_ticks)
    series.low_ticks = min(series.low_ticks, low_ticks)


@inlined
def _is_complete_nb(series, close_ticks, lots, side):
    """Whether this input completes a bar that counts."""
    kind = series.kind
    if kind == TICKS:
        return series.step_count >= series.size_units
    if kind == VOLUME:
        return series.volume_lots >= series.size_units
    if kind == VALUE:
        return series.value_minor >= series.size_units
    return take_imbalance_nb(series, close_ticks, max(lots, 0), side)


@unit(INSTRUMENT, np.int64, np.int64)
def _value_nb(instrument, price_ticks, lots):
    return notional_nb(instrument, price_ticks, lots)


@inlined
def _add_nb(instrument, series, close_ticks, lots, inputs, covered_ns):
    """Add up what is counted. Returns a status. With one unknown volume that of the bar is unknown, where it is not
    what the rule counts.
    """
    series.input_count += inputs
    series.step_count += 1
    series.covered_ns += covered_ns
    if lots < 0 and series.kind != VOLUME and series.kind != VALUE and series.kind != VOLUME_IMBALANCE:
        series.volume_lots = UNKNOWN_SIZE
    lots = max(lots, 0)
    if lots > MONEY_MAX - series.volume_lots:
        return MONEY_OVERFLOW
    if series.volume_lots != UNKNOWN_SIZE:
        series.volume_lots += lots
    if series.kind == VALUE:
        value = _value_nb(instrument, close_ticks, lots)
        if value == OVERFLOW or abs(value) > MONEY_MAX - series.value_minor:
            return MONEY_OVERFLOW
        series.value_minor += abs(value)
    return OK


@unit(STATE, *[np.int64] * 11)
def take_input_nb(
    state, number, open_ticks, high_ticks, low_ticks, close_ticks, lots, side, begin_ns, end_ns, inputs, covered_ns
):
    """Take one input into the bar in progress of a series. Returns a status."""
    series, head = state.series[number], state.head
    instrument = state.instruments[series.instrument]
    if series.due_ns <= head.now_ns and series.source != FROM_SERIES:
        return MISMATCH  # what was due is closed before anything else happens
    if series.kind == TIME:
        if series.input_count > 0 and begin_ns >= series.end_ns:
            return MISMATCH
        reason = _place_nb(series, instrument, begin_ns, end_ns)
    else:
        reason = LATE if begin_ns < series.last_end_ns else 0
    if reason == _OUTSIDE:
        series.outside_count += 1
        return OK
    if reason != 0:
        series.dropped = reason
        series.dropped_open_ns = begin_ns
        series.dropped_end_ns = end_ns
        return OK
    if series.input_count == 0:
        _begin_nb(series, open_ticks, high_ticks, low_ticks, close_ticks, begin_ns, end_ns)
    else:
        _extend_nb(series, open_ticks, high_ticks, low_ticks, close_ticks, begin_ns, end_ns)
    status = _add_nb(instrument, series, close_ticks, lots, inputs, covered_ns)
    if status != OK:
        return status
    if series.kind == TIME:
        if begin_ns < end_ns and end_ns >= series.end_ns:
            make_due_nb(head, series)
        elif series.step_count == 1:
            series.due_ns = series.end_ns + series.wait_ns
            head.next_bar_ns = min(head.next_bar_ns, series.due_ns)
        return OK
    series.begin_ns = series.first_ns
    series.end_ns = series.last_ns
    if series.kind == HEIKIN_ASHI:
        make_due_nb(head, series)
        return take_average_nb(series, open_ticks, high_ticks, low_ticks, close_ticks)
    if series.kind == RENKO:
        if take_brick_nb(series, close_ticks):
            make_due_nb(head, series)
    elif _is_complete_nb(series, close_ticks, lots, side):
        make_due_nb(head, series)
    return OK


@jit
def cut_series_nb(head, series):
    """A split: what was counted so far is a bar (no brick); prices from before are not compared with later ones."""
    series.has_price = 0
    if series.input_count == 0:
        return
    if series.kind == RENKO:
        series.input_count = series.step_count = series.volume_lots = series.covered_ns = 0
        return
    series.cut = 1
    if series.kind == TIME:
        series.end_ns = min(max(head.now_ns, series.last_ns), series.end_ns)
    make_due_nb(head, series)


@jit
def flags_nb(series):
    """The flags of the bar in progress, if it closed now."""
    flags = CUT if series.cut == 1 else 0
    if series.kind != TIME:
        return flags
    length = series.end_ns - series.begin_ns
    if series.size_units > 0 and length < series.size_units:
        flags += SHORT
    if series.from_bars == 1 and series.covered_ns < length:
        flags += GAPS
    return flags


@unit(STATE, *[np.int64] * 9)
def note_row_nb(state, kind, instrument_id, ts_ns, word_0, word_1, word_2, word_3, word_4, word_5):
    """One market row for all series of its instrument. Returns a status."""
    instrument = state.instruments[instrument_id]
    at = instrument.first_series
    is_bar = kind == BAR_CLOSED.kind
    is_over = instrument.expired != 0 or (word_5 >= instrument.expiry_ns if is_bar else ts_ns > instrument.expiry_ns)
    if at == 0 or (instrument.expiry_ns != 0 and is_over):  # a contract that is over has no price any more
        return OK
    source, lots, side = 0, 0, 0
    opened = high = low = closed = word_0
    begin_ns = end_ns = ts_ns
    if is_bar:
        source = FROM_BARS
        high, low, closed, lots = word_1, word_2, word_3, word_4
        begin_ns = word_5
    elif kind == TRADE_SEEN.kind:
        source, lots, side = FROM_TRADES, word_1, word_2
    elif kind == QUOTE_SEEN.kind:
        if word_0 == NO_PRICE or word_2 == NO_PRICE:
            return OK
        source = FROM_QUOTES
        lots = UNKNOWN_SIZE
        opened = high = low = closed = instrument.last_ticks  # the middle, rounded half to even
    elif kind != CORPORATE_ACTION.kind or word_0 != SPLIT:
        return OK
    status = OK
    while at > 0 and status == OK:
        number = at - 1
        series = state.series[number]
        if source == 0:
            cut_series_nb(state.head, series)
        elif series.source == source:
            span = ts_ns - begin_ns
            last_ns = end_ns
            if source == FROM_BARS and series.source_span_ns > 0:
                last_ns = min(end_ns, begin_ns + series.source_span_ns)
            if source != FROM_BARS or span > series.skip_span_ns:
                status = take_input_nb(
                    state, number, opened, high, low, closed, lots, side, begin_ns, last_ns, 1, last_ns - begin_ns
                )
        at = series.next_series
    return status


@jit
def refresh_next_bar_nb(state, number):
    """When time ends the next bar, over all series, after that of one has closed.

    No bar can be due before that one was, so the first that is due then is found; it is mostly that of the series after
    this one.
    """
    head = state.head
    was_ns = head.next_bar_ns
    next_ns = NEVER_NS
    for step in range(head.series_count):
        at = number + 1 + step
        series = state.series[at if at < head.series_count else at - head.series_count]
        if series.kind == TIME and series.input_count > 0:
            next_ns = min(next_ns, series.end_ns + series.wait_ns)
            if next_ns == was_ns:
                break
    head.next_bar_ns = next_ns
