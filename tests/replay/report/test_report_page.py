"""report.html as a whole: self-contained, deterministic, escaped, complete, and drawn for odd runs too."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel.instruments import Instrument
from replay.metrics import TradeTable, compute_metrics
from replay.report import no_trades, render_report, write_report
from replay.report.distribution import profit_bars
from replay.report.tables import flattened
from replay.result import RunResult
from replay.series import SeriesCount
from tests.replay.report.makers import BTC, DAY_NS, MONEY, START_NS, curve, result_of, trades_of

EQUITY = [1000 + 40 * ((day * 7) % 11) - 60 * (day % 5) for day in range(120)]
EVIL = '</script><script>alert("x")</script>&\'<b>'
VOID = {"meta", "br"}


def prices_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    return curve([0] * count).ts_ns, 100 + np.sin(np.arange(count, dtype=np.float64))


def page(result: RunResult, trades: TradeTable, prices: dict[str, Any] | None = None, **config: Any) -> str:
    held = {BTC.name: prices_of(max(len(result.days.ts_ns), 1))} if prices is None else prices
    return render_report(result, compute_metrics(result, trades), trades, held, config)


class Outline(HTMLParser):
    """Checks that every element is closed in order, and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = page(result_of(EQUITY), trades_of(tmp_path, [5, -3, 8]))
    assert "://" not in text
    assert not re.search(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket", text)
    outline = Outline(text)
    for tag in ("link", "img", "iframe", "object", "embed", "base"):
        assert outline.of(tag) == []
    assert all(not {"src", "href"} & set(attributes) for _, attributes in outline.elements)
    assert any("default-src 'none'" in (attributes.get("content") or "") for attributes in outline.of("meta"))


def test_same_run_same_bytes_wherever_it_ran(tmp_path: Path) -> None:
    trades = trades_of(tmp_path, [5, -3, 8])
    one = result_of(EQUITY)
    other = result_of(EQUITY, run_dir=Path("/else/where"), journal=Path("/else/where/journal"), seconds=99.0)
    for name, result in (("one.html", one), ("other.html", other)):
        metrics = compute_metrics(result, trades)
        write_report(tmp_path / name, result, metrics, trades, {BTC.name: prices_of(120)})
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_every_text_is_escaped(tmp_path: Path) -> None:
    instrument = Instrument(venue="v", symbol=EVIL, currency="<i>", tick_size="0.01", lot_size="1")
    result = result_of(
        EQUITY,
        strategies=(EVIL, "other"),
        instruments=(instrument, BTC),
        currency="<i>",
        journal=Path(EVIL.replace("/", "")),
        result_hash="<i>",
    )
    names = {"strategy": [EVIL] * 2, "instrument": [instrument.name] * 2, "side": ["<i>"] * 2}
    trades = trades_of(tmp_path, [5, -3], **names)
    text = page(result, trades, {instrument.name: prices_of(120)}, **{EVIL: {"<i>": ["<i>", EVIL]}})
    outline = Outline(text)
    assert outline.of("b") == outline.of("i") == []
    assert len(outline.of("script")) == 4
    assert "alert" not in "".join(re.findall(r"<[^>]*>", text))


def test_read_outs_hold_the_values_of_their_times() -> None:
    text = page(result_of(EQUITY), no_trades())
    found = re.findall(r'<script type="application/json">(.*?)</script>', text)
    blocks = [json.loads(block) for block in found]
    assert [[one["name"] for one in block["series"]] for block in blocks] == [
        ["Equity", "coinbase/BTC-USD held"], ["Drawdown"], ["Price"],
    ]  # fmt: skip
    equity = blocks[0]["series"][0]["values"]
    assert len(equity) == 481
    assert (equity[0], equity[-1]) == (EQUITY[0], EQUITY[-1])
    assert set(equity) == set(EQUITY)
    assert min(blocks[1]["series"][0]["values"]) == pytest.approx(min(EQUITY) / max(EQUITY) - 1, abs=0.05)


def test_accessible_structure(tmp_path: Path) -> None:
    outline = Outline(page(result_of(EQUITY), trades_of(tmp_path, [5, -3, 8]), fast=3))
    drawings = outline.of("svg")
    assert len(drawings) == 4
    named = outline.of("title") + outline.of("desc")
    known = [attributes["id"] for attributes in named if "id" in attributes]
    assert len(known) == len(set(known)) == 8
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert all(name in known for name in (drawing["aria-labelledby"] or "").split())
    assert all(attributes.get("scope") in {"col", "row"} for attributes in outline.of("th"))
    assert len(outline.of("h1")) == 1


def test_monthly_returns_are_the_exact_ones() -> None:
    text = page(result_of([1100] * 31 + [990] * 29 + [1089] * 5), no_trades())
    row = re.search(r'<th scope="row">2024</th>(.*?)</tr>', text)
    assert row is not None
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1])
    assert cells == ["+10.0", "-10.0", "+10.0", *[""] * 9, "+8.9"]
    assert '<td class="gain4">+10.0</td>' in row[1]
    assert '<td class="total gain4">+8.9</td>' in row[1]


