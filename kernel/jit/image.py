"""Machine code in memory: loads units and what they call, with llvmlite alone.

Owns the one execution engine of the process. What is missing in the store is compiled first.
"""

import threading
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import llvmlite.binding as llvm

from kernel.jit.declared import CompileError, Unit
from kernel.jit.digest import callees
from kernel.jit.store import exists, read

_lock = threading.RLock()
_loaded: "dict[str, _Loaded]" = {}  # by symbol


class _Loaded(NamedTuple):
    digest: str
    returns: str


@cache
def target_machine() -> llvm.TargetMachine:
    """The processor that code is emitted for: this one."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    reloc = "static" if llvm.get_default_triple().startswith("x86") else "default"
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, reloc=reloc,
        codemodel="jitdefault", jit=True,
    )  # fmt: skip


@cache
def _engine() -> llvm.ExecutionEngine:
    machine = target_machine.__wrapped__()  # the engine takes its own
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def load(unit: Unit) -> tuple[int, str]:
    """Load a unit with all that it calls; returns its address and what it returns. Raises CompileError."""
    with _lock:
        found = {needed: read(needed) for needed in reachable(unit) if not _is_loaded(needed)}
        missing = [needed for needed, code in found.items() if code is None]
        if missing:
            from kernel.jit.together import compile_units

            compile_units(missing)
        for needed, stored in found.items():
            code = stored or read(needed)
            assert code is not None, "what was compiled is stored"
            _engine().add_object_file(llvm.ObjectFileRef.from_data(code.machine_code))
            _loaded[needed.symbol] = _Loaded(needed.digest, code.returns)
        _engine().finalize_object()
        return _engine().get_function_address(unit.symbol), _loaded[unit.symbol].returns


def compile_missing(units: Sequence[Unit]) -> None:
    """Compile what the units need and the store has not, all together. Raises CompileError."""
    with _lock:
        needed = {id(one): one for unit in units for one in reachable(unit)}
        missing = [one for one in needed.values() if not _is_loaded(one) and not exists(one)]
        if missing:
            from kernel.jit.together import compile_units

            compile_units(missing)


def _is_loaded(unit: Unit) -> bool:
    known = _loaded.get(unit.symbol)
    if known is not None and known.digest != unit.digest:
        raise CompileError(f"two units are named {unit.symbol}; give one another name")
    return known is not None


def reachable(unit: Unit) -> list[Unit]:
    """A unit and all units that it calls, directly or not."""
    found: dict[int, Unit] = {}
    waiting = [unit]
    while waiting:
        taken = waiting.pop()
        if id(taken) not in found:
            found[id(taken)] = taken
            waiting.extend(callees(taken))
    return list(found.values())
