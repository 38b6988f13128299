"""report.html: one file that shows a run, opens from disk and needs nothing else.

Owns how a result looks on a page: formatting, scales, drawings, tables. Knows nothing of how the result
came about, reads no clock and no network, so the same result makes the same bytes.
"""

from replay.report.page import render_report, write_report
from replay.report.trades import no_trades, read_trades

__all__ = ["no_trades", "read_trades", "render_report", "write_report"]
