"""The signal pipeline: shadow accounts."""

from kernel.events.declaring import Event, declare


@declare(180, "shadow.fill")
class ShadowFilled(Event, frozen=True):
    """A book of a shadow account traded on paper, at once and without an order: what an order would have asked for.

    The first fields are those of a fill; the order id is the event's own sequence. The purpose says who wanted it, as
    that of an order does.
    """

    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int
    liquidity: int
    trade_id: int
    purpose: int
    leg: int


@declare(181, "define.shadow", external=True)
class ShadowTermsSet(Event, frozen=True):
    """What a fill in a shadow account costs: a fee, as a rate of its money, and slippage, as a rate of the price."""

    fee_rate: int
    slippage_rate: int


@declare(182, "model.signal", market=True, external=True)
class ModelSignalSeen(Event, frozen=True):
    """What a model outside the kernel thinks of an instrument, recorded: direction 1 long, -1 short, 0 flat.

    The returns are a low and a high quantile of what it expects, as rates; both 0 where it names none. A horizon of 0
    never ends.
    """

    direction: int
    strength_rate: int
    confidence_rate: int
    horizon_ns: int
    low_return_rate: int
    high_return_rate: int


@declare(183, "signal.vote")
class SignalVoted(Event, frozen=True):
    """The vote of a member of an ensemble (the strategy of the header) has changed.

    Reason 0: it has no opinion; 1: it counts; 2: its horizon is over; 3: the quantile of its expected return does not
    clear the threshold. But for 1 the vote is flat.
    """

    member: int
    direction: int
    confidence_rate: int
    weight_rate: int
    reason: int


@declare(184, "signal.combined")
class SignalCombined(Event, frozen=True):
    """The verdict of an ensemble after a change of votes: the direction of the score, which is their weighted mean.

    Reason 0: it becomes a signal; 1: no direction; 2: a veto (vetoed_by is the member, else -1); 3: too few agree; 4:
    the confidence is below the minimum. With 1 to 4 the ensemble is flat. The confidence is the size of the score,
    calibrated and scaled by the regime.
    """

    direction: int
    score_rate: int
    confidence_rate: int
    agreeing: int
    opposing: int
    abstaining: int
    vetoed_by: int
    reason: int


@declare(185, "define.ensemble", external=True)
class EnsembleSet(Event, frozen=True):
    """A strategy combines the votes of others. Rule 0: by the score alone; 1: a majority agrees; 2: all; 3: at least N.

    The quantile of a vote's expected return must clear the threshold (0: any).
    """

    rule: int
    at_least: int
    minimum_confidence_rate: int
    quantile_rate: int


@declare(186, "define.member", external=True)
class EnsembleMemberSet(Event, frozen=True):
    """A strategy votes in an ensemble (the strategy of the header), with this weight. With veto 1 it must agree."""

    member: int
    weight_rate: int
    veto: int


@declare(187, "regime.changed")
class RegimeChanged(Event, frozen=True):
    """The regime of an instrument is another one, as a classifier (the strategy of the header) sees it.

    Trend 1 bull, -1 bear, 0 sideways; volatility 1 low, 2 normal, 3 high; character 1 trending, 2 ranging, 3 mixed.
    With what it saw, rounded to 1/100,000,000: the averages in ticks, ADX, choppiness, and the rank of the volatility
    in percent.
    """

    trend: int
    volatility: int
    character: int
    fast_e8: int
    slow_e8: int
    adx_e8: int
    choppiness_e8: int
    rank_e8: int


@declare(188, "define.regime_scale", external=True)
class RegimeScaleSet(Event, frozen=True):
    """What confidences are multiplied by in one class of one dimension: 0 trend, 1 volatility, 2 character."""

    dimension: int
    regime: int
    long_rate: int
    short_rate: int


@declare(189, "define.calibration", external=True)
class CalibrationSet(Event, frozen=True):
    """How the confidences of a strategy are calibrated: method 1 Platt, 2 isotonic; 0 not at all, which clears it.

    Platt: 1 / (1 + exp(slope * confidence + intercept)), in 1/100,000,000.
    """

    method: int
    slope_e8: int
    intercept_e8: int


@declare(190, "define.calibration_point", external=True)
class CalibrationPointSet(Event, frozen=True):
    """The next point of an isotonic calibration: a confidence, above the one before, and what it becomes."""

    confidence_rate: int
    calibrated_rate: int


@declare(191, "define.filters", external=True)
class SignalFiltersSet(Event, frozen=True):
    """Which signals of a strategy are dropped; 0 switches a filter off. With pass_unknown 1 the unknown passes."""

    minimum_confidence_rate: int
    close_before_ns: int
    daily_volume: int
    spread_rate: int
    earnings_ns: int
    news_ns: int
    pass_unknown: int


@declare(192, "signal.dropped")
class SignalDropped(Event, frozen=True):
    """A signal did not pass a filter: what it said, the filter's number, its limit, and what it saw (-1: nothing).

    Filter 1: confidence; 2: market hours; 3: average daily volume; 4: spread; 5: earnings; 6: news; 7: the arm of an
    experiment. A signal on one side that stands before one that is dropped for the other ends; so does any when the
    confidence is too small.
    """

    direction: int
    confidence_rate: int
    filter: int
    limit: int
    value: int


@declare(193, "define.experiment", external=True)
class ExperimentSet(Event, frozen=True):
    """Two engines side by side: a share of inputs, drawn by hash with the seed, is routed to arm B.

    An input is what happens to an instrument in a unit of time: 0 a UTC day, 1 a session of its exchange.
    """

    share_rate: int
    seed: int
    unit: int


@declare(194, "define.arm", external=True)
class ArmSet(Event, frozen=True):
    """A strategy belongs to an arm of the experiment: 1 A, 2 B. All books of one of arm B lie in shadow accounts."""

    arm: int


@declare(195, "define.route_key", external=True)
class RouteKeySet(Event, frozen=True):
    """The number by which an instrument is hashed: the first four bytes of the SHA-256 of its name, big-endian."""

    key: int


@declare(196, "experiment.routed")
class InputRouted(Event, frozen=True):
    """An instrument was routed for a unit of time (the day, or the opening of the session in ns): 1 A alone, 2 B too.

    It goes to B when draw / 2^32 is below the share.
    """

    unit: int
    arm: int
    draw: int
