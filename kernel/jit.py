"""The one way to compile: ``@jit``, with a cache that cannot go stale.

numba keys its cache by the file of the function alone, so a change in *another* file that was inlined into it goes
unseen and an old result is served. Here the cache folder is named by a digest of every source that compiled code can
reach, of numba's version and of the CPU, so a change anywhere opens a new folder.

This is the one module of the core that touches files, and only to cache machine code: nothing it reads can reach a
decision. It never turns on fastmath or parallel reductions, which would make sums depend on the machine.
"""

import copy
import hashlib
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar

import llvmlite.binding
import numba
import numpy as np
from numba import types
from numba.core import config, inline_closurecall
from numba.core.errors import NumbaExperimentalFeatureWarning
from numba.np.numpy_support import from_dtype

Function = TypeVar("Function", bound=Callable[..., Any])

_CORE = Path(__file__).resolve().parent
# Indicators are compiled into the strategies that use them, never into the engine: their sources count only there.
_INDICATORS = f"{__package__}.indicators"


def _copy_block(block: Any) -> Any:
    """A deep copy of one block of numba's intermediate code that shares the block's scope.

    To write a function into its caller numba copies it block by block, and with each block its scope: all variables of
    the function, over and over. That was a quarter of the first compile. The copy is read from a fresh translation of
    the function every time, and the scope is only read.
    """
    return copy.deepcopy(block, {id(block.scope): block.scope})


inline_closurecall.copy = SimpleNamespace(deepcopy=_copy_block)
JIT_ENABLED = not config.DISABLE_JIT


