"""From signals to orders, and exits; and the plans that they follow."""

from kernel.events.declaring import Event, declare


@declare(140, "strategy.signal")
class SignalEmitted(Event, frozen=True):
    """A strategy's opinion of an instrument: direction 1 long, -1 short, 0 flat.

    Stop and target are prices, 0 where none is named; a horizon of 0 never ends. The measure is the ATR in ticks or the
    volatility, in 1/100,000,000; -1 where it is not known. The returns are a low and a high quantile of what is
    expected, as rates; both 0 where none is named. The raw confidence is what the strategy named, where calibration or
    the regime made another one of it; else 0.
    """

    direction: int
    strength_rate: int
    confidence_rate: int
    horizon_ns: int
    stop_ticks: int
    target_ticks: int
    measure_e8: int
    low_return_rate: int = 0
    high_return_rate: int = 0
    raw_confidence_rate: int = 0


@declare(141, "portfolio.target")
class PortfolioTarget(Event, frozen=True):
    """What a book is to hold from now on, and what decided it: model, equity, price, measure, confidence and weight.

    The model is 0 where the portfolio plan decides, by the weight.
    """

    model: int
    equity_minor: int
    price_ticks: int
    measure_e8: int
    confidence_rate: int
    weight_rate: int
    target_lots: int


@declare(142, "exit.triggered")
class ExitTriggered(Event, frozen=True):
    """An exit rule fired: its tier, which one, the limit, what it saw, and how many lots it closes."""

    tier: int
    reason: int
    limit: int
    value: int
    quantity_lots: int
    rungs_taken: int


@declare(143, "portfolio.cross")
class OrderCrossed(Event, frozen=True):
    """An order traded with one of another strategy of the same account, before it left; at the last price, no fee.

    The fields are those of a fill. Those of one trade id buy as many lots as they sell.
    """

    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int
    liquidity: int
    trade_id: int


@declare(144, "portfolio.weight", market=True, external=True)
class WeightSet(Event, frozen=True):
    """The weight of an instrument in a portfolio from now on, computed outside the kernel: a share of equity."""

    weight_rate: int


@declare(145, "define.sizing", external=True)
class SizingPlanSet(Event, frozen=True):
    """How the positions of a strategy are sized from here on."""

    model: int
    quantity_lots: int
    money_minor: int
    share_rate: int
    multiple_rate: int
    win_rate: int
    payoff_rate: int
    fraction_rate: int
    cap_rate: int
    by_confidence: int


@declare(146, "define.exits", external=True)
class ExitPlanSet(Event, frozen=True):
    """When the positions of a strategy are given up, from here on; 0 switches a rule off."""

    stop_rate: int
    trail_rate: int
    trail_ticks: int
    time_stop_ns: int
    time_stop_gain_rate: int
    max_hold_ns: int
    target_rate: int
    strength_floor_rate: int
    volatility_multiple_rate: int
    greek_limit_e8: int


@declare(147, "define.exit_rung", external=True)
class ExitRungSet(Event, frozen=True):
    """One rung of the ladder of partial targets of a strategy, from 0 on."""

    rung: int
    gain_rate: int
    share_rate: int


@declare(148, "define.portfolio", external=True)
class PortfolioPlanSet(Event, frozen=True):
    """How a strategy divides its share of equity over its signals: method 0 not at all, 1 equally, 2 by confidence,
    3 by recorded weights. With net 1 its orders are crossed with those of other strategies before they leave.
    """

    method: int
    share_rate: int
    net: int
