"""The sessions of an exchange as market data: a catalogue file of their opens and closes.

Owns the one place that knows exchange_calendars (the extra ``calendars``), and only when data is imported: what a run
reads is the file, so its sessions are recorded, hashed and the same with any version of that library. Breaks within a
day are not told apart: a session runs from its open to its close, early closes included.

A row is known at its open, or one nanosecond after its close, so that everything that happens at the close comes first.
"""

import warnings
from pathlib import Path

import numpy as np

from kernel.instruments import Instrument
from kernel.market import KIND_NAMES, SESSION
from replay.catalogue.files import catalogue_path, find_files, open_file, write_file
from replay.catalogue.model import SCHEMA_VERSION, CatalogueError, CatalogueFile, Metadata

MARGIN_DAYS = 14  # beyond the data, so that the last session knows the next one


def write_sessions(root: Path, instrument: Instrument, first_ns: int, last_ns: int) -> CatalogueFile:
    """Write (again) the sessions of an instrument, for a span of time and for what its other files cover.

    Raises CatalogueError for a calendar that is unknown, and when exchange_calendars is not installed.
    """
    path = catalogue_path(root, instrument, SESSION)
    others = [open_file(found) for found in find_files(root) if found.parent == path.parent and found != path]
    first_ns = min([first_ns, *(file.first_ts_ns - file.interval_ns for file in others)])
    last_ns = max([last_ns, *(file.last_ts_ns for file in others)])
    opens, closes = session_times(instrument.calendar, first_ns, last_ns)
    metadata = Metadata(
        schema_version=SCHEMA_VERSION, instrument=instrument, kind=KIND_NAMES[SESSION], interval_ns=0, rows=0,
        first_ts_ns=0, last_ts_ns=0, volume_known=True, options={"calendar": instrument.calendar},
    )  # fmt: skip
    return write_file(path, metadata, session_columns(opens, closes, first_ns, last_ns))


def session_columns(opens: np.ndarray, closes: np.ndarray, first_ns: int, last_ns: int) -> dict[str, np.ndarray]:
    """The rows of the sessions that meet a span of time: an open and a close of each, in the order of their times."""
    inside = (closes[:-1] >= first_ns) & (opens[:-1] <= last_ns)
    opened, closed, following = opens[:-1][inside], closes[:-1][inside], opens[1:][inside]
    ts = np.concatenate([opened, closed + 1])
    # At one instant the open of a session comes before the close of the one before it.
    order = np.lexsort((np.repeat([0, 1], len(opened)), ts))
    twice = {"open": opened, "close": closed, "next_open": following}
    columns = {name: np.concatenate([times, times])[order] for name, times in twice.items()}
    return {"ts": ts[order], "phase": np.repeat([1, 0], len(opened))[order], **columns}


def session_times(calendar: str, first_ns: int, last_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Opens and closes in nanoseconds of all sessions around a span of time, one more at its end."""
    try:
        import exchange_calendars
    except ImportError:
        raise CatalogueError(
            f"the calendar {calendar} needs exchange_calendars: pip install 'trading-kernel[calendars]'"
        ) from None
    names = exchange_calendars.get_calendar_names(include_aliases=True)
    if calendar not in names:
        raise CatalogueError(f"unknown calendar {calendar!r}: give the code of an exchange, such as XNYS or XLON")
    day = np.timedelta64(MARGIN_DAYS, "D")
    start, end = np.datetime64(first_ns, "ns") - day, np.datetime64(last_ns, "ns") + day
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of that library about its own use of pandas
            found = exchange_calendars.get_calendar(calendar, start=str(start)[:10], end=str(end)[:10])
    except ValueError as error:
        raise CatalogueError(f"the calendar {calendar} does not cover the data: {str(error).splitlines()[0]}") from None
    return found.opens_nanos.astype(np.int64), found.closes_nanos.astype(np.int64)
