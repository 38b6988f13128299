"""``kernel audit report``, ``export`` and ``check``: what an auditor is given, and whether it is still that.

Each parses, calls one function of ``replay.audit_report``, renders. Exit codes: 0 done; 1 the journal, or an export, is
not whole; 2 wrong usage.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from kernel.cli.errors import Failure
from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_errors,
    json_option,
    key_file_option,
    note,
    print_lines,
)
from kernel.cli.progress import ProgressBar
from kernel.plurals import counted

run_argument = click.argument("run", type=click.Path(path_type=Path))
out_option = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty or new folder."
)


@click.group()
def audit() -> None:
    """Report on a journal for an auditor, or export it as tables."""


@audit.command()
@run_argument
@out_option
@click.option("--key", "keys", multiple=True, metavar="KEY", help="A verifier key of checkpoints; may be repeated.")
@click.option(
    "--orders", type=click.IntRange(min=0), default=200, help="How many orders to tell the life of.  [default: 200]"
)
@key_file_option
@json_option
def report(run: Path, out: Path, keys: Sequence[str], orders: int, as_json: bool) -> None:
    """Report on RUN (a run directory or the journal in it): report.html, report.json, orders.parquet.

    What was run, when and by whom, every order's life, every override, stop, difference and repair, what the chain's
    verification says, what was not checked, and how far it covers what regulators ask.
    """
    from kernel.cli.keys import verifier_keys

    with journal_errors(), _bars() as bars:
        from replay.audit_report.coverage import VERDICTS
        from replay.audit_report.report import PAGE, write_report

        made = write_report(run, out, verifier_keys(keys), bars, orders)
    verdicts = {verdict: sum(one.verdict == verdict for one in made.coverage) for verdict in VERDICTS}
    if as_json:
        found = {"report": str(out / PAGE), "ok": made.chain.is_whole, "root": made.chain.root}
        print_lines([as_json_text(found | {"orders": made.orders.count, "coverage": verdicts})])
    else:
        whole = "whole" if made.chain.is_whole else f"BROKEN: {made.chain.problem}"
        counts = f"{counted(made.orders.count, 'order')}, {counted(made.chain.events, 'event')}"
        print_lines(
            [
                f"{out / PAGE}: {counts}; the journal is {whole}",
                "requirements: " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count),
            ]
        )
    for text in made.what.disagreements:
        note(f"does not agree: {text}")
    if not made.chain.is_whole or made.what.disagreements:
        sys.exit(1)


@audit.command()
@run_argument
@out_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    help="Of the tables.  [default: parquet]",
)
@click.option("--market", is_flag=True, help="Market rows too; where they are journaled by hash that takes the data.")
@data_option
@key_file_option
@json_option
def export(run: Path, out: Path, form: str, market: bool, data: Sequence[str], as_json: bool) -> None:
    """Export RUN as tables: orders, cat_linkage, one for each event type; manifest.json binds them to the journal."""
    with journal_errors(), _bars() as bars, _export_errors():
        from replay.audit_report.exporting import MANIFEST, export_journal

        made = export_journal(run, out, form, bars, data=data, market=market)
        rows = sum(file.rows or 0 for file in made.files)
        if made.unknown_events:
            note(f"left out: {counted(made.unknown_events, 'event')} of kinds that this release does not know")
        found = {"manifest": str(out / MANIFEST), "files": len(made.files), "rows": rows, "root": made.root}
        counts = f"{counted(rows, 'row')} in {counted(len(made.files), 'file')}, of {counted(made.events, 'event')}"
        line = f"{out}: {counts}; root {made.root}"
        print_lines([as_json_text(found) if as_json else line])


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--run", type=click.Path(path_type=Path), help="Also hold the manifest against this journal.")
@key_file_option
@json_option
def check(folder: Path, run: Path | None, as_json: bool) -> None:
    """Check an export in FOLDER: every file against the manifest, and with --run the manifest against the journal."""
    with journal_errors(), _bars() as bars, _export_errors():
        from replay.audit_report.exporting import check_export

        made = check_export(folder, run, bars)
        against = f", of the journal {made.genesis_id} as it is there" if run is not None else ""
        found = {"ok": True, "files": len(made.files), "root": made.root, "journal": str(run) if run else None}
        line = f"as exported: {counted(len(made.files), 'file')}{against}; root {made.root}"
        print_lines([as_json_text(found) if as_json else line])


@contextmanager
def _export_errors() -> Iterator[None]:
    from replay.audit_report.exporting import ExportError

    try:
        yield
    except ExportError as error:
        raise Failure(str(error)) from error


@contextmanager
def _bars() -> Iterator[Callable[[str], ProgressBar]]:
    """Progress bars by their labels, one after another."""
    opened: list[ProgressBar] = []

    def bar(label: str) -> ProgressBar:
        if opened:
            opened.pop().__exit__(None, None, None)
        opened.append(ProgressBar(label))
        return opened[0]

    try:
        yield bar
    finally:
        for one in opened:
            one.__exit__(None, None, None)
