"""Whether an account carries what a fill would leave: asked at the fill, by the simulated venue and on paper."""

from kernel.exact_nb import OVERFLOW, scale_linked_nb
from kernel.jit import jit
from kernel.ledger_nb import CASH, book_index_nb, convert_nb, equity_nb, exposure_nb, initial_rate_nb
from kernel.netting_nb import nets_nb, netted_gross_minor_nb, netted_value_nb
from kernel.units import RATE_SCALE


@jit
def has_funds_nb(state, strategy, instrument_id, leg, side, price_ticks, quantity_lots, fee_minor):
    """Whether the account carries the position that this fill would leave (always, if it makes it smaller).

    Books that net are one position; a fill that makes its book smaller, or that position, passes.
    """
    limits = state.limits
    position = state.positions[book_index_nb(state, strategy, instrument_id, leg)]
    account = state.accounts[position.account]
    after = position.quantity_lots + side * quantity_lots
    instrument, balance = state.instruments[instrument_id], state.balances[position.balance]
    if abs(after) <= abs(position.quantity_lots):
        return True
    money = exposure_nb(instrument, price_ticks, abs(after))
    if money == OVERFLOW:
        return False
    if account.mode == CASH and instrument.margined == 0:
        return after >= 0 and money - position.value_minor <= balance.cash_minor - fee_minor
    if instrument.has_margin != 0:
        initial = scale_linked_nb(money, initial_rate_nb(state, instrument, money), 1, RATE_SCALE)
        before = convert_nb(balance, position.initial_minor)
        initial = convert_nb(balance, initial) if initial != OVERFLOW else OVERFLOW
        fits = initial != OVERFLOW and before != OVERFLOW
        return fits and account.initial_minor - before + initial <= equity_nb(account) - convert_nb(balance, fee_minor)
    before = abs(position.value_minor)
    if state.head.strategy_count > 1 and nets_nb(state, strategy, instrument_id, position.account):
        value, _, held, _ = netted_value_nb(state, instrument_id, position.account)
        after, before = held + side * quantity_lots, abs(value)
        if abs(after) <= abs(held):
            return True
        money = exposure_nb(instrument, price_ticks, abs(after))
    money = convert_nb(balance, money) if money != OVERFLOW else OVERFLOW
    if limits.margin_rate == 0 or money == OVERFLOW:
        return money != OVERFLOW
    gross = netted_gross_minor_nb(state, position.account) - convert_nb(balance, before) + money
    required = scale_linked_nb(gross, limits.margin_rate, 1, RATE_SCALE)
    return required != OVERFLOW and required <= equity_nb(account) - convert_nb(balance, fee_minor)
