"""``kernel show``, ``at``, ``why`` and ``diff``: looking into a recorded history.

Each parses, calls one function of ``replay.inspect``, renders. Exit codes: 0 found (diff: identical); 1 damaged,
different, or market data missing; 2 wrong usage, or an event, order or journal that does not exist.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import (
    as_json_text,
    data_option,
    folded_state,
    journal_argument,
    journal_errors,
    json_option,
    note,
    open_history,
    parse_sequence,
    print_lines,
    terminal_width,
)
from kernel.plurals import counted

if TYPE_CHECKING:
    from replay.history import History
    from replay.inspect.frames import Filter


@click.command()
@journal_argument
@click.option("--topic", "topics", multiple=True, help="Topic or pattern such as 'execution.*'; may be repeated.")
@click.option("--instrument", "instruments", multiple=True, help="Only events of this instrument; may be repeated.")
@click.option("--strategy", "strategies", multiple=True, help="Only events of this strategy; may be repeated.")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help="Only verdicts, stops and kills by this risk check (refused: any); may be repeated.",
)
@click.option("--from", "start", help="First time to include, such as 2020-01-31.")
@click.option("--to", "end", help="Time to stop before.")
@click.option("--sequence", metavar="A:B", help="Only these sequences, both included.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after this many events.")
@click.option("--all", "everything", is_flag=True, help="Market rows too.")
@data_option
@json_option
def show(
    journal: Path,
    topics: Sequence[str],
    instruments: Sequence[str],
    strategies: Sequence[str],
    checks: Sequence[str],
    start: str | None,
    end: str | None,
    sequence: str | None,
    limit: int | None,
    everything: bool,
    data: Sequence[str],
    as_json: bool,
) -> None:
    """List the events of JOURNAL (a run directory or the journal in it).

    Market rows are left out unless --all or a market topic asks for them.
    """
    with journal_errors():
        import itertools

        from replay.inspect.listing import json_lines, table_lines

        history = open_history(journal, data)
        wanted = _filter(history, topics, instruments, strategies, checks, start, end, sequence, everything)
        events = itertools.islice(history.events(wanted), limit)
        if as_json:
            print_lines(json_lines(events, history.names))
        else:
            print_lines(table_lines(events, history.names, terminal_width()))
        if limit is None and history.reader.tail == "torn":
            note("the journal ends in a torn tail, which is not shown; kernel recover sets it aside")


def _filter(
    history: "History",
    topics: Sequence[str],
    instruments: Sequence[str],
    strategies: Sequence[str],
    checks: Sequence[str],
    start: str | None,
    end: str | None,
    sequence: str | None,
    everything: bool,
) -> "Filter":
    from replay.config import instant_ns
    from replay.inspect.frames import Filter
    from replay.inspect.listing import checks_of, kinds_of_topics, number_of, sequence_span, wants_market

    names = history.names
    kinds = kinds_of_topics(topics) if topics else None
    first, last = sequence_span(sequence) if sequence else (1, None)
    if sequence and first > history.last_sequence:
        raise BadInput(f"--sequence {sequence}: the journal ends with event {history.last_sequence:,}")
    known = [instrument.name for instrument in names.instruments]
    return Filter(
        kinds=kinds,
        instruments=frozenset(number_of("instrument", name, known) for name in instruments) or None,
        strategies=frozenset(number_of("strategy", name, names.strategies) for name in strategies) or None,
        start_ns=instant_ns("--from", start or ""),
        end_ns=instant_ns("--to", end or ""),
        first=first,
        last=last,
        market=everything or wants_market(kinds),
        checks=checks_of(checks) if checks else None,
    )


@click.command()
@journal_argument
@click.argument("sequence", metavar="SEQUENCE")
@click.option("--diff", "other", metavar="SEQUENCE", help="Print what changed between the two moments instead.")
@data_option
@json_option
def at(journal: Path, sequence: str, other: str | None, data: Sequence[str], as_json: bool) -> None:
    """Print the state right after event SEQUENCE (end: the last one) of JOURNAL."""
    with journal_errors():
        from replay.inspect.moment import moment_rows

        history = open_history(journal, data)
        chosen = parse_sequence(sequence, lambda: history.last_sequence)
        if other is not None:
            print_lines(_changed(history, chosen, parse_sequence(other, lambda: history.last_sequence), as_json))
            return
        rows = moment_rows(folded_state(history, chosen), history.names)
        print_lines([as_json_text(rows)] if as_json else _moment(history, rows))


def _moment(history: "History", rows: dict[str, Any]) -> list[str]:
    from replay.inspect.moment import moment_lines
    from replay.inspect.phrases import Phrases, time_text

    event = history.event(rows["sequence"])
    what = Phrases(history.names).sentence(event)
    heading = f"after event {event.sequence:,}  {time_text(rows['ts_ns'])} UTC  {event.type.topic}"
    return [heading, f"  {what}", "", *moment_lines(rows, history.names, terminal_width())]


def _changed(history: "History", first: int, second: int, as_json: bool) -> list[str]:
    from replay.inspect.changes import change_lines, changes

    found = changes(folded_state(history, first), folded_state(history, second), history.names)
    if as_json:
        return [as_json_text({"from": first, "to": second, "changes": found})]
    heading = f"from after event {first:,} to after event {second:,}: {counted(len(found), 'field')} changed"
    return [heading, "", *change_lines(found, history.names, terminal_width())] if found else [heading]


@click.command()
@journal_argument
@click.argument("order", metavar="ORDER")
@data_option
@json_option
def why(journal: Path, order: str, data: Sequence[str], as_json: bool) -> None:
    """Trace ORDER of JOURNAL back to the market event that caused it, and on to its fills.

    ORDER is the order's id, the sequence of its intent: kernel show JOURNAL --topic execution.intent lists them.
    """
    with journal_errors():
        from replay.inspect.causes import explain_order, story_json, story_lines

        history = open_history(journal, data)
        if not order.replace(",", "").isdigit():
            raise BadInput(
                f"{order!r} is not an order id; list them with kernel show {journal} --topic execution.intent"
            )
        story = explain_order(history, int(order.replace(",", "")))
        if as_json:
            print_lines([as_json_text(story_json(story, history.names))])
        else:
            print_lines(story_lines(story, history.names, terminal_width()))


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--data", multiple=True, metavar="PATH", help="Where the market data of both lies now; may be repeated.")
@json_option
def diff(a: Path, b: Path, data: Sequence[str], as_json: bool) -> None:
    """Find the first event and field at which journals A and B differ.

    Events are compared, not bytes: journals of different modes or frame sizes can be identical. Exit code 0 when they
    are, 1 when not, or when market rows could not be compared. Where the definitions differ, the first difference in
    what happened is shown too.
    """
    with journal_errors():
        from replay.inspect.compare import compare_histories
        from replay.inspect.difference import comparison_json, comparison_lines

        left, right = open_history(a, data), open_history(b, data)
        found = compare_histories(left, right)
        names = left.names, right.names
        if as_json:
            print_lines([as_json_text(comparison_json(found, names))])
        else:
            print_lines(comparison_lines(found, (str(a), str(b)), names, terminal_width()))
        if not found.market:
            note(found.market_problem)
    if found.difference is not None or not found.market:
        sys.exit(1)
