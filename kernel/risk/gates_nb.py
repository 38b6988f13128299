"""Gates for entries: stops and losses, and the state of the market.

A gate whose measure has not been seen refuses, with the value MISSING, unless the rule ``pass_unknown`` is on.
"""

import numpy as np

from kernel.exact_nb import scale_linked_nb
from kernel.jit import inlined, jit
from kernel.risk import rules
from kernel.risk.count_nb import RANGE_BARS
from kernel.risk.numbers import (
    DAILY_VOLUME,
    EARNINGS,
    EXPECTED_SHORTFALL,
    RANGE_HIGH,
    RANGE_LOW,
    SESSION_HOURS,
    SPREAD,
    VOLATILITY_INDEX,
    WIDTH_HIGH,
    WIDTH_LOW,
)
from kernel.risk.order_checks_nb import over_nb, refuse_nb
from kernel.risk.totals_nb import rule_nb
from kernel.tables.risk import RETURN_DAYS, WINDOW_BARS
from kernel.units import RATE_SCALE

MISSING = -1
CVAR_DAYS = 20
_TICKS_BOUND = 1 << 52  # beyond it a price is not exact as a float


@jit
def unseen_nb(ask, check, limit, passes):
    """The same where something else says whether it passes."""
    return 0 if passes else refuse_nb(ask, check, limit, MISSING)


@jit
def unknown_nb(state, ask, check, limit):
    """The verdict of a gate that does not know its measure."""
    return unseen_nb(ask, check, limit, rule_nb(state, rules.PASS_UNKNOWN) > 0)


@inlined
def stops_nb(state, ask):
    """Stops of entries that are in force: the check that stopped them, when they end, and now."""
    now_ns, risk, symbol = state.head.now_ns, state.risk, state.risk_symbols[ask.instrument]
    if now_ns < risk.stop_until_ns:
        return refuse_nb(ask, risk.stop_check, risk.stop_until_ns, now_ns)
    if now_ns < symbol.stop_until_ns:
        return refuse_nb(ask, symbol.stop_check, symbol.stop_until_ns, now_ns)
    return 0


@inlined
def cvar_nb(state, ask, book):
    account = state.risk_accounts[state.positions[book].account]
    if min(account.return_count, RETURN_DAYS) < CVAR_DAYS:
        return 0
    return over_nb(ask, EXPECTED_SHORTFALL, rule_nb(state, rules.EXPECTED_SHORTFALL), account.cvar_rate)


@inlined
def index_nb(state, ask):
    limit, seen = rule_nb(state, rules.VOLATILITY_INDEX), state.risk.volatility_index_e8
    if limit == 0:
        return 0
    if seen == 0:
        return unknown_nb(state, ask, VOLATILITY_INDEX, limit)
    return over_nb(ask, VOLATILITY_INDEX, limit, seen - 1)


@inlined
def volume_gate_nb(state, ask, limit, passes):
    seen = state.risk_symbols[ask.instrument].daily_volume
    if limit == 0 or seen > limit:
        return 0
    if seen == 0:
        return unseen_nb(ask, DAILY_VOLUME, limit, passes)
    return refuse_nb(ask, DAILY_VOLUME, limit, seen - 1)


@inlined
def spread_nb(state, ask, limit, passes):
    instrument = state.instruments[ask.instrument]
    if limit == 0:
        return 0
    bid, offer = instrument.bid_ticks, instrument.ask_ticks
    if bid <= 0 or offer <= 0:
        return unseen_nb(ask, SPREAD, limit, passes)
    return over_nb(ask, SPREAD, limit, scale_linked_nb(offer - bid, 2 * RATE_SCALE, 1, bid + offer))


@jit
def _near_nb(ask, check, window_ns, now_ns, next_ns, before_ns):
    """Refuse what is nearer than the window to the time that was told last, or to the one before it.

    Passes when none is known: not everything has them.
    """
    if window_ns == 0 or next_ns == 0:
        return 0
    distance = abs(now_ns - next_ns)
    if before_ns != 0:
        distance = min(distance, abs(now_ns - before_ns))
    return refuse_nb(ask, check, window_ns, distance) if distance <= window_ns else 0


