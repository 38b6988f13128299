"""What a provider of market data gives: bars in pages, quotes, facts about instruments, and the ways in which it fails.

Owns these shapes and no behaviour. Numbers are decimals with exactly the digits that the provider wrote; times are
nanoseconds since the epoch, UTC; a bar's time is its open.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
FRESH_NS = 60 * SECOND_NS


class Bar(msgspec.Struct, frozen=True):
    """One bar. ``volume`` is None where the provider does not say."""

    ts_open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None


class Page(msgspec.Struct, frozen=True):
    """All bars that a provider has from ``start_ns`` until before ``end_ns``, oldest first."""

    start_ns: int
    end_ns: int
    bars: tuple[Bar, ...]
    provider: str = ""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The latest price. None for what the provider does not say; ``ts_ns`` 0 when it gives no time."""

    provider: str
    symbol: str
    ts_ns: int
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None

    @property
    def is_crossed(self) -> bool:
        """Whether the bid is above the ask."""
        return self.bid is not None and self.ask is not None and self.bid > self.ask

    def is_stale(self, now_ns: int, fresh_ns: int = FRESH_NS) -> bool:
        """Whether it is older than that; one without a time is."""
        return now_ns - self.ts_ns > fresh_ns


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of an instrument, as decimal text; empty for what it does not say.

    ``always_open`` markets have no sessions: a stretch without bars is one without trades.
    """

    tick_size: str = ""
    lot_size: str = ""
    currency: str = ""
    multiplier: str = ""
    asset_class: str = ""
    always_open: bool = False
    note: str = ""


class Limits(msgspec.Struct, frozen=True):
    """At most ``requests`` in any ``period_seconds``."""

    requests: int
    period_seconds: float = 60.0


class Reason(Enum):
    """Why a provider gave nothing. The second value says whether asking again may help."""

    UNKNOWN_SYMBOL = ("unknown symbol", False)
    WRONG_KEY = ("wrong key", False)
    NOT_SERVED = ("not served", False)
    REFUSED = ("refused", False)
    RATE_LIMITED = ("rate limited", True)
    UNAVAILABLE = ("unavailable", True)
    BAD_ANSWER = ("bad answer", True)

    @property
    def may_pass(self) -> bool:
        """Whether asking again may help."""
        return self.value[1]


class ProviderError(RuntimeError):
    """A provider gave nothing. The text is one line: who, what, and what to do where that is known."""

    def __init__(self, reason: Reason, text: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Provider(Protocol):
    """One source of market data. All coroutines run in one event loop; what fails raises ProviderError."""

    name: str
    limits: Limits | None

    def serves(self, interval_ns: int) -> bool:
        """Whether it has bars of this length."""

    async def describe(self, symbol: str) -> Facts:
        """What it says of an instrument."""

    def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int) -> AsyncIterator[Page]:
        """Bars that open from ``start_ns`` until before ``end_ns``, in pages that follow each other without a hole."""

    async def fetch_quote(self, symbol: str) -> Quote:
        """The latest quote."""

    async def close(self) -> None:
        """Let go of every connection."""
