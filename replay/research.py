"""Features of a catalogue's data as tables for research, the same numbers that a run has.

Owns the order of bars: a row of a table is a bar of the instrument, and a feature of another series is in it as a
strategy would have seen it then, that is of the last bar which had closed before this one was heard of.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.bars.aggregate import Aggregator
from kernel.bars.plan import SeriesPlan, plan_series
from kernel.bars.rule import RuleError, parse_rule
from kernel.events.layout import BAR_CLOSED, RECORD, SERIES_BAR
from kernel.features.batch import feature_columns
from kernel.features.name import DATA, Feature
from kernel.market import BAR
from replay.catalogue.files import TEMPORARY_SUFFIX
from replay.config import ConfigError
from replay.loading import Universe
from replay.series import data_facts
from replay.tape import Tape

_PRICES = ("open", "high", "low", "close", "volume")
_SERIES_WORDS = (
    SERIES_BAR.open_ticks, SERIES_BAR.high_ticks, SERIES_BAR.low_ticks, SERIES_BAR.close_ticks, SERIES_BAR.volume_lots,
)  # fmt: skip


class FeatureTable(msgspec.Struct, frozen=True):
    """The values of one instrument: ``ts_ns`` is when each row is known, ``columns`` are as long as it."""

    instrument: str
    ts_ns: np.ndarray
    columns: dict[str, np.ndarray]


class FeatureReport(msgspec.Struct, frozen=True):
    """What was written."""

    path: str
    instruments: int
    rows: int
    columns: tuple[str, ...]
    first_ts_ns: int
    last_ts_ns: int
    seconds: float


class _Bars(msgspec.Struct, frozen=True):
    """Bars of one series in the order in which they closed, with the sequence of each."""

    sequence: np.ndarray
    ts_ns: np.ndarray
    words: np.ndarray
    ts_open_ns: np.ndarray

    def inputs(self) -> dict[str, np.ndarray]:
        """What indicators take."""
        prices = {name: self.words[:, at].astype(np.float64) for at, name in enumerate(_PRICES)}
        return {**prices, "timestamp": np.ascontiguousarray(self.ts_open_ns)}


def feature_tables(
    universe: Universe,
    features: Sequence[Feature],
    base: str = "",
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> Iterator[FeatureTable]:
    """A table for each instrument that has bars of ``base`` (a rule; empty: the data's own). Raises ConfigError."""
    base = str(parse_rule(base)) if base else ""
    asked = [msgspec.structs.replace(one, series="" if one.series == DATA else one.series or base) for one in features]
    rules = sorted({one.series for one in asked if one.series} | ({base} if base else set()))
    wanted = [(number, parse_rule(rule)) for number in range(len(universe.instruments)) for rule in rules]
    try:
        plans = plan_series(wanted, data_facts(universe))
    except RuleError as error:
        raise ConfigError(f"bars: {error}") from None
    tape = Tape(universe.files, universe.ids, start_ns=start_ns, end_ns=end_ns)
    bars = _collect(universe, tape, plans)
    for number, instrument in enumerate(universe.instruments):
        rows = bars.get((number, base))
        if rows is not None:
            yield FeatureTable(instrument.name, rows.ts_ns, _columns(bars, number, base, asked))


def _columns(bars: dict[tuple[int, str], _Bars], number: int, base: str, asked: Sequence[Feature]) -> dict[str, Any]:
    """The columns of one instrument in the order in which they are asked for, on the rows of ``base``."""
    rows = bars[number, base]
    found: dict[str, np.ndarray] = {}
    for rule in dict.fromkeys(one.series for one in asked):
        mine = [one for one in asked if one.series == rule]
        series = bars.get((number, rule))
        if series is None:
            found |= {name: np.full(len(rows.ts_ns), np.nan) for one in mine for name in one.columns()}
            continue
        values = feature_columns(mine, series.inputs())
        if rule != base:
            last = np.searchsorted(series.sequence, rows.sequence) - 1
            values = {name: np.where(last >= 0, column[last], np.nan) for name, column in values.items()}
        found |= values
    return {name: found[name] for one in asked for name in one.columns()}


def _collect(universe: Universe, tape: Tape, plans: Sequence[SeriesPlan]) -> dict[tuple[int, str], _Bars]:
    """All bars by instrument and rule, those of the data under an empty one."""
    aggregator = Aggregator(universe.instruments, plans) if plans else None
    rows_found: list[np.ndarray] = []
    sequences: list[np.ndarray] = []
    closed: list[np.ndarray] = []
    next_row = 1
    for rows in tape:
        if aggregator is None:
            numbers = np.arange(next_row, next_row + len(rows))
            next_row += len(rows)
        else:
            first = int(aggregator.state.head.next_sequence)
            records = aggregator.feed_all(rows)
            numbers = np.arange(first, int(aggregator.state.head.next_sequence))
            numbers = numbers[~np.isin(numbers, records["sequence"])]
            closed.append(records[records["kind"] == SERIES_BAR.kind])
        bars = rows["kind"] == BAR
        rows_found.append(rows[bars].copy())
        sequences.append(numbers[bars])
    found: dict[tuple[int, str], _Bars] = {}
    if rows_found:
        rows, numbers = np.concatenate(rows_found), np.concatenate(sequences)
        for number in np.unique(rows["instrument"]).tolist():
            mine = rows["instrument"] == number
            words = rows["words"][mine]
            found[number, ""] = _Bars(numbers[mine], rows["ts_ns"][mine], words, words[:, BAR_CLOSED.ts_open_ns])
    records = np.concatenate(closed) if closed else np.zeros(0, RECORD)
    for plan in plans:
        mine = records["words"][:, SERIES_BAR.series] == plan.number
        words = records["words"][mine]
        if len(words):
            found[plan.instrument, plan.rule] = _Bars(
                records["sequence"][mine],
                records["ts_ingest_ns"][mine],
                words[:, _SERIES_WORDS],
                words[:, SERIES_BAR.ts_open_ns],
            )
    return found


def write_features(
    universe: Universe,
    features: Sequence[Feature],
    path: Path,
    base: str = "",
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> FeatureReport:
    """Write the tables of all instruments into one Parquet file: ``ts``, ``instrument``, and a column for each value.

    Raises ConfigError when there is nothing to write.
    """
    started = time.perf_counter()  # for the summary
    tables = list(feature_tables(universe, features, base, start_ns, end_ns))
    if not tables:
        raise ConfigError("the data has no bars in the span asked for; name a series with --bars, such as 5m")
    names = tuple(tables[0].columns)
    schema = pa.schema(
        [("ts", pa.timestamp("ns", "UTC")), ("instrument", pa.dictionary(pa.int32(), pa.string()))]
        + [(name, pa.float64()) for name in names]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + TEMPORARY_SUFFIX)
    with pq.ParquetWriter(partial, schema, compression="NONE", use_dictionary=["instrument"]) as writer:
        for table in tables:
            instrument = pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(table.ts_ns), np.int32)), pa.array([table.instrument])
            )
            arrays = [pa.array(table.ts_ns).cast(schema.field("ts").type), instrument]
            writer.write_table(pa.Table.from_arrays([*arrays, *map(pa.array, table.columns.values())], schema=schema))
    partial.replace(path)
    return FeatureReport(
        str(path),
        len(tables),
        sum(len(table.ts_ns) for table in tables),
        names,
        min(int(table.ts_ns[0]) for table in tables),
        max(int(table.ts_ns[-1]) for table in tables),
        time.perf_counter() - started,
    )
