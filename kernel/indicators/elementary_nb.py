"""Logarithm, exponential, arc tangent, sine and cosine of + - * / alone.

A platform's own differ in the last bit from machine to machine, so they must not reach a decision; these are the same
everywhere, because each is a fixed order of operations that IEEE 754 rounds exactly. (A compiler may fuse a product and
a sum into one operation, which rounds once; numba does so only with leave to rearrange sums, which it never has.) Their
error is below 2 units in the last place in the ranges that indicators use; the tests measure it.

Method: reduce the argument to a small interval, where a Taylor series of fixed length converges to less than half a
unit. Constants that are subtracted are split in two parts, as W. Cody and W. Waite do (Software Manual for the
Elementary Functions, 1980).
"""

from kernel.jit import inlined, jit

LN2_HIGH = 0.6931471803691238  # the first 32 bits of ln 2, so that a multiple of it is exact
LN2_LOW = 1.9082149292705877e-10
HALF_PI_HIGH = 1.5707963267341256  # the first 33 bits of pi / 2
HALF_PI_LOW = 6.077100506506192e-11
PI = 3.141592653589793
SQRT_HALF = 0.7071067811865476


@jit
def log_nb(value):
    """Natural logarithm of a positive number below 1e60 and above 1e-60; of anything else -1e300.

    value = 2**n * m with m between root 1/2 and root 2; ln m = 2 artanh((m - 1) / (m + 1)).
    """
    if not value > 0.0:
        return -1e300
    mantissa = value
    exponent = 0
    while mantissa >= 18446744073709551616.0:
        mantissa *= 5.421010862427522e-20
        exponent += 64
    while mantissa < 5.421010862427522e-20:
        mantissa *= 18446744073709551616.0
        exponent -= 64
    step = 32
    power = 4294967296.0
    while step > 0:
        if mantissa >= power:
            mantissa /= power
            exponent += step
        elif mantissa * power < 1.0:
            mantissa *= power
            exponent -= step
        step //= 2
        power = 65536.0 if step == 16 else 256.0 if step == 8 else 16.0 if step == 4 else 4.0 if step == 2 else 2.0
    if mantissa < 1.0:
        mantissa *= 2.0
        exponent -= 1
    if mantissa > 1.4142135623730951:
        mantissa *= 0.5
        exponent += 1
    less = mantissa - 1.0
    ratio = less / (2.0 + less)
    square = ratio * ratio
    series = 0.0
    for order in range(23, 1, -2):
        series = (series + 1.0 / order) * square
    # ln m = less - ratio * (less - 2 * series): what is small is added last, to the part that is exact.
    half = 0.5 * less * less
    small = half - ratio * (half + 2.0 * series)
    return exponent * LN2_HIGH - ((small - exponent * LN2_LOW) - less)


@jit
def exp_nb(value):
    """e to the power ``value``, which is held between -700 and 700."""
    value = min(max(value, -700.0), 700.0)
    scaled = value * 1.4426950408889634
    whole = int(scaled + 0.5) if scaled >= 0.0 else -int(0.5 - scaled)
    high = value - whole * LN2_HIGH
    low = whole * LN2_LOW
    rest = high - low
    series = 0.0
    for order in range(14, 1, -1):
        series = (series + 1.0) * rest / order
    result = 1.0 + (rest + (series * rest + ((high - rest) - low)))
    power = 2.0 if whole >= 0 else 0.5
    steps = abs(whole)
    while steps > 0:
        if steps % 2 == 1:
            result *= power
        power *= power
        steps //= 2
    return result


@jit
def atan_nb(value):
    """Arc tangent in radians.

    Twice halved by atan x = 2 atan(x / (1 + root(1 + x**2))) is replaced by a table: atan x = atan c + atan((x - c) /
    (1 + x * c)) with c among 0, 1/4, 1/2, 3/4, 1, after atan x = pi / 2 - atan(1 / x) above 1.
    """
    size = abs(value)
    inverted = size > 1.0
    if inverted:
        size = 1.0 / size
    nearest = int(size * 4.0 + 0.5)
    centre = nearest * 0.25
    rest = (size - centre) / (1.0 + size * centre) if nearest > 0 else size
    square = rest * rest
    series = 0.0
    for order in range(17, 1, -2):
        series = (1.0 / order - series) * square
    base = 0.0
    low = 0.0
    if nearest == 1:
        base = 0.24497866312686414
        low = 1.0698755618734451e-17
    elif nearest == 2:
        base = 0.4636476090008061
        low = 2.2698777452961687e-17
    elif nearest == 3:
        base = 0.6435011087932844
        low = 1.5834785051444286e-17
    elif nearest == 4:
        base = 0.7853981633974483
        low = 3.061616997868383e-17
    angle = base + (rest - (rest * series - low))
    if inverted:
        angle = 1.5707963267948966 - (angle - 6.123233995736766e-17)
    return angle if value >= 0.0 else -angle


@inlined
def _sine_nb(rest):
    square = rest * rest
    series = 0.0
    for order in range(17, 1, -2):
        series = (1.0 - series) * square / (order * (order - 1))
    return rest - rest * series


@inlined
def _cosine_nb(rest):
    square = rest * rest
    series = 0.0
    for order in range(18, 2, -2):
        series = (1.0 - series) * square / (order * (order - 1))
    half = 0.5 * square
    return 1.0 - (half - half * series)


@inlined
def _turn_nb(value, quarters):
    """Sine of ``value`` plus so many quarters of a turn."""
    scaled = value * 0.6366197723675814
    whole = int(scaled + 0.5) if scaled >= 0.0 else -int(0.5 - scaled)
    rest = (value - whole * HALF_PI_HIGH) - whole * HALF_PI_LOW
    quadrant = (whole + quarters) % 4
    if quadrant == 0:
        return _sine_nb(rest)
    if quadrant == 1:
        return _cosine_nb(rest)
    return -_sine_nb(rest) if quadrant == 2 else -_cosine_nb(rest)


@jit
def sin_nb(value):
    """Sine of an angle in radians of a few turns."""
    return _turn_nb(value, 0)


@jit
def cos_nb(value):
    """Cosine of an angle in radians of a few turns."""
    return _turn_nb(value, 1)
