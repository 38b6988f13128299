"""How an event type is declared, and the register of all that are.

From the declarations come the record layout that compiled code reads and writes, the codec, the SQL columns and the
reference page; nothing about an event is written a second time. A released declaration never changes: a new version
is a new declaration, and an upcaster joins the two.

Each class is one event type. Its fields are the payload words of the record, in order: signed 64-bit integers, at
most ten. What all events share (sequence, times, cause, instrument, strategy, account) is in the record header and is
not repeated. A field's unit is the end of its name: ticks, lots, minor (money), ns, rate (1/100,000,000).
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True):
    """Base of all events."""


Declared = TypeVar("Declared", bound=Event)


class EventType(msgspec.Struct, frozen=True):
    """What the catalogue knows of one event type.

    ``external`` marks an input (a fact from outside, never re-derived); ``market`` marks the inputs that a backtest
    journals by reference.
    """

    cls: type[Event]
    kind: int
    topic: str
    version: int
    market: bool
    external: bool

    @property
    def name(self) -> str:
        """The name of the event type, past tense, as in ``OrderFilled``."""
        return self.cls.__name__

    @property
    def table(self) -> str:
        """The name of its SQL view: the topic with underscores, as in ``execution_fill``."""
        return self.topic.replace(".", "_")

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the payload words, in order."""
        return self.cls.__struct_fields__

    @property
    def description(self) -> str:
        """One paragraph for people."""
        return " ".join((self.cls.__doc__ or "").split())


_BY_KIND: dict[int, EventType] = {}
_BY_CLASS: dict[type[Event], EventType] = {}


def declare(
    kind: int, topic: str, *, version: int = 1, market: bool = False, external: bool = False
) -> Callable[[type[Declared]], type[Declared]]:
    """Enter the decorated class into the catalogue under its kind number and topic."""

    def enter(cls: type[Declared]) -> type[Declared]:
        assert kind not in _BY_KIND, f"kind {kind} is declared twice"
        _BY_KIND[kind] = _BY_CLASS[cls] = EventType(cls, kind, topic, version, market, external)
        return cls

    return enter


def event_types() -> tuple[EventType, ...]:
    """All event types, by kind number."""
    return tuple(_BY_KIND[kind] for kind in sorted(_BY_KIND))


def by_kind(kind: int) -> EventType:
    """The event type of a kind number. Raises KeyError for a number that is not in the catalogue."""
    return _BY_KIND[kind]


def by_class(cls: type[Event]) -> EventType:
    """The event type of an event class."""
    return _BY_CLASS[cls]
