"""``NUMBA_DISABLE_JIT=1 python -m tests.kernel.indicators.plain FILE``: every indicator by its step in plain Python.

Writes the outputs and the memory afterwards. The steps are the same text that is compiled, so whatever a compiler makes
of it can be held against this.
"""

import sys

import numpy as np

from kernel.indicators import indicators
from tests.kernel.indicators.data import inputs, with_holes


def main(file: str) -> None:
    """Step through the holed test bars and save all that comes out."""
    kept = {}
    for name, indicator in indicators().items():
        series = [one.tolist() for one in with_holes(inputs(indicator))]
        memory = np.full(indicator.words() + 2, 7.0)
        memory[1:-1] = 0.0
        values = tuple(indicator.defaults.values())
        rows = [indicator.step(memory, 1, *bar, *values) for bar in zip(*series, strict=True)]
        assert memory[0] == memory[-1] == 7.0, f"{name} writes beyond its own words"
        kept[f"{name}/memory"] = memory[1:-1]
        kept[f"{name}/outputs"] = np.array(rows, float).reshape(len(rows), -1)
    np.savez(file, **kept)


if __name__ == "__main__":
    main(sys.argv[1])
