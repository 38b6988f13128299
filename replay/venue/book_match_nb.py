"""What a row does to the orders that rest in a book: the profile ``book``.

Owns how depth, quotes and trades change the book and the queues, and the order in which resting orders meet them: that
of their arrival. Bars fill nothing here.
"""

import numpy as np

from kernel.emit_nb import OUTPUT
from kernel.events.layout import DEPTH_CHANGED, TRADE_SEEN
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK
from kernel.lifecycle import AT_CLOSE, AT_OPEN, CANCEL_FOK, CANCEL_IOC, FOK, IOC, MAKER, TAKER
from kernel.market import BAR, DEPTH, MESSAGE_END, ROW, SNAPSHOT, TRADE
from kernel.state import STATE
from replay.book_nb import apply_depth_nb, level_lots_nb
from replay.queue_nb import join_queue_nb, queue_depth_nb, reached_lots_nb
from replay.venue.book_rules_nb import best_nb, join_nb, take_book_nb, trigger_nb, trigger_price_nb
from replay.venue.fills_nb import fill_nb
from replay.venue.kinds_nb import has_trigger_nb, takes_any_price_nb
from replay.venue.memory import VENUE, VENUE_ORDER
from replay.venue.path_nb import stand_nb
from replay.venue.profiles import BY_DEPTH, BY_QUOTES, BY_TRADES, UNLIMITED
from replay.venue.reports_nb import cancel_rest_nb, is_frozen_nb
from replay.venue.settle_nb import settle_nb


@inlined
def _rests_nb(order):
    """Whether the order stands in the book at its limit."""
    if takes_any_price_nb(order.order_type) or order.time_in_force == AT_OPEN or order.time_in_force == AT_CLOSE:
        return False
    return order.triggered == 1 or not has_trigger_nb(order.order_type)


@unit(VENUE, ROW)
def take_depth_nb(venue, row):
    """Apply a depth row to its book, and move the queues at its price. Returns 1 when a message is complete."""
    head, market, words = venue.head, venue.markets[row.instrument], row.words
    if market.book == 0:
        return 0
    book = venue.books[market.book - 1]
    side, price = words[DEPTH_CHANGED.side], words[DEPTH_CHANGED.price_ticks]
    lots, flags = words[DEPTH_CHANGED.size_lots], words[DEPTH_CHANGED.book_flags]
    if flags & SNAPSHOT != 0:
        market.in_snapshot = 1
    apply_depth_nb(book, side, price, lots, flags)
    ends = flags & MESSAGE_END != 0
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.instrument != row.instrument or order.remaining_lots == 0 or not _rests_nb(order):
            continue
        if market.in_snapshot == 0 and order.side == side and order.limit_ticks == price:
            queue_depth_nb(order, head.queue_model, head.queue_exponent, lots)
        elif market.in_snapshot == 1 and ends:
            level = level_lots_nb(book, order.side, order.limit_ticks)
            queue_depth_nb(order, head.queue_model, head.queue_exponent, level)
    if not ends:
        return 0
    market.in_snapshot = 0
    market.bid_taken_lots = market.ask_taken_lots = 0
    return 1


@jit
def take_quote_nb(venue, row):
    """Take a quote in as the best level of each side, and move the queues there."""
    head, market = venue.head, venue.markets[row.instrument]
    bid_before, ask_before = market.bid_ticks, market.ask_ticks
    stand_nb(market, row)
    market.bid_taken_lots = market.ask_taken_lots = 0
    for at in range(head.order_count):
        order = venue.orders[at]
        if order.instrument != row.instrument or order.remaining_lots == 0 or not _rests_nb(order):
            continue
        before = bid_before if order.side > 0 else ask_before
        best = market.bid_ticks if order.side > 0 else market.ask_ticks
        lots = market.bid_lots if order.side > 0 else market.ask_lots
        lots = lots if lots != UNLIMITED else 0
        if best == order.limit_ticks and before == best:
            queue_depth_nb(order, head.queue_model, head.queue_exponent, lots)
        elif best == order.limit_ticks and order.level_lots == 0 and order.side * before > order.side * best:
            join_queue_nb(order, lots)  # the level was hidden behind a better one until now
        elif best == 0 or order.side * best < order.side * order.limit_ticks:
            join_queue_nb(order, 0)  # nobody else is there


