"""The token bucket: never more than the limit in any period, in order, within deadlines."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.edge.rates import RateLimitError, TokenBucket
from tests.adapters.clocks import FakeClock


async def send_all(bucket: TokenBucket, clock: FakeClock, pauses: list[float], pause_at: int, pause: float):
    """Requests with pauses between them; what each sent, and when."""
    sent: list[float] = []

    async def one(after: float, number: int) -> None:
        await clock.sleep(after)
        await bucket.take()
        sent.append(clock.now)
        if number == pause_at:
            bucket.pause(pause)

    starts = [sum(pauses[: index + 1]) for index in range(len(pauses))]
    tasks = [asyncio.create_task(one(start, number)) for number, start in enumerate(starts)]
    await clock.run(*tasks)
    return starts, sent


@given(
    tokens=st.integers(1, 5),
    period=st.sampled_from([1.0, 10.0, 60.0]),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.5, 3.0, 9.0, 61.0]), min_size=1, max_size=25),
    pause_at=st.integers(-1, 10),
)
def test_no_period_sees_more_than_the_limit_and_none_waits_for_nothing(tokens, period, pauses, pause_at) -> None:
    clock = FakeClock()
    bucket = TokenBucket(tokens, period, clock, clock.sleep)
    starts, sent = asyncio.run(send_all(bucket, clock, pauses, pause_at, 7.0))
    assert len(sent) == len(pauses)
    assert sent == sorted(sent)
    paused_until = sent[pause_at] + 7.0 if 0 <= pause_at < len(sent) else 0.0
    for number, (start, at) in enumerate(zip(starts, sent, strict=True)):
        earliest = start if number < tokens else max(start, sent[number - tokens] + period)
        if number > pause_at >= 0:
            earliest = max(earliest, paused_until)
        if number:
            earliest = max(earliest, sent[number - 1])
        assert at == pytest.approx(earliest)


def test_what_cannot_be_in_time_is_refused_at_once_and_takes_nothing() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        bucket = TokenBucket(2, 60.0, clock, clock.sleep)
        await bucket.take(2)
        with pytest.raises(RateLimitError) as raised:
            await bucket.take(deadline=59.9)
        assert raised.value.wait_seconds == 60.0
        assert clock.now == 0.0
        waiting = [asyncio.create_task(bucket.take()) for _ in range(2)]
        await asyncio.sleep(0)
        # Behind those two the next token is there after another period.
        with pytest.raises(RateLimitError):
            await bucket.take(deadline=119.9)
        last = asyncio.create_task(bucket.take(deadline=120.0))
        await clock.run(*waiting, last)
        await asyncio.gather(*waiting, last)
        assert clock.now == 120.0

    asyncio.run(scenario())


def test_one_who_gives_up_takes_nothing() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        bucket = TokenBucket(1, 10.0, clock, clock.sleep)
        await bucket.take()
        gone = asyncio.create_task(bucket.take())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        stays = asyncio.create_task(bucket.take())
        await clock.run(stays)
        assert clock.now == 10.0

    asyncio.run(scenario())
