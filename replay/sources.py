"""Importing a user's files from their source, never from bytecode that Python kept of them.

Python takes kept bytecode for the source's when the source's size and time, in whole seconds, are still the same. A
file that is written twice within a second, as by a script that searches parameters, would run as it was before, while
its digest in the journal would be of what it is now.
"""

import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_OWN_ROOT = Path(__file__).resolve().parents[1]
_INSTALLED: tuple[str | Path, ...] = (
    sys.prefix,
    sys.base_prefix,
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    *(_OWN_ROOT / name for name in ("kernel", "replay", "journal", "adapters", "strategies")),
)


class _FromSource(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_file(name: str, file: Path) -> ModuleType:
    """Import a file, and what it imports from folders of its own, from source. Raises what the file raises."""
    spec = spec_from_file_location(name, file, loader=_FromSource(name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _from_source():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _from_source() -> Iterator[None]:
    for folder in [folder for folder in sys.path_importer_cache if not _is_installed(folder)]:
        del sys.path_importer_cache[folder]
    sys.path_hooks.insert(0, _find_in)
    try:
        yield
    finally:
        sys.path_hooks.remove(_find_in)


_finder: Callable[[str], Any] = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES), (_FromSource, SOURCE_SUFFIXES)
)


def _find_in(folder: str) -> Any:
    if _is_installed(folder):
        raise ImportError(folder)  # as a path hook says that the folder is not for it
    return _finder(folder)


def _is_installed(folder: str) -> bool:
    path = Path(folder).resolve()
    return path == _OWN_ROOT or any(path.is_relative_to(root) for root in _INSTALLED)
