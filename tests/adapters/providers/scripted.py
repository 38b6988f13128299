"""A provider in memory: bars, quotes, and a script of what fails."""

from collections.abc import AsyncIterator
from decimal import Decimal

from adapters.providers.shapes import MINUTE_NS, Bar, Facts, Page, ProviderError, Quote, Reason
from adapters.providers.spans import inside, windows


def bar_at(minute: int, price: str = "10.5") -> Bar:
    """A bar of a minute since the epoch."""
    number = Decimal(price)
    return Bar(minute * MINUTE_NS, number, number, number, number, Decimal(1))


class ScriptedProvider:
    """Pages of ``page_minutes``. ``fails`` holds for each request in turn whether (and how) it fails."""

    limits = None

    def __init__(
        self, name: str, minutes: set[int], fails: list[Reason | None] | None = None, page_minutes: int = 10,
        facts: Facts | None = None, quote_ns: int = 0,
    ) -> None:  # fmt: skip
        self.name = name
        self.minutes = minutes
        self.fails = list(fails or [])
        self.page_minutes = page_minutes
        self.facts = facts or Facts()
        self.quote_ns = quote_ns
        self.asked: list[tuple[int, int]] = []
        self.closed = False

    def _maybe_fail(self) -> None:
        if self.fails and (reason := self.fails.pop(0)) is not None:
            raise ProviderError(reason, f"{self.name}: {reason.value[0]}")

    def serves(self, interval_ns: int) -> bool:
        return interval_ns == MINUTE_NS

    async def describe(self, symbol: str) -> Facts:
        return self.facts

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        for first, until in windows(start_ns, end_ns, self.page_minutes * MINUTE_NS):
            self.asked.append((first // MINUTE_NS, until // MINUTE_NS))
            self._maybe_fail()
            bars = inside((bar_at(minute) for minute in self.minutes), first, until)
            yield Page(first, until, bars, self.name)

    async def fetch_quote(self, symbol: str) -> Quote:
        self.asked.append((0, 0))
        self._maybe_fail()
        return Quote(provider=self.name, symbol=symbol, ts_ns=self.quote_ns, last=Decimal(1))

    async def close(self) -> None:
        self.closed = True
