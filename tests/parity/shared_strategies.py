"""The strategies that every engine runs, written once so that no two engines can decide differently.

This file imports nothing at all: our interpreter and the peers' run this very text. A strategy is given a *desk* (what
an engine can do) and bars as whole numbers: prices in ticks, sizes in units. It is made with ``size``, a plain number
of units, and ``pace``, the usual range of a bar in millionths of the price. The desk has ``position``, ``equity``
(whole currency), ``units_for(money, price)``, ``buy(units)``, ``sell(units)`` at the market, ``limit(side, units,
price)``, ``stop(side, units, price)``, ``stop_limit(side, units, stop, limit)``, ``bracket(side, units, limit or 0,
target, loss)``, ``working`` (how many orders are open), ``cancel_oldest()`` and ``cancel_all()``. Sides are 1 and -1.

Decisions are made in integers, or in floats by the same operations in the same order.
"""


class Base:
    """Keeps the last bars."""

    kept = 60

    def __init__(self, size, pace):
        self.size, self.pace = size, pace
        self.count = 0
        self.opens, self.highs, self.lows, self.closes = [], [], [], []

    def on_bar(self, desk, open_, high, low, close):
        """Take in a bar; ``decide`` follows."""
        self.count += 1
        for line, value in zip(
            (self.opens, self.highs, self.lows, self.closes), (open_, high, low, close), strict=True
        ):
            line.append(value)
            if len(line) > self.kept:
                del line[0]
        self.decide(desk, close)

    def decide(self, desk, close):
        """What the strategy does; ``close`` is the last one."""
        raise NotImplementedError

    def step(self, close, percent):
        """A distance in ticks: so many percent of a usual bar's range."""
        return close * self.pace * percent // 100_000_000 + 1


class BuyAndHold(Base):
    """Buys once, for most of the equity."""

    def decide(self, desk, close):
        if self.count == 1:
            desk.buy(self.size * 10)


