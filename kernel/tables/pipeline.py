"""The signal pipeline in the state."""

from kernel.tables.table import MAX_INSTRUMENTS, MAX_POSITIONS, MAX_STRATEGIES, table_dtype

SHADOW = table_dtype("fee_rate", "slippage_rate")
ENSEMBLE = table_dtype(
    "active",
    "rule",
    "at_least",
    "minimum_confidence_rate",
    "quantile_rate",
    "member_of",  # the ensemble in which the strategy itself votes, plus 1; 0: none
)
MEMBER = table_dtype("active", "weight_rate", "veto")  # ensemble * MAX_STRATEGIES + member
VOTE = table_dtype("direction", "confidence_rate", "reason")  # by book: the last that was recorded
PIPELINE_TABLES = {
    "shadow": SHADOW,
    "ensembles": (ENSEMBLE, MAX_STRATEGIES),
    "members": (MEMBER, MAX_STRATEGIES * MAX_STRATEGIES),
    "votes": (VOTE, MAX_POSITIONS),
}
REGIME_CLASSES = 5  # of a dimension, from -1 on
REGIME_DIMENSIONS = 3
MAX_POINTS = 64  # of an isotonic calibration
REGIME = table_dtype("trend", "volatility", "character")  # by instrument; a volatility of 0: not known yet
REGIME_SCALE = table_dtype("active", "long_rate", "short_rate")
CALIBRATION = table_dtype("method", "slope_e8", "intercept_e8", "point_count")
CALIBRATION_POINT = table_dtype("confidence_rate", "calibrated_rate")
FILTERS = table_dtype(
    "active",
    "minimum_confidence_rate",
    "close_before_ns",
    "daily_volume",
    "spread_rate",
    "earnings_ns",
    "news_ns",
    "pass_unknown",
)
PIPELINE_TABLES |= {
    "regimes": (REGIME, MAX_INSTRUMENTS),
    "regime_scales": (REGIME_SCALE, REGIME_DIMENSIONS * REGIME_CLASSES),
    "calibrations": (CALIBRATION, MAX_STRATEGIES),
    "calibration_points": (CALIBRATION_POINT, MAX_STRATEGIES * MAX_POINTS),
    "filters": (FILTERS, MAX_STRATEGIES),
}
EXPERIMENT = table_dtype("active", "share_rate", "seed", "unit")
ARM = table_dtype("arm")  # by strategy
ROUTE = table_dtype("key", "routed", "unit", "arm")  # by instrument; routed 0: never yet
PIPELINE_TABLES |= {
    "experiment": EXPERIMENT,
    "arms": (ARM, MAX_STRATEGIES),
    "routes": (ROUTE, MAX_INSTRUMENTS),
}
