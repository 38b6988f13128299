"""From functions to object code, by numba: imported only when something has to be compiled.

Owns how numba sees our functions: a unit is a call by name, a function is compiled once for each signature into the
units that call it.
"""

import copy
import inspect
import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, compiler, errors, funcdesc, inline_closurecall
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate
from numba.core.typing.typeof import typeof_impl
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from kernel.jit.declared import CompileError, Function, Kind, Unit, Vector
from kernel.jit.image import target_machine
from kernel.jit.primitives import Primitive, call_address, call_entry, floats_at, fused_nb, integers_at
from kernel.jit.store import Code


def _copy_block(block: Any) -> Any:
    """A deep copy of one block of numba's intermediate code that shares the block's scope.

    To write a function into its caller numba copies it block by block, and with each block its scope: all variables of
    the function, over and over. That was a quarter of the first compile. The copy is read from a fresh translation of
    the function every time, and the scope is only read.
    """
    return copy.deepcopy(block, {id(block.scope): block.scope})


inline_closurecall.copy = SimpleNamespace(deepcopy=_copy_block)

# What numba raises on code that it does not understand.
_NOT_UNDERSTOOD = (errors.NumbaError, KeyError, TypeError, AttributeError, ValueError)
_typing = cpu_target.typing_context
_target = cpu_target.target_context
# Without numba's run-time no array is counted or allocated: counting alone made the loop 40 times slower.
_OPTIONS = {"nopython": True, "nogil": True, "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_RETURNS = {
    types.int64: "int64", types.uint64: "uint64", types.float64: "float64", types.boolean: "bool", types.none: "none",
}  # fmt: skip


_WHOLE = " (unit)"


class _Library(JITCodeLibrary):  # type: ignore[misc]
    """Optimised code that is read, or linked into other code, and never made executable by numba."""

    def _optimize_final_module(self) -> None:
        """What is compiled into a unit is optimised there, once."""
        if self.name.endswith(_WHOLE):
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


def compile_unit(unit: Unit) -> Code:
    """Object code of one unit. Raises CompileError."""
    _target.refresh()
    arguments = tuple(_type_of(kind) for kind in unit.kinds)
    try:
        compiled = _compile(unit, arguments, None if unit.free else types.int64)
    except (CompileError, *_NOT_UNDERSTOOD) as error:
        raise CompileError(_reason(error)) from error
    with global_compiler_lock:
        compiled.library.finalize()
    module = llvm.parse_assembly(compiled.library.get_llvm_str())
    module.get_function(compiled.fndesc.llvm_func_name).name = unit.symbol
    _keep_to_itself(module, unit.symbol)
    return Code(_returns(unit, compiled.signature.return_type), target_machine().emit_object(module))


def _reason(error: Exception) -> str:
    """The one line of numba's explanation that says what is wrong, and the line number where it gives one."""
    if isinstance(error, KeyError):
        return f"unknown name {error}"
    lines = [line.strip() for line in str(error).splitlines()]
    noise = ("Failed in", "During", "File", "def ", "<source", "^", "- ", "[1]")
    telling = [line for line in lines if line and not line.startswith(noise)]
    places = re.findall(r'", line (\d+)', str(error))
    where = f"line {places[0]}: " if places else ""
    return where + (telling[0] if telling else type(error).__name__)


def _compile(function: Function, arguments: tuple[Any, ...], returns: Any) -> Any:
    flags = compiler.Flags()
    cpu_target.options.parse_as_flags(flags, {**_OPTIONS, "error_model": function.divisions})
    flags.no_compile = True
    library = _Library(_target.codegen(), function.__name__ + (_WHOLE if isinstance(function, Unit) else ""))
    return compiler.compile_extra(_typing, _target, function.py_func, arguments, returns, flags, {}, library)


def _keep_to_itself(module: Any, name: str) -> None:
    """Let the object define nothing but the unit, and need nothing but units and the C library."""
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != name:
            value.linkage = "internal"
    text = str(module)
    for value in module.functions:
        if value.name.startswith(("NRT_", "numba_", "Py", "_numba")) and text.count(f"@{value.name}") > 1:
            raise CompileError(f"{name} needs {value.name}, which only runs inside Python")


def _returns(unit: Unit, kind: Any) -> str:
    parts = list(kind) if isinstance(kind, types.BaseTuple) else [kind]
    named = [
        f"record{part.size}" if isinstance(part, types.Record) else _RETURNS.get(types.unliteral(part))
        for part in parts
    ]
    if None in named:
        raise CompileError(f"{unit.__name__} returns {kind}, which cannot be passed to Python")
    text = " ".join(str(name) for name in named)
    return f"({text})" if isinstance(kind, types.BaseTuple) else text


_types: dict[int, tuple[Kind, Any]] = {}


