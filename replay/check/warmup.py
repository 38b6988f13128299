"""Does a strategy say rightly how many bars it needs? After those it must decide as if it had always run.

Owns what is compared: not sizes, which depend on the equity, but what is wished and in which direction.
"""

from collections.abc import Callable

import msgspec

from kernel.strategy.declare import NEVER, CompiledStrategy, features_warm_up
from replay.check.late_features import LateFeatures
from replay.check.probe import Late, probe_of
from replay.check.tapes import altered
from replay.execution import Execution, Prepared
from replay.features import plan_run_features
from replay.series import plan_run_series

DAY_NS = 86_400_000_000_000
MOST_ROWS = 100_000
_HORIZON = 10  # times the declared bars, and at least so many:
_LEAST_HORIZON = 500


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One that began later, at ``born_ns``: ``wishes`` of the one that always ran, how many it did not share, the last
    bar at which it did not, and the time of that. ``is_good`` says that this was within what is declared.
    """

    instrument: str
    born_ns: int
    was_flat: bool
    bars: int
    wishes: int
    differences: int
    agrees_after: int
    differed_ns: int
    is_good: bool
    feature_difference: float  # the largest relative one of a feature when the warm-up was over, and of which
    feature: str


class WarmupReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``warm_up``, ``settle`` (bars, or NEVER) and ``settle_days`` are what the strategy declares."""

    rows: int
    warm_up: int
    settle: int
    settle_days: int
    starts: tuple[Start, ...]

    @property
    def needed(self) -> int:
        """After how many bars all agreed."""
        return max((start.agrees_after for start in self.starts), default=0)

    @property
    def is_good(self) -> bool:
        """None differed after what is declared."""
        return all(start.is_good for start in self.starts)


def declared_bars(prepared: Prepared) -> tuple[int, int, int]:
    """The warm-up of the strategy, and the bars and the days until it has settled. Raises StrategyError."""
    strategy = prepared.strategies[0]
    if isinstance(strategy.source, CompiledStrategy):
        source = strategy.source
        parameters = strategy.parameters
        return source.warm_up_bars(parameters), source.settle_bars(parameters), source.settle_days
    warm_up = strategy.source.warm_up or features_warm_up(strategy.features, strategy.bars)
    return warm_up, strategy.source.settle, strategy.source.settle_days


def check_warmup(
    prepared: Prepared, *, starts: int = 12, progress: Callable[[int, int], None] | None = None
) -> WarmupReport:
    """Run a strategy with ``starts`` of its kind that begin later. ``prepared`` has no journal."""
    warm_up, settle, settle_days = declared_bars(prepared)
    strategy = prepared.strategies[0]
    rows = min(prepared.tape().rows_total, MOST_ROWS)
    per_probe = rows if strategy.source.per == "portfolio" else rows // len(strategy.instruments)
    horizon = max(_HORIZON * (warm_up + settle), _LEAST_HORIZON)
    planned = frozenset(max(per_probe * (at + 1) // (starts + 2), 2) for at in range(starts))
    probe, made = probe_of(strategy, planned, horizon, warm_up)
    execution = Execution(
        altered(msgspec.structs.replace(prepared, strategies=(probe,)), end=rows), None, progress=progress
    )
    run = prepared.config, prepared.universe, prepared.strategies
    features = plan_run_features(*run, plan_run_series(*run))
    if features.sets:
        late_features = LateFeatures(execution.memory, features)
        for one in made:
            one.late_features = late_features
    execution.run()
    declared = warm_up, settle, settle_days
    names = [instrument.name for instrument in prepared.universe.instruments]
    found = tuple(
        _start("all" if one.instrument < 0 else names[one.instrument], late, declared)
        for one in made
        for late in one.late
    )
    return WarmupReport(rows=rows, warm_up=warm_up, settle=settle, settle_days=settle_days, starts=found)


def _start(instrument: str, late: Late, declared: tuple[int, int, int]) -> Start:
    warm_up, settle, settle_days = declared
    agrees_after = late.agrees_after if late.was_flat else max(late.agrees_after, late.uncounted)
    days = (late.differed_ns - late.born_ns) / DAY_NS
    is_good = settle == NEVER or agrees_after <= warm_up + settle or 0 < days <= settle_days
    return Start(
        instrument=instrument, born_ns=late.born_ns, was_flat=late.is_flat, bars=late.bars, wishes=late.wishes,
        differences=late.differences, agrees_after=agrees_after, differed_ns=late.differed_ns,
        is_good=is_good, feature_difference=late.feature_difference, feature=late.feature,
    )  # fmt: skip
