"""Candle patterns of three bars. What the arguments mean is told in ``candles``."""

from kernel.indicators.candles import pattern


@pattern("cdl_2_crows", "Two crows: after a long white body a black gap up, and a black close within the first.")
def two_crows(white_2, body_2, long_body_2, white_1, bottom_1, top_2, white_0, o0, c0, o1, c1, o2, c2):
    if white_2 and body_2 > long_body_2 and not white_1 and bottom_1 > top_2 and not white_0:
        return -100 if o0 < o1 and o0 > c1 and c0 > o2 and c0 < c2 else 0
    return 0


@pattern("cdl_3_inside", "Three inside: a harami and a close out of it.")
def three_inside(body_2, long_body_2, body_1, short_body_1, top_1, top_2, bottom_1, bottom_2, white_2, white_0, c0, o2):
    if body_2 > long_body_2 and body_1 <= short_body_1 and top_1 < top_2 and bottom_1 > bottom_2:
        if white_2 and not white_0 and c0 < o2:
            return -100
        if not white_2 and white_0 and c0 > o2:
            return 100
    return 0


@pattern("cdl_3_outside", "Three outside: an engulfing and a close further on.", lookback=3)
def three_outside(white_1, white_2, c0, c1, o1, o2, c2):
    if white_1 and not white_2 and c1 > o2 and o1 < c2 and c0 > c1:
        return 100
    if not white_1 and white_2 and o1 > c2 and c1 < o2 and c0 < c1:
        return -100
    return 0


@pattern("cdl_3_stars_in_south", "Three stars in the south: three black bars, each smaller, with rising lows.")
def three_stars_in_south(
    white_2, white_1, white_0, body_2, long_body_2, lower_2, long_shadow_2, body_1, o1, c2, h2, l1, l2, lower_1,
    very_short_shadow_1, body_0, short_body_0, lower_0, upper_0, very_short_shadow_0, l0, h0, h1,
):  # fmt: skip
    if white_2 or white_1 or white_0 or body_2 <= long_body_2 or lower_2 <= long_shadow_2 or body_1 >= body_2:
        return 0
    if o1 > c2 and o1 <= h2 and l1 < c2 and l1 >= l2 and lower_1 > very_short_shadow_1 and body_0 < short_body_0:
        if lower_0 < very_short_shadow_0 and upper_0 < very_short_shadow_0:
            return 100 if l0 > l1 and h0 < h1 else 0
    return 0


@pattern("cdl_3_white_soldiers", "Three white soldiers: three rising white bars almost without upper shadows.")
def three_white_soldiers(
    white_2, upper_2, very_short_shadow_2, white_1, upper_1, very_short_shadow_1, white_0, upper_0, very_short_shadow_0,
    c0, c1, c2, o1, o2, near_2, o0, near_1, body_1, body_2, far_2, body_0, far_1, short_body_0,
):  # fmt: skip
    if not (white_2 and white_1 and white_0 and c0 > c1 and c1 > c2):
        return 0
    if upper_2 >= very_short_shadow_2 or upper_1 >= very_short_shadow_1 or upper_0 >= very_short_shadow_0:
        return 0
    if o1 > o2 and o1 <= c2 + near_2 and o0 > o1 and o0 <= c1 + near_1:
        return 100 if body_1 > body_2 - far_2 and body_0 > body_1 - far_1 and body_0 > short_body_0 else 0
    return 0


@pattern("cdl_advance_block", "Advance block: three rising white bars whose advance weakens.")
def advance_block(
    white_2, white_1, white_0, c0, c1, c2, o1, o2, near_2, o0, near_1, body_2, long_body_2, upper_2, short_shadow_2,
    body_1, far_2, body_0, far_1, upper_0, short_shadow_0, upper_1, short_shadow_1, long_shadow_0,
):  # fmt: skip
    if not (white_2 and white_1 and white_0 and c0 > c1 and c1 > c2 and o1 > o2 and o1 <= c2 + near_2):
        return 0
    if o0 <= o1 or o0 > c1 + near_1 or body_2 <= long_body_2 or upper_2 >= short_shadow_2:
        return 0
    if (body_1 < body_2 - far_2 and body_0 < body_1 + near_1) or body_0 < body_1 - far_1:
        return -100
    if body_0 < body_1 and body_1 < body_2 and (upper_0 > short_shadow_0 or upper_1 > short_shadow_1):
        return -100
    return -100 if body_0 < body_1 and upper_0 > long_shadow_0 else 0


