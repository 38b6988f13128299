"""What is used of a limit is what the checks count."""

from pathlib import Path

import numpy as np

from kernel.events.layout import CHECKED
from kernel.ledger_nb import total_nb
from replay.config import load_config
from replay.live.limits import Used, limits_used
from tests.replay.live.building import Written, instrument, market

SETTINGS = """
[[strategy]]
use = "ema_cross"
set = { fast = 3, slow = 8 }
[limits]
open_orders = 4
[risk]
orders_per_minute = 10
total_exposure = 250000
leverage = 4
drawdown_percent = 50
"""


def test_the_limits_that_are_on_are_told_with_what_is_used(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(SETTINGS)
    config = load_config(tmp_path / "run.toml", {"journal": "full"})
    written = Written(tmp_path / "run", config, [instrument()], elsewhere=True)
    state = written.core.state
    assert limits_used(state)[0] == Used("open orders", "0", "4", "0 %")
    for now_ns, rows in market(240):
        made = written.core.take_rows(rows, now_ns)
        if (made["kind"] == CHECKED.kind).any():
            break
    written.close()
    used = {one.limit: one for one in limits_used(state)}
    assert list(used) == ["open orders", "orders a minute", "drawdown", "exposure", "leverage"]
    assert used["open orders"] == Used("open orders", "1", "4", "25 %")
    assert used["orders a minute"] == Used("orders a minute", "1", "10", "10 %")
    lots = int(state.orders[0]["quantity_lots"])
    exposure = lots * int(state.instruments[0]["last_ticks"]) / 10_000  # ticks of 0.1, lots of 0.001
    assert used["exposure"].used == f"{exposure:,.2f}"
    assert used["exposure"].most == "250,000.00"
    equity = int(total_nb(state)[0]) / 10**6
    assert used["leverage"].used == f"{np.floor(exposure / equity * 100 + 0.5) / 100:.2f} x"
