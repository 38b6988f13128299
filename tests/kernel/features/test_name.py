"""Names of features: each has one canonical form, and what cannot be read is one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.features import FeatureError, parse_feature, split_features
from kernel.indicators import indicators


@pytest.mark.parametrize(
    ("text", "canonical", "columns"),
    [
        ("ema(12)", "ema(period=12)", ("ema(period=12)",)),
        ("ema", "ema", ("ema",)),
        ("ema( 30 , seed = 1 )", "ema(seed=1)", ("ema(seed=1)",)),
        ("macd(fast=8).signal", "macd(fast=8).signal", ("macd(fast=8).signal",)),
        ("macd", "macd", ("macd.macd", "macd.signal", "macd.histogram")),
        ("atr(20)@60m", "atr(period=20)@1h", ("atr(period=20)@1h",)),
        ("macd @ 5m", "macd@5m", ("macd.macd@5m", "macd.signal@5m", "macd.histogram@5m")),
        ("sma(20, of=high)", "sma(period=20, of=high)", ("sma(period=20, of=high)",)),
        ("rsi.rsi@data", "rsi@data", ("rsi@data",)),
        ("bbands(20, 2.5, up=3)", None, None),
        ("t3(5, 0.5)", "t3(volume_factor=0.5)", ("t3(volume_factor=0.5)",)),
        ("obv@1000 volume", "obv@1000 volume", ("obv@1000 volume",)),
    ],
)
def test_a_name_has_one_canonical_form(text: str, canonical: str | None, columns: tuple[str, ...] | None) -> None:
    if canonical is None:
        with pytest.raises(FeatureError, match="given twice"):
            parse_feature(text)
        return
    feature = parse_feature(text)
    assert str(feature) == canonical
    assert feature.columns() == columns
    assert parse_feature(canonical) == feature


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write it as"),
        ("ema(12", "write it as"),
        ("ema(12)@", "write it as"),
        ("emaa(12)", "did you mean ema?"),
        ("ema(perod=12)", "did you mean period?"),
        ("ema(12.5)", "is not an integer"),
        ("ema(0)", "is not from 1"),
        ("ema(x)", "'x' is not a number"),
        ("ema(12, 0, 3)", "parameter '3' is too many; it has 2"),
        ("ema(seed=1, 12)", "comes after a named one"),
        ("ema(12, period=3)", "period is given twice"),
        ("ema(of=price)", "it is one of open, high, low, close, volume"),
        ("atr(of=high)", "atr takes the whole bar"),
        ("macd.sgnal", "did you mean signal?"),
        ("ema@5x", "no such rule"),
        ("correl(20)", "takes a second series"),
        ("mavp", "takes a series of periods"),
        ("order_flow_imbalance", "takes quotes"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, message: str) -> None:
    with pytest.raises(FeatureError, match=message.replace("?", "\\?").replace("(", "\\(")) as found:
        parse_feature(text)
    assert "\n" not in str(found.value)


def test_names_are_split_outside_of_parentheses() -> None:
    text = " ema(12, 1), macd(8, 17).signal@5m ;\nrsi ,"
    assert split_features(text) == ["ema(12, 1)", "macd(8, 17).signal@5m", "rsi"]
    assert split_features("") == []


@given(st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    usable = [one for one in indicators().values() if not {"other", "period", "bid"} & set(one.inputs)]
    one = data.draw(st.sampled_from(usable))
    text = one.name
    if one.parameters and data.draw(st.booleans()):
        parameter = data.draw(st.sampled_from(one.parameters))
        text += f"({parameter.name}={parameter.default})"
    if data.draw(st.booleans()):
        text += f".{data.draw(st.sampled_from(one.outputs))}"
    if data.draw(st.booleans()):
        text += f"@{data.draw(st.sampled_from(['5m', '1d', 'renko 50', 'data']))}"
    feature = parse_feature(text)
    assert parse_feature(str(feature)) == feature
    assert all(parse_feature(column).columns() == (column,) for column in feature.columns())
    assert len(feature.columns()) == len(feature.outputs)


@pytest.mark.parametrize(
    ("text", "base", "bars"),
    [("sma(20)", "5m", 19), ("sma(20)@1h", "5m", 240), ("sma(20)@1h", "", 19), ("sma(20)@100 ticks", "5m", 19)],
)
def test_the_look_back_in_bars_that_are_heard(text: str, base: str, bars: int) -> None:
    assert parse_feature(text).lookback_bars(base) == bars
