"""Our side: one strategy over one file through the ordinary driver, read back from the recorded events."""

from pathlib import Path
from typing import Any

import numpy as np

from kernel.events.catalogue import OrderFilled, TradeClosed, by_class
from kernel.events.layout import RECORD, Stored, decode
from replay.config import load_config
from replay.execution import Execution, prepare
from tests.parity.data import CASH, Bars
from tests.parity.outcome import Fill, Outcome, Trip
from tests.parity.shared_strategies import STRATEGIES

DESK = Path(__file__).with_name("our_desk.py")
WANTED = [by_class(cls).kind for cls in (OrderFilled, TradeClosed)]


class Collected:
    """A sink that keeps the events that are compared."""

    def __init__(self) -> None:
        self.events: list[Stored] = []

    def frame(self, records: np.ndarray, bodies: bytes, **_: Any) -> None:
        """Take one frame."""
        found = np.frombuffer(records.tobytes(), RECORD)
        self.events += [decode(record) for record in found[np.isin(found["kind"], WANTED)]]


def run(bars: Bars, strategy: str, fill: str, fee_bps: str, skipped_bars: int, **settings: Any) -> Outcome:
    """Run one strategy under a fill profile."""
    parameters = {
        "number": list(STRATEGIES).index(strategy),
        "units": bars.size,
        "pace": bars.pace,
        "unit_lots": bars.unit_lots,
        "minor_per_tick": bars.minor_per_tick,
        "minor_per_currency": 10**bars.instrument.scale,
        "skipped_bars": skipped_bars,
    }
    values = {
        "data": [str(bars.path)],
        "strategy": [{"use": f"{DESK}:Parity", "set": parameters}],
        "to": bars.end,
        "cash": CASH,
        "fill": fill,
        "fee_bps": fee_bps,
        "slippage_bps": 0,
        "limits": {"margin": 0},
        **settings,
    }
    prepared = prepare(load_config(None, values))
    sink = Collected()
    execution = Execution(prepared, sink)
    execution.run()
    host: Any = prepared.strategies[0].source
    return Outcome(*_fills_and_trips(bars, sink.events), np.array(host.equity_by_bar, np.int64))


def _fills_and_trips(bars: Bars, events: list[Stored]) -> tuple[list[Fill], list[Trip]]:
    fills, trips, bar_of_sequence = [], [], {}
    for stored in events:
        bar = int(np.searchsorted(bars.table[:, 1], stored.ts_ingest_ns))
        event = stored.event
        if isinstance(event, OrderFilled):
            bar_of_sequence[stored.sequence] = bar
            fills.append(Fill(bar, event.side * event.quantity_lots, event.price_ticks))
        elif isinstance(event, TradeClosed):
            trips.append(
                Trip(
                    entry_bar=bar_of_sequence[event.entry_sequence],
                    exit_bar=bar,
                    side=event.side,
                    lots=event.quantity_lots,
                    entry_money=event.entry_minor,
                    exit_money=event.exit_minor,
                    profit=event.realised_minor - event.fees_minor,
                )
            )
    return fills, trips
