"""Closing bars: the events that follow when a bar is due, and time as an input when nothing else says so."""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.bars.input_nb import flags_nb
from kernel.bars.rule import FROM_BARS, FROM_QUOTES, FROM_TRADES, TIME
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import BAR_CLOSED, BAR_DROPPED, BAR_DUE, SERIES_BAR
from kernel.jit import inlined, unit
from kernel.market import BAR, QUOTE, ROW, TRADE
from kernel.state import STATE


@inlined
def _is_due_nb(state, number):
    series = state.series[number]
    return series.dropped != 0 or series.due_ns <= state.head.now_ns


@unit(STATE, np.int64, np.int64)
def due_series_nb(state, instrument, after):
    """The series that is the next to tell something now, of an instrument, or of all with -1; -1 for none.

    Time bars first, shorter ones before longer ones: a bar that is made of others takes the last of them before it
    closes. Then the others, from the last one on: what is made of several bricks closes before the next brick.
    ``after`` is the one before in this moment (or -1): of all, a time bar is looked for behind it first.
    """
    found = -1
    if instrument >= 0:
        at = state.instruments[instrument].first_series
        while at > 0:
            if _is_due_nb(state, at - 1):
                found = at - 1
                if state.series[found].kind == TIME:
                    return found
            at = state.series[at - 1].next_series
        return found
    first = max(after, 0)
    for step in range(state.head.series_count):
        number = first + step
        if number >= state.head.series_count:
            number -= state.head.series_count
        if _is_due_nb(state, number):
            if state.series[number].kind == TIME:
                return number
            found = max(found, number)
    return found


@unit(STATE, OUTPUT, np.int64)
def close_bar_nb(state, output, number):
    """Say what is due of a series, and book it: an input that was dropped, or its bar. Returns a status."""
    series = state.series[number]
    if series.dropped != 0:
        record = begin_nb(state, output, BAR_DROPPED.kind, series.instrument, -1)
        record.words[BAR_DROPPED.series] = number
        record.words[BAR_DROPPED.reason] = series.dropped
        record.words[BAR_DROPPED.ts_open_ns] = series.dropped_open_ns
        record.words[BAR_DROPPED.end_ns] = series.dropped_end_ns
    else:
        record = begin_nb(state, output, SERIES_BAR.kind, series.instrument, -1)
        record.words[SERIES_BAR.open_ticks] = series.open_ticks
        record.words[SERIES_BAR.high_ticks] = series.high_ticks
        record.words[SERIES_BAR.low_ticks] = series.low_ticks
        record.words[SERIES_BAR.close_ticks] = series.close_ticks
        record.words[SERIES_BAR.volume_lots] = series.volume_lots
        record.words[SERIES_BAR.ts_open_ns] = series.begin_ns
        record.words[SERIES_BAR.end_ns] = series.end_ns
        record.words[SERIES_BAR.series] = number
        record.words[SERIES_BAR.input_count] = series.input_count
        record.words[SERIES_BAR.bar_flags] = flags_nb(series)
    record.account = -1
    return apply_nb(state, record)


@unit(STATE, ROW)
def overtaken_ns_nb(state, row):
    """The end of the latest bar that a row's input is already beyond though it still waits for others; 0 for none.

    Only asked for when some series waits (``head.bars_wait``).
    """
    at = state.instruments[row.instrument].first_series
    latest_ns = 0
    begin_ns = row.words[BAR_CLOSED.ts_open_ns] if row.kind == BAR else row.ts_ns
    while at > 0:
        series = state.series[at - 1]
        of_row = (
            (series.source == FROM_BARS and row.kind == BAR)
            or (series.source == FROM_TRADES and row.kind == TRADE)
            or (series.source == FROM_QUOTES and row.kind == QUOTE)
        )
        if of_row and series.kind == TIME and series.input_count > 0 and begin_ns >= series.end_ns:
            latest_ns = max(latest_ns, series.end_ns)
        at = series.next_series
    return latest_ns


@unit(STATE, OUTPUT, np.int64, np.int64)
def bars_due_nb(state, output, instrument, end_ns):
    """Say that time has come for bars, and book it; the time is that of the output. Returns a status."""
    record = begin_nb(state, output, BAR_DUE.kind, instrument, -1)
    record.words[BAR_DUE.end_ns] = end_ns
    record.account = -1
    output.cause = record.sequence
    return apply_nb(state, record)
