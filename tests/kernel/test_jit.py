"""Units, what is compiled into them, and the store of machine code that cannot go stale."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernel.jit import JIT_ENABLED, CompileError, cache_root, compile_together, inlined, jit, unit, vector
from kernel.jit import together as together_module

compiling = pytest.mark.skipif(not JIT_ENABLED, reason="nothing is compiled")
ROOT = Path(__file__).resolve().parents[2]
PAIR = np.dtype([("left", "<i8"), ("right", "<f8")])
FACTOR = 2


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERNEL_CACHE_DIR", str(tmp_path / "cache"))


def stored() -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in (cache_root() / "machine-code").glob("*.o"))


def run(program: str, folder: Path) -> str:
    """What a process prints that finds modules in ``folder``.

    It writes no bytecode: Python's own would be stale where a file of the same size is written twice in a second.
    """
    program = f"import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, {str(folder)!r})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_root_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_root() == tmp_path / "cache"
    monkeypatch.delenv("KERNEL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "trading-kernel"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "trading-kernel"


CALLS = "from kernel.jit import jit\nfrom inner_nb import factor\n\n\n@jit\ndef twice(x):\n    return factor() * x\n"
INNER = "from kernel.jit import jit\n\nOWN = {own}\nOTHER = {other}\n\n\n@jit\ndef factor():\n    return OWN\n"


@compiling
def test_a_change_in_another_file_is_not_served_stale(tmp_path: Path) -> None:
    """numba alone would serve the old result of ``twice`` here. What cannot reach it compiles nothing anew."""
    (tmp_path / "calls_nb.py").write_text(CALLS)
    said = []
    for own, other in ((2, 1), (2, 1), (2, 7), (3, 7)):
        (tmp_path / "inner_nb.py").write_text(INNER.format(own=own, other=other))
        said.append((run("import calls_nb\nprint(calls_nb.twice(21))", tmp_path), len(stored())))
    assert said == [("42", 1), ("42", 1), ("42", 1), ("63", 2)]


@compiling
def test_a_caller_of_a_unit_depends_on_its_signature_alone(tmp_path: Path) -> None:
    called = (
        "import numpy as np\nfrom kernel.jit import unit\n\n\n@unit({kinds})\ndef called(x):\n    return x + {add}\n"
    )
    caller = "import numpy as np\nfrom called_nb import called\nfrom kernel.jit import unit\n\n\n@unit(np.int64)\n"
    (tmp_path / "caller_nb.py").write_text(caller + "def caller(x):\n    return called(x) * 2\n")
    said = []
    for kinds, add in (("np.int64", 1), ("np.int64", 5), ("np.int32", 5)):
        (tmp_path / "called_nb.py").write_text(called.format(kinds=kinds, add=add))
        text = run("import caller_nb\nprint(caller_nb.caller(1))", tmp_path)
        said.append((text, stored().count("caller_nb.caller"), stored().count("called_nb.called")))
    assert said == [("4", 1, 1), ("12", 1, 2), ("12", 2, 3)]


@compiling
def test_an_indicator_counts_only_where_it_is_reached(tmp_path: Path) -> None:
    """An edit of what a strategy reaches through a module compiles the strategy anew, and nothing else."""
    steps = "from kernel.jit import jit\n\n\n@jit\ndef step_nb(x):\n    return x + {add}\n"
    for name, call in (("mine_nb", "steps_nb.step_nb(x)"), ("other_nb", "x")):
        text = f"import steps_nb\nfrom kernel.jit import jit\n\n\n@jit\ndef {name}(x):\n    return {call}\n"
        (tmp_path / f"{name}.py").write_text(text)
    said = []
    for add in (1, 2):
        (tmp_path / "steps_nb.py").write_text(steps.format(add=add))
        text = run("import mine_nb, other_nb\nprint(mine_nb.mine_nb(1), other_nb.other_nb(1))", tmp_path)
        said.append((text, stored().count("mine_nb.mine_nb"), stored().count("other_nb.other_nb")))
    assert said == [("2 1", 1, 1), ("3 1", 2, 1)]


@compiling
def test_divisions_without_a_check() -> None:
    def divide(x, y):  # type: ignore[no-untyped-def]
        return x / y

    assert np.isinf(jit(divisions="numpy")(divide)(1.0, 0.0))
    with pytest.raises(ZeroDivisionError):
        jit(divide)(1.0, 0.0)


@compiling
def test_a_warm_start_does_not_import_the_compiler(tmp_path: Path) -> None:
    program = "from kernel.exact_nb import scale_nb\nprint(scale_nb(5, 1, 1, 2), 'numba' in sys.modules)"
    assert [run(program, tmp_path) for _ in range(2)] == ["2 True", "2 False"]


def test_the_kernel_is_declared_without_the_compiler(tmp_path: Path) -> None:
    assert run("import replay.session, replay.audit\nprint('numba' in sys.modules)", tmp_path) == "False"


def test_plain_python_when_compiling_is_off() -> None:
    program = "from kernel.exact_nb import scale_nb; print(type(scale_nb).__name__, scale_nb(5, 1, 1, 2))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"NUMBA_DISABLE_JIT": "1", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["function", "2"]


@compiling
def test_a_folder_that_cannot_be_written_costs_only_the_compile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("KERNEL_CACHE_DIR", str(tmp_path / "file"))

    @unit(np.int64)
    def plus_one(x):  # type: ignore[no-untyped-def]
        return x + 1

    assert plus_one(2) == 3
    assert stored() == []


# --- calls from Python --------------------------------------------------------------------------------------------


@compiling
def test_records_are_changed_in_place_and_integers_come_back() -> None:
    @unit(PAIR, vector(np.int64, 2), np.float64)
    def put(pair, table, value):  # type: ignore[no-untyped-def]
        pair.left += 7
        pair.right = value
        table[1, 0] = pair.left
        return table.size

    pairs, table = np.zeros(3, PAIR), np.zeros((2, 2), np.int64)
    assert put(pairs[1], table, 0.5) == 4
    assert pairs.tolist() == [(0, 0.0), (7, 0.5), (0, 0.0)]
    assert table.tolist() == [[0, 0], [7, 0]]
    with pytest.raises(ValueError, match="contiguous"):
        put(pairs[1], table.T, 0.5)
    with pytest.raises(TypeError, match="takes 3 arguments, 2 were given"):
        put(pairs[1], table)


@compiling
def test_rows_of_a_record_are_of_one_kind_however_often_they_are_taken() -> None:
    @jit
    def left(pair):  # type: ignore[no-untyped-def]
        return pair.left

    whole = np.zeros(1, [("rows", PAIR, 3)]).view(np.recarray)
    for _ in range(50):
        assert left(whole[0].rows[1]) == 0
    assert len(left._calls) == 1


@compiling
def test_a_function_called_from_python_returns_what_python_would() -> None:
    @jit
    def several(x, y, yes):  # type: ignore[no-untyped-def]
        return x > 1, x * FACTOR, y / 2

    @jit
    def nothing(values):  # type: ignore[no-untyped-def]
        values[0] = 3

    @jit
    def unsigned(x):  # type: ignore[no-untyped-def]
        return x

    @jit
    def same(pair, other):  # type: ignore[no-untyped-def]
        pair.left = 5
        return pair

    assert several(2, 3.0, True) == (True, 4, 1.5)
    assert several(2.5, 3.0, False) == (True, 5.0, 1.5), "other kinds of arguments, another compile"
    values = np.zeros(1, np.int64)
    assert nothing(values) is None
    assert values[0] == 3
    assert unsigned(np.uint64(2**64 - 1)) == 2**64 - 1
    pairs = np.zeros(1, PAIR)
    assert same(pairs[0], 1) is None, "it would be a copy"
    assert pairs[0]["left"] == 5


@compiling
def test_what_compiled_code_raises_arrives() -> None:
    @jit
    def share(whole, parts):  # type: ignore[no-untyped-def]
        return whole // parts

    assert share(7, 2) == 3
    with pytest.raises(ZeroDivisionError):
        share(7, 0)


@compiling
def test_what_a_function_may_not_name() -> None:
    table = {"a": 1}

    @jit
    def reads_a_dictionary(x):  # type: ignore[no-untyped-def]
        return table["a"] + x

    @jit
    def draws(x):  # type: ignore[no-untyped-def]
        return np.random.random() + x

    with pytest.raises(CompileError, match="reads_a_dictionary names table, a dict: compiled code can use numbers"):
        reads_a_dictionary(1)
    with pytest.raises(CompileError, match="which only runs inside Python"):
        draws(1.0)


@compiling
def test_two_units_of_one_name() -> None:
    def make(add):  # type: ignore[no-untyped-def]
        @unit(np.int64)
        def named(x):  # type: ignore[no-untyped-def]
            return x + add

        return named

    assert make(1)(1) == 2
    with pytest.raises(CompileError, match="two units are named"):
        make(2)(1)


@compiling
def test_a_function_written_into_its_caller_several_times_keeps_its_variables_apart() -> None:
    @inlined
    def step(value, count):  # type: ignore[no-untyped-def]
        total = 0
        for at in range(count):
            if at % 2 == 0:
                total += value
            else:
                total -= at
        return total

    @jit
    def both(value):  # type: ignore[no-untyped-def]
        total = 7
        for at in range(2):
            total += step(value + at, 3) * step(value, 4)
        return total + step(total, 1)

    assert both(10) == 7 + 19 * 16 + 21 * 16 + 647

    from numba.core import inline_closurecall

    from kernel.jit.compiling import _copy_block

    assert inline_closurecall.copy.deepcopy is _copy_block, "numba still copies blocks through this name"


@compiling
def test_units_are_compiled_side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "import numpy as np\nfrom kernel.jit import unit\n"
    for number in range(4):
        text += f"\n\n@unit(np.int64)\ndef plus_{number}(x):\n    return x + {number}\n"
    (tmp_path / "four_nb.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import four_nb  # type: ignore[import-not-found]

    monkeypatch.setattr(together_module, "_WORTH_A_PROCESS", 2)
    monkeypatch.setattr(together_module.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(together_module, "_compile_missing", lambda units: None)
    units = [getattr(four_nb, f"plus_{number}") for number in range(4)]
    together_module.compile_units(units)
    assert stored() == [f"four_nb.plus_{number}" for number in range(4)], "the other process does all if need be"
    assert [each(10) for each in units] == [10, 11, 12, 13]


def test_no_unsafe_options() -> None:
    """No fastmath and no parallel reductions anywhere in compiled code."""
    for folder in ("kernel", "replay", "strategies"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            assert "fastmath=" not in text, path
            assert "parallel=" not in text, path
            assert "cache=True" not in text, path


@unit(np.int64)
def half(number):  # type: ignore[no-untyped-def]
    return number // 2


@unit(np.int64)
def quarter(number):  # type: ignore[no-untyped-def]
    return half(half(number))


@compiling
def test_what_several_units_need_is_compiled_together_and_once() -> None:
    compile_together([quarter, half, len])
    before = stored()
    assert [name.rpartition(".")[2] for name in before] == ["half", "quarter"]
    compile_together([quarter, half])
    assert stored() == before
    assert quarter(41) == 10
