"""``kernel backup`` and ``kernel restore``: a run at another place, consistent and verified.

Each parses, calls one function of the journal, renders. Exit codes: 0 done; 1 the journal, the backup or a place is
not what it must be, and nothing was changed; 2 wrong usage.
"""

from dataclasses import asdict
from pathlib import Path

import click

from kernel.cli.journals import as_json_text, journal_errors, json_option, note, parse_sequence, print_lines
from kernel.cli.progress import ProgressBar
from kernel.plurals import counted

# What a run writes at its end, about all of it: wrong about a part.
OF_THE_WHOLE = ("trades.parquet", "shadow_trades.parquet", "equity.parquet", "report.html", "certificate.json")
MEGABYTE = 1_000_000


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("dest", type=click.Path(path_type=Path, file_okay=False))
@json_option
def backup(run: Path, dest: Path, as_json: bool) -> None:
    """Back up RUN (a run directory or a journal) to the folder DEST, while it goes on.

    Taken is what is durable: whole frames, checked on the way. The first backup copies all; a later one to the same
    place copies what is new, and refuses when RUN is no longer an extension of what is there. Secrets (keys) are left
    out. If it is killed, run it again: DEST holds the last finished backup at any moment.
    """
    with journal_errors():
        from journal.backup import back_up

        with ProgressBar("backup") as progress:
            report = back_up(run, dest, progress)
    for name in report.left_out:
        note(f"left out: {name} (a secret, or no plain file)")
    if as_json:
        print_lines([as_json_text(asdict(report))])
    else:
        print_lines(
            [
                f"{dest}: {counted(report.frames, 'frame')} to event {report.next_sequence - 1:,}, root {report.root}",
                f"new: {counted(report.new_frames, 'frame')}, {report.new_bytes / MEGABYTE:,.1f} MB; "
                f"files: {report.files}",
            ]
        )


@click.command()
@click.argument("dest", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--upto", metavar="SEQ", help="End with this event, or the last frame before it; else all.")
@json_option
def restore(dest: Path, run: Path, upto: str | None, as_json: bool) -> None:
    """Bring the backup in DEST back to the new folder RUN. Every byte is verified first; nothing is overwritten.

    With --upto the journal ends with the last whole frame whose events are at or before SEQ. A live session goes on
    from a restored folder only with kernel live --resume RUN --take-over.
    """
    with journal_errors():
        from journal.restore import restore as bring_back

        cut = parse_sequence(upto, lambda: 0) if upto is not None and upto != "end" else None
        with ProgressBar("restore") as progress:
            report = bring_back(dest, run, upto=cut, of_the_whole=OF_THE_WHOLE, progress=progress)
    if as_json:
        print_lines([as_json_text(asdict(report))])
        return
    if report.cut_after is not None:
        note(f"cut after event {report.cut_after:,}, the end of the last frame that is not beyond {upto}")
    for name in report.left_out:
        note(f"left out: {name}, which tells of the whole run")
    print_lines(
        [
            f"{run}: {counted(report.frames, 'frame')} to event {report.next_sequence - 1:,}, root {report.root}",
            f"verified: every frame and file{_agree(report.checkpoints)}",
        ]
    )


def _agree(checkpoints: int) -> str:
    if not checkpoints:
        return ""
    return f", and {counted(checkpoints, 'signed checkpoint')} {'agrees' if checkpoints == 1 else 'agree'}"
