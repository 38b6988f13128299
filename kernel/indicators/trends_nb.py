"""Pictures of several indicators at once: Ichimoku, the squeeze; and features of the calendar."""

from math import sqrt

from kernel.indicators.averages_nb import NAN
from kernel.indicators.bands_nb import BARS, true_range_nb
from kernel.indicators.declare import Parameter, factor, indicator, period
from kernel.indicators.extremes_nb import range_nb
from kernel.indicators.statistics_nb import fitted_nb
from kernel.indicators.volume_nb import DAY_NS, session_of_nb
from kernel.indicators.windows_nb import delay_nb, line_nb, moments_nb, sum_nb


@indicator(
    "ichimoku", "Ichimoku: conversion, base, and the cloud's two edges over this bar, drawn shift bars ago.",
    source="G. Hosoda; the lagging line is the close itself, shifted back", inputs="high low",
    parameters=(period(9, name="conversion"), period(26, name="base"), period(52, name="span"),
                period(26, name="shift")),
    outputs="conversion base leading_a leading_b",
    state="c1:int c2 c3 b1:int b2 b3 s1:int s2 s3 first:int second:int",
    window=lambda conversion, base, span, shift: 2 * (conversion + base + span + shift),
    lookback=lambda conversion, base, span, shift: max(conversion, base, span) - 1 + shift,
)  # fmt: skip
def ichimoku(
    count, c1, c2, c3, b1, b2, b3, s1, s2, s3, first, second, memory, at, high, low, conversion, base, span, shift
):
    c1, c2, c3, upper, lower = range_nb(c1, c2, c3, memory, at, high, low, conversion)
    quick = (upper + lower) / 2.0
    at += 2 * conversion
    b1, b2, b3, upper, lower = range_nb(b1, b2, b3, memory, at, high, low, base)
    steady = (upper + lower) / 2.0
    at += 2 * base
    s1, s2, s3, upper, lower = range_nb(s1, s2, s3, memory, at, high, low, span)
    at += 2 * span
    first, edge = delay_nb(first, memory, at, (quick + steady) / 2.0, shift)
    second, other_edge = delay_nb(second, memory, at + shift, (upper + lower) / 2.0, shift)
    if count < max(conversion, base, span) - 1 + shift:
        quick = NAN
        steady = NAN
        edge = NAN
        other_edge = NAN
    return c1, c2, c3, b1, b2, b3, s1, s2, s3, first, second, quick, steady, edge, other_edge


@indicator(
    "ttm_squeeze", "TTM squeeze: 1 while Bollinger bands are inside the Keltner channel, and momentum by a line fit.",
    source="J. Carter, Mastering the Trade (2005); Keltner of simple averages, as LazyBear's version", inputs=BARS,
    parameters=(period(20, 2), factor("deviations", 2.0), factor("multiple", 1.5)), outputs="squeeze momentum",
    state="last m1:int m2 m3 m4 w1:int w2 r1:int r2 r3 l1:int l2 l3 l4",
    window=lambda period, deviations, multiple: 7 * period,
    lookback=lambda period, deviations, multiple: 2 * period - 2,
)  # fmt: skip
def ttm_squeeze(
    count, last, m1, m2, m3, m4, w1, w2, r1, r2, r3, l1, l2, l3, l4, memory, at, high, low, close, period, deviations,
    multiple,
):  # fmt: skip
    m2 = close if count == 0 else m2
    m1, m2, m3, m4, mean, spread = moments_nb(m1, m2, m3, m4, memory, at, close, period)
    w1, w2, widths = sum_nb(w1, w2, memory, at + 2 * period, true_range_nb(count, last, high, low), period)
    r1, r2, r3, upper, lower = range_nb(r1, r2, r3, memory, at + 3 * period, high, low, period)
    squeeze = NAN
    momentum = NAN
    if count >= period - 1:
        above = close - ((upper + lower) / 2.0 + mean) / 2.0
        l2 = above if count == period - 1 else l2
        l1, l2, l3, l4, total, line, used = line_nb(l1, l2, l3, l4, memory, at + 5 * period, above, period)
        if count >= 2 * period - 2:
            level, slope = fitted_nb(total, line, used, period)
            momentum = level + slope * (period - 1)
            squeeze = 1.0 if deviations * sqrt(spread / period) < multiple * widths / period else 0.0
    return close, m1, m2, m3, m4, w1, w2, r1, r2, r3, l1, l2, l3, l4, squeeze, momentum


@indicator(
    "calendar", "Features of the time in UTC, days beginning shift_minutes after midnight: minute of the day, weekday "
    "(0 Monday), day of the month, month, day of the year, quarter.",
    source="proleptic Gregorian calendar; H. Hinnant, chrono-compatible date algorithms (2013)", inputs="timestamp",
    parameters=(Parameter("shift_minutes", 0, -1440, 1440),),
    outputs="minute weekday day month day_of_year quarter",
)  # fmt: skip
def calendar(count, memory, at, timestamp, shift_minutes):
    number = session_of_nb(timestamp, shift_minutes)
    minute = (timestamp - shift_minutes * 60_000_000_000 - number * DAY_NS) // 60_000_000_000
    # Days of a year that begins in March, so that the day that comes and goes is its last.
    since = number + 719468
    era = since // 146097
    of_era = since - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    leap = 1 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 0
    in_year = of_year - 305 if month <= 2 else of_year + 60 + leap
    return (
        float(minute), float((number + 3) % 7), float(day), float(month), float(in_year), float((month - 1) // 3 + 1)
    )  # fmt: skip


@indicator(
    "session_position", "How far into the day's session the bar is, 0 at its begin and 1 at its end; NaN outside.",
    source="definition; minutes after midnight UTC", inputs="timestamp",
    parameters=(Parameter("begin_minute", 870, 0, 1440), Parameter("end_minute", 1260, 1, 2880)),
)  # fmt: skip
def session_position(count, memory, at, timestamp, begin_minute, end_minute):
    into = timestamp - session_of_nb(timestamp, begin_minute) * DAY_NS - begin_minute * 60_000_000_000
    length = (end_minute - begin_minute) * 60_000_000_000
    return into / length if 0 <= into <= length else NAN
