"""What the commands that read a journal share: opening it, one line for a failure, output into a closed pipe.

Owns nothing of the journal; it parses and renders.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput, Failure, clear_errors
from kernel.cli.progress import COMPILING, ProgressBar, slow_start

if TYPE_CHECKING:
    from replay.history import History

FLUSH_LINES = 512
NARROW_COLUMNS = 40


def _use_key(ctx: click.Context, parameter: click.Parameter, source: str | None) -> None:
    if source is not None:
        from kernel.cli.keys import use_master_key_of

        use_master_key_of(source)


key_file_option = click.option(
    "--key-file",
    metavar="KEY",
    expose_value=False,
    callback=_use_key,
    help="The master key of an encrypted journal: a file, env:NAME or keyring:SERVICE/NAME.  [or KERNEL_KEY_FILE]",
)
_journal_argument = click.argument("journal", type=click.Path(path_type=Path))


def journal_argument(command: Any) -> Any:
    """JOURNAL, and with which key it is read if it is encrypted."""
    return _journal_argument(key_file_option(command))


data_option = click.option(
    "--data", multiple=True, metavar="PATH", help="Where the market data lies now, if it has moved; may be repeated."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON: raw integers and names, stable keys.")


@contextmanager
def journal_errors() -> Iterator[None]:
    """Turn what can go wrong with a journal and its data into one line and an exit code."""
    with clear_errors():
        from replay.history import HistoryError
        from replay.inspect.folding import FoldError
        from replay.inspect.frames import UnknownKindError

        try:
            yield
        except HistoryError as error:
            raise BadInput(str(error)) from error
        except (FoldError, UnknownKindError) as error:
            raise Failure(str(error)) from error


def open_history(path: Path, data: Iterable[str], *, check_hashes: bool = True) -> "History":
    """The journal at ``path``, with a note on standard error where its schema is not ours."""
    from replay.history import History

    history = History(path, list(data), check_hashes=check_hashes)
    if not history.same_schema:
        note("the journal was written with another catalogue of events; what is shown may be wrong in places")
    if history.pruned.frames:
        note(f"events before {history.pruned.next_sequence:,} were pruned: what is shown comes after them")
    return history


def folded_state(history: "History", sequence: int | None = None) -> Any:
    """The state after an event (None: the last), with what a waiting person wants to see."""
    from replay.inspect.folding import compile_fold

    if sequence is not None:
        history.check_sequence(sequence)
    with slow_start(COMPILING):
        compile_fold()
    with ProgressBar("fold") as progress:
        return history.fold(sequence, progress).state


def note(text: str) -> None:
    """Talk, not data: one line on standard error."""
    click.echo(f"note: {text}", err=True)


def print_lines(lines: Iterable[str]) -> None:
    """Write lines in blocks: a million of them must not be a million system calls."""
    block: list[str] = []
    try:
        for line in lines:
            block.append(line)
            if len(block) == FLUSH_LINES:
                _write(block)
                block = []
    finally:  # what came before a failure is shown before it
        _write(block)


def _write(block: list[str]) -> None:
    try:
        sys.stdout.write("".join(f"{line}\n" for line in block))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must go nowhere, or the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def terminal_width() -> int | None:
    """The columns of the terminal; None when the output goes to a file or a pipe, where nothing is cut."""
    if not sys.stdout.isatty():
        return None
    return max(NARROW_COLUMNS, shutil.get_terminal_size((100, 24)).columns)


def parse_sequence(text: str, last: Callable[[], int]) -> int:
    """A sequence, or ``end`` for the last one."""
    if text == "end":
        return last()
    if not text.replace(",", "").replace("_", "").isdigit():
        raise BadInput(f"{text!r} is not a sequence; write its number, or end for the last event")
    return int(text.replace(",", ""))


def as_json_text(value: Any) -> str:
    """One JSON object on one line."""
    import msgspec

    return msgspec.json.encode(value).decode()
