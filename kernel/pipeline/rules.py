"""The numbers of votes and verdicts, with their names."""

NO_OPINION, COUNTS, OVER, QUANTILE = range(4)  # of a vote
VOTE_REASONS = {
    NO_OPINION: "no opinion",
    COUNTS: "counts",
    OVER: "horizon is over",
    QUANTILE: "expected return too small",
}
BY_SCORE, MAJORITY, ALL, AT_LEAST = range(4)
AGREEMENTS = {BY_SCORE: "score", MAJORITY: "majority", ALL: "all", AT_LEAST: "at_least"}
PASSES, NO_DIRECTION, VETO, DISAGREEMENT, CONFIDENCE = range(5)  # of a verdict
VERDICT_REASONS = {
    PASSES: "a signal",
    NO_DIRECTION: "no direction",
    VETO: "vetoed",
    DISAGREEMENT: "too few agree",
    CONFIDENCE: "below the minimum confidence",
}
