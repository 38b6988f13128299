"""The twin's share of a session with a venue: its rules, why entries are stopped, orders that it did not intend."""

from collections import defaultdict

from kernel.events import catalogue as c
from kernel.events.layout import Stored
from tests.reference.kernel.common import require
from tests.reference.kernel.orders import Orders

ASK_AGAIN_NS = 10**9
NO_RULES = (0,) * 7


class Live(Orders):
    """What an instrument (-1: all) is stopped by, and what its venue demands."""

    def __init__(self) -> None:
        super().__init__()
        self.degraded: dict[int, int] = defaultdict(int)
        self.rules: dict[int, tuple[int, ...]] = {}
        self.retry_ns: dict[int, int] = defaultdict(int)

    def live_words(self, instrument: int) -> tuple[int, ...]:
        return self.retry_ns[instrument], self.degraded[instrument], *self.rules.get(instrument, NO_RULES)

    def require_known(self, instrument: int, least: int) -> None:
        require(least <= instrument < len(self.papers), "BAD_INDEX")

    def on_VenueRulesSet(self, event: c.VenueRulesSet, stored: Stored) -> None:  # noqa: N802
        self.require_known(stored.instrument, 0)
        values = tuple(getattr(event, name) for name in event.__struct_fields__)
        require(min(values) >= 0, "MISMATCH")
        self.rules[stored.instrument] = values

    def on_DegradedSet(self, event: c.DegradedSet, stored: Stored) -> None:  # noqa: N802
        self.require_known(stored.instrument, -(2**31))
        require(event.reasons >= 0, "MISMATCH")
        self.degraded[max(stored.instrument, -1)] = event.reasons

    def on_ConnectionChanged(self, event: c.ConnectionChanged, stored: Stored) -> None:  # noqa: N802
        self.require_known(stored.instrument, -(2**31))

    def on_OrderInDoubt(self, event: c.OrderInDoubt, stored: Stored) -> None:  # noqa: N802
        self.require_known(stored.instrument, -(2**31))
        self.order(event.order_id)

    def on_OrderAdopted(self, event: c.OrderAdopted, stored: Stored) -> None:  # noqa: N802
        self.intend(event, stored)
        self.orders[-1].stage, self.orders[-1].accepted = "working", True

    def on_OrderRejected(self, event: c.OrderRejected, stored: Stored) -> None:  # noqa: N802
        order = self.order(event.order_id)
        super().on_OrderRejected(event, stored)
        if order.purpose:  # what the kernel itself wanted
            self.retry_ns[order.instrument] = stored.ts_ingest_ns + ASK_AGAIN_NS
