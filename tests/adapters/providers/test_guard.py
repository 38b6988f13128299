"""What every request goes through: limit, breaker and retries together, in the time of a clock of ours."""

import asyncio

import pytest

from adapters.edge.breaker import BreakerState
from adapters.edge.retry import Backoff
from adapters.providers.guard import Guard
from adapters.providers.shapes import Limits, ProviderError, Reason
from tests.adapters.clocks import FakeClock


class Asked:
    """Attempts by a script; the times at which they were made."""

    def __init__(self, clock: FakeClock, script: list[ProviderError | None]) -> None:
        self.clock = clock
        self.script = script
        self.times: list[float] = []

    async def __call__(self) -> str:
        self.times.append(self.clock.now)
        if self.script and (error := self.script.pop(0)) is not None:
            raise error
        return "data"


def down(reason: Reason = Reason.UNAVAILABLE, after: float = 0.0) -> ProviderError:
    return ProviderError(reason, f"x: {reason.value[0]}", after)


def run(clock: FakeClock, *calls) -> list[object]:
    """What each call gave, one after another."""

    async def scenario() -> list[object]:
        results: list[object] = []
        for call in calls:
            task = asyncio.ensure_future(call())
            await clock.run(task)
            results.append(task.exception() or task.result())
        return results

    return asyncio.run(scenario())


def guard(clock: FakeClock, limits: Limits | None = None, attempts: int = 5, told: list[str] | None = None) -> Guard:
    tell = told.append if told is not None else lambda line: None
    backoff = Backoff(attempts=attempts, first_seconds=0.5, deadline_seconds=200.0)
    return Guard("x", limits, backoff, clock, clock.sleep, tell)


@pytest.mark.parametrize("reason", [Reason.UNAVAILABLE, Reason.BAD_ANSWER])
def test_five_failures_open_the_breaker_and_a_minute_later_one_trial_closes_it(reason: Reason) -> None:
    clock = FakeClock()
    guarded, asked = guard(clock), Asked(clock, [down(reason)] * 5)
    [error] = run(clock, lambda: guarded.run(asked))
    assert str(error) == f"x: {reason.value[0]}; after 5 failures in a row it is left alone for 60 s"
    assert guarded.breaker.state is BreakerState.OPEN
    [error] = run(clock, lambda: guarded.run(asked))
    assert isinstance(error, ProviderError)
    assert str(error).startswith("x is left alone for 60 s after 5 failures in a row; the last: x: ")
    assert len(asked.times) == 5
    clock.now += 60.0
    assert run(clock, lambda: guarded.run(asked)) == ["data"]
    assert guarded.breaker.state is BreakerState.CLOSED


def test_the_trial_of_a_half_open_breaker_is_one() -> None:
    clock = FakeClock()
    guarded, asked = guard(clock), Asked(clock, [down()] * 6)
    run(clock, lambda: guarded.run(asked))
    clock.now += 60.0
    run(clock, lambda: guarded.run(asked))
    assert len(asked.times) == 6


@pytest.mark.parametrize("reason", [reason for reason in Reason if not reason.may_pass])
def test_what_will_not_pass_is_asked_once_and_is_no_failure_of_the_provider(reason: Reason) -> None:
    clock = FakeClock()
    guarded = guard(clock)
    for _ in range(7):
        asked = Asked(clock, [down(reason)])
        [error] = run(clock, lambda asked=asked: guarded.run(asked))
        assert isinstance(error, ProviderError)
        assert error.reason is reason
        assert len(asked.times) == 1
    assert guarded.breaker.state is BreakerState.CLOSED


def test_too_many_requests_pause_everybody_and_open_nothing() -> None:
    clock = FakeClock()
    told: list[str] = []
    guarded = guard(clock, Limits(5), told=told)
    asked = Asked(clock, [down(Reason.RATE_LIMITED, 30.0)])
    assert run(clock, lambda: guarded.run(asked)) == ["data"]
    assert asked.times[0] == 0.0
    assert 30.0 <= asked.times[1] <= 30.5
    assert told[0] == "x: rate limited; trying again"
    # Without a word from the provider, five tries outlast its minute.
    asked = Asked(clock, [down(Reason.RATE_LIMITED)] * 4)
    began = clock.now
    assert run(clock, lambda: guarded.run(asked)) == ["data"]
    assert asked.times[-1] - began >= 60.0
    assert guarded.breaker.failures == 0


def test_requests_are_spread_as_the_limit_says_and_a_long_wait_is_told_once() -> None:
    clock = FakeClock()
    told: list[str] = []
    guarded, asked = guard(clock, Limits(2, 60.0), told=told), Asked(clock, [])
    run(clock, *[lambda: guarded.run(asked)] * 6)
    assert asked.times == [0.0, 0.0, 60.0, 60.0, 120.0, 120.0]
    assert told == ["x: waiting for its rate limit, 60 s now and such times later"]


def test_a_wait_beyond_the_deadline_is_refused_without_waiting() -> None:
    clock = FakeClock()
    guarded, asked = guard(clock, Limits(1, 600.0)), Asked(clock, [])
    first, second = run(clock, *[lambda: guarded.run(asked)] * 2)
    assert first == "data"
    assert str(second) == "x: the rate limit allows no request for 600 s; try again later"
    assert clock.now == 0.0


def test_a_bug_is_neither_hidden_nor_retried() -> None:
    clock = FakeClock()
    guarded = guard(clock)

    async def broken() -> None:
        raise KeyError("ours")

    [error] = run(clock, lambda: guarded.run(broken))
    assert isinstance(error, KeyError)
    assert guarded.breaker.failures == 0
