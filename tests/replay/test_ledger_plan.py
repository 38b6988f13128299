"""``[[account]]``, ``[rates]``, ``[margin]``, ``[financing]``: what they open, and each mistake refused in one line."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kernel.events import catalogue as c
from kernel.instruments import Instrument
from replay.config import ConfigError, RunConfig, SettingError, StrategyConfig, load_config
from replay.ledger_plan import deposit_events, instrument_event, money_events, plan_ledger, terms_events

SPY = Instrument(venue="us", symbol="SPY", currency="USD", tick_size="0.01", lot_size="1", contract="equity")
DAX = Instrument(venue="de", symbol="DAX", currency="EUR", tick_size="0.1", lot_size="1", contract="equity")
PERP = Instrument(
    venue="bybit", symbol="BTCUSD", currency="BTC", tick_size="0.5", lot_size="1", contract="inverse-perpetual"
)
FX = Instrument(venue="oanda", symbol="EURUSD", currency="USD", tick_size="0.00001", lot_size="1", contract="fx")
ALL = (PERP, DAX, FX, SPY)

GOOD = """
cash = 1000
[[account]]
name = "main"
currency = "USD"
cash = { USD = 5000, EUR = "10.5" }
[[account]]
name = "coins"
currency = "BTC"
venue = "bybit"
books = "hedging"
sweep = true
cash = 2
[rates]
"EUR/USD" = { rate = "1.1", instrument = "oanda/EURUSD" }
"BTC/USD" = 20000
[margin]
leverage = 10
maintenance = 0.005
[margin.instruments."bybit/BTCUSD"]
leverage = 50
[[margin.instruments."bybit/BTCUSD".tiers]]
up_to = 150
leverage = 100
maintenance = 0.005
[[margin.instruments."bybit/BTCUSD".tiers]]
up_to = 300
leverage = 50
maintenance = 0.01
deduction = 0.75
[financing]
at = "22:00"
borrow = 0.03
interest = { USD = 0.02 }
"""


def load(tmp_path: Path, text: str) -> RunConfig:
    file = tmp_path / "run.toml"
    file.write_text(text)
    return load_config(file, {})


def asking(config: RunConfig, wanted: tuple[str, ...]) -> RunConfig:
    """The configuration with strategies that ask for these accounts."""
    entries = [StrategyConfig(use="do_nothing", account=account) for account in wanted]
    return msgspec.structs.replace(config, strategies=entries)


def opened(config: RunConfig, instruments: tuple[Instrument, ...], *wanted: str) -> list[tuple[Any, int]]:
    plan = plan_ledger(asking(config, wanted or ("",)), instruments)
    found = [*money_events(plan, config)]
    found += [(n, -1, instrument_event(plan, one, True), b"", 0) for n, one in enumerate(instruments)]
    found += [*terms_events(plan, config, instruments, 10**18), *deposit_events(plan)]
    return [(event, account) for _, _, event, _, account in found]


def test_what_a_full_configuration_opens(tmp_path: Path) -> None:
    events = opened(load(tmp_path, GOOD), ALL)
    assert (c.AccountDefined(0, 0, 0, 0), 0) in events
    assert (c.AccountDefined(1, 0, 1, 1), 1) in events
    assert (c.RateStated(2, 0, 11, 10), 0) in events
    assert (c.RateStated(1, 0, 200, 1), 0) in events  # 20,000 USD at 6 decimals for one BTC at 8
    assert (c.RateSourceDefined(2, 0, 1, 100_000), 0) in events
    assert (c.BookAssigned(1), 1) in events
    assert (c.TermsSet(2_000_000, 500_000, 0, 0), 0) in events  # leverage 50; margined contracts are not borrowed
    assert (c.TermsSet(0, 0, 3_000_000, 0), 0) in events
    assert (c.MarginTierSet(15_000_000_000, 1_000_000, 500_000, 0), 0) in events
    assert (c.MarginTierSet(30_000_000_000, 2_000_000, 1_000_000, 75_000_000), 0) in events
    assert (c.InterestSet(0, 2_000_000, 0), 0) in events
    assert (c.MarginRulesSet(125_000_000), 0) in events
    deposits = [(event, account) for event, account in events if isinstance(event, c.CashDeposited)]
    assert deposits == [
        (c.CashDeposited(0, 5_000_000_000), 0), (c.CashDeposited(2, 10_500_000), 0), (c.CashDeposited(1, 2 * 10**8), 1),
    ]  # fmt: skip
    (accrual,) = [event for event, _ in events if isinstance(event, c.AccrualSet)]
    assert accrual.first_ns > 10**18
    assert accrual.first_ns % (86_400 * 10**9) == 22 * 3600 * 10**9


def test_without_a_word_there_is_one_account_in_the_currency_of_the_data() -> None:
    events = opened(RunConfig(), (SPY,))
    assert [type(event).__name__ for event, _ in events] == ["CurrencyDefined", "InstrumentDefined", "CashDeposited"]
    assert events[-1] == (c.CashDeposited(0, 100_000 * 10**6), 0)


ONE = '[[account]]\nname = "a"\ncurrency = "USD"\n'
TWO = ONE + 'cash = 1\nvenue = "us"\n'
MISTAKES = [
    ("[margin]\nleverage = -3", "line 2: margin.leverage is -3; it cannot be negative"),
    ("[margin]\nleverage = 5000", "margin.leverage is 5000; it must lie between 0.01 and 1000"),
    ("[margin]\nleverage = 10\nmaintenance = 0.2", "margin.maintenance is 0.2, more than the initial margin"),
    ("[margin]\ncall = 0.5", "margin.call is 0.5; a call comes before the liquidation"),
    ("[rates]\nEURUSD = 1", "rates.EURUSD is no pair of currencies"),
    ('[rates]\n"EUR/USD" = 0', "rates.EUR/USD is 0; a rate is above 0"),
    ('[rates]\n"EUR/USD" = "x"', "rates.EUR/USD cannot be used"),
    (ONE + 'mode = "loan"', "account.mode is 'loan'; it is one of margin, cash"),
    (ONE + 'books = "both"', "account.books is 'both'"),
    (TWO + ONE, "account.name is 'a' twice"),
    (TWO + ONE.replace('"a"', '"b"'), "account.cash of b must be said"),
    ('[[account]]\nname = "a"\ncurrency = ""', "needs a name and a currency"),
    ('[financing]\nat = "25:00"', "financing.at is '25:00'; write a time of day"),
    ("[financing]\ndays_per_year = 300", "financing.days_per_year is 300"),
    ("[financing]\nborrow = -1", "financing.borrow is -1; it cannot be negative"),
    ("[financing]\nborow = 1", "did you mean financing.borrow?"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_a_setting_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


AGAINST_THE_DATA = [
    ("", (SPY, DAX), "", "account is needed: the instruments settle in EUR and USD"),
    (ONE, (SPY, DAX), "", "rates must say EUR/USD: account a holds EUR, and counts in USD"),
    (ONE, (SPY,), "b", "strategy.account is 'b'; there is no such account"),
    (TWO, (DAX,), "a", "strategy.account is a, of us; de/DAX is not there"),
    (TWO, (DAX,), "", "account is missing for de, where de/DAX is traded"),
    (TWO + TWO.replace('"a"', '"b"'), (SPY,), "", "account.venue leaves open which of a and b trades us/SPY"),
    ('[rates]\n"EUR/USD" = 1', (SPY,), "", "rates.EUR/USD names EUR, which is not held; there is USD"),
    ('[margin.instruments."us/QQQ"]\nleverage = 2', (SPY,), "", "is no instrument of the data, which has us/SPY"),
    ("[financing]\nborrow_rates = { SPY = 1 }", (SPY,), "", "is no instrument of the data"),
    ("[financing]\ninterest = { EUR = 1 }", (SPY,), "", "financing.interest.EUR is not held; there is USD"),
    (
        ONE + '[rates]\n"EUR/USD" = { rate = 1, instrument = "us/X" }', (SPY, DAX), "",
        "rates.EUR/USD.instrument is 'us/X', not in the data",
    ),
    (
        ONE + '[rates]\n"EUR/USD" = { rate = 1, instrument = "de/DAX" }', (SPY, DAX), "",
        "rates.EUR/USD.instrument is quoted in EUR, not in USD",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "instruments", "wanted", "message"), AGAINST_THE_DATA, ids=[row[3][:40] for row in AGAINST_THE_DATA]
)
def test_a_setting_that_contradicts_the_data(
    tmp_path: Path, text: str, instruments: tuple[Instrument, ...], wanted: str, message: str
) -> None:
    with pytest.raises(SettingError) as error:
        plan_ledger(asking(load(tmp_path, text), (wanted,)), instruments)
    assert message in str(error.value)
