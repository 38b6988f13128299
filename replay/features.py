"""The features of a run: what strategies read and what is recorded, each computed once.

Owns the check against the data, and the laying out of sets, places and values in the engine.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from kernel.bars.plan import SeriesPlan
from kernel.events.body import encode_body
from kernel.events.catalogue import FeaturesDefined
from kernel.features.generate import features_entry, features_source
from kernel.features.name import DATA, Feature, FeatureError
from kernel.features.plan import FeatureSet, Wanted, check_places, plan_features
from kernel.market import BAR, TRADE
from kernel.tables.table import MAX_INSTRUMENTS
from replay.config import RunConfig, SettingError, located
from replay.loading import LoadedStrategy, Universe


class RunFeatures(msgspec.Struct, frozen=True):
    """The sets with the number of the series of each (-1: the data's own bars), and what books read.

    ``reads`` has strategy, instrument and the places of the values, in the order of the strategy's features.
    """

    sets: tuple[tuple[int, FeatureSet], ...] = ()
    reads: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    is_recorded: bool = False

    @property
    def values(self) -> int:
        """How many values there are."""
        return sum(len(one.columns) for _, one in self.sets)


def plan_run_features(
    config: RunConfig, universe: Universe, strategies: Sequence[LoadedStrategy], series: Sequence[SeriesPlan]
) -> RunFeatures:
    """All features of a run, whose series are ``series``. Raises ConfigError."""
    with located(config.places):
        wanted = [*_by_strategies(strategies, universe), *_by_settings(config, universe)]
        if not wanted:
            return RunFeatures()
        try:
            sets = plan_features(wanted)
            reads = tuple(_reads(strategies, sets))
            check_places(sum(len(places) + 1 for _, _, places in reads))
        except FeatureError as error:
            raise SettingError("features", f"cannot be used: {error}") from None
    numbers = {(one.instrument, one.rule): one.number for one in series}
    numbered = tuple((numbers[one.instrument, one.rule] if one.rule else -1, one) for one in sets)
    return RunFeatures(numbered, reads, config.features.is_recorded)


def _by_strategies(strategies: Sequence[LoadedStrategy], universe: Universe) -> Iterator[Wanted]:
    for number, strategy in enumerate(strategies):
        for feature in strategy.features:
            for instrument in strategy.instruments:
                why = _missing(feature, feature.series, instrument, universe)
                if why:
                    raise SettingError(f"strategy.{number}", f"of {strategy.name}: feature {feature}: {why}")
                yield Wanted(instrument, feature.series, feature)


def _by_settings(config: RunConfig, universe: Universe) -> Iterator[Wanted]:
    """Of all instruments that have what a feature takes; at least one of them has."""
    for number, feature in enumerate(config.features.parsed):
        rule = "" if feature.series == DATA else feature.series
        missing = [_missing(feature, rule, instrument, universe) for instrument in range(len(universe.instruments))]
        if all(missing):
            raise SettingError(f"features.set.{number}", f"{feature} cannot be computed: {missing[0]}")
        for instrument, why in enumerate(missing):
            if not why:
                yield Wanted(instrument, rule, feature)


def _missing(feature: Feature, rule: str, instrument: int, universe: Universe) -> str:
    """What the data lacks for a feature; empty when it has all."""
    name = universe.instruments[instrument].name
    kinds = {file.kind for file in universe.files if file.instrument.name == name}
    if not rule and BAR not in kinds:
        return f"the data has no bars of {name}; name a series, as in {feature.indicator}@1m"
    takes_volume = "volume" in (*feature.declared.inputs, feature.of)
    if takes_volume and not (universe.volume_known[instrument] and kinds & {BAR, TRADE}):
        return f"it takes the volume, which is not known in the data of {name}"
    return ""


def _reads(
    strategies: Sequence[LoadedStrategy], sets: Sequence[FeatureSet]
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    by_bars = {(one.instrument, one.rule): one for one in sets}
    for number, strategy in enumerate(strategies):
        for instrument in strategy.instruments if strategy.features else ():
            places = [place for one in strategy.features for place in by_bars[instrument, one.series].places(one)]
            yield number, instrument, tuple(places)


def feature_events(features: RunFeatures) -> list[Any]:
    """``(instrument, strategy, event, body)`` of what is recorded, for the opening of a journal."""
    if not features.is_recorded:
        return []
    return [
        (one.instrument, -1, FeaturesDefined(series, len(one.columns)), encode_body(list(one.columns)))
        for series, one in features.sets
    ]


def resolved_features(features: RunFeatures, universe: Universe) -> list[dict[str, Any]]:
    """What is recorded as plain values, for the resolved configuration."""
    return [
        {"instrument": universe.instruments[one.instrument].name, "columns": list(one.columns)}
        for _, one in features.sets
    ]


def lay_out_features(engine: Any, features: RunFeatures, first_entry: int) -> list[Any]:
    """Write the plans, the places and the beginning of all values; returns the compiled sets.

    ``first_entry`` is the place among the engine's entries that the first of them will have. Sets of the same text are
    one.
    """
    entries: dict[str, tuple[int, Any]] = {}
    context = engine.context
    context.features[: features.values] = np.nan
    for series, one in features.sets:
        source = features_source(one.steps)
        if source not in entries:
            entries[source] = (first_entry + len(entries) + 1, features_entry(one.steps))
        plan = engine.feature_plans[one.instrument if series < 0 else MAX_INSTRUMENTS + series]
        plan.entry = entries[source][0]
        plan.memory_at, plan.values_at, plan.value_count = one.memory_at, one.values_at, len(one.columns)
        plan.record = int(features.is_recorded)
    at = 1  # the first place is that of a book that reads nothing
    instruments = int(context.state.head.instrument_count)
    for strategy, instrument, places in features.reads:
        context.feature_books[strategy * instruments + instrument] = at
        context.feature_places[at : at + 1 + len(places)] = [len(places), *places]
        at += 1 + len(places)
    engine.control.features_on = int(bool(features.sets))
    return [entry for _, entry in entries.values()]
