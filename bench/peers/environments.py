"""Environments of other engines: one for each package, made below a folder and kept there.

Owns the pinned versions. A peer runs in an interpreter of its own, so that nothing of it can reach ours.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INSTALL_SECONDS = 900
ERROR_LINES = 3

NAUTILUS = (
    # The newest for this Python, and the pandas that it is fastest with.
    "nautilus_trader==1.231.0; python_version >= '3.12'",
    "nautilus_trader==1.221.0; python_version < '3.12'",
    "pandas==2.3.3",
)
BACKTESTING = ("backtesting==0.6.6",)
VECTORBT = ("vectorbt==1.2.0",)
BACKTRADER = ("backtrader==1.9.78.123", "numpy==2.4.6", "pandas==3.0.3")


def environment(requirements: Sequence[str], folder: Path, base: str) -> Path:
    """The Python of an environment with these packages, made with ``base`` when it does not exist yet.

    Raises RuntimeError with one line.
    """
    package = requirements[0].partition("=")[0]
    home = folder / package
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    wanted = "\n".join([base, *requirements])
    done = home / "installed.txt"
    if done.is_file() and done.read_text() == wanted:
        return python
    run([base, "-m", "venv", "--clear", home], INSTALL_SECONDS, "no environment can be made")
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *requirements]
    if package == "backtrader":  # pure Python, and its wheel is tagged for any version
        install.remove("--only-binary=:all:")
    run(install, INSTALL_SECONDS, "it cannot be installed on this Python")
    done.write_text(wanted)
    return python


def run(command: list[Any], seconds: float, what: str, given: str | None = None) -> str:
    """Run a command and return what it prints. Raises RuntimeError with the last lines of its error."""
    try:
        done = subprocess.run(
            [str(part) for part in command], input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
    except OSError as error:
        raise RuntimeError(f"{what}: {error}") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{what}: no end after {seconds:.0f} s") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise RuntimeError(f"{what}: {' | '.join(said[-ERROR_LINES:])}")
    return done.stdout
