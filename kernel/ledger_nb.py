"""Balances and marks, exactly: what a new price does to the books, and what everything comes to.

Owns the value of a position, the balances of accounts in their own currency and in that of the account, and the
check that debits equal credits. What a fill does is in ``fills_nb``. Amounts are in minor units.

    cash = deposits + realised - fees - cost of what is open, and so on: ``ledger_sum_nb`` is 0 after every event
"""

from kernel.events.layout import BAR_CLOSED
from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_nb
from kernel.jit import inlined, jit, unit
from kernel.state import STATE
from kernel.tables.ledger import INSTRUMENT, POSITION
from kernel.tables.table import MAX_CURRENCIES, MAX_POSITIONS
from kernel.units import RATE_SCALE

OK, UNKNOWN_ORDER, ILLEGAL_TRANSITION, MONEY_OVERFLOW, NO_CAPACITY = range(5)
MISMATCH, UNKNOWN_KIND, BAD_INDEX, BAD_SEQUENCE, UNKNOWN_RATE = range(5, 10)
STATUS_TEXT = {
    OK: "ok",
    UNKNOWN_ORDER: "it names an order that is not open",
    ILLEGAL_TRANSITION: "the order's status does not allow it",
    MONEY_OVERFLOW: "an amount of money does not fit 64 bits",
    NO_CAPACITY: "a table of the state is full",
    MISMATCH: "it does not agree with the state",
    UNKNOWN_KIND: "its kind is not in the catalogue",
    BAD_INDEX: "it names an instrument, strategy, account or timer that is not defined",
    BAD_SEQUENCE: "its sequence is not the next one",
    UNKNOWN_RATE: "the rate from its currency to that of the account is not known",
}
MARGIN, CASH = range(2)  # modes of an account
_SAFE_DIVISOR = 4.0e18  # below 2**62 by more than any rounding of the float estimate


@inlined
def book_index_nb(state, strategy, instrument, leg):
    """The row of a strategy's book in an instrument; leg -1 is the short book of a hedging account."""
    at = strategy * state.head.instrument_count + instrument
    return at + MAX_POSITIONS if leg < 0 else at


@jit
def is_shadow_nb(state, strategy, instrument):
    """Whether a strategy trades an instrument on paper; what its books hold counts in no total of the others."""
    return state.accounts[state.positions[strategy * state.head.instrument_count + instrument].account].shadow == 1


@jit
def _inverse_money_nb(price_ticks, quantity_lots, numerator, denominator):
    """Money of an inverse contract in its base coin: the value falls in coins as the price rises, hence the sign.

    Source: an inverse contract is worth quantity / price coins, and its profit is
    quantity * (1 / entry - 1 / exit) (Bybit, "Profit & Loss calculations (Inverse Contract)").
    """
    if quantity_lots == 0:
        return 0
    if price_ticks <= 0 or float(price_ticks) * float(denominator) >= _SAFE_DIVISOR:
        return OVERFLOW
    coins = scale_nb(quantity_lots, numerator, 1, price_ticks * denominator)
    return OVERFLOW if coins == OVERFLOW else -coins


@inlined
def is_over_nb(instrument, is_bar, ts_ns, words):
    """Whether a price came after the contract's expiry, so that it is none of it. A bar that began before counts."""
    if is_bar:
        return instrument.expired != 0 or words[BAR_CLOSED.ts_open_ns] >= instrument.expiry_ns
    return instrument.expired != 0 or ts_ns > instrument.expiry_ns


@inlined
def notional_nb(instrument, price_ticks, quantity_lots):
    """Money of a quantity at a price, signed as the quantity (inverse contracts: against it); OVERFLOW if too much."""
    if instrument.inverse != 0:
        money = _inverse_money_nb(price_ticks, quantity_lots, instrument.numerator, instrument.denominator)
    else:
        money = scale_nb(price_ticks, quantity_lots, instrument.numerator, instrument.denominator)
    return money


