"""Market data as the kernel sees it: rows of integers.

Owns the canonical row that every source (Parquet, venue, journal) is turned into before it reaches the engine,
and the numbers of the kinds of market events. Knows no file format and no venue.

A row is 64 bytes. Its words mean, by kind:

======  ========  =========  ======  ==========  ==========  ============
kind    word 0    word 1     word 2  word 3      word 4      word 5
======  ========  =========  ======  ==========  ==========  ============
BAR     open      high       low     close       volume      ts_open_ns
TRADE   price     quantity   side    0           0           0
QUOTE   bid       bid_size   ask     ask_size    0           0
DEPTH   side      price      size    flags       0           0
SESSION phase     open_ns    close   next_open   0           0
FUNDING rate      mark       period  0           0           0
STATUS  status    0          0       0           0           0
ACTION  action    numerator  denom.  0           0           0
RATE    from      to         numer.  denom.      0           0
LEVEL   level     value      0       0           0           0
WEIGHT  weight    0          0       0           0           0
MODEL   direction strength   confid. horizon_ns  low return  high return
======  ========  =========  ======  ==========  ==========  ============

Prices are ticks, sizes are lots, ``side`` is +1 (buyer aggressed), -1 (seller) or 0 (unknown). ``ts_ns`` is the
instant at which the row is *known*, in nanoseconds since the Unix epoch, UTC: a bar is known at its close. A quote
whose side is absent carries ``NO_PRICE`` there; a size that the source does not give is ``UNKNOWN_SIZE``.

A depth row sets the size of one level (0 deletes it); its side is +1 for a bid and -1 for an ask. A message of the
venue may be several rows: ``SNAPSHOT`` marks the first row of one that replaces the whole order book, and
``MESSAGE_END`` the last row of each.
"""

from kernel.records import record_dtype

BAR = 1
TRADE = 2
QUOTE = 3
# Facts about an instrument or the world, in the same stream: a level of the order book, a session of the exchange, a
# funding rate, the trading status, a corporate action, a conversion rate, a level such as a volatility index, a weight
# in a portfolio (a rate), a signal of a model outside.
DEPTH, SESSION, FUNDING, STATUS, ACTION, RATE, LEVEL, WEIGHT, MODEL = range(4, 13)
# What is in a stream of rows and is no market data: another recorded input (word 0 is its place among those given with
# the rows), and the time alone, which is no event: what is due by then happens.
INPUT, CLOCK = 100, 101
KIND_NAMES = {
    BAR: "bars",
    TRADE: "trades",
    QUOTE: "quotes",
    DEPTH: "depth",
    SESSION: "sessions",
    LEVEL: "levels",
    WEIGHT: "weights",
    MODEL: "signals",
}
ROW_WORD_NAMES = {
    BAR: ("open", "high", "low", "close", "volume"),
    TRADE: ("price", "quantity"),
    QUOTE: ("bid", "bid_size", "ask", "ask_size"),
    DEPTH: ("side", "price", "quantity", "flags"),
    SESSION: ("phase", "open_ns", "close_ns", "next_open_ns"),
    LEVEL: ("level", "value"),
    WEIGHT: ("weight_rate",),
    MODEL: ("direction", "strength_rate", "confidence_rate", "horizon_ns", "low_return_rate", "high_return_rate"),
}

DIVIDEND, SPLIT = 1, 2  # what an ACTION is
# What a LEVEL is, its value as it stands in a source, and for what it holds. In a row rates are in 1/100,000,000, and
# times in nanoseconds since the epoch.
VOLATILITY_INDEX_LEVEL, DAILY_VOLUME_LEVEL, EARNINGS_LEVEL, GREEK_LEVEL, NEWS_LEVEL = range(1, 6)
OPEN_INTEREST_LEVEL = 6
LEVEL_NAMES = {
    VOLATILITY_INDEX_LEVEL: "vix",
    DAILY_VOLUME_LEVEL: "average_daily_volume",
    EARNINGS_LEVEL: "earnings",
    GREEK_LEVEL: "greek",
    NEWS_LEVEL: "news",
    OPEN_INTEREST_LEVEL: "open_interest",
}
LEVEL_TEXTS = {
    VOLATILITY_INDEX_LEVEL: ("index of volatility", "all instruments"),
    DAILY_VOLUME_LEVEL: ("units a day on average, rounded down", "the instrument"),
    EARNINGS_LEVEL: ("time or date of the next earnings", "the instrument"),
    GREEK_LEVEL: ("measure of one lot of an option, such as its delta; below zero too", "the instrument"),
    NEWS_LEVEL: ("time of the next news that is scheduled", "the instrument"),
    OPEN_INTEREST_LEVEL: ("lots that are open at the venue, rounded down", "the instrument"),
}

NO_PRICE = -(1 << 62)
UNKNOWN_SIZE = -1
SNAPSHOT, MESSAGE_END = 1, 2  # bits of the flags of a depth row

ROW_WORDS = 6
ROW = record_dtype(ts_ns="<i8", kind="<i4", instrument="<i4", words=("<i8", ROW_WORDS))
assert ROW.itemsize == 64
