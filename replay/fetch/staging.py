"""A download on its way: the pages that have come, on disk before the next one is asked for.

Owns a folder beside the catalogue file: CSV files of rows as the providers wrote them, one for each stretch that one
provider gave, and ``progress.json``, which says how much of each is whole. A page is first appended and synced, then
counted, so a kill at any moment loses at most the page that was being written; what is beyond the count is cut off when
the download goes on. One process at a time has the folder.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from adapters.providers.shapes import Bar, Page
from adapters.providers.times import utc, utc_text
from replay.catalogue.files import file_sha256, sync_directory
from replay.catalogue.intervals import format_interval
from replay.catalogue.model import CatalogueError
from replay.fetch.grid import Stretch, bars_in, joined

VERSION = 1
HEADER = b"ts,open,high,low,close,volume\n"
KEPT_STRETCHES = 10_000  # of those without bars; all are counted
_PROGRESS = "progress.json"
_LOCK = "lock"


class Request(msgspec.Struct, frozen=True):
    """What is downloaded: bars that open from ``start_ns`` until before ``end_ns``."""

    venue: str
    symbol: str
    interval_ns: int
    start_ns: int
    end_ns: int


class Segment(msgspec.Struct):
    """A file of rows of one provider, and how much of it counts."""

    name: str
    provider: str
    whole_bytes: int
    rows: int


class Progress(msgspec.Struct):
    """How far a download has come: everything that opens before ``done_ns`` is there or absent.

    ``absent`` are the first stretches without bars, ``absent_bars`` how many bars would fill all of them.
    """

    version: int
    venue: str
    symbol: str
    interval_ns: int
    start_ns: int
    done_ns: int
    segments: list[Segment]
    absent: list[Stretch]
    absent_bars: int

    @property
    def rows(self) -> int:
        """The rows that have come."""
        return sum(segment.rows for segment in self.segments)


class Staging:
    """The folder of one download, for as long as the block lasts. ``restart`` throws away what an earlier one left.

    Raises CatalogueError when another process has it, or when what is there is of another span.
    """

    def __init__(self, folder: Path, request: Request, restart: bool = False) -> None:
        self._folder = folder
        self._request = request
        self._restart = restart
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._folder)
        try:
            self.progress = self._resumed()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._stream is not None:
            self._stream.close()
        self._lock.close()

    def _resumed(self) -> Progress:
        request, path = self._request, self._folder / _PROGRESS
        fresh = Progress(
            version=VERSION, venue=request.venue, symbol=request.symbol, interval_ns=request.interval_ns,
            start_ns=request.start_ns, done_ns=request.start_ns, segments=[], absent=[], absent_bars=0,
        )  # fmt: skip
        if self._restart or not path.exists():
            self._drop_others({_LOCK})
            return fresh
        try:
            progress = msgspec.json.decode(path.read_bytes(), type=Progress)
        except msgspec.MsgspecError as error:
            raise CatalogueError(f"{path}: damaged: {error}; add --restart to begin anew") from None
        if progress.version != VERSION or progress.start_ns != request.start_ns:
            raise CatalogueError(
                f"{self._folder}: an unfinished download is here, from {utc_text(progress.start_ns)}: go on with "
                f"--from {utc_text(progress.start_ns)}, or add --restart to throw it away"
            )
        for segment in progress.segments:
            self._cut(segment)
        self._drop_others({_LOCK, _PROGRESS, *(segment.name for segment in progress.segments)})
        return progress

    def _cut(self, segment: Segment) -> None:
        """Cut a segment to what was counted."""
        path = self._folder / segment.name
        size = path.stat().st_size if path.exists() else -1
        if size < segment.whole_bytes:
            raise CatalogueError(f"{path}: rows are missing that were downloaded; add --restart to begin anew")
        os.truncate(path, segment.whole_bytes)

    def _drop_others(self, kept: set[str]) -> None:
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink()

    def append(self, page: Page, absent: Iterable[Stretch]) -> None:
        """Keep a page, on disk when this returns. ``absent`` are the stretches of it that have no bars."""
        progress = self.progress
        assert page.start_ns == progress.done_ns, "pages must follow each other"
        if page.bars:
            self._write(page)
        progress.done_ns = page.end_ns
        stretches = list(absent)
        progress.absent_bars += bars_in(stretches, progress.interval_ns)
        progress.absent = joined(progress.absent, stretches)[:KEPT_STRETCHES]
        self._save()

    def _write(self, page: Page) -> None:
        segments = self.progress.segments
        if not segments or segments[-1].provider != page.provider:
            if self._stream is not None:
                self._stream.close()
            self._stream = None
            segments.append(Segment(self._segment_name(page), page.provider, 0, 0))
        segment = segments[-1]
        if self._stream is None:
            self._stream = (self._folder / segment.name).open("ab")
        text = b"".join(map(_row, page.bars))
        self._stream.write(text if segment.whole_bytes else HEADER + text)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        segment.whole_bytes = self._stream.tell()
        segment.rows += len(page.bars)

    def _segment_name(self, page: Page) -> str:
        progress = self.progress
        symbol = "".join(letter if letter.isalnum() else "-" for letter in progress.symbol)
        first = utc(page.bars[0].ts_open_ns)
        interval = format_interval(progress.interval_ns)
        return f"{page.provider}_{symbol}_{interval}_{first:%Y%m%dT%H%M%SZ}.csv"

    def _save(self) -> None:
        path = self._folder / _PROGRESS
        temporary = path.with_suffix(".partial")
        with temporary.open("wb") as stream:
            stream.write(msgspec.json.encode(self.progress))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_directory(self._folder)

    def sources(self) -> list[Path]:
        """The files of rows, in time order."""
        return [self._folder / segment.name for segment in self.progress.segments]

    def discard(self) -> None:
        """Throw the folder away: what was in it is in the catalogue, or is not wanted."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        shutil.rmtree(self._folder)


def discard_imported(folder: Path, known_sha256: set[str]) -> None:
    """Throw a folder away when the last of its files is among those that were imported."""
    path = folder / _PROGRESS
    if not path.exists():
        return
    with _locked(folder):
        try:
            segments = msgspec.json.decode(path.read_bytes(), type=Progress).segments
        except msgspec.MsgspecError:
            return
        last = folder / segments[-1].name if segments else None
        if last is not None and last.exists() and file_sha256(last) in known_sha256:
            shutil.rmtree(folder)


def _locked(folder: Path) -> BinaryIO:
    """The folder's lock, held until it is closed. Raises CatalogueError when another process has it."""
    lock = (folder / _LOCK).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CatalogueError(f"{folder}: another download of the same bars is running") from None
    return lock


def _row(bar: Bar) -> bytes:
    numbers: tuple[Decimal, ...] = (bar.open, bar.high, bar.low, bar.close)
    volume = "" if bar.volume is None else format(bar.volume, "f")
    return f"{bar.ts_open_ns},{','.join(format(number, 'f') for number in numbers)},{volume}\n".encode()
