"""The events of the signal pipeline in the state: the part of ``apply`` that keeps what they say.

Owns the booking of fills in shadow accounts. It decides nothing. Only ``apply`` calls what changes something here.
"""

from kernel.accounts_nb import note_next_expiry_nb
from kernel.events.layout import (
    ARM_SET,
    CALIBRATION_POINT,
    CALIBRATION_SET,
    ENSEMBLE_SET,
    EXPERIMENT_SET,
    FILTERS_SET,
    INPUT_ROUTED,
    MEMBER_SET,
    RECORD,
    REGIME_CHANGED,
    REGIME_SCALE,
    ROUTE_KEY,
    SHADOW_FILLED,
    SHADOW_TERMS,
    SIGNAL_COMBINED,
    SIGNAL_VOTED,
)
from kernel.fills_nb import fill_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, NO_CAPACITY, OK, UNKNOWN_KIND, book_index_nb
from kernel.lifecycle import FLATTEN_ORDER, SHADOW
from kernel.lifecycle_nb import position_index_nb
from kernel.pipeline.arms_nb import arm_nb, experiment_nb, routed_nb
from kernel.pipeline.rules import (
    AT_LEAST,
    BEAR,
    BULL,
    CONFIDENCE,
    COUNTS,
    HIGH,
    ISOTONIC,
    LOW,
    MIXED,
    PASSES,
    QUANTILE,
    TRENDING,
)
from kernel.risk.define_nb import switch_on_nb
from kernel.state import STATE
from kernel.tables.pipeline import MAX_POINTS, REGIME_CLASSES, REGIME_DIMENSIONS
from kernel.tables.table import MAX_LOTS, MAX_STRATEGIES
from kernel.units import RATE_SCALE

MOST_FACTOR = 10 * RATE_SCALE
MOST_SLOPE = 1000 * RATE_SCALE


@inlined
def _shadow_fill_nb(state, record):
    """Book a fill on paper. Its book must be one of a shadow account; the arithmetic is that of any fill."""
    words, head = record.words, state.head
    if not (0 <= record.strategy < head.strategy_count and 0 <= record.instrument < head.instrument_count):
        return BAD_INDEX
    leg, side, lots = words[SHADOW_FILLED.leg], words[SHADOW_FILLED.side], words[SHADOW_FILLED.quantity_lots]
    position = state.positions[book_index_nb(state, record.strategy, record.instrument, leg)]
    account = state.accounts[position.account]
    if account.shadow == 0 or abs(leg) != account.hedging or words[SHADOW_FILLED.order_id] != record.sequence:
        return MISMATCH
    if abs(side) != 1 or not 0 < lots <= MAX_LOTS or words[SHADOW_FILLED.leaves_lots] != 0:
        return MISMATCH
    if words[SHADOW_FILLED.liquidity] != SHADOW or not 0 <= words[SHADOW_FILLED.purpose] <= FLATTEN_ORDER:
        return MISMATCH
    head.shadow_fill_count += 1
    if words[SHADOW_FILLED.trade_id] != head.shadow_fill_count:
        return MISMATCH
    price, fee = words[SHADOW_FILLED.price_ticks], words[SHADOW_FILLED.fee_minor]
    instrument = state.instruments[record.instrument]
    state.closed_trade.purpose = words[SHADOW_FILLED.purpose]
    status = fill_nb(state, instrument, position, leg, side, price, lots, fee, record.ts_event_ns, record.sequence)
    if status == OK and instrument.expired != 0:
        note_next_expiry_nb(state)  # what is held of a contract that is over is settled next
    return status


@inlined
def _shadow_terms_nb(state, words):
    fee, slippage = words[SHADOW_TERMS.fee_rate], words[SHADOW_TERMS.slippage_rate]
    if not (0 <= fee <= RATE_SCALE and 0 <= slippage <= RATE_SCALE):
        return MISMATCH
    state.shadow.fee_rate = fee
    state.shadow.slippage_rate = slippage
    return OK


