"""The report as one page that needs nothing else, on a screen and on paper.

Owns the order of the sections and their tables. All values are escaped; there is no script.
"""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from kernel.plurals import counted
from replay.audit_report.coverage import VERDICTS
from replay.audit_report.facts import AuditReport, EventFact, Section, Span
from replay.audit_report.markup import event_table, facts_table, length
from replay.audit_report.order_panels import order_panels
from replay.audit_report.rules import ALONE, MET, NOT_MET
from replay.report.document import render_document
from replay.report.tables import panel

_STYLES = (Path(__file__).parent.parent / "report" / "page.css", Path(__file__).with_name("page.css"))
_TINTS = {MET: "gain", NOT_MET: "loss", ALONE: "open"}
MOST_ON_PAGE = {"reconciliations": 20, "degraded": 100, "connections": 100}


def render_page(report: AuditReport) -> str:
    """The page as text; the same report makes the same bytes."""
    style = "".join(path.read_text("utf-8") for path in _STYLES)
    title = (
        f"Audit report: {', '.join(one.name for one in report.what.strategies)} on {', '.join(report.what.instruments)}"
    )
    return render_document(title, style, _parts(report, title))


def _parts(report: AuditReport, title: str) -> Iterator[str]:
    yield _header(report, title)
    yield _cards(report)
    yield _not_checked(report)
    yield _chain(report)
    yield _what(report)
    yield _when(report)
    for section in report.sections:
        if section.count or section.key in (
            "commands",
            "overrides",
            "kill",
            "breaches",
            "approvals",
            "differences",
            "journal",
        ):
            yield _section(section)
        if section.key == "connections" and report.connections:
            yield _spans("Streams that were down", report.connections)
        if section.key == "degraded" and report.degraded:
            yield _spans("Degraded times, by reason", report.degraded)
    yield _limits(report)
    yield from order_panels(report.orders)
    yield _coverage(report)
    yield _topics(report)
    yield _configuration(report)
    yield (
        '<footer class="note"><p>Everything above was computed from the frames of the journal, one after another. '
        "Events bear their sequence: <code>kernel show RUN --sequence A:B</code> prints them, "
        "<code>kernel why RUN ORDER</code> tells how an order came to be. report.json has the same facts; "
        "orders.parquet has every order.</p></footer>"
    )


def _header(report: AuditReport, title: str) -> str:
    what, when = report.what, report.when
    broken = "" if report.chain.is_whole else f'<p class="warning">BROKEN: {escape(report.chain.problem)}</p>'
    differs = "".join(f'<p class="warning">Does not agree: {escape(text)}</p>' for text in what.disagreements)
    torn = (
        '<p class="warning">The journal ends in a torn tail, which is not reported on.</p>'
        if report.chain.tail == "torn"
        else ""
    )
    kind = {
        "backtest": "a backtest: simulated orders on recorded data",
        "paper": "a paper session: simulated orders on live data",
        "test": "a session with a venue's play money",
        "live": "a session with real money",
    }[what.kind]
    return (
        f"<header><h1>{escape(title)}</h1><p>Journal {escape(report.chain.genesis_id)}, {kind}</p>"
        f"<p>{escape(when.first_event)} to {escape(when.last_event)}</p>{broken}{torn}{differs}</header>"
    )


def _cards(report: AuditReport) -> str:
    orders, chain, when = report.orders, report.chain, report.when
    tally = {verdict: sum(one.verdict == verdict for one in report.coverage) for verdict in VERDICTS}
    clock = when.clock
    cards = [
        ("Journal", "whole" if chain.is_whole else "BROKEN", f"{chain.frames:,} frames, {chain.events:,} events"),
        ("Checkpoints", f"{len(chain.checkpoints):,}", "signed, kept beside it"),
        ("Orders", f"{orders.count:,}", f"{orders.fills:,} fills"),
        ("Refused by risk", f"{sum(orders.refused_by.values()):,}", "before they left"),
        ("In doubt, adopted", f"{orders.in_doubt:,}, {orders.adopted:,}", "requests, orders"),
        ("Commands", f"{report.section('commands').count:,}", f"{report.section('overrides').count:,} overrides"),
        ("Kill switch", f"{report.section('kill').count:,}", "requests, trips and resets"),
        (
            "Differences",
            f"{report.section('differences').count:,}",
            f"in {report.section('reconciliations').count:,} comparisons",
        ),
        ("Clock", "not measured" if clock is None else length(abs(clock.largest_offset_ns)), "the largest offset"),
        ("Requirements", f"{tally[MET]} met", f"{tally[NOT_MET]} not, {tally[ALONE]} not alone"),
    ]
    items = "".join(
        f'<div class="card"><dt>{escape(label)}</dt><dd>{escape(value)}</dd><dd class="sub">{escape(note)}</dd></div>'
        for label, value, note in cards
    )
    return f'<dl class="cards">{items}</dl>'


