"""What was run, from the journal's own opening and from the files beside it.

Owns the reading of those files and the comparison of both. The chain binds only what is in the journal; what a file
beside it says is named as such, and every point that can be compared is.
"""

import hashlib
from pathlib import Path
from typing import Any

from journal import VerifyReport
from kernel.events.body import encode_body
from replay.audit_report.facts import KINDS, DataFile, StrategyFact, What
from replay.audit_report.gather import Gathered
from replay.certificate import CERTIFICATE_FILE, read_certificate
from replay.inspect.source import RUN_FILE
from replay.live.files import LIVE_FILE
from replay.report.tables import flattened

FILES = (RUN_FILE, LIVE_FILE, CERTIFICATE_FILE, "fork.json")
US_CALENDARS = ("XNYS", "XNAS")
US_VENUES = ("alpaca", "us")


def what_was_run(run_dir: Path, found: Gathered, report: VerifyReport) -> What:
    """The facts. ``run_dir`` is where the files beside the journal would be."""
    names, certificate = found.names, read_certificate(run_dir)
    inputs: dict[str, Any] = certificate["inputs"] if certificate else {}
    agreements: list[str] = []
    disagreements: list[str] = []

    def compare(holds: bool, text: str) -> None:
        (agreements if holds else disagreements).append(text)

    opened = found.opened_body or encode_body(names.configuration)  # a snapshot carries it where it was pruned
    opened_sha256 = hashlib.sha256(opened).hexdigest()
    if certificate:
        same = inputs["configuration_sha256"] == opened_sha256
        compare(same, f"{CERTIFICATE_FILE}: the configuration is that of the event run.opened")
        root = certificate["outputs"]["journal_root"]
        compare(root == report.root.hex(), f"{CERTIFICATE_FILE}: the journal's root is the one that was found")
    for _, facts in found.sessions:
        if "config_sha256" in facts:
            compare(facts["config_sha256"] == opened_sha256, "live.opened: the configuration is that of run.opened")
    last = found.sessions[-1][1] if found.sessions else {}
    configuration = names.configuration if isinstance(names.configuration, dict) else {}
    return What(
        kind=_kind(found),
        instruments=tuple(instrument.name for instrument in names.instruments),
        strategies=_strategies(found, inputs, last),
        configuration=dict(flattened(configuration)),
        configuration_sha256=opened_sha256,
        version=str(last.get("version") or inputs.get("code", {}).get("version", "")),
        code_sha256=str(inputs.get("code", {}).get("sources_sha256", "")),
        python=str(last.get("python") or inputs.get("python", "")),
        packages=dict(inputs.get("packages", {})),
        data=tuple(
            DataFile(instrument=one["instrument"], kind=one["kind"], rows=one["rows"], sha256=one["sha256"])
            for one in inputs.get("data", [])
        ),
        files=tuple(name for name in FILES if (run_dir / name).is_file()),
        agreements=tuple(dict.fromkeys(agreements)),
        disagreements=tuple(dict.fromkeys(disagreements)),
        is_us_equity=any(
            one.contract in ("equity", "option") or one.asset_class in ("equity", "etf", "option")
            for one in names.instruments
            if one.calendar in US_CALENDARS or one.venue in US_VENUES
        ),
    )


def _kind(found: Gathered) -> str:
    """Backtest, paper, test or live: by the events of sessions, and the most serious of them."""
    if not found.sessions:
        return KINDS[0]
    return KINDS[1 + max(mode for mode, _ in found.sessions)]


def _strategies(found: Gathered, inputs: dict[str, Any], session: dict[str, Any]) -> tuple[StrategyFact, ...]:
    said = [entry["source_sha256"] for entry in inputs.get("strategies", [])] or session.get("strategies_sha256", [])
    return tuple(
        StrategyFact(
            name=str(fact["name"]),
            parameters=", ".join(f"{key} {value}" for key, value in fact["parameters"].items()),
            instruments=tuple(fact["instruments"]),
            source_sha256=str(said[number]) if number < len(said) else "",
        )
        for number, fact in enumerate(found.names.strategy_facts)
    )
