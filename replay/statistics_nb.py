"""Statistics of a run, for reports only: nothing that decides reads them.

Owns the exact drawdown by row, the equity samples (halved in resolution whenever they fill up) and the last equity of
each UTC day.
"""

from kernel.jit import inlined
from kernel.ledger_nb import equity_nb, total_nb
from replay.memory import MAX_DAYS, SAMPLES
from replay.venue.resting_nb import DAY_NS


@inlined
def _halve_samples_nb(engine):
    """Out of room: keep every second sample, and take half as many from here on."""
    for at in range(SAMPLES // 2):
        engine.samples[at] = engine.samples[2 * at]
    engine.statistics.sample_count = SAMPLES // 2
    engine.statistics.sample_stride *= 2


@inlined
def _sample_nb(sample, ts_ns, equity, cash):
    sample.ts_ns = ts_ns
    sample.equity_minor = equity
    sample.cash_minor = cash


@inlined
def observe_nb(engine, ts_ns, is_fact):
    """Statistics after a row, over all accounts: drawdown exactly, samples, and the last equity of each UTC day."""
    statistics = engine.statistics
    state = engine.context.state
    account = state.accounts[0]
    equity, cash, gross = equity_nb(account), account.cash_minor, account.gross_minor
    if state.head.account_count > 1:
        equity, cash, gross = total_nb(state)
    if not is_fact:  # sessions, statuses, rates and the like are no market data
        statistics.data_rows += 1
        if gross != 0:
            statistics.exposed_rows += 1
    if equity > statistics.peak_minor:
        statistics.peak_minor = equity
        statistics.trough_minor = equity
    elif equity < statistics.trough_minor:
        statistics.trough_minor = equity
        if statistics.peak_minor > 0:
            drawdown = (statistics.peak_minor - equity) / statistics.peak_minor
            statistics.drawdown = max(statistics.drawdown, drawdown)
    if ts_ns >= statistics.day_end_ns:
        statistics.day_end_ns = (ts_ns // DAY_NS + 1) * DAY_NS
        statistics.day_count = min(statistics.day_count + 1, MAX_DAYS)
    statistics.last_ts_ns = ts_ns
    _sample_nb(engine.days[statistics.day_count - 1], ts_ns, equity, cash)
    if statistics.sample_skip > 0:
        statistics.sample_skip -= 1
        return
    if statistics.sample_count == SAMPLES:
        _halve_samples_nb(engine)
    _sample_nb(engine.samples[statistics.sample_count], ts_ns, equity, cash)
    statistics.sample_count += 1
    statistics.sample_skip = statistics.sample_stride - 1