@pattern("cdl_abandoned_baby", "Abandoned baby: a doji with gaps on both sides, and a turn.", 0.3)
def abandoned_baby(
    body_2, long_body_2, body_1, doji_1, body_0, short_body_0, white_2, white_0, c0, c2, l1, h2, h0, h1, l2, l0,
    penetration,
):  # fmt: skip
    if body_2 > long_body_2 and body_1 <= doji_1 and body_0 > short_body_0:
        if white_2 and not white_0 and c0 < c2 - body_2 * penetration and l1 > h2 and h0 < l1:
            return -100
        if not white_2 and white_0 and c0 > c2 + body_2 * penetration and h1 < l2 and l0 > h1:
            return 100
    return 0


@pattern("cdl_evening_doji_star", "Evening doji star: a doji gapping up, and a close deep in the first body.", 0.3)
def evening_doji_star(
    white_2, body_2, long_body_2, body_1, doji_1, bottom_1, top_2, body_0, short_body_0, white_0, c0, c2, penetration
):
    if body_2 > long_body_2 and white_2 and body_1 <= doji_1 and bottom_1 > top_2:
        return -100 if body_0 > short_body_0 and not white_0 and c0 < c2 - body_2 * penetration else 0
    return 0


@pattern("cdl_evening_star", "Evening star: a short body gapping up, and a close deep in the first body.", 0.3)
def evening_star(
    white_2, body_2, long_body_2, body_1, short_body_1, bottom_1, top_2, body_0, short_body_0, white_0, c0, c2,
    penetration,
):  # fmt: skip
    if body_2 > long_body_2 and white_2 and body_1 <= short_body_1 and bottom_1 > top_2:
        return -100 if body_0 > short_body_0 and not white_0 and c0 < c2 - body_2 * penetration else 0
    return 0


@pattern("cdl_morning_doji_star", "Morning doji star: a doji gapping down, and a close deep in the first body.", 0.3)
def morning_doji_star(
    white_2, body_2, long_body_2, body_1, doji_1, top_1, bottom_2, body_0, short_body_0, white_0, c0, c2, penetration
):
    if body_2 > long_body_2 and not white_2 and body_1 <= doji_1 and top_1 < bottom_2:
        return 100 if body_0 > short_body_0 and white_0 and c0 > c2 + body_2 * penetration else 0
    return 0


@pattern("cdl_morning_star", "Morning star: a short body gapping down, and a close deep in the first body.", 0.3)
def morning_star(
    white_2, body_2, long_body_2, body_1, short_body_1, top_1, bottom_2, body_0, short_body_0, white_0, c0, c2,
    penetration,
):  # fmt: skip
    if body_2 > long_body_2 and not white_2 and body_1 <= short_body_1 and top_1 < bottom_2:
        return 100 if body_0 > short_body_0 and white_0 and c0 > c2 + body_2 * penetration else 0
    return 0


@pattern("cdl_gap_side_side_white", "Side-by-side white lines: two alike white bars after a gap.")
def gap_side_side_white(
    bottom_1, top_2, bottom_0, top_1, bottom_2, top_0, white_1, white_0, body_0, body_1, near_1, o0, o1, equal_1
):
    up = bottom_1 > top_2
    if (up and bottom_0 > top_2) or (top_1 < bottom_2 and top_0 < bottom_2):
        if white_1 and white_0 and body_0 >= body_1 - near_1 and body_0 <= body_1 + near_1:
            if o0 >= o1 - equal_1 and o0 <= o1 + equal_1:
                return 100 if up else -100
    return 0


@pattern("cdl_identical_3_crows", "Identical three crows: three falling black bars, each opening at the last close.")
def identical_3_crows(
    white_2, white_1, white_0, lower_2, very_short_shadow_2, lower_1, very_short_shadow_1, lower_0, very_short_shadow_0,
    c2, c1, c0, o1, equal_2, o0, equal_1,
):  # fmt: skip
    if white_2 or white_1 or white_0 or c2 <= c1 or c1 <= c0:
        return 0
    if lower_2 < very_short_shadow_2 and lower_1 < very_short_shadow_1 and lower_0 < very_short_shadow_0:
        if o1 <= c2 + equal_2 and o1 >= c2 - equal_2:
            return -100 if o0 <= c1 + equal_1 and o0 >= c1 - equal_1 else 0
    return 0


