"""The nearest name, against Python's own idea of near."""

from kernel.naming import near_name


def test_the_nearest_name_is_offered() -> None:
    known = ["ema_cross", "macd_cross", "grid"]
    assert near_name("ema_cros", known, "none") == "did you mean ema_cross?"
    assert near_name("maker_fee", {"maker_fee_bps": 1}, "none", prefix="venue.") == "did you mean venue.maker_fee_bps?"


def test_without_a_near_one_it_says_where_to_look() -> None:
    assert near_name("zzz", ["ema_cross"], "built in: ema_cross") == "built in: ema_cross"
    assert near_name("btcusd", ["coinbase/BTC-USD"], "none") == "none"
    assert near_name("BTC", ["coinbase/BTC-USD"], "none", cutoff=0.3) == "did you mean coinbase/BTC-USD?"
