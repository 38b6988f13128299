"""``kernel compare``: two engines side by side, of one run or of two.

Parses, calls ``replay.inspect.engines``, renders.
"""

from pathlib import Path

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_errors,
    json_option,
    note,
    open_history,
    print_lines,
    terminal_width,
)
from kernel.cli.progress import COMPILING, ProgressBar, slow_start


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("run2", required=False, type=click.Path(path_type=Path))
@click.option("--a", "left", default="", metavar="NAME[,NAME]", help="Strategies of the first engine.")
@click.option("--b", "right", default="", metavar="NAME[,NAME]", help="Strategies of the second engine.")
@data_option
@json_option
def compare(run: Path, run2: Path | None, left: str, right: str, data: tuple[str, ...], as_json: bool) -> None:
    """Compare two engines: those of an experiment in RUN, or RUN with RUN2.

    Without names: the arms of [experiment], else the real strategies and those on paper; of two runs all the
    strategies of each. Trades, profit, fees, hit rate, drawdown of closed trades, time with a position, and how
    often they held the same side; by instrument, and where an experiment was routed to arm B.
    """
    with journal_errors():
        import msgspec

        from replay.inspect.engines import EngineError, Facts, compare_engines, comparison_rows, default_engines
        from replay.inspect.folding import compile_fold
        from replay.inspect.text import lay_out

        histories = [open_history(path, data) for path in (run, run2) if path is not None]
        with slow_start(COMPILING):
            compile_fold()
        with ProgressBar("fold") as progress:
            facts = [Facts(history, progress) for history in histories]
        first, second = facts[0], facts[-1]
        try:
            if run2 is None and not (left and right):
                if left or right:
                    raise EngineError("name both --a and --b, or neither")
                sides = default_engines(first)
            else:
                every = [list(range(len(one.names.strategies))) for one in (first, second)]
                sides = (first.find(left) if left else every[0], second.find(right) if right else every[1])
        except EngineError as error:
            raise BadInput(str(error)) from error
        found = compare_engines(first, sides[0], second, sides[1])
        if (first.names.currency, first.names.scale) != (second.names.currency, second.names.scale):
            note(f"the runs count in {first.names.currency} and {second.names.currency}; nothing is converted")
        if as_json:
            print_lines([as_json_text(msgspec.to_builtins(found))])
            return
        heads = [f"{one.name}{' (on paper)' if one.on_paper else ''}" for one in (found.left, found.right)]
        rows = list(comparison_rows(found))
        print_lines(lay_out(("", "instrument", *heads), rows, (False, False, True, True), terminal_width()))
