"""``kernel trades``: the round trips of a run, closed and open, from its journal alone.

Parses, calls ``replay.trips``, renders.
"""

from pathlib import Path
from typing import Any

import click

from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_argument,
    journal_errors,
    json_option,
    note,
    open_history,
    print_lines,
    terminal_width,
)
from kernel.cli.progress import COMPILING, ProgressBar, slow_start
from kernel.plurals import counted


@click.command()
@journal_argument
@click.option("--last", type=click.IntRange(min=0), default=20, help="How many closed ones; 0 is all.  [default: 20]")
@data_option
@json_option
def trades(journal: Path, last: int, data: tuple[str, ...], as_json: bool) -> None:
    """List the round trips in JOURNAL: entry, exit, profit, the worst and best they stood at, R-multiple.

    Those that are still open come last, with what they would come to at the last price.
    """
    with journal_errors():
        from replay.inspect.folding import compile_fold
        from replay.inspect.trips import read_trips, trip_lines, trip_rows

        history = open_history(journal, data)
        with slow_start(COMPILING):
            compile_fold()
        with ProgressBar("fold") as progress:
            closed, under_way = read_trips(history, progress)
        shown = closed.slice(max(closed.num_rows - last, 0)) if last else closed
        rows: list[dict[str, Any]] = [*trip_rows(shown, "closed"), *trip_rows(under_way, "open")]
        print_lines(map(as_json_text, rows) if as_json else trip_lines(rows, terminal_width()))
        if shown.num_rows < closed.num_rows:
            note(f"{counted(closed.num_rows - shown.num_rows, 'earlier trip')} left out; --last 0 lists all")
