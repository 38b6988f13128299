"""Walking a row as ticks: the profiles ``ohlc`` and ``ohlc_adaptive``.

Owns which ticks a row is made of, and in which order a tick meets the orders. What a tick does to one order is in
``path_rules_nb``.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import BAR_CLOSED, QUOTE_SEEN, TRADE_SEEN
from kernel.jit import inlined, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import AT_CLOSE, AT_OPEN
from kernel.market import BAR, NO_PRICE, QUOTE, ROW, UNKNOWN_SIZE
from kernel.state import STATE
from replay.venue.kinds_nb import has_trigger_nb, takes_any_price_nb
from replay.venue.memory import VENUE
from replay.venue.path_rules_nb import tick_order_nb
from replay.venue.profiles import OHLC_ADAPTIVE, UNLIMITED
from replay.venue.settle_nb import settle_nb

_FIRST = 1 << 62  # the rank of an order that takes any price


@inlined
def _rank_nb(order):
    """Buys rank by how much they bid, sales by how little they ask: the largest goes first."""
    if order.triggered == 0 and has_trigger_nb(order.order_type):
        return order.side * order.stop_ticks
    return _FIRST if takes_any_price_nb(order.order_type) else order.side * order.limit_ticks


@inlined
def _next_order_nb(venue, instrument, count, ts_open_ns, strictly):
    """The row of the order that the tick meets next, or -1: buys first, each side by rank, then by arrival."""
    head = venue.head
    found = -1
    found_side = found_rank = 0
    for at in range(count):
        order = venue.orders[at]
        if order.instrument != instrument or order.remaining_lots == 0 or order.tick == head.tick:
            continue
        if order.time_in_force == AT_OPEN or order.time_in_force == AT_CLOSE:
            continue
        # What came from a fill of this very row was there for the ticks that are left.
        if order.arrived_in_row != head.row and order.accepted_ns + strictly > ts_open_ns:
            continue
        rank = _rank_nb(order)
        if found < 0 or order.side > found_side or (order.side == found_side and rank > found_rank):
            found = at
            found_side = order.side
            found_rank = rank
    return found


@unit(VENUE, STATE, OUTPUT, np.int64, np.int64, np.int64, np.int64, np.int64)
def _tick_nb(venue, state, output, instrument, is_open, ts_open_ns, strictly, ts_event_ns):
    """Let the tick that stands meet each order that is there now, once; what they set off is settled in between."""
    head = venue.head
    cause = output.cause
    head.tick += 1
    count = head.order_count  # an order that comes meanwhile waits for the next tick
    while True:
        at = _next_order_nb(venue, instrument, count, ts_open_ns, strictly)
        if at < 0:
            return OK
        order = venue.orders[at]
        order.tick = head.tick
        first_record = output.count
        status = tick_order_nb(venue, state, output, order, is_open, ts_event_ns)
        if status == OK and output.count > first_record:
            status = settle_nb(venue, state, output, first_record)
            output.cause = cause
        if status != OK:
            return status


@inlined
def _walk_bar_nb(venue, state, output, row, volume_known):
    """Open, high, low and close (low before high where the adaptive order says so), a quarter of the volume each.

    A price that the last tick had already makes no tick; the close carries what the quarters leave.
    """
    words, standing = row.words, venue.markets[row.instrument]
    open_, high, low = words[BAR_CLOSED.open_ticks], words[BAR_CLOSED.high_ticks], words[BAR_CLOSED.low_ticks]
    close, ts_open_ns = words[BAR_CLOSED.close_ticks], words[BAR_CLOSED.ts_open_ns]
    quarter = rest = UNLIMITED
    if volume_known == 1:
        volume = words[BAR_CLOSED.volume_lots]
        quarter = max(volume // 4, 1)
        rest = max(volume - 3 * quarter, 1)
    high_first = venue.head.profile != OHLC_ADAPTIVE or high - open_ < open_ - low
    for step in range(4):
        price, lots = open_, quarter
        if step == 3:
            price, lots = close, rest
        elif step > 0:
            price = high if (step == 1) == high_first else low
        if price == standing.bid_ticks and price == standing.ask_ticks:
            continue
        standing.bid_ticks = standing.ask_ticks = price
        standing.bid_lots = standing.ask_lots = lots
        is_open = 1 if step == 0 else 0
        ts_event_ns = ts_open_ns if step == 0 else row.ts_ns
        status = _tick_nb(venue, state, output, row.instrument, is_open, ts_open_ns, 0, ts_event_ns)
        if status != OK:
            return status
    return OK


@inlined
def stand_nb(standing, row):
    """A trade or a quote is one tick."""
    words = row.words
    if row.kind == QUOTE:
        bid, ask = words[QUOTE_SEEN.bid_ticks], words[QUOTE_SEEN.ask_ticks]
        bid_lots, ask_lots = words[QUOTE_SEEN.bid_size_lots], words[QUOTE_SEEN.ask_size_lots]
        standing.bid_ticks = bid if bid != NO_PRICE else 0
        standing.ask_ticks = ask if ask != NO_PRICE else 0
        standing.bid_lots = bid_lots if bid_lots != UNKNOWN_SIZE else UNLIMITED
        standing.ask_lots = ask_lots if ask_lots != UNKNOWN_SIZE else UNLIMITED
    else:
        standing.bid_ticks = standing.ask_ticks = words[TRADE_SEEN.price_ticks]
        standing.bid_lots = standing.ask_lots = words[TRADE_SEEN.quantity_lots]


@unit(VENUE, STATE, OUTPUT, ROW)
def walk_nb(venue, state, output, row):
    """Let the ticks of a row meet the orders that rest in its instrument."""
    if row.kind == BAR:
        return _walk_bar_nb(venue, state, output, row, state.instruments[row.instrument].volume_known)
    stand_nb(venue.markets[row.instrument], row)
    return _tick_nb(venue, state, output, row.instrument, 1, row.ts_ns, 1, row.ts_ns)
