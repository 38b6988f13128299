"""What an order is called at a venue: of the journal's identity and the order's sequence, so the same in every process.

Where a session went on from a backup, the orders from there on have another prefix: what the lost or the other
continuation of the same journal sent under the same sequences is never taken for ours.
"""

import hashlib

from kernel.events.layout import PlainRecord

PREFIX_DIGITS = 12
MOST_DIGITS = 18  # of a sequence


class OrderNames:
    """The names that a journal gives; told of each ``journal.restored`` in it, in their order."""

    def __init__(self, genesis_id: str) -> None:
        self._prefixes = [(0, genesis_id[:PREFIX_DIGITS])]  # from which sequence on, the newest first

    def note_restored(self, record: PlainRecord) -> None:
        """From here on the journal is another continuation."""
        told = f"{self._prefixes[-1][1]} {record.sequence} {record.ts_ingest_ns} {record.words}"
        self._prefixes.insert(0, (record.sequence, hashlib.sha256(told.encode()).hexdigest()[:PREFIX_DIGITS]))

    def name(self, order_id: int) -> str:
        """What the order is called."""
        return f"{self._prefix_of(order_id)}-{order_id}"

    def order_id(self, name: str) -> int:
        """The order that has this name; 0 for a name that this journal did not make."""
        number = name.partition("-")[2]
        if not (number.isascii() and number.isdigit()) or len(number) > MOST_DIGITS:
            return 0
        return int(number) if name == self.name(int(number)) else 0

    def _prefix_of(self, order_id: int) -> str:
        return next(prefix for first, prefix in self._prefixes if order_id >= first)
