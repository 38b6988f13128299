"""Strategies that do what they must not, as texts of strategy files; ``{data}`` is the file with the run's data."""

HEAD = "from kernel.strategy.python import Strategy\n"
PEEKS = (
    "import sys\n"
    + HEAD
    + """
class Peeks(Strategy):
    def on_bar(self, bar):
        frame = sys._getframe()
        while frame is not None and "rows" not in frame.f_locals:
            frame = frame.f_back
        rows = frame.f_locals["rows"]
        later = rows[rows["ts_ns"] > bar.ts_ns]
        if len(later):
            self.target_lots(1 if later[0]["words"][3] > bar.close_ticks else 0)
"""
)
REMEMBERS = (
    HEAD
    + """
SEEN = {{}}

class Remembers(Strategy):
    def on_bar(self, bar):
        SEEN[bar.ts_ns] = bar.close_ticks
        ahead = [SEEN[ts_ns] for ts_ns in SEEN if ts_ns > bar.ts_ns]
        if ahead:
            self.target_lots(1 if max(ahead) > bar.close_ticks else 0)
"""
)
READS_AT_IMPORT = (
    "import pyarrow.parquet\n"
    + HEAD
    + """
CLOSES = pyarrow.parquet.read_table({data!r})["close"].to_pylist()

class Reads(Strategy):
    def on_start(self):
        self.at = 0

    def on_bar(self, bar):
        self.at += 1
        self.target_lots(1 if self.at < len(CLOSES) and CLOSES[self.at] > bar.close_ticks else 0)
"""
)
READS_WHEN_CALLED = (
    "from pathlib import Path\n"
    + HEAD
    + """
class Opens(Strategy):
    def on_bar(self, bar):
        self.target_lots(Path(__file__).stat().st_size and len(Path({notes!r}).read_bytes()) % 2)
"""
)
ASKS_A_LIBRARY = (
    "import pyarrow.parquet\n"
    + HEAD
    + """
class Asks(Strategy):
    def on_bar(self, bar):
        if bar.close_ticks % 100 == 0:
            closes = pyarrow.parquet.read_table({data!r})["close"]
            self.target_lots(int(closes[-1].as_py() > bar.close_ticks))
"""
)
FUTURE_IN_COMPILED = """
from pathlib import Path

from kernel.strategy.api_nb import close_ticks, target
from kernel.strategy.declare import compiled

TOMORROW = len(Path({notes!r}).read_bytes())

@compiled()
def knows(ctx, own):
    target(ctx, 1 if close_ticks(ctx) > TOMORROW else 0)
"""
HONEST = (
    HEAD
    + """
class Honest(Strategy):
    last = None

    def on_bar(self, bar):
        if self.last is not None:
            self.target_lots(1 if bar.close_ticks > self.last else 0)
        self.last = bar.close_ticks
"""
)
WINDOW = """
class Mean(Strategy):
    warm_up = {warm_up}

    def on_bar(self, bar):
        self.closes = [*getattr(self, "closes", ()), bar.close_ticks][-40:]
        if len(self.closes) > 3:
            self.target_lots(1 if bar.close_ticks > sum(self.closes) / len(self.closes) else 0)
"""
COMPILED_WINDOW = """
from math import isnan

from kernel.indicators import words
from kernel.indicators.steps import sma_nb
from kernel.strategy.api_nb import close_ticks, target
from kernel.strategy.declare import compiled

@compiled(memory=words("sma", period=40), warm_up={warm_up})
def mean(ctx, own):
    average = sma_nb(own, 0, close_ticks(ctx), 40)
    if not isnan(average):
        target(ctx, 1 if close_ticks(ctx) > average else 0)
"""