def _type_of(kind: Kind) -> Any:
    known = _types.get(id(kind))
    if known is None:
        if isinstance(kind, Vector):
            found: Any = types.Array(from_dtype(kind.dtype), kind.dimensions, "C")
        else:
            found = from_dtype(kind if isinstance(kind, np.dtype) else np.dtype(kind))
        known = _types[id(kind)] = (kind, found)
    return known[1]


# --- what numba sees of our functions -----------------------------------------------------------------------------


@typeof_impl.register(Function)  # type: ignore[untyped-decorator]
def _typeof_function(function: Function, context: Any) -> Any:
    return _function_type(function)


@typeof_impl.register(Primitive)  # type: ignore[untyped-decorator]
def _typeof_primitive(primitive: Primitive, context: Any) -> Any:
    return _typing.resolve_value_type(_PRIMITIVES[primitive.__name__])


@cache
def _function_type(function: Function) -> Any:
    template = _unit_template(function) if isinstance(function, Unit) else _template(function)
    return types.Function(type(function.__name__, (AbstractTemplate,), template))


def _unit_template(unit: Unit) -> dict[str, Any]:
    arguments = tuple(_type_of(kind) for kind in unit.kinds)
    described = funcdesc.ExternalFunctionDescriptor(unit.symbol, types.int64, arguments)
    _target.insert_user_function(unit, described)
    signature = types.int64(*arguments)

    def generic(self: Any, args: Any, kws: Any) -> Any:
        if kws or len(args) != len(arguments):
            raise errors.TypingError(f"{unit.__name__} takes {len(arguments)} arguments by position")
        return signature

    return {"key": unit, "generic": generic}


def _template(function: Function) -> dict[str, Any]:
    parameters = inspect.signature(function.py_func)
    known: dict[tuple[Any, ...], Any] = {}

    def generic(self: Any, args: Any, kws: Any) -> Any:
        try:
            bound = parameters.bind(*args, **kws)
        except TypeError as error:
            raise errors.TypingError(f"{function.__name__}: {error}") from None
        bound.apply_defaults()
        arguments = tuple(_widened(kind) for kind in bound.args)
        if arguments not in known:
            try:
                compiled = _compile(function, arguments, None)
            except _NOT_UNDERSTOOD as error:  # said here, where the line is known; numba would hide it in what calls it
                raise CompileError(_reason(error)) from error
            key = (function, arguments)
            _target.insert_user_function(key, compiled.fndesc, [compiled.library])
            known[arguments] = compiled.signature
        return known[arguments].replace(pysig=parameters)

    return {"key": function, "generic": generic, "get_impl_key": lambda self, sig: (function, sig.args)}


def _widened(kind: Any) -> Any:
    """One version of a function for all integers: every integer of ours fits 64 bits.

    numba would compile another one for each constant that is passed and for each width of integer.
    """
    if not isinstance(kind, types.Type):
        kind = numba.typeof(kind)
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.bitwidth < types.int64.bitwidth else kind


# --- the primitives -----------------------------------------------------------------------------------------------


@intrinsic  # type: ignore[untyped-decorator]
def _call_entry(typingctx: Any, address: Any, record: Any) -> Any:
    """A unit of one record, by its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = (signature.args[1],)
        function_type = context.call_conv.get_function_type(types.int64, kinds)
        function = builder.inttoptr(args[0], function_type.as_pointer())
        status, value = context.call_conv.call_function(builder, function, types.int64, kinds, [args[1]])
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return value

    return types.int64(types.int64, record), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _call_address(typingctx: Any, address: Any, argument: Any) -> Any:
    """``int64 (*)(int64)`` at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        function = builder.inttoptr(args[0], ir.FunctionType(word, [word]).as_pointer())
        return builder.call(function, [args[1]])

    return types.int64(types.int64, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _fused(typingctx: Any, factor: Any, other: Any, addend: Any) -> Any:
    """One multiplication and addition with one rounding."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


def _array_at(item: Any) -> Any:
    """An intrinsic for the array of ``item`` at an address."""
    kind = types.Array(item, 1, "C")

    @intrinsic  # type: ignore[untyped-decorator]
    def array_at(typingctx: Any, address: Any, size: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(kind)(context, builder)
            width = context.get_constant(types.intp, 8)
            data = builder.inttoptr(args[0], context.get_value_type(item).as_pointer())
            populate_array(array, data=data, shape=[args[1]], strides=[width], itemsize=width, meminfo=None)
            return array._getvalue()

        return kind(types.int64, types.int64), codegen

    return array_at


_PRIMITIVES = {
    call_entry.__name__: _call_entry,
    call_address.__name__: _call_address,
    fused_nb.__name__: _fused,
    floats_at.__name__: _array_at(types.float64),
    integers_at.__name__: _array_at(types.int64),
}
