"""The audit report of a backtest, of journals made by hand, and of broken ones: each fact against one counted here."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as parquet
import pytest

from journal import JournalReader
from journal.note import SigningKey
from journal.tlog import make_checkpoint
from kernel.events import catalogue as events
from kernel.events.body import unpack_bodies
from kernel.events.layout import decode
from replay.audit import records_of
from replay.audit_report.clocks import LIMITS_NS, Clocks
from replay.audit_report.coverage import VERDICTS, requirements
from replay.audit_report.exporting import export_journal
from replay.audit_report.facts import AuditReport, Clock
from replay.audit_report.report import write_report
from replay.audit_report.rules import ALONE, MET, NOT_MET, RULES, judge_clock
from replay.audit_report.sections import BY_KIND, UNLISTED, opens
from replay.audit_report.spans import Spans
from replay.config import ConfigError
from replay.live.identities import Identities
from tests.replay.audit_report.histories import GENESIS, SECOND_NS, Told
from tests.replay.inspect.runs import flip_byte, make_run
from tests.replay.live.building import told as told_of


def quiet(label: str) -> Any:
    return lambda done, total: None


def report_of(run: Path, out: Path, **options: Any) -> AuditReport:
    return write_report(run, out, options.pop("keys", []), quiet, **options)


def raw_events(run: Path) -> list[Any]:
    """Every stored event, decoded one by one from the frames: what the report is held against."""
    found = []
    for frame in JournalReader(run / "journal"):
        records = records_of(frame)
        found += [
            decode(record, body) for record, body in zip(records, unpack_bodies(records, frame.bodies), strict=True)
        ]
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("audit") / "run", limits={"order_notional": 120_000})


@pytest.fixture(scope="module")
def made(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditReport, Path]:
    out = tmp_path_factory.mktemp("report") / "out"
    return report_of(run, out, orders_shown=3), out


# --- a backtest ---------------------------------------------------------------------------------------------------


def test_orders_are_those_of_the_frames(run: Path, made: tuple[AuditReport, Path]) -> None:
    stored = raw_events(run)
    report, out = made
    of = Counter(type(one.event) for one in stored)
    verdicts = [one.event for one in stored if isinstance(one.event, events.RiskChecked)]
    assert report.orders.count == of[events.OrderIntended] > 3
    assert report.orders.fills == of[events.OrderFilled] > 3
    assert sum(report.orders.refused_by.values()) == sum(one.check != 0 for one in verdicts) > 0
    assert sum(report.orders.outcomes.values()) == report.orders.count
    assert report.orders.outcomes["refused"] == sum(one.check != 0 for one in verdicts)
    table = parquet.read_table(out / "orders.parquet").to_pylist()
    filled = Counter()
    for one in stored:
        if isinstance(one.event, events.OrderFilled):
            filled[one.event.order_id] += one.event.quantity_lots
    assert {row["order_id"]: row["filled_lots"] for row in table if row["filled_lots"]} == filled
    assert sum(row["fees_minor"] for row in table) == sum(
        one.event.fee_minor for one in stored if isinstance(one.event, events.OrderFilled)
    )


def test_the_lives_that_are_shown_are_whole(run: Path, made: tuple[AuditReport, Path]) -> None:
    stored, report = raw_events(run), made[0]
    assert [order.order_id for order in report.orders.shown] == [
        one.sequence for one in stored if isinstance(one.event, events.OrderIntended)
    ][:3]
    for order in report.orders.shown:
        of_order = [
            one.sequence
            for one in stored
            if one.sequence == order.order_id
            or (
                getattr(one.event, "order_id", 0) == order.order_id and one.type.topic.startswith(("execution", "risk"))
            )
        ]
        assert [step.sequence for step in order.steps] == of_order
        assert order.steps_left_out == 0


def test_what_was_run_and_the_chain(run: Path, made: tuple[AuditReport, Path]) -> None:
    report = made[0]
    frames = list(JournalReader(run / "journal"))
    assert report.chain.is_whole
    assert report.chain.frames == len(frames)
    assert report.chain.first_hash == frames[0].hash.hex()
    assert report.chain.head == frames[-1].hash.hex()
    assert report.chain.rows_by_reference > 0
    assert any("they were not read" in text for text in report.not_checked)
    for text in (*report.not_checked, *(one.why for one in report.coverage)):  # whole sentences, or the command to give
        assert text.endswith(".") or "kernel " in text.rpartition(". ")[2], text
    assert report.what.kind == "backtest"
    assert report.what.files == ("run.json",)
    assert {one.name: one.text for one in report.limits}["limits.order_notional_minor"] == "120,000.00 USD"
    assert report.topics == dict(
        sorted(Counter(one.type.topic for one in raw_events(run) if one.type.kind != 30).items())
    )
    assert {one.verdict for one in report.coverage} <= set(VERDICTS)
    assert all(one.verdict == "not applicable" for one in report.coverage if one.regulation.startswith("MiFID"))


def test_the_json_is_the_schema_and_the_page_needs_nothing(made: tuple[AuditReport, Path]) -> None:
    report, out = made
    assert msgspec.json.decode((out / "report.json").read_bytes(), type=AuditReport) == report
    assert set(json.loads((out / "report.schema.json").read_text())) == {"$ref", "$defs"}
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in page
    assert "http" not in page.replace("http-equiv", "")
    for order in report.orders.shown:
        assert f'id="order-{order.order_id}"' in page
    assert f"The first 3 of {report.orders.count:,}" in page
    assert page == (out / "report.html").read_text()


def test_text_of_a_journal_is_escaped(tmp_path: Path) -> None:
    told = Told(tmp_path / "run")
    told.tell(events.KillSwitchRequested(1, 1), instrument=-1, strategy=-1, body="<script>alert(1)</script>")
    report_of(told.done(), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_certificate_that_says_otherwise_is_told(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    inputs = {"configuration_sha256": "0" * 64, "strategies": [], "data": [], "packages": {}, "code": {"version": "9"}}
    outputs = {"journal_root": "0" * 64}
    (tmp_path / "run" / "certificate.json").write_text(json.dumps({"inputs": inputs, "outputs": outputs}))
    report = report_of(tmp_path / "run", tmp_path / "out")
    assert len(report.what.disagreements) == 2
    assert "Does not agree" in (tmp_path / "out" / "report.html").read_text()


def test_a_broken_journal_is_reported_up_to_the_break(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    flip_byte(tmp_path / "run" / "journal", 0.6)
    report = report_of(tmp_path / "run", tmp_path / "out")
    assert not report.chain.is_whole
    assert 0 < report.orders.count < report_of(run, tmp_path / "whole").orders.count
    assert "BROKEN" in (tmp_path / "out" / "report.html").read_text()
    assert {one.verdict for one in report.coverage if one.paragraph == "(f)(2)(i)(A)(1)"} == {NOT_MET}


def test_a_folder_that_is_in_use_is_refused(run: Path, made: tuple[AuditReport, Path]) -> None:
    with pytest.raises(ConfigError, match="is not empty"):
        report_of(run, made[1])
    with pytest.raises(ConfigError, match="is not empty"):
        report_of(run, made[1] / "report.html")


# --- what no short run brings about -------------------------------------------------------------------------------


def busy_history(folder: Path) -> Told:
    told = Told(folder)
    nothing = {"instrument": -1, "strategy": -1}
    told.tell(events.LiveSessionOpened(2), **nothing, body={"version": "1", "approval": {"approved_by": "Eve"}})
    told.tell(events.ClockMeasured(-3_000_000, 1_000_000), **nothing)
    told.tell(events.ClockMeasured(200_000, 100_000), **nothing)
    told.tell(events.DegradedSet(32 | 1), **nothing, body="the switches for real money are not all on")
    told.tell(events.DegradedSet(1), **nothing, body="market data is stale")
    command = told.tell(events.CommandGiven(501), **nothing, body={"command": "kill", "arguments": {}, "user": "eve"})
    kill = told.tell(events.KillSwitchRequested(2, 1), **nothing, cause=command, body="stop")
    told.tell(events.CancelRequested(9, 0), cause=kill)
    adopted = told.tell(events.OrderAdopted(1, 1, 1, 10, 0, 0, 0), body={"venue_order_id": "v7", "why": "by hand"})
    told.tell(events.OrderFilled(adopted, 1, 100, 4, 6, 1, 1, 5), body={"trade_id": "t-1"})
    told.tell(events.OrderInDoubt(adopted, 1), body="timed out")
    told.tell(events.OrderCanceled(adopted, 6, 0))
    told.tell(events.RequestRejected(adopted, 1, 6))  # an answer that comes after the end
    held = told.tell(events.OrderIntended(1, 2, 1, 5, 90, 0, 0))
    told.tell(events.OrderTerms(held, 0, 0, 0, 0, 0, adopted, 4, adopted, 0))
    told.tell(events.RiskChecked(held, 0, 0, 0))
    told.tell(events.CancelRequested(held, 1))  # it never left, so no venue cancels it
    difference = told.tell(events.DifferenceFound(3, 5, 4, 5), strategy=-1)
    told.tell(events.VenuePositionReported(5), strategy=-1, cause=difference)
    told.tell(events.Reconciled(1, 1, 1, 1, 1), **nothing)
    told.tell(events.ConnectionChanged(2, 0), **nothing, body="reset")
    told.tell(events.ConnectionChanged(2, 1), **nothing, body="again")
    told.tell(events.TailDiscarded(3, 100), **nothing, body={"kept_at": "x"})
    told.tell(events.RiskRuleSet(9, 3), **nothing)
    told.tell(events.TradingModeSet(1), **nothing, body="by hand")
    told.tell(events.CashAdjusted(0, -5), strategy=-1, body="a fee")
    told.tell(events.EntriesStopped(31, 0, 1, 2), **nothing)
    return told


def test_orders_have_the_names_that_the_venue_knows_also_after_a_restore(tmp_path: Path) -> None:
    told = Told(tmp_path / "run")
    for frames in (3, 5, 0):
        for _ in range(2):
            told.tell(events.OrderIntended(1, 2, 1, 5, 90, 0, 0))
        if frames:
            told.tell(events.JournalRestored(frames, 1, 2, 3, 4), instrument=-1, strategy=-1, body={"backup": "b"})
    known = Identities(GENESIS.hex())
    for frame in JournalReader(told.done() / "journal"):
        known.note(told_of(records_of(frame)), bytes(frame.records), frame.bodies)
    report = report_of(told.folder, tmp_path / "out")
    assert [one.client_order_id for one in report.orders.shown] == [
        known.client_order_id(one.order_id) for one in report.orders.shown
    ]
    assert not any(one.at_venue for one in report.orders.shown)  # no verdict on any of them
    assert len({one.client_order_id.partition("-")[0] for one in report.orders.shown}) == 3
    export_journal(told.folder, tmp_path / "tables", "parquet", quiet)
    linked = parquet.read_table(tmp_path / "tables" / "cat_linkage.parquet").to_pylist()
    assert {row["routed_order_id"] for row in linked} == {one.client_order_id for one in report.orders.shown}


def test_every_kind_of_fact_is_found(tmp_path: Path) -> None:
    report = report_of(busy_history(tmp_path / "run").done(), tmp_path / "out")
    counts = {section.key: section.count for section in report.sections}
    assert counts == {
        "sessions": 2, "commands": 1, "overrides": 3, "kill": 1, "breaches": 1, "approvals": 2, "differences": 1,
        "reconciliations": 1, "doubts": 1, "adopted": 1, "connections": 2, "degraded": 2, "journal": 1,
        "definitions": 1, "other": 1,
    }  # fmt: skip
    assert report.what.kind == "live"
    command = report.section("commands").rows[0]
    assert command.who == "eve (user id 501)"
    assert command.followed == {"risk.kill_request": 1, "execution.cancel_request": 1}
    assert report.section("differences").rows[0].followed == {"risk.venue_position": 1}
    assert "Eve" in report.section("approvals").rows[0].text
    assert report.section("definitions").rows[0].topic == "risk.rule"
    limits = {one.name: one for one in report.limits}
    assert limits["limits.order_lots"].text == "77"
    assert limits["risk.orders_per_minute"].text == "3"
    assert report.orders.outcomes == {"partly filled, then cancelled": 1, "cancelled": 1}
    assert report.orders.in_doubt == report.orders.adopted == 1
    rows = parquet.read_table(tmp_path / "out" / "orders.parquet").to_pylist()
    assert [row["client_order_id"] for row in rows] == ["v7", f"000102030405-{rows[1]['order_id']}"]
    assert rows[0]["requests_rejected"] == 1
    assert [row["reason"] for row in rows] == ["requested", "it was held, and never left"]
    assert [one.at_venue for one in report.orders.shown] == [True, False]
    assert re.findall(r"at the venue ([\w-]+)</p>", (tmp_path / "out" / "report.html").read_text()) == ["v7"]
    spans = {one.what: one for one in report.degraded}
    assert spans["the switches for real money are not all on"].total_ns == SECOND_NS
    assert spans["market data is stale"].is_open
    assert report.connections[0].total_ns == SECOND_NS
    verdicts = {one.paragraph: one.verdict for one in report.coverage}
    assert verdicts["Article 15(1)(c)"] == verdicts["Article 17(3)"] == MET
    assert verdicts["Article 15(1)(b)"] == NOT_MET


def test_checkpoints_are_held_against_the_journal(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    key, other = SigningKey("a/desk", bytes(32)), SigningKey("b/desk", bytes([1] * 32))
    make_checkpoint(tmp_path / "run" / "journal", key)
    report = report_of(tmp_path / "run", tmp_path / "out")
    (checkpoint,) = report.chain.checkpoints
    assert (checkpoint.frames, checkpoint.root) == (report.chain.frames, report.chain.root)
    assert checkpoint.is_of_this_journal
    assert checkpoint.signed_by == ("a/desk",)
    assert checkpoint.signature == "not checked: no key was given"
    checked = report_of(tmp_path / "run", tmp_path / "with", keys=[key.verifier])
    assert checked.chain.checkpoints[0].signature == "good: a/desk"
    wrong = report_of(tmp_path / "run", tmp_path / "wrong", keys=[other.verifier])
    assert "no key that is given" in wrong.chain.checkpoints[0].signature
    kept = next((tmp_path / "run" / "journal" / "tlog" / "checkpoints").glob("*.note"))
    kept.write_text(kept.read_text().replace("a/desk", "a\ndesk", 1))
    assert report_of(tmp_path / "run", tmp_path / "damaged").chain.checkpoints[0].signature.startswith("damaged")


# --- parts --------------------------------------------------------------------------------------------------------


def test_every_input_has_a_heading_or_a_reason_to_have_none() -> None:
    for kind in events.event_types():
        shown = bool(BY_KIND[kind.kind]) or opens(kind) or kind.topic in UNLISTED or kind.market
        assert shown or not kind.external or kind.topic.startswith("execution.") or kind.topic == "market.segment", kind


def test_requirements_name_a_rule_or_a_verdict() -> None:
    for one in requirements():
        assert (one.rule in RULES) != (one.verdict in ("met", "not met", "operator", "not applicable")), one.paragraph
        assert bool(one.why) == bool(one.verdict)
        assert one.applies in ("records", "orders", "us")
    assert {one.regulation for one in requirements()} == {
        "SEC 17a-4(f)", "CFTC 1.31", "FINRA CAT", "MiFID II RTS 6", "MiFID II RTS 25",
    }  # fmt: skip
    assert {one.rule for one in requirements() if one.rule} == set(RULES)


def clock_of(*measured: tuple[int, int], for_ns: int = SECOND_NS) -> Clock | None:
    clocks = Clocks(LIMITS_NS)
    for at, (offset_ns, round_trip_ns) in enumerate(measured):
        clocks.measure(at, (at + 1) * for_ns, offset_ns, round_trip_ns)
    clocks.end((len(measured) + 1) * for_ns)
    return clocks.facts()


@pytest.mark.parametrize(
    ("measured", "limit_ns", "verdict"),
    [
        ([], 1_000_000, NOT_MET),
        ([(200_000, 100_000)], 1_000_000, ALONE),
        ([(950_000, 100_000)], 1_000_000, ALONE),  # right at the limit
        ([(950_001, 100_000)], 1_000_000, NOT_MET),  # it may be above
        ([(-1_200_000, 100_000)], 1_000_000, NOT_MET),  # it is
        ([(10_000, 8_000_000)], 1_000_000, NOT_MET),  # too coarse to say
        ([(10_000, 20_000), (-90_000, 20_000)], 100_000, ALONE),
        ([(10_000, 20_000), (-90_001, 20_000)], 100_000, NOT_MET),
    ],
)
def test_a_clock_is_judged_by_what_is_sure(measured: list[tuple[int, int]], limit_ns: int, verdict: str) -> None:
    found, why = judge_clock(clock_of(*measured), limit_ns)
    assert found == verdict
    assert why.endswith(".")
    assert not measured or re.search(r"the largest offset -?[\d,]+ ns \(event \d+\)", why)


def test_time_over_a_limit_is_that_of_the_measurements_over_it() -> None:
    clock = clock_of((0, 0), (3_000_000, 1_000_000), (900_000, 400_000))
    assert clock is not None
    by_limit = {one.limit_ns: one for one in clock.limits}
    assert (by_limit[1_000_000].surely_over_ns, by_limit[1_000_000].perhaps_over_ns) == (SECOND_NS, 2 * SECOND_NS)
    assert (clock.largest_offset_ns, clock.largest_sequence, clock.measured_for_ns) == (3_000_000, 1, 3 * SECOND_NS)
    assert (clock.least_offset_ns, clock.most_offset_ns, clock.finest_bound_ns) == (0, 3_000_000, 0)


def test_spans_begin_once_and_end_with_their_session() -> None:
    spans = Spans()
    spans.begin("a", 10)
    spans.begin("a", 20)
    spans.end("a", 50)
    spans.end("a", 60)
    spans.begin("a", 100)
    spans.end_all(110)
    spans.begin("b", 200)
    found = {one.what: one for one in spans.facts(230)}
    assert (found["a"].times, found["a"].total_ns, found["a"].longest_ns, found["a"].is_open) == (2, 50, 40, False)
    assert (found["b"].times, found["b"].total_ns, found["b"].is_open) == (1, 30, True)
