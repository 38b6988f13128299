"""Candle patterns of one or two bars. What the arguments mean is told in ``candles``."""

from kernel.indicators.candles import pattern


@pattern("cdl_doji", "Doji: open and close almost equal.")
def doji(body_0, doji_0):
    return 100 if body_0 <= doji_0 else 0


@pattern("cdl_dragonfly_doji", "Dragonfly doji: a doji with a long lower shadow only.")
def dragonfly_doji(body_0, doji_0, upper_0, lower_0, very_short_shadow_0):
    return 100 if body_0 <= doji_0 and upper_0 < very_short_shadow_0 and lower_0 > very_short_shadow_0 else 0


@pattern("cdl_gravestone_doji", "Gravestone doji: a doji with a long upper shadow only.")
def gravestone_doji(body_0, doji_0, upper_0, lower_0, very_short_shadow_0):
    return 100 if body_0 <= doji_0 and lower_0 < very_short_shadow_0 and upper_0 > very_short_shadow_0 else 0


@pattern("cdl_long_legged_doji", "Long-legged doji: a doji with a long shadow.")
def long_legged_doji(body_0, doji_0, upper_0, lower_0, long_shadow_0):
    return 100 if body_0 <= doji_0 and (lower_0 > long_shadow_0 or upper_0 > long_shadow_0) else 0


@pattern("cdl_rickshaw_man", "Rickshaw man: a doji in the middle of two long shadows.")
def rickshaw_man(body_0, doji_0, upper_0, lower_0, long_shadow_0, near_0, bottom_0, top_0, h0, l0):
    if body_0 <= doji_0 and lower_0 > long_shadow_0 and upper_0 > long_shadow_0:
        middle = l0 + (h0 - l0) / 2
        return 100 if bottom_0 <= middle + near_0 and top_0 >= middle - near_0 else 0
    return 0


@pattern("cdl_takuri", "Takuri line: a dragonfly doji with a very long lower shadow.")
def takuri(body_0, doji_0, upper_0, lower_0, very_short_shadow_0, very_long_shadow_0):
    return 100 if body_0 <= doji_0 and upper_0 < very_short_shadow_0 and lower_0 > very_long_shadow_0 else 0


@pattern("cdl_high_wave", "High wave: a short body between two very long shadows.")
def high_wave(white_0, body_0, short_body_0, upper_0, lower_0, very_long_shadow_0):
    if body_0 < short_body_0 and upper_0 > very_long_shadow_0 and lower_0 > very_long_shadow_0:
        return 100 if white_0 else -100
    return 0


@pattern("cdl_spinning_top", "Spinning top: a short body between longer shadows.")
def spinning_top(white_0, body_0, short_body_0, upper_0, lower_0):
    if body_0 < short_body_0 and upper_0 > body_0 and lower_0 > body_0:
        return 100 if white_0 else -100
    return 0


@pattern("cdl_long_line", "Long line: a long body with short shadows.")
def long_line(white_0, body_0, long_body_0, upper_0, lower_0, short_shadow_0):
    if body_0 > long_body_0 and upper_0 < short_shadow_0 and lower_0 < short_shadow_0:
        return 100 if white_0 else -100
    return 0


@pattern("cdl_short_line", "Short line: a short body with short shadows.")
def short_line(white_0, body_0, short_body_0, upper_0, lower_0, short_shadow_0):
    if body_0 < short_body_0 and upper_0 < short_shadow_0 and lower_0 < short_shadow_0:
        return 100 if white_0 else -100
    return 0


@pattern("cdl_marubozu", "Marubozu: a long body almost without shadows.")
def marubozu(white_0, body_0, long_body_0, upper_0, lower_0, very_short_shadow_0):
    if body_0 > long_body_0 and upper_0 < very_short_shadow_0 and lower_0 < very_short_shadow_0:
        return 100 if white_0 else -100
    return 0


@pattern("cdl_closing_marubozu", "Closing marubozu: a long body almost without a shadow at the close.")
def closing_marubozu(white_0, body_0, long_body_0, upper_0, lower_0, very_short_shadow_0):
    if body_0 > long_body_0:
        if white_0:
            return 100 if upper_0 < very_short_shadow_0 else 0
        return -100 if lower_0 < very_short_shadow_0 else 0
    return 0


@pattern("cdl_belt_hold", "Belt hold: a long body almost without a shadow at the open.")
def belt_hold(white_0, body_0, long_body_0, upper_0, lower_0, very_short_shadow_0):
    if body_0 > long_body_0:
        if white_0:
            return 100 if lower_0 < very_short_shadow_0 else 0
        return -100 if upper_0 < very_short_shadow_0 else 0
    return 0


