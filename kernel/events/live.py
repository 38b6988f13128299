"""What only a session with a venue, or an operator, brings."""

from kernel.events.declaring import Event, declare


@declare(200, "live.opened", external=True)
class LiveSessionOpened(Event, frozen=True):
    """A process began to trade, or went on. Mode: 0 paper, 1 a venue's play money, 2 real money.

    The body names the venue, versions, and who started it.
    """

    mode: int


@declare(201, "live.closed", external=True)
class LiveSessionClosed(Event, frozen=True):
    """A process ended on purpose. It had heard so many market rows, of which these are not in the journal. The body
    says why.
    """

    open_orders: int
    market_rows: int
    conflated_rows: int
    dropped_rows: int


@declare(202, "venue.message", external=True)
class VenueMessageSeen(Event, frozen=True):
    """A private message of the venue, as it came: the body. What it says follows, with this as its cause.

    Stream: 0 an answer to a request, 1 market data, 2 the private stream.
    """

    stream: int
    message_bytes: int


@declare(203, "venue.connection", external=True)
class ConnectionChanged(Event, frozen=True):
    """A stream (1 market data, 2 private) is down (0), up (1), or has a gap (2). The body says what happened."""

    stream: int
    status: int


@declare(204, "risk.degraded", external=True)
class DegradedSet(Event, frozen=True):
    """Entries are stopped for as long as the reasons, bits, are not 0: in the instrument, or in all when it is -1.

    1 market data is stale, 2 its stream is down, 4 the private stream is down, 8 the clock is off, 16 a reconciliation
    is not done, 32 the switches for real money are not all on, 64 the session is draining, 128 the venue is not
    trading.
    """

    reasons: int


@declare(205, "clock.offset", external=True)
class ClockMeasured(Event, frozen=True):
    """The venue's clock less ours, and how long the question took: the offset is right to half of that."""

    offset_ns: int
    round_trip_ns: int


@declare(206, "define.venue_rules", external=True)
class VenueRulesSet(Event, frozen=True):
    """What the venue demands of orders in the instrument from here on; 0 demands nothing. Leverage in 1/100,000,000."""

    price_step_ticks: int
    quantity_step_lots: int
    minimum_lots: int
    maximum_lots: int
    maximum_market_lots: int
    minimum_notional_minor: int
    maximum_leverage_rate: int


@declare(207, "execution.adopted", external=True)
class OrderAdopted(Event, frozen=True):
    """An order that the kernel did not intend is at the venue; its id is the sequence of this event.

    The words are those of ``OrderIntended``. The body says where it comes from.
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


@declare(208, "execution.in_doubt", external=True)
class OrderInDoubt(Event, frozen=True):
    """It is not known whether a request (0 the order itself, 1 its cancel, 2 its replace) reached the venue.

    It is looked up there before anything else happens to the order. The body says what went wrong.
    """

    order_id: int
    request: int


@declare(209, "reconcile.difference", external=True)
class DifferenceFound(Event, frozen=True):
    """What the venue says is not what the kernel holds; the repair follows, with this as its cause.

    Subject: 1 an order, 2 a fill, 3 a position (lots), 4 a balance (minor units). Repair: 0 none, 1 adopt, 2 import,
    3 cancel, 4 end, 5 adjust, 6 halt.
    """

    subject: int
    repair: int
    ours: int
    theirs: int


@declare(210, "reconcile.done", external=True)
class Reconciled(Event, frozen=True):
    """The venue's orders, fills, positions and balances were compared with the state."""

    orders: int
    fills: int
    positions: int
    balances: int
    differences: int


@declare(211, "operator.flatten", external=True)
class FlattenRequested(Event, frozen=True):
    """The orders in the instrument (-1: in all) are to be cancelled and what is held given up at the market, once."""

    source: int


@declare(212, "operator.cancel", external=True)
class CancelAsked(Event, frozen=True):
    """The order (0: all orders, of the instrument, or of all when that is -1) is to be cancelled."""

    order_id: int


@declare(213, "operator.command", external=True)
class CommandGiven(Event, frozen=True):
    """Somebody gave a command to the running session; what it asks for follows, with this as its cause.

    The user id is that of the process that connected. The body has the command as it came, and the user's name.
    """

    user_id: int
