"""The terminal summary and the JSON object: what they say, how wide they are, and odd runs."""

import json
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from replay.metrics import compute_metrics
from replay.report import no_trades
from replay.report.characters import equity_chart
from replay.series import SeriesCount
from replay.shadows import Shadow
from replay.summary import render_summary, summary_json
from tests.replay.report.makers import DAY_NS, MONEY, curve, result_of, trades_of

ODD = {
    "no rows": [],
    "one row": [1000],
    "flat": [1000] * 50,
    "zero": [1000, 0, 0],
    "debt": [1000, -400, -900],
    "spike": [1000] * 300 + [99_000] + [1000] * 300,
}


def summary(equity: list[float], **options: object) -> str:
    result = result_of(equity, max_drawdown=0.1)
    settings = {"width": 80, "color": False, "encoding": "utf-8"} | options
    return render_summary(result, compute_metrics(result, no_trades()), **settings)


def test_says_what_matters_aligned() -> None:
    text = summary([1100, 990, 1089])
    lines = text.splitlines()
    assert lines[0] == "  ema_cross on coinbase/BTC-USD"
    assert lines[1] == "  2024-01-01 00:00 to 2024-01-03 00:00 UTC, 2 days"
    assert "  Return              +8.90%      Bars     3" in lines
    assert "  Max drawdown       -10.00%      Events  30" in lines
    assert "  Final equity  1,089.00 USD      Trades   2" in lines
    assert "  Fees              1.25 USD      Bars/s  12" in lines
    assert f"  Result hash    {'ab' * 32}" in lines
    assert f"  Journal root   {'cd' * 32}" in lines
    assert lines[-1] == "  Run directory  runs/one"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("equity", ODD.values(), ids=ODD.keys())
def test_fits_width_and_encoding(equity: list[float], width: int, encoding: str) -> None:
    text = summary(equity, width=width, encoding=encoding)
    text.encode(encoding)
    chart = [line for line in text.splitlines() if re.search("[┤│└|+]", line) and "%" not in line]
    assert all(len(line) <= max(width, 32) for line in chart)
    assert all(line == line.rstrip() for line in text.splitlines())
    assert text == summary(equity, width=width, encoding=encoding)


def test_color_changes_nothing_but_color() -> None:
    plain, painted = summary([900, 950]), summary([900, 950], color=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain
    assert "\x1b[31m" in painted
    assert "\x1b[32m" in summary([1100, 1150], color=True)


def test_interruption_is_said() -> None:
    result = result_of([1000, 1001], completed=False)
    metrics = compute_metrics(result, no_trades())
    text = render_summary(result, metrics, width=80, color=False, encoding="utf-8")
    assert "Interrupted" in text


def test_what_traded_on_paper_and_became_of_opinions_is_told() -> None:
    shadows = (Shadow("shadow rsi", ("rsi",), 12, 10 * MONEY, 11 * MONEY, MONEY, 0), Shadow("b", (), 0, 0, 0, 0, 0))
    counts = {"dropped": {"news": 3, "spread": 1200}, "verdicts": {"a signal": 2}, "regimes": {"bull": 7}}
    result = msgspec.structs.replace(result_of([1000, 1010]), shadows=shadows, **counts)
    text = render_summary(result, compute_metrics(result, no_trades()), width=80, color=False, encoding="utf-8")
    assert "Signals dropped by  news 3, spread 1,200\n  Votes came to  a signal 2\n  Regimes  bull 7" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["rsi", "+10.00%", "12", f"{11 * MONEY / 10**result.scale:,.2f}"] in lines
    assert ["b", "n/a", "0", "0.00"] in lines
    found = summary_json(result, compute_metrics(result, no_trades()))
    assert {name: found[name] for name in counts} == counts
    assert [one["strategies"] for one in found["shadows"]] == [["rsi"], []]


def test_json_keys_and_values(tmp_path: Path) -> None:
    result = result_of([1100, 990, 1089])
    found = summary_json(result, compute_metrics(result, trades_of(tmp_path, [3, -1])))
    assert list(found) == [
        "result_hash", "journal_root", "journal", "run_dir", "completed", "strategies", "instruments", "span",
        "bars", "events", "frames", "fills", "trades", "seconds", "bars_per_second", "currency", "deposited",
        "final_equity", "final_cash", "realised", "fees", "refused", "dropped", "verdicts", "regimes",
        "shadows", "series", "return", "max_drawdown", "sharpe", "metrics",
    ]  # fmt: skip
    assert found["final_equity"] == "1089.000000"
    assert Decimal(found["fees"]) == Decimal("1.25")
    assert found["span"] == {"start": "2024-01-01T00:00:00Z", "end": "2024-01-03T00:00:00Z"}
    assert (found["bars_per_second"], found["return"], found["max_drawdown"]) == (12.0, 0.089, 0.25)
    assert found["metrics"]["profit_factor"] == 3.0
    assert (found["strategies"], found["instruments"]) == (["ema_cross"], ["coinbase/BTC-USD"])


@pytest.mark.parametrize("equity", ODD.values(), ids=ODD.keys())
def test_json_is_strict(equity: list[float]) -> None:
    result = result_of(equity, journal=None, seconds=0.0)
    found = summary_json(result, compute_metrics(result, no_trades()))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["journal"], found["bars_per_second"]) == (None, None)


def test_chart_is_this_one() -> None:
    climb = curve([100, 110, 120, 130, 140, 150, 160, 170])
    lines = equity_chart(climb.ts_ns, climb.equity_minor, 6, columns=18, rows=4, braille=False)
    assert lines == [
        "Equity",
        "170.00 +        **",
        "       |     ***",
        "       |  ***",
        "100.00 +**",
        "       +----------",
        "        2024-01-01  100.00",
        "        2024-01-08  170.00",
    ]


def test_chart_keeps_a_spike_of_one_point() -> None:
    equity = np.full(50_000, 1000 * MONEY)
    equity[33_333] = 1900 * MONEY
    times = np.arange(50_000, dtype=np.int64) * DAY_NS
    lines = equity_chart(times, equity, 6, columns=70, rows=10, braille=True)
    top = lines[1]
    assert top.startswith("1,900.00 ┤")
    inked = [place for place, mark in enumerate(top[10:]) if mark != " "]
    assert inked == [40]


def test_chart_of_far_values_is_logarithmic() -> None:
    far = curve([1, 10, 100, 1000])
    lines = equity_chart(far.ts_ns, far.equity_minor, 6, columns=48, rows=4, braille=False)
    assert lines[0] == "Equity, logarithmic scale"
    near = curve([-1, 10, 100])
    assert equity_chart(near.ts_ns, near.equity_minor, 6, columns=40, rows=4, braille=False)[0] == "Equity"


def test_series_of_bars_are_told() -> None:
    counts = tuple(SeriesCount("coinbase/BTC-USD", f"{number}h", 1000 + number, 3, 2, 1, 0) for number in range(1, 23))
    result = result_of([1100, 990, 1089], series=counts)
    text = render_summary(result, compute_metrics(result, no_trades()), width=80, color=False, encoding="utf-8")
    assert "Bars made" in text
    assert re.search(r"1h of coinbase/BTC-USD +1,001 +3 +2 +1 +0\n", text)
    assert "and 2 more: kernel show RUN --topic bar.closed" in text
    found = summary_json(result, compute_metrics(result, no_trades()))
    assert found["series"][0]["late"] == 2
