"""Volume: running totals, money flow, volume-weighted prices."""

from math import sqrt

from kernel.indicators.averages_nb import NAN, TALIB, ema_of_nb
from kernel.indicators.bands_nb import BARS
from kernel.indicators.declare import Parameter, factor, indicator, period
from kernel.indicators.windows_nb import sum_nb, sum_two_nb
from kernel.jit import inlined

BARS_VOLUME = "high low close volume"
DAY_NS = 86_400_000_000_000


@inlined
def flow_nb(high, low, close, volume):
    """Volume times where the close is in the bar, -1 to 1; 0 without range."""
    width = high - low
    return ((close - low) - (high - close)) / width * volume if width > 0.0 else 0.0


@indicator(
    "obv", "On-balance volume: volume added on a rise and taken off on a fall, from the first volume on.",
    source=f"{TALIB} OBV", inputs="close volume", state="last total",
)  # fmt: skip
def obv(count, last, total, memory, at, close, volume):
    if count == 0 or close > last:
        total += volume
    elif close < last:
        total -= volume
    return close, total, total


@indicator(
    "ad", "Accumulation/distribution line: running total of the money flow volume.", source=f"{TALIB} AD",
    inputs=BARS_VOLUME, state="total",
)  # fmt: skip
def ad(count, total, memory, at, high, low, close, volume):
    total += flow_nb(high, low, close, volume)
    return total, total


@indicator(
    "adosc", "Chaikin oscillator: fast less slow exponential average of the accumulation/distribution line.",
    source=f"{TALIB} ADOSC", inputs=BARS_VOLUME, parameters=(period(3, 2, "fast"), period(10, 2, "slow")),
    state="total fast_average slow_average", lookback=lambda fast, slow: max(fast, slow) - 1,
)  # fmt: skip
def adosc(count, total, fast_average, slow_average, memory, at, high, low, close, volume, fast, slow):
    total += flow_nb(high, low, close, volume)
    fast_average = ema_of_nb(count, fast_average, total, fast, 1)
    slow_average = ema_of_nb(count, slow_average, total, slow, 1)
    return total, fast_average, slow_average, fast_average - slow_average if count >= max(fast, slow) - 1 else NAN


@indicator(
    "cmf", "Chaikin money flow: money flow volume to volume; 0 without volume.", source="M. Chaikin; TA-Lib CMF",
    inputs=BARS_VOLUME, parameters=(period(20),), state="position:int flow head",
    window=lambda period: 2 * period, lookback=lambda period: period - 1,
)  # fmt: skip
def cmf(count, position, flow, head, memory, at, high, low, close, volume, period):
    moved = flow_nb(high, low, close, volume)
    position, flow, head, flows, total = sum_two_nb(position, flow, head, memory, at, moved, volume, period)
    ratio = flows / total if total > 0.0 else 0.0
    return position, flow, head, ratio if count >= period - 1 else NAN


@indicator(
    "efi", "Elder's force index: exponential average of change times volume.",
    source="A. Elder, Trading for a Living (1993); TA-Lib EFI", inputs="close volume", parameters=(period(13),),
    state="last average", lookback=lambda period: period,
)  # fmt: skip
def efi(count, last, average, memory, at, close, volume, period):
    average = ema_of_nb(count - 1, average, (close - last) * volume, period, 0)
    return close, average, average if count >= period else NAN


@indicator(
    "marketfi", "Market facilitation index: range to volume; 0 without volume.", source="B. Williams; TA-Lib MARKETFI",
    inputs="high low volume",
)  # fmt: skip
def marketfi(count, memory, at, high, low, volume):
    return (high - low) / volume if volume > 0.0 else 0.0


@inlined
def relative_nb(value, last):
    """Change as a fraction of the last value; 0 if that was 0."""
    return (value - last) / last if last != 0.0 else 0.0


@indicator(
    "nvi", "Negative volume index: from 1000, moves with the close when volume falls.",
    source="P. Dysart (1936); TA-Lib NVI", inputs="close volume", state="last last_volume index",
)  # fmt: skip
def nvi(count, last, last_volume, index, memory, at, close, volume):
    if count == 0:
        index = 1000.0
    elif volume < last_volume:
        index += index * relative_nb(close, last)
    return close, volume, index, index


@indicator(
    "pvi", "Positive volume index: from 1000, moves with the close when volume rises.",
    source="P. Dysart (1936); TA-Lib PVI", inputs="close volume", state="last last_volume index",
)  # fmt: skip
def pvi(count, last, last_volume, index, memory, at, close, volume):
    if count == 0:
        index = 1000.0
    elif volume > last_volume:
        index += index * relative_nb(close, last)
    return close, volume, index, index


@indicator(
    "pvt", "Price volume trend: running total of relative change times volume.", source="TA-Lib PVT",
    inputs="close volume", state="last total",
)  # fmt: skip
def pvt(count, last, total, memory, at, close, volume):
    if count > 0:
        total += relative_nb(close, last) * volume
    return close, total, total


@indicator(
    "rvol", "Relative volume: volume to the simple average of the bars before; 0 if that is 0.", source="TA-Lib RVOL",
    inputs="volume", parameters=(period(20),), state="position:int head total", window=lambda period: period,
    lookback=lambda period: period,
)  # fmt: skip
def rvol(count, position, head, total, memory, at, volume, period):
    ratio = volume / (total / period) if total > 0.0 else 0.0
    position, head, total = sum_nb(position, head, memory, at, volume, period)
    return position, head, total, ratio if count >= period else NAN


