"""What ``apply`` counts for the risk checks: equity of the day, peak, orders, bars, losses, slippage.

Owns every change of the risk tables by market events, order events and deposits. Each step takes constant time, but for
the end of a UTC day, which looks at the returns of 250 days.
"""

import numpy as np

from kernel.events.layout import (
    ACCEPTED,
    BAR_CLOSED,
    CHECKED,
    CORPORATE_ACTION,
    CROSSED,
    FILLED,
    LEVEL_SET,
    RATE_SET,
    RECORD,
    SESSION_CHANGED,
)
from kernel.exact_nb import OVERFLOW, scale_nb
from kernel.jit import inlined, jit, unit
from kernel.ledger_nb import OK, book_index_nb, equity_nb
from kernel.lifecycle import REDUCING
from kernel.lifecycle_nb import find_order_nb
from kernel.market import DAILY_VOLUME_LEVEL, EARNINGS_LEVEL, NEWS_LEVEL, UNKNOWN_SIZE, VOLATILITY_INDEX_LEVEL
from kernel.risk import rules
from kernel.risk.totals_nb import refresh_all_nb, refresh_both_nb, refresh_symbol_nb, rule_nb
from kernel.state import STATE
from kernel.tables.risk import MEMORY_ORDERS, RETURN_DAYS, WINDOW_BARS
from kernel.units import RATE_SCALE

DAY_NS = 86_400_000_000_000
RANGE_BARS = 14
TAIL_PART = 20  # the worst 5 % are one in 20
AVERAGE_MAX = 1 << 60  # a sum of lots beyond this is halved, with its count
_RANGE_MAX_TICKS = 1 << 35  # of one bar: times 10**8 it fits 64 bits


@jit
def reduces_nb(position, side, pending_lots, reducing):
    """Whether an order can only make its position smaller; ``pending_lots`` on its side include its own.

    A reduce-only order does whatever the position is, as whoever fills it holds it to that.
    """
    return reducing or (side * position.quantity_lots < 0 and pending_lots <= abs(position.quantity_lots))


@jit
def _cvar_rate_nb(state, first, count):
    """Mean loss of the worst 5 % (rounded up) of ``count`` daily returns, as a rate; negative for a gain."""
    worst = (count + TAIL_PART - 1) // TAIL_PART
    total, floor, floor_at = 0, OVERFLOW, -1
    for _ in range(worst):
        found = -1
        for at in range(count):
            rate = state.past_days[first + at].return_rate
            later = rate > floor or (rate == floor and at > floor_at)
            if later and (found < 0 or rate < state.past_days[first + found].return_rate):
                found = at
        floor, floor_at = state.past_days[first + found].return_rate, found
        total += floor
    return -scale_nb(total, 1, 1, worst)


@unit(STATE, np.int64)
def roll_day_nb(state, ts_ns):
    """The first market event of a UTC day: keep the return of the day before, and begin anew."""
    risk = state.risk
    first = risk.day_end_ns == 0
    risk.day_number = ts_ns // DAY_NS
    risk.day_end_ns = (risk.day_number + 1) * DAY_NS
    for number in range(state.head.account_count):
        account = state.risk_accounts[number]
        equity = equity_nb(state.accounts[number])
        if not first and account.day_equity_minor > 0:
            rate = scale_nb(equity - account.day_equity_minor, RATE_SCALE, 1, account.day_equity_minor)
            if rate != OVERFLOW and abs(rate) < AVERAGE_MAX // RETURN_DAYS:
                base = number * RETURN_DAYS
                state.past_days[base + account.return_count % RETURN_DAYS].return_rate = rate
                account.return_count += 1
                if rule_nb(state, rules.EXPECTED_SHORTFALL) > 0:
                    account.cvar_rate = _cvar_rate_nb(state, base, min(account.return_count, RETURN_DAYS))
        account.day_equity_minor = equity
        account.peak_equity_minor = max(account.peak_equity_minor, equity)
    return OK