@inlined
def earnings_nb(state, ask, window_ns):
    symbol = state.risk_symbols[ask.instrument]
    return _near_nb(ask, EARNINGS, window_ns, state.head.now_ns, symbol.earnings_ns, symbol.earnings_before_ns)


@inlined
def news_nb(state, ask, window_ns):
    """Only a filter of signals asks for it; there is no check of this number."""
    symbol = state.risk_symbols[ask.instrument]
    return _near_nb(ask, EARNINGS, window_ns, state.head.now_ns, symbol.news_ns, symbol.news_before_ns)


@inlined
def session_nb(state, ask, before_close_ns, passes):
    """Within the session, and not in its last part; the value is the time that is left, MISSING when it is closed."""
    symbol, now_ns = state.risk_symbols[ask.instrument], state.head.now_ns
    if before_close_ns == 0:
        return 0
    if symbol.session_close_ns == 0:
        return unseen_nb(ask, SESSION_HOURS, before_close_ns, passes)
    left = symbol.session_close_ns - now_ns
    if now_ns < symbol.session_open_ns or left <= 0:
        return refuse_nb(ask, SESSION_HOURS, before_close_ns, MISSING)
    if left < before_close_ns:
        return refuse_nb(ask, SESSION_HOURS, before_close_ns, left)
    return 0


@inlined
def range_nb(state, ask):
    low, high = rule_nb(state, rules.RANGE_LOW), rule_nb(state, rules.RANGE_HIGH)
    if low == 0 and high == 0:
        return 0
    symbol = state.risk_symbols[ask.instrument]
    if symbol.bar_count < RANGE_BARS:
        return unknown_nb(state, ask, RANGE_LOW if low > 0 else RANGE_HIGH, max(low, high))
    rate = scale_linked_nb(symbol.range_e8, 1, 1, state.instruments[ask.instrument].last_ticks)
    if rate < low:
        return refuse_nb(ask, RANGE_LOW, low, rate)
    return over_nb(ask, RANGE_HIGH, high, rate)


@jit
def width_rate_nb(state, instrument):
    """Width of the Bollinger bands (20 closes, two deviations each way) of their middle; MISSING when unknown.

    Floats in a stated order of additions, multiplications, one division and one square root, all of which IEEE 754
    defines to the last bit; the result is rounded to 1/100,000,000. Source: J. Bollinger, Bollinger on Bollinger Bands
    (2001), with the population deviation.
    """
    first = instrument * WINDOW_BARS
    total = 0
    for at in range(WINDOW_BARS):
        close = state.past_bars[first + at].close_ticks
        if close <= 0 or close >= _TICKS_BOUND:
            return MISSING
        total += close
    mean = np.float64(total) / WINDOW_BARS
    squares = 0.0
    for at in range(WINDOW_BARS):
        distance = np.float64(state.past_bars[first + at].close_ticks) - mean
        squares += distance * distance
    width = 4.0 * np.sqrt(squares / WINDOW_BARS) / mean
    return np.int64(np.rint(width * RATE_SCALE))


@inlined
def width_nb(state, ask):
    low, high = rule_nb(state, rules.WIDTH_LOW), rule_nb(state, rules.WIDTH_HIGH)
    if low == 0 and high == 0:
        return 0
    rate = MISSING
    if state.risk_symbols[ask.instrument].bar_count >= WINDOW_BARS:
        rate = width_rate_nb(state, ask.instrument)
    if rate == MISSING:
        return unknown_nb(state, ask, WIDTH_LOW if low > 0 else WIDTH_HIGH, max(low, high))
    if rate < low:
        return refuse_nb(ask, WIDTH_LOW, low, rate)
    return over_nb(ask, WIDTH_HIGH, high, rate)
