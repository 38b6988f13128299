"""``kernel live``: trade on live data, on paper unless three separate switches say otherwise.

Parses, calls one function of the live driver, shows.
"""

import sys
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import BadInput, clear_errors
from kernel.cli.journals import key_file_option
from kernel.cli.progress import COMPILING, ProgressBar, slow_start

DEFAULT_STRATEGY = "ema_cross"


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file with settings and [live].")
@click.option("--venue", type=click.Choice(["bybit", "alpaca"]), help="The venue whose data (and orders) it is.")
@click.option(
    "--mode",
    type=click.Choice(["paper", "test", "live"]),
    help="paper: simulated orders; test: the venue's play money; live: real money.  [default: paper]",
)
@click.option("--environment", help="bybit: mainnet, testnet, demo; alpaca: live, paper.")
@click.option("--market", help="bybit: linear, spot, inverse; alpaca: equity, crypto.")
@click.option("--symbol", "symbols", multiple=True, help="As the venue writes it, such as BTCUSDT; may be repeated.")
@click.option("--strategy", "uses", multiple=True, help="Built-in name or FILE.py[:NAME]; may be repeated.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Strategy parameter.")
@click.option("--bars", help="Bars that strategies hear, such as 5m.  [default: 1m, the venue's own]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the session.  [default: runs/live-N]")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with the session in this folder.")
@click.option(
    "--take-over", is_flag=True, help="With --resume: the folder was restored, and the session it copies has ended."
)
@key_file_option
@click.option("--json", "as_json", is_flag=True, help="JSON log lines.")
@click.option("--plain", is_flag=True, help="Log lines instead of the view.")
def live(
    config_file: Path | None,
    out: Path | None,
    resume: Path | None,
    take_over: bool,
    as_json: bool,
    plain: bool,
    **options: Any,
) -> None:
    """Trade until Ctrl-C. Every decision is journaled before an order leaves; kernel replay FOLDER proves it.

    Real money needs mode = "live" in the configuration, KERNEL_LIVE_TRADING=real-money in the environment, and an
    approval file that has not expired. Without all three it is paper, and says so.

    With --key-file a new session's journal is encrypted where it is stored.
    """
    with clear_errors():
        if resume is not None and (config_file is not None or out is not None or any(options.values())):
            raise BadInput("--resume goes on as the session was; give no other settings with it")
        import asyncio

        from replay.live.run import run_live

        config, run_dir = (None, resume) if resume is not None else _configure(config_file, out, options)
        watch = _watch(as_json, plain)
        with slow_start(COMPILING):
            from replay.engine import compile_loop

            compile_loop()
        if not as_json:
            click.echo(f"session folder {run_dir}", err=True)
        with ProgressBar("deciding again") as bar:
            asyncio.run(
                run_live(
                    config,
                    run_dir,
                    watch=watch,
                    say=lambda text: click.echo(text, err=True),
                    progress=bar,
                    take_over=take_over,
                )
            )
        if not as_json:
            click.echo(f"ended; kernel live --resume {run_dir} goes on, kernel replay {run_dir} proves it", err=True)


def _configure(config_file: Path | None, out: Path | None, options: dict[str, Any]) -> tuple[Any, Path]:
    """The configuration and the folder of a new session."""
    from kernel.cli.settings import bar_rules, pair_of, strategy_entries
    from replay.config import load_config

    overrides: dict[str, Any] = {"bars": bar_rules(options["bars"])}
    settings = [pair_of(entry, "--set") for entry in options["settings"]]
    if options["uses"] or settings:
        overrides["strategy"] = strategy_entries(list(options["uses"]), settings, config_file, DEFAULT_STRATEGY)
    table = {name: options[name] for name in ("venue", "mode", "environment", "market") if options[name]}
    if options["symbols"]:
        table["symbols"] = list(options["symbols"])
    config = load_config(config_file, overrides, {"live": table})
    if not config.live.venue:
        raise BadInput("no venue is named; give --venue bybit or alpaca, or a [live] table with --config FILE")
    if not config.strategies:
        raise BadInput("no strategy is named; give --strategy NAME, or [[strategy]] with --config FILE")
    return config, out or _free_folder()


def _free_folder() -> Path:
    number = 1
    while Path(f"runs/live-{number}").exists():
        number += 1
    return Path(f"runs/live-{number}")


def _watch(as_json: bool, plain: bool) -> Any:
    from replay.live import view

    if as_json:
        return view.watch_json
    return view.watch_terminal if sys.stdout.isatty() and not plain else view.watch_plain
