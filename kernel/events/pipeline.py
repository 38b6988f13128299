"""The signal pipeline: shadow accounts."""

from kernel.events.declaring import Event, declare


@declare(180, "shadow.fill")
class ShadowFilled(Event, frozen=True):
    """A book of a shadow account traded on paper, at once and without an order: what an order would have asked for.

    The first fields are those of a fill; the order id is the event's own sequence. The purpose says who wanted it, as
    that of an order does.
    """

    order_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    fee_minor: int
    liquidity: int
    trade_id: int
    purpose: int
    leg: int


@declare(181, "define.shadow", external=True)
class ShadowTermsSet(Event, frozen=True):
    """What a fill in a shadow account costs: a fee, as a rate of its money, and slippage, as a rate of the price."""

    fee_rate: int
    slippage_rate: int
