"""A download from its request to its catalogue file.

Owns the order of the steps: what is there already, what the provider says of the instrument, the pages, the import, and
the record. The import is that of ``kernel data import``, so a downloaded file is one like any other; the files that it
names as its sources are the rows as they came.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from adapters.providers.chain import Chain
from adapters.providers.shapes import Facts, ProviderError
from adapters.providers.spans import interval_text
from adapters.providers.times import utc_text
from replay.catalogue.files import read_columns
from replay.catalogue.importer import import_file
from replay.catalogue.model import CatalogueError, CatalogueFile
from replay.catalogue.options import ImportOptions, ImportReport
from replay.catalogue.sessions import session_times
from replay.fetch.download import OnProgress, download
from replay.fetch.grid import Stretch, joined, missing_in_sessions
from replay.fetch.staging import KEPT_STRETCHES, VERSION, Request, Staging, discard_imported
from replay.fetch.target import Fetched, Record, Target, check_instrument, choose_target, write_record

_FACTS = ("tick_size", "lot_size", "currency", "multiplier", "asset_class")


class FetchReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a download did. ``report`` is None when everything was there already.

    ``absent_bars`` are those that no provider had: of an always open market when asked for twice (``no_trade`` names
    the stretches), of one with a calendar in its sessions. None where that cannot be told.
    """

    file: CatalogueFile
    report: ImportReport | None
    rows: dict[str, int]
    absent_bars: int | None
    no_trade: tuple[Stretch, ...]
    notes: tuple[str, ...]


async def fetch(
    chain: Chain, root: Path, request: Request, options: ImportOptions, *, restart: bool = False,
    on_progress: OnProgress = lambda done, total: None, tell: Callable[[str], None] = lambda line: None,
) -> FetchReport:  # fmt: skip
    """Download what is not there yet, and import it. ``options`` say what is told by hand, ``replace`` included.

    Raises CatalogueError and ProviderError. What has come by then is kept, and the same call goes on with it.
    """
    target = choose_target(root, request, options.replace)
    if target.existing is not None:  # a run that was killed between its import and its end left pages behind
        discard_imported(target.folder, {source.sha256 for source in target.existing.metadata.sources})
    if target.is_done:
        assert target.existing is not None
        note = f"everything until {utc_text(request.end_ns)} is there already"
        return _report(target.existing, None, {}, target.record, [note])
    facts = await chain.describe()
    check_instrument(target, facts)
    notes = [facts.note] if facts.note else []
    with Staging(target.folder, target.request, restart) as staging:
        if staging.progress.rows:
            tell(f"going on from {utc_text(staging.progress.done_ns)}: {staging.progress.rows:,} rows are here")
        always_open = facts.always_open and not options.calendar
        try:
            await download(chain, staging, target.request, always_open, target.existing is not None, on_progress)
        except ProviderError:
            if staging.progress.rows:
                tell(f"{staging.progress.rows:,} rows are kept; the same command goes on with them")
            raise
        if not staging.progress.rows:
            report = _nothing(chain, target, staging)
            staging.discard()
            return report
        imported, more = _imported(root, target, staging, options, facts)
        notes += [*more, *_late_beginning(target, imported.file, facts)]
        record = _record(target, staging, imported.file)
        write_record(target.record_path, record)
        rows = record.fetches[-1].rows
        staging.discard()
    file = imported.file
    absent = _absent_in_sessions(file, request) if file.instrument.calendar else None
    known = facts.always_open or absent is not None
    told = record.absent_bars if absent is None else absent
    return FetchReport(
        file=file, report=imported, rows=rows, absent_bars=told if known else None,
        no_trade=tuple(record.no_trade), notes=tuple(notes),
    )  # fmt: skip


def _report(
    file: CatalogueFile, report: ImportReport | None, rows: dict[str, int], record: Record | None, notes: list[str]
) -> FetchReport:
    no_trade = tuple(record.no_trade) if record else ()
    return FetchReport(
        file=file, report=report, rows=rows, absent_bars=record.absent_bars if record else None,
        no_trade=no_trade, notes=tuple(notes),
    )  # fmt: skip


