"""Bars of a rule from catalogue files into a catalogue file: ``kernel data bars``.

Owns the reading and writing; the bars are made by the kernel's own code, so they are those of a run on the same data.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from kernel.bars.aggregate import AggregateError, Aggregator
from kernel.bars.plan import plan_series
from kernel.bars.rule import FROM_QUOTES, TIME, RuleError, parse_rule
from kernel.events.layout import SERIES_BAR
from kernel.market import BAR, KIND_NAMES
from replay.catalogue import CatalogueError, CatalogueFile, open_file
from replay.catalogue.files import CatalogueWriter
from replay.catalogue.model import SCHEMA_VERSION, Metadata, Source
from replay.config import ConfigError, instant_ns
from replay.loading import load_universe
from replay.series import SeriesCount, count_series, data_facts
from replay.tape import Tape

_COLUMNS = {
    "ts": SERIES_BAR.end_ns,
    "ts_open": SERIES_BAR.ts_open_ns,
    "open": SERIES_BAR.open_ticks,
    "high": SERIES_BAR.high_ticks,
    "low": SERIES_BAR.low_ticks,
    "close": SERIES_BAR.close_ticks,
    "volume": SERIES_BAR.volume_lots,
}


class MadeBars(msgspec.Struct, frozen=True):
    """The file that was written, and what became of the inputs."""

    file: CatalogueFile
    count: SeriesCount


def make_bars(
    paths: Sequence[Path], rule: str, out: Path, *, start: str = "", end: str = "", replace: bool = False
) -> MadeBars:
    """Write the bars of one instrument's data. A bar's time is its end; what is in progress at the end is left out.

    Raises CatalogueError with one line.
    """
    if out.exists() and not replace:
        raise CatalogueError(f"{out}: exists already: add --replace, or name another file")
    try:
        universe = load_universe([str(path) for path in paths])
        span = instant_ns("--from", start), instant_ns("--to", end)
        if len(universe.instruments) > 1:
            names = ", ".join(instrument.name for instrument in universe.instruments)
            raise CatalogueError(f"the data is of {len(universe.instruments)} instruments ({names}); name that of one")
        parsed = parse_rule(rule)
        plans = plan_series([(0, parsed)], data_facts(universe))
    except (ConfigError, RuleError) as error:
        raise CatalogueError(str(error)) from None
    aggregator = Aggregator(universe.instruments, plans)
    wanted = next(plan for plan in plans if plan.rule == str(parsed))
    metadata = Metadata(
        schema_version=SCHEMA_VERSION, instrument=universe.instruments[0], kind=KIND_NAMES[BAR],
        interval_ns=wanted.defined.size_units if parsed.kind == TIME and not parsed.session else 0,
        rows=0, first_ts_ns=0, last_ts_ns=0, volume_known=universe.volume_known[0] and wanted.leaf != FROM_QUOTES,
        sources=tuple(Source(file.path.name, file.source_sha256, file.rows) for file in universe.files),
        options={"bars": wanted.rule},
    )  # fmt: skip
    try:
        with CatalogueWriter(out, metadata) as writer:
            for rows in Tape(universe.files, universe.ids, start_ns=span[0], end_ns=span[1]):
                writer.write(_columns(aggregator.feed(rows), wanted.number))
    except AggregateError as error:
        raise CatalogueError(f"{paths[0]}: {error}") from None
    return MadeBars(open_file(out), count_series([wanted], universe, aggregator.state)[0])


def _columns(records: np.ndarray, number: int) -> dict[str, np.ndarray]:
    words = records["words"][(records["kind"] == SERIES_BAR.kind)]
    words = words[words[:, SERIES_BAR.series] == number]
    return {name: words[:, word] for name, word in _COLUMNS.items()}
