"""An ensemble: the signal that the votes of other strategies come to."""

from kernel.strategy.declare import compiled
from kernel.strategy.pipeline_api_nb import combine


@compiled(on=("bar", "trade", "quote", "model"))
def ensemble(ctx, own):
    """Combine the votes of the strategies that ``[strategy.ensemble]`` names, which stand before it in the file.

    Source: docs/signals.md; weighted voting as in L. Kuncheva, Combining Pattern Classifiers (2004), chapter 4.
    """
    combine(ctx)
