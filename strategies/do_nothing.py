"""Do nothing: the benchmark of cash, and what a run costs by itself."""

from kernel.strategy.declare import compiled


@compiled()
def do_nothing(ctx, own):
    """Never trade. Source: the riskless asset of W. Sharpe, Capital Asset Prices (1964), without interest."""
