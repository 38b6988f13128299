"""What can be compiled, declared without numba: units, and the functions that are compiled into them.

Owns the signatures of units and the call from Python into machine code.
"""

import ctypes
import os
import pickle
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

JIT_ENABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


class CompileError(RuntimeError):
    """A function that cannot be compiled. The text says why."""


class Vector(NamedTuple):
    """The kind of an argument that is a C-contiguous array: its dtype and its number of dimensions."""

    dtype: np.dtype
    dimensions: int

    def __repr__(self) -> str:
        return f"{self.dtype!r}x{self.dimensions}"


def vector(dtype: Any, dimensions: int = 1) -> Vector:
    """The kind of an argument that is an array of ``dtype``, for ``@unit``."""
    return Vector(np.dtype(dtype), dimensions)


# The dtype of a record, np.int64, np.float64, np.bool_ or a Vector.
Kind = Any


class Function:
    """A function that is compiled into the units that call it; calling it from Python compiles it as a unit."""

    def __init__(self, function: Callable[..., Any], *, inline: bool = False, divisions: str = "python") -> None:
        self.py_func = function
        self.divisions = divisions
        # Where numba looks for it when it writes a function into its caller.
        self.targetoptions = {"inline": "always"} if inline else {}
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self.__module__ = function.__module__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._calls: dict[tuple[Kind, ...], Unit] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code; the kinds of the arguments are found out from their values."""
        kinds = tuple(_kind_of(value) for value in arguments)
        key = tuple(id(kind) if isinstance(kind, np.dtype) else kind for kind in kinds)
        unit = self._calls.get(key) or self._unit_for(key, kinds)
        return unit(*arguments)

    def _unit_for(self, key: tuple[Kind, ...], kinds: tuple[Kind, ...]) -> "Unit":
        """The unit of kinds that were not seen under these ids: numpy gives a row of an array a new dtype each time."""
        for unit in self._calls.values():
            if unit.kinds == kinds:
                return unit
        unit = self._calls[key] = Unit(self.py_func, kinds, free=True, divisions=self.divisions)
        return unit


class Unit(Function):
    """A function that is compiled by itself for the given kinds of arguments and returns a 64-bit integer.

    With ``free`` it is no callee of other units: it may return anything that ``_Result`` knows, and its name in the
    machine code bears the digest, so that several of one name can be loaded.
    """

    def __init__(
        self, function: Callable[..., Any], kinds: tuple[Kind, ...], *, free: bool = False, divisions: str = "python"
    ) -> None:
        super().__init__(function, divisions=divisions)
        self.kinds = kinds
        self.free = free

    @cached_property
    def symbol(self) -> str:
        """The name of the machine code."""
        name = f"{self.__module__}.{self.__qualname__}"
        return f"{name}-{self.digest}" if self.free else name

    @cached_property
    def digest(self) -> str:
        """What the machine code depends on (see ``kernel.jit.digest``). Raises CompileError."""
        from kernel.jit.digest import digest_of

        return digest_of(self)

    @cached_property
    def address(self) -> int:
        """Where the machine code lies. Compiles what is not in the store. Raises CompileError."""
        return self._loaded[0]

    @cached_property
    def _loaded(self) -> tuple[int, str]:
        from kernel.jit.image import load

        return load(self)

    @cached_property
    def _caller(self) -> Callable[..., Any]:
        return self.bind()

    @cached_property
    def _entry(self) -> tuple[Any, Any, list[Callable[[Any], Any]]]:
        """The machine code as a function of C, what it returns, and how each argument is taken."""
        address, returns = self._loaded
        fields = [kind for argument in self.kinds for kind in _c_kinds(argument)]
        function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *fields)(address)
        taking = [_TAKING.get(kind) or (_vector if isinstance(kind, Vector) else _record) for kind in self.kinds]
        return function, _Result(returns), taking

    def bind(self, *first: Any) -> Callable[..., Any]:
        """The call with its first arguments given once, so that a call looks at the others alone."""
        function, result, all_taking = self._entry
        bound, taking = _given(all_taking[: len(first)], first), all_taking[len(first) :]
        plain = all(take is not _vector for take in taking)

        def call(*arguments: Any) -> Any:
            if len(arguments) != len(taking):
                raise TypeError(f"{self.__name__}() takes {len(taking)} arguments, {len(arguments)} were given")
            if plain:
                given = [*bound, *[take(value) for take, value in zip(taking, arguments, strict=True)]]
            else:
                given = bound + _given(taking, arguments)
            memory = result.structure()
            failure = ctypes.c_void_p()
            if function(ctypes.addressof(memory), ctypes.addressof(failure), *given) > 0:
                raise _raised(failure)
            return result.value(memory)

        call.first = first  # type: ignore[attr-defined]  # kept alive: machine code gets their addresses
        return call

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code."""
        return self._caller(*arguments)


def jit(function: Any = None, *, divisions: str = "python") -> Any:
    """Compile a function into each unit that calls it: ``@jit``. With ``NUMBA_DISABLE_JIT=1`` it stays plain Python.

    ``divisions="numpy"`` leaves out the check of every division for a zero, which raises; the function must then see to
    it.
    """
    if function is None:
        return lambda given: jit(given, divisions=divisions)
    if not JIT_ENABLED or isinstance(function, Function):
        return function
    return Function(function, divisions=divisions)


def inlined(function: Any) -> Any:
    """Write a function into each function that calls it, for one that has a single caller or is tiny.

    A function of its own is optimised and emitted again inside every function above it; written into its caller it
    is not, which halves the first compile.
    """
    return Function(function, inline=True) if JIT_ENABLED else function


