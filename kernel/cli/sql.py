"""``kernel sql``: query a journal with SQL. Parses, runs one statement over ``replay.sql``, renders the result.

Exit codes: 0 done; 1 damaged journal or missing market data; 2 a statement that DuckDB refuses, or wrong usage.
"""

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import (
    as_json_text,
    data_option,
    journal_argument,
    journal_errors,
    note,
    open_history,
    print_lines,
    terminal_width,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from replay.history import History
    from replay.sql import View

FORMATS = ("table", "csv", "json", "parquet")
FULL_STDIN = "-"


@click.command()
@journal_argument
@click.argument("statement", required=False)
@click.option("--tables", is_flag=True, help="List the views with their columns; with STATEMENT a name, only that one.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to print the result (json: one object a line).  [default: table, or by --out]",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to this file.")
@click.option("--allow-files", is_flag=True, help="Let the statement read and write files, and load extensions.")
@data_option
def sql(
    journal: Path,
    statement: str | None,
    tables: bool,
    form: str | None,
    out: Path | None,
    allow_files: bool,
    data: Sequence[str],
) -> None:
    """Run a SQL STATEMENT (- reads it from standard input) over JOURNAL.

    There is one view for each event type, such as execution_fill or portfolio_trade, and events, instruments and
    strategies; --tables lists them. The dialect is DuckDB's. No statement can change the journal.

    kernel sql runs/ema_cross-1 "select side_name, count(*), sum(fee) from execution_fill group by 1"
    """
    with journal_errors():
        from replay.sql import journal_views, open_database

        history = open_history(journal, data)
        views = journal_views(history)
        if tables:
            print_lines(_table_list(views, statement))
            return
        text = sys.stdin.read() if statement == FULL_STDIN else statement or ""
        if not text.strip():
            raise BadInput(
                'no statement; write one such as "select * from execution_fill limit 5", or list the views: --tables'
            )
        chosen = _format(form, out)
        _check_market(history, text)
        with open_database(views, unlocked=allow_files) as connection:
            _run(connection, views, text, chosen, out)


def _format(form: str | None, out: Path | None) -> str:
    by_name = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}
    chosen = form or (by_name.get(out.suffix, "table") if out is not None else "table")
    if chosen == "parquet" and out is None:
        raise BadInput("Parquet is not text; name a file with --out FILE.parquet")
    return chosen


def _check_market(history: "History", statement: str) -> None:
    """Say before the statement runs that market rows cannot be read, when it asks for them."""
    from replay.inspect.source import DataMissingError
    from replay.sql import MARKET_TABLES, mentions

    asked = mentions(statement, {*MARKET_TABLES, "events"})
    if not asked or not history.by_reference or not (problem := history.data_problem()):
        return
    if asked & MARKET_TABLES:
        raise DataMissingError(f"{problem} ({', '.join(sorted(asked & MARKET_TABLES))} needs it)")
    note(f"market rows are not among the events: {problem}")


def _run(connection: Any, views: "list[View]", statement: str, form: str, out: Path | None) -> None:
    import duckdb

    from replay.sql import run_statement

    try:
        reader = run_statement(connection, statement)
        _write(reader, form, out)
    except duckdb.Error as error:
        failures = [view.failure for view in views if view.failure is not None]
        if failures:
            raise failures[0] from None
        raise BadInput(_one_line(error)) from None
    except OSError:
        failures = [view.failure for view in views if view.failure is not None]
        if failures:
            raise failures[0] from None
        raise


def _one_line(error: Exception) -> str:
    """DuckDB's message without its drawing of the place; its suggestion is kept."""
    message = str(error).partition("\n\nLINE")[0].partition("\nLINE")[0]
    text = " ".join(message.split())
    if "disabled by configuration" in text or "disabled through configuration" in text:
        return f"{text}; the journal is all that a statement can reach, unless --allow-files is given"
    return text


def _table_list(views: "list[View]", only: str | None) -> list[str]:
    import duckdb

    from kernel.naming import near_name

    connection = duckdb.connect(":memory:")
    found = connection.execute(
        "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    ).fetchall()
    connection.close()
    reserved = {word for (word,) in found}
    names = [view.name for view in views]
    if only is not None and only not in names:
        raise BadInput(f"no view {only!r}; {near_name(only, names, '--tables alone lists all')}")
    lines: list[str] = []
    for view in views:
        if only in (None, view.name):
            lines += [*([""] if lines else []), f"{view.name}  {view.description}"]
            columns = [
                (f'"{field.name}"' if field.name in reserved else field.name, _sql_type(field.type))
                for field in view.schema
            ]
            size = max(len(name) for name, _ in columns)
            lines += [f"  {name.ljust(size)}  {kind}" for name, kind in columns]
    return lines


def _sql_type(kind: "pa.DataType") -> str:
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    names = {"int64": "BIGINT", "int32": "INTEGER", "timestamp[ns]": "TIMESTAMP_NS"}
    return names.get(str(kind), "VARCHAR")


# --- output -------------------------------------------------------------------------------------------------------


def _write(reader: "pa.RecordBatchReader", form: str, out: Path | None) -> None:
    if form == "parquet":
        import pyarrow.parquet as parquet

        assert out is not None
        with parquet.ParquetWriter(out, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return
    lines = {"table": _table_lines, "csv": _csv_lines, "json": _json_lines}[form]
    if out is None:
        print_lines(lines(reader))
        return
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines(reader))


def _rows(reader: "pa.RecordBatchReader") -> Iterator[tuple[Any, ...]]:
    """The rows as Python values; times and decimals as text, which keeps every digit of them."""
    import pyarrow as pa

    from replay.inspect.phrases import iso_time

    for batch in reader:
        columns = []
        for column, field in zip(batch.columns, batch.schema, strict=True):
            if pa.types.is_timestamp(field.type):
                whole = column.cast(pa.timestamp("ns")).cast(pa.int64()).to_pylist()
                columns.append([None if value is None else iso_time(value) for value in whole])
            elif pa.types.is_decimal(field.type):
                columns.append([None if value is None else f"{value:f}" for value in column.to_pylist()])
            else:
                columns.append(column.to_pylist())
        yield from zip(*columns, strict=True)


def _table_lines(reader: "pa.RecordBatchReader") -> Iterator[str]:
    import pyarrow as pa

    from replay.inspect.text import GAP, SAMPLE_ROWS, lay_out, pairs

    def is_number(kind: Any) -> bool:
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))

    right = [is_number(field.type) for field in reader.schema]
    rows: Iterator[list[str]]
    names, width = reader.schema.names, terminal_width()
    rows = ([_cell(value) for value in row] for row in _rows(reader))
    sample = list(itertools.islice(rows, SAMPLE_ROWS))
    needed = [max(map(len, column)) for column in zip(names, *sample, strict=True)]
    rows = itertools.chain(sample, rows)
    if width is None or sum(needed) + len(GAP) * (len(needed) - 1) <= width:
        yield from lay_out(names, rows, right)
        return
    for number, row in enumerate(rows, 1):  # too wide for the terminal: a block for each row, nothing cut
        yield f"row {number}"
        yield from pairs(zip(names, row, strict=True))


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | dict):
        return as_json_text(value)
    text = str(value)
    if text.endswith("Z") and text[10:11] == "T":
        return text[:-1].replace("T", " ")
    return text.replace("\n", "\\n")


def _csv_lines(reader: "pa.RecordBatchReader") -> Iterator[str]:
    import csv
    import io

    def line(row: Sequence[Any]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(
            [as_json_text(value) if isinstance(value, list | dict) else value for value in row]
        )
        return buffer.getvalue()

    yield line(reader.schema.names)
    for row in _rows(reader):
        yield line(row)


def _json_lines(reader: "pa.RecordBatchReader") -> Iterator[str]:
    names = reader.schema.names
    return (as_json_text(dict(zip(names, row, strict=True))) for row in _rows(reader))
