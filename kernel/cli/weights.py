"""``kernel weights``: compute portfolio weights walk-forward and write them as a file that a run can name.

Parses, calls one function of the replay layer, renders.
"""

import json
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import Failure, clear_errors
from kernel.plurals import counted

METHODS = ("equal", "inverse-volatility", "minimum-variance", "mean-variance", "risk-parity", "black-litterman")


@click.command(no_args_is_help=True)
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("--method", type=click.Choice(METHODS), required=True, metavar="METHOD", help=", ".join(METHODS) + ".")
@click.option("--lookback", default="90d", show_default=True, help="How far back each rebalancing looks.")
@click.option("--every", default="30d", show_default=True, help="How often there is one.")
@click.option("--step", default="1d", show_default=True, help="Returns are from step to step, on a grid of UTC.")
@click.option("--from", "start", default="", help="No rebalancing before this time.")
@click.option("--to", "end", default="", help="No data from this time on.")
@click.option("--sum", "total", default="1", show_default=True, help="What the weights sum to: 0.5 is half of equity.")
@click.option("--risk-aversion", type=float, help="Of mean-variance and Black-Litterman.  [default: 2.5]")
@click.option("--tau", type=float, help="Uncertainty of the implied returns, of Black-Litterman.  [default: 0.05]")
@click.option("--market", multiple=True, metavar="NAME=WEIGHT", help="Weight in the market.  [default: equal]")
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="VIEW",
    help="NAME=0.05 (return a year), or NAME>NAME=0.02 (how much more); with @0.6 its confidence. May be repeated.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write them in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def weights(data: tuple[str, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Compute weights of the instruments in DATA (catalogue files or folders), walk-forward, one file for each.

    Each rebalancing uses prices known at its time and none later. A run that names the folder
    beside its data takes them as recorded inputs ([portfolio] method = "weights").
    """
    with clear_errors():
        from replay.portfolio import PortfolioError
        from replay.portfolio.command import compute_weights_file

        try:
            summary = compute_weights_file(data, out, options)
        except PortfolioError as error:
            raise Failure(str(error)) from error
    if as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(f"{out}: {counted(summary['rebalancings'], 'rebalancing')} from {summary['first']} to {summary['last']}")
    for name, weight in summary["last_weights"].items():
        click.echo(f"  {name:<24} {weight}")
