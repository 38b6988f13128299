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
TREND, VOLATILITY, CHARACTER = range(3)  # dimensions of a regime
BULL, BEAR, SIDEWAYS = 1, -1, 0
LOW, NORMAL, HIGH = range(1, 4)
TRENDING, RANGING, MIXED = range(1, 4)
REGIMES: dict[int, dict[int, str]] = {
    TREND: {BULL: "bull", BEAR: "bear", SIDEWAYS: "sideways"},
    VOLATILITY: {LOW: "low", NORMAL: "normal", HIGH: "high"},
    CHARACTER: {TRENDING: "trending", RANGING: "ranging", MIXED: "mixed"},
}
DIMENSIONS = {TREND: "trend", VOLATILITY: "volatility", CHARACTER: "character"}
ARM_A, ARM_B = 1, 2
ARMS = {ARM_A: "A", ARM_B: "B"}
BY_DAY, BY_SESSION = range(2)
UNITS = {BY_DAY: "day", BY_SESSION: "session"}
UNCALIBRATED, PLATT, ISOTONIC = range(3)
METHODS = {PLATT: "platt", ISOTONIC: "isotonic"}
MINIMUM, HOURS, LIQUIDITY, SPREAD, EARNINGS, NEWS, ARM = range(1, 8)
FILTERS = {
    MINIMUM: "confidence",
    HOURS: "market hours",
    LIQUIDITY: "average daily volume",
    SPREAD: "spread",
    EARNINGS: "earnings",
    NEWS: "news",
    ARM: "arm of the experiment",
}
