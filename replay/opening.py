"""The first frames of a journal: what the integers of all later events mean.

Owns the turning of a resolved configuration into events (definitions, limits, venue, deposit) and back.
"""

import hashlib
from typing import Any

import msgspec
import numpy as np

from kernel.events import catalogue as events
from kernel.events.body import encode_body, pack_body
from kernel.events.catalogue import Event
from kernel.events.layout import Stored, encode
from kernel.market import DEPTH, QUOTE, TRADE
from replay.config import (
    Rates,
    RunConfig,
    SettingError,
    VenueData,
    instant_ns,
    located,
    money,
    resolve_plans,
    resolve_rates,
    resolve_venue,
    venue_profile,
)
from replay.config.experiment import resolve_experiment, route_key
from replay.config.signals import resolve_regimes
from replay.features import feature_events, plan_run_features, resolved_features
from replay.ledger_plan import (
    LedgerPlan,
    check_one_book,
    deposit_events,
    instrument_event,
    money_events,
    plan_ledger,
    resolved_ledger,
    terms_events,
)
from replay.loading import LoadedStrategy, Universe
from replay.risk_opening import resolved_risk, risk_events
from replay.series import plan_run_series, resolved_series
from replay.venue.memory import MAX_BOOKS
from replay.venue.profiles import BY_DEPTH, BY_QUOTES, BY_TRADES, PROFILES
from replay.venue.settings import VenueSettings

OPENING_BODY_BYTES = 40_000  # of one opening frame; far below what a frame holds


def venue_settings(config: RunConfig, universe: Universe) -> VenueSettings:
    """The settings of the simulated venue. Raises ConfigError."""
    scale = _plan(config, universe).scale
    with located(config.places):
        profile = venue_profile(config)
        book_sources = tuple(_book_source(universe, number) for number in range(len(universe.instruments)))
        if profile == "book":
            _check_books(universe, book_sources)
        data = VenueData(universe.finer_spans_ns, book_sources)
        settings = resolve_venue(config, universe.instruments, data, scale)
        needs_volume = settings.impact_rate or settings.share_impact_rate
        if needs_volume and not all(universe.volume_known):
            name = universe.instruments[universe.volume_known.index(False)].name
            raise SettingError("venue.slippage", f"depends on volume, which the data of {name} does not have")
        return settings


def _book_source(universe: Universe, number: int) -> tuple[int, bool]:
    """What the book of an instrument is made from (0: nothing), and whether there are trades."""
    name = universe.instruments[number].name
    kinds = {*universe.feeds, *(file.kind for file in universe.files if file.instrument.name == name)}
    source = BY_DEPTH if DEPTH in kinds else BY_QUOTES if QUOTE in kinds else BY_TRADES if TRADE in kinds else 0
    return source, TRADE in kinds


def _check_books(universe: Universe, book_sources: tuple[tuple[int, bool], ...]) -> None:
    for instrument, (source, _) in zip(universe.instruments, book_sources, strict=True):
        if source == 0:
            raise SettingError("fill", f"is book; {instrument.name} has no depth, quotes or trades in the data")
    depths = sum(source == BY_DEPTH for source, _ in book_sources)
    if depths > MAX_BOOKS:
        raise SettingError("fill", f"is book; depth of {depths} instruments is more than the venue holds ({MAX_BOOKS})")


