"""Accounts, and everything besides fills that moves money."""

from kernel.events.declaring import Event, declare


@declare(96, "define.account", external=True)
class AccountDefined(Event, frozen=True):
    """An account gets its number (in the header): its currency, mode (0 margin, 1 cash), books (1 hedging), sweep.

    Its figures are in that currency. A sweep converts money in other currencies into it at each accrual. A shadow
    account trades on paper: its books never have an order. The body has its name and venue.
    """

    currency: int
    mode: int
    hedging: int
    sweep: int
    shadow: int = 0


@declare(97, "define.book", external=True)
class BookAssigned(Event, frozen=True):
    """A strategy trades an instrument through this account from here on; before any order of the book."""

    account: int


@declare(98, "define.rate_source", external=True)
class RateSourceDefined(Event, frozen=True):
    """The last price of an instrument states a rate of conversion.

    One minor unit of the first currency is price_ticks * numerator / denominator minor units of the second.
    """

    from_currency: int
    to_currency: int
    numerator: int
    denominator: int


@declare(99, "define.terms", external=True)
class TermsSet(Event, frozen=True):
    """What positions in an instrument need and cost: shares of their value for margin, a rate a year for short ones.

    The initial rate is 1 / leverage. The fee is taken on each fill of a liquidation.
    """

    initial_rate: int
    maintenance_rate: int
    borrow_rate: int
    liquidation_fee_rate: int


@declare(100, "define.margin_tier", external=True)
class MarginTierSet(Event, frozen=True):
    """The next margin tier of an instrument: rates for positions worth up to the limit.

    Maintenance margin = value * maintenance rate - deduction.
    """

    limit_minor: int
    initial_rate: int
    maintenance_rate: int
    deduction_minor: int


@declare(101, "define.interest", external=True)
class InterestSet(Event, frozen=True):
    """Rates a year on cash in a currency: received on what is there, paid on what is owed."""

    currency: int
    credit_rate: int
    debit_rate: int


@declare(102, "define.accrual", external=True)
class AccrualSet(Event, frozen=True):
    """Interest and borrow fees accrue every 24 hours from this instant on; a year has so many days."""

    first_ns: int
    days_per_year: int


@declare(103, "define.margin_rules", external=True)
class MarginRulesSet(Event, frozen=True):
    """A margin call comes when equity is below this multiple of the maintenance margin, liquidation below 1."""

    call_rate: int


@declare(104, "ledger.funding")
class FundingPaid(Event, frozen=True):
    """A position in a perpetual paid funding (negative: received): its value at the mark price times the rate."""

    leg: int
    lots: int
    value_minor: int
    rate: int
    mark_ticks: int
    amount_minor: int


@declare(105, "ledger.dividend")
class DividendPaid(Event, frozen=True):
    """A long position received a dividend; a short one paid it (negative)."""

    leg: int
    lots: int
    numerator: int
    denominator: int
    amount_minor: int


@declare(106, "ledger.split")
class SplitApplied(Event, frozen=True):
    """A split changed the lots of a book: numerator new ones for denominator old ones, towards zero.

    What is left of a lot is paid out in cash at the last price, adjusted for the split; its share of the cost goes with
    it.
    """

    leg: int
    lots_before: int
    lots_after: int
    numerator: int
    denominator: int
    cash_minor: int
    realised_minor: int


@declare(107, "ledger.borrow")
class BorrowPaid(Event, frozen=True):
    """A short position in a fully paid instrument paid for the loan: value * rate * days / days of the year."""

    leg: int
    value_minor: int
    rate: int
    days: int
    amount_minor: int


@declare(108, "ledger.interest")
class InterestPaid(Event, frozen=True):
    """Interest on the cash of an account in a currency: received, or (negative) paid on debt."""

    currency: int
    cash_minor: int
    rate: int
    days: int
    amount_minor: int


@declare(109, "ledger.accrued")
class AccrualDone(Event, frozen=True):
    """All interest and borrow fees of these days are booked; the next accrual is due then."""

    next_ns: int
    days: int


@declare(110, "ledger.conversion")
class CurrencyConverted(Event, frozen=True):
    """An account changed money: to = from * numerator / denominator, in minor units. By an operator, or a sweep."""

    from_currency: int
    from_minor: int
    to_currency: int
    to_minor: int
    numerator: int
    denominator: int


@declare(111, "ledger.adjustment", external=True)
class CashAdjusted(Event, frozen=True):
    """An operator corrected the cash of an account. The body gives the reason."""

    currency: int
    amount_minor: int


@declare(112, "ledger.settlement")
class ContractSettled(Event, frozen=True):
    """An expired contract was settled in cash at this price: the position is closed without a fee."""

    leg: int
    lots: int
    price_ticks: int


@declare(113, "ledger.expired")
class ContractExpired(Event, frozen=True):
    """A contract is over: its positions are settled, and no order for it is taken."""

    price_ticks: int


@declare(114, "margin.call")
class MarginCalled(Event, frozen=True):
    """Equity of an account fell below the level of the margin call."""

    equity_minor: int
    maintenance_minor: int


@declare(115, "margin.restored")
class MarginRestored(Event, frozen=True):
    """Equity of an account is back above the level of the margin call."""

    equity_minor: int
    maintenance_minor: int


@declare(116, "margin.liquidation")
class LiquidationStarted(Event, frozen=True):
    """Equity of an account fell below its maintenance margin: its positions are closed, the largest loss first."""

    equity_minor: int
    maintenance_minor: int


@declare(117, "margin.liquidated")
class LiquidationEnded(Event, frozen=True):
    """Equity of an account covers its maintenance margin again, or nothing is left to close."""

    equity_minor: int
    maintenance_minor: int


@declare(118, "margin.liquidation_fee")
class LiquidationFeePaid(Event, frozen=True):
    """A fill of a liquidation cost this fee beside the venue's."""

    order_id: int
    value_minor: int
    rate: int
    amount_minor: int


@declare(119, "define.rate", external=True)
class RateStated(Event, frozen=True):
    """A rate of conversion that the configuration or an operator states, between minor units."""

    from_currency: int
    to_currency: int
    numerator: int
    denominator: int
