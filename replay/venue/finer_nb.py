"""Finer data of the same span as the bars that strategies hear: the profile ``intrabar``."""

from kernel.events.layout import BAR_CLOSED
from kernel.jit import inlined
from kernel.market import BAR, QUOTE


@inlined
def is_finer_nb(market, row):
    """Whether a row is there for the venue alone. Of an instrument with finer trades or quotes only bars are heard."""
    if market.finer_span_ns == 0 or row.kind > QUOTE:
        return False
    return row.kind != BAR or row.ts_ns - row.words[BAR_CLOSED.ts_open_ns] <= market.finer_span_ns
