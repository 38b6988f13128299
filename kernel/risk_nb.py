"""Pre-trade checks: what an order must pass before it may leave.

Owns the order in which the checks apply, which is part of the contract (``kernel/risk/numbers.py`` lists them): the
first check that refuses is the verdict. Each verdict carries the limit and the value that was compared with it. Limits
of 0 are off. A check that cannot compute its value (it would overflow) refuses.

An order that can only make its position smaller passes what stops entries; an exit, a liquidation or a flattening order
that does so passes all but what makes an order valid.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import (
    book_index_nb,
    exposure_nb,
    rate_row_nb,
)
from kernel.lifecycle import EXIT_ORDER, REDUCING, STRATEGY_ORDER
from kernel.lifecycle import INTENDED as STATUS_INTENDED
from kernel.lifecycle_nb import reducible_lots_nb
from kernel.risk import rules
from kernel.risk.count_nb import reduces_nb
from kernel.risk.exposure_nb import exposure_checks_nb
from kernel.risk.gates_nb import (
    cvar_nb,
    earnings_nb,
    index_nb,
    range_nb,
    session_nb,
    spread_nb,
    stops_nb,
    volume_gate_nb,
    width_nb,
)
from kernel.risk.margin_checks_nb import margin_checks_nb
from kernel.risk.modes import DRAINING, EXIT_MODE, FLATTEN_ALL
from kernel.risk.numbers import (
    APPROVED,
    DEGRADED,
    HALTED,
    INVALID_ORDER,
    KILL_SWITCH,
    MODE,
    NO_MARKET,
    OPEN_ORDERS,
    ORDER_NOTIONAL,
    ORDER_QUANTITY,
    PRICE_BAND,
    RATE_UNKNOWN,
    REDUCE_ONLY,
)
from kernel.risk.order_checks_nb import (
    book_band_nb,
    duplicate_nb,
    fat_finger_nb,
    refuse_nb,
    self_trade_nb,
    throttle_nb,
    volume_nb,
)
from kernel.risk.totals_nb import in_first_nb, rule_nb
from kernel.state import STATE
from kernel.tables.orders import ORDER
from kernel.terms_nb import is_valid_nb
from kernel.units import RATE_SCALE
from kernel.venue_rules_nb import venue_rules_nb


@inlined
def _reduces_nb(state, ask):
    """Whether it can only make its position smaller."""
    position = state.positions[book_index_nb(state, ask.strategy, ask.instrument, ask.leg)]
    pending = position.pending_buy_lots if ask.side > 0 else position.pending_sell_lots
    return reduces_nb(position, ask.side, pending + ask.extra_lots, ask.instructions & REDUCING != 0)


@inlined
def _missing_rate_nb(state, book):
    """The currency from which no rate leads on, to that of the book's account or of the first one; -1 when all do."""
    balance = state.balances[state.positions[book].balance]
    if balance.rate_denominator == 0:
        return balance.currency
    account, first = state.accounts[balance.account].currency, state.accounts[0].currency
    if account != first and state.rates[rate_row_nb(account, first)].denominator == 0:
        return account
    return -1


@inlined
def _stopped_nb(state, ask):
    """Halts, the kill switch and the mode. Returns a check; 0 lets the order pass."""
    head, risk = state.head, state.risk
    if ask.reduces == 0 and (
        head.halted != 0
        or state.instruments[ask.instrument].halted != 0
        or state.accounts[
            state.positions[book_index_nb(state, ask.strategy, ask.instrument, ask.leg)].account
        ].liquidating
        != 0
    ):
        return refuse_nb(ask, HALTED, 0, 1)
    degraded = head.degraded | state.instruments[ask.instrument].degraded
    ends = degraded & DRAINING != 0 and ask.purpose == STRATEGY_ORDER
    if degraded != 0 and (ask.reduces == 0 or ends):
        return refuse_nb(ask, DEGRADED, 0, degraded)
    if head.risk_on == 0:
        return APPROVED
    ends = ask.reduces == 1 and ask.purpose > EXIT_ORDER
    if (risk.kill_level > 0 and ask.reduces == 0) or (risk.kill_level == FLATTEN_ALL and not ends):
        return refuse_nb(ask, KILL_SWITCH, 0, risk.kill_level)
    leaves = ask.reduces == 1 and ask.purpose != STRATEGY_ORDER
    if (risk.mode > 0 and ask.reduces == 0) or (risk.mode == EXIT_MODE and not leaves):
        return refuse_nb(ask, MODE, 0, risk.mode)
    return APPROVED


@inlined
def _sane_nb(state, ask, book, notional_minor):
    """The order by itself: what no strategy should send."""
    limits, last = state.limits, state.instruments[ask.instrument].last_ticks
    if limits.open_orders > 0 and state.head.order_count > limits.open_orders:
        return refuse_nb(ask, OPEN_ORDERS, limits.open_orders, state.head.order_count)
    if limits.order_lots > 0 and ask.quantity_lots > limits.order_lots:
        return refuse_nb(ask, ORDER_QUANTITY, limits.order_lots, ask.quantity_lots)
    limit = limits.order_notional_minor
    money = in_first_nb(state, book, notional_minor) if limit > 0 else notional_minor
    if money == OVERFLOW or 0 < limit < money:
        return refuse_nb(ask, ORDER_NOTIONAL, limit, money)
    if limits.price_band_rate > 0:
        of_limit = abs(ask.limit_ticks - last) if ask.limit_ticks > 0 else 0
        of_stop = abs(ask.stop_ticks - last) if ask.stop_ticks > 0 else 0
        rate = scale_linked_nb(max(of_limit, of_stop), RATE_SCALE, 1, last)
        if rate == OVERFLOW or rate > limits.price_band_rate:
            return refuse_nb(ask, PRICE_BAND, limits.price_band_rate, rate)
    return APPROVED


