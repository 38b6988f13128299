"""The bridge from the compiled loop to a strategy in plain Python.

The engine calls every strategy through one signature. For a Python strategy that function is this shim: it calls the
C address that the context carries, behind which a Python callable waits. Only two numbers cross (the address says
which strategy), because both sides look at the same arrays.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kernel.jit import JIT_ENABLED, jit

RAISED = 1


@intrinsic  # type: ignore[untyped-decorator]
def _call_address(typingctx: Any, address: Any, argument: Any) -> Any:
    """``int64 (*)(int64)`` at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        pointer = builder.inttoptr(args[0], cgutils.voidptr_t)
        function_type = ir.FunctionType(word, [word])
        typed = builder.bitcast(pointer, function_type.as_pointer())
        return builder.call(typed, [args[1]])

    return types.int64(types.int64, types.int64), codegen


def _python_entry(ctx: Any) -> int:
    """Call out to Python; what comes back is 0, or RAISED when the strategy raised (its host keeps the exception)."""
    return _call_address(ctx.call.callback, ctx.call.kind)  # type: ignore[no-any-return]


def python_entry() -> Any:
    """The compiled entry for strategies in plain Python."""
    from kernel.strategy.declare import context_type

    assert JIT_ENABLED
    return jit(types.int64(context_type()))(_python_entry)