def test_last_trades_newest_first(tmp_path: Path) -> None:
    text = page(result_of(EQUITY), trades_of(tmp_path, [float(number) for number in range(60)], limit=55))
    table = text[text.index("Last trades") :]
    numbers = re.findall(r'<th scope="row">(\d+)</th><td>20', table)
    assert numbers == [str(number) for number in range(60, 10, -1)]
    assert "The last 50 of 60" in table
    assert '<td class="number gain">+59.00</td><td class="number gain">+59.00%</td>' in table
    assert "marked: the last 55 of 60 trades" in text


def test_a_spike_survives_thinning() -> None:
    values = [1000.0] * 30_000
    values[12_345] = 2000.0
    minute_ns = 60 * 10**9
    spiked = result_of(EQUITY, curve=curve(values, minute_ns), last_ts_ns=START_NS + 30_000 * minute_ns)
    drawn = re.search(r'<path class="line" d="([^"]*)"', page(spiked, no_trades(), {}))
    assert drawn is not None
    column = int(12_345 / 30_000 * 964)
    assert re.search(rf"L{column} [\d.]+V[\d.]+V[\d.]+V", drawn[1])
    assert drawn[1].count("V") == 3
    assert len(drawn[1]) < 20_000


def test_instruments_mark_their_own_trades_only(tmp_path: Path) -> None:
    other = Instrument(venue="us", symbol="SPY", currency="USD", tick_size="0.01", lot_size="1")
    trades = trades_of(tmp_path, [5, -3, 8], instrument=[BTC.name, other.name, BTC.name])
    prices = {BTC.name: prices_of(120), other.name: prices_of(120)}
    text = page(result_of(EQUITY, instruments=(BTC, other)), trades, prices)
    drawings = re.findall(r'<svg.*?id="price-(\d)-desc">(\d) trades', text)
    assert drawings == [("0", "2"), ("1", "1")]
    assert " held" not in text


def test_an_end_bar_takes_the_tail_and_none_is_lost(tmp_path: Path) -> None:
    table = trades_of(tmp_path, [*range(-100, 300), 50_000.0, -90_000.0])
    edges, counts = profit_bars(table, float(MONEY))
    assert counts.sum() == table.count
    assert 0.0 in edges
    assert counts[edges[:-1] < 0].sum() == table.loss_count
    assert edges.size <= 60


ODD = {
    "no rows": ([], 1000),
    "one row": ([1000], 1000),
    "flat": ([1000] * 50, 1000),
    "zero": ([1000, 0, 0], 1000),
    "debt": ([1000, -400, -900], 1000),
    "no deposit": ([0, 0, 5], 0),
    "far": ([1, 10, 100_000], 1),
}


@pytest.mark.parametrize(("equity", "deposit"), ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("profits", [[], [0.0], [5.0], [-5.0, 5.0]], ids=len)
def test_odd_runs_make_a_page(tmp_path: Path, equity: list[float], deposit: float, profits: list[float]) -> None:
    result = result_of(equity, deposit, journal=None, completed=False)
    text = page(result, trades_of(tmp_path, profits))
    Outline(text)
    drawn = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r"\b(nan|inf|None|NaN|Infinity)\b", drawn)
    assert "Interrupted" in text
    assert ("No trade was closed." in text) == (not profits)
    assert "This run kept no journal." in text


def test_verification_names_the_journal_beside_the_report() -> None:
    text = page(result_of(EQUITY), no_trades())
    assert "<code>kernel verify journal</code>" in text
    assert "<code>kernel replay journal</code>" in text
    spaced = page(result_of(EQUITY, run_dir=Path("a"), journal=Path("b/my journal")), no_trades())
    assert "kernel verify &#x27;b/my journal&#x27;" in spaced
    assert "Journal root" not in page(result_of(EQUITY, journal=None, journal_root=""), no_trades())


def test_configuration_is_flattened_in_its_order() -> None:
    config = {"b": {"y": 1, "x": None}, "a": [1, 2.5, True], "list": [{"n": "1"}, {"n": "2"}], "empty": []}
    assert list(flattened(config)) == [
        ("b.y", "1"),
        ("b.x", "none"),
        ("a", "1, 2.5, yes"),
        ("list[0].n", "1"),
        ("list[1].n", "2"),
        ("empty", ""),
    ]


def test_times_before_the_first_price_do_not_break_the_read_out() -> None:
    late = (curve([0] * 5, start_ns=START_NS + 50 * DAY_NS).ts_ns, np.array([1.0, 2, 3, 4, 5]))
    assert "held" in page(result_of(EQUITY), no_trades(), {BTC.name: late})


def test_series_of_bars_are_listed_with_what_is_in_none_of_them() -> None:
    counts = (SeriesCount("coinbase/BTC-USD", "1h <b>", 1234, 5, 6, 7, 8),)
    metrics = compute_metrics(result_of([1, 2]), no_trades())
    page = render_report(result_of([1, 2], series=counts), metrics, no_trades(), {})
    assert "<h2>Bars made</h2>" in page
    assert "1h &lt;b&gt; of coinbase/BTC-USD" in page
    cells = [f'<td class="number">{text}</td>' for text in ("1,234", "5", "6", "7", "8")]
    assert "".join(cells) in page
    assert "Bars made" not in render_report(result_of([1, 2]), metrics, no_trades(), {})
