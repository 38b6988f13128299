"""The report of a real session at a local venue, against what the venue and the views of SQL say."""

from pathlib import Path
from typing import Any

import pytest

from replay.audit_report.facts import AuditReport
from replay.audit_report.report import write_report
from replay.history import History
from replay.sql import journal_views, open_database
from tests.live.places import BYBIT
from tests.live.sessions import Session, write_config
from tests.venues.process import started

Told = tuple[AuditReport, Path, dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A session with a kill, a resume, a reconciliation and a flattening, and what its venue knows of it."""
    folder = tmp_path_factory.mktemp("live")
    with (
        started(BYBIT.module, "--rate", "120", *BYBIT.arguments) as server,
        Session(folder / "run", BYBIT.keys) as session,
    ):
        session.begin(write_config(folder / "live.toml", BYBIT, server))
        session.wait_until(lambda status: status["fills"] > 3)
        session.ask("kill", level="cancel", reason="a test")
        session.wait_until(lambda status: status["open_orders"] == 0 and not status["in_flight"])
        session.ask("resume", reason="all is well")
        session.ask("reconcile")
        session.wait_until(lambda status: status["fills"] > 6)
        session.ask("kill", level="entries", reason="the end")
        session.ask("flatten", symbol="all")
        session.wait_until(
            lambda status: not any(float(row["position"]) for row in status["instruments"]) and not status["in_flight"]
        )
        assert session.stop() == 0
        venue = server.get("/test/state")
    made = write_report(folder / "run", folder / "out", [], lambda label: lambda done, total: None, 100_000)
    return made, folder / "run", venue


def _one(run: Path, statement: str) -> Any:
    with open_database(journal_views(History(run))) as connection:
        return connection.execute(statement).fetchall()


def test_orders_and_fills_are_those_of_the_venue(told: Told) -> None:
    report, run, venue = told
    assert report.orders.fills == len(venue["fills"]) > 6
    sent = {order["request"]["client_order_id"].partition("-r")[0] for order in venue["orders"]}
    named = {order.client_order_id: order for order in report.orders.shown}
    assert len(named) == report.orders.count
    assert sent <= set(named)  # what the venue has, we tell of
    assert {name for name, order in named.items() if order.fills} <= sent
    assert sum(report.orders.outcomes.values()) == report.orders.count
    refused = _one(run, 'select check_name, count(*) from risk_check where "check" <> 0 group by 1 order by 1')
    assert report.orders.refused_by == dict(refused)


def test_commands_controls_and_reconciliations(told: Told) -> None:
    report, run, _ = told
    assert [row.text.split()[0].rstrip(",") for row in report.section("commands").rows] == [
        "kill", "resume", "reconcile", "kill", "flatten",
    ]  # fmt: skip
    assert all(row.who.endswith(")") for row in report.section("commands").rows)
    assert report.section("commands").rows[0].followed["risk.kill_request"] == 1
    assert [row.topic for row in report.section("kill").rows] == [
        "risk.kill_request", "risk.kill_reset", "risk.kill_request",
    ]  # fmt: skip
    for key, table in (
        ("reconciliations", "reconcile_done"),
        ("differences", "reconcile_difference"),
        ("connections", "venue_connection"),
        ("degraded", "risk_degraded"),
    ):
        assert report.section(key).count == _one(run, f"select count(*) from {table}")[0][0], key
    assert report.section("reconciliations").count >= 1


def test_what_when_and_by_what_code(told: Told) -> None:
    report, run, _ = told
    assert (report.what.kind, report.when.sessions, report.what.disagreements) == ("test", 1, ())
    assert all(len(one.source_sha256) == 64 for one in report.what.strategies)
    clock = report.when.clock
    assert clock is not None
    measured = _one(run, "select count(*), min(offset_ns), max(offset_ns) from clock_offset")[0]
    assert (clock.measurements, clock.least_offset_ns, clock.most_offset_ns) == measured
    assert report.when.times_that_ran_back == 0
    assert report.when.finest_ns == 1
    verdicts = {(one.regulation, one.paragraph): one.verdict for one in report.coverage}
    assert verdicts["MiFID II RTS 6", "Article 17(3)"] == "met"
    assert verdicts["FINRA CAT", "6860"] == "not applicable"
    told_of = {topic: count for topic, count in report.topics.items() if not topic.startswith("market.")}
    assert told_of == dict(_one(run, "select topic, count(*) from events group by 1 order by 1"))
