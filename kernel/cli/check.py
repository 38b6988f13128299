"""``kernel check``: does a strategy look ahead, and does it say rightly how many bars it needs.

Parses, calls one function of ``replay.check``, renders. Exit codes: 0 nothing was found; 1 something was; 2 usage.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import Failure, clear_errors
from kernel.cli.journals import json_option, note, print_lines, terminal_width
from kernel.cli.progress import COMPILING, ProgressBar, slow_start
from kernel.plurals import counted


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("strategy"),
            click.option(
                "--data", multiple=True, help="Catalogue file or folder; may be repeated. Default: the sample."
            ),
            click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Strategy parameter."),
            click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file with settings."),
            click.option("--from", "start", help="First time to include."),
            click.option("--to", "end", help="Time to stop before."),
            json_option,
        )
    ):
        function = option(function)
    return function


@click.group()
def check() -> None:
    """Check a strategy (a built-in name or FILE.py[:NAME])."""


@check.command()
@_options
@click.option("--cuts", default=12, show_default=True, type=click.IntRange(1, 1000), help="How many moments to try.")
@click.option("--seed", default=0, help="Of the changed futures.")
def lookahead(strategy: str, cuts: int, seed: int, as_json: bool, **options: Any) -> None:
    """Does STRATEGY decide the same, whatever comes later?

    It is run on the whole data, again on it, and for each cut on data that ends there and on data with another future.
    All that it did before a cut must be the same. What it opens by itself (files, connections) is told too.
    """
    with clear_errors():
        from replay.check.lookahead import check_lookahead

        prepared, watch = _prepare(strategy, options, alone=False)
        with ProgressBar("check") as progress:
            report = check_lookahead(prepared, watch, cuts=cuts, seed=seed, progress=progress)
        if as_json:
            import msgspec

            click.echo(json.dumps({"good": report.is_good, **msgspec.to_builtins(report)}))
        else:
            _tell_lookahead(report)
        if not report.decisions:
            note("it asked for nothing in this data, so little was checked")
        if not report.is_good:
            raise Failure(f"{strategy} looks ahead, or decides by something else than what it is given")


def _tell_lookahead(report: Any) -> None:
    from replay.inspect.phrases import time_text
    from replay.inspect.text import lay_out

    rows = []
    for cut in report.cuts:
        found = "the same"
        if cut.difference is not None:
            found = f"{time_text(cut.difference_ts_ns)}: {cut.difference.describe('the whole data', 'this run')}"
        rows.append((cut.what, time_text(cut.ts_ns), f"{cut.row:,}", f"{cut.decisions:,}", found))
    header = ("run", "until", "rows", "decisions", "before the cut")
    print_lines(lay_out(header, rows, (False, False, True, True, False), terminal_width()))
    print_lines(f"it {line}" for line in report.reads)
    good = sum(cut.difference is None for cut in report.cuts)
    decided = f"{counted(report.decisions, 'decision')} in {counted(report.rows, 'row')}"
    print_lines([f"{good} of {counted(len(report.cuts), 'run')} the same; {decided}"])


def _prepare(strategy: str, options: dict[str, Any], *, alone: bool = True) -> Any:
    """The run of a strategy without a journal, and the watch that has seen its file being imported."""
    with slow_start(COMPILING):
        from replay.check.preparing import prepare_check
        from replay.config import load_config
        from replay.engine import compile_loop
        from replay.sample import sample_root

        overrides: dict[str, Any] = {
            "from": options["start"],
            "to": options["end"],
            "data": list(options["data"]) or None,
        }
        config = load_config(options["config_file"], overrides)
        default_data = str(sample_root() / "coinbase" / "BTC-USD")
        found = prepare_check(config, strategy, dict(_pairs(options["settings"])), default_data, alone=alone)
        compile_loop()
    return found


def _pairs(settings: tuple[str, ...]) -> list[tuple[str, str]]:
    from kernel.cli.errors import BadInput

    pairs = []
    for entry in settings:
        key, equals, value = entry.partition("=")
        if not (key and equals and value):
            raise BadInput(f"--set {entry}: write it as KEY=VALUE, such as fast=12")
        pairs.append((key.strip(), value.strip()))
    return pairs


@check.command()
@_options
@click.option("--starts", default=12, show_default=True, type=click.IntRange(1, 1000), help="How many late starts.")
def warmup(strategy: str, starts: int, as_json: bool, **options: Any) -> None:
    """Does STRATEGY, begun later, decide as if it had always run once it has seen the bars that it declares?

    Beside the one that always ran, others begin at later bars, with empty memory; they see the same market and the
    same book. After the declared warm-up (and the bars that averages need to settle) all must wish the same.
    """
    with clear_errors():
        from replay.check.warmup import check_warmup

        prepared, _ = _prepare(strategy, options)
        with ProgressBar("check") as progress:
            report = check_warmup(prepared, starts=starts, progress=progress)
        if as_json:
            import msgspec

            told = {"good": report.is_good, "needed": report.needed, **msgspec.to_builtins(report)}
            click.echo(json.dumps(told))
        else:
            _tell_warmup(report)
        if not any(start.wishes for start in report.starts):
            note("it asked for nothing after any of the starts, so nothing was checked")
        if not report.is_good:
            bad = max((start for start in report.starts if not start.is_good), key=lambda start: start.agrees_after)
            raise Failure(
                f"{strategy} declares {_declared(report)}, and one still decided otherwise at bar {bad.agrees_after:,}"
            )


def _declared(report: Any) -> str:
    if report.settle < 0:
        return f"{counted(report.warm_up, 'bar')}, and that it depends on when it began"
    settle = f" and {report.settle:,} to settle" if report.settle else ""
    days = f" and {counted(report.settle_days, 'whole day')}" if report.settle_days else ""
    return f"{counted(report.warm_up, 'bar')}{settle}{days}"


def _tell_warmup(report: Any) -> None:
    from replay.inspect.phrases import time_text
    from replay.inspect.text import lay_out

    rows = []
    for start in report.starts:
        last = f"bar {start.agrees_after:,}{'' if start.is_good else ': too late'}" if start.agrees_after else "none"
        flat = "flat" if start.was_flat else "in a position"
        row = (time_text(start.born_ns), start.instrument, flat, f"{start.bars:,}", f"{start.wishes:,}")
        differs = f"{start.feature_difference:.2g} {start.feature}" if start.feature else ""
        rows.append((*row, f"{start.differences:,}", last, differs))
    header = ("begun", "instrument", "book", "bars", "wishes", "differ", "last that counts", "features at warm-up")
    right = (False, False, False, True, True, True, False, False)
    shown = len(header) if any(row[-1] for row in rows) else len(header) - 1
    print_lines(lay_out(header[:shown], [row[:shown] for row in rows], right[:shown], terminal_width()))
    print_lines([f"declared: {_declared(report)}; all agree after {report.needed:,}"])
