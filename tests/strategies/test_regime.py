"""The classifier of regimes against a naive one over real bars."""

from pathlib import Path

import numpy as np
import talib

from kernel.events.layout import BAR_CLOSED, REGIME_CHANGED
from kernel.pipeline import rules as r
from tests.replay.runs import records_in, run

SETTINGS = {"to": "2000-06-01", "strategy": [{"use": "regime"}], "journal": "full"}


def test_it_says_when_the_regime_changes(tmp_path: Path) -> None:
    run(tmp_path / "run", **SETTINGS)
    records = records_in(tmp_path / "run")
    bars = records[records["kind"] == BAR_CLOSED.kind]
    at = {int(sequence): place for place, sequence in enumerate(bars["sequence"])}
    high, low, close = (
        bars["words"][:, place].astype(float)
        for place in (BAR_CLOSED.high_ticks, BAR_CLOSED.low_ticks, BAR_CLOSED.close_ticks)
    )
    fast, slow, adx = talib.SMA(close, 20), talib.SMA(close, 50), talib.ADX(high, low, close, 14)
    ranges = talib.TRANGE(high, low, close)
    changes = np.concatenate([[np.nan], np.diff(np.log(close))])
    expected, last = [], None
    deviations = np.full(len(close), np.nan)
    for place in range(20, len(close)):
        deviations[place] = changes[place - 19 : place + 1].std(ddof=1)
    for place in range(120, len(close)):
        span = high[place - 13 : place + 1].max() - low[place - 13 : place + 1].min()
        chop = 100 * np.log10(ranges[place - 13 : place + 1].sum() / span) / np.log10(14)
        rank = 100 * np.mean(deviations[place - 100 : place] < deviations[place])
        sides = [np.sign(round(one - slow[place], 6)) for one in (close[place], fast[place])]
        trend = r.BULL if sides == [1, 1] else r.BEAR if sides == [-1, -1] else r.SIDEWAYS
        volatility = r.HIGH if rank > 75 else r.LOW if rank < 25 else r.NORMAL
        strong, choppy = adx[place] >= 25, chop > 61.8
        character = r.TRENDING if strong and not choppy else r.RANGING if choppy and not strong else r.MIXED
        if (trend, volatility, character) != last:
            last = trend, volatility, character
            expected.append((place, *last))
    found = [
        (at[int(one["cause"])], *one["words"][:3].tolist()) for one in records[records["kind"] == REGIME_CHANGED.kind]
    ]
    assert len(found) > 200
    assert found == expected
