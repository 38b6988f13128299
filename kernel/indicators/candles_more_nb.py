"""Candle patterns of four and five bars, and the two that wait for a confirmation."""

from kernel.indicators.averages_nb import NAN, TALIB
from kernel.indicators.candles import BAR, pattern
from kernel.indicators.declare import indicator
from kernel.indicators.windows_nb import sum_nb


@pattern("cdl_3_black_crows", "Three black crows: three falling black bars almost without lower shadows.")
def three_black_crows(
    white_3, white_2, lower_2, very_short_shadow_2, white_1, lower_1, very_short_shadow_1, white_0, lower_0,
    very_short_shadow_0, o1, o2, c2, o0, c1, h3, c0,
):  # fmt: skip
    if not white_3 or white_2 or white_1 or white_0:
        return 0
    if lower_2 < very_short_shadow_2 and lower_1 < very_short_shadow_1 and lower_0 < very_short_shadow_0:
        if o1 < o2 and o1 > c2 and o0 < o1 and o0 > c1:
            return -100 if h3 > c2 and c2 > c1 and c1 > c0 else 0
    return 0


@pattern("cdl_3_line_strike", "Three-line strike: three bars of one colour, and one back over all.")
def three_line_strike(
    white_3, white_2, white_1, white_0, o2, bottom_3, top_3, near_3, o1, bottom_2, top_2, near_2, c1, c2, c3, o0, c0, o3
):
    if white_3 != white_2 or white_2 != white_1 or white_0 == white_1:
        return 0
    if o2 < bottom_3 - near_3 or o2 > top_3 + near_3 or o1 < bottom_2 - near_2 or o1 > top_2 + near_2:
        return 0
    if white_1 and c1 > c2 and c2 > c3 and o0 > c1 and c0 < o3:
        return 100
    if not white_1 and c1 < c2 and c2 < c3 and o0 < c1 and c0 > o3:
        return -100
    return 0


@pattern("cdl_conceal_baby_swall", "Concealing baby swallow: two black marubozus, a gap down, and a black engulfing.")
def conceal_baby_swall(
    white_3, white_2, white_1, white_0, lower_3, upper_3, very_short_shadow_3, lower_2, upper_2, very_short_shadow_2,
    top_1, bottom_2, upper_1, very_short_shadow_1, h1, c2, h0, l0, l1,
):  # fmt: skip
    if white_3 or white_2 or white_1 or white_0:
        return 0
    if lower_3 < very_short_shadow_3 and upper_3 < very_short_shadow_3:
        if lower_2 < very_short_shadow_2 and upper_2 < very_short_shadow_2 and top_1 < bottom_2:
            return 100 if upper_1 > very_short_shadow_1 and h1 > c2 and h0 > h1 and l0 < l1 else 0
    return 0


@pattern("cdl_breakaway", "Breakaway: a gap, two bars further on, and one back into it.")
def breakaway(
    body_4, long_body_4, white_4, white_3, white_1, white_0, top_3, bottom_4, bottom_3, top_4, h2, h3, l2, l3, h1, l1,
    c0, o3, c4,
):  # fmt: skip
    if top_3 < bottom_4 and h2 < h3 and l2 < l3 and h1 < h2 and l1 < l2:
        turns_up = not white_4 and not white_3 and not white_1 and white_0
        return 100 if turns_up and body_4 > long_body_4 and c0 > o3 and c0 < c4 else 0
    if bottom_3 > top_4 and h2 > h3 and l2 > l3 and h1 > h2 and l1 > l2:
        turns_down = white_4 and white_3 and white_1 and not white_0
        return -100 if turns_down and body_4 > long_body_4 and c0 < o3 and c0 > c4 else 0
    return 0


@pattern(
    "cdl_ladder_bottom", "Ladder bottom: three falling black bars, a fourth with an upper shadow, a white one above."
)
def ladder_bottom(
    white_4, white_3, white_2, white_1, white_0, o4, o3, o2, c4, c3, c2, upper_1, very_short_shadow_1, o0, o1, c0, h1
):
    if white_4 or white_3 or white_2 or white_1 or not white_0:
        return 0
    if o4 > o3 and o3 > o2 and c4 > c3 and c3 > c2 and upper_1 > very_short_shadow_1:
        return 100 if o0 > o1 and c0 > h1 else 0
    return 0


