"""``kernel why`` on the orders of a bracket: its place in the group, the others, and the trade's initial stop."""

from pathlib import Path

from kernel.events.catalogue import OrderTerms, PositionChanged
from kernel.lifecycle import ENTRY, STOP_LOSS, TAKE_PROFIT
from replay.history import History
from replay.inspect.causes import explain_order, story_json, summary
from replay.inspect.frames import Filter
from tests.replay.inspect.runs import make_run

STRATEGY = """
from kernel.strategy.python import Strategy


class OneBracket(Strategy):
    name = "one_bracket"

    def on_bar(self, bar):
        if not self.position_lots and not self.open_orders:
            step = bar.close_ticks // 100
            self.bracket(1, 1_000_000, bar.close_ticks + step, bar.close_ticks - step)
"""


def test_why_names_the_group(tmp_path: Path) -> None:
    file = tmp_path / "one_bracket.py"
    file.write_text(STRATEGY)
    run = make_run(tmp_path / "run", strategy=[{"use": f"{file}:OneBracket"}], to="2017-03-01")
    history = History(run)
    if history:
        names = history.names
        events = [stored.event for stored in history.events(Filter(last=10_000))]
        entry, target, stop = [event for event in events if isinstance(event, OrderTerms)][:3]
        assert (entry.group_role, target.group_role, stop.group_role) == (ENTRY, TAKE_PROFIT, STOP_LOSS)
        story = explain_order(history, stop.order_id)
        others = f"{entry.order_id} (entry), {target.order_id} (take-profit)"
        assert f", stop-loss of a group with {others};" in summary(story, names)
        told = story_json(story, names)["group"]
        assert [one["order_id"] for one in told] == [entry.order_id, target.order_id, stop.order_id]
        positions = [event for event in events if isinstance(event, PositionChanged)]
        assert positions[1].stop_ticks > 0, "the trade knows what it risked"
