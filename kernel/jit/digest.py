"""What a unit's machine code depends on, as one digest.

Owns the walk over everything that a function can reach: its code, the functions that are compiled into it, and the
constants that they name. Of another unit only the name and the signature count, because calls are linked by name. A
global that the walk does not understand is refused, so that nothing can change unseen.
"""

import dis
import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from types import BuiltinFunctionType, CodeType, ModuleType
from typing import Any

import llvmlite.binding
import numpy as np

from kernel.jit.declared import CompileError, Function, Unit, Vector
from kernel.jit.primitives import Primitive

_PACKAGE = Path(__file__).resolve().parent


# What numba takes from the environment that changes the code it makes.
_SETTINGS = (
    "NUMBA_OPT", "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE", "NUMBA_BOUNDSCHECK", "NUMBA_ENABLE_AVX",
    "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES",
)  # fmt: skip


@cache
def _machine() -> bytes:
    """The compiler, its options (this package) and the processor."""
    parts = [version("numba"), version("llvmlite"), np.__version__, str(sys.version_info[:3]), platform.machine()]
    parts += [llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()]
    parts += [f"{name}={os.environ.get(name)}" for name in _SETTINGS]
    sources = b"".join(path.read_bytes() for path in sorted(_PACKAGE.glob("*.py")))
    return hashlib.sha256("\n".join(parts).encode() + sources).digest()


def digest_of(unit: Unit) -> str:
    """24 hexadecimal digits that name the machine code of ``unit``."""
    digest = hashlib.sha256(_machine())
    digest.update(f"{unit.__module__}.{unit.__qualname__}{_kinds(unit)}".encode())
    for part, _ in _reached(unit):
        digest.update(part)
    return digest.hexdigest()[:24]


def callees(unit: Unit) -> list[Unit]:
    """The units that the code of ``unit`` calls by name, directly or through what is compiled into it."""
    return [called for _, called in _reached(unit) if called is not None]


def _reached(unit: Unit) -> Iterator[tuple[bytes, Unit | None]]:
    seen: set[int] = set()
    waiting: list[Function] = [unit]
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        part, called = _own(function)
        yield part, None
        for other in called:
            if isinstance(other, Unit):
                if id(other) not in seen:
                    seen.add(id(other))
                    yield f"{other.symbol}{_kinds(other)}".encode(), other
            else:
                waiting.append(other)


_OWN: dict[int, tuple[Function, bytes, list[Function]]] = {}


_INSTALLED = ("numpy", "numba", "math")
_LOADS = ("LOAD_GLOBAL", "LOAD_DEREF")


def _own(function: Function) -> tuple[bytes, list[Function]]:
    """The function's code and constants as bytes, and the functions that it names."""
    known = _OWN.get(id(function))
    if known is None:
        py_func = function.py_func
        parts = [_code(py_func.__code__), repr(py_func.__defaults__), function.divisions]
        parts += sorted(function.targetoptions)
        called: list[Function] = []
        cells = dict(zip(py_func.__code__.co_freevars, py_func.__closure__ or (), strict=True))
        for name in _names(py_func.__code__):
            if name in cells:
                value = cells[name].cell_contents
            elif name in py_func.__globals__:
                value = py_func.__globals__[name]
            else:
                continue
            for full_name, found in _found(function, name, value):
                if isinstance(found, Function):
                    called.append(found)
                    parts.append(f"{full_name}: {found.__module__}.{found.__qualname__}")
                else:
                    parts.append(f"{full_name}={_constant(function, full_name, found)}")
        known = _OWN[id(function)] = (function, "\n".join(parts).encode(), called)
    return known[1], known[2]


def _found(function: Function, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a name stands for: itself, or what the function takes from a module of that name."""
    if not isinstance(value, ModuleType) or value.__name__.partition(".")[0] in _INSTALLED:
        yield name, value
        return
    steps = list(dis.get_instructions(function.py_func))
    for step, after in pairwise(steps):
        if step.opname in _LOADS and step.argval == name and after.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield f"{name}.{after.argval}", getattr(value, after.argval, None)


def _names(code: CodeType) -> list[str]:
    names = [*code.co_names, *code.co_freevars]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _names(constant)
    return names


def _code(code: CodeType) -> str:
    constants = [_code(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {constants}"


def _constant(function: Function, name: str, value: Any) -> str:
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        return repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(_constant(function, name, part) for part in value)})"
    if isinstance(value, np.dtype):
        return f"{value.descr!r}{value.itemsize}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype.descr!r}{value.shape}{value.tobytes().hex()}"
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type | BuiltinFunctionType | np.ufunc | Primitive) or type(value).__module__ == "numpy":
        return f"{getattr(value, '__module__', '')}.{value.__name__}"
    if getattr(value, "__module__", "").partition(".")[0] in _INSTALLED:
        return f"{value.__module__}.{getattr(value, '__qualname__', repr(value))}"
    loaded = {step.argval for step in dis.get_instructions(function.py_func) if step.opname in _LOADS}
    if "." in name or name in loaded:
        raise CompileError(
            f"{function.py_func.__code__.co_filename}: {function.__name__} names {name}, a {type(value).__name__}: "
            "compiled code can use numbers, text, tuples, arrays and functions that are marked for compiling"
        )
    return ""


_KINDS: dict[int, tuple[Any, str]] = {}


def _kinds(unit: Unit) -> str:
    return ", ".join(_kind(kind) for kind in unit.kinds)


def _kind(kind: Any) -> str:
    known = _KINDS.get(id(kind))
    if known is None:
        if isinstance(kind, np.dtype):
            text = hashlib.sha256(f"{kind.descr!r}{kind.itemsize}".encode()).hexdigest()
        elif isinstance(kind, Vector):
            text = f"{_kind(kind.dtype)}x{kind.dimensions}"
        else:
            text = kind.__name__
        known = _KINDS[id(kind)] = (kind, text)
    return known[1]
