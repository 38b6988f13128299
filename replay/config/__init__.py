"""The configuration of a run: defaults, a TOML file, the command line, in rising order of precedence.

Owns the names and defaults of all settings, their checks and their resolution into exact integers. What is resolved is
journaled; where data and strategy files lie is not, because a result must not depend on where somebody keeps them.

A table of its own is a module of its own here: its struct, and its check, which raises ``SettingError`` with the name
of the setting. File and line are added to the message by whoever holds the configuration.
"""

from replay.config.amounts import count, instant_ns, length_ns, money, rate
from replay.config.bars import Bars, SeriesConfig, read_rules
from replay.config.errors import ConfigError, Places, SettingError, located
from replay.config.exits import ExitsConfig
from replay.config.features import FeaturesConfig
from replay.config.limits import LimitsConfig
from replay.config.load import load_config
from replay.config.model import (
    DEFAULT_DIGEST_INTERVAL,
    FILL_PROFILES,
    FSYNC_POLICIES,
    JOURNAL_MODES,
    Rates,
    RunConfig,
    StrategyConfig,
    resolve_plans,
    resolve_rates,
)
from replay.config.sizing import PortfolioConfig, SizingConfig
from replay.config.venue import VenueConfig, VenueData, resolve_venue, venue_profile

__all__ = [
    "DEFAULT_DIGEST_INTERVAL",
    "FILL_PROFILES",
    "FSYNC_POLICIES",
    "JOURNAL_MODES",
    "Bars",
    "ConfigError",
    "ExitsConfig",
    "FeaturesConfig",
    "LimitsConfig",
    "Places",
    "PortfolioConfig",
    "Rates",
    "RunConfig",
    "SeriesConfig",
    "SettingError",
    "SizingConfig",
    "StrategyConfig",
    "VenueConfig",
    "VenueData",
    "count",
    "instant_ns",
    "length_ns",
    "load_config",
    "located",
    "money",
    "rate",
    "read_rules",
    "resolve_plans",
    "resolve_rates",
    "resolve_venue",
    "venue_profile",
]
