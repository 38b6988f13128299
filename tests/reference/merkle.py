"""RFC 6962 section 2.1, word for word: the naive twin of the incremental tree."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """MTH(D[n]); a node is split at the largest power of two below its size."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = _split(len(leaves))
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), merkle_root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), merkle_root(leaves[:split])]


def consistency_path(leaves: Sequence[bytes], old_size: int, is_whole: bool = True) -> list[bytes]:
    """PROOF(m, D[n]) of section 2.1.2, for 0 < m <= n: SUBPROOF, which begins with a whole subtree."""
    if old_size == len(leaves):
        return [] if is_whole else [merkle_root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*consistency_path(leaves[:split], old_size, is_whole), merkle_root(leaves[split:])]
    return [*consistency_path(leaves[split:], old_size - split, False), merkle_root(leaves[:split])]


def _split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split