@pattern("cdl_mat_hold", "Mat hold: a long white bar, three small ones held above it, and a new high.", 0.5)
def mat_hold(
    body_4, long_body_4, body_3, short_body_3, body_2, short_body_2, body_1, short_body_1, white_4, white_3, white_0,
    bottom_3, top_4, bottom_2, bottom_1, c4, top_2, o3, top_1, o0, c1, c0, h3, h2, h1, penetration,
):  # fmt: skip
    if body_4 <= long_body_4 or body_3 >= short_body_3 or body_2 >= short_body_2 or body_1 >= short_body_1:
        return 0
    if not white_4 or white_3 or not white_0 or bottom_3 <= top_4 or bottom_2 >= c4 or bottom_1 >= c4:
        return 0
    floor = c4 - body_4 * penetration
    if bottom_2 > floor and bottom_1 > floor and top_2 < o3 and top_1 < top_2:
        return 100 if o0 > c1 and c0 > max(h3, h2, h1) else 0
    return 0


@pattern("cdl_rise_fall_3_methods", "Rising or falling three methods: three small bars within a long one, then on.")
def rise_fall_3_methods(
    body_4, long_body_4, body_3, short_body_3, body_2, short_body_2, body_1, short_body_1, body_0, long_body_0, white_4,
    white_3, white_2, white_1, white_0, bottom_3, top_3, h4, l4, bottom_2, top_2, bottom_1, top_1, c2, c3, c1, o0, c0,
    c4,
):  # fmt: skip
    if body_4 <= long_body_4 or body_3 >= short_body_3 or body_2 >= short_body_2 or body_1 >= short_body_1:
        return 0
    if body_0 <= long_body_0 or white_4 == white_3 or white_3 != white_2 or white_2 != white_1 or white_1 == white_0:
        return 0
    if bottom_3 >= h4 or top_3 <= l4 or bottom_2 >= h4 or top_2 <= l4 or bottom_1 >= h4 or top_1 <= l4:
        return 0
    if white_4:
        return 100 if c2 < c3 and c1 < c2 and o0 > c1 and c0 > c4 else 0
    return -100 if c2 > c3 and c1 > c2 and o0 < c1 and c0 < c4 else 0


@indicator(
    "cdl_hikkake", "Hikkake: a false break of an inside bar; 200 if confirmed within three bars.",
    source=f"{TALIB} CDLHIKKAKE", inputs=" ".join(BAR), state="h1 h2 l1 l2 found level age:int", lookback=lambda: 5,
)  # fmt: skip
def hikkake(count, h1, h2, l1, l2, found, level, age, memory, at, open, high, low, close):
    age += 1
    result = 0.0
    inside = (count >= 3) & (h1 < h2) & (l1 > l2)
    if inside & (((high < h1) & (low < l1)) | ((high > h1) & (low > l1))):
        found = 100.0 if high < h1 else -100.0
        level = h1 if high < h1 else l1
        age = 0
        result = found
    elif (age <= 3) & (((found > 0.0) & (close > level)) | ((found < 0.0) & (close < level))):
        result = 2.0 * found
        found = 0.0
    return high, h1, low, l1, found, level, age, result if count >= 5 else NAN


@indicator(
    "cdl_hikkake_mod", "Modified hikkake: after two inside bars, the first closing near its end; 200 if confirmed.",
    source=f"{TALIB} CDLHIKKAKEMOD", inputs=" ".join(BAR),
    state="h1 h2 h3 l1 l2 l3 c1 c2 position:int head total_0 total_1 total_2 found level age:int",
    window=lambda: 5, lookback=lambda: 10,
)  # fmt: skip
def hikkake_mod(
    count, h1, h2, h3, l1, l2, l3, c1, c2, position, head, total_0, total_1, total_2, found, level, age, memory, at,
    open, high, low, close,
):  # fmt: skip
    age += 1
    result = 0.0
    near = 0.2 * (total_2 / 5.0)
    inside = (count >= 7) & (h2 < h3) & (l2 > l3) & (h1 < h2) & (l1 > l2)
    falls = (high < h1) & (low < l1) & (c2 <= l2 + near)
    rises = (high > h1) & (low > l1) & (c2 >= h2 - near)
    if inside & (falls | rises):
        found = 100.0 if high < h1 else -100.0
        level = h1 if high < h1 else l1
        age = 0
        result = found
    elif (age <= 3) & (((found > 0.0) & (close > level)) | ((found < 0.0) & (close < level))):
        result = 2.0 * found
        found = 0.0
    total_2 = total_1
    total_1 = total_0
    position, head, total_0 = sum_nb(position, head, memory, at, high - low, 5)
    return (
        high, h1, h2, low, l1, l2, close, c1, position, head, total_0, total_1, total_2, found, level, age,
        result if count >= 10 else NAN,
    )  # fmt: skip
