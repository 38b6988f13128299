"""The one way to compile: ``@unit``, ``@jit`` and ``@inlined``, with a store of machine code that cannot go stale.

A *unit* is compiled by itself, for one signature, and compiled callers are linked to it by its name: nothing of it is
copied into them. What ``@jit`` marks is compiled into each unit that calls it, and what is ``@inlined`` is written into
its caller. The machine code of a unit is stored under a digest of everything that it can reach (see ``digest``), so a
change anywhere opens a new entry, and an unchanged unit is never compiled again. A process that finds all its units
in the store loads them with llvmlite alone: numba is imported only to compile.

This is the one package of the core that touches files, and only to keep machine code: nothing it reads can reach a
decision. It never turns on fastmath or parallel reductions, which would make sums depend on the machine.
"""

from kernel.jit.declared import (
    JIT_ENABLED,
    CompileError,
    address_of,
    bind,
    compile_together,
    data_address,
    inlined,
    jit,
    unit,
    vector,
)  # fmt: skip
from kernel.jit.primitives import call_address, call_entry, floats_at, fused_nb, integers_at
from kernel.jit.store import cache_root

__all__ = [
    "JIT_ENABLED", "CompileError", "address_of", "bind", "cache_root", "call_address", "call_entry", "compile_together",
    "data_address", "floats_at", "fused_nb", "inlined", "integers_at", "jit", "unit", "vector",
]  # fmt: skip
