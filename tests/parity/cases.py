"""Small cases: the rows of ``docs/fills.md`` that an engine can express, and the differences of ``docs/parity.md``.

A row of a profile that follows an engine must come out in that engine as the page says, unless it is listed. A listed
difference must still be one: both outcomes are run and must be what the list says, so the list cannot grow stale.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.peers.environments import run as run_command
from tests.parity import random_cases
from tests.parity.peers import ALONE
from tests.replay.test_venue import read_cases
from tests.replay.venue_script import Outcome, mirrored, parts

DOCS = Path(__file__).resolve().parents[2] / "docs"
HERE = Path(__file__).parent
CASES_SECONDS = 600
PLENTY = "1000000000"


class Dialect(msgspec.Struct, frozen=True):
    """What an engine's script of cases understands: its words, its settings by profile, and what it cannot tell.

    ``untold`` are patterns and what stands for them; an entry of an outcome that becomes empty is left out. ``joins``
    says that it cuts fills where they meet older parts of a position, so neighbours at one price count as one.
    """

    script: str
    settings: dict[str, dict[str, Any]]
    order_words: frozenset[str]
    request_words: frozenset[str]
    untold: dict[str, str]
    joins: bool = False


class Difference(msgspec.Struct, frozen=True):
    """One row of a list of differences."""

    settings: dict[str, str]
    orders: str
    market: str
    theirs: str
    ours: str


PLAIN = frozenset({"buy", "sell", "market", "limit", "stop"})
DIALECTS = {
    "backtesting.py": Dialect(
        "backtesting_cases.py",
        {"next_open": {}},
        PLAIN | {"bracket", "target", "loss"},
        frozenset(),
        # A leg that ends with the other is not reported.
        {r" (maker|taker|open)\b|#\d+ ": "", r"^\d+: \d+ cancelled \(requested\)$": ""},
        joins=True,
    ),
    "NautilusTrader": Dialect(
        "nautilus_cases.py",
        {"ohlc": {"adaptive": False}, "ohlc_adaptive": {"adaptive": True}},
        PLAIN | {"IOC", "FOK", "DAY", "bracket", "target", "loss"},
        frozenset({"cancel", "replace", "limit", "stop"}),
        {
            r" open$": "",
            r"((?<!#)\b\d+ )?cancelled( \(.*\))?$": "cancelled",
            r"((?<!#)\b\d+ )?expired$": "expired",
            r"rejected \(.*\)$": "rejected",
            r"updated .*": "replaced",
            # It says when a stop is triggered, and nothing to a request about an order that is over.
            r"^\d+: (#\d+ )?(triggered|refused( \(.*\))?|replace rejected)$": "",
        },
    ),
}
_FILL = re.compile(r"^(\d+): (\d+) at (\S+)$")
_NUMBER = re.compile(r"^[#x]?-?\d+$|^\d+/\d+/\d+/\d+$")


def check(engine: str, profile: str, python: Path) -> tuple[int, list[str]]:
    """``(cases run, what is wrong)`` for one engine and profile. Raises RuntimeError when its script fails."""
    dialect = DIALECTS[engine]
    listed = [one for one in differences(engine) if one.settings["profile"] == profile]
    rows = [
        row
        for row in _rows(dialect, profile)
        if (row.orders, row.market) not in {(one.orders, one.market) for one in listed}
    ]
    answers = _ask(dialect, python, [*rows, *listed])
    wrong = []
    for case, theirs in zip([*rows, *listed], answers, strict=True):
        said = _told(dialect, theirs)
        if said != case.theirs:
            wrong.append(f"{_text(case)}: {engine} says {said}, the page says {case.theirs}")
    for case in listed:
        said = Outcome(case.settings, case.orders, case.market).describe()
        if said != case.ours:
            wrong.append(f"{_text(case)}: ours is {said}, the page says {case.ours}")
        if _told(dialect, case.ours) == case.theirs:
            wrong.append(f"{_text(case)}: listed as a difference, and is none")
    return len(answers), wrong


def check_random(engine: str, profile: str, python: Path, seed: int, count: int) -> tuple[int, list[str]]:
    """``(cases run, where they differ)`` for random cases. Raises RuntimeError when its script fails."""
    dialect = DIALECTS[engine]
    forces = ("", "", *sorted(dialect.order_words & {"IOC", "FOK"}))
    made = list(random_cases.cases(seed, count, forces, volumes=engine == "NautilusTrader"))
    made += random_cases.brackets(seed, count // 2, limited=engine != "NautilusTrader")
    given = [Difference({"profile": profile, "cash": PLENTY}, orders, market, "", "") for orders, market in made]
    wrong = []
    for case, theirs in zip(given, _ask(dialect, python, given), strict=True):
        ours = Outcome(case.settings, case.orders, case.market).describe()
        if _told(dialect, ours) != _told(dialect, theirs):
            wrong.append(f"seed {seed}, {_text(case)}: {engine} says {_told(dialect, theirs)}, ours is {ours}")
    return len(given), wrong


def _rows(dialect: Dialect, profile: str) -> Iterator[Difference]:
    """The rows of docs/fills.md that the engine can express; what it should say is in ``theirs``."""
    for _, settings, orders, market, outcome in read_cases((DOCS / "fills.md").read_text(encoding="utf-8")):
        if set(settings) - {"mirror"} != {"profile"} or settings["profile"] != profile:
            continue
        if _known(parts(orders), dialect.order_words) and _known(parts(market), dialect.request_words):
            yield Difference(settings, orders, market, _told(dialect, outcome), outcome)
            if settings.get("mirror") != "no":
                flipped = outcome if outcome == "rests" else mirrored(outcome)
                yield Difference(settings, mirrored(orders), mirrored(market), _told(dialect, flipped), flipped)


def _known(lines: list[list[str]], words: frozenset[str]) -> bool:
    return all(word in words or _NUMBER.match(word) for line in lines for word in line)


def differences(engine: str) -> list[Difference]:
    """The rows that ``docs/parity.md`` lists for an engine."""
    found, section, in_list = [], "", False
    for line in (DOCS / "parity.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line
        elif line.startswith("| settings | order"):
            in_list = True
        elif not line.startswith("|"):
            in_list = False
        elif in_list and not line.startswith("|---") and engine in section:
            settings, orders, market, theirs, ours, _ = (cell.strip(" `") for cell in line.strip("|").split("|"))
            found.append(Difference(dict(word.split("=") for word in settings.split()), orders, market, theirs, ours))
    return found


def _ask(dialect: Dialect, python: Path, cases: list[Difference]) -> list[str]:
    given = []
    for case in cases:
        options = dict(dialect.settings[case.settings["profile"]])
        if "cash" in case.settings:
            options["cash"] = int(case.settings["cash"])
        given.append({"orders": case.orders, "market": case.market, **options})
    answer = run_command(
        [python, *ALONE, HERE / dialect.script], CASES_SECONDS, f"{dialect.script} failed", json.dumps(given)
    )
    return list(json.loads(answer)["outcomes"])


def _told(dialect: Dialect, outcome: str) -> str:
    """An outcome without what the engine does not tell."""
    entries = outcome.split("; ")
    for pattern, instead in dialect.untold.items():
        entries = [re.sub(pattern, instead, entry) for entry in entries]
    entries = [entry for entry in entries if entry]
    return "; ".join(_joined(entries) if dialect.joins else entries) or "rests"


def _joined(entries: list[str]) -> list[str]:
    """Neighbouring fills of one row and price as one."""
    out: list[str] = []
    for entry in entries:
        before, now = (_FILL.match(out[-1]) if out else None), _FILL.match(entry)
        if before and now and before[1] == now[1] and before[3] == now[3]:
            out[-1] = f"{now[1]}: {int(before[2]) + int(now[2])} at {now[3]}"
        else:
            out.append(entry)
    return out


def _text(case: Difference) -> str:
    return f"{case.settings['profile']}: {case.orders} | {case.market}"