@inlined
def _ensemble_nb(state, strategy, words):
    plan, rule = state.ensembles[strategy], words[ENSEMBLE_SET.rule]
    confidence, quantile = words[ENSEMBLE_SET.minimum_confidence_rate], words[ENSEMBLE_SET.quantile_rate]
    if not (0 <= rule <= AT_LEAST and 0 <= confidence <= RATE_SCALE and 0 <= quantile <= RATE_SCALE):
        return MISMATCH
    plan.active = 1
    plan.rule = rule
    plan.at_least = words[ENSEMBLE_SET.at_least]
    plan.minimum_confidence_rate = confidence
    plan.quantile_rate = quantile
    return OK


@inlined
def _member_nb(state, strategy, words):
    """A strategy votes in one ensemble, and never in its own."""
    member, weight, veto = words[MEMBER_SET.member], words[MEMBER_SET.weight_rate], words[MEMBER_SET.veto]
    if not 0 <= member < state.head.strategy_count or member == strategy:
        return BAD_INDEX
    other = state.ensembles[member]
    if not (0 <= weight <= RATE_SCALE and 0 <= veto <= 1) or (other.member_of != 0 and other.member_of != strategy + 1):
        return MISMATCH
    other.member_of = strategy + 1
    entry = state.members[strategy * MAX_STRATEGIES + member]
    entry.active = 1
    entry.weight_rate = weight
    entry.veto = veto
    return OK


@inlined
def _vote_nb(state, record):
    words = record.words
    member, direction = words[SIGNAL_VOTED.member], words[SIGNAL_VOTED.direction]
    confidence, reason = words[SIGNAL_VOTED.confidence_rate], words[SIGNAL_VOTED.reason]
    if not 0 <= member < state.head.strategy_count:
        return BAD_INDEX
    if state.members[record.strategy * MAX_STRATEGIES + member].active == 0 or not 0 <= reason <= QUANTILE:
        return MISMATCH
    if abs(direction) > 1 or not 0 <= confidence <= RATE_SCALE or (direction != 0) != (reason == COUNTS):
        return MISMATCH
    vote = state.votes[position_index_nb(state, member, record.instrument)]
    vote.direction = direction
    vote.confidence_rate = confidence
    vote.reason = reason
    return OK


@inlined
def _regime_nb(regime, words):
    trend, volatility = words[REGIME_CHANGED.trend], words[REGIME_CHANGED.volatility]
    character = words[REGIME_CHANGED.character]
    if not (BEAR <= trend <= BULL and LOW <= volatility <= HIGH and TRENDING <= character <= MIXED):
        return MISMATCH
    regime.trend = trend
    regime.volatility = volatility
    regime.character = character
    return OK


@inlined
def _regime_scale_nb(state, words):
    dimension, regime = words[REGIME_SCALE.dimension], words[REGIME_SCALE.regime]
    long, short = words[REGIME_SCALE.long_rate], words[REGIME_SCALE.short_rate]
    if not (0 <= dimension < REGIME_DIMENSIONS and -1 <= regime < REGIME_CLASSES - 1):
        return BAD_INDEX
    if not (0 <= long <= MOST_FACTOR and 0 <= short <= MOST_FACTOR):
        return MISMATCH
    state.head.regimes_on = 1
    entry = state.regime_scales[dimension * REGIME_CLASSES + regime + 1]
    entry.active = 1
    entry.long_rate = long
    entry.short_rate = short
    return OK


@inlined
def _calibration_nb(plan, words):
    method = words[CALIBRATION_SET.method]
    slope, intercept = words[CALIBRATION_SET.slope_e8], words[CALIBRATION_SET.intercept_e8]
    if not 0 <= method <= ISOTONIC or max(abs(slope), abs(intercept)) > MOST_SLOPE:
        return MISMATCH
    plan.method = method
    plan.slope_e8 = slope
    plan.intercept_e8 = intercept
    plan.point_count = 0
    return OK


