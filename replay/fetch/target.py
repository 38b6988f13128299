"""What a download is for: a new catalogue file, or the later part of one that exists.

Owns what is decided before anything is asked for, and the record beside a file (``bars-1m.fetch.json``): which span has
been asked for, by whom it was answered, and which stretches (the first of them) had no bars when asked for twice. A
file that was imported otherwise has no record and is gone on with from its last bar.
"""

import os
from pathlib import Path

import msgspec

from adapters.providers.shapes import Facts
from adapters.providers.spans import after
from adapters.providers.times import utc_text
from kernel.instruments import Instrument
from kernel.market import BAR
from replay.catalogue.files import catalogue_path, open_file, sync_directory
from replay.catalogue.model import CatalogueError, CatalogueFile
from replay.fetch.grid import Stretch
from replay.fetch.staging import Request


class Fetched(msgspec.Struct):
    """One download: its span, the rows that each provider gave, and how many bars were absent."""

    start: str
    end: str
    rows: dict[str, int]
    absent_bars: int


class Record(msgspec.Struct):
    """What is known of a file beyond its rows. ``file_last_ts_ns`` ties it to the file that it was written for."""

    version: int
    start_ns: int
    end_ns: int
    file_rows: int
    file_last_ts_ns: int
    absent_bars: int = 0
    no_trade: list[Stretch] = []
    fetches: list[Fetched] = []


class Target(msgspec.Struct, frozen=True):
    """Where the rows go. ``request`` is what is still to be asked for; ``existing`` is None for a new file."""

    path: Path
    request: Request
    existing: CatalogueFile | None
    record: Record | None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to ask for."""
        return self.request.start_ns >= self.request.end_ns

    @property
    def folder(self) -> Path:
        """Where the pages are kept until they are imported."""
        return self.path.with_name(f".{self.path.stem}.fetch")

    @property
    def record_path(self) -> Path:
        """The record beside the file."""
        return self.path.with_name(f"{self.path.stem}.fetch.json")


def choose_target(root: Path, request: Request, replace: bool) -> Target:
    """Raises CatalogueError when the file that is there cannot be gone on with."""
    named = Instrument(venue=request.venue, symbol=request.symbol, currency="", tick_size="1", lot_size="1")
    path = catalogue_path(root, named, BAR, request.interval_ns)
    target = Target(path, request, None, None)
    if replace or not path.exists():
        return target
    file = open_file(path)
    record = read_record(target.record_path, file)
    first_ns = min(file.first_ts_ns - file.interval_ns, record.start_ns if record else file.first_ts_ns)
    until_ns = after(file.last_ts_ns - file.interval_ns, file.interval_ns)
    until_ns = max(until_ns, record.end_ns if record else 0)
    if request.start_ns < first_ns:
        raise CatalogueError(
            f"{path}: begins at {utc_text(first_ns)}, and nothing can be put before: add --replace to download all of "
            f"it again, or give --from {utc_text(first_ns)}"
        )
    if request.start_ns > until_ns:
        raise CatalogueError(
            f"{path}: ends at {utc_text(until_ns)}: bars from {utc_text(request.start_ns)} would leave a hole; give "
            f"--from {utc_text(until_ns)} or earlier"
        )
    left = msgspec.structs.replace(request, start_ns=until_ns)
    return Target(path, left, file, record)


def check_instrument(target: Target, facts: Facts) -> None:
    """Raises CatalogueError when the file that is there is of another instrument than the provider describes."""
    if target.existing is None:
        return
    there = target.existing.instrument
    pairs = [
        (name, getattr(there, name), getattr(facts, name)) for name in ("asset_class", "currency", "multiplier")
    ]  # fmt: skip
    differ = [f"{name} {old} there and {new} here" for name, old, new in pairs if new and new != old]
    if differ:
        raise CatalogueError(
            f"{target.path}: holds another instrument: {', '.join(differ)}; choose another folder with --out"
        )


def read_record(path: Path, file: CatalogueFile) -> Record | None:
    """The record of a file; None when there is none, or when the file has been written otherwise since."""
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return record if (record.file_rows, record.file_last_ts_ns) == (file.rows, file.last_ts_ns) else None


def write_record(path: Path, record: Record) -> None:
    """Write it whole or not at all."""
    temporary = path.with_suffix(".partial")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
    os.replace(temporary, path)
    sync_directory(path.parent)
