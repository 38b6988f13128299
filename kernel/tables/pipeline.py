"""The signal pipeline in the state."""

from kernel.tables.table import MAX_POSITIONS, MAX_STRATEGIES, table_dtype

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