def _not_checked(report: AuditReport) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in report.not_checked)
    return panel("What was not checked", "", f"<ul>{items}</ul>")


def _chain(report: AuditReport) -> str:
    chain = report.chain
    whole = "whole: every byte is hashed, every frame carries the hash of the one before it"
    frames = f"{chain.frames:,}, {chain.events:,} events in {chain.records:,} stored records, {chain.bytes:,} bytes"
    schema = chain.schema_digest
    if not chain.is_our_schema:
        schema += " (another catalogue of events than that of this program)"
    rows = [
        ("Verdict", whole if chain.is_whole else f"BROKEN: {chain.problem}"),
        ("Origin", chain.origin),
        ("Genesis id", chain.genesis_id),
        ("Frames", frames),
        ("First hash", chain.first_hash),
        ("Head", chain.head),
        ("Root (RFC 6962)", chain.root),
        ("Tail", chain.tail),
        ("Schema", schema),
        ("Market rows by hash", f"{chain.rows_by_reference:,} in {chain.segments_of_rows:,} segments"),
        ("State digests", f"{chain.state_digests:,}"),
    ]
    if chain.pruned_frames:
        rows.insert(3, ("Pruned", f"{chain.pruned_frames:,} frames, before event {chain.first_sequence:,}"))
    table = facts_table(rows)
    if chain.checkpoints:
        lines = [
            (f"{one.frames:,}", ", ".join(one.signed_by), ", ".join(one.cosigned_by) or "nobody",
             "beside it" if one.has_timestamp else "", "yes" if one.is_of_this_journal else "NO", one.signature)
            for one in chain.checkpoints
        ]  # fmt: skip
        heads = ("frames", "signed by", "cosigned by", "timestamp", "fits this journal", "signature")
        table += event_table(heads, lines)
    else:
        table += "<p>No checkpoint lies beside the journal.</p>"
    return panel("The journal's proof", "What verification of its bytes said, just now", table)


def _what(report: AuditReport) -> str:
    what = report.what
    rows = [
        ("Kernel", f"version {what.version or 'not recorded'}; sources {what.code_sha256 or 'not recorded'}"),
        ("Python", what.python or "not recorded"),
        ("Packages", ", ".join(f"{name} {version}" for name, version in what.packages.items()) or "not recorded"),
        ("Configuration", f"SHA-256 {what.configuration_sha256}, in the event run.opened"),
        ("Files beside it", ", ".join(what.files) or "none"),
        ("Agree with the journal", "; ".join(what.agreements) or "nothing was comparable"),
    ]
    rows += [
        (f"Strategy {one.name}", f"{one.parameters or 'no parameters'}; on {', '.join(one.instruments)}; source "
        f"{one.source_sha256 or 'not recorded'}")
        for one in what.strategies
    ]  # fmt: skip
    table = facts_table(rows)
    if what.data:
        table += event_table(
            ("data", "kind", "rows", "SHA-256 of the file"),
            [(one.instrument, one.kind, f"{one.rows:,}", one.sha256) for one in what.data],
        )
    return panel("What was run", "", table)


def _configuration(report: AuditReport) -> str:
    what = report.what
    settings = [(name, value) for name, value in what.configuration.items() if value not in ("", "none")]
    note = f"As the event run.opened has it, SHA-256 {what.configuration_sha256}; what is empty is left out"
    return panel("Configuration", note, facts_table(settings))