def resolved_config(config: RunConfig, universe: Universe, strategies: tuple[LoadedStrategy, ...]) -> dict[str, Any]:
    """All that decides a run beside the data, as plain values: the body of ``RunOpened``.

    No path and no code hash is in it: two people with the same data and strategy get the same journal, wherever they
    keep their files, and a strategy written twice is seen to decide the same.
    """
    rates, plan = resolve_rates(config), _plan(config, universe)
    with located(config.places):
        for number, strategy in enumerate(strategies):
            check_one_book(config, plan, number, strategy.instruments)
    series = plan_run_series(config, universe, strategies)
    features = plan_run_features(config, universe, strategies, series)
    plans = [resolve_plans(config, number, plan.scale) for number in range(len(config.strategies))]
    risk = resolved_risk(config, universe.instruments, plan.scale)
    experiment = resolve_experiment(config.experiment, config.strategies)
    return {
        "instruments": [msgspec.to_builtins(instrument) for instrument in universe.instruments],
        "strategies": [
            {
                "name": strategy.name,
                "parameters": strategy.parameters,
                "instruments": [universe.instruments[number].name for number in strategy.instruments],
                **({"bars": list(strategy.bars)} if strategy.bars else {}),
                **({"features": [str(feature) for feature in strategy.features]} if strategy.features else {}),
                **plan,
            }
            for strategy, plan in zip(strategies, plans, strict=True)
        ],
        "from_ns": instant_ns("from", config.start),
        "to_ns": instant_ns("to", config.end),
        "cash_minor": plan.deposits[0][2],
        "fill": venue_profile(config),
        "venue": msgspec.to_builtins(venue_settings(config, universe)),
        "rates": _shown_rates(rates, plan),
        "limits": {key: str(value) for key, value in msgspec.to_builtins(config.limits).items()},
        **({"risk": risk} if risk else {}),
        **({"experiment": experiment} if experiment else {}),
        **({"regimes": resolve_regimes(config.regimes)} if resolve_regimes(config.regimes) else {}),
        **({"series": resolved_series(series, universe)} if series else {}),
        **({"features": resolved_features(features, universe)} if features.is_recorded and features.sets else {}),
        "digest_interval": config.digest_interval,
        **resolved_ledger(plan, config),
    }


def _shown_rates(rates: Rates, plan: LedgerPlan) -> dict[str, int]:
    """The rates; those of shadow accounts where there are any."""
    shown = msgspec.to_builtins(rates)
    if not any(account.shadow for account in plan.accounts):
        del shown["shadow_fee"], shown["shadow_slippage"]
    return dict(shown)


def genesis_id(resolved: dict[str, Any], mode: str) -> bytes:
    """16 bytes that identify a backtest's journal: a digest of what decides it, so that a re-run has the same."""
    return hashlib.sha256(b"backtest\0" + mode.encode() + b"\0" + encode_body(resolved)).digest()[:16]


class OpeningFrame(msgspec.Struct, frozen=True):
    """Records (dtype RECORD) and their packed bodies, for one frame."""

    records: np.ndarray
    bodies: bytes


def opening_frames(
    config: RunConfig,
    universe: Universe,
    strategies: tuple[LoadedStrategy, ...],
    resolved: dict[str, Any],
    ts_ns: int,
) -> list[OpeningFrame]:
    """The opening events in as many frames as they need; their sequences begin at 1."""
    frames: list[OpeningFrame] = []
    records: list[np.ndarray] = []
    bodies: list[bytes] = []
    sequence = 1
    for instrument, strategy, event, body, *account in opening_events(config, universe, strategies, resolved, ts_ns):
        if bodies and sum(map(len, bodies)) + len(body) > OPENING_BODY_BYTES:
            frames.append(OpeningFrame(np.concatenate(records), b"".join(bodies)))
            records, bodies = [], []
        packed = pack_body(body) if body else b""
        records.append(
            encode(Stored(sequence, ts_ns, ts_ns, 0, instrument, strategy, account[0] if account else 0, event, body))
        )
        bodies.append(packed)
        sequence += 1
    frames.append(OpeningFrame(np.concatenate(records), b"".join(bodies)))
    return frames


