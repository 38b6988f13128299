"""How stored events lie in the frames of a journal.

Owns: the bytes of an insert. Must not know: files, or what an event says.

What one call of the library inserts is one value, an **insert**, in MessagePack:

    [stream, events, tracking]
      stream     "events", "snapshots": the purpose of the recorder
      events     [[originator id, originator version, topic, state], ...], as they were given. The id is binary:
                 `u` and the 16 bytes of a UUID, or `t` and text in UTF-8
      tracking   nil, or [application name, notification id]

It is the bodies of one frame of kind 1, without records: a record of 128 bytes would be larger than most events.
An insert that is larger than a frame holds is cut into pieces, each in a frame of its own, without gaps: all but the
last have the flag MORE, all but the first the flag CONTINUED. An insert counts once its last frame is there. So a
frame without CONTINUED after one with MORE says that what preceded was given up (the process died within it).

The last (or only) frame of an insert into the stream "events" accounts for as many sequences as it has events, all
other frames for none. So the sequences of such a journal are the notification ids of the library: 1, 2, 3 and so on.
A frame of another kind is not ours and is passed over; it may account for no sequence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec
from eventsourcing.persistence import DataError, StoredEvent, Tracking

from journal.layout import FRAME_OVERHEAD_BYTES, LONGEST_FRAME_BYTES

STORED_EVENTS = 1
MORE = 1
CONTINUED = 2
EVENTS = "events"
ORIGIN = "eventsourcing"
PIECE_BYTES = LONGEST_FRAME_BYTES - FRAME_OVERHEAD_BYTES
# Says in the header of every segment what the frames hold, so that no other journal is taken for one of these.
SCHEMA_DIGEST = hashlib.sha256(b"eventsourcing stored events, version 1\n").digest()
_INT64 = range(-(1 << 63), 1 << 63)

Key = bytes


class Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A stored event of the library as it lies in the journal."""

    originator: Key
    version: int
    topic: str
    state: bytes


class Insert(msgspec.Struct, array_like=True, frozen=True):
    """All that one call inserts."""

    stream: str
    events: list[Event]
    tracking: tuple[str, int] | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Insert)


def key_of(originator_id: UUID | str) -> Key:
    """An originator's id as it is stored. DataError if it is neither UUID nor text."""
    if isinstance(originator_id, UUID):
        return b"u" + originator_id.bytes
    return b"t" + _text(originator_id, "an originator id that is no UUID").encode()


def id_of(key: Key) -> UUID | str:
    """The originator's id that `key_of` was given."""
    return UUID(bytes=key[1:]) if key[:1] == b"u" else key[1:].decode()


def as_insert(stream: str, stored_events: Sequence[StoredEvent], tracking: Tracking | None) -> Insert:
    """What is to be written, checked so that it can be read again; DataError for what the journal cannot hold."""
    events = []
    for stored in stored_events:
        if not isinstance(stored.state, (bytes, bytearray, memoryview)):
            raise DataError(f"a state is bytes, not {type(stored.state).__name__}")
        version = _integer(stored.originator_version, "an originator version")
        topic = _text(stored.topic, "a topic")
        events.append(Event(key_of(stored.originator_id), version, topic, bytes(stored.state)))
    if tracking is None:
        return Insert(stream, events)
    name = _text(tracking.application_name, "an application's name")
    return Insert(stream, events, (name, _integer(tracking.notification_id, "a tracking position")))


def _integer(value: object, what: str) -> int:
    if not isinstance(value, int) or value not in _INT64:
        raise DataError(f"{what} is a 64-bit integer, not {value!r}")
    return int(value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{what} is text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{what} has no UTF-8: {error.reason}") from error
    return str(value)


def encode(insert: Insert) -> bytes:
    """The bytes of an insert; equal inserts have equal bytes."""
    return _ENCODER.encode(insert)


def decode(body: bytes | memoryview | bytearray) -> Insert:
    """The insert that `encode` was given; msgspec.MsgspecError if the bytes are none."""
    return _DECODER.decode(body)


def pieces(body: bytes) -> Iterator[tuple[bytes, int]]:
    """The bodies of the frames that hold an insert, each with its flags; nearly always one."""
    if len(body) <= PIECE_BYTES:
        yield body, 0
        return
    for at in range(0, len(body), PIECE_BYTES):
        flags = (CONTINUED if at else 0) | (MORE if at + PIECE_BYTES < len(body) else 0)
        yield body[at : at + PIECE_BYTES], flags
