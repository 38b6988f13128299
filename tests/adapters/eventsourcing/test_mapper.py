"""Structs to stored events and back: both forms, compressed and encrypted, old versions, the kernel's events."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.cryptography import AESCipher
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import (
    DatetimeAsISO,
    JSONTranscoder,
    MapperDeserialisationError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.utils import get_topic
from hypothesis import given
from hypothesis import strategies as st

from adapters.eventsourcing import Factory, KernelEvent, MsgpackMapper, MsgspecMapper, stored_as
from kernel.events.catalogue import CashDeposited, event_types
from tests.adapters.eventsourcing.approvals import ApprovalGranted, ApprovalRequested

MAPPERS = [MsgspecMapper, MsgpackMapper]


@stored_as("tests.wide")
class Wide(msgspec.Struct, frozen=True):
    originator_id: UUID
    originator_version: int
    when: datetime
    price: Decimal
    payload: bytes
    counts: dict[int, list[str]]
    other: UUID | None = None


def mapper_of(mapper: type[MsgspecMapper], tmp_path: Path, **settings: str) -> MsgspecMapper:
    topic = {"MAPPER_TOPIC": f"adapters.eventsourcing:{mapper.__name__}"}
    factory = Factory({"JOURNAL_PATH": str(tmp_path), **topic, **settings})
    try:
        made = factory.mapper()
    finally:
        factory.close()
    assert type(made) is mapper
    return made


@pytest.mark.parametrize("mapper", MAPPERS)
@given(
    wide=st.builds(
        Wide,
        originator_id=st.uuids(),
        originator_version=st.integers(0, 1 << 62),
        when=st.datetimes(timezones=st.just(UTC)),
        price=st.decimals(allow_nan=False, allow_infinity=False),
        payload=st.binary(max_size=20),
        counts=st.dictionaries(st.integers(-5, 5), st.lists(st.text(max_size=4), max_size=2), max_size=3),
        other=st.none() | st.uuids(),
    )
)
def test_what_comes_back_is_what_was_stored(mapper: type[MsgspecMapper], wide: Wide) -> None:
    stored = mapper(JSONTranscoder()).to_stored_event(wide)
    assert (stored.originator_id, stored.originator_version) == (wide.originator_id, wide.originator_version)
    assert stored.topic == "tests.wide"
    assert mapper(JSONTranscoder()).to_domain_event(stored) == wide


def test_the_state_is_the_version_and_the_fields() -> None:
    event = ApprovalRequested(uuid4(), 1, "ann", 500, "EUR")
    assert MsgspecMapper(JSONTranscoder()).to_stored_event(event).state == (
        b'[2,{"who":"ann","limit_minor":500,"currency":"EUR"}]'
    )


@pytest.mark.parametrize("mapper", MAPPERS)
def test_compression_and_encryption_still_apply(mapper: type[MsgspecMapper], tmp_path: Path) -> None:
    made = mapper_of(
        mapper,
        tmp_path,
        COMPRESSOR_TOPIC="eventsourcing.compressor:ZlibCompressor",
        CIPHER_TOPIC=get_topic(AESCipher),
        CIPHER_KEY=AESCipher.create_key(32),
    )
    event = ApprovalGranted(uuid4(), 2, "a" * 1000)
    stored = made.to_stored_event(event)
    assert len(stored.state) < 200
    assert b"aaaa" not in stored.state
    assert made.to_domain_event(stored) == event
    with pytest.raises(MapperDeserialisationError, match=r"^version 2 of .* \(approval.granted\) cannot be read"):
        mapper(JSONTranscoder()).to_domain_event(stored)


@pytest.mark.parametrize("mapper", MAPPERS)
def test_an_older_version_is_brought_up(mapper: type[MsgspecMapper]) -> None:
    state = mapper.encode((1, {"who": "ann", "limit_minor": 500}))
    stored = StoredEvent(uuid4(), 1, "approval.requested", state)
    assert mapper(JSONTranscoder()).to_domain_event(stored) == ApprovalRequested(
        stored.originator_id, 1, "ann", 500, "USD"
    )


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (b'[3,{"who":"ann"}]', "it is of schema version 3; this release knows 2 at the most"),
        (b'[2,{"who":"ann","limit_minor":"many","currency":"EUR"}]', "Expected `int`, got `str`"),
        (b"[2", "truncated"),
    ],
)
def test_a_state_that_cannot_be_read_is_named(state: bytes, line: str) -> None:
    stored = StoredEvent(uuid4(), 1, "approval.requested", state)
    with pytest.raises(MapperDeserialisationError, match=line):
        MsgspecMapper(JSONTranscoder()).to_domain_event(stored)


@pytest.mark.parametrize("mapper", MAPPERS)
def test_every_event_of_the_kernel_can_be_stored(mapper: type[MsgspecMapper]) -> None:
    made, originator = mapper(JSONTranscoder()), uuid4()
    for number, declared in enumerate(event_types()):
        event = KernelEvent(originator, number, declared.cls(*range(len(declared.fields))))
        stored = made.to_stored_event(event)
        assert stored.topic == declared.topic
        assert made.to_domain_event(stored) == event


def test_a_kernel_event_of_another_version_is_refused() -> None:
    event = KernelEvent(uuid4(), 1, CashDeposited(*range(len(CashDeposited.__struct_fields__))))
    stored = MsgspecMapper(JSONTranscoder()).to_stored_event(event)
    other = StoredEvent(stored.originator_id, 1, stored.topic, stored.state.replace(b"[1,", b"[9,", 1))
    with pytest.raises(MapperDeserialisationError, match=r"it is of schema version 9; this release has version 1"):
        MsgspecMapper(JSONTranscoder()).to_domain_event(other)


def test_what_is_no_struct_goes_through_the_library() -> None:
    created = Aggregate.Created(
        originator_id=uuid4(), originator_version=1, timestamp=datetime.now(UTC), originator_topic="a:B"
    )
    transcoder = JSONTranscoder()
    transcoder.register(DatetimeAsISO())
    made = MsgspecMapper(transcoder)
    assert made.to_domain_event(made.to_stored_event(created)) == created


def declared(topic: str, fields: tuple[str, ...], **how) -> None:
    stored_as(topic, **how)(msgspec.defstruct("Named", [(name, int) for name in fields]))


BOTH = ("originator_id", "originator_version")


@pytest.mark.parametrize(
    ("topic", "fields", "how", "line"),
    [
        ("tests.a", ("originator_id",), {}, "Named has no field originator_version"),
        ("approval.granted", BOTH, {}, "the topic 'approval.granted' is taken"),
        (event_types()[0].topic, BOTH, {}, "is taken; name Named otherwise"),
        ("tests.b", BOTH, {"version": 2}, "one upcaster for each version below"),
    ],
)
def test_a_name_that_cannot_be_is_refused(topic: str, fields: tuple[str, ...], how: dict, line: str) -> None:
    with pytest.raises(ProgrammingError, match=line):
        declared(topic, fields, **how)


def test_a_struct_without_a_name_is_refused() -> None:
    unnamed = msgspec.defstruct("Unnamed", [(name, int) for name in BOTH])
    with pytest.raises(ProgrammingError, match=r"^Unnamed has no topic; decorate it with stored_as$"):
        MsgspecMapper(JSONTranscoder()).to_stored_event(unnamed(1, 1))
