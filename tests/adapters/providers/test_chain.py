"""Several providers as one: who is asked, what is told, what is remembered, and what is stale."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.cache import Cache
from adapters.providers.chain import Chain, ChainError, Link
from adapters.providers.shapes import HOUR_NS, MINUTE_NS, SECOND_NS, ProviderError, Reason
from tests.adapters.clocks import FakeClock
from tests.adapters.providers.scripted import ScriptedProvider

DOWN = Reason.UNAVAILABLE


def chain_of(*providers: ScriptedProvider, told: list[str] | None = None, clock: FakeClock | None = None) -> Chain:
    clock = clock or FakeClock()
    tell = told.append if told is not None else lambda line: None
    return Chain(
        [Link(provider, "X") for provider in providers], tell, lambda: int(clock.now * SECOND_NS), clock
    )  # fmt: skip


async def minutes_of(chain: Chain, start: int, end: int, again: bool = False) -> list[tuple[str, list[int]]]:
    pages = chain.fetch_bars(MINUTE_NS, start * MINUTE_NS, end * MINUTE_NS, again=again)
    return [(page.provider, [bar.ts_open_ns // MINUTE_NS for bar in page.bars]) async for page in pages]


def test_the_next_steps_in_where_one_fails_and_goes_on() -> None:
    first = ScriptedProvider("first", set(range(60)), [None, DOWN])
    second = ScriptedProvider("second", set(range(60)))
    told: list[str] = []
    pages = asyncio.run(minutes_of(chain_of(first, second, told=told), 0, 40))
    assert [name for name, _ in pages] == ["first", "second", "second", "second"]
    assert [minute for _, minutes in pages for minute in minutes] == list(range(40))
    assert told == ["first: unavailable; asking second"]


def test_when_all_fail_each_is_named_in_order() -> None:
    told: list[str] = []
    chain = chain_of(
        ScriptedProvider("a", set(), [DOWN]), ScriptedProvider("b", set(), [Reason.WRONG_KEY]), told=told
    )  # fmt: skip
    with pytest.raises(ChainError) as raised:
        asyncio.run(minutes_of(chain, 0, 5))
    assert str(raised.value) == "a: unavailable; b: wrong key"
    assert told == ["a: unavailable; asking b"]
    assert [failure.reason for failure in raised.value.failures] == [DOWN, Reason.WRONG_KEY]


def test_a_provider_without_such_bars_is_passed_over() -> None:
    chain = chain_of(ScriptedProvider("a", {1}))

    async def hours() -> None:
        async for _ in chain.fetch_bars(HOUR_NS, 0, HOUR_NS):
            pass

    with pytest.raises(ProviderError, match=r"^a: has no bars of 1h$"):
        asyncio.run(hours())


@given(
    st.lists(st.lists(st.sampled_from([None, None, DOWN]), max_size=8), min_size=1, max_size=3), st.integers(1, 45)
)  # fmt: skip
def test_every_bar_comes_once_in_order_or_all_have_failed_at_one_place(scripts, end) -> None:
    providers = [ScriptedProvider(str(number), set(range(60)), script) for number, script in enumerate(scripts)]
    chain, got = chain_of(*providers), []

    async def collect() -> None:
        async for page in chain.fetch_bars(MINUTE_NS, 0, end * MINUTE_NS):
            got.extend(bar.ts_open_ns // MINUTE_NS for bar in page.bars)

    failed = None
    try:
        asyncio.run(collect())
    except ChainError as error:
        failed = error
    if failed is None:
        assert got == list(range(end))
        return
    assert got == list(range(len(got)))
    assert len(failed.failures) == len(providers)
    assert {provider.asked[-1][0] for provider in providers} == {len(got)}


def test_what_was_answered_is_not_asked_again_until_it_is_old() -> None:
    clock = FakeClock()
    provider = ScriptedProvider("a", set(range(60)))
    chain = chain_of(provider, clock=clock)

    async def scenario() -> None:
        want = await minutes_of(chain, 0, 25)
        assert await minutes_of(chain, 0, 25) == want
        assert len(provider.asked) == 3
        assert await minutes_of(chain, 0, 25, again=True) == want
        assert len(provider.asked) == 6
        clock.now += 300.0
        assert await minutes_of(chain, 0, 25) == want
        assert len(provider.asked) == 9

    asyncio.run(scenario())


def test_a_quote_of_a_minute_is_fresh_and_an_older_one_is_not() -> None:
    for age, stale in ((60.0, False), (60.5, True)):
        clock = FakeClock()
        clock.now = 1000.0
        told: list[str] = []
        provider = ScriptedProvider("a", set(), quote_ns=int((1000.0 - age) * SECOND_NS))
        seen = asyncio.run(chain_of(provider, told=told, clock=clock).fetch_quote())
        assert (seen.age_seconds, seen.is_stale) == (age, stale)
        assert told == (["a: its quote is 60 s old, which is stale"] if stale else [])


def test_a_fresh_quote_is_sought_and_the_youngest_stale_one_is_the_last_resort() -> None:
    clock = FakeClock()
    clock.now = 1000.0
    old, older, down, none = (
        ScriptedProvider("old", set(), quote_ns=900 * SECOND_NS),
        ScriptedProvider("older", set(), quote_ns=800 * SECOND_NS),
        ScriptedProvider("down", set(), [DOWN]),
        ScriptedProvider("timeless", set()),
    )
    told: list[str] = []
    seen = asyncio.run(chain_of(none, down, older, old, told=told, clock=clock).fetch_quote())
    assert (seen.quote.provider, seen.is_stale) == ("old", True)
    assert told == [
        "timeless: its quote has no time, so it is taken as stale",
        "down: unavailable",
        "older: its quote is 200 s old, which is stale",
        "old: its quote is 100 s old, which is stale",
    ]
    fresh = ScriptedProvider("fresh", set(), quote_ns=990 * SECOND_NS)
    seen = asyncio.run(chain_of(old, fresh, older, clock=clock).fetch_quote())
    assert (seen.quote.provider, seen.is_stale, len(older.asked)) == ("fresh", False, 1)


def test_a_quote_is_asked_for_again_after_its_time_to_live() -> None:
    clock = FakeClock()
    clock.now = 1000.0
    provider = ScriptedProvider("a", set(), quote_ns=1000 * SECOND_NS)
    chain = chain_of(provider, clock=clock)

    async def scenario() -> None:
        for after, asked in ((0.0, 1), (4.9, 1), (0.2, 2)):
            clock.now += after
            await chain.fetch_quote()
            assert len(provider.asked) == asked

    asyncio.run(scenario())


def test_closing_closes_all() -> None:
    providers = [ScriptedProvider(name, set()) for name in "ab"]
    asyncio.run(chain_of(*providers).close())
    assert all(provider.closed for provider in providers)


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "wait"]), st.integers(0, 5)), max_size=60))
def test_the_cache_is_a_dictionary_with_an_end(steps) -> None:
    clock = FakeClock()
    cache: Cache[int] = Cache(10.0, 3, clock)
    kept: dict[int, tuple[float, int]] = {}  # by use, the latest last
    for number, (what, key) in enumerate(steps):
        if what == "put":
            cache.put(key, number)
            kept.pop(key, None)
            kept[key] = (clock.now + 10.0, number)
            while len(kept) > 3:
                del kept[next(iter(kept))]
        elif what == "wait":
            clock.now += key
        else:
            want = kept.get(key)
            if want is not None and clock.now >= want[0]:
                del kept[key]
                want = None
            if want is not None:
                kept[key] = kept.pop(key)
            assert cache.get(key) == (want[1] if want else None)
        assert len(cache) <= 3