@inlined
def _fill_by_book_nb(venue, state, output, order, ts_event_ns):
    """The book has changed: it may trigger an order, offer a rest to take, or have moved through a limit."""
    market = venue.markets[order.instrument]
    if has_trigger_nb(order.order_type) and order.triggered == 0:
        if market.has_trades == 1:
            return OK
        return trigger_nb(venue, state, output, order, trigger_price_nb(venue, market, order), ts_event_ns)
    if takes_any_price_nb(order.order_type) or order.seen == 0:
        order.seen = 1
        status = take_book_nb(venue, state, output, order, ts_event_ns)
        if status == OK and order.remaining_lots > 0 and _rests_nb(order):
            join_nb(venue, order)
        return status
    best = best_nb(venue, order.instrument, -order.side)
    if best == 0 or order.side * best > order.side * order.limit_ticks:
        return OK
    return fill_nb(venue, state, output, order, order.limit_ticks, order.remaining_lots, MAKER, ts_event_ns)


@inlined
def _reach_nb(venue, state, output, order, row, trade_lots):
    """A trade reaches an order that rests at its limit. Returns a status."""
    words = row.words
    price, aggressor = words[TRADE_SEEN.price_ticks], words[TRADE_SEEN.side]
    shown = order.shown_lots if order.display_lots > 0 else order.remaining_lots
    lots = reached_lots_nb(order, order.side, order.limit_ticks, shown, price, trade_lots, aggressor)
    if price != order.limit_ticks and lots > 0:
        lots = order.remaining_lots  # it traded beyond: what is hidden is gone too
    if lots == 0:
        return OK
    status = fill_nb(venue, state, output, order, order.limit_ticks, lots, MAKER, row.ts_ns)
    if order.display_lots > 0 and order.remaining_lots > 0:
        order.shown_lots -= lots
        if order.shown_lots <= 0:
            join_nb(venue, order)
    return status


@inlined
def _fill_by_trade_nb(venue, state, output, order, row, trade_lots):
    """A trade may trigger an order, fill it from the queue, or (in data of trades alone) be its market."""
    market, price = venue.markets[order.instrument], row.words[TRADE_SEEN.price_ticks]
    kind = order.order_type
    if has_trigger_nb(kind) and order.triggered == 0:
        status = trigger_nb(venue, state, output, order, price, row.ts_ns)
        if status != OK or order.triggered == 0 or market.source != BY_TRADES:
            return status
    if market.source == BY_TRADES and (takes_any_price_nb(kind) or order.seen == 0):
        order.seen = 1
        within = takes_any_price_nb(kind) or order.side * price <= order.side * order.limit_ticks
        lots = min(order.remaining_lots, trade_lots) if within else 0
        if order.time_in_force == FOK and lots < order.remaining_lots:
            return cancel_rest_nb(venue, state, output, order, CANCEL_FOK)
        status = fill_nb(venue, state, output, order, price, lots, TAKER, row.ts_ns) if lots > 0 else OK
        if status == OK and order.time_in_force == IOC and order.remaining_lots > 0:
            return cancel_rest_nb(venue, state, output, order, CANCEL_IOC)
        return status
    if not _rests_nb(order):
        return OK
    return _reach_nb(venue, state, output, order, row, trade_lots)


@unit(VENUE, STATE, OUTPUT, VENUE_ORDER, ROW, np.int64)
def _row_order_nb(venue, state, output, order, row, trade_lots):
    if row.kind == TRADE:
        return _fill_by_trade_nb(venue, state, output, order, row, trade_lots)
    return _fill_by_book_nb(venue, state, output, order, row.ts_ns)


@unit(VENUE, STATE, OUTPUT, ROW)
def match_book_nb(venue, state, output, row):
    """Let a complete change of the book, or a trade, meet the orders; a trade is passed on until it is used up."""
    head, market = venue.head, venue.markets[row.instrument]
    if row.kind == BAR or (row.kind != TRADE and market.source != (BY_DEPTH if row.kind == DEPTH else BY_QUOTES)):
        return OK
    trade_lots = 0
    if row.kind == TRADE:
        trade_lots = row.words[TRADE_SEEN.quantity_lots]
        market.trade_ticks = row.words[TRADE_SEEN.price_ticks]
    elif row.kind != DEPTH:
        take_quote_nb(venue, row)
    cause = output.cause
    for at in range(head.order_count):  # what comes meanwhile meets the book on arrival
        order = venue.orders[at]
        if order.instrument != row.instrument or order.remaining_lots == 0 or order.accepted_ns >= row.ts_ns:
            continue
        waits = order.time_in_force == AT_OPEN or order.time_in_force == AT_CLOSE
        if waits or is_frozen_nb(venue, order):
            continue
        before, first_record = order.filled_lots, output.count
        status = _row_order_nb(venue, state, output, order, row, trade_lots)
        if row.kind == TRADE and (order.limit_ticks == market.trade_ticks or market.source == BY_TRADES):
            trade_lots = max(trade_lots - (order.filled_lots - before), 0)
        if status == OK and output.count > first_record:
            status = settle_nb(venue, state, output, first_record)
            output.cause = cause
        if status != OK:
            return status
    return OK
