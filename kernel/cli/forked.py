"""``kernel verify`` and ``kernel replay`` with a fork: held against its parent, and decided again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.progress import ProgressBar

parent_option = click.option(
    "--parent", type=click.Path(exists=True, path_type=Path), metavar="RUN", help="The run that JOURNAL is a fork of."
)


def held_against_parent(fork: Path, parent: Path, data: Sequence[str]) -> dict[str, Any]:
    """What holding a fork, which was verified, against its parent says; the parent is verified first."""
    from journal import verify_journal
    from replay.fork.changes import ForkError
    from replay.fork.check import check_fork
    from replay.history import History, find_journal

    with ProgressBar("parent") as progress:
        whole = verify_journal(find_journal(parent)[0], progress)
    if not whole.ok:
        sentence = f"the parent does not verify; see kernel verify {parent}"
        return {"ok": False, "forked_at": None, "frame": None, "sentence": sentence}
    try:
        proof = check_fork(History(fork, list(data)), History(parent, list(data)))
    except ForkError as error:
        raise BadInput(str(error)) from error
    shared = f"bound to frame {proof.frame:,} of its parent; all up to event {proof.forked_at:,} is the parent's"
    return {
        "ok": not proof.problem,
        "forked_at": proof.forked_at,
        "frame": proof.frame,
        "sentence": proof.problem or shared,
    }


def replay_forked(run_dir: Path) -> Any:
    """Decide a fork again and compare every event. Raises DivergenceError or BadInput."""
    from replay.engine import compile_loop
    from replay.fork.backtest import replay_fork
    from replay.fork.changes import ForkError
    from replay.fork.files import read_fork_file
    from replay.fork.live import replay_live_fork

    compile_loop()
    try:
        with ProgressBar("re-run") as progress:
            is_live = read_fork_file(run_dir).live is not None
            return (replay_live_fork if is_live else replay_fork)(run_dir, progress)
    except ForkError as error:
        raise BadInput(str(error)) from error
