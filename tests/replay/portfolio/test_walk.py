"""Rounding, the walk and its file: exact sums, no look at the future, one line for each mistake."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.cli import cli
from kernel.market import WEIGHT
from kernel.units import RATE_SCALE
from replay.catalogue.files import catalogue_path, open_file, read_columns, write_file
from replay.catalogue.intervals import UNITS_NS
from replay.catalogue.validate import validate_file
from replay.config import ConfigError
from replay.loading import Universe, load_universe
from replay.portfolio import PortfolioError
from replay.portfolio.methods import METHODS, MethodSettings
from replay.portfolio.rounding import to_weight_rates
from replay.portfolio.table import write_weights
from replay.portfolio.walk import Rebalancing, WalkSettings, sample_prices, walk
from replay.sample import sample_root
from replay.tape import Tape
from tests.reference.sizing import apportion

DAY_NS = UNITS_NS["d"]
FILES = [sample_root() / part for part in ("coinbase/BTC-USD/bars-4h.parquet", "us/SPY/bars-1h.parquet")]
SPANS = WalkSettings(lookback_ns=90 * DAY_NS, every_ns=180 * DAY_NS, start_ns=17_167 * DAY_NS)  # 2017
weight_lists = generators.lists(generators.floats(0.0, 1.0, allow_subnormal=False), min_size=1, max_size=9)


@settings(max_examples=300, deadline=None)
@given(weight_lists.filter(any), generators.integers(1, 100 * RATE_SCALE))
def test_rates_sum_exactly_and_are_a_unit_away_at_most(weights: list[float], total: int) -> None:
    rates = to_weight_rates(np.array(weights), total)
    assert sum(rates) == total
    whole = sum(map(Fraction, weights))
    assert all(abs(rate - total * Fraction(weight) / whole) < 1 for rate, weight in zip(rates, weights, strict=True))


@given(generators.lists(generators.integers(0, 2**20), min_size=1, max_size=9).filter(any))
def test_the_rule_is_that_of_the_kernel(weights: list[int]) -> None:
    assert to_weight_rates(np.array(weights, float), RATE_SCALE) == apportion(RATE_SCALE, weights)


def universe_of(*paths: Path) -> Universe:
    return load_universe([str(path) for path in paths or FILES])


def rewritten(path: Path, folder: Path, change: Any) -> Path:
    """A copy of a catalogue file with its rows changed."""
    file, columns = open_file(path), read_columns(path)
    columns = change(columns)
    times = columns["ts"]
    to = folder / path.parent.name / path.name
    to.parent.mkdir(parents=True, exist_ok=True)

    told = {"rows": len(times), "first_ts_ns": int(times[0]), "last_ts_ns": int(times[-1])}
    write_file(to, msgspec.structs.replace(file.metadata, **told), columns)
    return to


@pytest.mark.parametrize("method", ["equal", "inverse-volatility", "risk-parity"])
def test_weights_do_not_change_with_the_future(tmp_path: Path, method: str) -> None:
    """With prices doubled here and there from some time on, or gone, the weights up to that time are the same."""
    how = MethodSettings(method=method)
    whole = list(walk(universe_of(), how, SPANS))
    cut_ns = whole[2].ts_ns
    before = [at for at in whole if at.ts_ns <= cut_ns]

    def doubled(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        later = columns["ts"] > cut_ns
        for name in ("open", "high", "low", "close"):
            columns[name] = np.where(later & (np.arange(len(later)) % 7 < 3), columns[name] * 2, columns[name])
        return columns

    def gone(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: values[columns["ts"] <= cut_ns] for name, values in columns.items()}

    for name, change in (("doubled", doubled), ("gone", gone)):
        changed = [rewritten(path, tmp_path / name, change) for path in FILES]
        again = list(walk(universe_of(*changed), how, SPANS))
        assert [at for at in again if at.ts_ns <= cut_ns] == before
        if name == "doubled" and method != "equal":
            assert again != whole


def test_the_walk_is_on_its_schedule_and_sums_exactly() -> None:
    spans = WalkSettings(lookback_ns=90 * DAY_NS, every_ns=30 * DAY_NS, total_rate=RATE_SCALE // 2)
    walked = list(walk(universe_of(), MethodSettings(method="inverse-volatility"), spans))
    times = [at.ts_ns for at in walked]
    assert set(np.diff(times)) == {30 * DAY_NS}
    assert all(ts % DAY_NS == 0 for ts in times)
    assert {sum(at.weight_rates) for at in walked} == {RATE_SCALE // 2}
    assert walked == list(walk(universe_of(), MethodSettings(method="inverse-volatility"), spans))


def test_prices_are_the_last_ones_known_at_each_step() -> None:
    times, prices = sample_prices(universe_of(FILES[0]), DAY_NS)
    columns = read_columns(FILES[0])
    for at in (0, 5, len(times) - 1):
        known = columns["close"][columns["ts"] <= times[at]]
        assert prices[at, 0] == known[-1]
    assert (np.diff(times) == DAY_NS).all()


def test_an_instrument_takes_part_when_its_prices_reach_back_and_moved() -> None:
    """SPY's sample begins years before Bitcoin's and ends before it: then one is without history, the other still."""
    universe = universe_of()
    times, prices = sample_prices(universe, DAY_NS)
    for at in walk(universe, MethodSettings(method="equal"), SPANS):
        place = int(np.searchsorted(times, at.ts_ns))
        window = prices[place - 90 : place + 1]
        part = [not np.isnan(column[0]) and len(set(column.tolist())) > 1 for column in window.T]
        share = RATE_SCALE // sum(part)
        assert at.weight_rates == tuple(share if takes_part else 0 for takes_part in part)


def test_an_end_before_the_data_reaches_back_is_refused() -> None:
    spans = WalkSettings(lookback_ns=20_000 * DAY_NS, every_ns=DAY_NS)
    with pytest.raises(PortfolioError, match="no instrument has prices over 20000d"):
        list(walk(universe_of(), MethodSettings(method="equal"), spans))


@pytest.mark.parametrize(("lookback", "every"), [(2 * DAY_NS, DAY_NS), (90 * DAY_NS, DAY_NS // 2), (7, DAY_NS)])
def test_spans_that_are_no_whole_steps_are_refused(lookback: int, every: int) -> None:
    with pytest.raises(PortfolioError, match="whole steps of 1d"):
        list(walk(universe_of(), MethodSettings(method="equal"), WalkSettings(lookback_ns=lookback, every_ns=every)))


# --- the files ---


def test_the_files_hold_the_walk_and_pass_validation(tmp_path: Path) -> None:
    universe = universe_of()
    walked = list(walk(universe, MethodSettings(method="inverse-volatility"), SPANS))
    assert write_weights(tmp_path, universe, walked, {"method": "inverse-volatility"}) == len(walked)
    for place, instrument in enumerate(universe.instruments):
        path = catalogue_path(tmp_path, instrument, WEIGHT)
        file, problems = validate_file(path)
        assert problems == []
        assert (file.kind, file.rows, file.metadata.options) == (WEIGHT, len(walked), {"method": "inverse-volatility"})
        columns = read_columns(path)
        assert columns["ts"].tolist() == [at.ts_ns for at in walked]
        assert columns["weight_rate"].tolist() == [at.weight_rates[place] for at in walked]


def test_a_weight_beyond_100_is_found_by_validation(tmp_path: Path) -> None:
    universe = universe_of(FILES[0])
    write_weights(tmp_path, universe, [Rebalancing(DAY_NS, (101 * RATE_SCALE,))], {})
    _, problems = validate_file(catalogue_path(tmp_path, universe.instruments[0], WEIGHT))
    assert [problem.rule for problem in problems] == ["weight"]


def test_weights_without_prices_are_refused_and_with_them_come_after_their_bar(tmp_path: Path) -> None:
    universe = universe_of(FILES[0])
    close_ns = int(read_columns(FILES[0])["ts"][10])
    write_weights(tmp_path, universe, [Rebalancing(close_ns, (RATE_SCALE,))], {})
    with pytest.raises(ConfigError, match="weights for coinbase/BTC-USD, but no prices"):
        load_universe([str(tmp_path)])
    both = load_universe([str(FILES[0]), str(tmp_path)])
    assert both.volume_known == universe.volume_known
    rows = np.concatenate([batch.copy() for batch in Tape(both.files, both.ids)])
    at = int(np.flatnonzero(rows["kind"] == WEIGHT)[0])
    assert (at, int(rows["ts_ns"][at]), int(rows["words"][at][0])) == (11, close_ns, RATE_SCALE)


def test_no_rebalancing_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="no rebalancing"):
        write_weights(tmp_path, universe_of(), [], {})


# --- the command ---


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["weights", *(str(argument) for argument in arguments)])
    return result.exit_code, result.output


def test_the_command_writes_what_a_run_reads(tmp_path: Path) -> None:
    out = tmp_path / "weights"
    arguments = (*FILES, "--method", "inverse-volatility", "--every", "180d", "--from", "2017-01-01", "--out", out)
    code, text = call(*arguments)
    assert code == 0, text
    universe = universe_of(*FILES, out)
    weights = [file for file in universe.files if file.kind == WEIGHT]
    assert [file.instrument for file in weights] == list(universe.instruments)
    assert f"{weights[0].rows} rebalancings from 2017-01-" in text
    assert all(instrument.name in text for instrument in universe.instruments)
    first = weights[0].path.read_bytes()
    assert call(*arguments)[0] == 0
    assert weights[0].path.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "equal", "--lookback", "soon"], "--lookback: 'soon' is not an interval"),
        (["--method", "equal", "--sum", "0"], "--sum is 0; it must be above 0"),
        (["--method", "equal", "--sum", "much"], "--sum: 'much' is not a number"),
        (["--method", "equal", "--tau", "0.1"], "--tau has no meaning for equal"),
        (["--method", "risk-parity", "--view", "us/SPY=1"], "--view has no meaning for risk-parity"),
        (["--method", "mean-variance", "--risk-aversion", "0"], "--risk-aversion is 0.0; it must be above 0"),
        (["--method", "black-litterman", "--view", "up"], "write NAME=0.05"),
        (["--method", "black-litterman", "--view", "us/SPX=1"], "no data for 'us/SPX'; did you mean us/SPY?"),
        (["--method", "black-litterman", "--view", "us/SPY>us/SPY=1"], "compares an instrument with itself"),
        (["--method", "black-litterman", "--view", "us/SPY=1@2"], "the confidence must be between 0 and 1"),
        (["--method", "black-litterman", "--view", "us/SPY=x"], "'x' is not a number"),
        (["--method", "black-litterman", "--market", "us/SPY"], "write NAME=WEIGHT"),
        (["--method", "equal", "--from", "2018-01-02", "--to", "2018-01-01"], "--to is not after --from"),
    ],
)
def test_each_mistake_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["weights", *map(str, FILES), *arguments, "--out", str(tmp_path / "w.parquet")])
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "w.parquet").exists()


def test_the_names_of_the_methods_are_the_same_in_help_and_code() -> None:
    from kernel.cli.weights import METHODS as OFFERED

    assert list(OFFERED) == list(METHODS)
