"""How many processors are really free: without that the speed of something that needs two says little.

The run loop computes on one thread and hashes on another. When something else keeps a processor busy, both share the
other one, and the figures are those of a machine with one core.
"""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

BUFFER = bytes(32 << 20)


def _hash(_: int) -> None:
    hashlib.sha256(BUFFER).digest()


def seconds_alone() -> float:
    """One thread hashes the buffer."""
    started = time.perf_counter()
    _hash(0)
    return time.perf_counter() - started


def seconds_of_two() -> float:
    """Two threads hash it at once: the same time where two processors are free, twice that on one."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_hash, range(2)))  # the threads exist before the clock starts
        started = time.perf_counter()
        list(pool.map(_hash, range(2)))
        return time.perf_counter() - started
