"""The events of the signal pipeline in the state: the part of ``apply`` that keeps what they say.

Owns the booking of fills in shadow accounts. It decides nothing. Only ``apply`` calls what changes something here.
"""

from kernel.events.layout import RECORD, SHADOW_FILLED, SHADOW_TERMS
from kernel.fills_nb import fill_nb
from kernel.jit import inlined, unit
from kernel.ledger_nb import BAD_INDEX, MISMATCH, OK, UNKNOWN_KIND, book_index_nb
from kernel.lifecycle import FLATTEN_ORDER, SHADOW
from kernel.state import STATE
from kernel.tables.table import MAX_LOTS
from kernel.units import RATE_SCALE


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
    return fill_nb(
        state, instrument, position, leg, side, price, lots, fee, record.ts_event_ns, record.sequence
    )  # fmt: skip


@inlined
def _shadow_terms_nb(state, words):
    fee, slippage = words[SHADOW_TERMS.fee_rate], words[SHADOW_TERMS.slippage_rate]
    if not (0 <= fee <= RATE_SCALE and 0 <= slippage <= RATE_SCALE):
        return MISMATCH
    state.shadow.fee_rate = fee
    state.shadow.slippage_rate = slippage
    return OK


@unit(STATE, RECORD)
def pipeline_event_nb(state, record):
    """Book one event of the signal pipeline. Returns a status."""
    kind = record.kind
    if kind == SHADOW_FILLED.kind:
        return _shadow_fill_nb(state, record)
    if kind == SHADOW_TERMS.kind:
        return _shadow_terms_nb(state, record.words)
    return UNKNOWN_KIND
