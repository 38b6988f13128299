"""What a history came to, and a fork beside its parent."""

from collections.abc import Callable
from typing import Any

import msgspec

from kernel.ledger_nb import total_nb
from replay.accounts import ledger_totals
from replay.fork.files import ForkFile

Progress = Callable[[int, int], None]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a history came to. Money in minor units of the first currency; the drawdown is that since the fork."""

    fills: int
    trades: int
    equity_minor: int
    fees_minor: int
    realised_minor: int
    drawdown: float


class Forked(msgspec.Struct, frozen=True, kw_only=True):
    """A fork that was made, beside its parent: both at the fork, and at the end."""

    file: ForkFile
    at_fork: Figures
    parent: Figures
    fork: Figures
    scale: int
    currency: str
    root: str
    frames: int
    last_sequence: int


def figures_of(memory: Any) -> Figures:
    """The figures of an engine as it stands."""
    state, statistics = memory.state, memory.engine.statistics
    totals = ledger_totals(state)
    return Figures(
        fills=int(state.head.fill_count),
        trades=int(state.head.trade_count),
        equity_minor=int(total_nb(state)[0]),
        fees_minor=int(totals["fees"]),
        realised_minor=int(totals["realised"]),
        drawdown=float(statistics.drawdown),
    )


def measure_anew(memory: Any) -> None:
    """From now on the drawdown is measured from the equity of now."""
    statistics = memory.engine.statistics
    statistics.peak_minor = statistics.trough_minor = int(total_nb(memory.state)[0])
    statistics.drawdown = 0.0
