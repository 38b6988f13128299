"""The events of a journal as files for other people's tools: a table for each event type, and some made of several.

Owns the folder: the tables, ``columns.json`` with what each column means, and ``manifest.json`` with the SHA-256 of
every file beside the journal's identity, size and root. So an export is bound to one journal as it was, and
``check_export`` tells whether it still is what was exported.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from journal import JournalReader, verify_journal
from kernel.events.catalogue import EventType, event_types
from kernel.events.layout import SEGMENT, Stored
from replay.audit_report.order_tables import ORDER_COLUMNS, STEP_COLUMNS, order_row, schema_of, step_rows
from replay.audit_report.orders import Gathering, Life
from replay.audit_report.writing import TableFile
from replay.folders import refuse_used
from replay.history import History, find_journal
from replay.inspect.columns import Column, body_texts, header_columns, payload_columns
from replay.inspect.frames import Filter
from replay.sql import instruments_table, strategies_table

FORMAT = "trading-kernel export 1"
MANIFEST, COLUMNS = "manifest.json", "columns.json"
ORDERS, LINKAGE = "orders", "cat_linkage"
MOST_WAITING = 8192  # records of one type that wait to be written
HEADER_MEANINGS = {
    "sequence": "the event's number in the journal, from 1 on",
    "ts_event": "when it happened, UTC",
    "ts_ingest": "when it was known, UTC",
    "cause": "the sequence of the event that led to it; null for an input",
    "instrument": "venue/symbol",
    "instrument_number": "its number in the journal",
    "strategy": "its name",
    "strategy_number": "its number in the journal",
    "body": "what only people read, as JSON text, or a venue's message as it came",
}
UNIT_MEANINGS = {
    "ticks": "price in ticks of the instrument",
    "lots": "quantity in lots of the instrument",
    "minor": "money in minor units of its currency",
    "rate": "in units of 1/100,000,000",
    "ns": "nanoseconds, of the epoch (UTC) where it is an instant",
}
Progress = Callable[[str], Callable[[int, int], None]]


class ExportError(ValueError):
    """An export that cannot be made or is not what it was. The text is one line."""


class FileFact(msgspec.Struct, frozen=True):
    """A file of an export. ``rows`` is None for one that is no table."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported of which journal."""

    format: str
    form: str
    market: bool
    origin: str
    genesis_id: str
    schema_digest: str
    frames: int
    events: int
    head: str
    root: str
    files: tuple[FileFact, ...]
    unknown_events: int = 0  # of kinds that this release does not know: they are in no table


def export_journal(
    run: Path, out: Path, form: str, progress: Progress, *, data: Iterable[str] = (), market: bool = False
) -> Manifest:
    """Write the tables into an empty or new folder. With ``market`` the market rows too, which takes the data.

    Raises ConfigError for a folder in use, ExportError for a journal that does not verify.
    """
    refuse_used(out)
    place, _ = find_journal(run)
    verified = verify_journal(place, progress("verify"))
    if not verified.ok:
        raise ExportError(f"{run}: the journal does not verify, so nothing is exported; see kernel verify {run}")
    history = History(run, list(data), check_hashes=False)  # verified a moment ago
    out.mkdir(parents=True, exist_ok=True)
    tables, unknown = _write_tables(history, out, form, progress("export"), market)
    (out / COLUMNS).write_bytes(_pretty(_meanings(history, tables)))
    made = Manifest(
        format=FORMAT,
        form=form,
        market=market,
        origin=history.reader.origin,
        genesis_id=history.reader.genesis_id.hex(),
        schema_digest=history.reader.schema_digest.hex(),
        frames=verified.frames,
        events=verified.events,
        head=verified.head.hex(),
        root=verified.root.hex(),
        files=(*tuple(_fact(table.path, table.rows) for table in tables), _fact(out / COLUMNS, None)),
        unknown_events=unknown,
    )
    (out / MANIFEST).write_bytes(_pretty(made))
    return made


