"""``kernel replay``: run a backtest, re-run a journal, or go on with an interrupted run.

Parses, calls one function of the replay layer, renders.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from kernel.cli.errors import BadInput, Failure, clear_errors
from kernel.cli.journals import key_file_option
from kernel.cli.progress import COMPILING, ProgressBar, slow_start
from kernel.cli.settings import bar_rules, pair_of, strategy_entries
from kernel.plurals import counted

DEFAULT_STRATEGY = "ema_cross"
DEFAULT_SAMPLE = "coinbase/BTC-USD"
INTERRUPTED = 130
REPORT_TRADES = 2000  # shown on the price and in the table; all are counted
_FILLS = ("pessimistic", "next_open", "ohlc", "ohlc_adaptive", "intrabar", "book")


@click.command()
@click.argument("journal", required=False, type=click.Path(path_type=Path))
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file with settings.")
@click.option("--data", multiple=True, help="Catalogue file or folder; may be repeated. Default: the sample.")
@click.option("--strategy", "uses", multiple=True, help="Built-in name or FILE.py[:NAME]; may be repeated.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Strategy parameter; NAME.KEY=VALUE for one of several.",
)
@click.option("--features", help="Features to compute and record, such as 'ema(12), rsi(14)@1h'.")
@click.option(
    "--bars", help="Bars that strategies hear, such as 5m or renko 50; several with commas.  [default: the data's own]"
)
@click.option("--from", "start", help="First time to include, such as 2020-01-31.")
@click.option("--to", "end", help="Time to stop before.")
@click.option("--cash", help="Starting cash, in the instruments' currency.  [default: 100000]")
@click.option("--fill", type=click.Choice(_FILLS), help="Fill profile.  [default: pessimistic]")
@click.option("--fee-bps", help="Fee on notional, in basis points.  [default: 10]")
@click.option("--maker-fee-bps", help="Fee of resting orders; default: as --fee-bps.")
@click.option("--slippage-bps", help="Slippage of market and stop orders.  [default: 1 pessimistic, 0 next_open]")
@click.option("--volume-share", help="Share of a bar's volume that can fill (pessimistic).  [default: 0.1]")
@click.option("--limit", "limits", multiple=True, metavar="KEY=VALUE", help="Risk limit, such as open_orders=4.")
@click.option(
    "--journal",
    "mode",
    type=click.Choice(["reference", "full", "off"]),
    help="How market data is journaled.  [default: reference]",
)
@click.option(
    "--fsync", type=click.Choice(["always", "batch", "off"]), help="When frames are forced to disk.  [default: batch]"
)
@click.option("--out", type=click.Path(path_type=Path), help="Run directory.  [default: runs/STRATEGY-N]")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with the interrupted run in this directory.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
@key_file_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def replay(journal: Path | None, resume: Path | None, as_json: bool, no_report: bool, **options: Any) -> None:
    """Run a backtest; with JOURNAL, re-run what is recorded there and prove that it comes out the same.

    Without arguments: the built-in EMA cross on the built-in sample. With JOURNAL (a run directory or its journal),
    --data and --strategy say where files lie now, if they have moved.

    Data at the same time is taken in this order: depth, quotes, trades, bars; then by the instrument's name; then as
    in the file.
    """
    with clear_errors():
        if journal is not None and resume is not None:
            raise BadInput("name a JOURNAL to re-run or --resume DIR to go on, not both")
        if journal is not None:
            _audit(journal, as_json, options)
        elif resume is not None:
            _resume(resume, as_json, no_report)
        else:
            _run(as_json, no_report, options)


def _run(as_json: bool, no_report: bool, options: dict[str, Any]) -> None:
    with slow_start(COMPILING):
        from replay.config import load_config
        from replay.execution import prepare
        from replay.runner import run_backtest

        config = load_config(options["config_file"], _overrides(options))
        config = _with_defaults(config)
        prepared = prepare(config)
        _compile(prepared)
    run_dir = options["out"] or _free_run_dir([strategy.name for strategy in prepared.strategies])
    with ProgressBar("replay") as progress, _stop_on_interrupt() as should_stop:
        result = run_backtest(prepared, run_dir, progress=progress, should_stop=should_stop)
    _finish(prepared, result, as_json, no_report)


def _resume(run_dir: Path, as_json: bool, no_report: bool) -> None:
    with slow_start(COMPILING):
        from replay.runner import read_run, resume_backtest

        prepared = read_run(run_dir)
        _compile(prepared)
    with ProgressBar("resume") as progress, _stop_on_interrupt() as should_stop:
        result = resume_backtest(run_dir, progress=progress, should_stop=should_stop)
    _finish(prepared, result, as_json, no_report)


def _audit(path: Path, as_json: bool, options: dict[str, Any]) -> None:
    with slow_start(COMPILING):
        from replay.audit import DivergenceError
        from replay.certificate import changed_inputs, read_certificate
        from replay.fork.files import is_fork
        from replay.live.files import is_live
        from replay.runner import JOURNAL_DIR, audit_journal, read_run

        run_dir = path.parent if path.name == JOURNAL_DIR and path.is_dir() else path
        if not (run_dir / JOURNAL_DIR).is_dir():
            raise BadInput(f"{path}: no journal there; name a run directory or the journal in it")
        if is_live(run_dir):
            _audit_live(run_dir, as_json)
            return
        if is_fork(run_dir):
            _audit_fork(run_dir, as_json)
            return
        prepared = read_run(run_dir, data=list(options["data"]), strategies=list(options["uses"]))
        _compile(prepared)
    certificate = read_certificate(run_dir)
    try:
        with ProgressBar("re-run") as progress, _stop_on_interrupt() as should_stop:
            report = audit_journal(run_dir / JOURNAL_DIR, prepared, progress=progress, should_stop=should_stop)
    except DivergenceError as error:
        changes = changed_inputs(certificate, prepared) if certificate is not None else []
        hint = f"; changed since it was recorded: {', '.join(changes)}" if changes else ""
        if as_json:
            difference = {name: getattr(error.difference, name) for name in error.difference.__struct_fields__}
            click.echo(json.dumps({"identical": False, "difference": difference, "changed": changes}))
        raise Failure(f"{error}{hint}") from error
    if as_json:
        values = {name: getattr(report, name) for name in report.__struct_fields__}
        click.echo(json.dumps({"identical": True, **values}))
        return
    ended = "" if report.complete else " (the recorded run was interrupted there)"
    if report.pruned_frames:
        ended = f" (the {counted(report.pruned_frames, 'frame')} before them, pruned: made again, and not compared)"
    rate = report.bars / report.seconds if report.seconds else 0.0
    click.echo(f"identical: {_compared(report)} from {counted(report.bars, 'market row')}, {rate:,.0f} rows/s{ended}")
    if report.complete:
        click.echo(f"result hash {report.result_hash}")


def _audit_live(run_dir: Path, as_json: bool) -> None:
    """Prove a live journal: the same inputs through the same kernel and strategies."""
    from journal import JournalReader
    from replay.audit import DivergenceError
    from replay.engine import compile_loop
    from replay.live.audit import audit_live
    from replay.live.files import JOURNAL_DIR, read_live_file
    from replay.live.start import refuse_pruned

    live = read_live_file(run_dir)
    refuse_pruned(JournalReader(run_dir / JOURNAL_DIR))
    compile_loop()
    try:
        with ProgressBar("re-run") as progress:
            report = audit_live(run_dir / JOURNAL_DIR, live, progress)
    except DivergenceError as error:
        if as_json:
            difference = {name: getattr(error.difference, name) for name in error.difference.__struct_fields__}
            click.echo(json.dumps({"identical": False, "difference": difference}))
        raise Failure(str(error)) from error
    if as_json:
        values = {name: getattr(report, name) for name in report.__struct_fields__}
        click.echo(json.dumps({"identical": True, **values}))
        return
    click.echo(f"identical: {_compared(report)}, decided again from {counted(report.inputs, 'recorded input')}")


def _audit_fork(run_dir: Path, as_json: bool) -> None:
    """Prove a fork: its parent's decisions, then its own."""
    from kernel.cli.forked import replay_forked

    report = replay_forked(run_dir)
    values = {name: getattr(report, name) for name in report.__struct_fields__}
    if as_json:
        click.echo(json.dumps({"identical": True, **values}))
    else:
        click.echo(f"identical: {_compared(report)}, a fork with its parent's history")