@pattern("cdl_stalled_pattern", "Stalled pattern: two long white bars and a short one on their shoulder.")
def stalled_pattern(
    white_2, white_1, white_0, c0, c1, c2, body_2, long_body_2, body_1, long_body_1, upper_1, very_short_shadow_1, o1,
    o2, near_2, body_0, short_body_0, o0, near_1,
):  # fmt: skip
    if not (white_2 and white_1 and white_0 and c0 > c1 and c1 > c2 and body_2 > long_body_2 and body_1 > long_body_1):
        return 0
    if upper_1 < very_short_shadow_1 and o1 > o2 and o1 <= c2 + near_2 and body_0 < short_body_0:
        return -100 if o0 >= c1 - body_0 - near_1 else 0
    return 0


@pattern("cdl_stick_sandwich", "Stick sandwich: a white bar between two black ones that close equally.")
def stick_sandwich(white_2, white_1, white_0, l1, c2, c0, equal_2):
    if not white_2 and white_1 and not white_0 and l1 > c2:
        return 100 if c0 <= c2 + equal_2 and c0 >= c2 - equal_2 else 0
    return 0


@pattern("cdl_tasuki_gap", "Tasuki gap: a gap, a bar with it, and one into it.")
def tasuki_gap(bottom_1, top_2, top_1, bottom_2, white_1, white_0, o0, c1, o1, c0, body_1, body_0, near_1):
    if bottom_1 > top_2 and white_1 and not white_0 and o0 < c1 and o0 > o1 and c0 < o1 and c0 > top_2:
        return 100 if abs(body_1 - body_0) < near_1 else 0
    if top_1 < bottom_2 and not white_1 and white_0 and o0 < o1 and o0 > c1 and c0 > o1 and c0 < bottom_2:
        return -100 if abs(body_1 - body_0) < near_1 else 0
    return 0


@pattern("cdl_tristar", "Tristar: three dojis, the middle one gapping away.")
def tristar(body_2, body_1, body_0, doji_2, bottom_1, top_2, top_0, top_1, bottom_2, bottom_0):
    if body_2 <= doji_2 and body_1 <= doji_2 and body_0 <= doji_2:
        if top_1 < bottom_2 and bottom_0 > bottom_1:
            return 100
        if bottom_1 > top_2 and top_0 < top_1:
            return -100
    return 0


@pattern("cdl_unique_3_river", "Unique three river: a harami with a new low, and a short white body above it.")
def unique_3_river(body_2, long_body_2, white_2, white_1, c1, c2, o1, o2, l1, l2, body_0, short_body_0, white_0, o0):
    if not white_2 and not white_1 and c1 > c2 and o1 <= o2 and l1 < l2:
        return 100 if body_2 > long_body_2 and body_0 < short_body_0 and white_0 and o0 > l1 else 0
    return 0


@pattern("cdl_upside_gap_2_crows", "Upside gap two crows: two black bars above a long white one, the second engulfing.")
def upside_gap_2_crows(
    white_2, body_2, long_body_2, white_1, body_1, short_body_1, bottom_1, top_2, white_0, o0, o1, c0, c1, c2
):
    if white_2 and body_2 > long_body_2 and not white_1 and body_1 <= short_body_1 and bottom_1 > top_2:
        return -100 if not white_0 and o0 > o1 and c0 < c1 and c0 > c2 else 0
    return 0


@pattern("cdl_xside_gap_3_methods", "Gap three methods: a gap between two alike bars, closed by an opposite one.")
def xside_gap_3_methods(white_2, white_1, white_0, o0, c0, top_1, bottom_1, top_2, bottom_2):
    if white_2 == white_1 and white_1 != white_0 and o0 < top_1 and o0 > bottom_1 and c0 < top_2 and c0 > bottom_2:
        if white_2 and bottom_1 > top_2:
            return 100
        if not white_2 and top_1 < bottom_2:
            return -100
    return 0
