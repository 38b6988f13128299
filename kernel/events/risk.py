"""Rules, the kill switch, and what the monitors decide."""

from kernel.events.declaring import Event, declare


@declare(120, "risk.rule", external=True)
class RiskRuleSet(Event, frozen=True):
    """One setting of ``[risk]`` is in force from here on; a value of 0 switches it off. Numbers: docs/risk.md."""

    rule: int
    value: int


@declare(121, "risk.sector", external=True)
class SectorAssigned(Event, frozen=True):
    """The instrument belongs to a sector, from 1 on. The body is its name."""

    sector: int


@declare(122, "risk.correlation", external=True)
class CorrelationSet(Event, frozen=True):
    """The correlation of the instrument's returns with those of another one. An input: it was measured elsewhere."""

    other: int
    rate: int


@declare(123, "risk.mode", external=True)
class TradingModeSet(Event, frozen=True):
    """What orders may leave: 0 all, 1 reductions and exits, 2 exits. The body gives the reason."""

    mode: int


@declare(124, "risk.kill_request", external=True)
class KillSwitchRequested(Event, frozen=True):
    """The kill switch is wanted at a level: 1 no new entries, 2 cancel all orders too, 3 flatten all positions too.

    Source: 1 an operator, 2 a file, 3 a lost heartbeat, 4 an adapter. The level only rises. The body gives the reason.
    """

    level: int
    source: int


@declare(125, "risk.kill_reset", external=True)
class KillSwitchReset(Event, frozen=True):
    """An operator (source 1) allows trading again; the body is the reason, without which it is refused.

    The equity of now becomes that which losses of the day and drawdown are measured from.
    """

    source: int


@declare(126, "risk.kill")
class KillSwitchTripped(Event, frozen=True):
    """A limit was passed: the kill switch is at this level until an operator resets it."""

    level: int
    check: int
    limit: int
    value: int


@declare(127, "risk.stop")
class EntriesStopped(Event, frozen=True):
    """No new entries until then: in the instrument, or in all when it is -1."""

    check: int
    until_ns: int
    limit: int
    value: int


@declare(128, "risk.venue_position", external=True)
class VenuePositionReported(Event, frozen=True):
    """What the venue says that the account holds in the instrument; the kernel notes by how much it differs."""

    quantity_lots: int
