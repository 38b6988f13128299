"""The catalogue: market data as exact integers, one Parquet file for each instrument, kind and interval.

Reading needs ``open_file``; the import machinery is loaded when it is first asked for, so that a replay
starts fast.
"""

from typing import TYPE_CHECKING, Any

from replay.catalogue.files import (
    CatalogueWriter,
    catalogue_path,
    file_sha256,
    find_files,
    open_file,
    write_file,
)
from replay.catalogue.model import CatalogueError, CatalogueFile, DataProblem, Metadata
from replay.catalogue.options import ImportOptions, ImportReport

if TYPE_CHECKING:
    from replay.catalogue.importer import import_file
    from replay.catalogue.validate import validate_file

_LATER = {"import_file": "replay.catalogue.importer", "validate_file": "replay.catalogue.validate"}

__all__ = [
    "CatalogueError",
    "CatalogueFile",
    "CatalogueWriter",
    "DataProblem",
    "ImportOptions",
    "ImportReport",
    "Metadata",
    "catalogue_path",
    "file_sha256",
    "find_files",
    "import_file",
    "open_file",
    "validate_file",
    "write_file",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        import importlib

        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
