"""Ehlers' cycle measurements by the Hilbert transform, as TA-Lib computes them.

All go the same way: smooth the price, split it into an in-phase and a quadrature part, and turn their change of angle
into the period of the dominant cycle. The even and the odd bars have rings of their own. All words are in the window,
for there are too many to pass as variables; their places are named here. Source: J. Ehlers, Rocket Science for Traders
(2001); TA-Lib HT_*. Arc tangents are those of ``elementary_nb``.
"""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.declare import factor, indicator
from kernel.indicators.elementary_nb import atan_nb, cos_nb, sin_nb
from kernel.indicators.windows_nb import unsigned
from kernel.jit import inlined, jit

DEGREES = 57.29577951308232
RADIANS = 0.017453292519943295
TURN = 6.283185307179586
# Four transforms of ten words: two rings of three, last output and last input for even and odd bars.
DETREND = 0
QUADRATURE = 10
AHEAD_IN_PHASE = 20
AHEAD_QUADRATURE = 30
PRICE_1 = 40
PRICE_2 = 41
PRICE_3 = 42
RING = 43
PERIOD = 44
LAST_I2 = 45
LAST_Q2 = 46
REAL = 47
IMAGINARY = 48
# The detrended price two and three bars ago: two words for even bars, two for odd ones.
DELAYED = 49
CYCLE_WORDS = 53
SMOOTH_PERIOD = 53
PHASE = 54
POSITION = 55
TREND_1 = 56
TREND_2 = 57
TREND_3 = 58
SINE = 59
LEAD = 60
IN_TREND = 61
PRICES = 62
SMOOTHED = 112
ALL_WORDS = 162
LONGEST = 50


@inlined
def transform_nb(memory, at, value, odd, ring, scale):
    """One Hilbert transform of one value; its ten words begin at ``at``."""
    place = at + 3 * odd + ring
    scaled = 0.0962 * value
    result = scaled - memory[unsigned(place)] - memory[unsigned(at + 6 + odd)]
    memory[unsigned(place)] = scaled
    memory[unsigned(at + 6 + odd)] = 0.5769 * memory[unsigned(at + 8 + odd)]
    result += memory[unsigned(at + 6 + odd)]
    memory[unsigned(at + 8 + odd)] = value
    return result * scale


@jit
def cycle_step_nb(memory, at, value, count, begin):
    """Advance the cycle by one price; it begins with bar ``begin``. Returns smoothed price, in-phase, quadrature."""
    smooth = (
        4.0 * value
        + 3.0 * memory[unsigned(at + PRICE_1)]
        + 2.0 * memory[unsigned(at + PRICE_2)]
        + memory[unsigned(at + PRICE_3)]
    ) * 0.1
    memory[unsigned(at + PRICE_3)] = memory[unsigned(at + PRICE_2)]
    memory[unsigned(at + PRICE_2)] = memory[unsigned(at + PRICE_1)]
    memory[unsigned(at + PRICE_1)] = value
    if count < begin:
        return smooth, 0.0, 0.0
    period = memory[unsigned(at + PERIOD)]
    scale = 0.075 * period + 0.54
    odd = count % 2
    ring = int(memory[unsigned(at + RING)])
    mine = at + DELAYED + 2 * odd
    other = at + DELAYED + 2 * (1 - odd)
    in_phase = memory[unsigned(mine + 1)]
    detrended = transform_nb(memory, at + DETREND, smooth, odd, ring, scale)
    quadrature = transform_nb(memory, at + QUADRATURE, detrended, odd, ring, scale)
    ahead_i = transform_nb(memory, at + AHEAD_IN_PHASE, in_phase, odd, ring, scale)
    ahead_q = transform_nb(memory, at + AHEAD_QUADRATURE, quadrature, odd, ring, scale)
    if odd == 0:
        memory[unsigned(at + RING)] = ring + 1 if ring < 2 else 0
    memory[unsigned(other + 1)] = memory[unsigned(other)]
    memory[unsigned(other)] = detrended
    last_i = memory[unsigned(at + LAST_I2)]
    last_q = memory[unsigned(at + LAST_Q2)]
    q2 = 0.2 * (quadrature + ahead_i) + 0.8 * last_q
    i2 = 0.2 * (in_phase - ahead_q) + 0.8 * last_i
    real = 0.2 * (i2 * last_i + q2 * last_q) + 0.8 * memory[unsigned(at + REAL)]
    imaginary = 0.2 * (i2 * last_q - q2 * last_i) + 0.8 * memory[unsigned(at + IMAGINARY)]
    memory[unsigned(at + LAST_I2)] = i2
    memory[unsigned(at + LAST_Q2)] = q2
    memory[unsigned(at + REAL)] = real
    memory[unsigned(at + IMAGINARY)] = imaginary
    fresh = period
    if imaginary != 0.0 and real != 0.0:
        angle = atan_nb(imaginary / real)
        # An angle that vanishes is an endless cycle, with its sign.
        fresh = TURN / angle if abs(angle) > 1e-60 else TURN * 1e60
    fresh = min(fresh, 1.5 * period)
    fresh = max(fresh, 0.67 * period)
    fresh = min(max(fresh, 6.0), 50.0)
    memory[unsigned(at + PERIOD)] = 0.2 * fresh + 0.8 * period
    return smooth, in_phase, quadrature


