"""Providers by priority: what the first cannot give, the next is asked for.

Owns the order, what is remembered of answers, and what is told. Each provider has its own rate limit and circuit
breaker (``guard``), so one that is down costs no waiting until its breaker lets a trial through. Nothing fails in
silence: every provider that gave nothing is told with its reason.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence

import msgspec

from adapters.providers.cache import Cache
from adapters.providers.shapes import FRESH_NS, Bar, Facts, Page, Provider, ProviderError, Quote, Reason
from adapters.providers.spans import interval_text

QUOTE_TTL_SECONDS = 5.0
PAGE_TTL_SECONDS = 300.0
CACHED_PAGES, CACHED_BARS = 16, 2_000  # pages of no more bars than this: long ones are not asked for twice


class Link(msgspec.Struct, frozen=True):
    """A provider, and what the instrument is called there."""

    provider: Provider
    symbol: str


class FreshQuote(msgspec.Struct, frozen=True):
    """A quote with its age when it was given. ``is_stale``: no provider had one that is fresh."""

    quote: Quote
    age_seconds: float
    is_stale: bool


class ChainError(ProviderError):
    """No provider gave anything: a line that names each with its reason. ``failures`` holds them in order."""

    def __init__(self, failures: Sequence[ProviderError]) -> None:
        reasons = {failure.reason for failure in failures}
        reason = failures[0].reason if len(reasons) == 1 else Reason.UNAVAILABLE
        super().__init__(reason, "; ".join(map(str, failures)))
        self.failures = tuple(failures)


class Chain:
    """Links by priority. ``tell`` hears of every failure that another provider made good."""

    def __init__(
        self, links: Sequence[Link], tell: Callable[[str], None] = lambda line: None,
        now_ns: Callable[[], int] = time.time_ns, clock: Callable[[], float] = time.monotonic,
        fresh_ns: int = FRESH_NS,
    ) -> None:  # fmt: skip
        assert links
        self.links = tuple(links)
        self._tell = tell
        self._now_ns = now_ns
        self._fresh_ns = fresh_ns
        self._quotes: Cache[Quote] = Cache(QUOTE_TTL_SECONDS, clock=clock)
        self._pages: Cache[Page] = Cache(PAGE_TTL_SECONDS, CACHED_PAGES, clock)

    async def describe(self) -> Facts:
        """What the first provider says of the instrument; where it fails, what the next ones say.

        Tick and lot are the first one's or nobody's: those of another market are others.
        """
        failures: list[ProviderError] = []
        for link in self.links:
            try:
                facts = await link.provider.describe(link.symbol)
            except ProviderError as error:
                failures.append(error)
                if len(failures) < len(self.links):
                    self._tell(f"{error}; asking {self.links[len(failures)].provider.name}")
                continue
            return facts if not failures else msgspec.structs.replace(facts, tick_size="", lot_size="", multiplier="")
        raise ChainError(failures)

    async def fetch_bars(
        self, interval_ns: int, start_ns: int, end_ns: int, *, again: bool = False
    ) -> AsyncGenerator[Page, None]:
        """Pages that follow each other from ``start_ns`` to ``end_ns``, each from one provider.

        ``again`` asks past the cache. Whoever gave the last page is asked for the next; when it fails, the others are
        asked by priority. Raises ChainError when all of them failed at one place.
        """
        cursor, failed = start_ns, dict[int, ProviderError]()
        while cursor < end_ns:
            place = next((number for number in range(len(self.links)) if number not in failed), None)
            if place is None:
                raise ChainError(list(failed.values()))
            try:
                async for page in self._pages_of(self.links[place], interval_ns, cursor, end_ns, again):
                    yield page
                    # A page moves on, so those that failed before may be asked again when this one fails too.
                    failed, cursor = {} if page.end_ns > cursor else failed, page.end_ns
                return
            except ProviderError as error:
                failed[place] = error
                if len(failed) < len(self.links):
                    self._tell(f"{error}; asking {self._next_name(failed)}")

    async def _pages_of(
        self, link: Link, interval_ns: int, start_ns: int, end_ns: int, again: bool
    ) -> AsyncIterator[Page]:
        provider, symbol = link.provider, link.symbol
        if not provider.serves(interval_ns):
            text = f"{provider.name}: has no bars of {interval_text(interval_ns)}"
            raise ProviderError(Reason.NOT_SERVED, text)
        while start_ns < end_ns and not again:
            key: Hashable = (provider.name, symbol, interval_ns, start_ns, end_ns)
            if (kept := self._pages.get(key)) is None:
                break
            yield kept
            start_ns = kept.end_ns
        if start_ns == end_ns:
            return
        async for page in provider.fetch_bars(symbol, interval_ns, start_ns, end_ns):
            _check_page(page, start_ns)
            if page.end_ns > start_ns and len(page.bars) <= CACHED_BARS:
                self._pages.put((provider.name, symbol, interval_ns, start_ns, end_ns), page)
            yield page
            start_ns = page.end_ns

    def _next_name(self, failed: dict[int, ProviderError]) -> str:
        return next(link.provider.name for number, link in enumerate(self.links) if number not in failed)

    async def fetch_quote(self) -> FreshQuote:
        """The first fresh quote by priority; when none is fresh, the youngest, marked as stale."""
        failures: list[ProviderError] = []
        stale: list[Quote] = []
        for link in self.links:
            try:
                quote = await self._quote_of(link)
            except ProviderError as error:
                failures.append(error)
                self._tell(str(error))
                continue
            if not quote.is_stale(self._now_ns(), self._fresh_ns):
                return self._aged(quote)
            stale.append(quote)
            self._tell(f"{quote.provider}: {_stale_words(self._aged(quote))}")
        if not stale:
            raise ChainError(failures)
        return self._aged(max(stale, key=lambda quote: quote.ts_ns))

    async def _quote_of(self, link: Link) -> Quote:
        key: Hashable = (link.provider.name, link.symbol)
        quote = self._quotes.get(key)
        if quote is None:
            quote = await link.provider.fetch_quote(link.symbol)
            self._quotes.put(key, quote)
        return quote

    def _aged(self, quote: Quote) -> FreshQuote:
        now_ns = self._now_ns()
        return FreshQuote(quote, (now_ns - quote.ts_ns) / 10**9, quote.is_stale(now_ns, self._fresh_ns))

    async def close(self) -> None:
        """Let go of every connection."""
        for link in self.links:
            await link.provider.close()


def _stale_words(seen: FreshQuote) -> str:
    if not seen.quote.ts_ns:
        return "its quote has no time, so it is taken as stale"
    return f"its quote is {seen.age_seconds:,.0f} s old, which is stale"


def _check_page(page: Page, start_ns: int) -> None:
    """Trips on a page that leaves a hole or holds a bar that is not its own: a bug of ours, not of the provider."""
    bars: tuple[Bar, ...] = page.bars
    assert page.start_ns == start_ns <= page.end_ns, "pages must follow each other"
    assert all(page.start_ns <= bar.ts_open_ns < page.end_ns for bar in bars), "a bar outside its page"
