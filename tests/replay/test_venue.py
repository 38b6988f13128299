"""The fill rules: every table of ``docs/fills.md`` and ``docs/venue.md``, run through the compiled loop, both sides."""

import re
from collections import Counter
from pathlib import Path

import pytest

from kernel import lifecycle as life
from replay.venue.profiles import PROFILES
from tests.replay.venue_language import mirrored, order_type, parts
from tests.replay.venue_script import CANCELS, REJECTS, Outcome

DOCUMENTS = [Path(__file__).resolve().parents[2] / "docs" / name for name in ("fills.md", "venue.md")]
HEADING = re.compile(r"^#+ (.*)")
SETTINGS = re.compile(r"^Settings: `(.*)`$")


def read_cases(text: str) -> list[tuple[str, dict[str, str], str, str, str]]:
    """``(name, settings, order, market, outcome)`` of each row of each table."""
    cases: list[tuple[str, dict[str, str], str, str, str]] = []
    heading, settings = "", {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := HEADING.match(line):
            heading, settings = found[1], {}
        elif found := SETTINGS.match(line):
            settings = dict(word.split("=") for word in found[1].split())
        elif line.startswith("| ") and not line.startswith("| order"):
            order, market, outcome = (cell.strip() for cell in line.strip("|").split("|"))
            cases.append((f"line {number}: {heading}", settings, order, market, outcome))
    return cases


CASES = [case for document in DOCUMENTS for case in read_cases(document.read_text(encoding="utf-8"))]
TWO_SIDED = [case for case in CASES if case[1].get("mirror") != "no"]


@pytest.mark.parametrize(
    ("name", "settings", "order", "market", "outcome"), CASES, ids=[c[0] + ", " + c[2] for c in CASES]
)
def test_row_of_the_document(name: str, settings: dict[str, str], order: str, market: str, outcome: str) -> None:
    assert Outcome(settings, order, market).describe() == outcome, name


@pytest.mark.parametrize(
    ("name", "settings", "order", "market", "outcome"), TWO_SIDED, ids=[c[0] + ", " + c[2] for c in TWO_SIDED]
)
def test_the_other_side(name: str, settings: dict[str, str], order: str, market: str, outcome: str) -> None:
    flipped = outcome if outcome == "rests" else mirrored(outcome)
    assert Outcome(settings, mirrored(order), mirrored(market)).describe() == flipped, name


def test_the_documents_cover_every_combination() -> None:
    """Each profile with each plain order type and each time in force has a row; each other type has one by profile."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for _, settings, orders, _, _ in CASES:
        for words in parts(orders):
            force = next((name for name in ("IOC", "FOK", "DAY", "GTD") if name in words), "GTC")
            seen[settings["profile"], life.ORDER_TYPE_NAMES[order_type(words)], force] += 1
    wanted = {
        (profile, kind, force)
        for profile in ("pessimistic", "next_open", "ohlc")
        for kind in ("market", "limit", "stop", "stop-limit")
        for force in ("GTC", "IOC", "FOK", "DAY")
    }
    wanted |= {
        (profile, kind, "GTC")
        for profile in ("pessimistic", "next_open", "ohlc")
        for kind in ("market-if-touched", "limit-if-touched", "trailing stop", "trailing stop-limit")
    }
    wanted |= {(profile, "limit", "GTC") for profile in PROFILES}
    assert wanted <= set(seen), f"no row for {sorted(wanted - set(seen))}"


def test_every_reason_of_the_venue_has_a_row() -> None:
    outcomes = " ".join(case[4] for case in CASES)
    for reason in CANCELS.values():
        assert f"cancelled ({reason})" in outcomes, reason
    for reason in REJECTS.values():
        assert f"rejected ({reason})" in outcomes, reason
