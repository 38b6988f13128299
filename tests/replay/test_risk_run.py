"""Whole runs under [risk]: what the checks refuse is counted, listed and told."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner

from kernel.cli import cli
from kernel.events import catalogue as c
from kernel.risk.numbers import CHECKS
from replay.history import History
from replay.inspect.frames import Filter
from replay.metrics import compute_metrics
from replay.report import read_trades
from replay.runner import run_backtest
from replay.sample import sample_root
from replay.summary import render_summary, summary_json
from tests.replay.conftest import prepared
from tests.replay.runs import SPY

NAMES = {number: check.name for number, check in CHECKS.items()}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """A run on the sample whose exposure limit lets one order in and refuses the others."""
    folder = tmp_path_factory.mktemp("refused")
    risk = {"symbol_exposure": "95000", "positions": 1}
    return run_backtest(prepared(to="2018-01-01", risk=risk, fsync="off"), folder / "run")


def verdicts(run):
    """Name of the check and time of every refusal in a journal."""
    for stored in History(run.run_dir, []).events(Filter()):
        if isinstance(stored.event, c.RiskChecked | c.RequestRefused) and stored.event.check:
            yield NAMES[stored.event.check], stored.ts_event_ns


def test_the_result_counts_what_each_check_refused(refused):
    found = list(verdicts(refused))
    counts = Counter(name for name, _ in found)
    assert counts["symbol_exposure"] > 3
    assert {refusal.check: refusal.count for refusal in refused.refusals} == counts
    for refusal in refused.refusals:
        assert refusal.first_ts_ns == next(ts_ns for name, ts_ns in found if name == refusal.check)


def test_the_summary_says_it(refused):
    metrics = compute_metrics(refused, read_trades(refused.run_dir / "trades.parquet", 10))
    text = render_summary(refused, metrics, width=100, color=False, encoding="utf-8")
    (first,) = refused.refusals
    line = next(line for line in text.splitlines() if "symbol_exposure" in line)
    assert line.split()[:2] == ["symbol_exposure", f"{first.count:,}"]
    assert summary_json(refused, metrics)["refused"][0]["count"] == first.count


def test_the_summary_says_which_gates_have_nothing_to_measure(tmp_path):
    """A preset that asks for data which the run does not have refuses every entry; the reader must learn why."""
    risk = {"average_daily_volume_min": 500_000}
    result = run_backtest(prepared(to="2016-08-01", risk=risk), tmp_path / "run")
    metrics = compute_metrics(result, read_trades(tmp_path / "run" / "trades.parquet", 10))
    (only,) = result.refusals
    assert (only.check, only.unseen) == ("average_daily_volume", only.count)
    text = render_summary(result, metrics, width=100, color=False, encoding="utf-8")
    assert "not in the data: average_daily_volume; import it, or set pass_unknown = true under [risk]" in text
    assert summary_json(result, metrics)["refused"][0]["unseen"] == only.count


def test_a_run_without_refusals_says_nothing_of_them(tmp_path):
    result = run_backtest(prepared(to="2016-06-01"), tmp_path / "run")
    metrics = compute_metrics(result, read_trades(tmp_path / "run" / "trades.parquet", 10))
    assert result.refusals == ()
    assert "Refused" not in render_summary(result, metrics, width=100, color=False, encoding="utf-8")


def test_show_lists_verdicts_by_check(refused):
    def show(*arguments: object) -> list[dict]:
        done = CliRunner().invoke(cli, ["show", str(refused.run_dir), "--json", *map(str, arguments)])
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    (first,) = refused.refusals
    by_name, all_refused = show("--check", "symbol_exposure"), show("--check", "refused")
    assert len(by_name) == len(all_refused) == first.count
    assert {event["topic"] for event in by_name} == {"risk.check"}
    approved = show("--check", "approved")
    assert approved
    assert all(event["fields"]["check"] == 0 for event in approved)
    done = CliRunner().invoke(cli, ["show", str(refused.run_dir), "--check", "symbol_exposur"])
    assert done.exit_code == 2
    assert "did you mean symbol_exposure?" in done.output


IN_AND_OUT = """
from kernel.strategy.python import Strategy


class InAndOut(Strategy):
    def on_bar(self, bar):
        self.target_fraction(0.0 if self.position_lots else 0.01)
