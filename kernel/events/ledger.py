"""Accounts, and everything besides fills that moves money."""

from kernel.events.declaring import Event, declare


@declare(96, "define.account", external=True)
class AccountDefined(Event, frozen=True):
    """An account gets its number (in the header): its currency, mode (0 margin, 1 cash), books (1 hedging) and venue.

    Its figures are in that currency. The body is its name.
    """

    currency: int
    mode: int
    hedging: int
    venue: int


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
