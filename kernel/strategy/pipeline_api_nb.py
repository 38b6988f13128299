"""What a compiled strategy calls of the signal pipeline: what a model said, and the votes of an ensemble."""

from kernel.events.layout import MODEL_SIGNAL
from kernel.jit import jit
from kernel.sizing_nb import MISSING, to_e8_nb
from kernel.strategy.api_nb import next_intent
from kernel.strategy.context import COMBINE, EMIT_REGIME, EMIT_SIGNAL


@jit
def combine(ctx):
    """Take the votes of the ensemble that this strategy is, on the event's instrument."""
    next_intent(ctx, COMBINE, ctx.call.instrument)


@jit
def pass_on(ctx):
    """Signal what the model said in this event, as it stands there."""
    words = ctx.call.words
    intent = next_intent(ctx, EMIT_SIGNAL, ctx.call.instrument)
    intent.side = words[MODEL_SIGNAL.direction]
    intent.strength_rate = words[MODEL_SIGNAL.strength_rate]
    intent.confidence_rate = words[MODEL_SIGNAL.confidence_rate]
    intent.horizon_ns = words[MODEL_SIGNAL.horizon_ns]
    intent.low_return_rate = words[MODEL_SIGNAL.low_return_rate]
    intent.high_return_rate = words[MODEL_SIGNAL.high_return_rate]
    intent.measure_e8 = MISSING


@jit
def regime_is(ctx, trend, volatility, character, fast, slow, adx, choppiness, rank):
    """Say what the regime of the event's instrument is (numbers of ``kernel.pipeline.rules``), and what was seen.

    An event says so when it is another one than before.
    """
    intent = next_intent(ctx, EMIT_REGIME, ctx.call.instrument)
    intent.side = trend
    intent.order_type = volatility
    intent.time_in_force = character
    intent.limit_ticks = to_e8_nb(fast)
    intent.stop_ticks = to_e8_nb(slow)
    intent.strength_rate = to_e8_nb(adx)
    intent.confidence_rate = to_e8_nb(choppiness)
    intent.measure_e8 = to_e8_nb(rank)
