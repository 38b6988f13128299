"""A tree of frame hashes as C2SP tiles (tlog-tiles): files of 256 hashes a level, and bundles of the frames themselves.

Owns: which hash lies in which file, adding to such a folder, and reading a tree from it. Must not know: checkpoints, or
whether the hashes are right: whoever reads them works out the root and compares.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from journal.errors import JournalError
from journal.files import write_file
from journal.merkle import HASH_BYTES, MerkleTree
from journal.proof import LeafNodes

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
ENTRIES = "entries"
_LENGTH = struct.Struct(">H")
_KEPT_TILES = 64


class TileError(JournalError):
    """A folder of tiles that lacks something, or holds something else. The text says what and where."""


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Where a tile lies: ``tile/0/x001/x234/067`` for number 1,234,067 of level 0, ``.p/5`` behind it when partial."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def pack_entries(entries: list[bytes]) -> bytes:
    """A bundle: each frame behind its length, in two bytes, the larger first."""
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def unpack_entries(bundle: bytes) -> list[bytes]:
    """The frames of a bundle. Raises TileError."""
    found, at = [], 0
    while at < len(bundle):
        end = at + _LENGTH.size + (_LENGTH.unpack_from(bundle, at)[0] if at + _LENGTH.size <= len(bundle) else 0)
        if end > len(bundle) or at + _LENGTH.size > len(bundle):
            raise TileError("a bundle of frames ends within a frame")
        found.append(bundle[at + _LENGTH.size : end])
        at = end
    return found


class TileNodes:
    """The subtree hashes of the first ``size`` leaves, read from a folder (see ``journal.merkle.Nodes``)."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size
        self._tiles: dict[tuple[int, int], LeafNodes] = {}

    def node(self, level: int, index: int) -> bytes:
        """See ``journal.merkle.Nodes``. Raises TileError."""
        above = level // TILE_HEIGHT
        within = level % TILE_HEIGHT
        first = index << within
        tile = self._tile(above, first // TILE_WIDTH)
        return tile.node(within, (first % TILE_WIDTH) >> within)

    def _tile(self, level: int, number: int) -> LeafNodes:
        found = self._tiles.get((level, number))
        if found is None:
            data = read_tile(self._folder, level, number, self._size)
            hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
            if len(self._tiles) >= _KEPT_TILES:
                self._tiles.clear()
            found = self._tiles[level, number] = LeafNodes(hashes)
        return found


def tile_width(level: int, number: int, size: int) -> int:
    """How many hashes a tile has in the tree of ``size`` leaves."""
    return min(max((size >> TILE_HEIGHT * level) - number * TILE_WIDTH, 0), TILE_WIDTH)


def read_tile(folder: Path, level: int, number: int, size: int) -> bytes:
    """A tile of the tree of ``size`` leaves: its own file, or the beginning of the full one. Raises TileError."""
    wanted = tile_width(level, number, size)
    for width in dict.fromkeys((wanted, TILE_WIDTH)):
        path = folder / tile_path(level, number, width)
        if path.is_file():
            data = path.read_bytes()
            if len(data) != width * HASH_BYTES:
                raise TileError(f"{path}: {len(data)} bytes, but {width} hashes have {width * HASH_BYTES}")
            return data[: wanted * HASH_BYTES]
    raise TileError(f"{folder / tile_path(level, number, wanted)}: no such tile")


class TileWriter:
    """Adds leaves to a folder of tiles that holds ``size`` of them. ``finish`` writes the tiles that are not full.

    With ``entries`` the frames themselves are written too. Files are written whole or not at all, and a full tile is
    never written again. Raises TileError when the folder lacks what it must hold.
    """

    def __init__(self, folder: Path, size: int = 0, *, entries: bool = False) -> None:
        self._folder, self.size = folder, size
        self._pending: list[list[bytes]] = []
        self._bundle: list[bytes] | None = [] if entries else None
        level = 0
        while size >> TILE_HEIGHT * level:
            number = (size >> TILE_HEIGHT * level) // TILE_WIDTH
            data = read_tile(folder, level, number, size) if tile_width(level, number, size) else b""
            self._pending.append([data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])
            level += 1
        width = tile_width(0, size // TILE_WIDTH, size)
        if entries and width:
            path = folder / tile_path(ENTRIES, size // TILE_WIDTH, width)
            if not path.is_file():
                raise TileError(f"{path}: no such bundle of frames")
            self._bundle = unpack_entries(path.read_bytes())

    def append(self, leaf_hash: bytes, frame: bytes | memoryview) -> None:
        """Add the next leaf."""
        if self._bundle is not None:
            self._bundle.append(bytes(frame))
        self.size += 1
        self._add(0, leaf_hash)
        if self._bundle is not None and len(self._bundle) == TILE_WIDTH:
            self._write(tile_path(ENTRIES, self.size // TILE_WIDTH - 1), pack_entries(self._bundle))
            self._bundle = []

    def _add(self, level: int, hashed: bytes) -> None:
        if level == len(self._pending):
            self._pending.append([])
        tile = self._pending[level]
        tile.append(hashed)
        if len(tile) == TILE_WIDTH:
            number = (self.size >> TILE_HEIGHT * (level + 1)) - 1
            path = self._write(tile_path(level, number), b"".join(tile))
            shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)  # it begins with all of these
            self._pending[level] = []
            self._add(level + 1, MerkleTree(tile).root)

    def finish(self) -> None:
        """Write the tiles that are not full."""
        for level, tile in enumerate(self._pending):
            if tile:
                number = (self.size >> TILE_HEIGHT * level) // TILE_WIDTH
                self._write(tile_path(level, number, len(tile)), b"".join(tile))
        if self._bundle:
            self._write(tile_path(ENTRIES, self.size // TILE_WIDTH, len(self._bundle)), pack_entries(self._bundle))

    def _write(self, name: str, data: bytes) -> Path:
        """A file of the folder. It need not last: all of them can be made again from the frames."""
        path = self._folder / name
        write_file(path, data, durable=False)
        return path
