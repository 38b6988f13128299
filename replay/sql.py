"""A journal as SQL tables: one view for each event type, over Arrow, in DuckDB.

Owns the columns of the views and the closed database they live in. A view streams: nothing is read before a statement
scans it, each scan reads the journal anew, and memory holds a batch at a time. The database is in memory and cannot
touch files or the network unless the caller asks for that.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from kernel.events.catalogue import EventType, event_types
from kernel.events.layout import SEGMENT, WORDS
from replay.history import History
from replay.inspect.columns import NAME, Column, body_texts, coded, header_columns, payload_columns
from replay.inspect.frames import KINDS, MARKET_KINDS, Filter
from replay.inspect.names import Names

BATCH_RECORDS = 16_384
MARKET_TABLES = frozenset(kind.table for kind in event_types() if kind.kind in MARKET_KINDS)


class View:
    """A view that DuckDB scans through Arrow's stream protocol. ``failure`` is what stopped a scan, if anything did."""

    def __init__(
        self, name: str, description: str, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]
    ) -> None:
        self.name, self.description, self.schema = name, description, schema
        self._batches = batches
        self.failure: Exception | None = None

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.RecordBatchReader.from_batches(self.schema, self._watched()).__arrow_c_stream__(requested_schema)

    def _watched(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._batches()
        except Exception as error:  # DuckDB turns it into text; the caller wants the thing itself
            self.failure = error
            raise


def journal_views(history: History) -> list[View]:
    """All views of a journal: ``events``, one for each event type, ``instruments`` and ``strategies``."""
    found = [_events_view(history)]
    found += [_type_view(history, kind) for kind in event_types() if kind.kind != SEGMENT.kind]
    return [*found, _table_view("instruments", "The instruments by number.", instruments_table(history.names)),
            _table_view("strategies", "The strategies by number.", strategies_table(history.names))]  # fmt: skip


@contextmanager
def open_database(views: list[View], *, unlocked: bool = False) -> Iterator[Any]:
    """A DuckDB connection that holds the views. Unless ``unlocked``, no statement reaches files or the network."""
    import duckdb

    with TemporaryDirectory(prefix="kernel-sql-") as spill:
        connection = duckdb.connect(":memory:")
        try:
            for view in views:
                connection.register(view.name, view)
            # What does not fit memory is spilled to a folder of our own, not to one beside the user's files.
            settings = [
                f"temp_directory = '{spill}'",
                "python_enable_replacements = false",
                "enable_progress_bar = false",  # it would be drawn into the result
                "preserve_insertion_order = true",
            ]
            if not unlocked:
                settings += ["autoinstall_known_extensions = false", "autoload_known_extensions = false"]
                settings += ["enable_external_access = false", "lock_configuration = true"]
            for setting in settings:
                connection.execute(f"SET {setting}")
            yield connection
        finally:
            connection.close()


def run_statement(connection: Any, statement: str) -> pa.RecordBatchReader:
    """The result of the (last) statement as a stream; empty for one that has none. Raises ``duckdb.Error``."""
    relation = connection.sql(statement)
    if relation is None:
        return pa.RecordBatchReader.from_batches(pa.schema([]), iter(()))
    # The name changed between the releases of DuckDB that we support.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(BATCH_RECORDS)


# --- views --------------------------------------------------------------------------------------------------------


def _type_view(history: History, kind: EventType) -> View:
    columns = [*header_columns(history.names), *payload_columns(history.names, kind)]
    wanted = Filter(kinds=frozenset((kind.kind,)), market=kind.market)
    schema = [(column.name, column.type) for column in columns]
    with_body = not kind.market
    if with_body:
        schema.append(("body", pa.string()))
    return _view(history, kind.table, kind.description, columns, pa.schema(schema), lambda: wanted, with_body)


def _events_view(history: History) -> View:
    types = {kind.kind: kind for kind in event_types()}
    order_at = np.full(KINDS, -1)
    for kind in types.values():
        if "order_id" in kind.fields:
            order_at[kind.kind] = kind.fields.index("order_id")

    def order_id(records: np.ndarray) -> pa.Array:
        at = order_at[records["kind"]]
        values = records["words"][np.arange(len(records)), np.maximum(at, 0)]
        return pa.array(values, mask=at < 0)

    def words(records: np.ndarray) -> pa.Array:
        flat = pa.array(np.ascontiguousarray(records["words"]).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, WORDS)

    columns = [
        *header_columns(history.names),
        Column("kind", pa.int32(), lambda records: pa.array(records["kind"].astype(np.int32))),
        Column("topic", NAME, lambda records: coded(records["kind"], {k: t.topic for k, t in types.items()})),
        Column("event", NAME, lambda records: coded(records["kind"], {k: t.name for k, t in types.items()})),
        Column("order_id", pa.int64(), order_id),
        Column("words", pa.list_(pa.int64(), WORDS), words),
    ]
    schema = pa.schema([(column.name, column.type) for column in columns])
    text = "All events; words are the payload in the order of the type's own columns."
    # Without the data the stored events are still there to be asked about.
    return _view(history, "events", text, columns, schema, lambda: Filter(market=not history.data_problem()), False)


def _view(
    history: History,
    name: str,
    description: str,
    columns: list[Column],
    schema: pa.Schema,
    wanted: Callable[[], Filter],
    with_body: bool,
) -> View:
    def batches() -> Iterator[pa.RecordBatch]:
        # DuckDB may scan several views at once, from threads of its own: each scan reads with a history of its own.
        for records, bodies in _gathered(history.again(), wanted()):
            arrays = [column.build(records) for column in columns]
            if with_body:
                arrays.append(body_texts(records, bodies))
            yield pa.record_batch(arrays, schema=schema)

    return View(name, description, schema, batches)


def _gathered(history: History, wanted: Filter) -> Iterator[tuple[np.ndarray, dict[int, bytes]]]:
    """The wanted records in batches worth the cost of one."""
    waiting: list[np.ndarray] = []
    bodies: dict[int, bytes] = {}
    count = 0
    for records, found in history.batches(wanted):
        waiting.append(records)
        bodies |= found
        count += len(records)
        if count >= BATCH_RECORDS:
            yield np.concatenate(waiting), bodies
            waiting, bodies, count = [], {}, 0
    if waiting:
        yield np.concatenate(waiting), bodies


def _table_view(name: str, description: str, table: pa.Table) -> View:
    return View(name, description, table.schema, lambda: iter(table.to_batches()))


def instruments_table(names: Names) -> pa.Table:
    """The instruments of a journal, a row each."""
    rows = [
        {"number": number, "name": one.name, **msgspec.to_builtins(one), "currency_decimals": one.scale}
        for number, one in enumerate(names.instruments)
    ]
    texts = ("name", "venue", "symbol", "currency", "tick_size", "lot_size", "multiplier", "asset_class")
    schema = pa.schema(
        [("number", pa.int32()), *((text, pa.string()) for text in texts), ("currency_decimals", pa.int32())]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def strategies_table(names: Names) -> pa.Table:
    """The strategies of a journal, a row each."""
    rows = [
        {
            "number": number,
            "name": str(fact["name"]),
            "parameters": msgspec.json.encode(fact["parameters"]).decode(),
            "instruments": list(fact["instruments"]),
        }
        for number, fact in enumerate(names.strategy_facts)
    ]
    texts = [("name", pa.string()), ("parameters", pa.string()), ("instruments", pa.list_(pa.string()))]
    return pa.Table.from_pylist(rows, schema=pa.schema([("number", pa.int32()), *texts]))


def mentions(statement: str, names: set[str]) -> set[str]:
    """Which of the names occur in a statement as words."""
    return names & set(re.findall(r"\w+", statement.lower()))