@indicator(
    "vwap", "Volume-weighted average of the typical price since the first bar; the typical price before any volume.",
    source="TA-Lib VWAP; Stock.Indicators", inputs=BARS_VOLUME, state="money total",
)  # fmt: skip
def vwap(count, money, total, memory, at, high, low, close, volume):
    price = (high + low + close) / 3.0
    money += price * volume
    total += volume
    return money, total, money / total if total > 0.0 else price


@inlined
def session_of_nb(timestamp, shift_minutes):
    """The number of the day of a time in nanoseconds since 1970; days begin ``shift_minutes`` after midnight UTC."""
    return (timestamp - shift_minutes * 60_000_000_000) // DAY_NS


@indicator(
    "vwap_session", "VWAP since the day began, with bands of volume-weighted standard deviations.",
    source="definition; days begin shift_minutes after midnight UTC", inputs="timestamp high low close volume",
    parameters=(Parameter("shift_minutes", 0, -1440, 1440), factor("deviations", 1.0)), outputs="vwap upper lower",
    state="day:int money total first squares",
)  # fmt: skip
def vwap_session(
    count, day, money, total, first, squares, memory, at, timestamp, high, low, close, volume, shift_minutes, deviations
):
    price = (high + low + close) / 3.0
    today = session_of_nb(timestamp, shift_minutes)
    if count == 0 or today != day:
        money = 0.0
        total = 0.0
        squares = 0.0
        first = price
    # Prices count less the first of the day, so that a small spread keeps its digits.
    less = price - first
    money += less * volume
    squares += less * less * volume
    total += volume
    average = price
    reach = 0.0
    if total > 0.0:
        mean = money / total
        average = first + mean
        spread = squares / total - mean * mean
        reach = deviations * sqrt(spread) if spread > 0.0 else 0.0
    return today, money, total, first, squares, average, average + reach, average - reach


@indicator(
    "vwap_anchored", "VWAP since the first bar at or after a time (anchor_seconds since 1970); NaN before it.",
    source="definition", inputs="timestamp high low close volume", parameters=(
        factor("anchor_seconds", 0.0, 0.0, 9e9),
    ), state="money total",
)  # fmt: skip
def vwap_anchored(count, money, total, memory, at, timestamp, high, low, close, volume, anchor_seconds):
    if timestamp // 1_000_000_000 < anchor_seconds:
        return money, total, NAN
    price = (high + low + close) / 3.0
    money += price * volume
    total += volume
    return money, total, money / total if total > 0.0 else price


@indicator(
    "order_flow_imbalance", "Order flow imbalance of the best quotes: sum of what was added to bids less to asks.",
    source="R. Cont, A. Kukanov and S. Stoikov, The Price Impact of Order Book Events (2014)",
    inputs="bid bid_size ask ask_size", parameters=(period(20),),
    state="last_bid last_bid_size last_ask last_ask_size position:int head", window=lambda period: period,
    lookback=lambda period: period,
)  # fmt: skip
def order_flow_imbalance(
    count, last_bid, last_bid_size, last_ask, last_ask_size, position, head, memory, at, bid, bid_size, ask, ask_size,
    period,
):  # fmt: skip
    change = 0.0
    if count > 0:
        change += bid_size if bid >= last_bid else 0.0
        change -= last_bid_size if bid <= last_bid else 0.0
        change -= ask_size if ask <= last_ask else 0.0
        change += last_ask_size if ask >= last_ask else 0.0
    position, head, total = sum_nb(position, head, memory, at, change, period)
    return bid, bid_size, ask, ask_size, position, head, total if count >= period else NAN


@indicator(
    "volume_imbalance", "Bought less sold volume to both, over the period; the side of a bar is that of its close.",
    source="tick rule on bars; 0 without volume", inputs="close volume", parameters=(period(20),),
    state="last side signed_position:int signed position:int head", window=lambda period: 2 * period,
    lookback=lambda period: period,
)  # fmt: skip
def volume_imbalance(count, last, side, signed_position, signed, position, head, memory, at, close, volume, period):
    if count > 0 and close != last:
        side = 1.0 if close > last else -1.0
    signed_position, signed, net = sum_nb(signed_position, signed, memory, at, side * volume, period)
    position, head, total = sum_nb(position, head, memory, at + period, volume, period)
    ratio = net / total if total > 0.0 else 0.0
    return close, side, signed_position, signed, position, head, ratio if count >= period else NAN


@indicator(
    "pvo", "Percentage volume oscillator: fast to slow exponential average of volume less 1, in percent.",
    source="TA-Lib PVO", inputs="volume", parameters=(period(12, 2, "fast"), period(26, 2, "slow")),
    state="fast_average slow_average", lookback=lambda fast, slow: max(fast, slow) - 1,
)  # fmt: skip
def pvo(count, fast_average, slow_average, memory, at, volume, fast, slow):
    begin = max(fast, slow)
    fast_average = ema_of_nb(count, fast_average, volume, fast, 0)
    slow_average = ema_of_nb(count, slow_average, volume, slow, 0)
    percent = 100.0 * (fast_average - slow_average) / slow_average if slow_average != 0.0 else 0.0
    return fast_average, slow_average, percent if count >= begin - 1 else NAN


@indicator(
    "wad", "Williams' accumulation/distribution: on a rise the close less the true low, on a fall less the true high.",
    source="L. Williams; TA-Lib WAD", inputs=BARS, state="last total",
)  # fmt: skip
def wad(count, last, total, memory, at, high, low, close):
    if count > 0:
        if close > last:
            total += close - min(low, last)
        elif close < last:
            total += close - max(high, last)
    return close, total, total
