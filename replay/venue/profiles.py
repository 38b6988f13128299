"""The fill profiles of the simulated venue, by name."""

PESSIMISTIC, NEXT_OPEN, OHLC, OHLC_ADAPTIVE = 1, 2, 3, 4
PROFILES = {
    "pessimistic": PESSIMISTIC,
    "next_open": NEXT_OPEN,
    "ohlc": OHLC,
    "ohlc_adaptive": OHLC_ADAPTIVE,
}
UNLIMITED = 1 << 62  # lots, where nothing bounds what a row fills
