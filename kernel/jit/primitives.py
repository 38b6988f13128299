"""The two calls through an address that compiled code makes."""

import inspect
from typing import Any

from kernel.jit.declared import JIT_ENABLED


class Primitive:
    """A function that is lowered by hand (``kernel.jit.compiling``) where numba has no word for it."""

    def __init__(self, function: Any) -> None:
        self.py_func = function
        self.__name__ = function.__name__
        self.__doc__ = inspect.getdoc(function)

    def __call__(self, *arguments: Any) -> Any:
        """In plain Python the address is the function itself."""
        return self.py_func(*arguments)


@Primitive
def call_entry(address: Any, context: Any) -> int:
    """Call a unit of one record by its address (without compiling: the function itself)."""
    assert not JIT_ENABLED
    return int(address(context))


@Primitive
def call_address(address: Any, argument: int) -> int:
    """Call ``int64 (*)(int64)`` at an address."""
    raise NotImplementedError("only compiled code calls C addresses")
