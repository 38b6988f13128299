"""Remembering what was seen, so that it is taken in once. Bounded: the oldest is forgotten first."""

from typing import TypeVar

K = TypeVar("K")


def is_new(memory: dict[K, None], key: K, bound: int) -> bool:
    """Whether a key was not in a memory, which has it from now on and forgets its oldest beyond the bound."""
    if key in memory:
        return False
    memory[key] = None
    if len(memory) > bound:
        del memory[next(iter(memory))]
    return True
