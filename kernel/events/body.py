"""Bodies: what only people and auditors read, beside the fixed-width records.

A frame's bodies are one block: for each record with the HAS_BODY flag, in record order, a little-endian 32-bit length,
the bytes, and zeros up to a multiple of eight. ``apply`` never looks into a body.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from kernel.events.layout import HAS_BODY

_LENGTH_BYTES = 4


def pack_body(body: bytes) -> bytes:
    """One body with its length and padding, ready to be joined to others."""
    block = len(body).to_bytes(_LENGTH_BYTES, "little") + body
    return block + bytes(-len(block) % 8)


def unpack_bodies(records: np.ndarray, block: bytes | memoryview) -> Iterator[bytes]:
    """The body of each record in order, ``b""`` for one without. Raises ValueError when the block does not fit."""
    at = 0
    for flags in records["flags"]:
        if not flags & HAS_BODY:
            yield b""
            continue
        length = int.from_bytes(block[at : at + _LENGTH_BYTES], "little")
        body = bytes(block[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length])
        if len(body) != length:
            raise ValueError(f"a body of {length} bytes does not fit its frame")
        yield body
        at += _LENGTH_BYTES + length
        at += -at % 8


def encode_body(value: Any) -> bytes:
    """A body of any msgspec-able value, as MessagePack with its keys in a stable order."""
    return msgspec.msgpack.encode(value, order="deterministic")


def decode_body(body: bytes) -> Any:
    """The plain Python value of a body; None for an empty one."""
    return msgspec.msgpack.decode(body) if body else None


def shown_body(body: bytes) -> Any:
    """The same for who looks: a venue's message, which is kept as it came, is its text."""
    try:
        return decode_body(body)
    except msgspec.MsgspecError:
        return body.decode(errors="replace")