def unit(*kinds: Kind, free: bool = False, divisions: str = "python") -> Any:
    """Compile a function by itself, for one signature; compiled callers are linked to it by its name.

    The kinds are the dtypes of records, ``np.int64``, ``np.float64`` and ``vector(dtype)``; it returns a 64-bit
    integer. So the cold parts of the kernel are compiled once, and a call costs two nanoseconds more. ``free`` is for
    one that no other unit calls by its name (see ``Unit``), ``divisions`` as for ``jit``.
    """
    return lambda function: Unit(function, kinds, free=free, divisions=divisions) if JIT_ENABLED else function


def bind(function: Any, *first: Any) -> Callable[..., Any]:
    """A unit with its first arguments given once (see ``Unit.bind``). Raises CompileError."""
    return function.bind(*first) if isinstance(function, Unit) else partial(function, *first)


def address_of(function: Any) -> Any:
    """Where the machine code of a unit lies, compiled if need be; without compiling the function itself.

    Raises CompileError.
    """
    return function.address if isinstance(function, Unit) else function


def compile_together(functions: Sequence[Any]) -> None:
    """Compile what several units need and the store has not, side by side. Raises CompileError."""
    units = [function for function in functions if isinstance(function, Unit)]
    if units:
        from kernel.jit.image import compile_missing

        compile_missing(units)


# --- calls from Python --------------------------------------------------------------------------------------------


_PARTS: dict[str, Any] = {
    "int64": ctypes.c_int64, "uint64": ctypes.c_uint64, "float64": ctypes.c_double, "bool": ctypes.c_uint8,
    "none": ctypes.c_void_p,
}  # fmt: skip


_NUMBERS = ("int64", "uint64", "float64")


def _bytes(name: str) -> Any:
    return ctypes.c_char * int(name.removeprefix("record"))


class _Result:
    """What a function returns, read from the memory where its machine code leaves it.

    ``returns`` names the parts of a tuple, or the one value, in the words of ``_PARTS``. A record that compiled callers
    get to change would be a copy here; it comes back as None.
    """

    def __init__(self, returns: str) -> None:
        self._names = returns.removeprefix("(").removesuffix(")").split()
        self._is_tuple = returns.startswith("(")
        fields = [(f"part{at}", _PARTS.get(name) or _bytes(name)) for at, name in enumerate(self._names)]
        self.structure = type("Result", (ctypes.Structure,), {"_fields_": fields})

    def value(self, memory: ctypes.Structure) -> Any:
        parts = []
        for at, name in enumerate(self._names):
            part = getattr(memory, f"part{at}")
            parts.append(bool(part) if name == "bool" else part if name in _NUMBERS else None)
        return tuple(parts) if self._is_tuple else parts[0]


def _kind_of(value: Any) -> Kind:
    if isinstance(value, np.void):
        return value.dtype
    if isinstance(value, np.ndarray):
        return value.dtype if value.ndim == 0 else Vector(value.dtype, value.ndim)
    if isinstance(value, bool | np.bool_):
        return np.bool_
    return np.float64 if isinstance(value, float) else np.uint64 if isinstance(value, np.uint64) else np.int64


def _c_kinds(kind: Kind) -> list[Any]:
    if isinstance(kind, Vector):
        # Owner and parent (none), number of items, size of one, data, and the shape and strides.
        words = [ctypes.c_int64] * (2 * kind.dimensions)
        return [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, *words]
    return [_C_KINDS.get(kind, ctypes.c_void_p)]


def _record(value: Any) -> Any:
    """The address of a record: a view of the array that it lies in, never a copy. Or a record as bytes."""
    if isinstance(value, bytes):
        return value
    return np.asarray(value).ctypes.data  # ``__array_interface__`` spells out the dtype, which takes 300 us


def _given(taking: Sequence[Callable[[Any], Any]], arguments: Sequence[Any]) -> list[Any]:
    given: list[Any] = []
    for take, value in zip(taking, arguments, strict=True):
        taken = take(value)
        given.extend(taken) if isinstance(taken, tuple) else given.append(taken)
    return given


def _vector(value: Any) -> tuple[Any, ...]:
    if not value.flags.c_contiguous:
        raise ValueError("compiled code takes arrays that are contiguous in memory")
    return (None, None, value.size, value.itemsize, data_address(value), *value.shape, *value.strides)


def data_address(value: Any) -> int:
    """Where an array's data lies. numpy's own word for it takes four times as long."""
    if value.flags.writeable and value.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(value))
    return int(value.ctypes.data)


_TAKING: dict[Kind, Callable[[Any], Any]] = {np.int64: int, np.uint64: int, np.float64: float, np.bool_: bool}
_C_KINDS: dict[Kind, Any] = {
    np.int64: ctypes.c_int64, np.uint64: ctypes.c_uint64, np.float64: ctypes.c_double, np.bool_: ctypes.c_uint8,
}  # fmt: skip


class _Failure(ctypes.Structure):
    _fields_ = (("pickled", ctypes.c_void_p), ("size", ctypes.c_int32))


def _raised(failure: ctypes.c_void_p) -> BaseException:
    """The exception that compiled code raised: it leaves its class and arguments pickled."""
    found = _Failure.from_address(failure.value or 0)
    kind, arguments, _ = pickle.loads(ctypes.string_at(found.pickled or 0, found.size))  # our own machine code's
    exception: BaseException = kind(*(arguments or ()))
    return exception
