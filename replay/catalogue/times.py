"""Times in sources: text, epoch numbers, timestamps with and without a zone, to nanoseconds since the epoch
in UTC.

Owns every assumption about time in a source, and says which one it made. A time without a zone is refused
until one is named; a local time that occurs twice or never in that zone is refused with its rows.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from replay.catalogue.model import ERROR, CatalogueError, DataProblem

UNITS_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
NO_TIME = -(1 << 63)
_LOCAL_BIN_NS = 15 * 60 * 10**9  # every zone changes its offset at a quarter of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_PATTERN = r"(Z|z|UTC|[+-]\d{2}:?(\d{2})?)\s*$"


class Times:
    """Times of one source: nanoseconds (``NO_TIME`` where absent), notes for people, and problems."""

    def __init__(self, ts_ns: np.ndarray, notes: list[str], problems: list[DataProblem] | None = None):
        self.ts_ns = ts_ns
        self.notes = notes
        self.problems = problems or []


def read_times(column: pa.ChunkedArray, name: str, unit: str, zone: str) -> Times:
    """The times of a source column, with ``unit`` and ``zone`` as given by the user or empty."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
        kind = column.type
    if pa.types.is_null(kind):
        raise CatalogueError(f"column {name!r} holds no times")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _from_timestamps(column, name, zone)
    if pa.types.is_integer(kind):
        return _from_epoch(column, name, unit)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_text(pc.cast(column, pa.string()), name, unit, zone)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(pc.cast(column, pa.string()), name, unit, zone)
    raise CatalogueError(f"column {name!r} is of type {kind}, which is no time")


def _from_timestamps(column: pa.Array, name: str, zone: str) -> Times:
    is_local = pa.types.is_date(column.type) or column.type.tz is None
    try:
        if pa.types.is_date(column.type):
            column = pc.cast(column, pa.timestamp("s"))
        plain = pc.cast(column, pa.timestamp("ns", None if is_local else "UTC"))
    except pa.ArrowInvalid:
        raise CatalogueError(f"column {name!r} holds times outside the years 1678 to 2262") from None
    ts = _nanoseconds(plain)
    return _localised(ts, name, zone) if is_local else Times(ts, [])


def _nanoseconds(column: pa.Array) -> np.ndarray:
    numbers = column.view(pa.int64()) if not pa.types.is_integer(column.type) else pc.cast(column, pa.int64())
    return np.array(pc.fill_null(numbers, NO_TIME).to_numpy(zero_copy_only=False), dtype=np.int64)


def _from_text(column: pa.Array, name: str, unit: str, zone: str) -> Times:
    column = pc.utf8_trim_whitespace(column)
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    present = column.drop_null()
    if not len(present):
        raise CatalogueError(f"column {name!r} holds no times")
    if pc.all(pc.match_substring_regex(present, r"^[+-]?\d+$")).as_py():
        return _from_epoch(_cast(column, pa.int64(), name), name, unit)
    if pc.all(pc.match_substring_regex(present, r"^[+-]?\d+\.?\d*([eE][+-]?\d+)?$")).as_py():
        return _from_fractions(column, name, unit)
    zoned = pc.match_substring_regex(present, r":\d.*" + _ZONE_PATTERN)
    if pc.all(zoned).as_py():
        text = pc.replace_substring_regex(column, r"\s*(UTC|z)$", "Z")
        text = pc.replace_substring_regex(text, r"\s+([+-]\d{2}:?\d{0,2})$", r"\1")
        return Times(_nanoseconds(_cast(text, pa.timestamp("ns", "UTC"), name)), [])
    if pc.any(zoned).as_py():
        raise CatalogueError(f"column {name!r} has times with and without a zone: write all of them alike")
    return _localised(_nanoseconds(_cast(column, pa.timestamp("ns"), name)), name, zone)


def _cast(column: pa.Array, target: pa.DataType, name: str) -> pa.Array:
    try:
        return pc.cast(column, target)
    except pa.ArrowInvalid:
        index, text = _first_failure(column, target)
        raise CatalogueError(
            f"column {name!r} row {index + 1}: {text!r} is no time that can be read: write ISO 8601 "
            "(2024-01-31T12:00:00Z) or epoch numbers"
        ) from None


