"""``kernel calibrate``: pairs from a run and from a table, and the file that comes of it runs."""

import json
from pathlib import Path

import numpy as np
import pytest

from kernel.events.layout import SIGNAL
from replay.calibration import CalibrationError, binned, fit, pairs_of_run, pairs_of_table
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.runner import audit_journal
from tests.cli.helpers import kernel
from tests.replay.runs import config, records_in, run

FILE = Path(__file__).with_name("signal_strategies.py")
SETTINGS = {"to": "1999-06-01", "strategy": [{"use": f"{FILE}:breakout"}]}


def test_each_round_trip_has_the_confidence_of_its_signal(tmp_path: Path) -> None:
    run(tmp_path / "run", **SETTINGS)
    confidence, right = pairs_of_run(tmp_path / "run" / "journal", 0)
    assert len(confidence) > 20
    assert set(confidence) == {0.5}
    assert 0 < right.sum() < len(right)


def test_a_table_is_fitted_by_the_command_and_its_output_is_configuration(tmp_path: Path) -> None:
    drawn = np.random.default_rng(3)
    confidence = np.round(drawn.uniform(0, 1, 200), 4)
    right = (drawn.uniform(0, 1, 200) < confidence).astype(int)
    table = tmp_path / "pairs.csv"
    lines = [f"{one},{other}" for one, other in zip(confidence, right, strict=True)]
    table.write_text("confidence,right\n" + "\n".join(lines) + "\n")
    for method in ("platt", "isotonic"):
        done = kernel("calibrate", str(table), "--method", method, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        file = tmp_path / f"{method}.toml"
        file.write_text(f'[[strategy]]\nuse = "{FILE}:breakout"\n{done.stdout}')
        (entry,) = load_config(file, {}).strategies
        assert entry.calibration.method == method
        given = {**SETTINGS, "strategy": [json.loads(json.dumps(_plain(entry)))]}
        run(tmp_path / method, **given)
        records = records_in(tmp_path / method)
        signals = records[records["kind"] == SIGNAL.kind]["words"]
        assert set(signals[:, SIGNAL.raw_confidence_rate].tolist()) == {50_000_000}
        assert audit_journal(tmp_path / method / "journal", prepare(config(**given))).complete


def _plain(entry) -> object:
    import msgspec

    return msgspec.to_builtins(entry)


def test_many_confidences_are_put_into_bins() -> None:
    x, y, weight = binned(np.linspace(0, 1, 1000), np.arange(1000) % 2)
    assert len(x) == len(y) == len(weight) == 32
    assert weight.sum() == 1000
    x, y, weight = binned(np.array([0.5, 0.2, 0.5]), np.array([1, 0, 0]))
    assert (x.tolist(), y.tolist(), weight.tolist()) == ([0.2, 0.5], [0.0, 0.5], [1.0, 2.0])


def test_what_cannot_be_fitted_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="there are 3 pairs; 10 are needed"):
        fit(np.array([0.1, 0.2, 0.3]), np.array([0, 1, 0]), "platt")
    with pytest.raises(CalibrationError, match="all were right, or all wrong"):
        fit(np.linspace(0, 1, 20), np.ones(20, int), "platt")
    file = tmp_path / "x.csv"
    for text, message in (
        ("a,right\n1,1\n", "no column confidence; it has a, right"),
        ("confidence,right\n1.5,1\n", "confidences are from 0 to 1"),
        ("confidence,right\nx,1\n", "must be numbers"),
    ):
        file.write_text(text)
        with pytest.raises(CalibrationError, match=message):
            pairs_of_table(file)
    done = kernel("calibrate", str(file), "--method", "platt", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)


STRATEGY = '[[strategy]]\nuse = "grid"\n[strategy.calibration]\n'
WRONG = [
    (STRATEGY + 'method = "best"\n', "line 4: strategy.calibration.method is 'best'; it is one of platt, isotonic"),
    (STRATEGY + 'method = "platt"\nslope = 1\n', "line 4: .*platt needs slope and intercept"),
    (STRATEGY + 'method = "isotonic"\npoints = [[0.5, 0.5], [0.4, 0.6]]\n', "line 5: .*does not rise"),
    (STRATEGY + 'method = "isotonic"\npoints = [[0.5, 1.5]]\n', "line 5: .*both are from 0 to 1"),
    ("[regimes]\nbull = 11\n", "line 2: regimes.bull is beyond 10"),
    ("[regimes]\nbull = {long = -1}\n", "line 2: regimes.bull is -1; it cannot be negative"),
    ('[filters]\nclose_before = "5m"\n', "line 2: filters.close_before needs market_hours = true"),
    ("[filters]\nminimum_confidence = 2\n", "line 2: filters.minimum_confidence is 2; it is 1 at most"),
    ('[filters]\nnews_blackout = "soon"\n', "line 2: filters.news_blackout is 'soon'; write a length of time"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_setting_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file, {})
