"""Shadow accounts: what their strategies want is traded on paper, at once, and never becomes an order.

Owns the price, the cost and the refusals of such a fill. It happens where an order would have been made (a wish of a
strategy, a target, an exit, a liquidation): at the other side of the quote when both sides are known, else at the last
price, with the stated slippage and fee. Positions, round trips, exits and equity then follow as from any fill. Only
what trades at the market can be told so, so orders that rest, wait or belong to a group are refused. The account must
carry the fill, as at the simulated venue; the rules of risk are for real accounts and do not apply.
"""

import numpy as np

from kernel.after_fill_nb import after_fill_nb, liquidation_fee_nb
from kernel.apply_nb import apply_nb
from kernel.emit_nb import OUTPUT, begin_nb
from kernel.events.layout import SHADOW_FILLED
from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.funds_nb import has_funds_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import MONEY_OVERFLOW, OK, book_index_nb, equity_nb, exposure_nb
from kernel.lifecycle import BUY, CLOSE_POSITION, LIQUIDATION_ORDER, MARKET, REDUCING, SELL, SHADOW
from kernel.lifecycle_nb import reducible_lots_nb
from kernel.requests_nb import refuse_nb
from kernel.risk import rules
from kernel.risk.numbers import BUYING_POWER, HALTED, INVALID_ORDER, NO_MARKET, REDUCE_ONLY, SHADOW_ORDER, STALE
from kernel.risk.totals_nb import rule_nb
from kernel.state import STATE
from kernel.strategy.context import INTENT
from kernel.tables.table import MAX_LOTS
from kernel.units import RATE_SCALE

_AUCTION = 3  # a status of an instrument in which orders are taken


@jit
def shadow_ticks_nb(state, instrument, side):
    """The price of a fill on paper: the touch or the last price, and slippage of at least a tick when there is any."""
    entry, rate = state.instruments[instrument], state.shadow.slippage_rate
    price = entry.last_ticks
    if entry.bid_ticks > 0 and entry.ask_ticks > 0:
        price = entry.ask_ticks if side > 0 else entry.bid_ticks
    if rate == 0:
        return price
    slip = max(scale_linked_nb(abs(price), rate, 1, RATE_SCALE), 1)
    return price + slip if side > 0 else max(price - slip, 1)


@jit
def _trade_nb(state, output, strategy, instrument, leg, side, lots, price_ticks, fee_minor, purpose):
    """Write the fill and what follows from it. Returns a status."""
    cause = output.cause
    record = begin_nb(state, output, SHADOW_FILLED.kind, instrument, strategy)
    words, order_id = record.words, record.sequence
    words[SHADOW_FILLED.order_id] = order_id
    words[SHADOW_FILLED.side] = side
    words[SHADOW_FILLED.price_ticks] = price_ticks
    words[SHADOW_FILLED.quantity_lots] = lots
    words[SHADOW_FILLED.fee_minor] = fee_minor
    words[SHADOW_FILLED.liquidity] = SHADOW
    words[SHADOW_FILLED.trade_id] = state.head.shadow_fill_count + 1
    words[SHADOW_FILLED.purpose] = purpose
    words[SHADOW_FILLED.leg] = leg
    output.cause = order_id
    status = apply_nb(state, record)
    if status == OK:
        status = after_fill_nb(state, output, strategy, instrument, order_id)
    if status == OK and purpose == LIQUIDATION_ORDER:
        status = liquidation_fee_nb(state, output, strategy, instrument, order_id, price_ticks, lots)
    output.cause = cause
    return status


@inlined
def _is_plain_nb(intent):
    """Whether an order is one that fills at once: at the market, by itself."""
    waits = intent.limit_ticks | intent.stop_ticks | intent.trail_kind | intent.display_lots | intent.expire_ns
    return intent.order_type == MARKET and waits == 0 and intent.group_role == 0


