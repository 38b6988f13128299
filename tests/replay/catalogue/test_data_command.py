"""``kernel data``: what it prints where, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from kernel.cli.data import data
from replay.sample import sample_root
from tests.replay.catalogue.makers import bars_csv, csv_of

NAMED = ["--venue", "test", "--symbol", "ABC-USD", "--interval", "1m"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


def test_import_prints_data_to_stdout_and_talk_to_stderr(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "bars.csv")
    result = run("import", source, *NAMED, "--root", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path}/test/ABC-USD/bars-1m.parquet: 6 rows\n"
    assert "note: tick size: 0.01, inferred" in result.stderr


def test_import_json(tmp_path: Path) -> None:
    result = run("import", bars_csv(tmp_path / "bars.csv"), *NAMED, "--root", tmp_path, "--json")
    facts = json.loads(result.stdout)
    assert facts["rows_imported"] == 6
    assert facts["instrument"]["tick_size"] == "0.01"
    assert facts["first"] == "2024-01-02 10:01:00.000000000Z"


def test_depth_is_imported_shown_and_validated(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "d.csv", "ts,side,price,size", ["1700000000,bid,1.5,2", "1700000000,ask,1.6,3"])
    named = ["--venue", "test", "--symbol", "ABC-USD", "--kind", "depth"]
    result = run("import", source, *named, "--root", tmp_path)
    assert result.exit_code == 0, result.stderr
    path = tmp_path / "test" / "ABC-USD" / "depth.parquet"
    assert result.stdout == f"{path}: 2 rows\n"
    [facts] = [json.loads(line) for line in run("info", tmp_path, "--json").stdout.splitlines()]
    assert (facts["kind"], facts["name"], facts["rows"]) == ("depth", "depth", 2)
    assert run("validate", path).stdout == f"{path}: ok, 2 rows\n"


def test_a_data_problem_is_exit_code_1_and_one_line_each(tmp_path: Path) -> None:
    row = "2024-01-02T10:02:00Z,-1,99,101,103,12"
    result = run("import", bars_csv(tmp_path / "b.csv", {3: row}), *NAMED, "--root", tmp_path)
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("kernel data import: ") and "(1 row: 3)" in line for line in lines)


def test_a_repair_is_stated_with_its_rows(tmp_path: Path) -> None:
    row = "2024-01-02T10:02:00Z,102.25,101.75,104.5,103.0,12"
    source = bars_csv(tmp_path / "b.csv", {3: row})
    result = run("import", source, *NAMED, "--root", tmp_path, "--repair", "clip-range,sort")
    assert result.exit_code == 0, result.stderr
    assert "repair: clip-range, 1 row\n" in result.stderr
    assert "repair: sort, 0 rows\n" in result.stderr


def test_a_wrong_command_line_is_exit_code_2(tmp_path: Path) -> None:
    source = bars_csv(tmp_path / "b.csv")
    for wrong in (["--kind", "news"], ["--column", "open"], ["--replace", "--append"], ["--nope"]):
        assert run("import", source, *NAMED, *wrong).exit_code == 2


def test_a_missing_source_is_one_line(tmp_path: Path) -> None:
    result = run("import", tmp_path / "nope.csv", *NAMED)
    assert result.exit_code == 1
    assert result.stderr == f"kernel data import: {tmp_path}/nope.csv: no such file\n"


def test_info_of_the_sample() -> None:
    table = run("info", sample_root())
    assert table.exit_code == 0
    assert "coinbase/BTC-USD" in table.stdout
    lines = run("info", sample_root(), "--json").stdout.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {"bars-4h", "bars-1h", "trades", "quotes"}


def test_validate_tells_good_from_bad(tmp_path: Path) -> None:
    good = run("validate", sample_root())
    assert good.exit_code == 0
    assert good.stdout.count(": ok, ") == 5
    bad = tmp_path / "bad.parquet"
    bad.write_bytes((sample_root() / "us/SPY/bars-1h.parquet").read_bytes()[:1000])
    result = run("validate", bad)
    assert result.exit_code == 1
    assert "BAD, unusable" in result.stdout
    assert "truncated" in result.stderr


def test_validate_checks_sources_too(tmp_path: Path) -> None:
    result = run("validate", bars_csv(tmp_path / "good.csv"))
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/good.csv: ok, 6 rows\n")
    assert "tick size: 0.01, inferred" in result.stderr
    result = run("validate", bars_csv(tmp_path / "bad.csv", {2: "2024-01-02T10:01:00Z,1,2,3,1,1"}))
    assert result.exit_code == 1
    assert "high below low" in result.stderr
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["bad.csv", "good.csv"]


def test_an_empty_root_is_one_line(tmp_path: Path) -> None:
    result = run("info", tmp_path)
    assert result.exit_code == 1
    assert "no catalogue files here" in result.stderr


def test_help_loads_nothing_heavy() -> None:
    program = "import sys, kernel.cli.data; print([m for m in ('pyarrow', 'numpy', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
