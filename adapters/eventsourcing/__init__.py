"""The journal as a persistence module of the `eventsourcing` library: PERSISTENCE_MODULE=adapters.eventsourcing.

Owns: what the library looks for here (one infrastructure factory, its recorders, mappers for msgspec Structs).
Must not know: trading. How stored events lie in a journal is said in `frames.py`, what it costs in
docs/eventsourcing.md.
"""

from adapters.eventsourcing.factory import Factory
from adapters.eventsourcing.mapper import KernelEvent, MsgpackMapper, MsgspecMapper, stored_as
from adapters.eventsourcing.recorders import (
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalSubscription,
    JournalTrackingRecorder,
)

__all__ = [
    "Factory",
    "JournalAggregateRecorder",
    "JournalApplicationRecorder",
    "JournalProcessRecorder",
    "JournalSubscription",
    "JournalTrackingRecorder",
    "KernelEvent",
    "MsgpackMapper",
    "MsgspecMapper",
    "stored_as",
]
