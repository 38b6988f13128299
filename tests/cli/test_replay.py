"""``kernel replay``, as a user runs it: outputs, exit codes, one clear line for each kind of bad input."""

import json
import re
import signal
import time
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from journal import verify_journal
from kernel.cli.settings import strategy_entries
from replay.config import load_config
from tests.cli.helpers import kernel, start_kernel

SPAN = ("--to", "2018-01-01")
RAISING = """
from kernel.strategy.python import Strategy


class Raising(Strategy):
    count = 0

    def on_bar(self, bar):
        self.count += 1
        if self.count == 40:
            self.target_fraction(0.5)
        if self.count == 100:
            raise ValueError("boom")
"""
SLOW = """
import time

from kernel.strategy.python import Strategy


class Slow(Strategy):
    count = 0

    def on_bar(self, bar):
        self.count += 1
        if self.count % 50 == 0:
            self.target_fraction(0.5 if self.count % 100 else 0.0)
        if self.count > 17000:
            time.sleep(0.001)
"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """One finished run of a part of the sample, and its JSON."""
    path = tmp_path_factory.mktemp("replay") / "run"
    done = kernel("replay", *SPAN, "--out", path, "--json")
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout.splitlines()[-1])


def test_a_run_writes_its_directory_and_says_what_came_out(run_dir):
    path, summary = run_dir
    for name in ("run.json", "certificate.json", "trades.parquet", "equity.parquet", "report.html", "journal"):
        assert (path / name).exists(), name
    assert {"result_hash", "journal_root", "journal", "bars", "events", "seconds", "trades", "final_equity"} <= set(
        summary
    )
    assert summary["bars"] == len(pq.read_table(path / "equity.parquet"))
    assert summary["trades"] == len(pq.read_table(path / "trades.parquet")) > 10
    report = verify_journal(path / "journal")
    assert report.ok
    assert report.root.hex() == summary["journal_root"]
    assert report.events == summary["events"]


def test_the_certificate_names_inputs_and_outputs(run_dir):
    path, summary = run_dir
    certificate = json.loads((path / "certificate.json").read_text())
    assert certificate["outputs"]["result_hash"] == summary["result_hash"]
    assert certificate["outputs"]["journal_root"] == summary["journal_root"]
    assert certificate["inputs"]["strategies"][0]["name"] == "ema_cross"
    assert re.fullmatch("[0-9a-f]{64}", certificate["inputs"]["data"][0]["sha256"])
    assert str(path) not in json.dumps(certificate)


def test_rerunning_a_journal_finds_it_identical(run_dir):
    path, summary = run_dir
    for place in (path, path / "journal"):
        done = kernel("replay", place)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("identical: ")
        assert summary["result_hash"] in done.stdout


def test_rerunning_with_another_strategy_names_the_first_difference(run_dir, tmp_path):
    path, _ = run_dir
    other = tmp_path / "other.py"
    text = Path("strategies/ema_cross.py").read_text()
    other.write_text(text.replace("if quick > steady and held <= 0", "if quick < steady and held <= 0"))
    done = kernel("replay", path, "--strategy", other, "--json")
    assert done.returncode == 1
    assert "first difference at event" in done.stderr
    assert "changed since it was recorded: the source of strategy ema_cross" in done.stderr
    answer = json.loads(done.stdout)
    assert answer["identical"] is False
    assert answer["difference"]["event"]


def test_the_summary_for_people(tmp_path):
    done = kernel("replay", *SPAN, "--out", tmp_path / "run", "--no-report")
    assert done.returncode == 0, done.stderr
    for word in ("Max drawdown", "Sharpe", "Fees", "Final equity", "Result hash", "Journal root", str(tmp_path)):
        assert word in done.stdout
    assert not (tmp_path / "run" / "report.html").exists()


def test_command_line_over_file_over_defaults(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        'cash = 5000\nfee_bps = 3\nto = "2017-01-01"\n[[strategy]]\nuse = "ema_cross"\nset = { fast = 5 }\n'
    )
    out = tmp_path / "run"
    done = kernel("replay", "--config", file, "--cash", "7000", "--set", "slow=40", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    resolved = json.loads((out / "certificate.json").read_text())["inputs"]["configuration"]
    assert resolved["cash_minor"] == 7_000_000_000
    assert resolved["rates"]["taker_fee"] == 30_000
    assert resolved["strategies"][0]["parameters"] == {"fast": 5, "slow": 40, "fraction": 0.95, "short": 0}
    assert resolved["fill"] == "pessimistic"


def test_set_keeps_what_else_the_file_says_of_a_strategy(tmp_path):
    file = tmp_path / "run.toml"
    kelly = 'model = "kelly"\nwin = 0.6\npayoff = 2\n'
    file.write_text(f'[[strategy]]\nuse = "ema_cross"\n[strategy.exits]\nstop = 0.05\n[strategy.sizing]\n{kelly}')
    before = load_config(file, {}).strategies[0]
    (after,) = strategy_entries([], [("slow", "40")], file, "ema_cross")
    assert msgspec.convert(after, type(before)) == msgspec.structs.replace(before, parameters={"slow": "40"})


def test_several_instruments_and_strategies(tmp_path):
    from replay.sample import sample_root

    out = tmp_path / "run"
    done = kernel(
        "replay", "--data", sample_root() / "coinbase", "--data", sample_root() / "us",
        "--strategy", "momentum_rotation", "--strategy", "buy_and_hold",
        "--set", "buy_and_hold.fraction=0.2", "--set", "momentum_rotation.fraction=0.3",
        "--from", "2016-06-01", "--to", "2018-01-01", "--out", out, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["instruments"] == ["coinbase/BTC-USD", "us/SPY"]
    trades = pq.read_table(out / "trades.parquet").to_pylist()
    assert {trade["instrument"] for trade in trades} == {"coinbase/BTC-USD", "us/SPY"}
    assert kernel("replay", out).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--strategy", "ema_cros"], 2, "no strategy 'ema_cros'; did you mean ema_cross?"),
        (["--set", "fats=3"], 2, "strategy ema_cross has no parameter 'fats'; did you mean fast?"),
        (["--set", "fast=soon"], 2, "fast='soon' is not an integer"),
        (["--set", "fast"], 2, "--set fast: write it as KEY=VALUE"),
        (["--set", "other.fast=3"], 2, "no strategy 'other' in this run; it has ema_cross"),
        (["--data", "nowhere.parquet"], 1, "nowhere.parquet"),
        (["--data", "README.md"], 1, "README.md"),
        (["--from", "yesterday"], 2, "from is 'yesterday'; write a date such as 2020-01-31"),
        (["--from", "2030-01-01"], 2, "the data has no row in the span asked for"),
        (["--cash", "lots"], 2, "cash cannot be used: 'lots' is not a number"),
        (["--cash", "-5"], 2, "cash is -5; it must be 0 or more"),
        (["--fee-bps", "-1"], 2, "fee_bps is -1; it cannot be negative"),
        (["--volume-share", "2"], 2, "volume_share is 2; it must be above 0 and at most 1"),
        (["--limit", "open_order=1"], 2, "limits.open_order is an unknown setting; did you mean limits.open_orders?"),
        (["--config", "missing.toml"], 2, "missing.toml: cannot be read"),
        (["--fill", "magic"], 2, "Invalid value for '--fill'"),
        (["--strategy", "missing.py"], 2, "no such strategy file"),
        (["nowhere"], 2, "nowhere: no journal there"),
        (["--resume", "nowhere"], 2, "nowhere: no run.json there"),
        (["somewhere", "--resume", "nowhere"], 2, "not both"),
        (["--fats"], 2, "No such option"),
    ],
)
def test_bad_input_gets_one_clear_line(arguments, code, message, tmp_path):
    done = kernel("replay", *arguments, *([] if arguments[0] == "nowhere" else ["--out", tmp_path / "run"]))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_used_directory_is_refused(run_dir):
    path, _ = run_dir
    before = (path / "certificate.json").read_bytes()
    done = kernel("replay", "--out", path)
    assert done.returncode == 2
    assert "is not empty; name another --out" in done.stderr
    assert (path / "certificate.json").read_bytes() == before


def test_a_strategy_that_raises_is_named_with_line_and_bar(tmp_path):
    strategy = tmp_path / "raising.py"
    strategy.write_text(RAISING)
    done = kernel("replay", "--strategy", strategy, "--out", tmp_path / "run")
    assert done.returncode == 1
    line = RAISING.splitlines().index('            raise ValueError("boom")') + 1
    assert f"strategy Raising raised ValueError: boom; {strategy}, line {line}, on row 99" in done.stderr
    assert "bar of coinbase/BTC-USD at 2016-06-03" in done.stderr
    report = verify_journal(tmp_path / "run" / "journal")
    assert report.ok
    assert report.events > 99


@pytest.mark.parametrize(("line", "reason"), [("nothing(ctx)", "nothing"), ("ctx.nothing()", "nothing")])
def test_a_strategy_that_does_not_compile_is_named(line, reason, tmp_path):
    strategy = tmp_path / "broken.py"
    strategy.write_text(
        f"from kernel.strategy.declare import compiled\n\n\n@compiled()\ndef broken(ctx, own):\n    {line}\n"
    )
    done = kernel("replay", "--strategy", strategy, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert f"{strategy}: broken does not compile: " in done.stderr
    assert reason in done.stderr
    assert [line[:7] for line in done.stderr.splitlines()].count("kernel:") == 1
    assert "Traceback" not in done.stderr


def test_a_file_in_the_way_of_the_run_directory(tmp_path):
    (tmp_path / "run").write_text("in the way")
    done = kernel("replay", "--out", tmp_path / "run" / "deeper")
    assert done.returncode == 1
    assert "deeper" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_ends_in_one_line(tmp_path):
    """/dev/full refuses every write; a limit on the file size does the same for a real directory."""
    import resource

    done = kernel_limited(["replay", *SPAN, "--out", str(tmp_path / "run")], resource.RLIMIT_FSIZE, 20_000)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "journal" in done.stderr or "too large" in done.stderr.lower()


def kernel_limited(arguments, limit, value):
    """Run the command line under a resource limit of the system."""
    import resource
    import subprocess
    import sys

    from tests.cli.helpers import PROGRAM, environment_with

    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(limit, (value, value))

    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, preexec_fn=apply, env=environment_with(), timeout=300, check=False
    )


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_resumes_to_the_same_result(way, tmp_path):
    strategy = tmp_path / "slow.py"
    strategy.write_text(SLOW)
    out = tmp_path / "run"
    process = start_kernel("replay", "--strategy", strategy, "--out", out, "--json")
    segment = out / "journal" / "00000000000000000001.seg"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (segment.exists() and segment.stat().st_size > 2_000):
        time.sleep(0.05)
    process.send_signal(way)
    output, errors = process.communicate(timeout=120)
    if way == signal.SIGINT:
        assert process.returncode == 130, errors
        assert "go on with: kernel replay --resume" in errors
        assert json.loads(output)["completed"] is False
    report = verify_journal(out / "journal")
    assert report.ok
    resumed = kernel("replay", "--resume", out, "--json")
    assert resumed.returncode == 0, resumed.stderr
    whole = kernel("replay", "--strategy", strategy, "--out", tmp_path / "whole", "--json")
    assert json.loads(resumed.stdout)["result_hash"] == json.loads(whole.stdout)["result_hash"]
    assert kernel("replay", out).returncode == 0


REACHING = """
import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from helper import level
from numbers_of_mine import SHARE

