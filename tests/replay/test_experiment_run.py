"""Two engines in one run: the second on paper, where it is routed; and ``kernel compare`` of them and of two runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from kernel.events.layout import INPUT_ROUTED, INTENDED, SHADOW_FILLED
from kernel.pipeline.rules import ARM_A, ARM_B
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.history import History
from replay.inspect.engines import EngineError, Facts, compare_engines, default_engines
from replay.runner import SHADOW_TRADES, TRADES, audit_journal
from tests.cli.helpers import kernel
from tests.replay.runs import config, records_in, run

SETTINGS: dict[str, Any] = {
    "to": "1999-06-01",
    "strategy": [{"use": "ema_cross", "name": "champion"}, {"use": "macd_cross", "name": "challenger"}],
    "experiment": {"a": ["champion"], "b": ["challenger"], "percent": 40, "seed": 7},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("experiment") / "run"
    run(out, **SETTINGS)
    return out


def facts(path: Path) -> Facts:
    return Facts(History(path), lambda done, total: None)


def test_the_second_arm_acts_on_paper_and_only_where_it_is_routed(done: Path) -> None:
    records = records_in(done)
    routes = records[records["kind"] == INPUT_ROUTED.kind]
    arms = dict(zip(routes["words"][:, INPUT_ROUTED.unit].tolist(), routes["words"][:, INPUT_ROUTED.arm].tolist(),
                    strict=True))  # fmt: skip
    assert 0.2 < np.mean([arm == ARM_B for arm in arms.values()]) < 0.6
    assert set(records[records["kind"] == INTENDED.kind]["strategy"].tolist()) == {0}
    held, entries = 0, 0
    for fill in records[records["kind"] == SHADOW_FILLED.kind]:
        change = int(fill["words"][SHADOW_FILLED.side] * fill["words"][SHADOW_FILLED.quantity_lots])
        if abs(held + change) > abs(held):
            entries += 1
            assert arms[int(fill["ts_event_ns"]) // 86_400_000_000_000] == ARM_B
        held += change
    assert entries > 5


def test_the_first_arm_does_not_notice(done: Path, tmp_path: Path) -> None:
    run(tmp_path / "alone", to=SETTINGS["to"], strategy=SETTINGS["strategy"][:1])
    assert pq.read_table(done / TRADES).equals(pq.read_table(tmp_path / "alone" / TRADES))


def test_it_comes_again(done: Path, tmp_path: Path) -> None:
    assert audit_journal(done / "journal", prepare(config(**SETTINGS))).complete
    other = run(tmp_path / "full", 500, journal="full", **SETTINGS)
    assert other["trades"] == len(pq.read_table(done / TRADES))


def test_the_figures_are_those_of_the_tables(done: Path) -> None:
    told = facts(done)
    found = compare_engines(told, told.arm(ARM_A), told, told.arm(ARM_B))
    assert default_engines(told) == ([0], [1])
    for side, file in ((found.left, TRADES), (found.right, SHADOW_TRADES)):
        table = pq.read_table(done / file)
        net = table["realised_minor"].to_numpy() - table["fees_minor"].to_numpy() + table["income_minor"].to_numpy()
        assert (side.total.trades, side.total.won) == (len(net), int((net > 0).sum()))
        assert (side.total.profit_minor, side.total.fees_minor) == (net.sum(), table["fees_minor"].to_numpy().sum())
        curve = np.concatenate([[0], np.cumsum(net)])
        assert side.total.drawdown_minor == max(curve[: at + 1].max() - curve[at] for at in range(len(curve)))
        assert 0 < side.total.exposure < 1
        assert side.instruments["us/SPY"] == side.total
    assert (found.left.on_paper, found.right.on_paper) == (False, True)
    assert found.right.routed.trades == found.right.total.trades
    assert 0 < found.left.routed.trades < found.left.total.trades
    assert 0 < found.agreement < 1


def test_an_engine_agrees_with_itself(done: Path) -> None:
    told = facts(done)
    found = compare_engines(told, [0], told, [0])
    assert found.agreement == 1.0
    assert found.left == found.right


def test_the_command_shows_one_run_and_two(done: Path, tmp_path: Path) -> None:
    shown = kernel("compare", str(done), cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "champion" in shown.stdout.splitlines()[0]
    assert "challenger (on paper)" in shown.stdout.splitlines()[0]
    assert "routed to B" in shown.stdout
    told = json.loads(kernel("compare", str(done), str(done), "--json", cwd=tmp_path).stdout)
    assert told["left"] == told["right"]
    assert told["left"]["strategies"] == ["champion", "challenger"]
    wrong = kernel("compare", str(done), "--a", "nobody", "--b", "champion", cwd=tmp_path)
    assert (wrong.returncode, len(wrong.stderr.strip().splitlines())) == (2, 1)
    assert "no strategy 'nobody' in the run; it has champion, challenger" in wrong.stderr


def test_a_run_with_one_engine_has_nothing_to_compare(tmp_path: Path) -> None:
    run(tmp_path / "run", to="1999-01-01")
    with pytest.raises(EngineError, match="name --a and --b"):
        default_engines(facts(tmp_path / "run"))


TWO = '[[strategy]]\nuse = "grid"\n[[strategy]]\nuse = "pairs"\n[experiment]\n'
WRONG = [
    (TWO + 'a = ["grid"]\n', "line 5: experiment.b is missing"),
    (TWO + 'a = ["grid"]\nb = ["grid"]\n', "line 7: experiment.b is 'grid', which is in an arm already"),
    (TWO + 'a = ["grid"]\nb = ["ema"]\n', "line 7: experiment.b is 'ema'; name one strategy of the run: grid, pairs"),
    (TWO + 'a = ["grid"]\nb = ["pairs"]\npercent = 101\n', "line 8: experiment.percent is 101; it is 100 at most"),
    (TWO + 'a = ["grid"]\nb = ["pairs"]\nby = "week"\n', "line 8: experiment.by is 'week'; it is one of day, session"),
    (TWO + 'a = ["grid"]\nb = ["pairs"]\nseed = -1\n', "line 8: experiment.seed is -1; it must be a whole number"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_an_experiment_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file, {})
