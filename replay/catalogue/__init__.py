"""The catalogue: market data as exact integers, one Parquet file for each instrument, kind and interval."""

from replay.catalogue.files import CatalogueWriter, catalogue_path, file_sha256, find_files, open_file, write_file
from replay.catalogue.model import CatalogueError, CatalogueFile, DataProblem, Metadata

__all__ = [
    "CatalogueError",
    "CatalogueFile",
    "CatalogueWriter",
    "DataProblem",
    "Metadata",
    "catalogue_path",
    "file_sha256",
    "find_files",
    "open_file",
    "write_file",
]
