"""Before the first test of indicators: all batches into the cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.jit import JIT_ENABLED

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Compile by as many processes as there are processors: one after the other they take two minutes."""
    workers = max(1, min(4, os.cpu_count() or 1)) if JIT_ENABLED else 0
    program = (
        "import sys; from kernel.indicators import indicators\n"
        "for one in list(indicators().values())[int(sys.argv[1])::int(sys.argv[2])]: one.compiled_batch"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(number), str(workers)], cwd=ROOT)
        for number in range(workers)
    ]
    assert [one.wait() for one in running] == [0] * workers
