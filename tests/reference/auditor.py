"""What an auditor is handed, built the slow and obvious way: keys, notes, proofs and tiles.

Owns: RFC 6962 sections 2.1 to 2.1.2 word for word, and the written formats of `journal/FORMAT.md`. Must not know: any
code that makes or checks these for users.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Hashes = Sequence[bytes]


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def split_of(size: int) -> int:
    """The largest power of two below `size`."""
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def root(leaves: Hashes) -> bytes:
    """MTH, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = split_of(len(leaves))
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def inclusion(index: int, leaves: Hashes) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*inclusion(index, leaves[:split]), root(leaves[split:])]
    return [*inclusion(index - split, leaves[split:]), root(leaves[:split])]


def consistency(size: int, leaves: Hashes, whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b); nothing is to be shown for a tree of no leaves."""
    if size in (0, len(leaves)):
        return [] if whole else [root(leaves)]
    split = split_of(len(leaves))
    if size <= split:
        return [*consistency(size, leaves[:split], whole), root(leaves[split:])]
    return [*consistency(size - split, leaves[split:], False), root(leaves[:split])]


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Key:
    """An Ed25519 key with a name; type 1 signs notes, type 4 cosigns them as a witness."""

    def __init__(self, name: str, seed: bytes, kind: int = 1) -> None:
        self.name, self.kind, self.private = name, kind, Ed25519PrivateKey.from_private_bytes(seed)
        self.material = bytes([kind]) + self.private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(name.encode() + b"\n" + self.material).digest()[:4]
        self.text = f"{name}+{self.id.hex()}+{base64_text(self.material)}"

    def line(self, text: str, seconds: int = 0) -> str:
        if self.kind == 1:
            return self.line_of(self.private.sign(text.encode()))
        signed = self.private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return self.line_of(seconds.to_bytes(8, "big") + signed)

    def line_of(self, signature: bytes) -> str:
        return f"— {self.name} {base64_text(self.id + signature)}\n"


def checkpoint(origin: str, leaves: Hashes, *keys: Key, seconds: int = 1_700_000_000) -> bytes:
    text = f"{origin}\n{len(leaves)}\n{base64_text(root(leaves))}\n"
    return (text + "\n" + "".join(key.line(text, seconds) for key in keys)).encode()


def event_proof(event: int, index: int, leaves: Hashes, note: bytes, frame: bytes) -> bytes:
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(base64_text, inclusion(index, leaves)), "", ""]
    proof = "\n".join(lines).encode() + note
    head = f"journal-event-proof@v1\nevent {event}\nproof {len(proof)}\nframe {len(frame)}\n\n"
    return head.encode() + proof + frame


def consistency_proof(path: Hashes, old: bytes, new: bytes) -> bytes:
    lines = ["journal-consistency-proof@v1", f"old {len(old)}", f"new {len(new)}", *map(base64_text, path), "", ""]
    return "\n".join(lines).encode() + old + new


def write_tiles(folder: Path, note: bytes, frames: Sequence[bytes]) -> None:
    """A C2SP tlog-tiles export, from the definition: the n-th tile of level l has MTH over 256**l leaves each."""
    leaves = [leaf(frame) for frame in frames]
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_bytes(note)
    level, span = 0, 1
    while len(leaves) >= span:
        hashes = [root(leaves[at : at + span]) for at in range(0, len(leaves) - span + 1, span)]
        for start in range(0, len(hashes), 256):
            write_tile(folder, str(level), start // 256, hashes[start : start + 256])
        level, span = level + 1, span * 256
    for start in range(0, len(frames), 256):
        entries = [len(frame).to_bytes(2, "big") + frame for frame in frames[start : start + 256]]
        write_tile(folder, "entries", start // 256, entries)


def write_tile(folder: Path, level: str, number: int, parts: Sequence[bytes]) -> None:
    name = f"{number % 1000:03}" if number < 1000 else f"x{number // 1000:03}/{number % 1000:03}"
    path = folder / "tile" / level / (name if len(parts) == 256 else f"{name}.p/{len(parts)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))
