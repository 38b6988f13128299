"""The bridge from the compiled loop to a strategy in plain Python.

The engine calls every strategy through one signature. For a Python strategy that function is this shim: it calls the
C address that the context carries, behind which a Python callable waits. Only two numbers cross (the address says
which strategy), because both sides look at the same arrays.
"""

from typing import Any

from kernel.jit import call_address, unit
from kernel.strategy.context import CONTEXT

RAISED = 1


@unit(CONTEXT)  # type: ignore[untyped-decorator]
def python_entry(ctx: Any) -> int:
    """Call out to Python; what comes back is 0, or RAISED when the strategy raised (its host keeps the exception)."""
    return call_address(ctx.call.callback, ctx.call.kind)  # type: ignore[no-any-return]
