"""The cache of compiled code: a new folder whenever anything that it stands for has changed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import inline_closurecall

from kernel import jit as jit_module
from kernel.indicators import indicator_named, steps
from kernel.jit import JIT_ENABLED, cache_dir, cache_root, inlined, jit


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERNEL_CACHE_DIR", str(tmp_path / "cache"))
    for cached in (cache_dir, jit_module._core_digest):
        cached.cache_clear()
    yield
    for cached in (cache_dir, jit_module._core_digest):
        cached.cache_clear()


def folder_of(source: Path) -> Path:
    cache_dir.cache_clear()
    return cache_dir(str(source))


def test_the_folder_follows_the_source(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text("a = 1\n")
    before = folder_of(source)
    assert before.is_relative_to(cache_root())
    assert folder_of(source) == before
    source.write_text("a = 2\n")
    after = folder_of(source)
    assert after != before
    source.write_text("a = 1\n")
    assert folder_of(source) == before


def test_the_folder_follows_compiled_neighbours_only(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text("a = 1\n")
    before = folder_of(source)
    (tmp_path / "other.py").write_text("b = 1\n")
    assert folder_of(source) == before
    (tmp_path / "other_nb.py").write_text("b = 1\n")
    after = folder_of(source)
    assert after != before
    (tmp_path / "other_nb.py").write_text("b = 2\n")
    assert folder_of(source) not in (before, after)


def test_the_folder_follows_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core, source = tmp_path / "core", tmp_path / "mine.py"
    (core / "cli").mkdir(parents=True)
    (core / "one.py").write_text("a = 1\n")
    source.write_text("a = 1\n")
    monkeypatch.setattr(jit_module, "_CORE", core)

    def folder() -> Path:
        jit_module._core_digest.cache_clear()
        return folder_of(source)

    before = folder()
    (core / "cli" / "text.py").write_text("c = 1\n")
    assert folder() == before, "the command line compiles nothing"
    (core / "one.py").write_text("a = 2\n")
    assert folder() != before


def test_the_root_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_root() == tmp_path / "cache"
    monkeypatch.delenv("KERNEL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "trading-kernel"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "trading-kernel"


def test_indicators_count_only_where_they_are_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of an indicator does not recompile the engine, but every strategy that calls an indicator."""
    core = tmp_path / "core"
    (core / "indicators").mkdir(parents=True)
    (core / "indicators" / "averages_nb.py").write_text("a = 1\n")
    monkeypatch.setattr(jit_module, "_CORE", core)
    names = {"ema_nb": indicator_named("ema").step, "steps": steps, "__name__": "mine"}
    sources = {
        "directly": "def use(own): return ema_nb(own, 0, 1.0, 5, 0)",
        "by_module": "def use(own): return steps.ema_nb(own, 0, 1.0, 5, 0)",
        "not": "def use(own): return 1.0",
    }
    functions = {}
    for name, source in sources.items():
        space = dict(names)
        exec(compile(source, str(tmp_path / "mine.py"), "exec"), space)
        functions[name] = space["use"]

    def digests() -> dict[str, bytes]:
        jit_module._core_digest.cache_clear()
        found = {name: jit_module.reached_digest(function) for name, function in functions.items()}
        return found | {"core": jit_module._core_digest()}

    before = digests()
    (core / "indicators" / "averages_nb.py").write_text("a = 2\n")
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"directly", "by_module"}


@pytest.mark.skipif(not JIT_ENABLED, reason="nothing is compiled")
def test_divisions_without_a_check() -> None:
    def divide(x, y):
        return x / y

    def divide_checked(x, y):
        return x / y

    assert np.isinf(jit(divisions="numpy")(divide)(1.0, 0.0))
    with pytest.raises(ZeroDivisionError):
        jit(divide_checked)(1.0, 0.0)


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
import calls_nb
print(calls_nb.twice(21))
"""


def test_a_change_in_another_file_is_not_served_stale(tmp_path: Path) -> None:
    """The reason for the folder: numba alone would serve the old result of ``twice`` here."""
    (tmp_path / "calls_nb.py").write_text(
        "from kernel.jit import jit\nfrom inner_nb import factor\n\n\n@jit\ndef twice(x):\n    return factor() * x\n"
    )
    inner = "from kernel.jit import jit\n\n\n@jit\ndef factor():\n    return {}\n"
    root = Path(__file__).resolve().parents[2]
    said = []
    for factor in (2, 2, 3):
        (tmp_path / "inner_nb.py").write_text(inner.format(factor))
        program = PROGRAM.format(folder=str(tmp_path))
        done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
        said.append(done.stdout.strip())
    assert said == ["42", "42", "63"]


def test_plain_python_when_compiling_is_off() -> None:
    program = "from kernel.exact_nb import scale_nb; print(type(scale_nb).__name__, scale_nb(5, 1, 1, 2))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2], env={"NUMBA_DISABLE_JIT": "1", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["function", "2"]


@pytest.mark.skipif(not JIT_ENABLED, reason="compiling is off")
def test_a_function_is_compiled_once() -> None:
    def plain(x):  # type: ignore[no-untyped-def]
        return x + 1

    compiled = jit(plain)
    assert jit(compiled) is compiled
    assert compiled(2) == 3


def test_no_unsafe_options() -> None:
    """No fastmath and no parallel reductions anywhere in compiled code."""
    root = Path(__file__).resolve().parents[2]
    for folder in ("kernel", "replay", "strategies"):
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            assert "fastmath=" not in text, path
            assert "parallel=" not in text, path
            assert "cache=True" not in text.replace("``cache=True``", ""), path


@pytest.mark.skipif(not JIT_ENABLED, reason="nothing is compiled")
def test_a_function_written_into_its_caller_several_times_keeps_its_variables_apart() -> None:
    @inlined
    def step(value, count):
        total = 0
        for at in range(count):
            if at % 2 == 0:
                total += value
            else:
                total -= at
        return total

    @jit
    def both(value):
        total = 7
        for at in range(2):
            total += step(value + at, 3) * step(value, 4)
        return total + step(total, 1)

    assert both(10) == both.py_func(10)
    assert inline_closurecall.copy.deepcopy is jit_module._copy_block, "numba still copies blocks through this name"