@inlined
def _fourteenth_nb(number):
    """A fourteenth, rounded half to even: by a constant that takes no division, at every bar."""
    quotient = number // RANGE_BARS
    rest = number - quotient * RANGE_BARS
    return quotient + int(rest > RANGE_BARS // 2 or (rest == RANGE_BARS // 2 and quotient & 1 == 1))


@inlined
def _bar_nb(state, instrument, high, low, close, volume):
    """The windows of bars that the gates look at."""
    symbol = state.risk_symbols[instrument]
    past = state.past_bars[instrument * WINDOW_BARS + symbol.bar_count % WINDOW_BARS]
    past.close_ticks = close
    past.volume_lots = volume
    span = high - low
    if symbol.bar_count > 0:
        span = max(span, abs(high - symbol.close_ticks), abs(low - symbol.close_ticks))
    symbol.bar_count += 1
    symbol.close_ticks = close
    span_e8 = min(span, _RANGE_MAX_TICKS) * RATE_SCALE
    if symbol.bar_count < RANGE_BARS:
        symbol.range_e8 += scale_nb(span_e8 - symbol.range_e8, 1, 1, symbol.bar_count)
    else:
        symbol.range_e8 += _fourteenth_nb(span_e8 - symbol.range_e8)


@inlined
def _level_nb(state, instrument, level, value):
    symbol = state.risk_symbols[instrument]
    if level == VOLATILITY_INDEX_LEVEL:
        state.risk.volatility_index_e8 = max(value, 0) + 1
    elif level == DAILY_VOLUME_LEVEL:
        symbol.daily_volume = max(value, 0) + 1
    elif level == EARNINGS_LEVEL and value != symbol.earnings_ns:
        symbol.earnings_before_ns = symbol.earnings_ns
        symbol.earnings_ns = value
    elif level == NEWS_LEVEL and value != symbol.news_ns:
        symbol.news_before_ns = symbol.news_ns
        symbol.news_ns = value


@unit(STATE, np.int64, np.int64, np.int64, np.int64, np.int64, np.int64, np.int64, np.int64)
def after_market_nb(state, kind, instrument, ts_ns, word_0, word_1, word_2, word_3, word_4):
    """After a market event was booked: exposures at the new price, peaks, and the windows. The words are its first."""
    symbol, last = state.risk_symbols[instrument], state.instruments[instrument].last_ticks
    if symbol.exposure_minor != 0 or symbol.position_count != 0 or kind == CORPORATE_ACTION.kind:
        refresh_symbol_nb(state, instrument)
    if kind == RATE_SET.kind or (state.instruments[instrument].rate_numerator != 0 and state.head.balance_count > 1):
        refresh_all_nb(state)
    for number in range(state.head.account_count):
        account = state.risk_accounts[number]
        account.peak_equity_minor = max(account.peak_equity_minor, equity_nb(state.accounts[number]))
    if rule_nb(state, rules.BREAKER_MOVE) > 0:
        window = rule_nb(state, rules.BREAKER_WINDOW)
        if symbol.reference_ticks <= 0 or ts_ns - symbol.reference_ns >= window:
            symbol.reference_ticks = last
            symbol.reference_ns = ts_ns
    if kind == BAR_CLOSED.kind:
        windows = rule_nb(state, rules.RANGE_LOW) + rule_nb(state, rules.RANGE_HIGH) + rule_nb(state, rules.WIDTH_LOW)
        if windows + rule_nb(state, rules.WIDTH_HIGH) + rule_nb(state, rules.VOLUME_MULTIPLE) > 0:
            _bar_nb(state, instrument, word_1, word_2, word_3, max(word_4, UNKNOWN_SIZE))
    elif kind == SESSION_CHANGED.kind:
        # The close of an earlier session may come after the next open; the first one counts, whenever it was.
        if symbol.session_close_ns == 0 or word_1 >= symbol.session_open_ns:
            symbol.session_open_ns = word_1
            symbol.session_close_ns = word_2
    elif kind == LEVEL_SET.kind:
        _level_nb(state, instrument, word_0, word_1)
    return OK


@inlined
def _approved_nb(state, record):
    """Remember an order that was approved."""
    row = find_order_nb(state, record.words[CHECKED.order_id])
    order = state.orders[row]
    position = state.positions[book_index_nb(state, order.strategy, order.instrument, order.leg)]
    pending = position.pending_buy_lots if order.side > 0 else position.pending_sell_lots
    entry = 0 if reduces_nb(position, order.side, pending, order.instructions & REDUCING != 0) else 1
    risk, symbol = state.risk, state.risk_symbols[order.instrument]
    past = state.past_orders[risk.order_count % MEMORY_ORDERS]
    risk.order_count += 1
    past.order_id = order.order_id
    past.ts_ns = record.ts_ingest_ns
    past.key = order.key
    past.entry = entry
    past.strategy = order.strategy
    past.instrument = order.instrument
    past.side = order.side
    past.quantity_lots = order.quantity_lots
    past.limit_ticks = order.limit_ticks
    past.stop_ticks = order.stop_ticks
    if symbol.day_number != risk.day_number:
        symbol.day_number = risk.day_number
        symbol.day_orders = 0
    symbol.day_orders += entry
    symbol.order_count += 1
    symbol.order_lots += order.quantity_lots
    if symbol.order_lots > AVERAGE_MAX:
        symbol.order_lots //= 2
        symbol.order_count = max(symbol.order_count // 2, 1)


@inlined
def _slippage_nb(state, record):
    """Note a fill that is too far beyond the last price at its intent; an order with a limit cannot slip."""
    words = record.words
    row = find_order_nb(state, words[FILLED.order_id])
    multiple = rule_nb(state, rules.SLIPPAGE_MULTIPLE)
    if row < 0 or multiple == 0:
        return
    order = state.orders[row]
    if order.limit_ticks > 0 or order.limit_offset_ticks > 0 or order.arrival_ticks <= 0:
        return
    arrival = order.arrival_ticks
    if order.stop_ticks > 0:
        arrival = max(arrival, order.stop_ticks) if order.side > 0 else min(arrival, order.stop_ticks)
    worse = order.side * (words[FILLED.price_ticks] - arrival)
    if worse <= 0:
        return
    rate = scale_nb(worse, RATE_SCALE, 1, arrival)
    limit = scale_nb(rule_nb(state, rules.SLIPPAGE_EXPECTED), multiple, 1, RATE_SCALE)
    if rate == OVERFLOW or rate > limit:
        symbol = state.risk_symbols[order.instrument]
        symbol.slippage_rate = max(symbol.slippage_rate, AVERAGE_MAX if rate == OVERFLOW else rate)


@unit(STATE, RECORD)
def before_order_nb(state, record):
    """Before an order event is booked: what is known only while its order is open."""
    if record.kind == CHECKED.kind and record.words[CHECKED.check] == 0:
        if find_order_nb(state, record.words[CHECKED.order_id]) >= 0:
            _approved_nb(state, record)
    elif record.kind == FILLED.kind:
        _slippage_nb(state, record)
    return OK


@unit(STATE, RECORD)
def after_order_nb(state, record):
    """After an order event was booked: the exposure of its book."""
    head = state.head
    if record.kind == ACCEPTED.kind:
        return OK  # it was on its way before
    known = 0 <= record.instrument < head.instrument_count
    if record.kind == CROSSED.kind and known:
        refresh_symbol_nb(state, record.instrument)  # it changes the books of two strategies
    elif known and 0 <= record.strategy < head.strategy_count:
        refresh_both_nb(state, record.strategy, record.instrument)
    return OK


@inlined
def after_trade_nb(state, realised_minor):
    """After a round trip: how many in a row made a loss."""
    state.risk.loss_streak = state.risk.loss_streak + 1 if realised_minor < 0 else 0


@inlined
def after_deposit_nb(state, account_number, amount_minor):
    """Money that comes or goes is neither a gain nor a loss."""
    account = state.risk_accounts[account_number]
    account.day_equity_minor += amount_minor
    account.peak_equity_minor += amount_minor