def opening_events(
    config: RunConfig,
    universe: Universe,
    strategies: tuple[LoadedStrategy, ...],
    resolved: dict[str, Any],
    ts_ns: int,
) -> list[Any]:
    """``(instrument, strategy, event, body)`` in order, with the number of the account where there is one."""
    rates, plan = resolve_rates(config), _plan(config, universe)
    scale = plan.scale
    limits = config.limits
    opened = events.RunOpened(
        len(universe.instruments),
        len(strategies),
        resolved["from_ns"] or ts_ns,
        resolved["to_ns"] or 0,
        config.digest_interval,
    )
    out: list[Any] = [(-1, -1, opened, encode_body(resolved)), *money_events(plan, config)]
    for number, instrument in enumerate(universe.instruments):
        defined = instrument_event(plan, instrument, universe.volume_known[number])
        out.append((number, -1, defined, encode_body(msgspec.to_builtins(instrument))))
    out += terms_events(plan, config, universe.instruments, ts_ns)
    series = plan_run_series(config, universe, strategies)
    for one in series:
        defined_series, source = one.events
        out += [(one.instrument, -1, defined_series, encode_body(one.rule)), (one.instrument, -1, source, b"")]
    out += feature_events(plan_run_features(config, universe, strategies, series))
    for number, description in enumerate(resolved["strategies"]):
        defined_strategy = events.StrategyDefined(len(description["parameters"]))
        out.append((-1, number, defined_strategy, encode_body(description)))
        out += [(-1, number, event, b"") for event in _plan_events(description)]
    out += _experiment_events(config, universe)
    out += [(-1, -1, events.RegimeScaleSet(*scale), b"") for scale in resolve_regimes(config.regimes)]
    limits_set = events.LimitsSet(
        limits.order_lots,
        money("limits.order_notional", limits.order_notional, scale),
        money("limits.position_notional", limits.position_notional, scale),
        rates.price_band,
        rates.margin,
        rates.cost_buffer,
        limits.open_orders,
    )
    out.append((-1, -1, limits_set, b""))
    out += risk_events(config, universe.instruments, scale)
    configured = events.VenueConfigured(
        PROFILES[venue_profile(config)], rates.maker_fee, rates.taker_fee, rates.slippage, rates.volume_share
    )
    out.append((-1, -1, configured, encode_body(venue_profile(config))))
    if any(account.shadow for account in plan.accounts):
        out.append((-1, -1, events.ShadowTermsSet(rates.shadow_fee, rates.shadow_slippage), b""))
    return [*out, *deposit_events(plan)]


def _experiment_events(config: RunConfig, universe: Universe) -> list[Any]:
    """The experiment, the keys of instruments, and the arms."""
    experiment = resolve_experiment(config.experiment, config.strategies)
    if not experiment:
        return []
    arms = experiment.pop("arms")
    out: list[Any] = [(-1, -1, events.ExperimentSet(**experiment), b"")]
    for number, instrument in enumerate(universe.instruments):
        out.append((number, -1, events.RouteKeySet(route_key(instrument.name)), b""))
    return [*out, *((-1, number, events.ArmSet(arm), b"") for number, arm in enumerate(arms) if arm)]


def _plan(config: RunConfig, universe: Universe) -> LedgerPlan:
    with located(config.places):
        return plan_ledger(config, universe.instruments)


def _plan_events(description: dict[str, Any]) -> list[Event]:
    """The sizing, portfolio and exit plans of one strategy, where it has them."""
    out: list[Event] = []
    if "sizing" in description:
        fields = events.SizingPlanSet.__struct_fields__
        out.append(events.SizingPlanSet(*(description["sizing"].get(name, 0) for name in fields)))
    if "portfolio" in description:
        out.append(events.PortfolioPlanSet(**description["portfolio"]))
    if "exits" in description:
        out.append(events.ExitPlanSet(**description["exits"]))
        out += [events.ExitRungSet(at, gain, share) for at, (gain, share) in enumerate(description["rungs"])]
    if "calibration" in description:
        calibration = dict(description["calibration"])
        points = calibration.pop("points")
        out += [events.CalibrationSet(**calibration), *(events.CalibrationPointSet(*point) for point in points)]
    if "filters" in description:
        out.append(events.SignalFiltersSet(**description["filters"]))
    if "ensemble" in description:
        ensemble = dict(description["ensemble"])
        members = ensemble.pop("members")
        out += [events.EnsembleSet(**ensemble), *(events.EnsembleMemberSet(*member) for member in members)]
    return out