@inlined
def exposure_nb(instrument, price_ticks, quantity_lots):
    """The absolute money of a quantity at a price; OVERFLOW (which is negative) if it does not fit."""
    money = notional_nb(instrument, price_ticks, quantity_lots)
    return money if money == OVERFLOW else abs(money)


@jit
def convert_nb(balance, minor):
    """An amount of a balance in the currency of its account; OVERFLOW when it does not fit or no rate is known."""
    if balance.rate_denominator == 0:
        return 0 if minor == 0 else OVERFLOW
    if balance.rate_numerator == balance.rate_denominator:
        return minor
    return scale_nb(minor, balance.rate_numerator, 1, balance.rate_denominator)


@jit
def rebase_nb(account, balance):
    """Bring the account up to date with one of its balances. Returns a status."""
    cash, value, gross = balance.cash_minor, balance.value_minor, balance.gross_minor
    if balance.rate_denominator == 0:
        if cash != 0 or value != 0 or gross != 0:
            return UNKNOWN_RATE
    elif balance.rate_numerator != balance.rate_denominator:
        cash, value, gross = convert_nb(balance, cash), convert_nb(balance, value), convert_nb(balance, gross)
        if cash == OVERFLOW or value == OVERFLOW or gross == OVERFLOW:
            return MONEY_OVERFLOW
    account.cash_minor += cash - balance.base_cash_minor
    account.value_minor += value - balance.base_value_minor
    account.gross_minor += gross - balance.base_gross_minor
    balance.base_cash_minor = cash
    balance.base_value_minor = value
    balance.base_gross_minor = gross
    if abs(account.cash_minor) >= MONEY_MAX or abs(account.value_minor) >= MONEY_MAX:
        return MONEY_OVERFLOW
    return MONEY_OVERFLOW if account.gross_minor >= MONEY_MAX else OK


@jit
def rebase_margin_nb(account, balance):
    """Bring the margin of an account up to date with one of its balances. Returns a status."""
    initial, maintenance = convert_nb(balance, balance.initial_minor), convert_nb(balance, balance.maintenance_minor)
    if initial == OVERFLOW or maintenance == OVERFLOW:
        return MONEY_OVERFLOW
    account.initial_minor += initial - balance.base_initial_minor
    account.maintenance_minor += maintenance - balance.base_maintenance_minor
    balance.base_initial_minor = initial
    balance.base_maintenance_minor = maintenance
    return OK if account.initial_minor < MONEY_MAX and account.maintenance_minor < MONEY_MAX else MONEY_OVERFLOW


@jit
def initial_rate_nb(state, instrument, value_minor):
    """The initial margin rate of a position worth this much: that of its tier, else that of the instrument."""
    rate = instrument.initial_rate
    for at in range(instrument.first_tier, instrument.first_tier + instrument.tier_count):
        rate = state.tiers[at].initial_rate
        if value_minor <= state.tiers[at].limit_minor:
            break
    return rate


@unit(STATE, INSTRUMENT, POSITION)
def margin_nb(state, instrument, position):
    """The margin that a position needs at its value, by the instrument's rates or by the tier of its value.

    Maintenance margin = value * rate - deduction, never below 0 (Bybit, "Maintenance Margin Calculation": the deduction
    makes the sum over the tiers below continuous). Beyond the last tier its rates hold.
    """
    value = abs(position.value_minor)
    maintenance_rate, deduction = instrument.maintenance_rate, 0
    for at in range(instrument.first_tier, instrument.first_tier + instrument.tier_count):
        tier = state.tiers[at]
        maintenance_rate, deduction = tier.maintenance_rate, tier.deduction_minor
        if value <= tier.limit_minor:
            break
    initial = scale_nb(value, initial_rate_nb(state, instrument, value), 1, RATE_SCALE)
    maintenance = scale_nb(value, maintenance_rate, 1, RATE_SCALE)
    if initial == OVERFLOW or maintenance == OVERFLOW:
        return MONEY_OVERFLOW
    maintenance = max(maintenance - deduction, 0)
    balance = state.balances[position.balance]
    balance.initial_minor += initial - position.initial_minor
    balance.maintenance_minor += maintenance - position.maintenance_minor
    position.initial_minor = initial
    position.maintenance_minor = maintenance
    if balance.initial_minor >= MONEY_MAX or balance.maintenance_minor >= MONEY_MAX:
        return MONEY_OVERFLOW
    return rebase_margin_nb(state.accounts[position.account], balance)


