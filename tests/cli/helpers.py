"""Running the command line as a user does: a process of its own, with its output and exit code."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A shell has what it starts in the background ignore the signal, and so does every child of that.
INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
PROGRAM = "import sys; sys.argv[0] = 'kernel'; from kernel.cli import main; main()"


def kernel(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``kernel ARGUMENTS`` to its end."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment_with(**environment),
        timeout=300,
        check=False,
    )


def start_kernel(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start ``kernel ARGUMENTS`` and leave it running, to be interrupted even where tests run in the background."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{INTERRUPTIBLE}; {PROGRAM}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_with(**environment),
    )


def environment_with(**changes: str) -> dict[str, str]:
    """The environment of a child that finds the packages of this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **changes}