def check_export(out: Path, run: Path | None, progress: Progress) -> Manifest:
    """Compare every file of an export with its manifest, and with ``run`` the manifest with the journal.

    Raises ExportError for the first thing that differs. A journal that has grown since is told by its larger size.
    """
    try:
        made = msgspec.json.decode((out / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ExportError(f"{out}: no {MANIFEST} there; name a folder that kernel audit export wrote") from None
    except msgspec.MsgspecError as error:
        raise ExportError(f"{out / MANIFEST}: damaged: {error}") from None
    for file in made.files:
        path = out / file.name
        if not path.is_file():
            raise ExportError(f"{path}: is missing")
        if _sha256(path) != file.sha256:
            raise ExportError(f"{path}: is not what was exported: its SHA-256 is another one")
    if run is not None:
        place, _ = find_journal(run)
        verified = verify_journal(place, progress("verify"), {made.frames})
        if not verified.ok:
            raise ExportError(f"{run}: the journal does not verify; see kernel verify {run}")
        if JournalReader(place, check_hashes=False).genesis_id.hex() != made.genesis_id:
            raise ExportError(f"{run}: is another journal than {made.genesis_id}, which was exported")
        if verified.frames < made.frames:
            raise ExportError(
                f"{run}: has {verified.frames:,} frames, and {made.frames:,} were exported: its tail was cut"
            )
        if verified.pruned > made.frames:
            raise ExportError(
                f"{run}: frames 1 to {verified.pruned:,} were pruned since, so the root of the {made.frames:,} that "
                "were exported cannot be worked out; give a backup from before"
            )
        if verified.roots[made.frames].hex() != made.root:
            raise ExportError(
                f"{run}: is not what was exported: the root of its first {made.frames:,} frames is another one"
            )
    return made


def _write_tables(
    history: History, out: Path, form: str, progress: Callable[[int, int], None], market: bool
) -> tuple[list[TableFile], int]:
    """The tables, and how many events are in none because their kind is not known."""
    names, genesis_id = history.names, history.reader.genesis_id.hex()
    with ExitStack() as stack:

        def open_table(name: str, schema: pa.Schema) -> TableFile:
            return stack.enter_context(TableFile(out / f"{name}.{form}", schema))

        orders, linkage = open_table(ORDERS, schema_of(ORDER_COLUMNS)), open_table(LINKAGE, schema_of(STEP_COLUMNS))
        row_of = step_rows(names)

        def put(life: Life) -> None:
            orders.add(order_row(life, names))

        def step(life: Life, stored: Stored) -> None:
            linkage.add(row_of(life, stored))

        gathering, split = Gathering(genesis_id, put, step, lambda order_id: False), _Split(history, open_table)
        for records, bodies in history.batches(Filter(market=market)):
            gathering.take(records, bodies)
            split.take(records, bodies)
            progress(int(records["sequence"][-1]), history.last_sequence)
        gathering.finish()
        split.finish()
        tables = [orders, linkage, *split.tables.values()]
        for name, table in (("instruments", instruments_table(names)), ("strategies", strategies_table(names))):
            tables.append(open_table(name, table.schema))
            for batch in table.to_batches():
                tables[-1].add_batch(batch)
    return tables, split.unknown


class _Split:
    """Records parted by their type, each type to a table of its own, which begins with its first record."""

    def __init__(self, history: History, open_table: Callable[[str, pa.Schema], TableFile]) -> None:
        self._names, self._open = history.names, open_table
        self._types = {kind.kind: kind for kind in event_types() if kind.kind != SEGMENT.kind}
        self._columns: dict[int, list[Column]] = {}
        self._waiting: dict[int, list[np.ndarray]] = {}
        self._counts: dict[int, int] = {}
        self._bodies: dict[int, dict[int, bytes]] = {}
        self.tables: dict[int, TableFile] = {}
        self.unknown = 0

    def take(self, records: np.ndarray, bodies: dict[int, bytes]) -> None:
        """Take records of any types."""
        for kind in np.unique(records["kind"]).tolist():
            mine = records[records["kind"] == kind]
            if kind not in self._types:
                self.unknown += len(mine) * (kind != SEGMENT.kind)
                continue
            self._waiting.setdefault(kind, []).append(mine)
            self._counts[kind] = self._counts.get(kind, 0) + len(mine)
            if bodies:
                kept = self._bodies.setdefault(kind, {})
                kept.update((at, bodies[at]) for at in mine["sequence"].tolist() if at in bodies)
            if self._counts[kind] >= MOST_WAITING:
                self._write(kind)

    def finish(self) -> None:
        """Write what waits."""
        for kind in sorted(self._waiting):
            self._write(kind)
        self.tables = dict(sorted(self.tables.items()))

    def _write(self, kind: int) -> None:
        if not self._waiting[kind]:
            return
        declared = self._types[kind]
        if kind not in self.tables:
            self._columns[kind] = [*header_columns(self._names), *payload_columns(self._names, declared)]
            self.tables[kind] = self._open(declared.table, _schema(self._columns[kind]))
        records, bodies = np.concatenate(self._waiting[kind]), self._bodies.pop(kind, {})
        self._waiting[kind], self._counts[kind] = [], 0
        arrays = [column.build(records).cast(_plain(column.type)) for column in self._columns[kind]]
        arrays.append(body_texts(records, bodies))
        self.tables[kind].add_batch(pa.record_batch(arrays, schema=self.tables[kind].schema))


def _schema(columns: list[Column]) -> pa.Schema:
    return pa.schema([*((column.name, _plain(column.type)) for column in columns), ("body", pa.string())])


def _plain(kind: pa.DataType) -> pa.DataType:
    """Names as text; a dictionary would differ from batch to batch."""
    return pa.string() if pa.types.is_dictionary(kind) else kind


def _meanings(history: History, tables: list[TableFile]) -> dict[str, Any]:
    """What each table is, and each of its columns."""
    made: dict[str, dict[str, str]] = {
        ORDERS: {name: text for name, _, text in ORDER_COLUMNS},
        LINKAGE: {name: text for name, _, text in STEP_COLUMNS},
    }
    about = {
        ORDERS: "Every order, and what became of it.",
        LINKAGE: "Every event in the life of every order, with keys that link them. No submission to any repository.",
        "instruments": "The instruments by number.",
        "strategies": "The strategies by number.",
    }
    by_table = {kind.table: kind for kind in event_types()}
    found = {}
    for table in tables:
        name = table.path.stem
        kind = by_table.get(name)
        columns = made.get(name) or {field.name: _meaning(kind, field.name) for field in table.schema}
        types = {field.name: str(field.type) for field in table.schema}
        found[name] = {
            "about": about.get(name) or (kind.description if kind else ""),
            "columns": {key: {"type": types[key], "meaning": text} for key, text in columns.items()},
        }
    return found


def _meaning(kind: EventType | None, column: str) -> str:
    if column in HEADER_MEANINGS:
        return HEADER_MEANINGS[column]
    if kind is None:
        return ""
    if column in kind.fields:
        return UNIT_MEANINGS.get(column.rpartition("_")[2], "an integer; see the table")
    if column.endswith("_name"):
        return f"what {column.removesuffix('_name')} stands for"
    return "the same as a decimal, or as a time"


def _fact(path: Path, rows: int | None) -> FileFact:
    return FileFact(path.name, rows, path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
