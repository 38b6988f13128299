"""Whole processes as a user starts them, and measurements that need a process of their own.

Owns the starting of children and what they inherit. A child prints one JSON object on its last line.
"""

import compileall
import contextlib
import io
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.jit.store import path_of
from replay.loading import find_strategy

COMMAND = "import sys; from kernel.cli import main; sys.exit(main())"
REPOSITORY = Path(__file__).resolve().parents[1]

NEW_STRATEGY = '''"""A strategy that no cache has seen."""

from kernel.indicators.steps import ema_nb
from kernel.strategy.api_nb import close_ticks, position_lots, target_fraction
from kernel.strategy.declare import compiled


@compiled(memory=5, fast=12, slow=26, fraction=0.5)
def new_strategy(ctx, own, fast, slow, fraction):
    """Long while the fast average is above the slow one, else flat."""
    quick = ema_nb(own, 0, close_ticks(ctx), fast, 1)
    steady = ema_nb(own, 2, close_ticks(ctx), slow, 1)
    own[4] += 1
    if own[4] >= slow + {salt}:
        if quick > steady and position_lots(ctx) == 0:
            target_fraction(ctx, fraction)
        elif quick < steady and position_lots(ctx) > 0:
            target_fraction(ctx, 0.0)
'''


def compile_bytecode() -> None:
    """Byte-compile the environment and ourselves, as installing with pip does, so that starts are fair."""
    with contextlib.redirect_stdout(io.StringIO()):
        compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)
        for package in ("kernel", "journal", "replay", "strategies", "bench"):
            compileall.compile_dir(REPOSITORY / package, quiet=2)


def kernel_seconds(arguments: Sequence[str], **environment: str) -> float:
    """Seconds of the whole process ``kernel ARGUMENTS``, started in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=folder,
            env=_environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"kernel {' '.join(arguments)} failed: {done.stderr.strip()}")
    return seconds


def first_compile_seconds() -> float:
    """``kernel replay`` of the sample with nothing compiled: what the first start on a machine takes."""
    with tempfile.TemporaryDirectory(prefix="kernel-bench-cache-") as folder:
        return kernel_seconds(["replay"], KERNEL_CACHE_DIR=folder)


def new_strategy_seconds() -> float:
    """Loading and compiling a strategy file that no cache has seen; the engine itself is loaded already."""
    with tempfile.TemporaryDirectory(prefix="kernel-bench-") as folder:
        file = Path(folder) / "new_strategy.py"
        file.write_text(NEW_STRATEGY.replace("{salt}", str(time.time_ns())))
        started = time.perf_counter()
        strategy, _ = find_strategy(str(file))
        entry = strategy.entry()
        seconds = time.perf_counter() - started
        path_of(entry).unlink(missing_ok=True)
    return seconds


def in_child(repeats: int, mode: str, files: Sequence[Path], *, one_core: bool = False) -> dict[str, Any]:
    """What ``python -m bench.child`` reports of runs over ``files``; with ``one_core`` it has a single processor."""
    command = [sys.executable, "-m", "bench.child", str(repeats), mode, *map(str, files)]
    if one_core:
        command.append("--one-core")
    done = subprocess.run(command, env=_environment({}), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the run in a child failed: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def _environment(extra: dict[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, **extra}