def _nothing(chain: Chain, target: Target, staging: Staging) -> FetchReport:
    """No bars in the span: for a file that exists that is recorded, for a new one it is an error."""
    request = target.request
    names = " and ".join(f"{link.provider.name} ({link.symbol})" for link in chain.links)
    span = f"{utc_text(request.start_ns)} to {utc_text(request.end_ns)}"
    text = f"no bars of {interval_text(request.interval_ns)} from {span} at {names}"
    if target.existing is None:
        staging.discard()
        raise CatalogueError(f"{text}: is the symbol right, and was it traded then?")
    record = _record(target, staging, target.existing)
    write_record(target.record_path, record)
    return _report(target.existing, None, {}, record, [text])


def _imported(
    root: Path, target: Target, staging: Staging, options: ImportOptions, facts: Facts
) -> tuple[ImportReport, list[str]]:
    """Import the pages. A grid that a provider states and its own older data does not keep is inferred instead."""
    request = target.request
    by_hand = {name: getattr(options, name) for name in _FACTS}
    stated = {name: value or getattr(facts, name) for name, value in by_hand.items()}
    if target.existing is not None:
        stated |= {name: by_hand[name] for name in ("tick_size", "lot_size")}  # those of the file hold
    whole = msgspec.structs.replace(
        options, **stated, venue=request.venue, symbol=request.symbol, kind="bars",
        interval=interval_text(request.interval_ns), ts_label="open", ts_unit="ns",
        append=target.existing is not None,
    )  # fmt: skip
    sources = staging.sources()
    try:
        return import_file(sources, root, whole), []
    except CatalogueError as error:
        rules = {"off-grid-price": "tick_size", "off-grid-size": "lot_size"}
        loose = {rules[problem.rule] for problem in error.problems if problem.rule in rules}
        loose = {name for name in loose if stated[name] and not by_hand[name]}
        if not loose or target.existing is not None:
            raise CatalogueError(f"{error}\n{_kept(staging)}", error.problems) from None
        notes = [
            f"{name.replace('_', ' ')}: {stated[name]} of the provider does not fit all of its bars; inferred instead"
            for name in sorted(loose)
        ]
    return import_file(sources, root, msgspec.structs.replace(whole, **dict.fromkeys(loose, ""))), notes


def _late_beginning(target: Target, file: CatalogueFile, facts: Facts) -> list[str]:
    """A market that never closes and has no bars at first: not traded yet, or not given any more."""
    first_ns = file.first_ts_ns - file.interval_ns
    if target.existing is not None or not facts.always_open or first_ns - target.request.start_ns < file.interval_ns:
        return []
    return [f"the first bar is of {utc_text(first_ns)}; the provider has none before"]


def _kept(staging: Staging) -> str:
    return f"the {staging.progress.rows:,} rows are kept: run again with what is advised above, nothing is asked twice"


def _record(target: Target, staging: Staging, file: CatalogueFile) -> Record:
    progress, before = staging.progress, target.record
    rows: dict[str, int] = {}
    for segment in progress.segments:
        rows[segment.provider] = rows.get(segment.provider, 0) + segment.rows
    fetched = Fetched(utc_text(progress.start_ns), utc_text(progress.done_ns), rows, progress.absent_bars)
    first_ns = file.first_ts_ns - file.interval_ns if target.existing is not None else progress.start_ns
    return Record(
        version=VERSION, start_ns=before.start_ns if before else first_ns, end_ns=progress.done_ns,
        file_rows=file.rows, file_last_ts_ns=file.last_ts_ns,
        absent_bars=(before.absent_bars if before else 0) + progress.absent_bars,
        no_trade=joined(before.no_trade if before else [], progress.absent)[:KEPT_STRETCHES],
        fetches=[*(before.fetches if before else []), fetched],
    )  # fmt: skip


def _absent_in_sessions(file: CatalogueFile, request: Request) -> int:
    opens, closes = session_times(file.instrument.calendar, request.start_ns, request.end_ns)
    ts_open = np.unique(read_columns(file.path)["ts_open"])
    return missing_in_sessions(ts_open, opens, closes, (request.start_ns, request.end_ns), request.interval_ns)


def last_whole_ns(interval_ns: int, now_ns: int | None = None) -> int:
    """The end of a request that holds no bar which is still being made."""
    return (time.time_ns() if now_ns is None else now_ns) - interval_ns + 1
