"""Naive twin of the tape: sort all rows by the merge rule in plain Python."""

from collections.abc import Mapping, Sequence

import numpy as np

from kernel.market import ROW
from replay.catalogue.files import read_columns
from replay.catalogue.model import ROW_COLUMNS, CatalogueFile

KIND_ORDER = {4: 0, 3: 1, 2: 2, 1: 3}  # depth, quotes, trades, bars


def merged_rows(
    files: Sequence[CatalogueFile],
    instrument_ids: Mapping[str, int],
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> np.ndarray:
    """All rows of ``files`` in the order of the merge rule."""
    keyed = []
    for number, file in enumerate(files):
        columns = read_columns(file.path)
        names = ROW_COLUMNS[file.kind]
        instrument = instrument_ids[file.instrument.name]
        for index in range(file.rows):
            ts, *words = (int(columns[name][index]) for name in names)
            if (start_ns is not None and ts < start_ns) or (end_ns is not None and ts >= end_ns):
                continue
            key = (ts, KIND_ORDER[file.kind], instrument, number, index)
            keyed.append((key, (ts, file.kind, instrument, words + [0] * (6 - len(words)))))
    rows = np.zeros(len(keyed), ROW)
    for index, (_, row) in enumerate(sorted(keyed, key=lambda pair: pair[0])):
        rows[index] = row
    return rows
