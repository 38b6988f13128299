"""The RFC 6962 Merkle tree over frame hashes, kept incrementally.

Owns: leaf and node hashing, the running root. Must not know: what a frame contains, or where hashes are
stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"


def leaf_hash(data: bytes | bytearray | memoryview) -> bytes:
    """RFC 6962 leaf hash: SHA-256(0x00 || data)."""
    digest = hashlib.sha256(LEAF_PREFIX)
    digest.update(data)
    return digest.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 interior hash: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


class Nodes(Protocol):
    """The hashes of whole subtrees."""

    def node(self, level: int, index: int) -> bytes:
        """The hash over the leaves from ``index << level`` on, ``1 << level`` of them; all of them are there."""


class MerkleTree:
    """An append-only tree that keeps only its frontier: one hash per set bit of its size.

    Appending costs one node hash on average; the root costs at most one per level.
    """

    __slots__ = ("_frontier", "size")

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._frontier: list[bytes] = []
        self.size = 0
        self.extend(list(leaf_hashes))

    @classmethod
    def grown(cls, size: int, frontier: Iterable[bytes]) -> MerkleTree:
        """A tree of ``size`` leaves that are not there: the roots of its full subtrees, the largest first."""
        tree = cls()
        tree._frontier, tree.size = list(frontier), size
        assert len(tree._frontier) == size.bit_count()
        return tree

    @property
    def frontier(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, the largest first: one for each bit that is set in the size."""
        return tuple(self._frontier)

    @classmethod
    def of_nodes(cls, nodes: Nodes, size: int) -> MerkleTree:
        """The tree over the first ``size`` leaves, of which the full subtrees are known."""
        frontier, begin = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                frontier.append(nodes.node(level, begin >> level))
                begin += 1 << level
        return cls.grown(size, frontier)

    def append(self, hashed: bytes) -> None:
        """Add the next leaf, given its leaf hash."""
        completed = self.size
        # Each trailing one bit of the old size is a full subtree that the new leaf closes, smallest first.
        while completed & 1:
            hashed = node_hash(self._frontier.pop(), hashed)
            completed >>= 1
        self._frontier.append(hashed)
        self.size += 1

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add the next leaves, level by level: cheaper than one by one."""
        nodes, completed, rest = list(leaf_hashes), self.size, []
        while nodes:
            # What is left over of a level waits in the frontier for its right half.
            if completed & 1:
                nodes.insert(0, self._frontier.pop())
            if len(nodes) & 1:
                rest.append(nodes.pop())
            nodes = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
            completed >>= 1
        self._frontier += reversed(rest)
        self.size += len(leaf_hashes)

    @property
    def root(self) -> bytes:
        """The root over all the leaves so far; SHA-256 of nothing when there are none."""
        if not self._frontier:
            return EMPTY_ROOT
        root = self._frontier[-1]
        for left in reversed(self._frontier[:-1]):
            root = node_hash(left, root)
        return root
