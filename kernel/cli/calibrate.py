"""``kernel calibrate``: fit the confidences of a strategy to how often they were right.

Parses, calls ``replay.calibration``, renders.
"""

from pathlib import Path

import click

from kernel.cli.errors import Failure, clear_errors


@click.command(no_args_is_help=True)
@click.argument("source", metavar="RUN|TABLE", type=click.Path(path_type=Path))
@click.option("--method", type=click.Choice(["platt", "isotonic"]), required=True, help="platt or isotonic.")
@click.option("--strategy", default="", help="Which strategy of the run; not needed when one gave signals.")
def calibrate(source: Path, method: str, strategy: str) -> None:
    """Print the [strategy.calibration] table that fits a run, or a CSV or Parquet file of pairs.

    Of a run: each round trip with the confidence of the signal that began it; right is what made money. A file
    has the columns confidence (0 to 1) and right (0 or 1). Put the table below its [[strategy]] in the run's
    file. Fit on one span of time and run on a later one, or the confidences know what comes.
    """
    with clear_errors():
        from replay.calibration import (
            CalibrationError,
            fit,
            pairs_of_run,
            pairs_of_table,
            strategies_with_signals,
            strategy_number,
        )

        try:
            if source.is_dir():
                from replay.runner import JOURNAL_DIR, read_run

                prepared = read_run(source)
                names = [one.name for one in prepared.strategies]
                journal = source / JOURNAL_DIR
                number = strategy_number(names, strategies_with_signals(journal), strategy)
                pairs = pairs_of_run(journal, number)
            else:
                pairs = pairs_of_table(source)
            text = fit(*pairs, method)
        except CalibrationError as error:
            raise Failure(str(error)) from error
    click.echo(text, nl=False)