"""
LEVELS = """ts,vix,adv,earnings
1998-01-01T00:00:00Z,19.5,900000,
1998-02-02T00:00:00Z,31.25,,
1998-03-02T00:00:00Z,20,,
1998-04-01T00:00:00Z,,499999,
1998-05-01T00:00:00Z,,500000,
1998-05-02T00:00:00Z,,,1998-06-10T20:00:00Z
"""


def span(name: str, found: list[tuple[str, str]]) -> tuple[str, str]:
    days = [day for check, day in found if check == name]
    return days[0], days[-1]


def test_levels_from_a_file_gate_entries(tmp_path):
    """Index, volume and earnings through kernel data import and kernel replay, on the packaged bars of SPY."""
    root = tmp_path / "root" / "us" / "SPY"
    root.mkdir(parents=True)
    shutil.copy(SPY, root)
    (tmp_path / "levels.csv").write_text(LEVELS)
    (tmp_path / "in_and_out.py").write_text(IN_AND_OUT)
    (tmp_path / "run.toml").write_text(
        'data = ["root"]\nto = "1998-07-01"\njournal = "full"\n[[strategy]]\nuse = "in_and_out.py"\n'
        '[risk]\nvix_max = 20\naverage_daily_volume_min = 500000\nearnings_blackout = "2d"\n'
    )
    call = ["data", "import", tmp_path / "levels.csv", "--kind", "levels", "--venue", "us", "--symbol", "SPY"]
    done = CliRunner().invoke(cli, [str(word) for word in [*call, "--root", tmp_path / "root"]])
    assert done.exit_code == 0, done.output
    run = ["replay", "--config", tmp_path / "run.toml", "--out", tmp_path / "run", "--no-report", "--json"]
    done = CliRunner().invoke(cli, [str(word) for word in run])
    assert done.exit_code == 0, done.output
    told = {entry["check"]: entry for entry in json.loads(done.stdout.splitlines()[-1])["refused"]}
    assert list(told) == ["vix", "average_daily_volume", "earnings"], "in the order of the checks"
    history = History(tmp_path / "run", [])
    found = [
        (NAMES[stored.event.check], str(np.datetime64(stored.ts_event_ns, "ns"))[:10])
        for stored in history.events(Filter())
        if isinstance(stored.event, c.RiskChecked) and stored.event.check
    ]
    assert Counter(name for name, _ in found) == {name: entry["count"] for name, entry in told.items()}
    assert span("vix", found) == ("1998-02-02", "1998-02-27")
    assert span("average_daily_volume", found) == ("1998-04-01", "1998-04-30")
    assert span("earnings", found) == ("1998-06-09", "1998-06-12")
    levels = [stored for stored in history.events(Filter(market=True)) if isinstance(stored.event, c.LevelSet)]
    assert len(levels) == 7


SAYS_ONCE = """
from kernel.strategy.python import Strategy


class SaysOnce(Strategy):
    speaker: int = 0
    about: int = 0

    def on_start(self) -> None:
        self.said = False

    def on_bar(self, bar):
        if not self.said and bar.instrument == self.speaker:
            self.signal(1, instrument=self.about)
            self.said = True
"""


def replay_once(tmp_path, settings: str) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """A run of a strategy with one signal through kernel replay: what was refused, and how old each target was."""
    (tmp_path / "says_once.py").write_text(SAYS_ONCE)
    (tmp_path / "run.toml").write_text(settings)
    run = ["replay", "--config", tmp_path / "run.toml", "--out", tmp_path / "run", "--no-report", "--json"]
    done = CliRunner().invoke(cli, [str(word) for word in run])
    assert done.exit_code == 0, done.output
    refused = {entry["check"]: entry["count"] for entry in json.loads(done.stdout.splitlines()[-1])["refused"]}
    signal_ns, found = 0, []
    for stored in History(tmp_path / "run", []).events(Filter()):
        if isinstance(stored.event, c.SignalEmitted):
            signal_ns = stored.ts_ingest_ns
        elif isinstance(stored.event, c.RiskChecked | c.RequestRefused):
            found.append((NAMES.get(stored.event.check, "approved"), (stored.ts_ingest_ns - signal_ns) // 10**9))
    return refused, found


WAITS = """data = ["{spy}", "{btc}"]
from = "2016-05-17"
to = "2016-05-19"
[[strategy]]
use = "says_once.py"
set = {{speaker = 1, about = 0}}
[sizing]
model = "fixed_lots"
lots = 1
[risk]
stale_after = "{stale_after}"
"""


@pytest.mark.parametrize(("stale_after", "check"), [("5m", "stale"), ("1d", "approved")])
def test_a_signal_that_waited_too_long_for_a_price_is_not_acted_on(tmp_path, stale_after, check):
    """A bar of SPY says something of BTC-USD, whose first price comes hours later."""
    btc = sample_root() / "coinbase" / "BTC-USD" / "bars-4h.parquet"
    refused, found = replay_once(tmp_path, WAITS.format(spy=SPY, btc=btc, stale_after=stale_after))
    ((verdict, age_seconds),) = found
    assert verdict == check
    assert 3600 < age_seconds < 86_400
    assert refused == ({"stale": 1} if check == "stale" else {})


REFUSED = """data = ["{spy}"]
to = "1998-01-06"
[[strategy]]
use = "says_once.py"
[sizing]
model = "fixed_lots"
lots = 10
[limits]
order_lots = 9
[risk]
stale_after = "{stale_after}"
"""


TRIED = [("order_quantity", 0), ("order_quantity", 3600), ("order_quantity", 7200)]


@pytest.mark.parametrize(
    ("stale_after", "verdicts_and_ages"),
    [
        ("5m", [*TRIED[:1], ("stale", 3600)]),
        ("90m", [*TRIED[:2], ("stale", 7200)]),
        ("2h", TRIED),  # a minute after the last one it is too old to wait for a price
    ],
)
def test_an_order_that_is_refused_is_tried_again_until_its_signal_is_stale(tmp_path, stale_after, verdicts_and_ages):
    refused, found = replay_once(tmp_path, REFUSED.format(spy=SPY, stale_after=stale_after))
    assert found == verdicts_and_ages
    assert refused == Counter(verdict for verdict, _ in verdicts_and_ages)
