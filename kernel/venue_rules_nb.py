"""What a venue demands of an order: steps of price and quantity, the least and the most.

Owns the rounding, which is never in the order's favour as its strategy would see it: quantities become smaller, a limit
never worse than asked, and a trigger never nearer. A quantity that is rounded to nothing is refused like any other.
"""

from kernel.jit import inlined, jit
from kernel.ledger_nb import exposure_nb
from kernel.lifecycle import LIMIT_IF_TOUCHED, MARKET, MARKET_IF_TOUCHED
from kernel.risk.numbers import APPROVED, VENUE_RULES
from kernel.risk.order_checks_nb import refuse_nb


@jit
def step_lots_nb(state, instrument, lots):
    """A quantity in whole steps of the venue, rounded down."""
    step = state.instruments[instrument].quantity_step_lots
    return lots if step <= 1 else lots - lots % step


@jit
def step_ticks_nb(state, instrument, ticks, up):
    """A price in whole steps of the venue, rounded down, or ``up`` (1); 0, no price, stays 0."""
    step = state.instruments[instrument].price_step_ticks
    if step <= 1 or ticks == 0:
        return ticks
    return ticks - ticks % step + (step if up == 1 and ticks % step != 0 else 0)


@jit
def rises_nb(side, order_type):
    """Whether the trigger of an order lies above the market: that of a buy stop, and of a sell if touched."""
    touched = order_type == MARKET_IF_TOUCHED or order_type == LIMIT_IF_TOUCHED
    return (side > 0) != touched


@jit
def is_sendable_nb(state, instrument, lots):
    """Whether the venue takes an order of so many lots, as far as its least quantity goes."""
    return lots > 0 and lots >= state.instruments[instrument].minimum_lots


@inlined
def venue_rules_nb(state, ask):
    """The verdict on the quantity. ``ask.quantity_lots`` is what the order may still fill."""
    rules = state.instruments[ask.instrument]
    lots = ask.quantity_lots
    if lots < rules.minimum_lots:
        return refuse_nb(ask, VENUE_RULES, rules.minimum_lots, lots)
    most = rules.maximum_lots
    if ask.order_type == MARKET and rules.maximum_market_lots > 0:
        most = rules.maximum_market_lots
    if 0 < most < lots:
        return refuse_nb(ask, VENUE_RULES, most, lots)
    if rules.minimum_notional_minor > 0 and ask.reduces == 0:
        price = ask.limit_ticks if ask.limit_ticks > 0 else rules.last_ticks
        money = exposure_nb(rules, price, lots)
        if price > 0 and money < rules.minimum_notional_minor:
            return refuse_nb(ask, VENUE_RULES, rules.minimum_notional_minor, money)
    return APPROVED
