"""From the resolved settings of the venue to its memory.

Owns what a resolved setting looks like: plain values, all that the venue needs and nothing else, so that what the
journal records of a venue is what decides.
"""

import itertools
from typing import Any

import msgspec

from kernel.tables.table import NEVER_NS
from kernel.units import RATE_SCALE
from replay.queue_nb import QUEUE_MODELS
from replay.venue.profiles import (
    BY_DEPTH,
    LATENCY_FIXED,
    LATENCY_NONE,
    LATENCY_QUANTILES,
    LATENCY_RECORDED,
    PROFILES,
)

LATENCY_MODELS = {
    "none": LATENCY_NONE,
    "fixed": LATENCY_FIXED,
    "quantiles": LATENCY_QUANTILES,
    "recorded": LATENCY_RECORDED,
}


class Latency(msgspec.Struct, frozen=True):
    """A latency model and its values: one, the quantiles from the smallest to the largest, or the recorded ones."""

    model: str = "none"
    values_ns: tuple[int, ...] = ()


class Tier(msgspec.Struct, frozen=True):
    """The fee rates from a volume on."""

    from_minor: int
    maker_rate: int
    taker_rate: int


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of the simulated venue as exact integers; rates in 1/100,000,000, times in nanoseconds.

    ``fee_units`` and ``finer_spans_ns`` go by instrument number: the fee of a lot in 1/100,000,000 of a minor unit, and
    the length of the bars (1 for trades and quotes) that are there for the venue alone; 0 for none; ``book_sources`` by
    instrument number too: what the book of the profile ``book`` is made from (1 trades, 2 quotes, 3 depth), and whether
    there are trades.
    """

    profile: str = "pessimistic"
    volume_share_rate: int = RATE_SCALE
    slippage_rate: int = 0
    spread_rate: int = 0
    impact_rate: int = 0
    share_impact_rate: int = 0
    tiers: tuple[Tier, ...] = (Tier(0, 0, 0),)
    tiers_of_run: bool = False
    fee_units: tuple[int, ...] = ()
    minimum_fee_minor: int = 0
    maximum_fee_minor: int = 0
    request_latency: Latency = Latency()
    report_latency: Latency = Latency()
    reject_rate: int = 0
    seed: int = 0
    maintenance_ns: tuple[tuple[int, int], ...] = ()
    finer_spans_ns: tuple[int, ...] = ()
    queue_model: str = "risk_averse"
    queue_exponent: int = 1
    book_sources: tuple[tuple[int, bool], ...] = ()


def initialise_venue(venue: Any) -> None:
    """Make a zeroed venue an empty one, with nothing due."""
    head = venue.head
    head.day = -1
    head.next_due_ns = head.next_end_ns = NEVER_NS
    venue.fees.tier_count = 1


def configure_venue(venue: Any, settings: VenueSettings) -> None:
    """Write the settings into the venue's memory."""
    head = venue.head
    head.profile = PROFILES[settings.profile]
    for name in ("volume_share_rate", "slippage_rate", "spread_rate", "impact_rate", "share_impact_rate"):
        setattr(head, name, getattr(settings, name))
    head.reject_rate, head.seed = settings.reject_rate, settings.seed
    head.window_count = len(settings.maintenance_ns)
    for at, (start_ns, end_ns) in enumerate(settings.maintenance_ns):
        venue.windows[at].start_ns, venue.windows[at].end_ns = start_ns, end_ns
    _set_fees(venue.fees, settings)
    for number, fee_unit in enumerate(settings.fee_units):
        venue.markets[number].fee_unit = fee_unit
    for number, span_ns in enumerate(settings.finer_spans_ns):
        venue.markets[number].finer_span_ns = span_ns
    head.queue_model, head.queue_exponent = QUEUE_MODELS[settings.queue_model], settings.queue_exponent
    places = itertools.count(1)
    for number, (source, has_trades) in enumerate(settings.book_sources):
        market = venue.markets[number]
        market.source, market.has_trades = source, int(has_trades)
        market.book = next(places) if source == BY_DEPTH else 0
    _set_latency(venue.request_latency, settings.request_latency)
    _set_latency(venue.report_latency, settings.report_latency)


def _set_fees(fees: Any, settings: VenueSettings) -> None:
    fees.tier_count = len(settings.tiers)
    for at, tier in enumerate(settings.tiers):
        row = fees.tiers[at]
        row.from_minor, row.maker_rate, row.taker_rate = tier.from_minor, tier.maker_rate, tier.taker_rate
    fees.whole_run = int(settings.tiers_of_run)
    fees.minimum_minor, fees.maximum_minor = settings.minimum_fee_minor, settings.maximum_fee_minor


def _set_latency(record: Any, latency: Latency) -> None:
    record.model, record.count = LATENCY_MODELS[latency.model], len(latency.values_ns)
    record.values_ns[: len(latency.values_ns)] = latency.values_ns
    if latency.values_ns:  # the end of the last interval, for a draw at its very end
        record.values_ns[len(latency.values_ns)] = latency.values_ns[-1]
