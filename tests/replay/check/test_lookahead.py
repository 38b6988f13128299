"""Strategies that look ahead are caught, each in the way in which it does it; honest ones are not."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernel.market import BAR, QUOTE, ROW
from replay.check.lookahead import LookaheadReport, check_lookahead
from replay.check.preparing import prepare_check
from replay.check.tapes import change
from strategies import BUILT_IN, OF_OTHERS
from tests.replay.check import cheats
from tests.replay.runs import SPY, config
from tests.strategies.decisions import data_of

SPAN = {"from": "1998-01-02", "to": "1998-04-01"}


def check(use: str, data: list[str], cuts: int = 4, ask_who: bool = True, **settings: object) -> LookaheadReport:
    prepared, watch = prepare_check(config(**{"data": data, **SPAN, **settings}), use, {}, ask_who=ask_who)
    return check_lookahead(prepared, watch, cuts=cuts)


def written(folder: Path, text: str) -> tuple[str, str]:
    """A strategy file, and the data beside it that it may know of."""
    data, notes = folder / "bars.parquet", folder / "notes.txt"
    shutil.copy(SPY, data)
    notes.write_text("up", encoding="utf-8")
    file = folder / "cheat.py"
    file.write_text(text.format(data=str(data), notes=str(notes)), encoding="utf-8")
    return str(file), str(data)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (cheats.PEEKS, "data that ends"),
        (cheats.REMEMBERS, "the same data again"),
        (cheats.READS_AT_IMPORT, "which holds the run's data"),
        (cheats.ASKS_A_LIBRARY, "which holds the run's data"),
        (cheats.READS_WHEN_CALLED, "notes.txt, in on_bar (line 6)"),
        (cheats.FUTURE_IN_COMPILED, "notes.txt, in <module> (line 7)"),
    ],
)
def test_each_way_to_cheat_is_caught(tmp_path: Path, text: str, found: str) -> None:
    use, data = written(tmp_path, text)
    report = check(use, [data])
    assert not report.is_good
    told = [cut.what for cut in report.cuts if cut.difference is not None] + list(report.reads)
    assert any(line.endswith(found) for line in told), told


@pytest.mark.parametrize("text", [cheats.READS_AT_IMPORT, cheats.ASKS_A_LIBRARY])
def test_readers_are_caught_where_the_system_does_not_say_who_it_was(tmp_path: Path, text: str) -> None:
    use, data = written(tmp_path, text)
    assert check(use, [data], cuts=1, ask_who=False).reads == (f"opens {data}, which holds the run's data",)


@pytest.mark.parametrize("ask_who", [True, False])
def test_somebody_else_who_opens_the_data_is_not_the_strategy(tmp_path: Path, ask_who: bool) -> None:
    use, data = written(tmp_path, cheats.HONEST)
    prepared, watch = prepare_check(config(data=[data], **SPAN), use, {}, ask_who=ask_who)
    subprocess.run([sys.executable, "-c", f"open({data!r}).close()"], check=True)
    assert check_lookahead(prepared, watch, cuts=1).is_good
    assert not watch.suspected


def test_the_first_event_that_differs_is_named(tmp_path: Path) -> None:
    use, data = written(tmp_path, cheats.PEEKS)
    bad = [cut for cut in check(use, [data]).cuts if cut.difference is not None]
    assert {cut.what for cut in bad} == {"data that ends", "another future"}
    for cut in bad:
        assert cut.difference is not None
        assert cut.difference.event == "OrderIntended"
        assert cut.difference_ts_ns == cut.ts_ns  # it looks one bar ahead, and the cut is right after its decision


def test_an_honest_strategy_is_not_accused(tmp_path: Path) -> None:
    use, data = written(tmp_path, cheats.HONEST)
    report = check(use, [data])
    assert report.is_good
    assert report.decisions > 100
    assert sum(cut.decisions > 0 for cut in report.cuts) == 9
    assert check(use, [data]) == report


@pytest.mark.parametrize("name", [*(name for name in BUILT_IN if name not in OF_OTHERS), "regime"])
def test_no_built_in_strategy_looks_ahead(name: str) -> None:
    quotes = name == "market_maker"
    span = {"from": "", "to": "2024-08-08T23:57:30"} if quotes else {"from": "2007-06-01", "to": "2008-06-01"}
    report = check(name, data_of(name), cuts=2, **span)
    assert report.is_good, report
    assert report.decisions > 0 or name == "do_nothing"


def test_an_ensemble_is_checked_with_its_members() -> None:
    """With --config the strategies beside it stay in the run."""
    members = [{"use": f"{name}_cross", "name": name, "shadow": True, "set": {"short": 1}} for name in ("ema", "macd")]
    ensemble = {"use": "ensemble", "ensemble": {"minimum_confidence": 0.5}}
    settings = config(data=[SPY], strategy=[*members, ensemble], **SPAN)
    prepared, watch = prepare_check(settings, "ensemble", {}, alone=False)
    assert len(prepared.strategies) == 3
    report = check_lookahead(prepared, watch, cuts=3)
    assert report.is_good
    assert report.decisions > 10
    assert len(prepare_check(settings, "ema_cross", {})[0].strategies) == 1


def test_another_future_is_valid_and_leaves_the_past() -> None:
    rows = np.zeros(400, ROW)
    rows["kind"] = np.where(np.arange(400) % 2, BAR, QUOTE)
    low = np.arange(1, 401)
    rows["words"][:, :6] = np.stack([low + 1, low + 3, low, low + 2, low, low], axis=1)
    rows["words"][rows["kind"] == QUOTE, 2] = low[rows["kind"] == QUOTE] + 2
    before = rows.copy()
    change(rows, 100, 5000, seed=3)
    assert np.array_equal(rows[:100], before[:100])
    assert (rows["words"][100:, :4] != before["words"][100:, :4]).any(axis=1).mean() > 0.95
    bars, quotes = rows[rows["kind"] == BAR]["words"], rows[rows["kind"] == QUOTE]["words"]
    assert (bars[:, 2] <= np.minimum(bars[:, 0], bars[:, 3])).all()
    assert (bars[:, 1] >= np.maximum(bars[:, 0], bars[:, 3])).all()
    assert (quotes[:, 0] < quotes[:, 2]).all()
    assert (rows["words"][:, :5] > 0).all()
    assert np.array_equal(rows["words"][:, 5], before["words"][:, 5])
    part = before.copy()[50:]
    change(part, 50, 5050, seed=3)
    assert np.array_equal(part, rows[50:])  # the same, however the rows come in batches
