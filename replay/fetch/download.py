"""From providers to disk: pages as they come, and what is absent from them asked for once more.

Owns the loop of a download. Nothing here decides what a bar is worth: rows are kept as the providers wrote them, and
the import checks them.
"""

from collections.abc import Callable
from contextlib import aclosing

import msgspec

from adapters.providers.chain import Chain
from adapters.providers.shapes import DAY_NS, Bar, Page
from replay.fetch.grid import Stretch, missing
from replay.fetch.staging import Request, Staging

# More stretches than this in one page are asked for together, from the first to the last.
_SINGLE_STRETCHES = 8
_ROUNDS = 20
OnProgress = Callable[[int, int], None]


async def download(
    chain: Chain, staging: Staging, request: Request, always_open: bool, begun: bool, on_progress: OnProgress
) -> None:
    """Bring the download to its end. What has come stays when this fails or is stopped.

    ``begun``: earlier bars are there already, so the instrument was traded before.
    """
    progress = staging.progress
    total = request.end_ns - request.start_ns
    if always_open and not begun and not progress.rows:
        await _skip_to_listing(chain, staging, request)
    async for page in chain.fetch_bars(request.interval_ns, progress.done_ns, request.end_ns):
        absent: list[Stretch] = []
        if always_open:
            page, absent = await _asked_again(chain, page, request.interval_ns, begun or bool(progress.rows))
        if page.end_ns > page.start_ns:
            staging.append(page, absent)
        on_progress(progress.done_ns - request.start_ns, total)


async def _skip_to_listing(chain: Chain, staging: Staging, request: Request) -> None:
    """Days tell when an instrument was first traded, in far fewer requests than minutes."""
    served = all(link.provider.serves(DAY_NS) for link in chain.links)
    start_ns = staging.progress.done_ns
    if not served or request.interval_ns >= DAY_NS or request.end_ns - start_ns < 2 * DAY_NS:
        return
    first_ns = request.end_ns
    for again in (False, True):
        days = chain.fetch_bars(DAY_NS, start_ns // DAY_NS * DAY_NS, request.end_ns, again=again)
        async with aclosing(days) as pages:
            async for page in pages:
                if page.bars:
                    first_ns = min(max(page.bars[0].ts_open_ns, start_ns), request.end_ns)
                    break
        if first_ns < request.end_ns:
            break
    if first_ns > start_ns:
        staging.append(Page(start_ns, first_ns, ()), [])


async def _asked_again(chain: Chain, page: Page, interval_ns: int, begun: bool) -> tuple[Page, list[Stretch]]:
    """The page with what a second question brought, and the stretches that stay without bars.

    Before the first bar of all (not ``begun``) nothing is absent, for the instrument was not traded yet.
    """
    bars = {bar.ts_open_ns: bar for bar in page.bars}
    twice = [bar for bar in page.bars if bars[bar.ts_open_ns] is not bar]
    absent = missing(sorted(bars), page.start_ns, page.end_ns, interval_ns)
    for _ in range(_ROUNDS):
        if not absent:
            break
        found = await _bars_of(chain, _questions(absent), interval_ns)
        new = {ts_open_ns: bar for ts_open_ns, bar in found.items() if ts_open_ns not in bars}
        bars |= new
        absent = missing(sorted(bars), page.start_ns, page.end_ns, interval_ns)
        if not new:  # an answer that brought something may have been cut short: ask on
            break
    whole = sorted([*bars.values(), *twice], key=lambda bar: bar.ts_open_ns)
    first_ns = page.start_ns if begun else min(bars, default=page.end_ns)
    return msgspec.structs.replace(page, bars=tuple(whole)), [one for one in absent if one[0] >= first_ns]


def _questions(absent: list[Stretch]) -> list[Stretch]:
    return absent if len(absent) <= _SINGLE_STRETCHES else [(absent[0][0], absent[-1][1])]


async def _bars_of(chain: Chain, stretches: list[Stretch], interval_ns: int) -> dict[int, Bar]:
    found: dict[int, Bar] = {}
    for start_ns, end_ns in stretches:
        async for page in chain.fetch_bars(interval_ns, start_ns, end_ns, again=True):
            found |= {bar.ts_open_ns: bar for bar in page.bars}
    return found
