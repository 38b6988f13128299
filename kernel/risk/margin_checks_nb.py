"""Position and buying power: whether an account can carry what an order may come to."""

from kernel.exact_nb import MONEY_MAX, OVERFLOW, scale_linked_nb
from kernel.jit import inlined
from kernel.ledger_nb import CASH, book_index_nb, convert_nb, equity_nb, exposure_nb, initial_rate_nb
from kernel.netting_nb import crossing_minor_nb, is_first_nb, leaving_lots_nb, nets_nb, netted_sides_nb
from kernel.risk.numbers import APPROVED, BUYING_POWER, POSITION_NOTIONAL
from kernel.risk.order_checks_nb import refuse_nb
from kernel.risk.totals_nb import in_first_nb
from kernel.tables.table import MAX_POSITIONS
from kernel.units import RATE_SCALE


@inlined
def _worst_lots_nb(position, side):
    """The position if every open order on ``side`` filled."""
    if side > 0:
        return position.quantity_lots + position.pending_buy_lots
    return position.quantity_lots - position.pending_sell_lots


@inlined
def _required_minor_nb(state, ask, book, nets, price_ticks):
    """Margin for all books of an account, in its currency, if each book's worse side filled.

    The book that is asked about counts with what is not yet among its pending lots, at no less than a price. Books that
    net count as one (``nets`` says that it is one of them). Instruments with a leverage of their own take that; the
    others take the margin of the limits.
    """
    head, account, side, quantity_lots = state.head, state.positions[book].account, ask.side, ask.extra_lots
    plain, own = 0, 0
    instruments, books = head.instrument_count, head.instrument_count * head.strategy_count
    for row in range(books if head.hedging_count == 0 else 2 * books):
        at = row if row < books else row - books + MAX_POSITIONS
        position = state.positions[at]
        in_use = position.quantity_lots != 0 or position.pending_buy_lots != 0 or position.pending_sell_lots != 0
        number, mine = row % instruments, at == book
        if position.account != account:
            continue
        if head.strategy_count > 1 and row < books and nets_nb(state, row // instruments, number, account):
            if not is_first_nb(state, row // instruments, number, account):
                continue
            mine = nets and number == ask.instrument
            most, least = netted_sides_nb(state, number, account, side, quantity_lots if mine else 0)
            lots = max(abs(most), abs(least))
        elif in_use or mine:
            long, short = _worst_lots_nb(position, 1), _worst_lots_nb(position, -1)
            if mine and side > 0:
                long += quantity_lots
            if mine and side < 0:
                short -= quantity_lots
            lots = max(abs(long), abs(short))
        else:
            continue
        if lots == 0:
            continue
        instrument = state.instruments[number]
        price = max(instrument.last_ticks, price_ticks) if mine else instrument.last_ticks
        money = exposure_nb(instrument, price, lots)
        if money != OVERFLOW and instrument.has_margin != 0:
            money = scale_linked_nb(money, initial_rate_nb(state, instrument, money), 1, RATE_SCALE)
        if money != OVERFLOW:
            money = convert_nb(state.balances[position.balance], money)
        if money == OVERFLOW or plain + own + money >= MONEY_MAX:
            return OVERFLOW
        if instrument.has_margin != 0:
            own += money
        else:
            plain += money
    required = scale_linked_nb(plain, state.limits.margin_rate, 1, RATE_SCALE)
    return OVERFLOW if required == OVERFLOW or required + own >= MONEY_MAX else required + own


@inlined
def _cash_left_nb(state, book, extra_lots, price_ticks):
    """Cash of the balance behind a book, less what its open buy orders may cost, this one included; OVERFLOW."""
    head, row = state.head, state.positions[book].balance
    left = state.balances[row].cash_minor
    instruments = head.instrument_count
    for at in range(instruments * head.strategy_count):
        position = state.positions[at]
        lots = position.pending_buy_lots + (extra_lots if at == book else 0)
        if position.balance != row or lots <= 0:
            continue
        instrument = state.instruments[at % instruments]
        money = exposure_nb(instrument, max(instrument.last_ticks, price_ticks if at == book else 0), lots)
        if money == OVERFLOW or abs(left) + money >= MONEY_MAX:
            return OVERFLOW
        left -= money
    return left if head.strategy_count == 1 else left + crossing_minor_nb(state, state.positions[book].account, row)


@inlined
def _on_worse_side_nb(state, ask, account):
    """Whether the position that nets is at its worst on the side of the order; else the order adds nothing to it."""
    most, least = netted_sides_nb(state, ask.instrument, account, ask.side, ask.extra_lots)
    return ask.side * (most + least) >= 0


@inlined
def margin_checks_nb(state, ask, price_ticks, notional_minor):
    """Position and margin, for an order that may make its book larger; of what trades with others, only the rest."""
    limits = state.limits
    book = book_index_nb(state, ask.strategy, ask.instrument, ask.leg)
    position = state.positions[book]
    account = state.accounts[position.account]
    after = _worst_lots_nb(position, ask.side) + ask.side * ask.extra_lots
    if abs(after) <= abs(position.quantity_lots):
        return APPROVED
    if limits.position_notional_minor > 0:
        money = exposure_nb(state.instruments[ask.instrument], price_ticks, abs(after))
        money = in_first_nb(state, book, money)
        if money == OVERFLOW or money > limits.position_notional_minor:
            return refuse_nb(ask, POSITION_NOTIONAL, limits.position_notional_minor, money)
    instrument = state.instruments[ask.instrument]
    if ask.waits == 1 and state.head.strategy_count > 1:
        notional_minor = exposure_nb(instrument, price_ticks, leaving_lots_nb(state, ask, position.account))
    costs = scale_linked_nb(notional_minor, limits.cost_buffer_rate, 1, RATE_SCALE)
    if account.mode == CASH and instrument.margined == 0:
        left = _cash_left_nb(state, book, ask.extra_lots if ask.side > 0 else 0, price_ticks)
        if after < 0 or left == OVERFLOW or costs == OVERFLOW or left < costs:
            return refuse_nb(ask, BUYING_POWER, 0, after if after < 0 else left)
    elif limits.margin_rate > 0 or instrument.has_margin != 0:
        nets = state.head.strategy_count > 1 and nets_nb(state, ask.strategy, ask.instrument, position.account)
        if nets and not _on_worse_side_nb(state, ask, position.account):
            return APPROVED
        required = _required_minor_nb(state, ask, book, nets, price_ticks)
        if costs != OVERFLOW:
            costs = convert_nb(state.balances[position.balance], costs)
        if required == OVERFLOW or costs == OVERFLOW:
            return refuse_nb(ask, BUYING_POWER, equity_nb(account), OVERFLOW)
        if required + costs > equity_nb(account):
            return refuse_nb(ask, BUYING_POWER, equity_nb(account), required + costs)
    return APPROVED