def _first_failure(column: pa.Array, target: pa.DataType) -> tuple[int, str]:
    """The first value that does not convert, by bisection: the bulk conversion does not say which."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            pc.cast(column.slice(low, middle - low), target)
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low, str(column[low].as_py())


def _from_fractions(column: pa.Array, name: str, unit: str) -> Times:
    """Epoch numbers with decimals, exactly: a float does not hold the nanoseconds of today in seconds."""
    try:
        exact = pc.cast(column, pa.decimal128(38, 18))
    except pa.ArrowInvalid as error:
        raise CatalogueError(f"column {name!r}: {str(error).splitlines()[0]}") from None
    largest = pc.max(pc.abs(exact)).as_py()
    unit, note = _epoch_unit(int(largest), name, unit)
    # With as many decimals as the unit has nanoseconds' digits, the number's own digits are the nanoseconds.
    scaled = pc.cast(exact, pa.decimal128(38, len(str(UNITS_NS[unit])) - 1), safe=False)
    if int(largest) * UNITS_NS[unit] > -NO_TIME - 1:
        raise CatalogueError(f"column {name!r} holds times outside the years 1678 to 2262")
    digits = np.frombuffer(scaled.buffers()[1], np.int64).reshape(-1, 2)[scaled.offset :][: len(scaled), 0]
    absent = pc.is_null(scaled).to_numpy(zero_copy_only=False)
    return Times(np.where(absent, NO_TIME, digits), [note])


def _from_epoch(column: pa.Array, name: str, unit: str) -> Times:
    ts = _nanoseconds(column)
    present = ts[ts != NO_TIME]
    if not present.size:
        raise CatalogueError(f"column {name!r} holds no times")
    low, high = int(present.min()), int(present.max())
    if not unit and low >= 19000101 and high <= 21001231 and _looks_like_dates(present):
        raise CatalogueError(f"column {name!r} looks like dates written YYYYMMDD: write them as 2024-01-31")
    unit, note = _epoch_unit(high, name, unit)
    if unit != _epoch_unit(low, name, "")[0] and 0 < low < high // 500:
        raise CatalogueError(f"column {name!r} mixes epoch units ({low} to {high}): give --ts-unit")
    factor = UNITS_NS[unit]
    if max(abs(low), abs(high)) > ((1 << 63) - 1) // factor:
        raise CatalogueError(f"column {name!r}: {high} {UNIT_NAMES[unit]} do not fit 64 bits of nanoseconds")
    return Times(np.where(ts == NO_TIME, NO_TIME, ts * factor), [note])


def _looks_like_dates(numbers: np.ndarray) -> bool:
    months, days = numbers // 100 % 100, numbers % 100
    return bool(np.all((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)))


def _epoch_unit(largest: int, name: str, unit: str) -> tuple[str, str]:
    """The unit of epoch numbers and the note that says how it was found."""
    if unit:
        return unit, f"time: {name} is in epoch {UNIT_NAMES[unit]}, as given"
    bounds = (("s", 10**11), ("ms", 10**14), ("us", 10**17))
    found = next((candidate for candidate, bound in bounds if abs(largest) < bound), "ns")
    return found, f"time: {name} is in epoch {UNIT_NAMES[found]}, judged by its size (--ts-unit overrides)"


def _localised(local_ns: np.ndarray, name: str, zone: str) -> Times:
    """Local times of ``zone`` to UTC. Offsets are looked up once for each quarter of an hour that occurs."""
    if not zone:
        raise CatalogueError(f"column {name!r} has times without a zone: give --tz, such as UTC or Europe/Berlin")
    try:
        rules = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CatalogueError(f"--tz {zone}: no such time zone") from None
    present = local_ns != NO_TIME
    bins, places = np.unique(local_ns[present] // _LOCAL_BIN_NS, return_inverse=True)
    offsets = np.empty((2, bins.size), np.int64)
    for index, number in enumerate(bins.tolist()):
        local = (_EPOCH + timedelta(minutes=15 * number)).replace(tzinfo=rules)
        for fold in (0, 1):
            offset = local.replace(fold=fold).utcoffset()
            assert offset is not None
            offsets[fold, index] = offset // timedelta(microseconds=1) * 1000
    ts = local_ns.copy()
    ts[present] -= offsets[0][places]
    unclear = np.zeros(len(ts), bool)
    unclear[present] = (offsets[0] != offsets[1])[places]
    problems = []
    if unclear.any():
        rows = np.flatnonzero(unclear)
        problems.append(DataProblem(
            rule="local-time", severity=ERROR, count=len(rows), rows=tuple(int(r) + 1 for r in rows[:5]),
            message=f"local times that occur twice or never in {zone}, where clocks change: write UTC",
        ))  # fmt: skip
    return Times(ts, [f"time: {name} is local time of {zone}, as given"], problems)
