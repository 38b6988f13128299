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
    the confidence is below the minimum. With 1 to 4 the ensemble is flat. The confidence is the size of the score.
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
