"""Bars that the kernel makes, and the series that they belong to."""

from kernel.events.declaring import Event, declare


@declare(160, "define.series", external=True)
class SeriesDefined(Event, frozen=True):
    """Bars of an instrument are made by a rule from here on. The body is the rule as text.

    Kind: 1 time, 2 ticks, 3 volume, 4 value, 5 tick imbalance, 6 volume imbalance, 7 Renko, 8 Heikin-Ashi. The size is
    in nanoseconds, inputs, lots, minor units or ticks; 0 nanoseconds are a whole session. Span, least and most are of
    imbalance bars.
    """

    series: int
    rule_kind: int
    size_units: int
    session: int
    span: int
    least: int
    most: int


@declare(161, "define.series_source", external=True)
class SeriesSourceDefined(Event, frozen=True):
    """What a series is made of: 1 bars, 2 trades, 3 quotes, 4 the bars of another series, its parent (else -1).

    Bars no longer than the skip span are not for it. A time bar waits so long after its end for its last input.
    """

    series: int
    source: int
    parent: int
    from_bars: int
    source_span_ns: int
    skip_span_ns: int
    wait_ns: int


@declare(162, "bar.due", external=True)
class BarDue(Event, frozen=True):
    """Time has come for bars to end without an input that ends them.

    With an end, the bars of the instrument that end then or before are due: an input of a later one is at hand.
    """

    end_ns: int


@declare(163, "bar.closed")
class SeriesBarClosed(Event, frozen=True):
    """A bar of a series is complete, and never changes.

    It spans [ts_open_ns, end_ns). Flags are bits: 1 shorter than its rule says, 2 its inputs do not cover it, 4 cut by
    a split.
    """

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    ts_open_ns: int
    end_ns: int
    series: int
    input_count: int
    bar_flags: int


@declare(164, "bar.dropped")
class BarInputDropped(Event, frozen=True):
    """An input is in no bar of a series. Reason: 1 its bar has closed already, 2 it reaches beyond the end of one."""

    series: int
    reason: int
    ts_open_ns: int
    end_ns: int
