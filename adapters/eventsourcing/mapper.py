"""msgspec Structs as the domain events of the library.

Owns: the names and schema versions of the Structs, and their stored state. Must not know: where states are stored.

The state is the pair `[schema version, {field: value}]` as JSON (`MsgspecMapper`) or MessagePack (`MsgpackMapper`),
then compressed and encrypted if the library's settings say so. The originator's id and version are not in it: they
stand beside it in the stored event. What is no Struct (the library's own snapshots, say) goes through the library's
mapper and transcoder as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec
from eventsourcing.persistence import Mapper, MapperDeserialisationError, ProgrammingError, StoredEvent
from eventsourcing.utils import register_topic

from kernel.events.catalogue import Event, by_class, event_types

_ORIGINATOR = ("originator_id", "originator_version")
Fields = dict[str, Any]
Upcaster = Callable[[Fields], Fields]
Stored = TypeVar("Stored", bound=msgspec.Struct)


class KernelEvent(msgspec.Struct, frozen=True):
    """An event of the kernel's catalogue as the event of an aggregate. Its topic is the catalogue's."""

    originator_id: Any
    originator_version: int
    event: Event


class _Form(msgspec.Struct, frozen=True):
    """How one class is stored."""

    cls: type[msgspec.Struct]
    topic: str
    version: int
    upcasters: Mapping[int, Upcaster]


_BY_CLASS: dict[type[msgspec.Struct], _Form] = {}
_BY_TOPIC: dict[str, _Form] = {}
_KERNEL_CLASSES = {declared.topic: declared for declared in event_types()}


def stored_as(
    topic: str, *, version: int = 1, upcasters: Mapping[int, Upcaster] | None = None
) -> Callable[[type[Stored]], type[Stored]]:
    """Name the decorated Struct, which has the fields `originator_id` and `originator_version`.

    The topic outlives renamings of the class. With a new `version` comes an upcaster for each older one: from the
    fields of that version to those of the next. ProgrammingError for a topic that is taken or an upcaster that lacks.
    """
    steps = dict(upcasters or {})

    def enter(cls: type[Stored]) -> type[Stored]:
        missing = [name for name in _ORIGINATOR if name not in cls.__struct_fields__]
        if missing:
            raise ProgrammingError(f"{cls.__name__} has no field {missing[0]}")
        if topic in _BY_TOPIC or topic in _KERNEL_CLASSES:
            raise ProgrammingError(f"the topic {topic!r} is taken; name {cls.__name__} otherwise")
        if sorted(steps) != list(range(1, version)):
            raise ProgrammingError(f"{cls.__name__} is of version {version}; give one upcaster for each version below")
        # The library's own look-ups (topics of a projection, say) find the class by the same name.
        cls.TOPIC = topic  # type: ignore[attr-defined]
        register_topic(topic, cls)
        _BY_CLASS[cls] = _BY_TOPIC[topic] = _Form(cls, topic, version, steps)
        return cls

    return enter


class MsgspecMapper(Mapper[Any]):
    """MAPPER_TOPIC=adapters.eventsourcing:MsgspecMapper. States are JSON."""

    encode: ClassVar[Callable[[Any], bytes]] = msgspec.json.Encoder().encode
    decode: ClassVar[Callable[[bytes], Any]] = msgspec.json.Decoder(tuple[int, Fields]).decode

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """A Struct as it is stored. ProgrammingError if its class was not named with `stored_as`."""
        if not isinstance(domain_event, msgspec.Struct):
            return super().to_stored_event(domain_event)
        topic, version, fields = _taken_apart(domain_event)
        state = type(self).encode((version, fields))
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, topic, state)  # type: ignore[attr-defined]

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The Struct that was stored, brought up to its class's version; MapperDeserialisationError if it cannot be."""
        topic = stored_event.topic
        if topic not in _BY_TOPIC and topic not in _KERNEL_CLASSES:
            return super().to_domain_event(stored_event)
        try:
            state = stored_event.state
            if self.cipher:
                state = self.cipher.decrypt(state)
            if self.compressor:
                state = self.compressor.decompress(state)
            version, fields = type(self).decode(state)
            return _put_together(stored_event, version, fields)
        except Exception as error:  # the library's contract: whatever is wrong with a state is told as this one
            raise MapperDeserialisationError(
                f"version {stored_event.originator_version} of {stored_event.originator_id} ({topic}) "
                f"cannot be read: {error}"
            ) from error


class MsgpackMapper(MsgspecMapper):
    """MAPPER_TOPIC=adapters.eventsourcing:MsgpackMapper. States are MessagePack: smaller, and exact for bytes."""

    encode: ClassVar[Callable[[Any], bytes]] = msgspec.msgpack.Encoder().encode
    decode: ClassVar[Callable[[bytes], Any]] = msgspec.msgpack.Decoder(tuple[int, Fields]).decode


def _taken_apart(event: msgspec.Struct) -> tuple[str, int, Fields]:
    if isinstance(event, KernelEvent):
        declared = by_class(type(event.event))
        return declared.topic, declared.version, msgspec.structs.asdict(event.event)
    form = _BY_CLASS.get(type(event))
    if form is None:
        raise ProgrammingError(f"{type(event).__name__} has no topic; decorate it with stored_as")
    names = (name for name in event.__struct_fields__ if name not in _ORIGINATOR)
    return form.topic, form.version, {name: getattr(event, name) for name in names}


def _put_together(stored: StoredEvent, version: int, fields: Fields) -> Any:
    form = _BY_TOPIC.get(stored.topic)
    if form is None:
        declared = _KERNEL_CLASSES[stored.topic]
        if version != declared.version:
            raise ValueError(f"it is of schema version {version}; this release has version {declared.version}")
        event = msgspec.convert(fields, declared.cls)
        return KernelEvent(stored.originator_id, stored.originator_version, event)
    if version > form.version:
        raise ValueError(f"it is of schema version {version}; this release knows {form.version} at the most")
    for older in range(version, form.version):
        fields = form.upcasters[older](fields)
    fields["originator_id"], fields["originator_version"] = stored.originator_id, stored.originator_version
    return msgspec.convert(fields, form.cls, str_keys=True)
