"""The settings of a run: names, defaults, and their resolution into exact integers.

Each table of the file has a module of its own beside this one, with its struct and its check; ``RunConfig`` names it
and ``check`` calls it.
"""

from typing import Any

import msgspec

from kernel.units import BPS
from replay.config.amounts import Number, instant_ns, rate
from replay.config.bars import Bars, SeriesConfig, check_bars
from replay.config.ensemble import ENSEMBLE, EnsembleConfig, check_ensembles, ensemble_members, resolve_ensemble
from replay.config.errors import Places, SettingError
from replay.config.exits import ExitsConfig, check_exits, resolve_exits
from replay.config.experiment import ExperimentConfig, on_paper
from replay.config.features import FeaturesConfig, check_features
from replay.config.ledger import (
    AccountConfig,
    FinancingConfig,
    MarginConfig,
    RateConfig,
    check_accounts,
    check_financing,
    check_margin,
    check_rates,
)
from replay.config.limits import LimitsConfig, check_limits
from replay.config.live import LiveConfig, check_live
from replay.config.risk import RiskConfig, check_risk, trailing_stop_rate
from replay.config.shadow import ShadowConfig, check_shadow, shadow_rates
from replay.config.signals import (
    CalibrationConfig,
    FiltersConfig,
    RegimesConfig,
    check_signals,
    resolve_signal_plans,
)
from replay.config.sizing import (
    PortfolioConfig,
    SizingConfig,
    check_portfolio,
    check_sizing,
    resolve_portfolio,
    resolve_sizing,
)
from replay.config.venue import VenueConfig, check_venue, resolve_venue
from replay.venue.profiles import PROFILES

DEFAULT_DIGEST_INTERVAL = 262_144  # events; a digest hashes the whole state, which costs as much as 1,500 bars
FILL_PROFILES = tuple(PROFILES)
JOURNAL_MODES = ("reference", "full", "off")
FSYNC_POLICIES = ("always", "batch", "off")
NOT_SETTINGS = ("places",)


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy of a run: a built-in name or ``FILE.py[:NAME]``, its parameters, instruments (all) and account.

    ``name`` is what it is called, by default as in its declaration. With ``shadow`` it trades on paper.
    """

    use: str
    name: str = ""
    shadow: bool = False
    parameters: dict[str, int | float | str] = msgspec.field(default_factory=dict, name="set")
    instruments: list[str] = msgspec.field(default_factory=list)
    sizing: SizingConfig = msgspec.field(default_factory=SizingConfig)
    portfolio: PortfolioConfig = msgspec.field(default_factory=PortfolioConfig)
    exits: ExitsConfig = msgspec.field(default_factory=ExitsConfig)
    ensemble: EnsembleConfig = msgspec.field(default_factory=EnsembleConfig)
    calibration: CalibrationConfig = msgspec.field(default_factory=CalibrationConfig)
    filters: FiltersConfig = msgspec.field(default_factory=FiltersConfig)
    account: str = ""
    bars: Bars = ""


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a backtest. Times are ISO 8601, UTC where no zone is given; ``end`` is exclusive.

    ``places`` is no setting: it says in which line of which file each stands.
    """

    data: list[str] = msgspec.field(default_factory=list)
    strategies: list[StrategyConfig] = msgspec.field(default_factory=list, name="strategy")
    start: str = msgspec.field(default="", name="from")
    end: str = msgspec.field(default="", name="to")
    cash: Number = 100_000
    fill: str = "pessimistic"
    fee_bps: Number = 10
    maker_fee_bps: Number | None = None
    slippage_bps: Number | None = None
    volume_share: Number = "0.1"
    venue: VenueConfig = msgspec.field(default_factory=VenueConfig)
    accounts: list[AccountConfig] = msgspec.field(default_factory=list, name="account")
    rates: dict[str, Number | RateConfig] = msgspec.field(default_factory=dict)
    margin: MarginConfig = msgspec.field(default_factory=MarginConfig)
    financing: FinancingConfig = msgspec.field(default_factory=FinancingConfig)
    shadow: ShadowConfig = msgspec.field(default_factory=ShadowConfig)
    experiment: ExperimentConfig = msgspec.field(default_factory=ExperimentConfig)
    regimes: RegimesConfig = msgspec.field(default_factory=RegimesConfig)
    filters: FiltersConfig = msgspec.field(default_factory=FiltersConfig)
    limits: LimitsConfig = msgspec.field(default_factory=LimitsConfig)
    sizing: SizingConfig = msgspec.field(default_factory=SizingConfig)
    portfolio: PortfolioConfig = msgspec.field(default_factory=PortfolioConfig)
    exits: ExitsConfig = msgspec.field(default_factory=ExitsConfig)
    risk: RiskConfig = msgspec.field(default_factory=RiskConfig)
    features: FeaturesConfig = msgspec.field(default_factory=FeaturesConfig)
    bars: Bars = ""
    series: list[SeriesConfig] = msgspec.field(default_factory=list)
    bar_grace: str = ""
    journal: str = "reference"
    fsync: str = "batch"
    digest_interval: int = DEFAULT_DIGEST_INTERVAL
    live: LiveConfig = msgspec.field(default_factory=LiveConfig)
    places: Places = msgspec.field(default_factory=Places)


