"""Who is who: our order ids, the ids that the venue gives, and which fills are known already.

The same order has the same name at the venue in every process (``replay.order_names``), so sending it twice cannot
trade twice. All of it can be rebuilt from the journal.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from kernel.events.body import decode_body, encode_body, unpack_bodies
from kernel.events.layout import ADOPTED, FILLED, INTENDED, RECORD, REPLACE_REQUESTED, RESTORED, PlainRecord
from replay.order_names import OrderNames

_BEGUN = frozenset({INTENDED.kind, ADOPTED.kind})
NOTED = frozenset({INTENDED.kind, ADOPTED.kind, FILLED.kind, REPLACE_REQUESTED.kind, RESTORED.kind})


class Owner(NamedTuple):
    """The book that an order belongs to."""

    strategy: int
    instrument: int
    leg: int


class Asked(NamedTuple):
    """What the last replace of an order asked for."""

    quantity_lots: int
    limit_ticks: int
    stop_ticks: int


class Adoption(msgspec.Struct, frozen=True):
    """The body of ``OrderAdopted``: the venue's name of the order, and why it was adopted."""

    venue_order_id: str
    why: str


def trade_number(trade_id: str) -> int:
    """The venue's trade id as a payload word: the first 63 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(trade_id.encode()).digest()[:8], "big") >> 1


class Identities:
    """Told of every frame of the journal, in order."""

    def __init__(self, genesis_id: str) -> None:
        self.genesis_id = genesis_id
        self._names = OrderNames(genesis_id)
        self.owners: dict[int, Owner] = {}
        self.asked: dict[int, Asked] = {}
        self.trades: set[int] = set()
        self.venue_ids: dict[int, str] = {}  # by order id; what is not in the journal is told again by the venue
        self.imported_lots: dict[str, int] = {}  # of orders that the kernel did not intend, by the venue's order id
        self.single_lots: dict[str, int] = {}  # of them, those of fills that were adopted one by one
        self.last_fill_ns = 0
        self._adopted: dict[str, int] = {}
        self._adopted_ids: set[int] = set()

    def client_order_id(self, order_id: int) -> str:
        """What we call an order at the venue; empty for one that was adopted."""
        return "" if order_id in self._adopted_ids else self._names.name(order_id)

    def is_ours(self, client_order_id: str) -> bool:
        """Whether this journal made that name."""
        return self._names.order_id(client_order_id) > 0

    def order_id(self, client_order_id: str, venue_order_id: str) -> int:
        """Our id of an order that the venue names; 0 when it is not known here."""
        return self._names.order_id(client_order_id) or self._adopted.get(venue_order_id, 0)

    def note(self, told: Sequence[PlainRecord], records: bytes, bodies: bytes | memoryview) -> None:
        """Take in a frame: what it says of NOTED kinds (others are passed over), all its records, packed bodies."""
        for record in told:
            words = record.words
            if record.kind == ADOPTED.kind:
                whole = np.frombuffer(records, RECORD)
                body = dict(zip(whole["sequence"].tolist(), unpack_bodies(whole, bodies), strict=True))
                self._note_adoption(record.sequence, words[ADOPTED.quantity_lots], body[record.sequence])
            if record.kind in _BEGUN:
                self.owners[record.sequence] = Owner(record.strategy, record.instrument, words[INTENDED.leg])
            elif record.kind == FILLED.kind:
                self.trades.add(words[FILLED.trade_id])
                self.last_fill_ns = max(self.last_fill_ns, record.ts_event_ns)
            elif record.kind == REPLACE_REQUESTED.kind:
                self.asked[words[0]] = Asked(*words[1:4])
            elif record.kind == RESTORED.kind:
                self._names.note_restored(record)

    def _note_adoption(self, order_id: int, lots: int, body: bytes) -> None:
        adoption = msgspec.convert(decode_body(body), Adoption)
        self._adopted[adoption.venue_order_id] = order_id
        self._adopted_ids.add(order_id)
        self.venue_ids[order_id] = adoption.venue_order_id
        order, single, _ = adoption.venue_order_id.partition("/")  # of a single fill: the order, then its trade id
        self.imported_lots[order] = self.imported_lots.get(order, 0) + lots
        if single:
            self.single_lots[order] = self.single_lots.get(order, 0) + lots


def adoption_body(venue_order_id: str, why: str) -> bytes:
    """The body of ``OrderAdopted``."""
    return encode_body(Adoption(venue_order_id, why))


assert REPLACE_REQUESTED[1:5] == (0, 1, 2, 3)
