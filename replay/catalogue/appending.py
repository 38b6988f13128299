"""Appending: later rows of the same instrument joined to an existing catalogue file.

Owns what must be equal for two imports to be one file. The joined file holds the same rows as one import of
both.
"""

from pathlib import Path

import msgspec
import numpy as np

from kernel.instruments import Instrument
from kernel.market import BAR, UNKNOWN_SIZE
from replay.catalogue.bars import close_times
from replay.catalogue.files import catalogue_path, open_file, read_columns
from replay.catalogue.instrument import name_of
from replay.catalogue.model import SIZE_COLUMNS, CatalogueError, CatalogueFile, Metadata
from replay.catalogue.options import ImportOptions


def target_instrument(
    root: Path, kind: int, interval_ns: int, options: ImportOptions, hints: dict[str, str]
) -> Instrument | None:
    """The instrument of the file that will be appended to; None when none is. An unwanted target is refused
    here.

    The check comes before any work on the data: only the name decides where a file lies.
    """
    venue, symbol = name_of(options, hints)
    named = Instrument(venue=venue, symbol=symbol, currency="", tick_size="1", lot_size="1")
    path = catalogue_path(root, named, kind, interval_ns if kind == BAR else 0)
    if not path.exists() or options.replace:
        return None
    if not options.append:
        raise CatalogueError(f"{path}: exists already: add --replace, or --append for later rows")
    return open_file(path).instrument


def joined_with(
    existing: CatalogueFile, metadata: Metadata, columns: dict[str, np.ndarray]
) -> tuple[Metadata, dict[str, np.ndarray]]:
    """Metadata and columns of the existing rows followed by the new ones."""
    before = read_columns(existing.path)
    if existing.instrument != metadata.instrument:
        old, new = (msgspec.structs.asdict(i) for i in (existing.instrument, metadata.instrument))
        differ = ", ".join(f"{key} {old[key]} there and {new[key]} here" for key in old if old[key] != new[key])
        raise CatalogueError(f"{existing.path}: cannot append, the instrument differs: {differ}")
    if existing.volume_known != metadata.volume_known:
        _align_sizes(existing, columns)
    clock = "ts_open" if existing.kind == BAR else "ts"
    if columns[clock][0] <= before[clock][-1]:
        last = np.datetime64(int(before[clock][-1]), "ns")
        raise CatalogueError(f"{existing.path}: cannot append, the new rows begin before its last, {last}Z")
    joined = {name: np.concatenate([before[name], columns[name]]) for name in before}
    if existing.kind == BAR:
        # The last bar of before may now be cut short by the first of the new ones, as in one import of both.
        joined["ts"] = np.minimum(joined["ts"], close_times(joined["ts_open"], existing.interval_ns))
    old_metadata = existing.metadata
    return msgspec.structs.replace(
        metadata,
        volume_known=existing.volume_known,
        sources=old_metadata.sources + metadata.sources,
        repairs=old_metadata.repairs + metadata.repairs,
    ), joined


def _align_sizes(existing: CatalogueFile, columns: dict[str, np.ndarray]) -> None:
    """Unknown sizes beside known ones: a lull in a file with volumes is zero; the reverse is refused."""
    if not existing.volume_known:
        raise CatalogueError(f"{existing.path}: cannot append, its volumes are unknown and the new ones are known")
    for name in SIZE_COLUMNS[existing.kind]:
        if existing.kind == BAR:
            columns[name] = np.where(columns[name] == UNKNOWN_SIZE, 0, columns[name])
