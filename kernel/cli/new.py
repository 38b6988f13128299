"""``kernel new``: working files to start from.

Owns the templates. What it writes runs and passes its test as it stands.
"""

import keyword
from pathlib import Path

import click

from kernel.cli.errors import BadInput, clear_errors

COMPILED = '''"""{title}: a compiled strategy. Run it with: kernel replay --strategy {file}"""

from math import isnan

from kernel.indicators.steps import ema_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(memory=4, fast=12, slow=26, fraction=0.95)
def {name}(ctx, own, fast, slow, fraction):
    """Long while the fast average is above the slow one, else flat."""
    quick = ema_nb(own, 0, close_ticks(ctx), fast, 1)
    steady = ema_nb(own, 2, close_ticks(ctx), slow, 1)
    if isnan(quick) or isnan(steady):  # not enough bars yet
        return
    if quick > steady and position_lots(ctx) == 0:
        target_fraction(ctx, fraction)
    elif quick < steady and position_lots(ctx) > 0:
        target_fraction(ctx, 0.0)
'''

PYTHON = '''"""{title}: a strategy in plain Python. Run it with: kernel replay --strategy {file}"""

from kernel.strategy.python import Bar, Strategy


class {name}(Strategy):
    """Long while the fast average is above the slow one, else flat."""

    fast: int = 12
    slow: int = 26
    fraction: float = 0.95

    def on_start(self) -> None:
        self.quick = self.steady = 0.0
        self.count = 0

    def on_bar(self, bar: Bar) -> None:
        if self.count == 0:
            self.quick = self.steady = float(bar.close_ticks)
        self.quick += (bar.close_ticks - self.quick) * (2.0 / (self.fast + 1.0))
        self.steady += (bar.close_ticks - self.steady) * (2.0 / (self.slow + 1.0))
        self.count += 1
        if self.count < self.slow:
            return
        if self.quick > self.steady and self.position_lots == 0:
            self.target_fraction(self.fraction)
        elif self.quick < self.steady and self.position_lots > 0:
            self.target_fraction(0.0)
'''

TEST = '''"""Tests of {file}: it trades on the sample, and a second run comes out the same."""

from pathlib import Path

from replay.api import backtest

STRATEGY = str(Path(__file__).with_name("{file}"))


def test_trades_on_the_sample():
    result = backtest(STRATEGY)
    assert result.trades > 0
    assert result.final_equity_minor > 0


def test_is_deterministic():
    first, second = backtest(STRATEGY), backtest(STRATEGY)
    assert first.result_hash == second.result_hash
    assert first.journal_root == second.journal_root


def test_parameters_matter():
    slower = backtest(STRATEGY, parameters={{"fast": 24, "slow": 52}})
    assert slower.result_hash != backtest(STRATEGY).result_hash
'''


@click.group()
def new() -> None:
    """Write working files to start from."""


@new.command()
@click.argument("name")
@click.option("--python", "in_python", is_flag=True, help="A class in plain Python instead of a compiled function.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), help="Where to write; default: here.")
def strategy(name: str, in_python: bool, folder: Path) -> None:
    """Write a working strategy NAME.py with its test."""
    with clear_errors():
        if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
            raise BadInput(f"{name!r} cannot name a strategy; use lower-case letters, digits and _, such as my_idea")
        file, test = folder / f"{name}.py", folder / f"test_{name}.py"
        for path in (file, test):
            if path.exists():
                raise BadInput(f"{path} exists already; choose another name, or move it away")
        title = name.replace("_", " ").capitalize()
        symbol = "".join(part.capitalize() for part in name.split("_")) if in_python else name
        folder.mkdir(parents=True, exist_ok=True)
        template = PYTHON if in_python else COMPILED
        file.write_text(template.format(title=title, name=symbol, file=file.name))
        test.write_text(TEST.format(file=file.name))
        click.echo(f"wrote {file} and {test}; run it with: kernel replay --strategy {file}")
