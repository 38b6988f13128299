"""The weights file: Parquet with one row for each instrument at each rebalancing.

Owns its columns (``ts``, ``instrument``, ``weight_rate``) and its checks. The file is an input of a run; what
made it is in its metadata, for people.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.units import RATE_SCALE
from replay.portfolio import PortfolioError
from replay.portfolio.walk import Rebalancing

SCHEMA = pa.schema([("ts", pa.timestamp("ns", tz="UTC")), ("instrument", pa.string()), ("weight_rate", pa.int64())])
METADATA_KEY = b"kernel.weights"
MAX_WEIGHT_RATE = 100 * RATE_SCALE


def write_weights(path: Path, names: Sequence[str], walked: Iterable[Rebalancing], made_by: dict[str, Any]) -> int:
    """Write rebalancings of the instruments ``names``; returns how many there were. An existing file is replaced."""
    rebalancings = list(walked)
    ts = [at.ts_ns for at in rebalancings for _ in names]
    rates = [rate for at in rebalancings for rate in at.weight_rates]
    columns = [pa.array(ts, SCHEMA.field("ts").type), pa.array(list(names) * len(rebalancings)), pa.array(rates)]
    metadata = {METADATA_KEY: json.dumps(made_by, sort_keys=True).encode()}
    table = pa.Table.from_arrays(columns, schema=SCHEMA.with_metadata(metadata))
    partial = path.with_name(path.name + ".partial")
    pq.write_table(table, partial)
    partial.replace(path)
    return len(rebalancings)


def read_weights(path: Path, names: Sequence[str]) -> list[Rebalancing]:
    """The rebalancings in a weights file, for the instruments ``names`` of a run. Raises PortfolioError.

    Each rebalancing must name each instrument that the file names anywhere exactly once, in time order; an instrument
    of the run that the file does not name has weight 0; one that only the file has is refused.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PortfolioError(f"{path}: cannot be read as a weights file: {reason}") from None
    if table.schema.names != SCHEMA.names or [field.type for field in table.schema] != [f.type for f in SCHEMA]:
        raise PortfolioError(f"{path}: the columns must be ts (timestamp[ns, UTC]), instrument, weight_rate (int64)")
    if any(table.column(name).null_count for name in SCHEMA.names):
        raise PortfolioError(f"{path}: a value is missing")
    ts = table.column("ts").cast(pa.int64()).to_numpy()
    rates = table.column("weight_rate").to_numpy()
    found = table.column("instrument").to_pylist()
    _check(path, names, ts, rates, found)
    places = {name: place for place, name in enumerate(names)}
    rebalancings: list[Rebalancing] = []
    for at in np.unique(ts):
        row_rates = [0] * len(names)
        for row in np.flatnonzero(ts == at):
            row_rates[places[found[row]]] = int(rates[row])
        rebalancings.append(Rebalancing(int(at), tuple(row_rates)))
    return rebalancings


def _check(path: Path, names: Sequence[str], ts: np.ndarray, rates: np.ndarray, found: list[str]) -> None:
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise PortfolioError(f"{path}: weights for {unknown[0]}, of which the run has no data")
    if not len(ts):
        raise PortfolioError(f"{path}: no weights in it")
    if (np.diff(ts) < 0).any():
        raise PortfolioError(f"{path}: row {int(np.argmax(np.diff(ts) < 0)) + 2} is earlier than the row before it")
    if (np.abs(rates) > MAX_WEIGHT_RATE).any():
        raise PortfolioError(f"{path}: row {int(np.argmax(np.abs(rates) > MAX_WEIGHT_RATE)) + 1}: a weight above 100")
    width = len(set(found))
    for first in range(0, len(ts), width):
        block = found[first : first + width]
        if len(set(block)) != width or len(set(ts[first : first + width])) != 1:
            raise PortfolioError(f"{path}: row {first + 1}: each rebalancing must name each instrument exactly once")
    if len(np.unique(ts)) != len(ts) // width:
        raise PortfolioError(f"{path}: two rebalancings at the same time")