@unit(STATE, OUTPUT)
def _sent_nb(state, output):
    """The order beside the book, the average, and what was sent before."""
    ask = output.ask
    check = book_band_nb(state, ask)
    if check == APPROVED:
        check = fat_finger_nb(state, ask)
    if check == APPROVED:
        check = volume_nb(state, ask)
    if check == APPROVED:
        check = duplicate_nb(state, ask)
    if check == APPROVED:
        check = self_trade_nb(state, ask)
    return check


@unit(STATE, OUTPUT, np.int64)
def _entry_nb(state, output, price_ticks):
    """What only stops entries: throttles, losses, gates, exposures."""
    ask, passes = output.ask, rule_nb(state, rules.PASS_UNKNOWN) > 0
    check = throttle_nb(state, ask)
    if check == APPROVED:
        check = stops_nb(state, ask)
    if check == APPROVED:
        check = cvar_nb(state, ask, book_index_nb(state, ask.strategy, ask.instrument, ask.leg))
    if check == APPROVED:
        check = index_nb(state, ask)
    if check == APPROVED:
        check = volume_gate_nb(state, ask, rule_nb(state, rules.DAILY_VOLUME), passes)
    if check == APPROVED:
        check = spread_nb(state, ask, rule_nb(state, rules.SPREAD), passes)
    if check == APPROVED:
        check = earnings_nb(state, ask, rule_nb(state, rules.EARNINGS_BLACKOUT))
    if check == APPROVED:
        check = session_nb(state, ask, rule_nb(state, rules.SESSION_HOURS), passes)
    if check == APPROVED:
        check = range_nb(state, ask)
    if check == APPROVED:
        check = width_nb(state, ask)
    if check == APPROVED:
        check = exposure_checks_nb(state, ask, price_ticks)
    return check


@inlined
def _fill_ask_nb(ask, order, extra_lots, quantity_lots, limit_ticks, stop_ticks):
    ask.order_id = order.order_id
    ask.strategy = order.strategy
    ask.instrument = order.instrument
    ask.side = order.side
    ask.order_type = order.order_type
    ask.extra_lots = extra_lots
    ask.quantity_lots = quantity_lots
    ask.limit_ticks = limit_ticks
    ask.stop_ticks = stop_ticks
    ask.instructions = order.instructions
    ask.purpose = order.purpose
    ask.leg = order.leg
    ask.key = order.key
    ask.waits = int(order.status == STATUS_INTENDED and order.group_role == 0)
    ask.replaces = 0 if order.status == STATUS_INTENDED else order.order_id
    ask.limit = 0
    ask.value = 0
    ask.reduces = 0


@unit(STATE, OUTPUT, ORDER, np.int64, np.int64, np.int64, np.int64)
def check_order_nb(state, output, order, extra_lots, quantity_lots, limit_ticks, stop_ticks):
    """The verdict on an order (a row of the state's orders): the check that refuses, 0 when none does.

    The limit and the value that it compared are left in ``output.ask``. ``quantity_lots`` is what the order may still
    fill, of which ``extra_lots`` are not yet among the pending lots of its book (0 for an order that has been intended,
    the change for a replace); the prices are those that it is to have.
    """
    ask = output.ask
    _fill_ask_nb(ask, order, extra_lots, quantity_lots, limit_ticks, stop_ticks)
    if not is_valid_nb(order, quantity_lots, limit_ticks, stop_ticks, state.head.now_ns):
        return refuse_nb(ask, INVALID_ORDER, 0, quantity_lots)
    ask.reduces = 1 if _reduces_nb(state, ask) else 0
    check = _stopped_nb(state, ask)
    if check == APPROVED and state.head.rules_on == 1:
        check = venue_rules_nb(state, ask)
    if check != APPROVED:
        return check
    reducing = order.instructions & REDUCING != 0
    lots = reducible_lots_nb(state, order.strategy, order.instrument, order.leg, order.side)
    if reducing and order.parent_id == 0 and lots == 0:
        return refuse_nb(ask, REDUCE_ONLY, 0, quantity_lots)
    last = state.instruments[ask.instrument].last_ticks
    if last <= 0:
        return refuse_nb(ask, NO_MARKET, 0, last)
    book = book_index_nb(state, ask.strategy, ask.instrument, ask.leg)
    missing = _missing_rate_nb(state, book) if ask.reduces == 0 and state.head.balance_count > 1 else -1
    if missing >= 0:
        return refuse_nb(ask, RATE_UNKNOWN, 0, missing)
    if ask.reduces == 1 and ask.purpose != STRATEGY_ORDER:
        return APPROVED
    price = max(last, ask.limit_ticks, ask.stop_ticks)
    notional = exposure_nb(state.instruments[ask.instrument], price, ask.quantity_lots)
    check = _sane_nb(state, ask, book, notional)
    if check == APPROVED and state.head.risk_on == 1:
        check = _sent_nb(state, output)
    if check == APPROVED and state.head.risk_on == 1 and ask.reduces == 0:
        check = _entry_nb(state, output, price)
    if check == APPROVED and not reducing:
        check = margin_checks_nb(state, ask, price, notional)
    return check
