"""Tiles against the definition of C2SP tlog-tiles, however a folder came to be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal.merkle import MerkleTree, leaf_hash
from journal.proof import is_included, prove_inclusion, root_of
from journal.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileError,
    TileNodes,
    TileWriter,
    pack_entries,
    tile_path,
    tile_width,
    unpack_entries,
)
from tests.reference.merkle import merkle_root


def _tile_paths(size: int) -> Iterator[tuple[int, int, int]]:
    """``(level, number, width)`` of all tiles of a tree of ``size`` leaves."""
    level = 0
    while size >> TILE_HEIGHT * level:
        for number in range(((size >> TILE_HEIGHT * level) + TILE_WIDTH - 1) // TILE_WIDTH):
            yield level, number, tile_width(level, number, size)
        level += 1


def _leaves(size: int) -> list[bytes]:
    return [number.to_bytes(3) for number in range(size)]


def _extend(folder: Path, begin: int, end: int, *, entries: bool = False) -> None:
    writer = TileWriter(folder, begin, entries=entries)
    for leaf in _leaves(end)[begin:]:
        writer.append(leaf_hash(leaf), leaf)
    writer.finish()


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 273, 112, "tile/0/273.p/112"),
        (3, 1234067, 256, "tile/3/x001/x234/067"),
        ("entries", 1000, 1, "tile/entries/x001/000.p/1"),
    ],
)
def test_names(level: int | str, number: int, width: int, path: str) -> None:
    assert tile_path(level, number, width) == path


def test_the_tiles_of_a_tree_of_70000() -> None:
    """The example of the specification."""
    tiles = list(_tile_paths(70_000))
    assert len([tile for tile in tiles if tile[0] == 0 and tile[2] == TILE_WIDTH]) == 273
    assert [tile for tile in tiles if tile[2] < TILE_WIDTH] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(_tile_paths(256)) == [(0, 0, 256), (1, 0, 1)]


def test_each_file_is_what_the_definition_says(tmp_path: Path) -> None:
    size = 256 * 3 + 77
    _extend(tmp_path, 0, size, entries=True)
    leaves = _leaves(size)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    wanted = {tile_path(*tile): tile for tile in _tile_paths(size)}
    bundles = {tile_path("entries", tile[1], tile[2]) for tile in _tile_paths(size) if tile[0] == 0}
    assert found == set(wanted) | bundles
    for name, (level, number, width) in wanted.items():
        span = 256**level
        hashes = [
            merkle_root(leaves[(number * 256 + at) * span : (number * 256 + at + 1) * span]) for at in range(width)
        ]
        assert (tmp_path / name).read_bytes() == b"".join(hashes), name
    bundle = (tmp_path / tile_path("entries", 3, 77)).read_bytes()
    assert unpack_entries(bundle) == leaves[768:]
    assert (tmp_path / "tile/0/000").stat().st_mode & 0o777 == 0o600


@settings(max_examples=25, deadline=None)
@given(generators.lists(generators.integers(0, 700), min_size=1, max_size=4), generators.data())
def test_however_it_grew(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], data: generators.DataObject
) -> None:
    folder, size = tmp_path_factory.mktemp("tiles"), 0
    for step in steps:
        _extend(folder, size, size + step, entries=True)
        size += step
    hashes = [leaf_hash(leaf) for leaf in _leaves(size)]
    for part in {size, data.draw(generators.integers(0, size))}:  # smaller trees can be read from it too
        nodes = TileNodes(folder, size)
        root = MerkleTree(hashes[:part]).root
        assert root_of(nodes, part) == root
        if part:
            index = data.draw(generators.integers(0, part - 1))
            assert is_included(hashes[index], index, part, prove_inclusion(nodes, index, part), root)
    for partial in folder.glob("tile/[0-9]*/*.p"):  # what became full has no partial tile beside it
        assert not partial.with_suffix("").exists()


def test_a_tile_that_is_missing_or_cut_is_told(tmp_path: Path) -> None:
    _extend(tmp_path, 0, 300)
    (tmp_path / "tile/0/001.p/44").write_bytes(b"x" * 31)
    with pytest.raises(TileError, match="31 bytes, but 44 hashes have 1408"):
        root_of(TileNodes(tmp_path, 300), 300)
    (tmp_path / "tile/0/001.p/44").unlink()
    with pytest.raises(TileError, match="no such tile"):
        TileWriter(tmp_path, 300)


def test_a_bundle_that_ends_within_a_frame_is_told() -> None:
    bundle = pack_entries([b"one", b"three"])
    assert unpack_entries(bundle) == [b"one", b"three"]
    for end in range(1, len(bundle)):
        if end != 5:
            with pytest.raises(TileError, match="ends within a frame"):
                unpack_entries(bundle[:end])
