"""``kernel fork``: go on from a moment of a recorded history under other parameters, limits or code.

Parses, calls ``replay.fork``, renders. Exit codes: 0 done and proven; 1 the history before the fork did not come out as
recorded; 2 wrong usage, or a change that a history under way cannot take.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_errors,
    json_option,
    key_file_option,
    note,
    parse_sequence,
    print_lines,
    terminal_width,
)
from kernel.cli.progress import COMPILING, ProgressBar, slow_start
from kernel.cli.settings import pair_of

if TYPE_CHECKING:
    from replay.fork.check import Parting
    from replay.fork.figures import Forked
    from replay.history import History


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--at", "sequence", required=True, metavar="SEQUENCE", help="The last event of the parent to share.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="limit.NAME=VALUE (as daily_loss=3%) or STRATEGY.PARAMETER=VALUE; may be repeated.",
)
@click.option(
    "--code", "codes", multiple=True, metavar="FILE.py", help="Another strategy file; NAME=FILE.py of several."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty or new folder.")
@data_option
@key_file_option
@json_option
def fork(
    run: Path,
    sequence: str,
    settings: Sequence[str],
    codes: Sequence[str],
    out: Path,
    data: Sequence[str],
    as_json: bool,
) -> None:
    """Do RUN again up to event SEQUENCE, prove that, and go on with the recorded market under other settings.

    The fork's journal is whole by itself, and bound to its parent by a hash: kernel verify FORK --parent RUN.
    """
    with journal_errors():
        from replay.fork.changes import ForkError
        from replay.history import find_journal

        place, _ = find_journal(run)
        at = _sequence(place, sequence)
        changes = [*(f"set {one}" for one in settings), *(f"code {one}" for one in codes)]
        pairs = [pair_of(one, "--set") for one in settings]
        try:
            made, histories = _make(run, place, at, pairs, codes, changes, out, data)
        except ForkError as error:
            raise BadInput(str(error)) from error
        _show(made, histories, at, run, out, as_json)


def _sequence(place: Path, text: str) -> int:
    from journal import JournalReader

    return parse_sequence(text, lambda: JournalReader(place, check_hashes=False).last_sequence)


def _make(
    run: Path,
    place: Path,
    at: int,
    settings: list[tuple[str, str]],
    codes: Sequence[str],
    changes: list[str],
    out: Path,
    data: Sequence[str],
) -> "tuple[Forked, tuple[History, History]]":
    from replay.execution import prepare
    from replay.fork.backtest import fork_backtest
    from replay.fork.changes import ForkError, forked_config
    from replay.fork.check import check_fork
    from replay.fork.files import is_fork
    from replay.fork.live import fork_live
    from replay.history import History
    from replay.live.files import is_live, prepare_live, read_live_file
    from replay.runner import read_run

    if is_fork(place.parent):
        raise ForkError(f"{run}: is a fork itself; fork its parent")
    with slow_start(COMPILING):
        from replay.engine import compile_loop

        compile_loop()
    with ProgressBar("fork") as progress:
        if is_live(place.parent):
            live = read_live_file(place.parent)
            parent = prepare_live(live.config, live.instruments)
            forked = prepare_live(forked_config(parent, settings, codes), live.instruments)
            made = fork_live(place, live, forked, at, changes, out, progress)
        else:
            parent = read_run(place.parent, data=list(data))
            forked = prepare(forked_config(parent, settings, codes))
            made = fork_backtest(place, parent, forked, at, changes, out, progress)
    histories = History(run, list(data)), History(out, list(data))
    proof = check_fork(histories[1], histories[0])
    if proof.problem:
        raise Failure(f"{out}: the fork is not proven: {proof.problem}")
    return made, histories


def _show(made: "Forked", histories: "tuple[History, History]", at: int, run: Path, out: Path, as_json: bool) -> None:
    from replay.fork.check import first_parting

    parting = first_parting(*histories, made.file)
    if made.file.forked_at != at:
        note(f"event {at:,} lies inside a transaction; the fork is at its end, event {made.file.forked_at:,}")
    if as_json:
        print_lines([as_json_text(_fields(made, parting, out))])
    else:
        print_lines(_lines(made, parting, histories, run, out))


def _fields(made: "Forked", parting: "Parting | None", out: Path) -> dict[str, Any]:
    import msgspec

    sides = {} if parting is None else {"parent": parting.parent, "fork": parting.fork}
    return {
        "fork": str(out),
        "forked_at": made.file.forked_at,
        "parent": {"genesis_id": made.file.origin.genesis_id, "frame": made.file.origin.frame},
        "root": made.root,
        "currency": made.currency,
        "scale": made.scale,
        "at_fork": msgspec.to_builtins(made.at_fork),
        "parent_end": msgspec.to_builtins(made.parent),
        "fork_end": msgspec.to_builtins(made.fork),
        "first_difference": {name: None if one is None else one.sequence for name, one in sides.items()} or None,
    }


def _lines(
    made: "Forked", parting: "Parting | None", histories: "tuple[History, History]", run: Path, out: Path
) -> list[str]:
    from replay.inspect.phrases import Phrases, time_text
    from replay.inspect.text import lay_out
    from replay.report import format as show

    def money(minor: int) -> str:
        return show.money(minor, made.scale)

    start, here, there = made.at_fork, made.parent, made.fork
    rows = [
        ("fills", f"{here.fills - start.fills:,}", f"{there.fills - start.fills:,}"),
        ("round trips", f"{here.trades - start.trades:,}", f"{there.trades - start.trades:,}"),
        ("profit", money(here.equity_minor - start.equity_minor), money(there.equity_minor - start.equity_minor)),
        ("fees", money(here.fees_minor - start.fees_minor), money(there.fees_minor - start.fees_minor)),
        ("largest drawdown", show.percent(here.drawdown), show.percent(there.drawdown)),
        ("equity at the end", money(here.equity_minor), money(there.equity_minor)),
    ]
    file = made.file
    lines = [
        f"forked after event {file.forked_at:,}, with {', '.join(file.changes)}",
        f"proven: all events up to it are those of {run}",
    ]
    if file.live is not None:
        lines.append("from there on orders are simulated; what the venue or operators said afterwards is not taken in")
    header = f"since the fork ({made.currency})", "parent", "fork"
    lines += ["", *lay_out(header, rows, (False, True, True), terminal_width()), ""]
    if parting is None:
        lines.append("nothing that was decided differs")
    else:
        lines.append("the first event that differs")
        for name, stored, history in zip(("parent", "fork"), (parting.parent, parting.fork), histories, strict=True):
            said = "no further event"
            if stored is not None:
                text = Phrases(history.names).sentence(stored)
                said = f"{stored.sequence:,}  {time_text(stored.ts_event_ns)}  {stored.type.topic}  {text}"
            lines.append(f"  {name:6}  {said}")
    return [*lines, "", f"{out}: root {made.root}", f"check it with: kernel verify {out} --parent {run}"]
