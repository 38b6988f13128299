"""``kernel snapshot``: keep the state that a journal comes to, and check the ones that are kept.

Parses, calls one function, renders. Exit codes: 0 done, all snapshots right; 1 one is not what the events come to, or
the journal is not whole; 2 wrong usage.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_argument,
    journal_errors,
    json_option,
    open_history,
    print_lines,
)
from kernel.cli.progress import COMPILING, ProgressBar, slow_start

if TYPE_CHECKING:
    from replay.history import History


@click.command()
@journal_argument
@click.option("--check", is_flag=True, help="Fold from the first event and compare every snapshot that is kept.")
@data_option
@json_option
def snapshot(journal: Path, check: bool, data: Sequence[str], as_json: bool) -> None:
    """Keep the state after the last event of JOURNAL, folded from the first, in its folder snapshots.

    kernel at begins with the newest snapshot before the event that is asked for. A snapshot is never authoritative: the
    journal is, and --check compares. Events may be pruned only where a snapshot stands in for them.
    """
    with journal_errors():
        from replay.inspect.folding import compile_fold

        history = open_history(journal, data)
        with slow_start(COMPILING):
            compile_fold()
        if check:
            _check(history, as_json)
            return
        from replay.snapshots import take_snapshot

        with ProgressBar("fold") as progress:
            folding = history.fold(progress=progress, snapshots=False)
        with ProgressBar("verify") as progress:
            facts = take_snapshot(
                history.journal, history.reader.genesis_id, folding.state, history.definitions(), progress
            )
    found = {"sequence": folding.events, "root": facts.root, "reducer": facts.reducer, "digest": facts.state_digest}
    line = f"state after event {folding.events:,}: digest {facts.state_digest}, at root {facts.root}"
    print_lines([as_json_text(found) if as_json else line])


def _check(history: "History", as_json: bool) -> None:
    from replay.snapshot_check import check_snapshots

    with ProgressBar("fold") as progress:
        found = check_snapshots(history, progress)
    if as_json:
        print_lines([as_json_text(found)])
    else:
        lines = [f"event {one.sequence:,}: {one.problem or 'as the events come to'}" for one in found]
        print_lines(lines or ["no snapshots"])
    if any(one.problem for one in found):
        sys.exit(1)
