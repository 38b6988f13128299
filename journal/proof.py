"""Merkle proofs of RFC 6962: that a frame is in a tree, and that one tree is the beginning of another.

Owns: the making and the checking of proofs. Must not know: where hashes come from (``Nodes``), or what a frame holds.
They are made as section 2.1 of RFC 6962 defines them, and checked by the other algorithm, of section 2.1 of RFC 9162.
"""

from __future__ import annotations

from collections.abc import Sequence

from journal.merkle import EMPTY_ROOT, Nodes, node_hash


class LeafNodes:
    """Nodes over leaf hashes in memory; each is worked out once."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self._leaf_hashes = leaf_hashes
        self._known: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        if level == 0:
            return self._leaf_hashes[index]
        found = self._known.get((level, index))
        if found is None:
            found = node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))
            self._known[level, index] = found
        return found


def root_of(nodes: Nodes, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return _root(nodes, 0, size) if size else EMPTY_ROOT


def _root(nodes: Nodes, begin: int, end: int) -> bytes:
    size = end - begin
    level = (size - 1).bit_length()
    if size == 1 << level:
        return nodes.node(level, begin >> level)
    middle = begin + _left_size(size)
    return node_hash(_root(nodes, begin, middle), _root(nodes, middle, end))


def _left_size(size: int) -> int:
    """The largest power of two below ``size``: how many leaves the left subtree has."""
    return 1 << (size - 1).bit_length() - 1


def prove_inclusion(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The path of the leaf at ``index`` (from 0) in the tree of ``size`` leaves: from its sibling to the root's child.

    RFC 6962 section 2.1.1. Raises ValueError for a leaf that the tree does not have.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    path, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            path.append(_root(nodes, middle, end))
            end = middle
        else:
            path.append(_root(nodes, begin, middle))
            begin = middle
    return path[::-1]


def prove_consistency(nodes: Nodes, old_size: int, new_size: int) -> list[bytes]:
    """That the tree of ``old_size`` leaves is the beginning of the one of ``new_size``; RFC 6962 section 2.1.2.

    Raises ValueError when the old tree is the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} leaves is not the beginning of one of {new_size}")
    if old_size in (0, new_size):
        return []
    path, begin, end, is_whole = [], 0, new_size, True
    while old_size != end:
        middle = begin + _left_size(end - begin)
        if old_size <= middle:
            path.append(_root(nodes, middle, end))
            end = middle
        else:
            path.append(_root(nodes, begin, middle))
            begin, is_whole = middle, False
    if not is_whole:
        path.append(_root(nodes, begin, end))
    return path[::-1]


def is_included(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf at ``index`` to the root; RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf_hash
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the path shows that the old tree is the beginning of the new one; RFC 9162 section 2.1.4.2.

    The empty tree is the beginning of every tree, if its root is that of nothing.
    """
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not path and old_root == new_root
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = new_found = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_found, new_found = node_hash(step, old_found), node_hash(step, new_found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new_found = node_hash(new_found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old_found == old_root and new_found == new_root
