"""The journal held against the texts of regulators: met, not met, or not applicable, and why.

Owns the requirements, which are data (``requirements.toml``), and which of them apply. What depends on people, places
or contracts is never called met.
"""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

from replay.audit_report.facts import Verdict, What
from replay.audit_report.rules import ALONE, MET, NOT_APPLICABLE, NOT_MET, RULES, Facts, Judged

VERDICTS = (MET, NOT_MET, ALONE, NOT_APPLICABLE)
FIXED = {"met": MET, "not met": NOT_MET, "operator": ALONE, "not applicable": NOT_APPLICABLE}
_FILE = Path(__file__).with_name("requirements.toml")


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the file: judged by a rule, or with a fixed verdict and its reason."""

    regulation: str
    paragraph: str
    text: str
    applies: str
    check: str
    rule: str = ""
    verdict: str = ""
    why: str = ""


@cache
def requirements() -> tuple[Requirement, ...]:
    """All requirements, in the order of the file."""
    return tuple(msgspec.convert(tomllib.loads(_FILE.read_text("utf-8"))["requirement"], list[Requirement]))


def judge(facts: Facts, run: str) -> tuple[Verdict, ...]:
    """Every requirement, judged."""
    return tuple(_judged(one, facts, run) for one in requirements())


def _judged(one: Requirement, facts: Facts, run: str) -> Verdict:
    verdict, why = _not_applicable(one.applies, facts.what) or (
        RULES[one.rule](facts) if one.rule else (FIXED[one.verdict], one.why)
    )
    return Verdict(
        regulation=one.regulation,
        paragraph=one.paragraph,
        requirement=one.text,
        verdict=verdict,
        why=why,
        check=one.check.replace("{run}", run),
    )


def _not_applicable(applies: str, what: What) -> Judged | None:
    if applies == "records":
        return None
    if what.kind in ("backtest", "paper"):
        return NOT_APPLICABLE, f"A {what.kind}: no order left for a venue."
    if applies == "us" and not what.is_us_equity:
        return NOT_APPLICABLE, "No share or option of the United States was traded."
    if applies == "us" and what.kind != "live":
        return NOT_APPLICABLE, "The venue's play money: no order reached a market."
    return None
