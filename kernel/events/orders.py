"""The life of an order."""

from kernel.events.declaring import Event, declare


@declare(32, "execution.intent")
class OrderIntended(Event, frozen=True):
    """An order is wanted. The sequence of this event is the order's id for ever.

    Instructions are bits: 1 post-only, 2 reduce-only, 4 close-position. Purpose says who wants it: 0 a strategy, 1 an
    exit, 2 a liquidation, 3 the kill switch. Leg is 1 or -1 for the long or short book of a hedging account, else 0.
    """

    side: int
    order_type: int
    time_in_force: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int
    tag: int
    instructions: int = 0
    purpose: int = 0
    leg: int = 0


@declare(33, "risk.check")
class RiskChecked(Event, frozen=True):
    """The verdict on an intent: approved (check 0), or refused by the check named, with its limit and what it saw."""

    order_id: int
    check: int
    limit: int
    value: int


@declare(34, "execution.accepted", external=True)
class OrderAccepted(Event, frozen=True):
    """The venue took the order."""

    order_id: int


@declare(35, "execution.rejected", external=True)
class OrderRejected(Event, frozen=True):
    """The venue refused the order, or dropped it, for a reason of its own."""

    order_id: int
    reason: int


@declare(36, "execution.fill", external=True)
class OrderFilled(Event, frozen=True):
    """The venue reports a fill; ``leaves_lots`` is what stays open."""

    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int
    liquidity: int
    trade_id: int


@declare(37, "execution.canceled", external=True)
class OrderCanceled(Event, frozen=True):
    """The venue cancelled what was left of the order: on request (reason 0), or by its time in force."""

    order_id: int
    leaves_lots: int
    reason: int


@declare(38, "execution.expired", external=True)
class OrderExpired(Event, frozen=True):
    """The order's time in force ended."""

    order_id: int
    leaves_lots: int


@declare(39, "execution.cancel_request")
class CancelRequested(Event, frozen=True):
    """The rest of an order is to be cancelled. Linked is 1 when its group wants that, or its exchange ends it (a split,
    an expiry): a venue that knows of groups does it at once. An order that is held ends with this event, as the venue
    never had it.
    """

    order_id: int
    linked: int = 0


@declare(40, "execution.replace_request")
class ReplaceRequested(Event, frozen=True):
    """An open order is to be changed; the id stays. Linked is 1 when its group wants that; then only the quantity
    changes. An order that is held has changed with this event.
    """

    order_id: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int
    linked: int = 0


@declare(41, "execution.replaced", external=True)
class OrderReplaced(Event, frozen=True):
    """The venue changed the order; ``quantity_lots`` is the new total."""

    order_id: int
    quantity_lots: int
    limit_ticks: int
    stop_ticks: int


@declare(42, "execution.request_refused")
class RequestRefused(Event, frozen=True):
    """A cancel or replace was not passed on: the order is not open, or the check named refused it."""

    order_id: int
    check: int
    limit: int
    value: int


@declare(43, "execution.terms")
class OrderTerms(Event, frozen=True):
    """What an order says beyond the plain fields; it follows its intent at once.

    Trail kind 1 keeps the stop trail_value ticks from the best price, 2 so many basis points of it. The group (the id
    of its first order) and the role in it link orders: 1 one cancels the other, 2 one updates the other, 3 parent,
    4 child, 5 entry, 6 take-profit, 7 stop-loss. An order with a parent is held until that has filled.
    The same key of a strategy twice is a duplicate.
    """

    order_id: int
    trail_kind: int
    trail_value: int
    limit_offset_ticks: int
    display_lots: int
    expire_ns: int
    group_id: int
    group_role: int
    parent_id: int
    key: int = 0


@declare(44, "execution.released")
class OrderReleased(Event, frozen=True):
    """A held order leaves for the venue, for this total quantity."""

    order_id: int
    quantity_lots: int


@declare(45, "execution.request_rejected", external=True)
class RequestRejected(Event, frozen=True):
    """The venue refused to cancel (request 1) or to replace (request 2); the order is as it was."""

    order_id: int
    request: int
    reason: int


@declare(46, "execution.group_broken")
class GroupBroken(Event, frozen=True):
    """A fill went against what its group wants, as the venue could not be told in time; or an entry filled when all of
    its exits had ended. The excess is traded back, as far as that makes the position smaller; unprotected are the lots
    of an entry that no exit covers.
    """

    order_id: int
    group_id: int
    excess_lots: int
    unprotected_lots: int