@inlined
def smooth_period_nb(memory, at):
    memory[unsigned(at + SMOOTH_PERIOD)] = (
        0.33 * memory[unsigned(at + PERIOD)] + 0.67 * memory[unsigned(at + SMOOTH_PERIOD)]
    )
    return memory[unsigned(at + SMOOTH_PERIOD)]


@indicator(
    "ht_dcperiod", "Period of the dominant cycle, in bars.", source=f"{TALIB} HT_DCPERIOD",
    window=lambda: 54, lookback=lambda: 32,
)  # fmt: skip
def ht_dcperiod(count, memory, at, value):
    cycle_step_nb(memory, at, value, count, 12)
    if count < 12:
        return NAN
    period = smooth_period_nb(memory, at)
    return period if count >= 32 else NAN


@indicator(
    "ht_phasor", "In-phase and quadrature part of the detrended price.", source=f"{TALIB} HT_PHASOR",
    outputs="in_phase quadrature", window=lambda: 53, lookback=lambda: 32,
)  # fmt: skip
def ht_phasor(count, memory, at, value):
    _, in_phase, quadrature = cycle_step_nb(memory, at, value, count, 12)
    if count < 32:
        return NAN, NAN
    return in_phase, quadrature


@indicator(
    "mama", "MESA adaptive average: fast where the phase turns fast; and the average following it.",
    source=f"{TALIB} MAMA", parameters=(factor("fast_limit", 0.5, 0.01, 0.99), factor("slow_limit", 0.05, 0.01, 0.99)),
    outputs="mama fama", state="phase leading following", window=lambda fast_limit, slow_limit: 53,
    lookback=lambda fast_limit, slow_limit: 32,
)  # fmt: skip
def mama(count, phase, leading, following, memory, at, value, fast_limit, slow_limit):
    _, in_phase, quadrature = cycle_step_nb(memory, at, value, count, 12)
    if count < 12:
        return phase, leading, following, NAN, NAN
    # Their quotient is held finite where the in-phase part almost vanishes.
    angle = 0.0
    if in_phase != 0.0:
        angle = atan_nb(quadrature / in_phase) * DEGREES if abs(in_phase) > 1e-200 else 90.0
    turned = phase - angle
    weight = fast_limit
    if turned > 1.0:
        weight = max(fast_limit / turned, slow_limit)
    leading = weight * value + (1.0 - weight) * leading
    weight *= 0.5
    following = weight * leading + (1.0 - weight) * following
    if count < 32:
        return angle, leading, following, NAN, NAN
    return angle, leading, following, leading, following


@inlined
def remember_nb(memory, at, value, smooth):
    """Keep the last 50 prices and smoothed prices. Returns the place of this one."""
    position = int(memory[unsigned(at + POSITION)])
    memory[unsigned(at + PRICES + position)] = value
    memory[unsigned(at + SMOOTHED + position)] = smooth
    memory[unsigned(at + POSITION)] = position + 1 if position + 1 < LONGEST else 0
    return position


@inlined
def trendline_nb(memory, at, position):
    """The mean price of one cycle, smoothed over four bars."""
    length = int(memory[unsigned(at + SMOOTH_PERIOD)] + 0.5)
    total = 0.0
    place = position
    for _ in range(length):
        total += memory[unsigned(at + PRICES + place)]
        place = place - 1 if place > 0 else LONGEST - 1
    mean = total / length if length > 0 else 0.0
    line = (
        4.0 * mean
        + 3.0 * memory[unsigned(at + TREND_1)]
        + 2.0 * memory[unsigned(at + TREND_2)]
        + memory[unsigned(at + TREND_3)]
    ) / 10.0
    memory[unsigned(at + TREND_3)] = memory[unsigned(at + TREND_2)]
    memory[unsigned(at + TREND_2)] = memory[unsigned(at + TREND_1)]
    memory[unsigned(at + TREND_1)] = mean
    return line


