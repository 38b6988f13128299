"""``kernel data``: import market data into a catalogue, check it, and show what is there.

Owns the command line of the catalogue: it parses, calls one function and renders. Heavy libraries are
imported inside the commands, so that help is instant. Data goes to standard output, talk to standard error;
the exit code is 0, 1 for a problem with the data, and 2 for a wrong command line.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.plurals import counted

if TYPE_CHECKING:
    from replay.catalogue import CatalogueFile, DataProblem, ImportReport

DEFAULT_ROOT = Path("catalogue")
KINDS = ("bars", "trades", "quotes", "quotebars", "depth", "levels", "signals")
PATH = click.Path(path_type=Path)


class DataFailure(click.ClickException):
    """Data that cannot be used: every problem on a line of its own, and exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(line, err=True)


@contextmanager
def _failures(command: str) -> Iterator[None]:
    """Turn problems with data into lines for people."""
    from replay.catalogue import CatalogueError

    try:
        yield
    except CatalogueError as error:
        lines = [f"kernel data {command}: {line}" for line in str(error).splitlines()]
        raise DataFailure("\n".join(lines)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise DataFailure(f"kernel data {command}: {place}{error.strerror or error}") from None


# Commands that live in a module of their own: the module, and their name there.
ELSEWHERE = {"fetch": ("kernel.cli.data_fetch", "fetch"), "providers": ("kernel.cli.data_fetch", "providers")}


class DataGroup(click.Group):
    """Finds the commands of other modules when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, attribute = ELSEWHERE[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=DataGroup)
def data() -> None:
    """Download market data, import it, check it, and show what is there."""


def _mapping(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    wrong = [field for field, equals, name in pairs if not (field and equals and name)]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r}: write FIELD=NAME, such as open=Open")
    return {field: name for field, _, name in pairs}


def _names(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",")) if value else ()


def _repairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(rule.strip() for value in values for rule in value.split(",") if rule.strip())


# fmt: off
@data.command("import", no_args_is_help=True)
@click.argument("sources", nargs=-1, required=True, type=PATH, metavar="SOURCE...")
@click.option("--venue", default="", help="Whose data it is: coinbase, us, oanda, ...")
@click.option("--symbol", default="", help="The symbol at the venue.")
@click.option("--kind", default="", type=click.Choice(["", *KINDS]), metavar="KIND",
              help="bars, trades, quotes, quotebars, depth, levels, signals; the first four are judged by the columns.")
@click.option("--interval", default="", metavar="1m",
              help="The interval of bars; judged by the data otherwise.")
@click.option("--tick-size", default="", metavar="0.01",
              help="The price grid; inferred from the data otherwise.")
@click.option("--lot-size", default="", metavar="1e-8",
              help="The size grid; inferred from the data otherwise.")
@click.option("--currency", default="", metavar="USD", help="What prices are in.")
@click.option("--multiplier", default="", metavar="1", help="Units of the underlying in one of quantity.")
@click.option("--asset-class", default="", metavar="spot", help="spot, equity, fx, perpetual, ...")
@click.option("--calendar", default="", metavar="XNYS", help="The exchange whose sessions the data has.")
@click.option("--ts-label", default="", type=click.Choice(["", "open", "close"]), metavar="open|close",
              help="Which end of a bar its time is.")
@click.option("--ts-unit", default="", type=click.Choice(["", "s", "ms", "us", "ns"]), metavar="s|ms|us|ns",
              help="The unit of epoch times; judged by their size otherwise.")
@click.option("--tz", "timezone", default="", metavar="ZONE", help="The zone of times without one: UTC, ...")
@click.option("--column", "columns", multiple=True, callback=_mapping, metavar="FIELD=NAME",
              help="The source's name for a field, such as open=Open. May be repeated.")
@click.option("--header", default="", callback=_names, metavar="NAMES",
              help="Column names, comma-separated, of a CSV file without a header line.")
@click.option("--ignore-unknown", is_flag=True, help="Leave columns out that are not known.")
@click.option("--root", default=DEFAULT_ROOT, show_default=True, type=PATH, help="The catalogue.")
@click.option("--repair", "repairs", multiple=True, callback=_repairs, metavar="RULE",
              help="Repair the data: drop-nan, sort, drop-duplicates[=last], round-to-tick, clip-range, "
                   "drop-invalid. May be repeated; nothing is repaired otherwise.")
@click.option("--replace", is_flag=True, help="Replace a file that exists.")
@click.option("--append", is_flag=True, help="Append later rows to a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_command(sources: tuple[Path, ...], root: Path, as_json: bool, **options: Any) -> None:
    """Import CSV or Parquet files of one instrument, in time order, into the catalogue.

    Prices become whole ticks and sizes whole lots, exactly. A source with problems is refused, each with its
    rows; the catalogue then stays as it was.
    """
    if options["replace"] and options["append"]:
        raise click.UsageError("--replace and --append exclude each other")
    with _failures("import"):
        from replay.catalogue import ImportOptions, import_file

        report = import_file(sources, root, ImportOptions(**options))
    _render_import(report, as_json)
# fmt: on


def _render_import(report: ImportReport, as_json: bool) -> None:
    for line in report.lines():
        click.echo(line, err=True)
    if as_json:
        facts = _facts(report.file)
        facts |= {
            "rows_read": report.rows_read, "rows_imported": report.rows_imported, "notes": report.notes,
            "repairs": {repair.rule: repair.rows for repair in report.repairs},
            "problems": _problem_facts(report.problems),
        }  # fmt: skip
        click.echo(json.dumps(facts))
    else:
        click.echo(f"{report.file.path}: {counted(report.file.rows, 'row')}")


@data.command("bars", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="DATA...")
@click.option("--rule", required=True, help="Such as 5m, 1d session, 100 ticks, renko 50; see docs/bars.md.")
@click.option("--out", required=True, type=PATH, metavar="FILE", help="The catalogue file to write.")
@click.option("--from", "start", default="", help="First time to include, such as 2020-01-31.")
@click.option("--to", "end", default="", help="Time to stop before.")
@click.option("--replace", is_flag=True, help="Replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bars_command(paths: tuple[Path, ...], rule: str, out: Path, as_json: bool, **options: Any) -> None:
    """Make bars of one instrument's data, as a run on it would, and write them as a catalogue file.

    DATA is catalogue files, or folders that are searched. A bar's time is its end.
    """
    with _failures("bars"):
        from msgspec.structs import asdict

        from replay.make_bars import make_bars

        made = make_bars(paths, rule, out, **options)
    count = made.count
    if as_json:
        click.echo(json.dumps(_facts(made.file) | {"series": asdict(count)}))
        return
    left_out = (
        f"{counted(count.late, 'input')} late, {count.straddling:,} straddling, {count.outside:,} outside of sessions"
    )
    click.echo(f"{count.rule} of {count.instrument}: {counted(count.gaps, 'bar')} with gaps, {left_out}", err=True)
    click.echo(f"{made.file.path}: {counted(made.file.rows, 'row')}")


@data.command("validate", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option("--tz", "timezone", default="", metavar="ZONE", help="The zone of a source's times without one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
def validate_command(paths: tuple[Path, ...], timezone: str, as_json: bool) -> None:
    """Check catalogue files, all files below a catalogue's root, or sources that are not imported yet.

    Exits with 1 when one has an error.
    """
    failed = 0
    with _failures("validate"):
        for path in _expanded(paths):
            file, problems = _validated(path, timezone)
            errors = [problem for problem in problems if problem.severity == "error"]
            failed += bool(errors)
            if as_json:
                facts = _facts(file) if file else {"path": str(path)}
                click.echo(json.dumps(facts | {"ok": not errors, "problems": _problem_facts(problems)}))
            else:
                _render_validation(path, file, problems)
    if failed:
        raise SystemExit(1)


def _validated(path: Path, timezone: str) -> tuple[CatalogueFile | None, list[DataProblem]]:
    from replay.catalogue import CatalogueError, DataProblem
    from replay.catalogue.validate import is_catalogue_file, validate_file, validate_source

    if is_catalogue_file(path):
        return validate_file(path)
    try:
        return validate_source(path, timezone)
    except CatalogueError as error:
        found = list(error.problems)
        return None, found or [DataProblem(rule="unreadable", severity="error", message=str(error))]


def _render_validation(path: Path, file: CatalogueFile | None, problems: list[DataProblem]) -> None:
    bad = any(problem.severity == "error" for problem in problems)
    rows = counted(file.rows, "row") if file else "unusable"
    click.echo(f"{path}: {'BAD' if bad else 'ok'}, {rows}")
    for problem in problems:
        click.echo(f"  {problem.severity}: {problem.line}", err=True)


@data.command("info")
@click.argument("paths", nargs=-1, type=PATH, metavar="[PATH|ROOT]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
def info_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Show what catalogue files hold: a file, a catalogue's root, or ./catalogue."""
    with _failures("info"):
        from replay.catalogue import open_file

        files = [open_file(path) for path in _expanded(paths or (DEFAULT_ROOT,))]
    if as_json:
        for file in files:
            click.echo(json.dumps(_facts(file)))
        return
    _render_table(files)


def _render_table(files: list[CatalogueFile]) -> None:
    from rich.console import Console
    from rich.table import Table

    from replay.catalogue.intervals import format_span

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("instrument", "kind", "rows", "first", "last", "gaps", "largest", "tick", "lot", "source"):
        is_number = name in ("rows", "gaps", "largest", "tick", "lot")
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for file in files:
        facts, metadata = _facts(file), file.metadata
        table.add_row(
            file.instrument.name, facts["name"], f"{file.rows:,}", facts["first"][:10], facts["last"][:10],
            f"{metadata.gaps:,}" if file.interval_ns else "",
            format_span(metadata.largest_gap_ns) if metadata.largest_gap_ns else "",
            file.instrument.tick_size, file.instrument.lot_size if file.volume_known else "unknown",
            file.source_sha256[:8],
        )  # fmt: skip
    console = Console()
    # A pipe has no width of its own: the table must not be cut there.
    (console if console.is_terminal else Console(width=200)).print(table)


def _expanded(paths: tuple[Path, ...]) -> list[Path]:
    """The files named, and those below each directory named."""
    from replay.catalogue import CatalogueError, find_files

    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise CatalogueError(f"{path}: no such file or directory: import data first, or name a root")
            files.append(path)
            continue
        below = list(find_files(path))
        if not below:
            raise CatalogueError(f"{path}: no catalogue files here (VENUE/SYMBOL/KIND.parquet)")
        files += below
    return files


def _facts(file: CatalogueFile) -> dict[str, Any]:
    """What is known of a file, for JSON."""
    from msgspec.structs import asdict

    from replay.catalogue.intervals import format_interval

    interval = format_interval(file.interval_ns) if file.interval_ns else None
    return {
        "path": str(file.path), "instrument": asdict(file.instrument), "kind": file.metadata.kind,
        "name": f"{file.metadata.kind}-{interval}" if interval else file.metadata.kind, "interval": interval,
        "interval_ns": file.interval_ns, "rows": file.rows, "first": _utc(file.first_ts_ns),
        "last": _utc(file.last_ts_ns), "first_ts_ns": file.first_ts_ns, "last_ts_ns": file.last_ts_ns,
        "volume_known": file.volume_known, "gaps": file.metadata.gaps,
        "largest_gap_ns": file.metadata.largest_gap_ns, "source_sha256": file.source_sha256,
        "sources": [asdict(source) for source in file.metadata.sources],
        "file_repairs": [asdict(repair) for repair in file.metadata.repairs],
        "schema_version": file.schema_version,
    }  # fmt: skip


def _problem_facts(problems: Any) -> list[dict[str, Any]]:
    from msgspec.structs import asdict

    return [asdict(problem) for problem in problems]


def _utc(ts_ns: int) -> str:
    from datetime import UTC, datetime

    seconds, nanoseconds = divmod(ts_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{nanoseconds:09d}Z"
