"""Whole runs of strategies that only signal: plans from the configuration, exits, netting, and the same again."""

from pathlib import Path
from typing import Any

import pytest

from kernel.events.catalogue import WeightSet
from kernel.events.layout import (
    CANCELED,
    CHECKED,
    CROSSED,
    EXIT_TRIGGERED,
    FILLED,
    INTENDED,
    SIGNAL,
    TARGET_SET,
    TRADE_CLOSED,
)
from kernel.exits_nb import STOP_LOSS, TRAILING_STOP
from kernel.lifecycle import CANCEL_NO_FUNDS, EXIT_ORDER, REDUCE_ONLY
from kernel.market import WEIGHT
from kernel.risk.numbers import BUYING_POWER
from replay.catalogue.intervals import UNITS_NS
from replay.execution import prepare
from replay.history import History
from replay.loading import load_universe
from replay.portfolio.table import write_weights
from replay.portfolio.walk import Rebalancing, sample_prices
from replay.runner import audit_journal
from tests.replay.runs import SPY, config, records_in, run

FILE = Path(__file__).with_name("signal_strategies.py")
PLANS: dict[str, Any] = {
    "to": "1999-06-01",
    "sizing": {"model": "atr_risk", "by_confidence": True},
    "exits": {"stop": 0.02, "trail": 0.015, "rungs": [[0.01, 0.5]]},
}


def settings(*entries: dict[str, Any], **plans: Any) -> dict[str, Any]:
    return {"strategy": [{"use": f"{FILE}:breakout", **entry} for entry in entries], **PLANS, **plans}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("signals") / "run"
    return out, run(out, **settings({}))


def test_signals_become_targets_orders_trades_and_exits(alone: tuple[Path, dict[str, Any]]) -> None:
    out, result = alone
    records = records_in(out)
    kinds = set(records["kind"].tolist())
    assert {SIGNAL.kind, TARGET_SET.kind, EXIT_TRIGGERED.kind, TRADE_CLOSED.kind} <= kinds
    assert result["trades"] > 10
    reasons = set(records[records["kind"] == EXIT_TRIGGERED.kind]["words"][:, EXIT_TRIGGERED.reason].tolist())
    assert {STOP_LOSS, TRAILING_STOP} & reasons
    sequences = {int(sequence): int(kind) for sequence, kind in zip(records["sequence"], records["kind"], strict=True)}
    for record in records[records["kind"] == INTENDED.kind]:
        exits = record["words"][INTENDED.purpose] == EXIT_ORDER
        assert sequences[int(record["cause"])] == (EXIT_TRIGGERED.kind if exits else TARGET_SET.kind)
        assert not exits or record["words"][INTENDED.instructions] == REDUCE_ONLY


def test_the_journal_is_re_run_identically(alone: tuple[Path, dict[str, Any]]) -> None:
    report = audit_journal(alone[0] / "journal", prepare(config(**settings({}))))
    assert report.complete
    assert report.result_hash == alone[1]["result_hash"]


def test_plain_python_gives_the_same_journal(alone: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    python = {**settings({}), "strategy": [{"use": f"{FILE}:Breakout"}]}
    assert run(tmp_path / "run", **python) == alone[1]


def test_opposite_strategies_that_net_trade_with_each_other_alone(tmp_path: Path) -> None:
    lots = {"model": "fixed_lots", "lots": 10}
    plans = {"sizing": lots, "exits": {}, "portfolio": {"net": True}}
    result = run(tmp_path / "run", **settings({}, {"set": {"invert": 1}}, **plans))
    records = records_in(tmp_path / "run")
    crosses = records[records["kind"] == CROSSED.kind]["words"]
    assert len(crosses) > 10
    assert (crosses[:, CROSSED.side] * crosses[:, CROSSED.quantity_lots]).sum() == 0
    assert (crosses[:, CROSSED.leaves_lots] == 0).all(), "nothing is left to send"
    assert result["trades"] > 10


def test_what_nets_needs_power_for_the_rest_alone_here_and_at_the_venue(tmp_path: Path) -> None:
    """One wants nine tenths of equity, the other is short by half: each for itself is too much for the account."""
    plans = {"exits": {}, "limits": {"margin": 1.0}}
    entries = [{"sizing": {"model": "equity_share", "share": 0.9}},
               {"sizing": {"model": "equity_share", "share": 0.5}, "set": {"invert": 1}}]  # fmt: skip
    outcomes = {}
    for net in (True, False):
        netted = [{**entry, "portfolio": {"net": net}} for entry in entries]
        run(tmp_path / str(net), **settings(*netted, **plans))
        records = records_in(tmp_path / str(net))
        verdicts = records[records["kind"] == CHECKED.kind]["words"][:, CHECKED.check]
        reasons = records[records["kind"] == CANCELED.kind]["words"][:, CANCELED.reason]
        crosses = (records["kind"] == CROSSED.kind).sum()
        no_funds = int((reasons == CANCEL_NO_FUNDS).sum())
        outcomes[net] = set(verdicts.tolist()), no_funds, crosses > 10, (records["kind"] == FILLED.kind).sum() > 10
    assert outcomes[True] == ({0}, 0, True, True)
    assert outcomes[False][0] == {0, BUYING_POWER}


def test_recorded_weights_move_what_is_held(tmp_path: Path) -> None:
    universe = load_universe([SPY])
    times, _ = sample_prices(universe, UNITS_NS["d"])
    walked = [Rebalancing(int(times[at]), (rate,)) for at, rate in ((5, 60_000_000), (20, 20_000_000), (30, 0))]
    write_weights(tmp_path / "weights", universe, walked, {})
    out, plans = tmp_path / "run", {"to": "1998-06-01", "portfolio": {"method": "weights", "share": 0.5}}
    run(out, data=[SPY, str(tmp_path / "weights")], strategy=[{"use": f"{FILE}:always_long"}], **plans)
    records = records_in(out)
    targets = records[records["kind"] == TARGET_SET.kind]
    told = [(int(words[TARGET_SET.weight_rate]), int(words[TARGET_SET.target_lots])) for words in targets["words"]]
    assert [rate for rate, _ in told] == [0, 60_000_000, 20_000_000, 0]
    assert told[1][1] > 2 * told[2][1] > 0 == told[3][1]
    history = History(out)
    causes = [history.event(int(cause)).event for cause in targets["cause"][1:]]
    assert causes == [WeightSet(60_000_000), WeightSet(20_000_000), WeightSet(0)]
    assert WEIGHT in {file.kind for file in prepare(config(data=[SPY, str(tmp_path / "weights")])).universe.files}
