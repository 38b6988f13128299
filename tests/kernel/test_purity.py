"""Nothing in the core reads a clock, randomness, the environment, a file or a socket, logs, or iterates a set."""

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "kernel"
# The store of machine code is the one exception, and says so; the command line is the composition root, not the core.
EXEMPT = {"jit", "cli"}
SOURCES = [path for path in sorted(CORE.rglob("*.py")) if path.relative_to(CORE).parts[0] not in EXEMPT]
FORBIDDEN = {
    "asyncio", "datetime", "io", "logging", "os", "random", "secrets", "shutil", "socket", "subprocess", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "input", "print", "hash", "id"}


def imported(tree: ast.AST) -> set[str]:
    """The top-level packages that a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_the_core_reaches_nothing_outside(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not imported(tree) & FORBIDDEN
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & FORBIDDEN_CALLS
    loops = [node.iter for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)]
    assert not [loop for loop in loops if isinstance(loop, ast.Set | ast.SetComp)]
    assert "fastmath" not in path.read_text(encoding="utf-8").replace("never turns on fastmath", "")


def test_the_check_can_fail():
    assert imported(ast.parse("import time\nfrom os.path import join")) & FORBIDDEN == {"time", "os"}
