"""The configuration of a run: defaults, a TOML file, the command line, in rising order of precedence.

Owns the names and defaults of all settings and the resolution into exact integers. What is resolved is journaled;
where data and strategy files lie is not, because a result must not depend on where somebody keeps them.
"""

import difflib
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kernel.units import BPS, RATE_SCALE, UnitError, to_decimal, to_rate

DEFAULT_DIGEST_INTERVAL = 262_144  # events; a digest hashes the whole state, which costs as much as 1,500 bars
FILL_PROFILES = ("pessimistic", "next_open")
JOURNAL_MODES = ("reference", "full", "off")
FSYNC_POLICIES = ("always", "batch", "off")


class ConfigError(ValueError):
    """A setting that is unknown, malformed or contradicts another. The text is one line."""


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy of a run: a built-in name or ``FILE.py[:NAME]``, its parameters, and its instruments (all)."""

    use: str
    parameters: dict[str, int | float | str] = msgspec.field(default_factory=dict, name="set")
    instruments: list[str] = msgspec.field(default_factory=list)


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-trade limits; 0 is off. Money in currency, ``price_band_bps`` from the last price."""

    order_lots: int = 0
    order_notional: str | int | float = 0
    position_notional: str | int | float = 0
    price_band_bps: str | int | float = 0
    open_orders: int = 0
    margin: str | int | float = 1


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a backtest. Times are ISO 8601, UTC where no zone is given; ``end`` is exclusive."""

    data: list[str] = msgspec.field(default_factory=list)
    strategies: list[StrategyConfig] = msgspec.field(default_factory=list, name="strategy")
    start: str = msgspec.field(default="", name="from")
    end: str = msgspec.field(default="", name="to")
    cash: str | int | float = 100_000
    fill: str = "pessimistic"
    fee_bps: str | int | float = 10
    maker_fee_bps: str | int | float | None = None
    slippage_bps: str | int | float | None = None
    volume_share: str | int | float = "0.1"
    limits: LimitsConfig = msgspec.field(default_factory=LimitsConfig)
    journal: str = "reference"
    fsync: str = "batch"
    digest_interval: int = DEFAULT_DIGEST_INTERVAL


class Rates(msgspec.Struct, frozen=True):
    """The rates of a run in units of 1/100,000,000."""

    maker_fee: int
    taker_fee: int
    slippage: int
    volume_share: int
    price_band: int
    margin: int
    cost_buffer: int


def load_config(path: Path | None, overrides: dict[str, Any]) -> RunConfig:
    """Defaults, then the TOML file, then ``overrides`` (``None`` values are left out). Raises ConfigError."""
    values: dict[str, Any] = {}
    where = "command line"
    if path is not None:
        where = str(path)
        values = _read_toml(path)
        # Paths in a file are relative to that file, so that it works from any folder.
        if isinstance(values.get("data"), list):
            values["data"] = [str(path.parent / str(entry)) for entry in values["data"]]
        for entry in _entries(values):
            if isinstance(entry, dict) and ".py" in str(entry.get("use", "")):
                entry["use"] = str(path.parent / entry["use"])
    values.update({key: value for key, value in overrides.items() if value is not None})
    return _convert(values, where)


def _entries(values: dict[str, Any]) -> list[Any]:
    found = values.get("strategy", [])
    return found if isinstance(found, list) else []


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _convert(values: dict[str, Any], where: str) -> RunConfig:
    _refuse_unknown(values, RunConfig, where, "")
    _refuse_unknown(values.get("limits", {}), LimitsConfig, where, "limits.")
    for entry in _entries(values):
        _refuse_unknown(entry, StrategyConfig, where, "strategy.")
    try:
        config = msgspec.convert(values, RunConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from None
    for name, value, allowed in (
        ("fill", config.fill, FILL_PROFILES),
        ("journal", config.journal, JOURNAL_MODES),
        ("fsync", config.fsync, FSYNC_POLICIES),
    ):
        if value not in allowed:
            raise ConfigError(f"{where}: {name} is {value!r}; it is one of {', '.join(allowed)}")
    if config.digest_interval < 0:
        raise ConfigError(f"{where}: digest_interval is negative")
    return config


def _refuse_unknown(values: Any, struct: type[msgspec.Struct], where: str, prefix: str) -> None:
    known = struct.__struct_encode_fields__
    for key in values if isinstance(values, dict) else ():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown setting {prefix}{key}; {hint}")


def resolve_rates(config: RunConfig) -> Rates:
    """The exact rates of a configuration. Raises ConfigError for one that is negative or too fine."""
    slippage_bps = config.slippage_bps
    if slippage_bps is None:
        slippage_bps = 1 if config.fill == "pessimistic" else 0
    maker_bps = config.fee_bps if config.maker_fee_bps is None else config.maker_fee_bps
    taker, slippage = _rate("fee_bps", config.fee_bps, 10_000), _rate("slippage_bps", slippage_bps, 10_000)
    share = _rate("volume_share", config.volume_share, 1)
    if not 0 < share <= RATE_SCALE:
        raise ConfigError(f"volume_share is {config.volume_share}; it must be above 0 and at most 1")
    return Rates(
        maker_fee=_rate("maker_fee_bps", maker_bps, 10_000, signed=True),
        taker_fee=taker,
        slippage=slippage,
        volume_share=share,
        price_band=_rate("limits.price_band_bps", config.limits.price_band_bps, 10_000),
        margin=_rate("limits.margin", config.limits.margin, 1),
        # What a fill may cost beyond its price, kept free by the buying-power check.
        cost_buffer=max(taker, 0) + slippage + BPS,
    )


def _rate(name: str, value: str | int | float, per: int, *, signed: bool = False) -> int:
    try:
        rate = to_rate(str(value), per=per)
    except UnitError as error:
        raise ConfigError(f"{name}: {error}") from None
    if rate < 0 and not signed:
        raise ConfigError(f"{name} is {value}; it cannot be negative")
    return rate


def money(name: str, value: str | int | float, scale: int) -> int:
    """A setting in currency as minor units. Raises ConfigError for one that is negative or too fine."""
    try:
        amount = to_decimal(str(value)).scaleb(scale)
    except UnitError as error:
        raise ConfigError(f"{name}: {error}") from None
    if amount < 0 or amount != int(amount) or amount >= 1 << 60:
        raise ConfigError(
            f"{name} is {value}; it must be 0 or more, below 2^60 minor units, with at most {scale} decimals"
        )
    return int(amount)


def instant_ns(name: str, text: str) -> int | None:
    """An ISO 8601 time in nanoseconds since the epoch; None for an empty one."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}; write a date such as 2020-01-31 or 2020-01-31T12:00:00+00:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
