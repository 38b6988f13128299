"""``kernel indicators``: the list, one entry, JSON, and a name that there is not."""

import json
from pathlib import Path

from click.testing import CliRunner

from kernel.cli import cli
from kernel.indicators import indicators

PAGE = Path(__file__).resolve().parents[2] / "docs" / "indicators.md"


def run(*arguments: str):
    return CliRunner().invoke(cli, ["indicators", *arguments])


def test_the_list_is_the_page_in_the_docs() -> None:
    done = run()
    assert done.exit_code == 0
    assert done.output == PAGE.read_text(encoding="utf-8")


def test_one_entry() -> None:
    done = run("rsi")
    assert done.output.startswith("- `rsi(value; period=14 [2..100000])` Relative strength index")
    assert "Look-back 14, 4 words." in done.output


def test_json_has_all_of_it() -> None:
    facts = [json.loads(line) for line in run("--json").output.splitlines()]
    assert [one["name"] for one in facts] == list(indicators())
    (macd,) = [one for one in facts if one["name"] == "macd"]
    assert macd["parameters"]["fast"] == {"default": 12, "lowest": 2, "highest": 100000}
    assert macd["outputs"] == ["macd", "signal", "histogram"]
    assert (macd["lookback"], macd["memory_words"], macd["inputs"]) == (33, 4, ["value"])
    assert run("ema", "--json").output.count("\n") == 1


def test_an_unknown_name_is_one_line() -> None:
    done = run("rsy")
    assert done.exit_code == 2
    assert "no indicator 'rsy'; did you mean rsi?" in done.output
