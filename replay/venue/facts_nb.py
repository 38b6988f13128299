"""What the exchange says of an instrument: its sessions and its trading status."""

from kernel.events.layout import CORPORATE_ACTION, SESSION_CHANGED, STATUS_CHANGED
from kernel.jit import inlined
from kernel.ledger_nb import OK
from kernel.lifecycle import DAY
from kernel.market import ACTION, SESSION, SPLIT, STATUS
from replay.venue.resting_nb import note_end_nb


@inlined
def _open_session_nb(venue, row):
    """A session opens; its close is known. DAY orders that were there before end with it."""
    market, words = venue.markets[row.instrument], row.words
    market.session_open_ns = words[SESSION_CHANGED.open_ns]
    market.session_close_ns = words[SESSION_CHANGED.close_ns]
    market.has_opened = 0
    market.has_closed = 0
    end_ns = market.session_close_ns + 1  # after all that happens at the close
    note_end_nb(venue, end_ns)
    for at in range(venue.head.order_count):
        order = venue.orders[at]
        if order.instrument == row.instrument and order.time_in_force == DAY and order.ends_ns == 0:
            order.ends_ns = end_ns


@inlined
def take_fact_nb(venue, row):
    """Remember what a row says of sessions and status. Returns OK."""
    market = venue.markets[row.instrument]
    if row.kind == SESSION and row.words[SESSION_CHANGED.phase] == 1:
        _open_session_nb(venue, row)
    elif row.kind == SESSION and row.words[SESSION_CHANGED.open_ns] == market.session_open_ns:
        if market.has_closed == 0 and row.ts_ns < market.session_close_ns:
            # It closed early. (The close of the session before may come after the next one has opened.)
            market.session_close_ns = row.ts_ns
            note_end_nb(venue, row.ts_ns + 1)
    elif row.kind == STATUS:
        market.status = row.words[STATUS_CHANGED.status]
        market.bid_ticks = market.ask_ticks = 0  # what stood is void
    elif row.kind == ACTION and row.words[CORPORATE_ACTION.action] == SPLIT:
        market.bid_ticks = market.ask_ticks = market.trade_ticks = 0
    return OK