@pattern("cdl_hammer", "Hammer: a short body with a long lower shadow near the low before.")
def hammer(body_0, short_body_0, lower_0, long_shadow_0, upper_0, very_short_shadow_0, bottom_0, l1, near_1):
    if body_0 < short_body_0 and lower_0 > long_shadow_0 and upper_0 < very_short_shadow_0:
        return 100 if bottom_0 <= l1 + near_1 else 0
    return 0


@pattern("cdl_hanging_man", "Hanging man: a short body with a long lower shadow near the high before.")
def hanging_man(body_0, short_body_0, lower_0, long_shadow_0, upper_0, very_short_shadow_0, bottom_0, h1, near_1):
    if body_0 < short_body_0 and lower_0 > long_shadow_0 and upper_0 < very_short_shadow_0:
        return -100 if bottom_0 >= h1 - near_1 else 0
    return 0


@pattern("cdl_inverted_hammer", "Inverted hammer: a short body with a long upper shadow, gapping down.")
def inverted_hammer(body_0, short_body_0, upper_0, long_shadow_0, lower_0, very_short_shadow_0, top_0, bottom_1):
    if top_0 < bottom_1 and upper_0 > long_shadow_0:
        return 100 if body_0 < short_body_0 and lower_0 < very_short_shadow_0 else 0
    return 0


@pattern("cdl_shooting_star", "Shooting star: a short body with a long upper shadow, gapping up.")
def shooting_star(body_0, short_body_0, upper_0, long_shadow_0, lower_0, very_short_shadow_0, bottom_0, top_1):
    if bottom_0 > top_1 and upper_0 > long_shadow_0:
        return -100 if body_0 < short_body_0 and lower_0 < very_short_shadow_0 else 0
    return 0


@pattern("cdl_engulfing", "Engulfing: a body around the opposite one before; 80 if one end is equal.", lookback=2)
def engulfing(white_0, white_1, o0, c0, o1, c1):
    if white_0 and not white_1:
        if (c0 >= o1 and o0 < c1) or (c0 > o1 and o0 <= c1):
            return 100 if o0 != c1 and c0 != o1 else 80
    elif not white_0 and white_1 and ((o0 >= c1 and c0 < o1) or (o0 > c1 and c0 <= o1)):
        return -100 if o0 != c1 and c0 != o1 else -80
    return 0


@pattern("cdl_harami", "Harami: a short body within the long one before; 80 if one end is equal.")
def harami(white_1, body_1, long_body_1, body_0, short_body_0, top_0, bottom_0, top_1, bottom_1):
    if body_1 > long_body_1 and body_0 <= short_body_0:
        if top_0 < top_1 and bottom_0 > bottom_1:
            return -100 if white_1 else 100
        if top_0 <= top_1 and bottom_0 >= bottom_1:
            return -80 if white_1 else 80
    return 0


@pattern("cdl_harami_cross", "Harami cross: a doji within the long body before; 80 if one end is equal.")
def harami_cross(white_1, body_1, long_body_1, body_0, doji_0, top_0, bottom_0, top_1, bottom_1):
    if body_1 > long_body_1 and body_0 <= doji_0:
        if top_0 < top_1 and bottom_0 > bottom_1:
            return -100 if white_1 else 100
        if top_0 <= top_1 and bottom_0 >= bottom_1:
            return -80 if white_1 else 80
    return 0


@pattern("cdl_doji_star", "Doji star: a doji that gaps away from a long body.")
def doji_star(white_1, body_1, long_body_1, body_0, doji_0, top_0, bottom_0, top_1, bottom_1):
    if body_1 > long_body_1 and body_0 <= doji_0:
        if white_1 and bottom_0 > top_1:
            return -100
        if not white_1 and top_0 < bottom_1:
            return 100
    return 0


@pattern("cdl_piercing", "Piercing: a long white body from below the low before to above its body's middle.")
def piercing(white_1, body_1, long_body_1, white_0, body_0, long_body_0, o0, c0, l1, o1, c1):
    if not white_1 and body_1 > long_body_1 and white_0 and body_0 > long_body_0 and o0 < l1:
        return 100 if c0 < o1 and c0 > c1 + body_1 * 0.5 else 0
    return 0


@pattern("cdl_dark_cloud_cover", "Dark cloud cover: a black body from above the high before deep into its body.", 0.5)
def dark_cloud_cover(white_1, body_1, long_body_1, white_0, o0, c0, h1, o1, c1, penetration):
    if white_1 and body_1 > long_body_1 and not white_0 and o0 > h1:
        return -100 if c0 > o1 and c0 < c1 - body_1 * penetration else 0
    return 0


