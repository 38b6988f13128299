"""The columns that events have as tables: their integers, and beside them decimals, times and names.

Owns the making of Arrow arrays from records. Decimals are exact. Knows no database.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from kernel.events.body import decode_body
from kernel.events.catalogue import EventType
from kernel.events.layout import FEATURE_VECTOR
from kernel.lifecycle import CANCEL_REASONS
from kernel.market import NO_PRICE, UNKNOWN_SIZE
from kernel.units import RATE_SCALE
from replay.inspect.feature_phrases import VALUE_FIELDS
from replay.inspect.names import Names
from replay.inspect.phrases import FIELD_NAMES
from replay.inspect.signal_phrases import DURATIONS, REASON_NAMES

DECIMAL_DIGITS = 24  # more than any 64-bit integer has
NAME = pa.dictionary(pa.int32(), pa.string())
_TS = pa.timestamp("ns")
_RATE_DECIMALS = len(str(RATE_SCALE)) - 1
# Names that SQL reserves.
_RENAMED = {"limit": "limit_price", "stop": "stop_price"}
_UNSET = {"limit_ticks": 0, "stop_ticks": 0, "bid_ticks": NO_PRICE, "ask_ticks": NO_PRICE}

Build = Callable[[np.ndarray], pa.Array]


class Column(msgspec.Struct, frozen=True):
    """A column of a view: its name and type, and how it is made from records (dtype RECORD)."""

    name: str
    type: pa.DataType
    build: Build


def header_columns(names: Names) -> list[Column]:
    """What all events share; null where nothing applies."""
    instruments = dict(enumerate(instrument.name for instrument in names.instruments))
    strategies = dict(enumerate(names.strategies))
    return [
        Column("sequence", pa.int64(), lambda records: pa.array(records["sequence"])),
        Column("ts_event", _TS, lambda records: pa.array(records["ts_event_ns"]).cast(_TS)),
        Column("ts_ingest", _TS, lambda records: pa.array(records["ts_ingest_ns"]).cast(_TS)),
        Column("cause", pa.int64(), lambda records: pa.array(records["cause"], mask=records["cause"] <= 0)),
        Column("instrument", NAME, lambda records: coded(records["instrument"], instruments)),
        Column("instrument_number", pa.int32(), lambda records: _number(records["instrument"])),
        Column("strategy", NAME, lambda records: coded(records["strategy"], strategies)),
        Column("strategy_number", pa.int32(), lambda records: _number(records["strategy"])),
    ]


def payload_columns(names: Names, kind: EventType) -> list[Column]:
    """The payload words as they are, then what they mean in decimals, times and names."""
    taken = {*kind.fields, *(column.name for column in header_columns(names)), "body"}
    raw = [Column(field, pa.int64(), _word(at)) for at, field in enumerate(kind.fields)]
    helpers = [_helper(names, kind, at, field) for at, field in enumerate(kind.fields)]
    return raw + [column for column in helpers if column is not None and column.name not in taken]


def _helper(names: Names, kind: EventType, at: int, field: str) -> Column | None:
    word = _word_of(at)
    if kind.name == "FeatureVector" and field in VALUE_FIELDS:
        place = VALUE_FIELDS.index(field)
        return Column(f"{field}_real", pa.float64(), lambda records: _reals(word(records), records, place))
    stem, _, unit = field.rpartition("_")
    name = _RENAMED.get(stem, stem)
    if unit in ("ticks", "lots"):
        scales = names.price_scales if unit == "ticks" else names.lot_scales
        decimals = max((scale.decimals for scale in scales), default=0)
        factors = np.array([scale.mantissa * 10 ** (decimals - scale.decimals) for scale in scales] or [1], np.int64)
        unset = _UNSET.get(field, UNKNOWN_SIZE if unit == "lots" and kind.market else None)

        def scaled(records: np.ndarray) -> pa.Array:
            number, values = records["instrument"], word(records)
            null = (number < 0) | (number >= len(factors))
            null = null if unset is None else null | (values == unset)
            return _decimal(values, factors[np.where(null, 0, number)], decimals, null)

        return Column(name, pa.decimal128(DECIMAL_DIGITS, decimals), scaled)
    if unit in ("minor", "rate"):
        decimals = names.scale if unit == "minor" else _RATE_DECIMALS
        if unit == "minor" and len(set(names.scales)) > 1:
            return None  # several currencies with several scales: the exact minor units have a column anyway
        return Column(
            name, pa.decimal128(DECIMAL_DIGITS, decimals), lambda records: _decimal(word(records), 1, decimals, None)
        )
    if unit == "ns" and field not in ("interval_ns", *DURATIONS):
        name = stem if stem.startswith("ts_") else f"ts_{stem}"
        return Column(name, _TS, lambda records: pa.array(word(records), mask=word(records) == 0).cast(_TS))
    meanings = _meanings(kind, field)
    if meanings:
        return Column(f"{field}_name", NAME, lambda records: coded(word(records), meanings))
    return None


def _meanings(kind: EventType, field: str) -> dict[int, str]:
    if field == "side" and kind.name == "TradeClosed":
        return {1: "long", -1: "short"}
    if field == "side" and kind.name == "TradeSeen":
        return {1: "buyer", -1: "seller"}
    if field == "side" and kind.name == "DepthChanged":
        return {1: "bid", -1: "ask"}
    if field == "reason" and kind.name == "ExitTriggered":
        return REASON_NAMES
    if field == "reason" and kind.name == "OrderCanceled":
        return CANCEL_REASONS
    return FIELD_NAMES.get(field, {})


def _word_of(at: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda records: np.ascontiguousarray(records["words"][:, at])


def _word(at: int) -> Build:
    word = _word_of(at)
    return lambda records: pa.array(word(records))


def _reals(words: np.ndarray, records: np.ndarray, place: int) -> pa.Array:
    """Words that are the bits of floating-point numbers; null for those that the event does not have."""
    return pa.array(words.view(np.float64), mask=records["words"][:, FEATURE_VECTOR.value_count] <= place)


def _number(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(np.int32), mask=values < 0)


def coded(values: np.ndarray, meanings: dict[int, str]) -> pa.Array:
    """Names for numbers, as codes into a dictionary; null for a number without a name."""
    keys = np.array(sorted(meanings), np.int64)
    if not len(keys):
        return pa.DictionaryArray.from_arrays(pa.nulls(len(values), pa.int32()), pa.array([], pa.string()))
    at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    codes = pa.array(at.astype(np.int32), mask=keys[at] != values)
    return pa.DictionaryArray.from_arrays(codes, pa.array([meanings[int(key)] for key in keys]))


def _decimal(values: np.ndarray, factor: Any, decimals: int, null: np.ndarray | None) -> pa.Array:
    """Integers times a factor as exact decimals; wide ones go through Python's integers."""
    kind = pa.decimal128(DECIMAL_DIGITS, decimals)
    valid = np.ones(len(values), bool) if null is None else ~null
    values = np.where(valid, values, 0)
    most = float(np.abs(values.astype(np.float64)).max(initial=0)) * float(np.max(factor, initial=1))
    pairs = np.empty((len(values), 2), np.int64)
    if most < 2.0**62:
        pairs[:, 0] = values * factor
        pairs[:, 1] = pairs[:, 0] >> 63
    else:
        factors = np.broadcast_to(factor, len(values)).tolist()
        products = [value * one for value, one in zip(values.tolist(), factors, strict=True)]
        raw = b"".join(product.to_bytes(16, "little", signed=True) for product in products)
        pairs = np.frombuffer(raw, np.int64).reshape(-1, 2)
    bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(pairs)])


def body_texts(records: np.ndarray, bodies: dict[int, bytes]) -> pa.Array:
    """Bodies as JSON text; null where there is none."""
    if not bodies:
        return pa.nulls(len(records), pa.string())
    found = [bodies.get(int(sequence)) for sequence in records["sequence"]]
    return pa.array([None if body is None else _json(body) for body in found], pa.string())


def _json(body: bytes) -> str:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.encode(decode_body(body)).decode()
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):  # a venue's message, kept as it came
        msgspec.json.decode(body)
        return body.decode()
    return body.hex()
