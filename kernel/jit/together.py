"""Compiling many units side by side: one process for each processor.

Units do not depend on each other's code. Those of one module share the functions that are compiled into them, so each
process takes a stretch of the list in the order of modules, then what is left of the others' from the end, and leaves
out what is already stored.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from operator import attrgetter

from kernel.jit.declared import Unit
from kernel.jit.store import exists, write

_WORTH_A_PROCESS = 8


def compile_units(units: Sequence[Unit]) -> None:
    """Compile and store the units. Raises CompileError, or numba's error about the code."""
    ordered = sorted(units, key=lambda unit: unit.symbol)
    shared = [unit for unit in ordered if _findable(unit)]
    processes = min(os.cpu_count() or 1, len(shared) // _WORTH_A_PROCESS)
    others = [_start(shared, place, processes) for place in range(1, processes)]
    try:
        _compile_missing(ordered)
    finally:
        for other in others:
            other.wait()


def _compile_missing(units: Sequence[Unit]) -> None:
    from kernel.jit.compiling import compile_unit

    collecting = gc.isenabled()
    gc.disable()  # the compiler's objects last; to look through them again and again took a tenth of the time
    try:
        for unit in units:
            if not exists(unit):
                write(unit, compile_unit(unit))
    finally:
        if collecting:
            gc.enable()


def _findable(unit: Unit) -> bool:
    """Whether another process that imports the unit's module finds it."""
    return not unit.free and "<" not in unit.__qualname__ and unit.__module__ != "__main__"


def _start(units: Sequence[Unit], place: int, places: int) -> "subprocess.Popen[bytes]":
    """A process that compiles its share of the list, then what is still missing."""
    start, stop = len(units) * place // places, len(units) * (place + 1) // places
    ordered = (*reversed(units[start:stop]), *reversed(units[:start]), *units[stop:])
    names = [(unit.__module__, unit.__qualname__) for unit in ordered]
    process = subprocess.Popen(
        [sys.executable, "-m", "kernel.jit.together"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(names).encode())
    process.stdin.close()
    return process


def main() -> None:
    """Compile the units whose names come in."""
    _compile_missing([attrgetter(name)(import_module(module)) for module, name in json.load(sys.stdin)])


if __name__ == "__main__":
    main()
