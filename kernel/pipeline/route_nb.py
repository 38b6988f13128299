"""Experiments: which inputs are routed to the second of two engines.

Owns the draw and the event. The first engine acts on everything; the second, always on paper, only on what is routed to
it. An instrument is routed when a strategy of either arm first acts on it in a unit of time, by a hash (Philox) of the
seed, the instrument's name and the unit; so the same input goes the same way in every run.
"""

import numpy as np

from kernel.apply_nb import apply_nb
from kernel.chance_nb import draw_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import INPUT_ROUTED
from kernel.jit import jit, unit
from kernel.ledger_nb import OK
from kernel.pipeline.rules import ARM_A, ARM_B, BY_SESSION
from kernel.state import STATE
from kernel.units import RATE_SCALE

_LOW = 0xFFFFFFFF
_PURPOSE = 101  # apart from the draws of the simulated venue
DAY_NS = 86_400_000_000_000


@jit
def unit_nb(state, instrument):
    """The unit of time that an instrument is in: the day, or the opening of the session; before any session the day."""
    opened = state.instruments[instrument].session_open_ns
    if state.experiment.unit == BY_SESSION and opened != 0:
        return opened
    return state.head.now_ns // DAY_NS


@jit
def route_draw_nb(seed, key, number):
    """A uniform 32-bit number for an instrument's key in a unit of time."""
    return draw_nb(seed & _LOW, seed >> 32 & _LOW, number & _LOW, number >> 32 & _LOW, key, _PURPOSE)


@unit(STATE, OUTPUT, np.int64)
def route_nb(state, output, instrument):
    """Route an instrument when it is not routed yet in this unit. Returns a status."""
    route, number = state.routes[instrument], unit_nb(state, instrument)
    if route.routed == 1 and route.unit == number:
        return OK
    draw = route_draw_nb(state.experiment.seed, route.key, number)
    arm = ARM_B if draw * RATE_SCALE < state.experiment.share_rate << 32 else ARM_A
    record = begin_nb(state, output, INPUT_ROUTED.kind, instrument, -1)
    record.words[INPUT_ROUTED.unit] = number
    record.words[INPUT_ROUTED.arm] = arm
    record.words[INPUT_ROUTED.draw] = draw
    return apply_nb(state, record)
