"""What the journal raises, in the library's own terms. Owns nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from eventsourcing.persistence import (
    DataError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PersistenceError,
)

from journal import CorruptJournal, InvalidFrame, JournalError, TornTail, UnsupportedFormat

# In the order in which they are tried: a subclass before its base. What is not here (a lock that another process
# holds, a newer writer, a disk that failed) is an OperationalError.
_TERMS: tuple[tuple[type[Exception], type[PersistenceError]], ...] = (
    (InvalidFrame, DataError),
    (UnsupportedFormat, NotSupportedError),
    (CorruptJournal, InternalError),
    (TornTail, OperationalError),
    (JournalError, OperationalError),
    (msgspec.MsgspecError, InternalError),
    (OSError, OperationalError),
)


@contextmanager
def in_terms_of_the_library(folder: Path) -> Iterator[None]:
    """Turn a failure of the journal in `folder`, or of its files, into one of the library's errors, with its words."""
    try:
        yield
    except tuple(kind for kind, _ in _TERMS) as error:
        term = next(term for kind, term in _TERMS if isinstance(error, kind))
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise term(words if str(folder) in words else f"the journal at {folder}: {words}") from error


def closed() -> InterfaceError:
    """For whoever uses a recorder after its factory was closed."""
    return InterfaceError("this journal was closed; construct the application again")
