"""Upcasters: what joins a released version of an event's layout to the next one.

Owns: the table of them, and the walk along it. A released layout never changes: a change is a new version, declared in
the catalogue, with an upcaster here from the version before. Bodies keep what an upcaster does not know. Pure: no file
is read here.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from kernel.events.catalogue import event_types

Words = tuple[int, ...]


class UpcastError(ValueError):
    """A record that cannot be joined to this release's layout. The text says which, and what to do."""


class Upcaster(msgspec.Struct, frozen=True, kw_only=True):
    """From ``version`` of a kind to the one after. ``words`` gets all ten, as stored, and returns ten.

    ``body`` gets the decoded body, where there is one, and returns the next one; None leaves it. ``body_fields`` are
    the fields that bodies of this version are known to have: others are kept, and reported.
    """

    kind: int
    version: int
    words: Callable[[Words], Words]
    body: Callable[[Any], Any] | None = None
    body_fields: frozenset[str] = frozenset()


class Upcast(msgspec.Struct, frozen=True):
    """A record's words and body in the newest version. ``unknown`` names fields of the body that no upcaster knows."""

    version: int
    words: Words
    body: Any
    unknown: tuple[str, ...]


class Upcasters:
    """The chains of all kinds. ``newest`` is the version of each kind that this release writes."""

    def __init__(self, chain: Iterable[Upcaster], newest: dict[int, int] | None = None) -> None:
        self._newest = newest if newest is not None else {kind.kind: kind.version for kind in event_types()}
        self._steps: dict[tuple[int, int], Upcaster] = {}
        for one in chain:
            assert (one.kind, one.version) not in self._steps, f"two upcasters of kind {one.kind}, {one.version}"
            self._steps[one.kind, one.version] = one

    def is_known(self, kind: int) -> bool:
        """Whether this release has the kind; one that it does not have is kept as it is."""
        return kind in self._newest

    def is_newest(self, kind: int, version: int) -> bool:
        """Whether a record is as this release writes it, or of a kind that it does not know."""
        return self._newest.get(kind, version) == version

    def upcast(self, kind: int, version: int, words: Words, body: Any) -> Upcast:
        """A record in the newest version of its kind. Raises UpcastError."""
        newest, unknown = self._newest[kind], list[str]()
        if version > newest:
            raise UpcastError(f"kind {kind} has version {version}, this release knows {newest}: use a newer release")
        while version < newest:
            step = self._steps.get((kind, version))
            if step is None:
                raise UpcastError(f"kind {kind} has version {version}, and nothing joins it to version {version + 1}")
            words = step.words(words)
            assert len(words) == 10, "an upcaster returns all words of a record"
            if isinstance(body, dict):
                unknown += [name for name in body if name not in step.body_fields and name not in unknown]
            if step.body is not None and body is not None:
                body = step.body(body)
            version += 1
        return Upcast(version, words, body, tuple(unknown))


# Every layout that was ever released is still the newest one of its kind.
RELEASED = Upcasters([])
