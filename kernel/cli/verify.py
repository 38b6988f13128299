"""``kernel verify`` and ``kernel recover``: is the journal whole, and what does it come to.

Each parses, calls one function of the journal or of ``replay.history``, renders. Exit codes: 0 whole; 1 broken, torn,
or not what was recorded; 2 wrong usage or no journal there. Neither appends anything.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.forked import held_against_parent, parent_option
from kernel.cli.journals import (
    as_json_text,
    data_option,
    folded_state,
    journal_argument,
    journal_errors,
    json_option,
    note,
    open_history,
    print_lines,
    terminal_width,
)
from kernel.cli.progress import COMPILING, ProgressBar, slow_start
from kernel.cli.signed import Demands, Held, against_option, keys_option, quorum_option, verify_file
from kernel.cli.timestamps import certificate_option, token_option
from kernel.plurals import counted

if TYPE_CHECKING:
    from journal import RecoverReport, VerifyReport
    from replay.history import History

MEGABYTE = 1_000_000


@click.command()
@journal_argument
@click.option(
    "--deep", is_flag=True, help="Also check the market data it refers to, and fold all events through the reducer."
)
@data_option
@against_option
@keys_option
@quorum_option
@token_option
@certificate_option
@parent_option
@json_option
def verify(
    journal: Path,
    deep: bool,
    data: Sequence[str],
    against: Path | None,
    keys: Sequence[str],
    quorum: int | None,
    token_file: Path | None,
    certificate_file: Path | None,
    parent: Path | None,
    as_json: bool,
) -> None:
    """Check every byte of JOURNAL: frames, hashes, chain; exit 1 at the first break.

    With --deep (or --data, which implies it) the market rows behind each segment hash are read again, and every
    recorded state digest is compared with the state. After every event the ledger must balance.

    With --against a checkpoint that you hold, a tail that was cut, history that was rewritten, and a fork are found.
    With --parent a fork is held against the run that it was made of: is it bound to it, and is its history that of the
    parent up to the fork. JOURNAL may also be a proof or a checkpoint, which is checked offline with --key.
    """
    demands = Demands(quorum, token_file, certificate_file)
    if journal.is_file():
        verify_file(journal, keys, demands, as_json)
        return
    with journal_errors():
        from journal import verify_journal
        from replay.history import find_journal

        place, _ = find_journal(journal)
        held = Held.read(place, against, keys, demands)
        with ProgressBar("verify") as progress:
            report = verify_journal(place, progress, held.sizes)
        found = _report(place, report)
        found["checkpoint"] = held.compare(report)
        if (deep or data) and report.ok:
            found["deep"] = _fold(journal, data)
        if parent is not None and report.ok:
            found["fork"] = held_against_parent(journal, parent, data)
        good = report.ok and report.tail == "clean" and not (found["deep"] or {}).get("problem")
        good = good and all((found[name] or {"ok": True})["ok"] for name in ("checkpoint", "fork"))
        print_lines([as_json_text(found)] if as_json else _verify_lines(found, report, journal))
    if not good:
        sys.exit(1)


def _report(place: Path, report: "VerifyReport") -> dict[str, Any]:
    problem = report.first_problem
    names = ("kind", "segment", "offset", "frame_number", "sentence", "advice")
    return {
        "journal": str(place),
        "ok": report.ok,
        "tail": report.tail,
        "frames": report.frames,
        "pruned_frames": report.pruned,
        "events": report.events,
        "records": report.records,
        "bytes": report.bytes,
        "head": report.head.hex(),
        "root": report.root.hex(),
        "seconds": round(report.seconds, 6),
        "problem": None if problem is None else {name: getattr(problem, name) for name in names},
        "checkpoint": None,
        "deep": None,
        "fork": None,
    }


def _fold(journal: Path, data: Sequence[str]) -> dict[str, Any]:
    """Fold the whole history; what stops it is part of the report."""
    from journal import CorruptJournal
    from replay.catalogue import CatalogueError
    from replay.config import ConfigError
    from replay.history import HistoryError
    from replay.inspect.folding import FoldError, Folding, compile_fold
    from replay.inspect.source import DataMissingError

    history = open_history(journal, data, check_hashes=False)  # verified a moment ago
    with slow_start(COMPILING):
        compile_fold()
    folding, segments, rows, problem, missing = Folding(history.names, check_ledger=True), 0, 0, None, False
    total = history.last_sequence
    started = time.perf_counter()
    try:
        with ProgressBar("fold") as progress:
            first = history.begin(folding)
            for frame in history.frames(first):
                folding.take(frame)
                segments += bool(frame.row_count)
                rows += frame.row_count
                progress(folding.events, total)
    except (CatalogueError, ConfigError, CorruptJournal, FoldError, HistoryError) as error:
        problem, missing = str(error), isinstance(error, DataMissingError)
    seconds = time.perf_counter() - started
    return {
        "events": folding.events,
        "segments": segments,
        "rows": rows,
        "digests": folding.digests,
        "ledger": "sound" if problem is None else None,
        "state_digest": folding.digest,
        "seconds": round(seconds, 6),
        "events_per_second": round(folding.events / seconds) if seconds else None,
        "problem": problem,
        "data_missing": missing,
    }


def _verify_lines(found: dict[str, Any], report: "VerifyReport", journal: Path) -> list[str]:
    from replay.inspect.text import pairs

    seconds = report.seconds or 1e-9
    speed = f"{found['bytes'] / seconds / MEGABYTE:,.0f} MB/s"
    entries = [
        ("frames", f"{found['frames']:,}{f', the first {report.pruned:,} of them pruned' if report.pruned else ''}"),
        ("events", f"{found['events']:,}, in {found['records']:,} stored records"),
        ("bytes", f"{found['bytes']:,} checked in {report.seconds:.2f} s, {speed}"),
        ("head", found["head"]),
        ("root", found["root"]),
        ("tail", found["tail"]),
    ]
    problem = report.first_problem
    if problem is None:
        verdict = "whole: every byte is hashed, every frame carries the hash of the one before it"
    elif report.ok:
        entries[-1] = ("tail", f"torn: {problem.sentence} ({problem.segment} at byte {problem.offset})")
        verdict = f"whole up to a torn tail, which was never acknowledged; set it aside with: kernel recover {journal}"
    else:
        entries[-1:] = [
            ("broken", f"{problem.kind}: {problem.sentence}"),
            ("where", f"{problem.segment} at byte {problem.offset}, frame {problem.frame_number}"),
            ("advice", problem.advice),
        ]
        verdict = f"BROKEN; the {counted(found['frames'], 'frame')} before it: good"
    if found["checkpoint"] is not None:
        entries.append(("signed", found["checkpoint"]["sentence"]))
        entries += [("cosigned", said) for said in found["checkpoint"]["witnesses"]]
        entries += [("stamped", said) for said in found["checkpoint"]["stamped"]]
        entries += [("key", said) for said in found["checkpoint"]["rotations"]]
        verdict = verdict if found["checkpoint"]["ok"] else f"NOT what was signed: {found['checkpoint']['finding']}"
    if found["fork"] is not None:
        entries.append(("fork", found["fork"]["sentence"]))
        verdict = verdict if found["fork"]["ok"] else "NOT a fork of that parent"
    lines = [verdict, *pairs(entries)]
    return lines if found["deep"] is None else [*lines, "", *_deep_lines(found["deep"])]


def _deep_lines(deep: dict[str, Any]) -> list[str]:
    from replay.inspect.text import pairs

    speed = f"{deep['seconds']:.2f} s, {deep['events_per_second'] or 0:,} a second"
    if deep["data_missing"]:
        return [f"NOT CHECKED further than event {deep['events']:,}: {deep['problem']}"]
    if deep["problem"]:
        return [
            f"NOT as recorded: {deep['problem']}",
            *pairs([("good", f"{counted(deep['events'], 'event')} before it")]),
        ]
    rows = f"{deep['rows']:,} in {counted(deep['segments'], 'segment')}" if deep["segments"] else "all in the journal"
    entries = [
        ("market rows", rows),
        ("digests", f"{counted(deep['digests'], 'recorded state digest')}, found again"),
        ("events", f"{deep['events']:,} folded in {speed}"),
        ("ledger", "debits equal credits, and books, balances and accounts agree, after every event"),
        ("state", deep["state_digest"]),
    ]
    return [
        "as recorded: the market data has the recorded hashes, the events lead to the recorded states",
        *pairs(entries),
    ]


@click.command()
@journal_argument
@data_option
@json_option
def recover(journal: Path, data: Sequence[str], as_json: bool) -> None:
    """Open JOURNAL after a crash: set a torn tail aside, check all the rest, and print the state it comes to.

    Nothing is lost (the tail is kept) and nothing is appended; damage that is not a torn tail is refused.
    """
    with journal_errors():
        from journal import recover_journal
        from replay.history import find_journal
        from replay.inspect.source import DataMissingError

        place, _ = find_journal(journal)
        report = recover_journal(place)
        if not as_json:
            print_lines(_recovered_lines(report, place))
        rows, problem = None, ""
        if report.events:
            try:
                rows = _state(open_history(journal, data), as_json)
            except DataMissingError as error:
                problem = str(error)
        if as_json:
            print_lines([as_json_text(_recovered_json(report, place, rows, problem))])
        if problem:
            note(f"the state is not shown: {problem}")


def _state(history: "History", as_json: bool) -> dict[str, Any]:
    """Fold everything and print the state; returns it as plain values."""
    from replay.inspect.moment import moment_lines, moment_rows
    from replay.inspect.phrases import time_text

    rows = moment_rows(folded_state(history), history.names)
    if not as_json:
        heading = f"state after event {rows['sequence']:,}, {time_text(rows['ts_ns'])} UTC"
        print_lines(["", heading, "", *moment_lines(rows, history.names, terminal_width())])
    return rows


def _recovered_lines(report: "RecoverReport", place: Path) -> list[str]:
    from replay.inspect.text import pairs

    if report.torn is None:
        verdict = "whole: nothing was torn, nothing was changed"
    else:
        torn = report.torn
        verdict = f"a torn tail of {torn.bytes:,} bytes was set aside; all before it is whole"
    entries = [
        ("frames", f"{report.frames:,}"),
        ("events", f"{report.events:,}; the next is {report.next_sequence:,}"),
        ("head", report.head.hex()),
        ("root", report.root.hex()),
    ]
    if report.torn is not None:
        entries += [
            ("torn", f"frame {report.torn.frame_number}: {report.torn.why}"),
            ("kept at", str(place / report.torn.kept_at)),
        ]
    return [verdict, *pairs(entries)]


def _recovered_json(report: "RecoverReport", place: Path, rows: dict[str, Any] | None, problem: str) -> dict[str, Any]:
    torn = report.torn
    return {
        "journal": str(place),
        "frames": report.frames,
        "events": report.events,
        "next_sequence": report.next_sequence,
        "head": report.head.hex(),
        "root": report.root.hex(),
        "torn": None
        if torn is None
        else {
            "bytes": torn.bytes,
            "kept_at": str(place / torn.kept_at),
            "frame_number": torn.frame_number,
            "why": torn.why,
            "kind": torn.kind,
        },
        "state": rows,
        "state_problem": problem or None,
    }
