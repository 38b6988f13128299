"""Trades that passed while a stream was down: asked for and handed on, or told to be missing."""

import asyncio
from collections.abc import Awaitable, Callable

from kernel.venue import Inbox, MarketRow, Stream, StreamStatus, VenueError

# What a question for missed trades gives: their rows, oldest first, and whether none is missing.
Missed = tuple[list[MarketRow], bool]


async def catch_up(
    symbol: str,
    asked: Awaitable[Missed],
    take: Callable[[list[MarketRow]], None],
    inbox: Inbox,
    *,
    within_s: float,
    bound: str,
) -> None:
    """Hand on the trades of a symbol that were missed, and tell a gap where some are missing still.

    So it is when the venue does not answer ``within_s``, fails (VenueError), says what cannot be read (ValueError), or
    there are too many; ``bound`` says what is too many.
    """
    why = bound
    try:
        async with asyncio.timeout(within_s):
            rows, is_whole = await asked
        take(rows)
    except (VenueError, ValueError, TimeoutError) as error:
        is_whole, why = False, str(error) or "no answer in time"
    if not is_whole:
        inbox.stream(Stream.MARKET, StreamStatus.GAP, f"trades of {symbol} are missing: {why}")
