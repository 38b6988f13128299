"""The incremental tree against known answers and against its naive twin."""

import pytest
from hypothesis import given
from hypothesis import strategies as generators

from journal.merkle import EMPTY_ROOT, MerkleTree, leaf_hash
from tests.reference.merkle import merkle_root

# The leaves and roots of the reference tests of certificate-transparency.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_no_leaves_hash_to_sha256_of_nothing():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert MerkleTree().root == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size):
    assert MerkleTree(leaf_hash(leaf) for leaf in LEAVES[:size]).root.hex() == ROOTS[size - 1]


@given(generators.lists(generators.binary(max_size=4), max_size=70))
def test_every_prefix_agrees_with_the_naive_twin(leaves):
    tree = MerkleTree()
    for size, leaf in enumerate(leaves, 1):
        tree.append(leaf_hash(leaf))
        assert (tree.size, tree.root) == (size, merkle_root(leaves[:size]))


@given(generators.lists(generators.lists(generators.binary(max_size=4), max_size=30), max_size=8))
def test_leaves_added_in_groups_make_the_same_tree(groups):
    tree, leaves = MerkleTree(), []
    for group in groups:
        tree.extend([leaf_hash(leaf) for leaf in group])
        leaves += group
        assert (tree.size, tree.root) == (len(leaves), merkle_root(leaves))
    one_by_one = MerkleTree()
    for leaf in leaves:
        one_by_one.append(leaf_hash(leaf))
    assert tree.frontier == one_by_one.frontier
