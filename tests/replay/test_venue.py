"""The fill rules: every table of ``docs/fills.md``, run through the compiled engine loop, for both sides."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.replay.venue_script import Outcome, mirrored, parts

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "fills.md"
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


CASES = read_cases(DOCUMENT.read_text(encoding="utf-8"))
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


def test_the_document_covers_every_combination() -> None:
    """Each profile with each order type and each time in force has at least one row."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for _, settings, orders, _, _ in CASES:
        for words in parts(orders):
            kind = "-".join(name for name in ("market", "stop", "limit") if name in words)
            force = words[-1] if words[-1] in ("IOC", "FOK", "DAY") else "GTC"
            seen[settings["profile"], kind, force] += 1
    wanted = {
        (profile, kind, force)
        for profile in ("pessimistic", "next_open", "ohlc")
        for kind in ("market", "limit", "stop", "stop-limit")
        for force in ("GTC", "IOC", "FOK", "DAY")
    }
    assert wanted <= set(seen), f"no row for {sorted(wanted - set(seen))}"
