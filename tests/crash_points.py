"""Killing a piece of work at each of its file operations in turn: what is left must do for the next attempt."""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename", "os.remove", "os.truncate", "os.mkdir", "os.rmdir", "os.link"}


def killed_at(point: int, work: Callable[[], Any], below: Path) -> bool:
    """Run ``work`` in a child that is killed just before its ``point``-th change below a folder; False if it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork, where other tests have left threads
        child = os.fork()
    if child == 0:
        _die_at(point, str(below))
        try:
            work()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, f"the work failed at crash point {point}"
    return False


def crash_points(work: Callable[[], Any], below: Path, most: int = 500) -> Iterator[int]:
    """Each point at which the work was killed, until it ends; whoever iterates looks at what is left each time."""
    for point in range(1, most):
        if not killed_at(point, work, below):
            return
        yield point
    raise AssertionError(f"the work has not ended after {most} operations")


def _die_at(point: int, below: str) -> None:
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in _CHANGES or writes) and any(below in str(one) for one in arguments[:2]):
            seen += 1
            if seen == point:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
