"""``[venue]``: the models of the simulated venue.

Owns the table, its checks, and its resolution into ``VenueSettings``. ``fill``, ``fee_bps``, ``maker_fee_bps``,
``slippage_bps`` and ``volume_share`` at the top of the file are short forms of settings in it.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec

from kernel.instruments import Instrument
from kernel.units import RATE_SCALE, UnitError, to_decimal
from replay.config.amounts import Number, length_ns, money, rate
from replay.config.errors import SettingError
from replay.queue_nb import MAX_EXPONENT, QUEUE_MODELS
from replay.venue.memory import MAX_LATENCIES, MAX_TIERS, MAX_WINDOWS
from replay.venue.profiles import BOOK, INTRABAR, PROFILES
from replay.venue.settings import Latency, Tier, VenueSettings

LONGEST_LATENCY_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_WINDOWS = ("30d", "run")


class LatencyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One of: ``fixed``; ``quantiles``, evenly spaced, from the smallest to the largest; ``recorded``, in turn."""

    fixed: str = ""
    quantiles: list[str] = msgspec.field(default_factory=list)
    recorded: list[str] = msgspec.field(default_factory=list)


class LatenciesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How long a request is on its way, and a report on its way back."""

    request: LatencyConfig = msgspec.field(default_factory=LatencyConfig)
    report: LatencyConfig = msgspec.field(default_factory=LatencyConfig)


class TierConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Fee rates from a volume (in currency) on."""

    volume: Number
    taker_bps: Number
    maker_bps: Number | None = None


class FeesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``per_unit`` is for one share, contract or coin; minimum and maximum are for all fills of an order together."""

    taker_bps: Number | None = None
    maker_bps: Number | None = None
    per_unit: Number = 0
    minimum: Number = 0
    maximum: Number = 0
    tiers: list[TierConfig] = msgspec.field(default_factory=list)
    tier_window: str = "30d"


class SlippageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Four models, which add up: see docs/fills.md."""

    fixed_bps: Number | None = None
    spread_bps: Number = 0
    impact_bps: Number = 0
    volume_share_bps: Number = 0


class QueueConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the place of a resting order in its queue is estimated (profile ``book``)."""

    model: str = "risk_averse"
    exponent: int = 1


class VenueConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated venue. ``finer`` names data for the venue alone; ``maintenance`` windows are UTC, each day."""

    profile: str | None = None
    volume_share: Number | None = None
    slippage: SlippageConfig = msgspec.field(default_factory=SlippageConfig)
    fees: FeesConfig = msgspec.field(default_factory=FeesConfig)
    latency: LatenciesConfig = msgspec.field(default_factory=LatenciesConfig)
    queue: QueueConfig = msgspec.field(default_factory=QueueConfig)
    reject_share: Number = 0
    seed: int = 0
    maintenance: list[str] = msgspec.field(default_factory=list)
    finer: list[str] = msgspec.field(default_factory=list)


class VenueData(msgspec.Struct, frozen=True):
    """What the data gives the venue, by instrument number: see ``VenueSettings``."""

    finer_spans_ns: tuple[int, ...] = ()
    book_sources: tuple[tuple[int, bool], ...] = ()


NO_DATA = VenueData()


def venue_profile(config: Any) -> str:
    """The fill profile of a run. Raises SettingError for one that there is not, or that is said twice."""
    profile = str(_one("venue.profile", config.venue.profile, "fill", config.fill, "pessimistic"))
    if profile not in PROFILES:
        setting = "fill" if config.venue.profile is None else "venue.profile"
        raise SettingError(setting, f"is {profile!r}; it is one of {', '.join(PROFILES)}")
    return profile


def check_venue(config: Any) -> None:
    """Raise SettingError for what is wrong with ``[venue]`` by itself."""
    profile = venue_profile(config)
    if config.venue.finer and PROFILES[profile] != INTRABAR:
        raise SettingError("venue.finer", f"is for the profile intrabar; the profile is {profile}")
    if PROFILES[profile] == INTRABAR and not config.venue.finer:
        raise SettingError("venue.profile", "is intrabar; name finer data of the same instruments in venue.finer")
    resolve_venue(config, ())


