"""What fills do to the books."""

from kernel.events.declaring import Event, declare


@declare(48, "portfolio.position")
class PositionChanged(Event, frozen=True):
    """The book of one strategy in one instrument after a fill, and the account's cash in the instrument's currency.

    The highest and lowest price since the entry, the first stop, and dividends less funding and borrow fees are of the
    round trip that the fill ended, else of the one under way.
    """

    order_id: int
    quantity_lots: int
    cost_minor: int
    realised_minor: int
    fees_minor: int
    cash_minor: int
    high_ticks: int = 0
    low_ticks: int = 0
    stop_ticks: int = 0
    income_minor: int = 0


@declare(49, "portfolio.trade")
class TradeClosed(Event, frozen=True):
    """A round trip is over: from flat (or the turn) to flat (or the turn)."""

    ts_entry_ns: int
    ts_exit_ns: int
    side: int
    quantity_lots: int
    entry_minor: int
    exit_minor: int
    realised_minor: int
    fees_minor: int
    entry_sequence: int
    fill_count: int
