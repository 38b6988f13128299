"""What ``kernel weights`` does, from the options as text to the written file.

Owns the meaning of the options: names of instruments, spans, views.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernel.naming import near_name
from kernel.units import RATE_SCALE, UnitError, from_units, to_rate
from replay.catalogue import CatalogueError
from replay.catalogue.intervals import parse_interval
from replay.config import ConfigError, instant_ns
from replay.loading import load_universe
from replay.portfolio.methods import DEFAULT_RISK_AVERSION, DEFAULT_TAU, MethodSettings, View
from replay.portfolio.table import MAX_WEIGHT_RATE, write_weights
from replay.portfolio.walk import WalkSettings, walk

_VIEW = re.compile(r"(?P<one>[^>=@]+)(>(?P<other>[^>=@]+))?=(?P<value>[^=@]+)(@(?P<confidence>[^@]+))?")


def compute_weights_file(data: Sequence[str], out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Compute and write; returns a summary for people. Raises ConfigError and PortfolioError."""
    universe = load_universe(data)
    names = [instrument.name for instrument in universe.instruments]
    method = method_settings(names, options)
    settings = walk_settings(options)
    rebalancings = list(walk(universe, method, settings))
    write_weights(out, universe, rebalancings, {key: str(value) for key, value in options.items() if value})
    last = rebalancings[-1]
    return {
        "rebalancings": len(rebalancings),
        "first": _iso(rebalancings[0].ts_ns),
        "last": _iso(last.ts_ns),
        "last_weights": {
            name: f"{from_units(rate, '0.00000001'):f}" for name, rate in zip(names, last.weight_rates, strict=True)
        },
    }


def walk_settings(options: dict[str, Any]) -> WalkSettings:
    """Spans and times. Raises ConfigError."""
    spans: dict[str, int] = {}
    for name in ("lookback", "every", "step"):
        try:
            spans[name + "_ns"] = parse_interval(options[name])
        except CatalogueError as error:
            raise ConfigError(f"--{name}: {error}") from None
    total = _rate("--sum", options["total"])
    if not 0 < total <= MAX_WEIGHT_RATE:
        raise ConfigError(
            f"--sum is {options['total']}; it must be above 0 and at most {MAX_WEIGHT_RATE // RATE_SCALE}"
        )
    start, end = instant_ns("--from", options["start"]), instant_ns("--to", options["end"])
    if start is not None and end is not None and end <= start:
        raise ConfigError("--to is not after --from")
    return WalkSettings(start_ns=start, end_ns=end, total_rate=total, **spans)


def method_settings(names: Sequence[str], options: dict[str, Any]) -> MethodSettings:
    """The method with what it needs. Raises ConfigError for an option that the method has no use for."""
    method = options["method"]
    uses = {"mean-variance": ("risk_aversion",), "black-litterman": ("risk_aversion", "tau", "market", "views")}
    for name in ("risk_aversion", "tau", "market", "views"):
        if options[name] not in (None, ()) and name not in uses.get(method, ()):
            raise ConfigError(f"--{name.removesuffix('s').replace('_', '-')} has no meaning for {method}; leave it out")
    given = {
        "risk_aversion": DEFAULT_RISK_AVERSION if options["risk_aversion"] is None else options["risk_aversion"],
        "tau": DEFAULT_TAU if options["tau"] is None else options["tau"],
    }
    for name, value in given.items():
        if not 0.0 < value < 1e6:
            raise ConfigError(f"--{name.replace('_', '-')} is {value}; it must be above 0")
    return MethodSettings(
        method=method,
        market_weights=dict(_market_weight(names, text) for text in options["market"]),
        views=tuple(parse_view(names, text) for text in options["views"]),
        **given,
    )


def parse_view(names: Sequence[str], text: str) -> View:
    """A view such as ``us/SPY=0.07`` or ``us/SPY>oanda/EURUSD=0.02@0.6``. Raises ConfigError."""
    match = _VIEW.fullmatch(text.replace(" ", ""))
    if match is None:
        raise ConfigError(f"--view {text!r}: write NAME=0.05 or NAME>NAME=0.02, with @0.6 for a confidence")
    coefficients = {_known(names, match["one"], "--view"): 1.0}
    if match["other"]:
        coefficients[_known(names, match["other"], "--view")] = -1.0
        if len(coefficients) == 1:
            raise ConfigError(f"--view {text!r} compares an instrument with itself")
    value = _number(f"--view {text!r}", match["value"])
    confidence = _number(f"--view {text!r}", match["confidence"]) if match["confidence"] else 0.0
    if not 0.0 <= confidence <= 1.0:
        raise ConfigError(f"--view {text!r}: the confidence must be between 0 and 1")
    return View(coefficients, value, confidence)


def _market_weight(names: Sequence[str], text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    weight = _number(f"--market {text!r}", value) if equals else -1.0
    if weight < 0.0:
        raise ConfigError(f"--market {text!r}: write NAME=WEIGHT, such as {names[0]}=0.6")
    return _known(names, name, "--market"), weight


def _known(names: Sequence[str], name: str, option: str) -> str:
    if name in names:
        return name
    raise ConfigError(f"{option}: no data for {name!r}; {near_name(name, names, ', '.join(names))}")


def _number(where: str, text: str) -> float:
    try:
        return to_rate(text) / RATE_SCALE
    except UnitError as error:
        raise ConfigError(f"{where}: {error}") from None


def _rate(where: str, text: str) -> int:
    try:
        return to_rate(text)
    except UnitError as error:
        raise ConfigError(f"{where}: {error}") from None


def _iso(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
