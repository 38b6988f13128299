"""Merkle proofs against published ones, against RFC 6962's definitions word for word, and spoiled in every way."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as generators

from journal.merkle import EMPTY_ROOT, MerkleTree, leaf_hash
from journal.proof import LeafNodes, is_consistent, is_included, prove_consistency, prove_inclusion, root_of
from tests.journal.test_journal_merkle import LEAVES, ROOTS
from tests.reference.auditor import consistency, inclusion

HASHES = [leaf_hash(leaf) for leaf in LEAVES]
NODES = LeafNodes(HASHES)
ROOT_OF = [EMPTY_ROOT, *map(bytes.fromhex, ROOTS)]
# The proofs that transparency-dev/merkle publishes for the same leaves.
PUBLISHED_CONSISTENCY = {
    (6, 8): ["DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=", "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
             "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="],
    (2, 5): ["Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="],
}  # fmt: skip
PUBLISHED_INCLUSION = {
    (5, 8): ["vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=", "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
             "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="],
    (2, 3): ["+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="],
}  # fmt: skip


def _encoded(path: list[bytes]) -> list[str]:
    return [base64.b64encode(step).decode() for step in path]


@pytest.mark.parametrize(("old", "new"), PUBLISHED_CONSISTENCY)
def test_published_consistency(old: int, new: int) -> None:
    assert _encoded(prove_consistency(NODES, old, new)) == PUBLISHED_CONSISTENCY[old, new]


@pytest.mark.parametrize(("index", "size"), PUBLISHED_INCLUSION)
def test_published_inclusion(index: int, size: int) -> None:
    assert _encoded(prove_inclusion(NODES, index, size)) == PUBLISHED_INCLUSION[index, size]


def _spoiled_paths(path: list[bytes], roots: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """The ways in which the published tests spoil a path."""
    for at in range(len(path)):
        changed = list(path)
        changed[at] = bytes((path[at][0] ^ 16,)) + path[at][1:]
        yield f"bit of {at}", changed
    garbage = [b"\xaa" * 32, *roots]
    for number, extra in enumerate(garbage):
        yield f"behind {number}", [*path, extra]
        yield f"before {number}", [extra, *path]
    if path:
        yield "empty", []
        yield "cut", path[:-1]
        yield "first gone", path[1:]
        yield "first twice", [path[0], *path]


def _inclusion_rows() -> Iterator[tuple[str, tuple[bytes, int, int, list[bytes], bytes]]]:
    for size in range(1, 9):
        for index in range(size):
            path, root = prove_inclusion(NODES, index, size), ROOT_OF[size]
            name, leaf = f"leaf {index} of {size}", HASHES[index]
            for what, spoiled in _spoiled_paths(path, [root, leaf]):
                yield f"{name}: {what}", (leaf, index, size, spoiled, root)
            for what, other in (("+1", index + 1), ("-1", index - 1), ("^2", index ^ 2), ("beyond", size)):
                yield f"{name}: index {what}", (leaf, other, size, path, root)
            for what, other in (("*2", size * 2), ("/2", size // 2)):
                if len(inclusion(index, HASHES[:1] * other) if index < other else [b""]) != len(path):
                    yield f"{name}: size {what}", (leaf, index, other, path, root)
            yield f"{name}: leaf", (leaf_hash(b"WrongLeaf"), index, size, path, root)
            yield f"{name}: root", (leaf, index, size, path, b"\x55" * 32)
            yield f"{name}: empty root", (leaf, index, size, path, b"")


def _consistency_rows() -> Iterator[tuple[str, tuple[int, int, list[bytes], bytes, bytes]]]:
    for new in range(2, 9):
        for old in range(1, new):
            path, name = prove_consistency(NODES, old, new), f"{old} to {new}"
            first, second = ROOT_OF[old], ROOT_OF[new]
            for what, spoiled in _spoiled_paths(path, [first, second]):
                yield f"{name}: {what}", (old, new, spoiled, first, second)
            for what, sizes in (("old+1", (old + 1, new)), ("old-1", (old - 1, new)), ("old^2", (old ^ 2, new))):
                yield f"{name}: {what}", (*sizes, path, first, second)
            yield f"{name}: swapped sizes", (new, old, path, first, second)
            yield f"{name}: swapped roots", (old, new, path, second, first)
            yield f"{name}: old root", (old, new, path, b"\x55" * 32, second)
            yield f"{name}: new root", (old, new, path, first, b"\x55" * 32)


INCLUSION_ROWS, CONSISTENCY_ROWS = list(_inclusion_rows()), list(_consistency_rows())


def test_there_are_hundreds_of_rows() -> None:
    assert len(INCLUSION_ROWS) > 400
    assert len(CONSISTENCY_ROWS) > 400


@pytest.mark.parametrize(("index", "size"), [(index, size) for size in range(1, 9) for index in range(size)])
def test_a_good_inclusion_proof_is_good(index: int, size: int) -> None:
    path = prove_inclusion(NODES, index, size)
    assert path == inclusion(index, HASHES[:size])
    assert is_included(HASHES[index], index, size, path, ROOT_OF[size])


@pytest.mark.parametrize(("old", "new"), [(old, new) for new in range(9) for old in range(new + 1)])
def test_a_good_consistency_proof_is_good(old: int, new: int) -> None:
    path = prove_consistency(NODES, old, new)
    assert old == 0 or path == consistency(old, HASHES[:new])
    assert is_consistent(old, new, path, ROOT_OF[old], ROOT_OF[new])


@pytest.mark.parametrize("row", INCLUSION_ROWS, ids=lambda row: row[0])
def test_a_spoiled_inclusion_proof_is_refused(row: tuple[str, tuple[bytes, int, int, list[bytes], bytes]]) -> None:
    assert not is_included(*row[1])


@pytest.mark.parametrize("row", CONSISTENCY_ROWS, ids=lambda row: row[0])
def test_a_spoiled_consistency_proof_is_refused(row: tuple[str, tuple[int, int, list[bytes], bytes, bytes]]) -> None:
    assert not is_consistent(*row[1])


@given(generators.integers(1, 300), generators.data())
def test_proofs_of_larger_trees(size: int, data: generators.DataObject) -> None:
    leaves = [number.to_bytes(2) for number in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    nodes = LeafNodes(hashes)
    index, old = data.draw(generators.integers(0, size - 1)), data.draw(generators.integers(1, size))
    root, old_root = root_of(nodes, size), root_of(nodes, old)
    assert root == MerkleTree(hashes).root
    path = prove_inclusion(nodes, index, size)
    assert path == inclusion(index, hashes)
    assert is_included(hashes[index], index, size, path, root)
    other = data.draw(generators.integers(0, size - 1))
    assert is_included(hashes[index], other, size, path, root) == (other == index)
    growth = prove_consistency(nodes, old, size)
    assert growth == consistency(old, hashes)
    assert is_consistent(old, size, growth, old_root, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_cannot_be_proven(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        prove_inclusion(NODES, index, size)


def test_a_larger_tree_is_no_beginning() -> None:
    with pytest.raises(ValueError, match="is not the beginning"):
        prove_consistency(NODES, 5, 4)
