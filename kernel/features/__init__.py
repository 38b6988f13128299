"""Features: indicators of bars that the engine computes once, for whoever asks.

``name.py`` reads and writes names such as ``macd(fast=8).signal@1h``; ``plan.py`` collects what is asked for, each
once; ``generate.py`` makes one compiled function of a set; ``batch.py`` computes the same over whole series.

The values are floats in the engine's memory, not in the state, like a strategy's own memory: nothing that is money
follows from them without an intent in between, and they are a function of the bars, so a run that is decided again
proves them. Prices are in ticks and volumes in lots, as strategies see them.
"""

from kernel.features.name import Feature, FeatureError, parse_feature, split_features

__all__ = ["Feature", "FeatureError", "parse_feature", "split_features"]