def _compared(report: Any) -> str:
    return f"{counted(report.events, 'event')} in {counted(report.frames, 'frame')}"


def _compile(prepared: Any) -> None:
    """Compile or load all that the run needs, so that nothing is compiled inside the measured loop."""
    from replay.engine import compile_loop
    from replay.execution import Engine

    compile_loop()
    Engine(prepared, lambda chunk: None)


def _finish(prepared: Any, result: Any, as_json: bool, no_report: bool) -> NoReturn:
    """Write certificate and report, render, and exit."""
    from replay.certificate import write_certificate
    from replay.metrics import compute_metrics
    from replay.report import read_trades, write_report
    from replay.summary import render_summary, summary_json

    trades = read_trades(result.run_dir / "trades.parquet", REPORT_TRADES)
    metrics = compute_metrics(result, trades)
    write_certificate(prepared, result)
    if not no_report:
        report = result.run_dir / "report.html"
        write_report(report, result, metrics, trades, result.prices(), config=prepared.resolved)
    if as_json:
        click.echo(json.dumps(summary_json(result, metrics)))
    else:
        width = _columns()
        click.echo(render_summary(result, metrics, width=width, color=sys.stdout.isatty()))
    if not result.completed:
        click.echo(f"interrupted; go on with: kernel replay --resume {result.run_dir}", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _columns() -> int:
    import shutil

    return min(120, shutil.get_terminal_size((100, 24)).columns)


@contextmanager
def _stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C and SIGTERM ask the run to stop at its next batch; a second one is not caught."""
    asked = []

    def ask(number: int, frame: Any) -> None:
        asked.append(number)
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in before:
        signal.signal(one, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


# --- options to settings ------------------------------------------------------------------------------------------


def _overrides(options: dict[str, Any]) -> dict[str, Any]:
    """The settings that the command line gives, by their names in the TOML file."""
    overrides: dict[str, Any] = {
        "from": options["start"],
        "to": options["end"],
        "journal": options["mode"],
        "data": list(options["data"]) or None,
        "features": _features(options["features"]),
        "bars": bar_rules(options["bars"]),
    }
    for name in ("cash", "fill", "fee_bps", "maker_fee_bps", "slippage_bps", "volume_share", "fsync"):
        overrides[name] = options[name]
    limits = dict(pair_of(entry, "--limit") for entry in options["limits"])
    if limits:
        overrides["limits"] = {key: int(value) if value.isdigit() else value for key, value in limits.items()}
    settings = [pair_of(entry, "--set") for entry in options["settings"]]
    if options["uses"] or settings:
        overrides["strategy"] = strategy_entries(
            list(options["uses"]), settings, options["config_file"], DEFAULT_STRATEGY
        )
    return overrides


def _features(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    from kernel.features import split_features

    return {"set": split_features(text)}


def _with_defaults(config: Any) -> Any:
    """Without data the sample, without a strategy the EMA cross."""
    import msgspec

    from replay.config import StrategyConfig
    from replay.sample import sample_root

    if not config.data:
        config = msgspec.structs.replace(config, data=[str(sample_root() / DEFAULT_SAMPLE)])
    if not config.strategies:
        config = msgspec.structs.replace(config, strategies=[StrategyConfig(use=DEFAULT_STRATEGY)])
    return config


def _free_run_dir(names: list[str]) -> Path:
    """The first of ``runs/NAME-1``, ``runs/NAME-2`` ... that does not exist."""
    number = 1
    while (found := Path("runs") / f"{'+'.join(names)}-{number}").exists():
        number += 1
    return found