@unit(STATE, OUTPUT, np.int64, np.int64, INTENT, np.int64)
def shadow_place_nb(state, output, strategy, instrument, intent, purpose):
    """Trade on paper what an intent of a book in a shadow account asks for, or refuse it. Returns a status.

    A reduce-only intent is cut to what there is to reduce. ``output.order_id`` is 0 afterwards: there is no order.
    """
    output.order_id = 0
    if not _is_plain_nb(intent):
        return refuse_nb(state, output, strategy, instrument, 0, SHADOW_ORDER, 0, intent.order_type)
    leg, side, lots = intent.leg, intent.side, intent.quantity_lots
    book = book_index_nb(state, strategy, instrument, leg)
    position, entry = state.positions[book], state.instruments[instrument]
    account = state.accounts[position.account]
    if abs(leg) != account.hedging:
        return refuse_nb(state, output, strategy, instrument, 0, INVALID_ORDER, 0, lots)
    oldest, age = rule_nb(state, rules.STALE_AFTER), state.head.now_ns - intent.signal_ns
    if intent.signal_ns != 0 and 0 < oldest < age:
        return refuse_nb(state, output, strategy, instrument, 0, STALE, oldest, age)
    if intent.instructions & REDUCING != 0:
        if intent.instructions & CLOSE_POSITION != 0:
            side = side if side != 0 else (SELL if position.quantity_lots > 0 else BUY)
            lots = MAX_LOTS
        lots = min(lots, reducible_lots_nb(state, strategy, instrument, leg, side))
        if lots == 0:
            return refuse_nb(state, output, strategy, instrument, 0, REDUCE_ONLY, 0, 0)
    turns = leg != 0 and (position.quantity_lots + side * lots) * leg < 0
    if abs(side) != 1 or not 0 < lots <= MAX_LOTS or turns:
        return refuse_nb(state, output, strategy, instrument, 0, INVALID_ORDER, 0, lots)
    if entry.last_ticks <= 0 or entry.expired != 0:
        return refuse_nb(state, output, strategy, instrument, 0, NO_MARKET, 0, entry.last_ticks)
    if entry.trading_status != 0 and entry.trading_status != _AUCTION:
        return refuse_nb(state, output, strategy, instrument, 0, HALTED, 0, entry.trading_status)
    price = shadow_ticks_nb(state, instrument, side)
    money = exposure_nb(entry, price, lots)
    fee = scale_linked_nb(money, state.shadow.fee_rate, 1, RATE_SCALE) if money != OVERFLOW else OVERFLOW
    grows = position.quantity_lots * side >= 0 or lots > abs(position.quantity_lots)
    if fee == OVERFLOW or (grows and account.liquidating == 1):
        return refuse_nb(state, output, strategy, instrument, 0, BUYING_POWER, equity_nb(account), OVERFLOW)
    if not has_funds_nb(state, strategy, instrument, leg, side, price, lots, fee):
        return refuse_nb(state, output, strategy, instrument, 0, BUYING_POWER, equity_nb(account), money)
    return _trade_nb(state, output, strategy, instrument, leg, side, lots, price, fee, purpose)


@unit(STATE, OUTPUT, np.int64, np.int64, np.int64)
def shadow_close_nb(state, output, strategy, instrument, leg):
    """Close a book of a shadow account that is liquidated; nothing keeps that back. Returns a status."""
    position, entry = state.positions[book_index_nb(state, strategy, instrument, leg)], state.instruments[instrument]
    side, lots = (SELL if position.quantity_lots > 0 else BUY), min(abs(position.quantity_lots), MAX_LOTS)
    price = shadow_ticks_nb(state, instrument, side)
    money = exposure_nb(entry, price, lots)
    fee = scale_linked_nb(money, state.shadow.fee_rate, 1, RATE_SCALE) if money != OVERFLOW else OVERFLOW
    if fee == OVERFLOW:
        return MONEY_OVERFLOW
    return _trade_nb(state, output, strategy, instrument, leg, side, lots, price, fee, LIQUIDATION_ORDER)
