"""Real money needs three switches, each for itself; every way in which one is off is told."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replay.config.live import LiveConfig
from replay.live.switches import VALUE, VARIABLE, missing_switches

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ON = {VARIABLE: VALUE}
GOOD = 'venue = "bybit"\napproved_by = "somebody"\nexpires = 2030-01-02T00:00:00Z\n'


def approval(folder: Path, text: str = GOOD, mode: int = 0o600) -> LiveConfig:
    file = folder / "approval.toml"
    file.write_text(text)
    file.chmod(mode)
    return LiveConfig(venue="bybit", mode="live", approval=str(file))


def test_all_three_are_on(tmp_path: Path) -> None:
    assert missing_switches(approval(tmp_path), ON, NOW) == []


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        (GOOD.replace("bybit", "alpaca"), 0o600, "is for venue 'alpaca'"),
        (GOOD.replace("approved_by", "by"), 0o600, "does not say approved_by"),
        (GOOD.replace("2030-01-02", "2029-12-31"), 0o600, "expired"),
        (GOOD.replace("2030-01-02T00:00:00Z", "2030-01-02T00:00:00"), 0o600, "no expires with a time zone"),
        (GOOD.replace("expires", "until"), 0o600, "no expires"),
        ("not toml", 0o600, "not valid TOML"),
        (GOOD, 0o620, "can be written by others"),
    ],
)
def test_a_bad_approval_is_none(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    (found,) = missing_switches(approval(tmp_path, text, mode), ON, NOW)
    assert problem in found


def test_each_switch_is_needed(tmp_path: Path) -> None:
    live = approval(tmp_path)
    (found,) = missing_switches(live, {}, NOW)
    assert VARIABLE in found
    os.remove(live.approval)
    (found,) = missing_switches(live, ON, NOW)
    assert "cannot be read" in found
    found = missing_switches(LiveConfig(venue="bybit", mode="paper"), {}, NOW)
    assert len(found) == 3
