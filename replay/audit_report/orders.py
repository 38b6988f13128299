"""The lives of orders, gathered in one pass: what was wanted, what risk said, what the venue did.

Owns which events belong to an order and what they come to. Memory holds the orders that are open, and a few that have
just ended, for what the venue may still say of them; each goes to ``put`` when it is over.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from fractions import Fraction

import msgspec
import numpy as np

from kernel.events import catalogue as events
from kernel.events.body import shown_body
from kernel.events.catalogue import event_types
from kernel.events.layout import RESTORED, Stored, plain_records
from kernel.lifecycle import CANCEL_REASONS, REJECT_REASONS
from replay.inspect.frames import stored_events
from replay.inspect.moment import fraction_text
from replay.inspect.names import Names
from replay.inspect.phrases import CHECK_NAMES, Phrases
from replay.order_names import OrderNames

LINGERING = 1024  # orders that have ended and are kept, because a late answer may still name them
STEPS_SHOWN = 40
_BIRTHS = (events.OrderIntended, events.OrderAdopted)
_FILLS = (events.OrderFilled, events.OrderCrossed)
_TOPICS = ("execution.", "risk.check", "portfolio.cross", "operator.cancel")
_OF_ORDERS = tuple(
    kind
    for kind in event_types()
    if kind.cls in _BIRTHS
    or ("order_id" in kind.fields and kind.topic.startswith(_TOPICS))
)  # fmt: skip
ORDER_KINDS = np.array(sorted(kind.kind for kind in _OF_ORDERS))
OPEN, REFUSED, FILLED, CANCELED, EXPIRED, REJECTED = "open", "refused", "filled", "cancelled", "expired", "rejected"
PARTLY = "partly filled, then "


class Life(msgspec.Struct):
    """One order so far. Sequences and times are 0 for what has not happened."""

    order_id: int
    birth: Stored
    is_adopted: bool
    client_order_id: str  # its name at the venue: ours, or for an adopted one the venue's
    group_id: int = 0
    parent_id: int = 0
    verdict_sequence: int = 0
    check: int = -1
    is_held: bool = False  # approved, and waiting for another order: the venue does not know of it
    accepted_sequence: int = 0
    accepted_ns: int = 0
    fills: int = 0
    filled_lots: int = 0
    tick_lots: int = 0
    fee_minor: int = 0
    cancels_asked: int = 0
    replaces_asked: int = 0
    replaced: int = 0
    requests_rejected: int = 0
    in_doubt: int = 0
    ended: str = ""
    reason: str = ""
    ended_sequence: int = 0
    ended_ns: int = 0
    steps: list[Stored] = []
    step_count: int = 0

    @property
    def is_at_venue(self) -> bool:
        """Whether the venue knows of it: it was found there, or it was approved and is not held back."""
        return self.is_adopted or (self.check == 0 and not self.is_held)

    @property
    def outcome(self) -> str:
        """How it ended, or ``open``."""
        if self.ended in (CANCELED, EXPIRED, REJECTED) and self.filled_lots:
            return PARTLY + self.ended
        return self.ended or OPEN


Put = Callable[[Life], None]
Step = Callable[[Life, Stored], None]


class Gathering:
    """Fed with the records of each frame; ``put`` gets each order once, ``step`` each of its events as it comes."""

    def __init__(self, genesis_id: str, put: Put, step: Step, keep: Callable[[int], bool]) -> None:
        self._put, self._step, self._keep = put, step, keep
        self._names = OrderNames(genesis_id)
        self._open: dict[int, Life] = {}
        self._ended: OrderedDict[int, Life] = OrderedDict()
        self.count = self.fills = self.adopted = self.in_doubt = self.without_strategy = 0
        self.unknown = 0  # events that name an order of which the journal has no beginning
        self.outcomes: dict[str, int] = {}
        self.refused_by: dict[str, int] = {}

    def take(self, records: np.ndarray, bodies: dict[int, bytes]) -> None:
        """Take in the records of a frame (dtype RECORD) with their bodies by sequence."""
        for record in plain_records(records[records["kind"] == RESTORED.kind].tobytes(), frozenset({RESTORED.kind})):
            self._names.note_restored(record)
        mine = records[np.isin(records["kind"], ORDER_KINDS)]
        for stored in stored_events(mine, bodies):
            event = stored.event
            if isinstance(event, _BIRTHS):
                self._begin(stored)
                continue
            if isinstance(event, events.CancelAsked) and event.order_id == 0:
                continue  # of all orders: each of them has its own request
            order_id: int = event.order_id  # type: ignore[attr-defined]
            life = self._open.get(order_id) or self._ended.get(order_id)
            if life is None:
                self.unknown += 1
                continue
            self._note(life, stored)
            advance(life, stored)
            self._count(event)
            if life.ended and order_id in self._open:
                self._ended[order_id] = self._open.pop(order_id)
                if len(self._ended) > LINGERING:
                    self._finish(self._ended.popitem(last=False)[1])

    def finish(self) -> None:
        """After the last frame: hand over what is left."""
        for life in sorted([*self._ended.values(), *self._open.values()], key=lambda one: one.order_id):
            self._finish(life)
        self._ended.clear()
        self._open.clear()

    def _begin(self, stored: Stored) -> None:
        adopted = isinstance(stored.event, events.OrderAdopted)
        name = self._names.name(stored.sequence)
        if adopted:
            body = shown_body(stored.body)
            name = str(body.get("venue_order_id", "")) if isinstance(body, dict) else ""
        life = self._open[stored.sequence] = Life(stored.sequence, stored, adopted, name)
        self.count += 1
        self.adopted += adopted
        self.without_strategy += stored.strategy < 0
        self._note(life, stored)

    def _note(self, life: Life, stored: Stored) -> None:
        life.step_count += 1
        if self._keep(life.order_id) and len(life.steps) < STEPS_SHOWN:
            life.steps.append(stored)
        self._step(life, stored)

    def _count(self, event: events.Event) -> None:
        self.fills += isinstance(event, _FILLS)
        self.in_doubt += isinstance(event, events.OrderInDoubt)
        if isinstance(event, events.RiskChecked) and event.check:
            name = CHECK_NAMES.get(event.check, str(event.check))
            self.refused_by[name] = self.refused_by.get(name, 0) + 1

    def _finish(self, life: Life) -> None:
        self.outcomes[life.outcome] = self.outcomes.get(life.outcome, 0) + 1
        self._put(life)


def advance(life: Life, stored: Stored) -> None:
    """What one event does to the account of an order's life."""
    event = stored.event
    if isinstance(event, events.RiskChecked):
        life.check, life.verdict_sequence = event.check, stored.sequence
        life.is_held = event.check == 0 and life.parent_id != 0
        if event.check:
            _end(life, stored, REFUSED, CHECK_NAMES.get(event.check, str(event.check)))
    elif isinstance(event, events.OrderTerms):
        life.group_id, life.parent_id = event.group_id, event.parent_id
    elif isinstance(event, events.OrderAccepted):
        life.accepted_sequence, life.accepted_ns = stored.sequence, stored.ts_event_ns
    elif isinstance(event, _FILLS):
        life.fills += 1
        life.filled_lots += event.quantity_lots
        life.tick_lots += event.price_ticks * event.quantity_lots
        life.fee_minor += event.fee_minor
        if event.leaves_lots == 0:
            _end(life, stored, FILLED, "")
    elif isinstance(event, events.OrderCanceled):
        _end(life, stored, CANCELED, CANCEL_REASONS.get(event.reason, str(event.reason)))
    elif isinstance(event, events.OrderExpired):
        _end(life, stored, EXPIRED, "")
    elif isinstance(event, events.OrderRejected):
        _end(life, stored, REJECTED, REJECT_REASONS.get(event.reason, str(event.reason)))
    elif isinstance(event, events.OrderReleased):
        life.is_held = False
    else:
        life.cancels_asked += isinstance(event, events.CancelRequested)
        life.replaces_asked += isinstance(event, events.ReplaceRequested)
        life.replaced += isinstance(event, events.OrderReplaced)
        life.requests_rejected += isinstance(event, events.RequestRejected)
        life.in_doubt += isinstance(event, events.OrderInDoubt)
        if life.is_held and isinstance(event, events.CancelRequested):
            _end(life, stored, CANCELED, "it was held, and never left")


def _end(life: Life, stored: Stored, how: str, reason: str) -> None:
    life.ended, life.reason = how, reason
    life.ended_sequence, life.ended_ns = stored.sequence, stored.ts_event_ns


def average_price(life: Life, names: Names) -> str:
    """The average price of the fills, with two decimals more than a tick has; empty without a fill."""
    instrument = life.birth.instrument
    if not life.filled_lots or not 0 <= instrument < len(names.price_scales):
        return ""
    scale = names.price_scales[instrument]
    value = Fraction(life.tick_lots * scale.mantissa, life.filled_lots * 10**scale.decimals)
    return fraction_text(value, scale.decimals + 2)


def steps_of(life: Life, phrases: Phrases) -> Iterator[tuple[Stored, str]]:
    """The steps that were kept, each with what it says."""
    return ((stored, phrases.sentence(stored)) for stored in life.steps)
