"""``kernel migrate``: a journal of an earlier release in the layouts of this one.

Parses, calls one function, renders. Exit codes: 0 done, or nothing to do; 1 the journal is not whole, or is of a newer
release; 2 wrong usage.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import as_json_text, journal_argument, journal_errors, json_option, note, print_lines
from kernel.cli.progress import ProgressBar

if TYPE_CHECKING:
    from replay.migration import MigrationReport

LIVE = "live.json"
NEEDED = ("run.json", LIVE)
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
        from journal.files import put_together
        from journal.restore import mark_restored
        from kernel.events.upcast import UpcastError
        from replay.history import find_journal
        from replay.migration import migrate_journal, needs_migration

        place, _ = find_journal(journal)
        if not needs_migration(place):
            note(f"{journal} is of this release: nothing to migrate, and nothing was written")
            return
        folder = "" if place == journal else place.relative_to(journal)
        try:
            with put_together(out) as staging, ProgressBar("migrate") as progress:
                report = migrate_journal(place, staging / folder, progress=progress)
                for name in NEEDED:
                    if (journal / name).is_file():
                        shutil.copyfile(journal / name, staging / name)
                (staging / REPORT).write_text(as_json_text(report) + "\n")
                if (journal / LIVE).is_file():
                    mark_restored(staging, journal, report.frames, report.root)
        except FileExistsError:
            raise BadInput(f"{out} is there already and is not empty; name another --out") from None
        except UpcastError as error:
            raise Failure(f"{journal}: {error}") from error
    print_lines([as_json_text(report)] if as_json else _lines(out, report))


def _lines(out: Path, report: "MigrationReport") -> list[str]:
    lines = [
        f"{out}: {report.frames:,} frames, {report.events:,} events, root {report.root}",
        f"migrated from journal {report.old_genesis_id}, root {report.old_root}",
    ]
    lines += [f"upcast {name}: {count:,}" for name, count in report.upcast.items()]
    lines += [
        f"kept as it is: {count:,} of kind {kind}, not known here" for kind, count in report.unknown_kinds.items()
    ]
    lines += [f"kept in bodies of {name}: {', '.join(fields)}" for name, fields in report.unknown_fields.items()]
    return lines