@inlined
def _calibration_point_nb(state, strategy, words):
    plan, first = state.calibrations[strategy], strategy * MAX_POINTS
    confidence, calibrated = words[CALIBRATION_POINT.confidence_rate], words[CALIBRATION_POINT.calibrated_rate]
    if plan.method != ISOTONIC or not (0 <= confidence <= RATE_SCALE and 0 <= calibrated <= RATE_SCALE):
        return MISMATCH
    if plan.point_count >= MAX_POINTS:
        return NO_CAPACITY
    if plan.point_count > 0 and confidence <= state.calibration_points[first + plan.point_count - 1].confidence_rate:
        return MISMATCH
    point = state.calibration_points[first + plan.point_count]
    point.confidence_rate = confidence
    point.calibrated_rate = calibrated
    plan.point_count += 1
    return OK


@inlined
def _filters_nb(state, strategy, words):
    """From now on what the filters measure is counted: what the rules of risk count too."""
    plan, least = state.filters[strategy], 0
    for word in range(FILTERS_SET.pass_unknown + 1):
        least = min(least, words[word])
    if least < 0:
        return MISMATCH
    plan.active = 1
    plan.minimum_confidence_rate = words[FILTERS_SET.minimum_confidence_rate]
    plan.close_before_ns = words[FILTERS_SET.close_before_ns]
    plan.daily_volume = words[FILTERS_SET.daily_volume]
    plan.spread_rate = words[FILTERS_SET.spread_rate]
    plan.earnings_ns = words[FILTERS_SET.earnings_ns]
    plan.news_ns = words[FILTERS_SET.news_ns]
    plan.pass_unknown = words[FILTERS_SET.pass_unknown]
    return switch_on_nb(state)


@inlined
def _plan_nb(state, kind, strategy, words):
    """How the signals of a strategy are treated."""
    if kind == ENSEMBLE_SET.kind:
        return _ensemble_nb(state, strategy, words)
    if kind == MEMBER_SET.kind:
        return _member_nb(state, strategy, words)
    if kind == CALIBRATION_SET.kind:
        return _calibration_nb(state.calibrations[strategy], words)
    if kind == CALIBRATION_POINT.kind:
        return _calibration_point_nb(state, strategy, words)
    if kind == FILTERS_SET.kind:
        return _filters_nb(state, strategy, words)
    if kind == ARM_SET.kind:
        return arm_nb(state, strategy, words[ARM_SET.arm])
    return UNKNOWN_KIND


@inlined
def _opinion_nb(state, record):
    """What is said of an instrument."""
    if not 0 <= record.instrument < state.head.instrument_count:
        return BAD_INDEX
    if record.kind == SIGNAL_VOTED.kind:
        return _vote_nb(state, record)
    if record.kind == REGIME_CHANGED.kind:
        return _regime_nb(state.regimes[record.instrument], record.words)
    return OK if PASSES <= record.words[SIGNAL_COMBINED.reason] <= CONFIDENCE else MISMATCH


@unit(STATE, RECORD)
def pipeline_event_nb(state, record):
    """Book one event of the signal pipeline. Returns a status."""
    kind = record.kind
    if kind == SHADOW_FILLED.kind:
        return _shadow_fill_nb(state, record)
    if kind == SHADOW_TERMS.kind:
        return _shadow_terms_nb(state, record.words)
    if kind == REGIME_SCALE.kind:
        return _regime_scale_nb(state, record.words)
    if kind == EXPERIMENT_SET.kind:
        return experiment_nb(state.experiment, record.words)
    if kind == ROUTE_KEY.kind or kind == INPUT_ROUTED.kind:
        return routed_nb(state, record)
    if not 0 <= record.strategy < state.head.strategy_count:
        return BAD_INDEX
    if kind == SIGNAL_VOTED.kind or kind == SIGNAL_COMBINED.kind or kind == REGIME_CHANGED.kind:
        return _opinion_nb(state, record)
    return _plan_nb(state, kind, record.strategy, record.words)
