"""``kernel migrate``: a journal of an earlier release in the layouts of this one.

Parses, calls one function, renders. Exit codes: 0 done, or nothing to do; 1 the journal is not whole, or is of a newer
release; 2 wrong usage.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernel.cli.anew import write_anew
from kernel.cli.errors import Failure
from kernel.cli.journals import as_json_text, journal_argument, journal_errors, json_option, note, print_lines
from kernel.plurals import counted

if TYPE_CHECKING:
    from replay.migration import MigrationReport

REPORT = "migrated.json"


@click.command()
@journal_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The new folder.")
@json_option
def migrate(journal: Path, out: Path, as_json: bool) -> None:
    """Write JOURNAL, of an earlier release, anew to --out in the layouts of this one. JOURNAL stays as it is.

    Every event keeps its sequence, time and cause. What this release does not know is kept, and named. The new journal
    is bound to the old one: its genesis id is made of the old one's last hash. A live session goes on from it only with
    kernel live --resume OUT --take-over.
    """
    with journal_errors():
        from kernel.events.upcast import UpcastError
        from replay.history import find_journal
        from replay.migration import migrate_journal, needs_migration

        place, _ = find_journal(journal)
        if not needs_migration(place):
            note(f"{journal} is of this release: nothing to migrate, and nothing was written")
            return
        try:
            report = write_anew(
                journal, place, out, "migrate", REPORT,
                lambda target, progress: migrate_journal(place, target, progress=progress),
            )  # fmt: skip
        except UpcastError as error:
            raise Failure(f"{journal}: {error}") from error
    print_lines([as_json_text(report)] if as_json else _lines(out, report))


def _lines(out: Path, report: "MigrationReport") -> list[str]:
    lines = [
        f"{out}: {counted(report.frames, 'frame')}, {counted(report.events, 'event')}, root {report.root}",
        f"migrated from journal {report.old_genesis_id}, root {report.old_root}",
    ]
    lines += [f"upcast {name}: {count:,}" for name, count in report.upcast.items()]
    lines += [
        f"kept as it is: {count:,} of kind {kind}, not known here" for kind, count in report.unknown_kinds.items()
    ]
    lines += [f"kept in bodies of {name}: {', '.join(fields)}" for name, fields in report.unknown_fields.items()]
    return lines