from kernel.strategy.api_nb import position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled()
def reaching(ctx, own):
    if position_lots(ctx) == 0:
        target_fraction(ctx, level(SHARE))
"""


def test_a_change_in_a_file_that_a_strategy_imports_is_seen(tmp_path):
    """Machine code is cached between processes; what it was made from may lie in several files."""
    (tmp_path / "reaching.py").write_text(REACHING)
    helper = "from kernel.jit import jit\n\n\n@jit\ndef level(share):\n    return share * {}\n"
    results = []
    for number, (factor, share) in enumerate([("1.0", "0.5"), ("1.0", "0.5"), ("0.5", "0.5"), ("0.5", "0.25")]):
        (tmp_path / "helper.py").write_text(helper.format(factor))
        (tmp_path / "numbers_of_mine.py").write_text(f"SHARE = {share}\n")
        out = tmp_path / f"run-{number}"
        done = kernel("replay", "--strategy", tmp_path / "reaching.py", "--to", "2016-07-01", "--out", out, "--json")
        assert done.returncode == 0, done.stderr
        results.append(json.loads(done.stdout)["result_hash"])
    assert results[0] == results[1]
    assert len(set(results)) == 3


def test_bars_that_are_asked_for_are_made_and_shown(tmp_path):
    done = kernel("replay", "--bars", "8h, 1d", "--to", "2016-08-01", "--out", "run", "--no-report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"8h of coinbase/BTC-USD +22\d +\d", done.stdout)
    shown = kernel("show", "run", "--topic", "bar.closed", "--limit", "1", cwd=tmp_path)
    bar = "8h: open 456.16 .* from 2016-05-18 00:00:00 to 2016-05-18 08:00:00, gaps"
    assert re.search(bar, shown.stdout)
    moment = kernel("at", "run", "62", cwd=tmp_path)
    assert re.search(r"1d +coinbase/BTC-USD +2016-05-", moment.stdout), moment.stdout
    assert kernel("verify", "--deep", "run", cwd=tmp_path).returncode == 0
    again = kernel("replay", "run", cwd=tmp_path)
    assert again.stdout.startswith("identical:")
    bad = kernel("replay", "--bars", "1h", "--out", "other", cwd=tmp_path)
    assert bad.returncode == 2
    assert bad.stderr.count("\n") == 1
    assert "bars of 4h, of which 1h is not a multiple" in bad.stderr
