"""The catalogue, the record layout and the codec."""

import hashlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.events.body import decode_body, encode_body, pack_body, unpack_bodies
from kernel.events.catalogue import Event, by_class, by_kind, event_types
from kernel.events.layout import HAS_BODY, RECORD, WORDS, Stored, decode, encode, schema_digest, word_positions

# A released layout never changes. When a new event type is added, this changes too, and the journal's format is new.
SCHEMA_DIGEST = "e060edc4146da15bff23a651419bc7d047815686d6265c04267892899fe8f097"
int64 = generators.integers(-(2**63), 2**63 - 1)
int32 = generators.integers(-(2**31), 2**31 - 1)
TYPES = event_types()


def test_catalogue_is_sane() -> None:
    assert len({kind.kind for kind in TYPES}) == len({kind.topic for kind in TYPES}) == len(TYPES)
    assert len({kind.name for kind in TYPES}) == len({kind.table for kind in TYPES}) == len(TYPES)
    assert [kind.kind for kind in TYPES] == sorted(kind.kind for kind in TYPES)
    for kind in TYPES:
        assert 0 < kind.kind < 2**16
        assert by_kind(kind.kind) is kind is by_class(kind.cls)
        assert kind.external or not kind.market, "market data comes from outside"


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_each_event_type(kind: object) -> None:
    assert isinstance(kind, type(TYPES[0]))
    assert kind.version >= 1
    assert len(kind.fields) <= WORDS
    assert kind.topic == kind.topic.lower()
    assert kind.topic.count(".") == 1
    assert kind.table == kind.topic.replace(".", "_")
    assert kind.description.endswith(".")
    assert kind.cls.__doc__ != Event.__doc__
    assert all(field.type is int for field in msgspec.structs.fields(kind.cls)), "integers only"
    positions = word_positions(kind.cls)
    assert positions.kind == kind.kind
    assert list(positions[1:]) == list(range(len(kind.fields)))


def test_the_schema_is_the_released_one() -> None:
    assert schema_digest().hex() == SCHEMA_DIGEST


def test_record_layout() -> None:
    places = {name: RECORD.fields[name][1] for name in RECORD.names}
    assert places == {
        "sequence": 0, "ts_event_ns": 8, "ts_ingest_ns": 16, "cause": 24, "kind": 32, "version": 34, "flags": 35,
        "instrument": 36, "strategy": 40, "account": 44, "words": 48,
    }  # fmt: skip
    assert RECORD.itemsize == 128


@settings(max_examples=200, deadline=None)
@given(generators.sampled_from(TYPES), generators.lists(int64, min_size=WORDS, max_size=WORDS), int64, int32, int64)
def test_codec_there_and_back(kind: object, words: list[int], number: int, small: int, cause: int) -> None:
    event = kind.cls(*words[: len(kind.fields)])  # type: ignore[attr-defined]
    stored = Stored(number, cause, number, cause, small, -1, small, event, b"x" if small % 2 else b"")
    record = encode(stored)
    assert record.dtype == RECORD
    assert record.shape == (1,)
    assert bool(record["flags"][0] & HAS_BODY) == bool(stored.body)
    assert decode(record[0], stored.body) == stored
    assert stored.type is kind
    again = np.frombuffer(record.tobytes(), RECORD)
    assert decode(again[0], stored.body) == stored


def test_decoding_an_unknown_kind() -> None:
    record = np.zeros(1, RECORD)
    record["kind"] = 9999
    with pytest.raises(KeyError):
        decode(record[0])


@given(generators.lists(generators.binary(max_size=40), max_size=8))
def test_bodies_there_and_back(bodies: list[bytes]) -> None:
    records = np.zeros(len(bodies), RECORD)
    records["flags"] = [HAS_BODY if body else 0 for body in bodies]
    block = b"".join(pack_body(body) for body in bodies if body)
    assert len(block) % 8 == 0
    assert list(unpack_bodies(records, block)) == bodies


def test_a_body_block_that_is_cut_short_is_refused() -> None:
    records = np.zeros(1, RECORD)
    records["flags"] = HAS_BODY
    with pytest.raises(ValueError, match="does not fit"):
        list(unpack_bodies(records, pack_body(b"x" * 20)[:12]))


def test_body_encoding_does_not_depend_on_the_order_of_keys() -> None:
    one, other = {"a": 1, "b": [True, "x"]}, {"b": [True, "x"], "a": 1}
    assert encode_body(one) == encode_body(other)
    assert decode_body(encode_body(one)) == one
    assert decode_body(b"") is None
    assert hashlib.sha256(encode_body(one)).hexdigest()[:8] == "800f33b3"