def cache_root() -> Path:
    """The folder that holds all caches of compiled code (``KERNEL_CACHE_DIR``, else the user's cache folder)."""
    named = os.environ.get("KERNEL_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trading-kernel"


@cache
def _core_digest() -> bytes:
    digest = hashlib.sha256()
    digest.update(f"{numba.__version__} {sys.version_info[:3]} {platform.machine()}".encode())
    digest.update(llvmlite.binding.get_host_cpu_name().encode())
    digest.update(llvmlite.binding.get_host_cpu_features().flatten().encode())
    for path in sorted(_CORE.rglob("*.py")):
        if path.relative_to(_CORE).parts[0] not in ("cli", "indicators"):
            digest.update(path.read_bytes())
    return digest.digest()


@cache
def cache_dir(source: str, reached: bytes = b"") -> Path:
    """The cache folder for functions of the file ``source``: core, the file and the compiled files beside it.

    ``reached`` stands for whatever else the functions can reach (see ``reached_digest``).
    """
    digest = hashlib.sha256(_core_digest() + reached)
    file = Path(source).resolve()
    # In the same folder, or anywhere in the same package of ours, lie the compiled files that it calls, and the layout
    # of the memory that they share.
    home = file.parent
    if _CORE.parent in file.parents and _CORE not in file.parents:
        home = _CORE.parent / file.relative_to(_CORE.parent).parts[0]
    for path in sorted({file, *home.rglob("*_nb.py"), *home.rglob("memory.py")}):
        digest.update(path.name.encode() + path.read_bytes())
    return cache_root() / "machine-code" / digest.hexdigest()[:24]


def reached_digest(function: Function) -> bytes:
    """A digest of what ``function`` reaches outside the core and its own file: functions of other files, constants."""
    digest = hashlib.sha256()
    seen: set[object] = set()
    waiting: list[Any] = [function]
    while waiting:
        taken = waiting.pop()
        current = getattr(taken, "py_func", taken)
        if current in seen:
            continue
        seen.add(current)
        if str(current.__globals__.get("__name__")).startswith(_INDICATORS):
            digest.update(indicators_digest())
            continue
        if _CORE in Path(current.__code__.co_filename).parents:
            continue
        path = Path(current.__code__.co_filename)
        if path.exists():
            digest.update(path.read_bytes())
        for name in current.__code__.co_names:
            value = current.__globals__.get(name)
            if hasattr(value, "py_func"):
                waiting.append(value)
            elif isinstance(value, int | float | str | tuple):
                digest.update(f"{name}={value!r}\n".encode())
            elif isinstance(value, ModuleType) and value.__name__.startswith(_INDICATORS):
                digest.update(indicators_digest())
            elif isinstance(value, ModuleType) and value.__file__ and not hasattr(value, "__path__"):
                digest.update(Path(value.__file__).read_bytes())
    return digest.digest()


def indicators_digest() -> bytes:
    """A digest of all sources of the indicators."""
    sources = sorted((_CORE / "indicators").glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()


def generated_file(folder: Path, name: str, source: str) -> str:
    """A real file in a cache folder that holds a generated text, because numba caches only what has one."""
    if not JIT_ENABLED:
        return f"<{name}>"
    path = folder / f"{name}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(source)
    except OSError:  # an unwritable cache only costs the compile
        return f"<{name}>"
    return str(path)


@contextmanager
def quiet_function_types() -> Iterator[None]:
    """Within the block numba does not warn that first-class function types are experimental.

    They have carried that warning since 2020; the engine is built on them and tested with them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        yield


@contextmanager
def _caching_in(folder: Path) -> Iterator[None]:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def jit(signature: Any = None, *, source: str | None = None, reached: bytes = b"", divisions: str = "python") -> Any:
    """Compile a function to machine code, cached on disk: ``@jit``, or ``@jit(signature)`` to compile at once.

    With a signature the function accepts no other, can be passed as a first-class function pointer, and a stale or
    unwritable cache only costs the compile. ``source`` and ``reached`` name what else the function stands for, where
    that is not its own file. ``divisions="numpy"`` leaves out the check of every division for a zero, which raises; the
    function must then see to it. With ``NUMBA_DISABLE_JIT=1`` the plain Python function comes back.
    """
    if callable(signature) and not isinstance(signature, numba.core.typing.templates.Signature):
        return _compile(signature, None, source, reached)
    return lambda function: _compile(function, signature, source, reached, divisions)


def inlined(function: Function) -> Any:
    """Compile a function into each function that calls it, for one that has a single caller or is tiny.

    A function of its own is optimised and emitted again inside every function above it; written into its caller it
    is not, which halves the first compile.
    """
    return numba.njit(nogil=True, _nrt=False, inline="always")(function) if JIT_ENABLED else function


def unit(*arguments: Any) -> Any:
    """Compile a function at once, as a unit of its own that compiled callers are linked to by name.

    What ``@jit`` compiles is copied into, and optimised again inside, every function above it. A unit is compiled once,
    for one signature (the dtypes of its record arguments; 64-bit integers as ``numba.types.int64``; it returns one of
    those), so the cold parts of the kernel cost their compile time once and a call costs two nanoseconds more.
    """

    def link(function: Function) -> Any:
        if not JIT_ENABLED:
            return function
        dispatcher = _compile(function, None, None, b"")
        kinds = tuple(from_dtype(kind) if isinstance(kind, np.dtype) else kind for kind in arguments)
        compile_for(dispatcher, types.int64(*kinds))
        (compiled,) = dispatcher.overloads.values()
        # A name that says nothing about the compile: cached callers of an earlier process find the function by it.
        named = copy.copy(compiled.fndesc)
        named.mangled_name = f"{function.__module__}.{function.__qualname__}"
        address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
        llvmlite.binding.add_symbol(named.mangled_name, address)
        context = dispatcher.targetctx
        context.remove_user_function(compiled.entry_point)
        context.insert_user_function(compiled.entry_point, named)
        return dispatcher

    return link


def _compile(function: Function, signature: Any, source: str | None, reached: bytes, divisions: str = "python") -> Any:
    if not JIT_ENABLED:
        return function
    if isinstance(function, numba.core.dispatcher.Dispatcher):
        return function
    file = function.__code__.co_filename
    folder = cache_dir(source or file, reached)
    with _caching_in(folder):
        # Without numba's run-time no array is counted or allocated: counting alone made the loop 40 times slower.
        dispatcher = numba.njit(nogil=True, _nrt=False, error_model=divisions)(function)
        # A user's own functions are cached only inside the entry of their strategy, whose folder knows all they reach.
        ours = signature is not None or _CORE.parent in Path(file).parents
        if ours and _writable(folder) and os.path.exists(file):
            dispatcher.enable_caching()
    _widen_integers(dispatcher)
    if signature is not None:
        compile_for(dispatcher, signature)
    return dispatcher


def _widen_integers(dispatcher: Any) -> None:
    """Let compiled callers see one version of a function for all integers.

    numba would compile another one for each constant that is passed and for each width of integer, which doubled the
    first compile; every integer of ours fits 64 bits.
    """
    resolve = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return resolve(tuple(_widened(kind) for kind in args), {key: _widened(kind) for key, kind in kws.items()})

    dispatcher.get_call_template = get_call_template


def _widened(kind: Any) -> Any:
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.bitwidth < types.int64.bitwidth else kind


def compile_for(dispatcher: Any, signature: Any) -> Any:
    """Compile a function for one signature, or load that from the cache, and return what calls it directly.

    The dispatcher accepts no other signature from then on. Calling through it would find out the types of all
    arguments anew each time, which takes longer than a batch of rows when functions are among them.
    """
    if not JIT_ENABLED:
        return dispatcher
    with quiet_function_types():
        if not dispatcher.signatures:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
    (compiled,) = dispatcher.overloads.values()
    return compiled.entry_point


@cache
def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
