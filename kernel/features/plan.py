"""Which features are computed for which bars: everything that somebody asks for, each once.

Owns the places of the values, and of the memory of the indicators, in the engine's context.
"""

from collections.abc import Iterable

import msgspec

from kernel.features.generate import steps_of
from kernel.features.name import Feature, FeatureError
from kernel.strategy.context import FEATURE_PLACES, FEATURE_VALUES, FEATURE_WORDS

MOST_VALUES = 256  # of one bar: what one event of a transaction may record


class Wanted(msgspec.Struct, frozen=True):
    """A feature of one instrument that somebody asks for; ``rule`` is the series, empty for the data's own bars."""

    instrument: int
    rule: str
    feature: Feature


class FeatureSet(msgspec.Struct, frozen=True):
    """What is computed when a bar of one instrument and one series closes, and where its memory and values begin.

    ``columns`` are the names of the values, in their order.
    """

    instrument: int
    rule: str
    steps: tuple[Feature, ...]
    columns: tuple[str, ...]
    memory_at: int
    values_at: int

    def places(self, feature: Feature) -> list[int]:
        """Where the values of a feature lie."""
        at = self.values_at
        for step in self.steps:
            if step.step == feature.step:
                return [at + output for output in feature.outputs]
            at += len(step.declared.outputs)
        raise AssertionError(f"{feature} is not in the set")


def plan_features(wanted: Iterable[Wanted]) -> tuple[FeatureSet, ...]:
    """The sets of all that is wanted, in the order in which each is first asked for. Raises FeatureError."""
    asked: dict[tuple[int, str], list[Feature]] = {}
    for one in wanted:
        asked.setdefault((one.instrument, one.rule), []).append(one.feature)
    sets: list[FeatureSet] = []
    memory_at = values_at = 0
    for (instrument, rule), features in asked.items():
        steps = steps_of(features)
        whole = [msgspec.structs.replace(step, output="", series=rule) for step in steps]
        columns = tuple(name for step in whole for name in step.columns())
        sets.append(FeatureSet(instrument, rule, tuple(whole), columns, memory_at, values_at))
        memory_at += sum(step.words for step in steps)
        values_at += len(columns)
        if len(columns) > MOST_VALUES:
            raise FeatureError(f"{len(columns)} values of one bar are more than the kernel computes ({MOST_VALUES})")
    for what, count, most in (("values", values_at, FEATURE_VALUES), ("words of memory", memory_at, FEATURE_WORDS)):
        if count > most:
            raise FeatureError(f"features take {count} {what}, more than the kernel holds ({most}); split the run")
    return tuple(sets)


def check_places(count: int) -> None:
    """Raise FeatureError when strategies read more features than fit."""
    if count > FEATURE_PLACES:
        raise FeatureError(f"strategies read {count} features, more than the kernel holds ({FEATURE_PLACES})")