def _when(report: AuditReport) -> str:
    when = report.when
    rows = [
        ("First event", when.first_event),
        ("Last event", when.last_event),
        ("Times that ran back", f"{when.times_that_ran_back:,}"),
        ("Recorded times are multiples of", f"{when.finest_ns:,} ns"),
        ("Processes", f"{when.sessions:,}" if when.sessions else "one run"),
    ]
    clock = when.clock
    if clock is None:
        rows.append(
            (
                "Clock",
                "not measured: a simulation has the time of its data"
                if report.what.kind == "backtest"
                else "not measured",
            )
        )
        return panel("When", "", facts_table(rows))
    rows += [
        ("Clock measured", f"{counted(clock.measurements, 'time')}, over {length(clock.measured_for_ns)}"),
        ("Offset to the venue's clock", f"from {clock.least_offset_ns:,} to {clock.most_offset_ns:,} ns"),
        ("The largest", f"{clock.largest_offset_ns:,} ns, event {clock.largest_sequence:,}, with a round trip of "
        f"{clock.largest_round_trip_ns:,} ns"),
        ("The finest bound", f"{clock.finest_bound_ns:,} ns: no better than that is an offset known"),
    ]  # fmt: skip
    lines = [(length(one.limit_ns), length(one.surely_over_ns), length(one.perhaps_over_ns)) for one in clock.limits]
    return panel(
        "When", "", facts_table(rows) + event_table(("limit", "surely over it for", "perhaps over it for"), lines)
    )


def _section(section: Section) -> str:
    most = MOST_ON_PAGE.get(section.key, len(section.rows))
    shown = section.rows[:most]
    cut = f" The first {len(shown):,} of {section.count:,} are shown." if len(shown) < section.count else ""
    if not shown:
        return panel(section.title, section.note, "<p>None.</p>")
    who = any(row.who for row in shown)
    followed = any(row.followed for row in shown)
    heads = (
        "event",
        "time (UTC)",
        "topic",
        *(("who",) if who else ()),
        "what",
        *(("what followed",) if followed else ()),
    )
    lines = [_event_cells(row, who)[: len(heads)] for row in shown]
    return panel(
        section.title, f"{section.note} {section.count:,} in all.{cut}", event_table(heads, lines, numbers=(0,))
    )


def _event_cells(row: EventFact, who: bool) -> tuple[str, ...]:
    about = " ".join(one for one in (row.instrument, row.strategy) if one)
    followed = ", ".join(f"{count} {topic}" for topic, count in row.followed.items())
    cause = f" (because of {row.cause})" if row.cause > 0 else ""
    text = f"{about}: {row.text}{cause}" if about else f"{row.text}{cause}"
    return (str(row.sequence), row.ts_event, row.topic, *((row.who,) if who else ()), text, followed)


def _spans(title: str, spans: Sequence[Span]) -> str:
    lines = [
        (one.what, f"{one.times:,}", length(one.total_ns), length(one.longest_ns), "yes" if one.is_open else "")
        for one in spans
    ]
    return panel(
        title, "", event_table(("what", "times", "in all", "longest", "still so at the end"), lines, numbers=(1,))
    )


def _limits(report: AuditReport) -> str:
    lines = [(one.name, one.text, str(one.sequence)) for one in report.limits]
    table = event_table(("limit", "value", "set by event"), lines) if lines else "<p>None was in force.</p>"
    return panel("Limits in force at the end", "", table)


def _coverage(report: AuditReport) -> str:
    lines = []
    for one in report.coverage:
        tint = _TINTS.get(one.verdict, "")
        lines.append(
            f'<tr><th scope="row">{escape(one.regulation)}<br>{escape(one.paragraph)}</th>'
            f"<td>{escape(one.requirement)}</td>"
            f'<td class="{tint}"><strong>{escape(one.verdict)}</strong></td>'
            f"<td>{escape(one.why)}</td><td><code>{escape(one.check)}</code></td></tr>"
        )
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("paragraph", "what is asked", "verdict", "why", "check it with")
    )
    note = (
        "Judged by the facts of this journal, by software, in our own words: no legal advice. What depends on people, "
        "storage or contracts is never called met."
    )
    table = f'<table class="coverage"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return panel("Coverage of regulation", note, table).replace('class="panel"', 'class="panel long"', 1)


def _topics(report: AuditReport) -> str:
    lines = [(topic, f"{count:,}") for topic, count in report.topics.items()]
    table = event_table(("topic", "stored events"), lines, numbers=(1,)) if lines else "<p>None.</p>"
    return panel("All stored events, by topic", "", table)
