"""Comparing the venue's account with the state, and the inputs that repair what differs.

Owns the comparison of positions and balances; orders and fills are compared by ``mirror.py``, which is given the same
pictures first. Pure: what the venue showed goes in, inputs come out.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN
from typing import Any, NamedTuple

import numpy as np

from kernel.events.body import encode_body
from kernel.events.catalogue import CashAdjusted, DifferenceFound, VenuePositionReported
from kernel.instruments import Instrument
from kernel.tables.table import MAX_POSITIONS
from kernel.units import to_decimal
from kernel.venue import BalanceSeen, FillSeen, OrderSeen, PositionSeen
from replay.live.core import Input
from replay.live.mirror import ADJUST, ADOPT, BALANCE, POSITION


class Account(NamedTuple):
    """The venue's account in one picture."""

    orders: Sequence[OrderSeen]
    fills: Sequence[FillSeen]
    positions: Sequence[PositionSeen]
    balances: Sequence[BalanceSeen]


class Gap(NamedTuple):
    """A position that differs: lots here and there, and the venue's entry price (0: unknown)."""

    instrument: int
    ours: int
    theirs: int
    price_ticks: int


def held_lots(state: Any, instrument: int) -> int:
    """What all books of an instrument hold together."""
    instruments, strategies = int(state.head.instrument_count), int(state.head.strategy_count)
    places = np.arange(strategies) * instruments + instrument
    books = state.positions["quantity_lots"]
    return int(books[places].sum() + books[places + MAX_POSITIONS].sum())


def position_gaps(state: Any, positions: Sequence[PositionSeen], tolerance_lots: Sequence[int]) -> list[Gap]:
    """The positions that differ by more than the tolerance of their instrument."""
    theirs = dict.fromkeys(range(int(state.head.instrument_count)), 0)
    prices = dict.fromkeys(theirs, 0)
    for seen in positions:
        theirs[seen.instrument] += seen.quantity_lots
        prices[seen.instrument] = seen.average_price_ticks
    found = []
    for instrument, lots in theirs.items():
        ours = held_lots(state, instrument)
        if abs(ours - lots) > tolerance_lots[instrument]:
            found.append(Gap(instrument, ours, lots, prices[instrument]))
    return found


def position_reports(positions: Sequence[PositionSeen], state: Any) -> list[Input]:
    """What the venue says it holds, for the drift that trips the kill switch."""
    theirs = dict.fromkeys(range(int(state.head.instrument_count)), 0)
    for seen in positions:
        theirs[seen.instrument] += seen.quantity_lots
    return [Input(VenuePositionReported(lots), instrument, -1, 0) for instrument, lots in theirs.items()]


def gap_input(gap: Gap) -> Input:
    """The difference, as an event; the repair follows it."""
    body = encode_body({"why": "the venue holds another quantity"})
    return Input(DifferenceFound(POSITION, ADOPT, gap.ours, gap.theirs), gap.instrument, body=body)


def balance_inputs(
    state: Any, instruments: Sequence[Instrument], balances: Sequence[BalanceSeen], tolerance_minor: int
) -> list[Input]:
    """What it takes to have the venue's money, a difference and its repair each."""
    totals = {seen.currency: seen.total for seen in balances}
    scales = {instrument.currency: instrument.scale for instrument in instruments}
    currency_ids = {one.currency: int(state.instruments[at]["currency"]) for at, one in enumerate(instruments)}
    out = []
    for currency, scale in scales.items():
        if currency not in totals:
            continue
        theirs = int(to_decimal(totals[currency]).scaleb(scale).to_integral_value(ROUND_HALF_EVEN))
        ours = cash_minor(state, currency_ids[currency])
        if abs(theirs - ours) <= tolerance_minor:
            continue
        found = DifferenceFound(BALANCE, ADJUST, ours, theirs)
        body = encode_body({"currency": currency, "theirs": totals[currency]})
        out.append(Input(found, -1, -1, 0, body=body))
        why = encode_body(f"the venue has {totals[currency]} {currency}")
        out.append(Input(CashAdjusted(currency_ids[currency], theirs - ours), -1, -1, 0, body=why))
    return out


def cash_minor(state: Any, currency: int) -> int:
    """The cash of the first account in a currency."""
    rows = state.balances[: int(state.head.balance_count)]
    mine = (rows["account"] == 0) & (rows["currency"] == currency)
    return int(rows["cash_minor"][mine].sum())
