"""Where machine code is kept between processes: one file for each unit and digest.

A file begins with a line that says what the function returns; the object code follows. It is written whole or not at
all, so processes may share the folder. Without a folder that can be written, code lives as long as the process.
"""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from kernel.jit.declared import Unit


class Code(NamedTuple):
    """Object code and what its function returns."""

    returns: str
    machine_code: bytes


_kept: dict[str, Code] = {}


def cache_root() -> Path:
    """The folder that holds all caches of compiled code (``KERNEL_CACHE_DIR``, else the user's cache folder)."""
    named = os.environ.get("KERNEL_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trading-kernel"


def path_of(unit: Unit) -> Path:
    """The file of a unit's machine code."""
    name = f"{unit.__module__}.{unit.__qualname__}".replace("<", "").replace(">", "")
    return cache_root() / "machine-code" / f"{name}-{unit.digest}.o"


def read(unit: Unit) -> Code | None:
    """The unit's machine code, or None when it was not compiled yet."""
    kept = _kept.get(unit.symbol)
    if kept is not None:
        return kept
    try:
        returns, _, machine_code = path_of(unit).read_bytes().partition(b"\n")
    except OSError:
        return None
    return Code(returns.decode(), machine_code)


def exists(unit: Unit) -> bool:
    """Whether the unit was compiled."""
    return unit.symbol in _kept or path_of(unit).exists()


def write(unit: Unit, code: Code) -> None:
    """Keep the machine code; a folder that cannot be written only costs the compile next time."""
    path = path_of(unit)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(code.returns.encode() + b"\n" + code.machine_code)
        os.replace(temporary, path)
    except OSError:
        _kept[unit.symbol] = code
