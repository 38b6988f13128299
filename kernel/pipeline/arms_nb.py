"""Experiments in the state: the part of ``apply`` that keeps arms and routes. Only ``apply`` calls what is here."""

from kernel.events.layout import EXPERIMENT_SET, INPUT_ROUTED, ROUTE_KEY
from kernel.jit import inlined
from kernel.ledger_nb import BAD_INDEX, MISMATCH, OK, is_shadow_nb
from kernel.pipeline.rules import ARM_A, ARM_B, BY_DAY, BY_SESSION
from kernel.units import RATE_SCALE


@inlined
def experiment_nb(experiment, words):
    share, unit_of_time = words[EXPERIMENT_SET.share_rate], words[EXPERIMENT_SET.unit]
    if not (0 <= share <= RATE_SCALE and BY_DAY <= unit_of_time <= BY_SESSION) or words[EXPERIMENT_SET.seed] < 0:
        return MISMATCH
    experiment.active = 1
    experiment.share_rate = share
    experiment.seed = words[EXPERIMENT_SET.seed]
    experiment.unit = unit_of_time
    return OK


@inlined
def arm_nb(state, strategy, arm):
    """The second engine is always on paper: not one of its books may lie in a real account."""
    if not ARM_A <= arm <= ARM_B:
        return MISMATCH
    for instrument in range(state.head.instrument_count if arm == ARM_B else 0):
        if not is_shadow_nb(state, strategy, instrument):
            return MISMATCH
    state.arms[strategy].arm = arm
    return OK


@inlined
def routed_nb(state, record):
    words = record.words
    if not 0 <= record.instrument < state.head.instrument_count:
        return BAD_INDEX
    route = state.routes[record.instrument]
    if record.kind == ROUTE_KEY.kind:
        if not 0 <= words[ROUTE_KEY.key] < 1 << 32:
            return MISMATCH
        route.key = words[ROUTE_KEY.key]
        return OK
    if state.experiment.active == 0 or not ARM_A <= words[INPUT_ROUTED.arm] <= ARM_B:
        return MISMATCH
    route.routed = 1
    route.unit = words[INPUT_ROUTED.unit]
    route.arm = words[INPUT_ROUTED.arm]
    return OK