class EmaCross(Base):
    """Long while the fast average is above the slow one; sized by equity."""

    fast = slow = 0.0

    def decide(self, desk, close):
        if self.count == 1:
            self.fast = self.slow = float(close)
        self.fast += (close - self.fast) * (2.0 / 13.0)
        self.slow += (close - self.slow) * (2.0 / 27.0)
        if self.count < 26:
            return
        if self.fast > self.slow and desk.position == 0:
            desk.buy(max(1, desk.units_for(desk.equity // 2, close)))
        elif self.fast < self.slow and desk.position > 0:
            desk.sell(desk.position)


class RsiReversion(Base):
    """Buys weakness, sells when it has passed: Wilder's relative strength in floats."""

    up = down = 0.0

    def decide(self, desk, close):
        if self.count == 1:
            return
        change = float(close - self.closes[-2])
        self.up = self.up * (13.0 / 14.0) + max(change, 0.0) * (1.0 / 14.0)
        self.down = self.down * (13.0 / 14.0) + max(-change, 0.0) * (1.0 / 14.0)
        if self.count < 15 or self.up + self.down == 0.0:
            return
        strength = 100.0 * self.up / (self.up + self.down)
        if strength < 30.0 and desk.position == 0:
            desk.buy(self.size)
        elif strength > 55.0 and desk.position > 0:
            desk.sell(desk.position)


class DonchianBreakout(Base):
    """Stop orders at both ends of the last 20 bars; a position is left by a stop at the end of the last 10."""

    def decide(self, desk, close):
        if self.count < 21:
            return
        desk.cancel_all()
        if desk.position == 0:
            desk.stop(1, self.size, max(self.highs[-20:]) + 1)
            desk.stop(-1, self.size, min(self.lows[-20:]) - 1)
        elif desk.position > 0:
            desk.stop(-1, desk.position, min(self.lows[-10:]) - 1)
        else:
            desk.stop(1, -desk.position, max(self.highs[-10:]) + 1)


class LimitReversion(Base):
    """A limit below the close, renewed every bar; the way out is a limit above, or the market after 20 bars."""

    entered = 0

    def decide(self, desk, close):
        desk.cancel_all()
        if desk.position == 0:
            self.entered = self.count
            desk.limit(1, self.size, close - self.step(close, 40))
        elif self.count - self.entered > 20:
            desk.sell(desk.position)
        else:
            desk.limit(-1, desk.position, close + self.step(close, 30))


class StopLimitEntries(Base):
    """Stop-limits in and out; the limit lies beyond the stop, or (every other time) on the near side of it."""

    def decide(self, desk, close):
        desk.cancel_all()
        stop = self.highs[-1] + 1
        if desk.position == 0:
            step = self.step(close, 20) if self.count % 2 else -self.step(close, 5)
            desk.stop_limit(1, self.size, stop, stop + step)
        elif self.count % 7 == 0:
            desk.sell(desk.position)
        else:
            stop = self.lows[-1] - 1
            step = self.step(close, 10) if self.count % 2 else -self.step(close, 3)
            desk.stop_limit(-1, desk.position, stop, stop - step)


class RestingStopLimits(Base):
    """One stop-limit that is left alone for 12 bars, so that it triggers in one bar and fills in a later one."""

    def decide(self, desk, close):
        if self.count % 12:
            return
        desk.cancel_all()
        if desk.position > 0:
            desk.sell(desk.position)
        elif desk.position < 0:
            desk.buy(-desk.position)
        elif self.count % 24:
            desk.stop_limit(1, self.size, close + self.step(close, 40), close + self.step(close, 20))
        else:
            desk.stop_limit(-1, self.size, close - self.step(close, 40), close - self.step(close, 20))


class Reversal(Base):
    """Always long or short after the first signal: one order turns the position."""

    def decide(self, desk, close):
        if self.count < 30:
            return
        wanted = self.size if 3 * sum(self.closes[-10:]) > sum(self.closes[-30:]) else -self.size
        if wanted > desk.position:
            desk.buy(wanted - desk.position)
        elif wanted < desk.position:
            desk.sell(desk.position - wanted)


class Pyramid(Base):
    """Adds at new highs, at most four times; sells half at a new low, and the rest at the next."""

    added = 0
    halved = False

    def decide(self, desk, close):
        if self.count < 11:
            return
        if desk.position == 0:
            self.added, self.halved = 0, False
        if close > max(self.closes[-11:-1]) and self.added < 4:
            self.added += 1
            desk.buy(max(1, self.size // (1 + self.added)))
        elif close < min(self.closes[-11:-1]) and desk.position > 0:
            desk.sell(desk.position if self.halved else max(1, desk.position // 2))
            self.halved = True


class TimeExit(Base):
    """In every 30th bar, out 7 bars later; long and short in turn."""

    def decide(self, desk, close):
        if self.count % 30 == 0 and desk.position == 0:
            desk.buy(self.size) if self.count % 60 else desk.sell(self.size)
        elif self.count % 30 == 7 and desk.position:
            desk.sell(desk.position) if desk.position > 0 else desk.buy(-desk.position)


class AtrSized(Base):
    """Risks a hundredth of the equity over two average ranges; out when the close falls two ranges below the entry."""

    entry = 0

    def decide(self, desk, close):
        if self.count < 25:
            return
        ranges = [
            max(high, before) - min(low, before)
            for high, low, before in zip(self.highs[-14:], self.lows[-14:], self.closes[-15:-1], strict=True)
        ]
        average = sum(ranges) // 14 + 1
        if desk.position == 0:
            if close > self.closes[-20]:
                self.entry = close
                units = desk.units_for(desk.equity // 100, 2 * average)
                desk.buy(max(1, min(units, desk.units_for(desk.equity // 20, close))))
        elif close < self.entry - 2 * average:
            desk.sell(desk.position)
        else:
            self.entry = max(self.entry, close - average)


class Grid(Base):
    """Four limits below and four above, laid anew every 25 bars, so that several fill in one bar."""

    def decide(self, desk, close):
        if self.count % 25:
            return
        desk.cancel_all()
        step, part = self.step(close, 40), max(1, self.size // 4)
        for level in range(1, 5):
            if desk.position < 2 * self.size:
                desk.limit(1, part, close - level * step)
            if desk.position > -2 * self.size:
                desk.limit(-1, part, close + level * step)


class ShortFade(Base):
    """Sells short at a limit above; covers at a limit below or a stop above, whichever comes first."""

    short = False

    def decide(self, desk, close):
        if desk.position > 0:  # both orders filled in one bar
            desk.cancel_all()
            desk.sell(desk.position)
            self.short = False
        elif desk.position == 0:
            desk.cancel_all()
            self.short = False
            desk.limit(-1, self.size, close + self.step(close, 60))
        elif not self.short:
            desk.cancel_all()
            self.short = True
            desk.limit(1, -desk.position, close - self.step(close, 70))
            desk.stop(1, -desk.position, close + self.step(close, 90))


class TargetAndStop(Base):
    """A market entry, then a limit target and a stop that rest until one of them fills."""

    armed = False

    def decide(self, desk, close):
        if desk.position < 0:  # both filled in one bar
            desk.cancel_all()
            desk.buy(-desk.position)
            self.armed = False
        elif desk.position > 0 and not self.armed:
            desk.limit(-1, desk.position, close + self.step(close, 100))
            desk.stop(-1, desk.position, close - self.step(close, 80))
            self.armed = True
        elif desk.position == 0:
            desk.cancel_all()
            self.armed = False
            if self.count > 5 and close > self.closes[-5]:
                desk.buy(self.size)


class StopAndReverse(Base):
    """A stop that trails the close and turns the position when it is hit."""

    side = level = 0

    def decide(self, desk, close):
        if self.count < 12:
            return
        if desk.position == 0:
            if desk.working == 0:
                desk.buy(self.size)
            return
        side = 1 if desk.position > 0 else -1
        level = close - side * self.step(close, 150)
        if side != self.side or (level - self.level) * side > 0:
            self.side, self.level = side, level
        desk.cancel_all()
        desk.stop(-side, 2 * abs(desk.position), self.level)


class OldestCancelled(Base):
    """Limits on both sides left resting; beyond six the oldest is cancelled, so age decides who goes first."""

    def decide(self, desk, close):
        while desk.working > 6:
            desk.cancel_oldest()
        part = max(1, self.size // 5)
        if self.count % 3 == 0 and desk.position < self.size:
            desk.limit(1, part, close - self.step(close, 80))
        if self.count % 3 == 1 and desk.position > -self.size:
            desk.limit(-1, part, close + self.step(close, 80))


class BracketAtMarket(Base):
    """A market entry with a target and a stop-loss around it, a bar after the last one is over."""

    flat = 0

    def decide(self, desk, close):
        self.flat = self.flat + 1 if desk.position == 0 and desk.working == 0 else 0
        if self.count > 5 and self.flat > 1:
            side = 1 if close > self.closes[-5] else -1
            target, loss = close + side * self.step(close, 100), close - side * self.step(close, 80)
            desk.bracket(side, self.size, 0, target, loss)
            self.flat = 0


class BracketAtLimit(Base):
    """A limit entry with a near target and a far stop-loss; taken back when it has not filled after eight bars."""

    sent = 0

    def decide(self, desk, close):
        if desk.position:
            return
        if desk.working and self.count - self.sent >= 8:
            desk.cancel_oldest()  # the entry; what waits for it goes with it
        elif desk.working == 0:
            side, self.sent = 1 if self.count % 2 else -1, self.count
            limit = close - side * self.step(close, 25)
            target, loss = limit + side * self.step(close, 60), limit - side * max(self.step(close, 2_000), close // 20)
            desk.bracket(side, self.size, limit, target, loss)


STRATEGIES = {
    found.__name__: found
    for found in (
        BuyAndHold, EmaCross, RsiReversion, DonchianBreakout, LimitReversion, StopLimitEntries, RestingStopLimits,
        Reversal, Pyramid, TimeExit, AtrSized, Grid, ShortFade, TargetAndStop, StopAndReverse, OldestCancelled,
        BracketAtMarket, BracketAtLimit,
    )
}  # fmt: skip