@inlined
def phase_nb(memory, at, position):
    """The angle within the dominant cycle, in degrees: of its first Fourier component over one period."""
    smooth_period = memory[unsigned(at + SMOOTH_PERIOD)]
    length = int(smooth_period + 0.5)
    real = 0.0
    imaginary = 0.0
    place = position
    # The angles of a whole turn, each from the one before by a rotation.
    turn_sine = sin_nb(TURN / length) if length > 0 else 0.0
    turn_cosine = cos_nb(TURN / length) if length > 0 else 1.0
    sine = 0.0
    cosine = 1.0
    for _ in range(length):
        real += sine * memory[unsigned(at + SMOOTHED + place)]
        imaginary += cosine * memory[unsigned(at + SMOOTHED + place)]
        place = place - 1 if place > 0 else LONGEST - 1
        turned = sine * turn_cosine + cosine * turn_sine
        cosine = cosine * turn_cosine - sine * turn_sine
        sine = turned
    phase = memory[unsigned(at + PHASE)]
    if imaginary != 0.0:
        phase = atan_nb(real / imaginary) * DEGREES if abs(imaginary) > 1e-200 else 0.0
    elif real < 0.0:
        phase -= 90.0
    elif real > 0.0:
        phase += 90.0
    phase += 90.0
    phase += 360.0 / smooth_period if smooth_period > 0.0 else 0.0
    if imaginary < 0.0:
        phase += 180.0
    if phase > 315.0:
        phase -= 360.0
    memory[unsigned(at + PHASE)] = phase
    return phase


@indicator(
    "ht_trendline", "Instantaneous trend line: the mean over one dominant cycle, smoothed.",
    source=f"{TALIB} HT_TRENDLINE", window=lambda: 162, lookback=lambda: 63,
)  # fmt: skip
def ht_trendline(count, memory, at, value):
    smooth, _, _ = cycle_step_nb(memory, at, value, count, 37)
    position = remember_nb(memory, at, value, smooth)
    if count < 37:
        return NAN
    smooth_period_nb(memory, at)
    line = trendline_nb(memory, at, position)
    return line if count >= 63 else NAN


@indicator(
    "ht_dcphase", "Angle within the dominant cycle, in degrees.", source=f"{TALIB} HT_DCPHASE",
    window=lambda: 162, lookback=lambda: 63,
)  # fmt: skip
def ht_dcphase(count, memory, at, value):
    smooth, _, _ = cycle_step_nb(memory, at, value, count, 37)
    if count < 37:
        return NAN
    position = remember_nb(memory, at, value, smooth)
    smooth_period_nb(memory, at)
    phase = phase_nb(memory, at, position)
    return phase if count >= 63 else NAN


@indicator(
    "ht_sine", "Sine of the angle within the dominant cycle, and of 45 degrees more.", source=f"{TALIB} HT_SINE",
    outputs="sine lead_sine", window=lambda: 162, lookback=lambda: 63,
)  # fmt: skip
def ht_sine(count, memory, at, value):
    smooth, _, _ = cycle_step_nb(memory, at, value, count, 37)
    if count < 37:
        return NAN, NAN
    position = remember_nb(memory, at, value, smooth)
    smooth_period_nb(memory, at)
    phase = phase_nb(memory, at, position)
    if count < 63:
        return NAN, NAN
    return sin_nb(phase * RADIANS), sin_nb((phase + 45.0) * RADIANS)


@indicator(
    "ht_trendmode", "Whether the market trends (1) or cycles (0).", source=f"{TALIB} HT_TRENDMODE",
    window=lambda: 162, lookback=lambda: 63,
)  # fmt: skip
def ht_trendmode(count, memory, at, value):
    smooth, _, _ = cycle_step_nb(memory, at, value, count, 37)
    position = remember_nb(memory, at, value, smooth if count >= 37 else 0.0)
    if count < 37:
        return NAN
    period = smooth_period_nb(memory, at)
    before = memory[unsigned(at + PHASE)]
    phase = phase_nb(memory, at, position)
    sine = sin_nb(phase * RADIANS)
    lead = sin_nb((phase + 45.0) * RADIANS)
    line = trendline_nb(memory, at, position)
    trend = 1.0
    was_below = memory[unsigned(at + SINE)] <= memory[unsigned(at + LEAD)]
    was_above = memory[unsigned(at + SINE)] >= memory[unsigned(at + LEAD)]
    bars = memory[unsigned(at + IN_TREND)]
    if (sine > lead and was_below) or (sine < lead and was_above):
        bars = 0.0
        trend = 0.0
    bars += 1.0
    if bars < 0.5 * period:
        trend = 0.0
    turned = phase - before
    if period > 0.0 and 0.67 * 360.0 / period < turned < 1.5 * 360.0 / period:
        trend = 0.0
    if line != 0.0 and abs((smooth - line) / line) >= 0.015:
        trend = 1.0
    memory[unsigned(at + SINE)] = sine
    memory[unsigned(at + LEAD)] = lead
    memory[unsigned(at + IN_TREND)] = bars
    return trend if count >= 63 else NAN
