"""Historical returns: what rose is expected to rise on."""

from math import isnan

from kernel.indicators import lookback, words
from kernel.indicators.steps import rocp_nb
from kernel.strategy.api_nb import close_ticks, signal
from kernel.strategy.declare import compiled


@compiled(
    memory=lambda period, **_: words("rocp", period=period),
    warm_up=lambda period, **_: lookback("rocp", period=period),
    period=21, short=0,
)  # fmt: skip
def historical_returns(ctx, own, period, short):
    """Signal the direction of the return over ``period`` bars, as strong as it is large; a return of 0 is flat.

    It says what it thinks and nothing more: the run's sizing, portfolio and exits make orders of it. Without
    short=1 a fall is flat. Source: the HistoricalReturnsAlphaModel of QuantConnect's LEAN; T. Moskowitz, Y. Ooi, L.
    Pedersen, Time Series Momentum (2012).
    """
    change = rocp_nb(own, 0, close_ticks(ctx), period)
    if isnan(change):
        return
    side = 1 if change > 0.0 else -1 if change < 0.0 and short == 1 else 0
    signal(ctx, side, min(abs(change), 1.0), 1.0, -1.0)
