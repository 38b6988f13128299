"""Whole runs with several currencies and accounts: what they come to, and that every event leaves the ledger sound."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from kernel.cli import cli
from kernel.events.layout import CHECKED
from kernel.ledger_nb import ledger_sum_nb, total_nb
from kernel.risk.numbers import BUYING_POWER
from replay.config import ConfigError, load_config
from replay.execution import prepare
from replay.history import History
from replay.result import RunResult
from replay.runner import run_backtest
from replay.sample import sample_root

BTC, PERP = str(sample_root() / "coinbase" / "BTC-USD"), str(sample_root() / "binance-perp")
ACCOUNTS = """
fsync = "off"
digest_interval = 500
from = "2024-08-01"
to = "2024-08-09"
[[account]]
name = "coinbase"
venue = "coinbase"
currency = "USD"
cash = 50000
[[account]]
name = "perps"
venue = "binance-perp"
currency = "USDT"
cash = { USDT = 20000, USD = 1000 }
sweep = true
[rates]
"USDT/USD" = "0.9997"
[financing]
at = "04:00"
interest = { USD = 0.04 }
[[strategy]]
use = "holder.py"
"""
HOLDER = """
from kernel.strategy.python import Strategy


class Holder(Strategy):
    name = "holder"
    fraction: float = 0.5

    def on_bar(self, bar):
        self.enter()

    def on_trade(self, trade):
        self.enter()

    def enter(self):
        if self.position_lots == 0 and not self.open_orders:
            self.target_fraction(self.fraction)
"""


def run(folder: Path, text: str, data: tuple[str, ...] = (BTC, PERP)) -> RunResult:
    file = folder / "run.toml"
    file.write_text(text)
    (folder / "holder.py").write_text(HOLDER)
    values: dict[str, Any] = {"data": list(data)}
    return run_backtest(prepare(load_config(file, values)), folder / "run")


def test_two_accounts_in_two_currencies(tmp_path: Path) -> None:
    result = run(tmp_path, ACCOUNTS)
    assert result.currency == "USD"
    assert result.fills == 2
    state = History(tmp_path / "run").fold(None).state
    assert all(ledger_sum_nb(balance) == 0 for balance in state.balances[: state.head.balance_count])
    coinbase, perps = state.accounts[0], state.accounts[1]
    assert coinbase.gross_minor > 0
    assert perps.gross_minor > 0, "each instrument is traded through the account of its venue"
    assert result.final_equity_minor == int(total_nb(state)[0])
    swept = [int(balance.conversion_minor) for balance in state.balances[: state.head.balance_count] if balance.account]
    assert all(swept), "the dollars were swept into the currency of the account"
    assert int(state.balances[0].interest_minor) > 0
    shown = CliRunner().invoke(cli, ["verify", "--deep", str(tmp_path / "run")])
    assert shown.exit_code == 0, shown.output
    assert "debits equal credits" in shown.output
    at = CliRunner().invoke(cli, ["at", str(tmp_path / "run"), "end"]).output
    assert "account  perps  USDT" in at
    assert "USD conversion" in at


def test_currencies_without_an_account_are_refused(tmp_path: Path) -> None:
    text = '[[strategy]]\nuse = "buy_and_hold"\n'
    with pytest.raises(ConfigError, match="account is needed: the instruments settle in USD and USDT"):
        run(tmp_path, text)


def test_a_rate_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rates must say USDT/USD"):
        run(tmp_path, ACCOUNTS.replace('[rates]\n"USDT/USD" = "0.9997"\n', "").replace(", USD = 1000", ""))


@pytest.mark.parametrize(
    ("mode", "fraction", "refused"),
    [("cash", -0.5, True), ("cash", 1.5, True), ("cash", 0.5, False), ("margin", -0.5, False), ("margin", 1.5, True)],
)
def test_a_cash_account_neither_borrows_nor_sells_short(
    tmp_path: Path, mode: str, fraction: float, refused: bool
) -> None:
    text = f'''
fsync = "off"
from = "2024-08-01"
to = "2024-08-03"
[[account]]
name = "main"
currency = "USD"
mode = "{mode}"
[[strategy]]
use = "holder.py"
set = {{ fraction = {fraction} }}
'''
    result = run(tmp_path, text, (BTC,))
    assert (result.fills == 0) == refused
    records = np.concatenate([frame.records for frame in History(tmp_path / "run").frames()])
    checks = records["words"][records["kind"] == CHECKED.kind, CHECKED.check]
    assert set(checks.tolist()) == ({BUYING_POWER} if refused else {0})