@jit
def revalue_nb(state, instrument, position):
    """Mark one position to the instrument's last price, and everything above it. Returns a status."""
    if instrument.inverse != 0 and instrument.last_ticks <= 0:
        value = position.cost_minor  # an inverse contract has no value at such a price: it stays at its cost
    else:
        value = notional_nb(instrument, instrument.last_ticks, position.quantity_lots)
    if value == OVERFLOW:
        return MONEY_OVERFLOW
    balance = state.balances[position.balance]
    before = position.value_minor
    balance.value_minor += value - before
    balance.gross_minor += abs(value) - abs(before)
    position.value_minor = value
    if abs(balance.value_minor) >= MONEY_MAX or balance.gross_minor >= MONEY_MAX:
        return MONEY_OVERFLOW
    if instrument.has_margin != 0:
        status = margin_nb(state, instrument, position)
        if status != OK:
            return status
    return rebase_nb(state.accounts[position.account], balance)


@inlined
def equity_nb(account):
    """Cash plus what all that is open adds to it, in minor units of the account's currency."""
    return account.cash_minor + account.value_minor


@inlined
def rate_row_nb(from_currency, to_currency):
    """The row of the rate from one currency to another."""
    return from_currency * MAX_CURRENCIES + to_currency


@jit
def in_first_currency_nb(state, account, minor):
    """An amount of an account in the currency of the first; OVERFLOW when it does not fit or no rate is known."""
    base = state.accounts[0].currency
    if account.currency == base or minor == 0:
        return minor
    rate = state.rates[rate_row_nb(account.currency, base)]
    if rate.denominator == 0:
        return OVERFLOW
    return scale_nb(minor, rate.numerator, 1, rate.denominator)


@jit
def total_nb(state):
    """``(equity, cash, gross)`` of all accounts but those in shadow, in the currency of the first; OVERFLOW as equity
    when unknown.
    """
    equity, cash, gross = 0, 0, 0
    for number in range(state.head.account_count):
        account = state.accounts[number]
        if account.shadow == 1:
            continue
        part = in_first_currency_nb(state, account, equity_nb(account))
        money = in_first_currency_nb(state, account, account.cash_minor)
        if part == OVERFLOW or money == OVERFLOW or abs(equity) + abs(part) >= MONEY_MAX or abs(cash) >= MONEY_MAX:
            return OVERFLOW, 0, 0
        equity += part
        cash += money
        gross += account.gross_minor != 0
    return equity, cash, gross


@jit
def ledger_sum_nb(balance):
    """Debits less credits over the ledger accounts of a balance: 0, or the books do not balance."""
    return (
        balance.cash_minor
        + balance.cost_minor
        - balance.deposits_minor
        - balance.realised_minor
        + balance.fees_minor
        + balance.funding_minor
        + balance.borrow_minor
        - balance.interest_minor
        - balance.dividends_minor
        - balance.conversion_minor
        - balance.adjustment_minor
    )


@inlined
def balance_fits_nb(balance):
    """Whether one more amount can be added to any ledger account of a balance without wrapping."""
    return (
        abs(balance.cash_minor) < MONEY_MAX
        and abs(balance.cost_minor) < MONEY_MAX
        and abs(balance.deposits_minor) < MONEY_MAX
        and abs(balance.realised_minor) < MONEY_MAX
        and abs(balance.fees_minor) < MONEY_MAX
        and abs(balance.funding_minor) < MONEY_MAX
        and abs(balance.borrow_minor) < MONEY_MAX
        and abs(balance.interest_minor) < MONEY_MAX
        and abs(balance.dividends_minor) < MONEY_MAX
        and abs(balance.conversion_minor) < MONEY_MAX
        and abs(balance.adjustment_minor) < MONEY_MAX
    )
