"""``[experiment]``: two engines side by side on the same inputs, the second always on paper."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.pipeline.rules import ARM_A, ARM_B, UNITS
from kernel.units import RATE_SCALE
from replay.config.amounts import Number, rate
from replay.config.errors import SettingError
from replay.config.shadow import label

UNIT_NUMBERS = {name: number for number, name in UNITS.items()}
MOST_SEED = (1 << 63) - 1


class ExperimentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The strategies of both arms by name, and which share of inputs (an instrument on a day) is routed to arm B."""

    a: list[str] = msgspec.field(default_factory=list)
    b: list[str] = msgspec.field(default_factory=list)
    percent: Number = 100
    seed: int = 0
    by: str = "day"


def resolve_experiment(experiment: ExperimentConfig, strategies: Sequence[Any]) -> dict[str, Any]:
    """Share, seed, unit, and the arm of each strategy (0: none); empty without an experiment. Raises SettingError."""
    if experiment == ExperimentConfig():
        return {}
    if experiment.by not in UNIT_NUMBERS:
        raise SettingError("experiment.by", f"is {experiment.by!r}; it is one of {', '.join(UNIT_NUMBERS)}")
    if not 0 <= experiment.seed <= MOST_SEED:
        raise SettingError("experiment.seed", f"is {experiment.seed}; it must be a whole number, 0 or more, below 2^63")
    share = rate("experiment.percent", experiment.percent, 100)
    if share > RATE_SCALE:
        raise SettingError("experiment.percent", f"is {experiment.percent}; it is 100 at most")
    names, arms = [label(entry) for entry in strategies], [0] * len(strategies)
    for arm, side in ((ARM_A, "a"), (ARM_B, "b")):
        listed = getattr(experiment, side)
        if not listed:
            raise SettingError(f"experiment.{side}", "is missing; name at least one strategy for each arm")
        for at, name in enumerate(listed):
            if names.count(name) != 1:
                known = ", ".join(names)
                raise SettingError(f"experiment.{side}.{at}", f"is {name!r}; name one strategy of the run: {known}")
            if arms[names.index(name)]:
                raise SettingError(f"experiment.{side}.{at}", f"is {name!r}, which is in an arm already")
            arms[names.index(name)] = arm
    return {"share_rate": share, "seed": experiment.seed, "unit": UNIT_NUMBERS[experiment.by], "arms": arms}


def on_paper(experiment: ExperimentConfig, strategies: Sequence[Any]) -> list[Any]:
    """The strategies, those of arm B in shadow."""
    arms = resolve_experiment(experiment, strategies).get("arms", [0] * len(strategies))
    return [
        msgspec.structs.replace(entry, shadow=True) if arm == ARM_B else entry
        for entry, arm in zip(strategies, arms, strict=True)
    ]


def route_key(name: str) -> int:
    """The number by which an instrument is hashed."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
