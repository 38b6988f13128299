"""What a user's file imports is what lies there now."""

import os
import sys
from pathlib import Path

import pytest

from replay.sources import import_file


def _write(folder: Path, number: int) -> Path:
    """A file and the one that it imports, of the same size and time whatever the number."""
    (folder / "deeper").mkdir(exist_ok=True)
    (folder / "deeper" / "__init__.py").write_text("")
    (folder / "deeper" / "number_of_mine.py").write_text(f"found = {number}\n")
    (folder / "mine.py").write_text(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\nfrom deeper.number_of_mine import found\nown = {number}\n"
    )
    for path in folder.rglob("*.py"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder / "mine.py"


@pytest.fixture
def as_before():
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.usefixtures("as_before")
def test_a_file_that_changed_within_a_second_is_seen(tmp_path: Path) -> None:
    for number in (1, 2):
        module = import_file("mine_of_a_test", _write(tmp_path, number))
        assert module.own == number
        assert module.found == number
        for name in ("deeper", "deeper.number_of_mine", "mine_of_a_test"):
            del sys.modules[name]
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.usefixtures("as_before")
def test_a_file_that_raises_leaves_no_module(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import json\nraise KeyError('no')\n")
    before = list(sys.path_hooks)
    with pytest.raises(KeyError):
        import_file("bad_of_a_test", tmp_path / "bad.py")
    assert "bad_of_a_test" not in sys.modules
    assert sys.path_hooks == before
