"""Comparing a session with its venue, to the lot and the cent: what must hold after every crash and every fault.

The venue's side is what its server keeps, in exact decimals; the kernel's is folded from the journal alone, with the
functions that recovery uses.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from journal import JournalReader
from kernel.events.body import decode_body, unpack_bodies
from kernel.events.layout import CHECKED, FILLED
from kernel.tables.table import MAX_POSITIONS
from kernel.units import from_minor, from_units
from replay.audit import records_of
from replay.history import History
from replay.live.audit import LiveAudit, audit_live
from replay.live.files import JOURNAL_DIR, read_live_file
from tests.venues.shapes import OPEN_STATUSES


@dataclass
class Kept:
    """What a journal says in the end."""

    currency: str
    cash: Decimal
    open_cost: Decimal  # of contracts that are held
    positions: dict[str, Decimal]
    trade_ids: list[str]
    approved: set[int]
    open_orders: set[int]
    fills: int


def kept(run_dir: Path) -> Kept:
    """Fold a journal; nothing but its bytes is used."""
    live = read_live_file(run_dir)
    history = History(run_dir)
    state = history.state_at(history.last_sequence)
    positions: Counter[str] = Counter()
    instruments, open_cost = len(live.instruments), 0
    for at, row in enumerate(state.positions):
        lots = int(row["quantity_lots"])
        if lots:
            number = at % MAX_POSITIONS % instruments
            instrument = live.instruments[number]
            open_cost += int(row["cost_minor"]) if int(state.instruments[number]["margined"]) else 0
            positions[instrument.symbol] += from_units(lots, instrument.lot_size)  # type: ignore[assignment]
    trade_ids, approved = [], set()
    for frame in JournalReader(run_dir / JOURNAL_DIR):
        records = records_of(frame)
        for record, body in zip(records, unpack_bodies(records, frame.bodies), strict=True):
            if int(record["kind"]) == FILLED.kind:
                trade_ids.append((decode_body(body) or {}).get("trade_id", ""))
            elif int(record["kind"]) == CHECKED.kind and int(record["words"][CHECKED.check]) == 0:
                approved.add(int(record["words"][CHECKED.order_id]))
    orders = state.orders[: int(state.head.order_count)]
    return Kept(
        currency=live.instruments[0].currency,
        cash=from_minor(int(state.balances[0]["cash_minor"]), live.instruments[0].scale),
        open_cost=from_minor(open_cost, live.instruments[0].scale),
        positions={symbol: Decimal(quantity) for symbol, quantity in positions.items() if quantity},
        trade_ids=trade_ids,
        approved=approved,
        open_orders={int(row["order_id"]) for row in orders},
        fills=int(state.head.fill_count),
    )


def problems(run_dir: Path, venue: dict[str, Any], *, cent: Decimal = Decimal(0)) -> list[str]:
    """What does not hold between a session that has ended and its venue's ``/test/state``; empty when all does."""
    mine, found = kept(run_dir), []
    names = Counter(order["request"]["client_order_id"] for order in venue["orders"])
    found += [f"order {name} is {count} times at the venue" for name, count in names.items() if name and count > 1]
    prefix = read_live_file(run_dir).genesis_id[:12]
    for name in names:
        number = name.partition("-r")[0].partition("-")[2]
        if name.startswith(prefix) and int(number) not in mine.approved:
            found.append(f"order {name} is at the venue, and no verdict of the kernel approved it")
    theirs = Counter(fill["trade_id"] for fill in venue["fills"])
    ours = Counter(mine.trade_ids)
    found += [f"fill {trade} is missing here" for trade in theirs if trade not in ours]
    found += [f"fill {trade} is {count} times here" for trade, count in ours.items() if trade and count > 1]
    found += [f"fill {trade} is unknown at the venue" for trade in ours if trade and trade not in theirs]
    found += _money(mine, venue, cent)
    still = {
        order["request"]["client_order_id"].partition("-r")[0].partition("-")[2]
        for order in venue["orders"]
        if order["status"] in OPEN_STATUSES
    }
    here = {str(order_id) for order_id in mine.open_orders}
    found += [f"order {order} is open at the venue only" for order in still - here]
    found += [f"order {order} is open here only" for order in here - still]
    return found


def held(venue: dict[str, Any]) -> dict[str, Decimal]:
    """What an account holds, by symbol as the session writes it. Of Bybit's spot that is the coins, less fees."""
    if venue.get("category") == "spot":
        return {symbol: Decimal(venue["cash"][symbol.removesuffix("USDT")]) for symbol in venue["prices"]}
    return {symbol.replace("/", ""): Decimal(one["quantity"]) for symbol, one in venue["positions"].items()}


def _money(mine: Kept, venue: dict[str, Any], cent: Decimal) -> list[str]:
    found = []
    positions = {symbol: quantity for symbol, quantity in held(venue).items() if quantity}
    if positions != mine.positions:
        found.append(f"positions: {mine.positions} here, {positions} at the venue")
    cash = Decimal(venue["cash"][mine.currency])
    here, there = mine.cash, cash
    is_inverse = venue.get("category") == "inverse"
    if is_inverse:  # dollars divided by a price are seldom whole units of a coin: the server keeps more decimals
        cent = Decimal("0.00000001")
    if mine.open_cost:  # several books here are one position there, and realise another part of the same gain
        sign = -1 if is_inverse else 1  # what is bought of an inverse contract is coins owed
        theirs = sum(Decimal(one["cost"]) for one in venue["positions"].values())
        here, there = here - mine.open_cost, there - sign * theirs
    if abs(there - here) > cent * (1 + mine.fills):  # a fee is rounded by half a minor unit at most
        found.append(f"cash: {mine.cash} here, {cash} at the venue; without the cost of what is open {here}, {there}")
    return found


def prove(run_dir: Path) -> LiveAudit:
    """Decide everything again. Raises DivergenceError."""
    return audit_live(run_dir / JOURNAL_DIR, read_live_file(run_dir))
