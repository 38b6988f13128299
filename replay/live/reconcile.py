"""Comparing the venue's account with the state, and the inputs that repair what differs.

Owns the comparison of positions and balances; orders and fills are compared by ``mirror.py``, which is given the same
pictures first. Pure: what the venue showed goes in, inputs come out.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

import numpy as np

from kernel.events.body import encode_body
from kernel.events.catalogue import CashAdjusted, DifferenceFound, VenuePositionReported
from kernel.instruments import Instrument
from kernel.tables.table import MAX_POSITIONS
from kernel.units import from_units, to_decimal
from kernel.venue import BalanceSeen, PositionSeen
from replay.live.core import Input
from replay.live.mirror import ADJUST, ADOPT, BALANCE, POSITION


class Gap(NamedTuple):
    """A position that differs: lots here and there, and the venue's entry price in decimals (empty: unknown)."""

    instrument: int
    ours: int
    theirs: int
    price: str


def held_lots(state: Any, instrument: int) -> int:
    """What all books of an instrument hold together."""
    return _books(state, instrument, "quantity_lots")


def position_gaps(state: Any, positions: Sequence[PositionSeen], tolerance_lots: Sequence[int]) -> list[Gap]:
    """The positions that differ by more than the tolerance of their instrument."""
    theirs = dict.fromkeys(range(int(state.head.instrument_count)), 0)
    prices = dict.fromkeys(theirs, "")
    for seen in positions:
        theirs[seen.instrument] += seen.quantity_lots
        prices[seen.instrument] = seen.average_price
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
    state: Any,
    instruments: Sequence[Instrument],
    balances: Sequence[BalanceSeen],
    positions: Sequence[PositionSeen],
    tolerance_minor: int,
) -> list[Input]:
    """What it takes to have the venue's money, a difference and its repair each.

    The venue has one position where several books here may hold the same contract, and what is realised depends on
    whose cost a closing fill takes away. What does not is the cash less the cost of what is open: that is compared.
    """
    totals = {seen.currency: seen.total for seen in balances}
    scales = {instrument.currency: instrument.scale for instrument in instruments}
    currency_ids = {one.currency: int(state.instruments[at]["currency"]) for at, one in enumerate(instruments)}
    out = []
    for currency, scale in scales.items():
        if currency not in totals:
            continue
        open_minor, rounding_minor = open_cost_gap(state, instruments, positions, currency)
        theirs = int(to_decimal(totals[currency]).scaleb(scale).to_integral_value(ROUND_HALF_EVEN)) - open_minor
        ours = cash_minor(state, currency_ids[currency])
        if abs(theirs - ours) <= tolerance_minor + rounding_minor:
            continue
        found = DifferenceFound(BALANCE, ADJUST, ours, theirs)
        body = encode_body({"currency": currency, "theirs": totals[currency]})
        out.append(Input(found, -1, -1, 0, body=body))
        why = encode_body(f"the venue has {totals[currency]} {currency}")
        out.append(Input(CashAdjusted(currency_ids[currency], theirs - ours), -1, -1, 0, body=why))
    return out


def open_cost_gap(
    state: Any, instruments: Sequence[Instrument], positions: Sequence[PositionSeen], currency: str
) -> tuple[int, int]:
    """``(how much more open contracts have cost at the venue than here, by how much rounding may spoil that)``.

    In minor units of the currency that they are settled in; a contract of which the venue names no price is left out.
    """
    gap, rounding = Decimal(0), Decimal(0)
    for number, instrument in enumerate(instruments):
        if instrument.currency != currency or not int(state.instruments[number]["margined"]):
            continue
        mine = [seen for seen in positions if seen.instrument == number and seen.quantity_lots]
        if not all(seen.average_price for seen in mine):
            continue
        for seen in mine:
            price = to_decimal(seen.average_price)
            last_digit = Decimal((0, (1,), int(price.as_tuple().exponent)))
            cost = _cost(instrument, seen.quantity_lots, price)
            gap += cost
            rounding += 1 + abs(_cost(instrument, seen.quantity_lots, price + last_digit) - cost)
        gap -= _books(state, number, "cost_minor")
    return int(gap.to_integral_value(ROUND_HALF_EVEN)), int(rounding.to_integral_value(ROUND_CEILING))


def _cost(instrument: Instrument, lots: int, price: Decimal) -> Decimal:
    """Money of a quantity at a price, in minor units: signed as the quantity, of an inverse contract against it."""
    size = from_units(lots, instrument.lot_size) * to_decimal(instrument.multiplier)
    return (-size / price if instrument.is_inverse else size * price).scaleb(instrument.scale)


def _books(state: Any, instrument: int, field: str) -> int:
    """The sum of a field over all books of an instrument."""
    instruments, strategies = int(state.head.instrument_count), int(state.head.strategy_count)
    places = np.arange(strategies) * instruments + instrument
    books = state.positions[field]
    return int(books[places].sum() + books[places + MAX_POSITIONS].sum())


def cash_minor(state: Any, currency: int) -> int:
    """The cash of the first account in a currency."""
    rows = state.balances[: int(state.head.balance_count)]
    mine = (rows["account"] == 0) & (rows["currency"] == currency)
    return int(rows["cash_minor"][mine].sum())