def resolve_venue(
    config: Any, instruments: Sequence[Instrument], data: VenueData = NO_DATA, scale: int = 8
) -> VenueSettings:
    """The exact settings of the venue. ``scale`` is that of the account's currency. Raises SettingError."""
    venue = config.venue
    profile = venue_profile(config)
    default_slippage = 1 if profile in ("pessimistic", "intrabar") else 0
    slippage = _one("venue.slippage.fixed_bps", venue.slippage.fixed_bps, "slippage_bps", config.slippage_bps, None)
    share = _one("venue.volume_share", venue.volume_share, "volume_share", config.volume_share, "0.1")
    share_name = "volume_share" if venue.volume_share is None else "venue.volume_share"
    share_rate = rate(share_name, share)
    if not 0 < share_rate <= RATE_SCALE:
        raise SettingError(share_name, f"is {share}; it must be above 0 and at most 1")
    slippage_name = "slippage_bps" if venue.slippage.fixed_bps is None else "venue.slippage.fixed_bps"
    reject_rate = rate("venue.reject_share", venue.reject_share)
    if reject_rate > RATE_SCALE:
        raise SettingError("venue.reject_share", f"is {venue.reject_share}; it is a share, at most 1")
    if not 0 <= venue.seed < 1 << 63:
        raise SettingError("venue.seed", f"is {venue.seed}; it must be a whole number, 0 or more, below 2^63")
    minimum, maximum = (
        money(f"venue.fees.{name}", getattr(venue.fees, name), scale) for name in ("minimum", "maximum")
    )
    if maximum and minimum > maximum:
        raise SettingError("venue.fees.minimum", "is above the maximum", against="venue.fees.maximum")
    if venue.queue.model not in QUEUE_MODELS:
        raise SettingError("venue.queue.model", f"is {venue.queue.model!r}; it is one of {', '.join(QUEUE_MODELS)}")
    if not 1 <= venue.queue.exponent <= MAX_EXPONENT:
        raise SettingError("venue.queue.exponent", f"is {venue.queue.exponent}; it is 1 to {MAX_EXPONENT}")
    if venue.fees.tier_window not in _WINDOWS:
        raise SettingError("venue.fees.tier_window", f"is {venue.fees.tier_window!r}; it is one of 30d, run")
    return VenueSettings(
        profile=profile,
        volume_share_rate=share_rate,
        slippage_rate=rate(slippage_name, default_slippage if slippage is None else slippage, 10_000),
        spread_rate=rate("venue.slippage.spread_bps", venue.slippage.spread_bps, 20_000),
        impact_rate=rate("venue.slippage.impact_bps", venue.slippage.impact_bps, 10_000),
        share_impact_rate=rate("venue.slippage.volume_share_bps", venue.slippage.volume_share_bps, 10_000),
        tiers=_tiers(config, scale),
        tiers_of_run=venue.fees.tier_window == "run",
        fee_units=tuple(_fee_unit(venue.fees.per_unit, instrument, scale) for instrument in instruments),
        minimum_fee_minor=minimum,
        maximum_fee_minor=maximum,
        request_latency=_latency("venue.latency.request", venue.latency.request),
        report_latency=_latency("venue.latency.report", venue.latency.report),
        reject_rate=reject_rate,
        seed=venue.seed,
        maintenance_ns=_windows(venue.maintenance),
        finer_spans_ns=data.finer_spans_ns,
        queue_model=venue.queue.model,
        queue_exponent=venue.queue.exponent,
        book_sources=data.book_sources if PROFILES[profile] == BOOK else (),
    )