class Rates(msgspec.Struct, frozen=True):
    """The rates of a run in units of 1/100,000,000."""

    maker_fee: int
    taker_fee: int
    slippage: int
    volume_share: int
    price_band: int
    margin: int
    cost_buffer: int
    shadow_fee: int
    shadow_slippage: int


def check(config: RunConfig) -> None:
    """Raise SettingError for what is wrong with the settings by themselves, before any data is looked at."""
    for name, value, allowed in (
        ("journal", config.journal, JOURNAL_MODES),
        ("fsync", config.fsync, FSYNC_POLICIES),
    ):
        if value not in allowed:
            raise SettingError(name, f"is {value!r}; it is one of {', '.join(allowed)}")
    if config.digest_interval < 0:
        raise SettingError("digest_interval", f"is {config.digest_interval}; it cannot be negative")
    start, end = instant_ns("from", config.start), instant_ns("to", config.end)
    if start is not None and end is not None and start >= end:
        raise SettingError("from", f"is {config.start}, not before the end {config.end}", against="to")
    check_venue(config)
    resolve_rates(config)
    check_limits(config.limits)
    check_risk(config.risk)
    check_accounts(config.accounts)
    check_rates(config.rates)
    check_margin(config.margin)
    check_financing(config.financing)
    check_features(config.features)
    check_shadow(config.shadow, config.accounts, on_paper(config.experiment, config.strategies))
    check_ensembles(config.strategies)
    check_signals(config)
    check_plans(config)
    check_live(config.live)
    check_bars(config.bars, [entry.bars for entry in config.strategies], config.series, config.bar_grace)


def check_plans(config: RunConfig) -> None:
    """The tables of sizing, portfolio and exits: those of the run, and those of its strategies."""
    farthest = trailing_stop_rate(config.risk)
    tables = [(config, "")] + [(entry, f"strategy.{at}.") for at, entry in enumerate(config.strategies)]
    for holder, prefix in tables:
        check_sizing(holder.sizing, f"{prefix}sizing")
        check_portfolio(holder.portfolio, f"{prefix}portfolio")
        check_exits(holder.exits, f"{prefix}exits")
        if farthest and rate(f"{prefix}exits.trail", holder.exits.trail) > farthest:
            raise SettingError(
                f"{prefix}exits.trail", f"is {holder.exits.trail}, farther than the trailing stop of [risk]",
                against="risk.trailing_stop_percent",
            )  # fmt: skip


def resolve_plans(config: RunConfig, number: int, scale: int) -> dict[str, Any]:
    """The plans of strategy ``number``, exact, by table; a table that is nowhere given is left out.

    A strategy's own table replaces that of the run as a whole. The trailing stop of ``[risk]`` holds for all of them,
    where no nearer one is set.
    """
    own = config.strategies[number]
    plans: dict[str, Any] = {}
    for name in ("sizing", "portfolio", "exits"):
        given = getattr(own, name)
        is_own = given != type(given)()
        table = f"strategy.{number}.{name}" if is_own else name
        chosen = given if is_own else getattr(config, name)
        if chosen == type(chosen)():
            continue
        if name == "sizing":
            plans[name] = resolve_sizing(chosen, table, scale)
        elif name == "portfolio":
            plans[name] = resolve_portfolio(chosen, table)
        else:
            plans[name], plans["rungs"] = resolve_exits(chosen, table)
    if own.use == ENSEMBLE:
        plans["ensemble"] = resolve_ensemble(config.strategies, number)
    plans |= resolve_signal_plans(config, number, ensemble_members(config.strategies))
    farthest = trailing_stop_rate(config.risk)
    if farthest:
        if "exits" not in plans:
            plans["exits"], plans["rungs"] = resolve_exits(ExitsConfig(on=True), "exits")
        plans["exits"]["trail_rate"] = plans["exits"]["trail_rate"] or farthest
    return plans


def resolve_rates(config: RunConfig) -> Rates:
    """The exact rates of a configuration. Raises SettingError for one that is negative or too fine."""
    venue = resolve_venue(config, ())
    shadow_fee, shadow_slippage = shadow_rates(config.shadow, max(venue.tiers[0].taker_rate, 0), venue.slippage_rate)
    highest_fee = max(tier.taker_rate for tier in venue.tiers)
    return Rates(
        maker_fee=venue.tiers[0].maker_rate,
        taker_fee=venue.tiers[0].taker_rate,
        slippage=venue.slippage_rate,
        volume_share=venue.volume_share_rate,
        price_band=rate("limits.price_band_bps", config.limits.price_band_bps, 10_000),
        margin=rate("limits.margin", config.limits.margin),
        # What a fill may cost beyond its price, kept free by the buying-power check.
        cost_buffer=max(highest_fee, 0) + venue.slippage_rate + venue.spread_rate + BPS,
        shadow_fee=shadow_fee,
        shadow_slippage=shadow_slippage,
    )