@pattern("cdl_in_neck", "In-neck: a white body from below the low before to just above its close.")
def in_neck(white_1, body_1, long_body_1, white_0, o0, c0, l1, c1, equal_1):
    if not white_1 and body_1 > long_body_1 and white_0 and o0 < l1:
        return -100 if c0 <= c1 + equal_1 and c0 >= c1 else 0
    return 0


@pattern("cdl_on_neck", "On-neck: a white body from below the low before to that low.")
def on_neck(white_1, body_1, long_body_1, white_0, o0, c0, l1, equal_1):
    if not white_1 and body_1 > long_body_1 and white_0 and o0 < l1:
        return -100 if c0 <= l1 + equal_1 and c0 >= l1 - equal_1 else 0
    return 0


@pattern("cdl_thrusting", "Thrusting: a white body from below the low before to below its body's middle.")
def thrusting(white_1, body_1, long_body_1, white_0, o0, c0, l1, c1, equal_1):
    if not white_1 and body_1 > long_body_1 and white_0 and o0 < l1:
        return -100 if c0 > c1 + equal_1 and c0 <= c1 + body_1 * 0.5 else 0
    return 0


@pattern("cdl_counterattack", "Counterattack: two long bodies of opposite colour that close equally.")
def counterattack(white_1, body_1, long_body_1, white_0, body_0, long_body_0, c0, c1, equal_1):
    if white_1 != white_0 and body_1 > long_body_1 and body_0 > long_body_0:
        if c0 <= c1 + equal_1 and c0 >= c1 - equal_1:
            return 100 if white_0 else -100
    return 0


@pattern("cdl_separating_lines", "Separating lines: a belt hold that opens where the opposite bar before did.")
def separating_lines(white_1, white_0, o0, o1, equal_1, body_0, long_body_0, lower_0, upper_0, very_short_shadow_0):
    if white_1 != white_0 and o0 <= o1 + equal_1 and o0 >= o1 - equal_1 and body_0 > long_body_0:
        if white_0:
            return 100 if lower_0 < very_short_shadow_0 else 0
        return -100 if upper_0 < very_short_shadow_0 else 0
    return 0


@pattern("cdl_homing_pigeon", "Homing pigeon: a short black body within a long black one.")
def homing_pigeon(white_1, white_0, body_1, long_body_1, body_0, short_body_0, o0, c0, o1, c1):
    if not white_1 and not white_0 and body_1 > long_body_1 and body_0 <= short_body_0:
        return 100 if o0 < o1 and c0 > c1 else 0
    return 0


@pattern("cdl_matching_low", "Matching low: two black bars that close equally.")
def matching_low(white_1, white_0, c0, c1, equal_1):
    return 100 if not white_1 and not white_0 and c0 <= c1 + equal_1 and c0 >= c1 - equal_1 else 0


@pattern("cdl_kicking", "Kicking: two opposite marubozus with a gap between.")
def kicking(
    white_1, white_0, body_1, long_body_1, upper_1, lower_1, very_short_shadow_1, body_0, long_body_0, upper_0, lower_0,
    very_short_shadow_0, l0, h0, l1, h1,
):  # fmt: skip
    if white_1 != white_0 and body_1 > long_body_1 and body_0 > long_body_0:
        if upper_1 < very_short_shadow_1 and lower_1 < very_short_shadow_1:
            if upper_0 < very_short_shadow_0 and lower_0 < very_short_shadow_0:
                if (not white_1 and l0 > h1) or (white_1 and h0 < l1):
                    return 100 if white_0 else -100
    return 0


@pattern("cdl_kicking_by_length", "Kicking, with the direction of the longer marubozu.")
def kicking_by_length(
    white_1, white_0, body_1, long_body_1, upper_1, lower_1, very_short_shadow_1, body_0, long_body_0, upper_0, lower_0,
    very_short_shadow_0, l0, h0, l1, h1,
):  # fmt: skip
    if white_1 != white_0 and body_1 > long_body_1 and body_0 > long_body_0:
        if upper_1 < very_short_shadow_1 and lower_1 < very_short_shadow_1:
            if upper_0 < very_short_shadow_0 and lower_0 < very_short_shadow_0:
                if (not white_1 and l0 > h1) or (white_1 and h0 < l1):
                    white = white_0 if body_0 > body_1 else white_1
                    return 100 if white else -100
    return 0
