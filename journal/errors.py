"""What can go wrong with a journal, as types, and how a problem is described.

Owns: the exception family and `Problem`, the one description of damage that the verifier prints, the reader
raises and the recovery reports. Must not know: how damage is found.
"""

# The names are part of the public interface and say what happened.
# ruff: noqa: N818

from __future__ import annotations

import errno
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: what, where, and what to do about it.

    `kind` is a stable slug (FORMAT.md lists them all); `offset` is in bytes from the start of `segment`.
    """

    kind: str
    segment: str
    offset: int
    frame_number: int
    sentence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence} ({self.segment} at byte {self.offset}) {self.advice}"


class JournalError(Exception):
    """Base of everything that this package raises on purpose."""


class InvalidFrame(JournalError, ValueError):
    """The caller asked for a frame that the format forbids. Nothing was written; the writer stays usable."""


class UnsupportedFormat(JournalError):
    """The journal was written by a newer format (or with an unknown hash) than this code can read."""


class JournalLocked(JournalError):
    """Another writer holds the journal."""


class JournalFenced(JournalLocked):
    """This writer was superseded: a writer with a higher epoch has opened the journal since."""


class JournalPoisoned(JournalError):
    """A write or an fsync failed, so what is on the disk is unknown. Reopen, which checks everything again.

    `cause` is the first failure; every later call on that writer raises with the same cause.
    """

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class _Located(JournalError):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class CorruptJournal(_Located):
    """The bytes are not what a writer wrote. Nothing was changed, nothing is dropped."""


class TornTail(_Located):
    """The last, never acknowledged write did not complete. `recover_journal` moves it aside."""


def failure_message(what: str, error: OSError) -> str:
    """One line for a failed operation; a full disk gets plain words."""
    if error.errno == errno.ENOSPC:
        return f"{what}: the disk is full. Free space and reopen; what was acknowledged is safe"
    return f"{what}: {error.strerror or error}"