def _one(setting: str, value: Any, short: str, short_value: Any, default: Any) -> Any:
    """The value of a setting that has a short form; both at once are refused."""
    if value is None:
        return short_value
    if short_value != default:
        raise SettingError(setting, f"says what {short} says too; keep one of them", against=short)
    return value


def _tiers(config: Any, scale: int) -> tuple[Tier, ...]:
    fees = config.venue.fees
    taker_name = "fee_bps" if fees.taker_bps is None else "venue.fees.taker_bps"
    taker = _one("venue.fees.taker_bps", fees.taker_bps, "fee_bps", config.fee_bps, 10)
    maker = _one("venue.fees.maker_bps", fees.maker_bps, "maker_fee_bps", config.maker_fee_bps, None)
    maker_name = "venue.fees.maker_bps" if fees.maker_bps is not None else "maker_fee_bps"
    maker_rate = rate(maker_name, taker if maker is None else maker, 10_000, signed=True)
    found = [Tier(0, maker_rate, rate(taker_name, taker, 10_000))]
    for number, tier in enumerate(fees.tiers):
        name = f"venue.fees.tiers.{number}"
        maker = tier.taker_bps if tier.maker_bps is None else tier.maker_bps
        from_minor = money(f"{name}.volume", tier.volume, scale)
        if from_minor <= found[-1].from_minor:
            raise SettingError(f"{name}.volume", f"is {tier.volume}; each tier begins above the one before it")
        taker_rate = rate(f"{name}.taker_bps", tier.taker_bps, 10_000)
        found.append(Tier(from_minor, rate(f"{name}.maker_bps", maker, 10_000, signed=True), taker_rate))
    if len(found) > MAX_TIERS:
        raise SettingError("venue.fees.tiers", f"has {len(fees.tiers)} entries; at most {MAX_TIERS - 1} fit")
    return tuple(found)


def _fee_unit(per_unit: Number, instrument: Instrument, scale: int) -> int:
    """Money of a lot in 1/100,000,000 of a minor unit."""
    try:
        exact = Fraction(to_decimal(str(per_unit))) * Fraction(to_decimal(instrument.lot_size)) * 10**scale * RATE_SCALE
    except UnitError as error:
        raise SettingError("venue.fees.per_unit", f"cannot be used: {error}") from None
    if exact.denominator != 1 or not 0 <= exact < 1 << 60:
        raise SettingError("venue.fees.per_unit", f"is {per_unit}, which is negative, too large or too fine for a lot")
    return int(exact)


def _latency(setting: str, latency: LatencyConfig) -> Latency:
    given = [name for name in ("fixed", "quantiles", "recorded") if getattr(latency, name)]
    if not given:
        return Latency()
    if len(given) > 1:
        raise SettingError(f"{setting}.{given[1]}", f"stands beside {given[0]}; a latency has one model")
    model = given[0]
    texts = [latency.fixed] if model == "fixed" else getattr(latency, model)
    name = f"{setting}.{model}"
    values = tuple(length_ns(name, text) for text in texts)
    if max(values) > LONGEST_LATENCY_NS:
        raise SettingError(name, "is longer than an hour")
    if len(values) > MAX_LATENCIES:
        raise SettingError(name, f"has {len(values)} values; at most {MAX_LATENCIES} fit")
    if model == "quantiles" and (len(values) < 2 or list(values) != sorted(values)):
        raise SettingError(name, "must be two values or more, from the smallest to the largest")
    return Latency(model, values)


def _windows(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    found = []
    for text in texts:
        match = _WINDOW.fullmatch(text)
        hours = [int(part) for part in match.groups()] if match else [0, 0, 0, 0]
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if start >= end or end > 1440:
            raise SettingError("venue.maintenance", f"has {text!r}; write a window of a day, in UTC, as 23:00-23:30")
        found.append((start * MINUTE_NS, end * MINUTE_NS))
    if len(found) > MAX_WINDOWS:
        raise SettingError("venue.maintenance", f"has {len(found)} windows; at most {MAX_WINDOWS} fit")
    return tuple(found)
