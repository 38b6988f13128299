"""Weights as catalogue files: one for each instrument, which a run takes like its market data.

Owns the writing. Reading, checking and hashing are the catalogue's.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kernel.market import KIND_NAMES, WEIGHT
from kernel.units import RATE_SCALE
from replay.catalogue.files import catalogue_path, write_file
from replay.catalogue.model import SCHEMA_VERSION, Metadata
from replay.loading import Universe
from replay.portfolio import PortfolioError
from replay.portfolio.walk import Rebalancing

MAX_WEIGHT_RATE = 100 * RATE_SCALE


def write_weights(root: Path, universe: Universe, walked: Iterable[Rebalancing], made_by: dict[str, str]) -> int:
    """Write rebalancings below a folder, a file for each instrument; returns how many there were.

    ``made_by`` says what made them, for people; it is kept with each file.
    """
    rebalancings = list(walked)
    if not rebalancings:
        raise PortfolioError("there is no rebalancing to write")
    ts = np.array([at.ts_ns for at in rebalancings], np.int64)
    for place, instrument in enumerate(universe.instruments):
        rates = np.array([at.weight_rates[place] for at in rebalancings], np.int64)
        metadata = Metadata(
            schema_version=SCHEMA_VERSION,
            instrument=instrument,
            kind=KIND_NAMES[WEIGHT],
            interval_ns=0,
            rows=len(ts),
            first_ts_ns=int(ts[0]),
            last_ts_ns=int(ts[-1]),
            volume_known=False,
            options=made_by,
        )
        path = catalogue_path(root, instrument, WEIGHT)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, metadata, {"ts": ts, "weight_rate": rates})
    return len(rebalancings)
