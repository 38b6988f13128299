"""The market data that is measured on: one-minute bars from a seeded walk of integers, made once and kept.

Owns what the bars look like. Every value follows from raw words of a counter-free generator by integer arithmetic, so
the same rows come out on every platform and with every version of numpy.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from kernel.instruments import Instrument
from kernel.jit import cache_root
from kernel.market import BAR
from replay.catalogue import CatalogueWriter, Metadata, catalogue_path, open_file
from replay.catalogue.model import SCHEMA_VERSION

SEED = 20_240_229
VERSION = 1  # a change of what comes out below; files of another version are made anew
MINUTE_NS = 60_000_000_000
START_NS = 1_577_836_800 * 1_000_000_000  # 2020-01-01
CHUNK_ROWS = 1 << 18

INSTRUMENT = Instrument(venue="bench", symbol="WALK", currency="USD", tick_size="0.1", lot_size="0.00001")
# The price moves between these (in ticks) and is reflected at both, so that walks of any length stay tradable.
LOWEST, HIGHEST, FIRST = 200_000, 1_000_000, 600_000


def bench_folder() -> Path:
    """Where generated data is kept between runs: beside the cache of compiled code."""
    return Path(os.environ.get("KERNEL_BENCH_DIR") or cache_root() / "bench")


def walk_file(rows: int, folder: Path | None = None) -> Path:
    """The catalogue file with ``rows`` bars of the walk; written when it does not exist yet."""
    root = (folder or bench_folder()) / f"walk-{VERSION}-{rows}"
    path = catalogue_path(root, INSTRUMENT, BAR, MINUTE_NS)
    if path.is_file() and open_file(path).rows == rows:
        return path
    metadata = Metadata(
        schema_version=SCHEMA_VERSION,
        instrument=INSTRUMENT,
        kind="bars",
        interval_ns=MINUTE_NS,
        rows=rows,
        first_ts_ns=0,
        last_ts_ns=0,
        volume_known=True,
        options={"seed": str(SEED)},
    )
    with CatalogueWriter(path, metadata) as writer:
        for columns in walk_chunks(rows):
            writer.write(columns)
    return path


class _Walk(msgspec.Struct):
    """Where the walk stands: rows done, the sum of all steps, the last close in ticks."""

    row: int = 0
    sum_ticks: int = 0
    close_ticks: int = FIRST


def walk_chunks(rows: int) -> Iterator[dict[str, np.ndarray]]:
    """The bars as catalogue columns, a chunk at a time: a shorter walk is the beginning of a longer one."""
    bits, walk = np.random.PCG64(SEED), _Walk()
    while walk.row < rows:
        count = min(CHUNK_ROWS, rows - walk.row)
        # Whole chunks are drawn and cut, so that the length of the walk does not change its beginning.
        raw = bits.random_raw(3 * CHUNK_ROWS).reshape(3, CHUNK_ROWS)[:, :count]
        yield _columns(raw, walk)


def _columns(raw: np.ndarray, walk: _Walk) -> dict[str, np.ndarray]:
    parts = _parts(raw)
    # The sum of four uniform numbers is nearly normal; its deviation here is about 370 ticks, 6 basis points.
    sums = walk.sum_ticks + np.cumsum((parts[0].sum(axis=1) - 2 * 65_535) * 10 >> 10)
    close = _reflect(FIRST + sums)
    open_ = np.concatenate([[walk.close_ticks], close[:-1]])
    high = np.maximum(open_, close) + (parts[1, :, 0] * parts[1, :, 1] >> 23)
    low = np.minimum(open_, close) - (parts[1, :, 2] * parts[1, :, 3] >> 23)
    number = walk.row + np.arange(len(close), dtype=np.int64)
    walk.row, walk.sum_ticks, walk.close_ticks = walk.row + len(close), int(sums[-1]), int(close[-1])
    ts_open = START_NS + number * MINUTE_NS
    return {
        "ts": ts_open + MINUTE_NS,
        "ts_open": ts_open,
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        # A product of two uniform numbers: many quiet minutes and few busy ones, 20 units on average.
        "volume": 1 + (parts[2, :, 0] * parts[2, :, 1] >> 9),
    }


def _parts(raw: np.ndarray) -> np.ndarray:
    shifts = np.array([0, 16, 32, 48], np.uint64)
    return ((raw[:, :, None] >> shifts) & np.uint64(0xFFFF)).astype(np.int64)


def _reflect(ticks: np.ndarray) -> np.ndarray:
    span = HIGHEST - LOWEST
    place = (ticks - LOWEST) % (2 * span)
    return LOWEST + np.where(place < span, place, 2 * span - place)
