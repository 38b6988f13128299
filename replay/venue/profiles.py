"""The fill profiles and models of the simulated venue, by name."""

PESSIMISTIC, NEXT_OPEN, OHLC, OHLC_ADAPTIVE, INTRABAR, BOOK = range(1, 7)
PROFILES = {
    "pessimistic": PESSIMISTIC,
    "next_open": NEXT_OPEN,
    "ohlc": OHLC,
    "ohlc_adaptive": OHLC_ADAPTIVE,
    "intrabar": INTRABAR,
    "book": BOOK,
}
UNLIMITED = 1 << 62  # lots, where nothing bounds what a row fills
LATENCY_NONE, LATENCY_FIXED, LATENCY_QUANTILES, LATENCY_RECORDED = range(4)
REQUEST_DRAW, REPORT_DRAW, REJECT_DRAW = range(1, 4)  # what chance is asked for
TRADING, HALT, MAINTENANCE, AUCTION = range(4)  # statuses of an instrument, as in its status rows
NEW, CANCEL, REPLACE = range(1, 4)  # requests to the venue; 0 is one that was taken back on its way
BY_TRADES, BY_QUOTES, BY_DEPTH = range(1, 4)  # what the book of the profile `book` is made from
