"""The README tells the truth: its output is what the program prints, its strategies are those that ``new`` writes."""

import re
from pathlib import Path

from kernel.cli.new import COMPILED, PYTHON
from replay.api import backtest
from tests.cli.helpers import kernel

README = Path(__file__).resolve().parents[1].joinpath("README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def timeless(text: str) -> list[str]:
    """The lines of a summary without what differs from machine to machine."""
    lines = (re.sub(r"Bars/s +[\d,]+", "Bars/s", line).rstrip() for line in text.strip("\n").splitlines())
    return [re.sub(r"  +", "  ", line) for line in lines]  # a wider figure moves its whole column


def test_the_sample_output_is_what_kernel_replay_prints(tmp_path):
    done = kernel("replay", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = blocks("text")[0].removeprefix("$ kernel replay\n")
    assert timeless(shown) == timeless(done.stdout)


def body(source: str) -> str:
    """A strategy's code from its first import on, without its name."""
    code = source[source.index("from kernel") :]
    return re.sub(r"def my_idea|def \{name\}|class MyIdea|class \{name\}", "NAME", code).strip()


def test_the_strategies_are_those_that_new_writes():
    shown = blocks("python")
    assert body(shown[0]) == body(COMPILED)
    assert body(shown[1]) == body(PYTHON)


def test_both_strategies_give_the_same_trades(tmp_path):
    results = []
    for name, text in zip(("compiled.py", "python.py"), blocks("python"), strict=False):
        (tmp_path / name).write_text(text)
        results.append(backtest(str(tmp_path / name), run_dir=tmp_path / name.removesuffix(".py")))
    assert results[0].result_hash == results[1].result_hash
    assert results[0].trades > 100


def test_the_settings_file_is_valid(tmp_path):
    from replay.config import RunConfig, load_config

    (tmp_path / "run.toml").write_text(blocks("toml")[0])
    assert isinstance(load_config(tmp_path / "run.toml", {}), RunConfig)


def test_the_first_two_blocks_are_the_two_commands():
    run, test = blocks("sh")[:2]
    assert run.startswith("python3 -m venv .venv && ")
    assert run.strip().endswith("kernel replay")
    assert test.strip().endswith("-m pytest -n 2")
