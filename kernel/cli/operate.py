"""The commands of an operator: they talk to a running session through its local socket.

Each parses, asks once, renders. They do not need the venue, and they load next to nothing, so they are instant.
"""

import json
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import BadInput, Failure

RUN = click.option(
    "--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the session.  [default: the one that runs]"
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")


def _ask(run_dir: Path | None, command: str, **arguments: Any) -> Any:
    from replay.live.control import ControlError, ask

    try:
        return ask(run_dir or _running(), command, arguments)
    except ControlError as error:
        raise Failure(str(error)) from None


def _running() -> Path:
    """The folder of the one session that runs below ``runs``."""
    found = [path.parent for path in Path("runs").glob("*/control.sock")]
    if not found:
        raise BadInput("no session runs below runs/; name its folder with --run FOLDER")
    if len(found) > 1:
        raise BadInput(f"{len(found)} sessions run ({', '.join(map(str, found))}); name one with --run FOLDER")
    return found[0]


def _told(made: dict[str, Any], what: str, as_json: bool) -> None:
    click.echo(json.dumps(made) if as_json else f"{what}; recorded as event {made['sequence']}")


def _table(rows: list[dict[str, Any]], nothing: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo(nothing)
        return
    texts = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[at]) for line in texts) for at in range(len(texts[0]))]
    for line in texts:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


@click.command()
@RUN
@JSON
def status(run_dir: Path | None, as_json: bool) -> None:
    """Show how a running session is: connections, prices, money, why entries are stopped."""
    found = _ask(run_dir, "status")
    if as_json:
        click.echo(json.dumps(found))
        return
    instruments, limits = found.pop("instruments"), found.pop("limits")
    for name, value in found.items():
        text = "  ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name.replace('_', ' '):<18} {text if text is not None else '-'}")
    _table(instruments, "", False)
    _table(limits, "no limit for the whole account is set", False)


@click.command()
@RUN
@JSON
def orders(run_dir: Path | None, as_json: bool) -> None:
    """List the open orders of a running session."""
    _table(_ask(run_dir, "orders"), "no open orders", as_json)


@click.command()
@RUN
@JSON
def positions(run_dir: Path | None, as_json: bool) -> None:
    """List what a running session holds, a line a book."""
    _table(_ask(run_dir, "positions"), "nothing is held", as_json)


@click.command()
@click.argument("level", type=click.Choice(["entries", "cancel", "flatten"]), default="cancel")
@click.option("--reason", default="", help="Why; it is recorded.")
@RUN
@JSON
def kill(level: str, reason: str, run_dir: Path | None, as_json: bool) -> None:
    """Trip the kill switch: entries (no new ones), cancel (all orders too), flatten (all positions too)."""
    _told(_ask(run_dir, "kill", level=level, reason=reason), f"kill switch: {level}", as_json)


@click.command()
@click.option("--reason", required=True, help="Why trading may go on; it is recorded.")
@RUN
@JSON
def resume(reason: str, run_dir: Path | None, as_json: bool) -> None:
    """Allow trading again after a kill."""
    _told(_ask(run_dir, "resume", reason=reason), "trading is allowed again", as_json)


@click.command()
@click.argument("symbol")
@click.option("--reason", default="", help="Why; it is recorded.")
@RUN
@JSON
def flatten(symbol: str, reason: str, run_dir: Path | None, as_json: bool) -> None:
    """Cancel the orders of SYMBOL (or all) and give up what is held, once, at the market."""
    _told(_ask(run_dir, "flatten", symbol=symbol, reason=reason), f"flatten {symbol}", as_json)


@click.command()
@click.argument("order")
@RUN
@JSON
def cancel(order: str, run_dir: Path | None, as_json: bool) -> None:
    """Cancel ORDER, by its number as kernel orders shows it, or all."""
    if order != "all" and not order.isdigit():
        raise BadInput(f"{order!r} is no order; give its number, or all")
    _told(_ask(run_dir, "cancel", order=0 if order == "all" else int(order)), f"cancel {order}", as_json)


@click.command()
@click.argument("symbol")
@click.argument("side", type=click.Choice(["long", "short", "flat"]))
@click.option("--strength", default="1", help="From 0 to 1.  [default: 1]")
@click.option("--confidence", default="1", help="From 0 to 1.  [default: 1]")
@click.option("--horizon", default="", help="How long it holds, such as 4h.  [default: for ever]")
@RUN
@JSON
def signal(
    symbol: str, side: str, strength: str, confidence: str, horizon: str, run_dir: Path | None, as_json: bool
) -> None:
    """Give a running session a signal. The strategies on model signals hear it, and its risk checks what they order."""
    made = _ask(run_dir, "signal", symbol=symbol, side=side, strength=strength, confidence=confidence, horizon=horizon)
    if made["events"] < 2 and not as_json:
        click.echo("no strategy listens to model signals; run one, such as --strategy model", err=True)
    _told(made, f"{side} {symbol}", as_json)
