"""Retries: how often, how long between, and when no more."""

import asyncio
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.edge.retry import Backoff, retried
from tests.adapters.clocks import FakeClock


class PassingError(Exception):
    """Something that may pass, with what the other side demands."""

    def __init__(self, demanded: float = 0.0) -> None:
        super().__init__("may pass")
        self.demanded = demanded


def pause_of(error: Exception) -> float | None:
    return error.demanded if isinstance(error, PassingError) else None


def attempt(errors: list[Exception], backoff: Backoff, seed: int = 0) -> tuple[object, list[float]]:
    """What came of it, and the times of the calls."""
    clock, times, left = FakeClock(), [], list(errors)

    async def call(deadline: float) -> str:
        assert deadline == backoff.deadline_seconds
        times.append(clock.now)
        if left:
            raise left.pop(0)
        return "done"

    async def scenario() -> object:
        chance = random.Random(seed)
        task = asyncio.create_task(retried(call, pause_of, backoff, clock, clock.sleep, chance))
        await clock.run(task)
        return task.exception() or task.result()

    return asyncio.run(scenario()), times


@given(st.integers(0, 8), st.integers(1, 6), st.integers(0, 999), st.floats(0.0, 3.0))
def test_pauses_are_random_bounded_and_at_least_what_is_demanded(failures, attempts, seed, demanded) -> None:
    backoff = Backoff(attempts=attempts, first_seconds=0.5, cap_seconds=2.0, deadline_seconds=1000.0)
    outcome, times = attempt([PassingError(demanded)] * failures, backoff, seed)
    assert len(times) == min(attempts, failures + 1)
    assert (outcome == "done") == (failures < attempts)
    for number, (before, after) in enumerate(itertools.pairwise(times), 1):
        bound = min(2.0, 0.5 * 2 ** (number - 1))
        assert demanded <= after - before <= demanded + bound + 1e-9


def test_what_will_not_pass_is_not_tried_again() -> None:
    outcome, times = attempt([ValueError("never")], Backoff())
    assert isinstance(outcome, ValueError)
    assert len(times) == 1


def test_nothing_begins_after_the_deadline() -> None:
    outcome, times = attempt([PassingError(30.0)] * 9, Backoff(attempts=9, deadline_seconds=100.0))
    assert isinstance(outcome, PassingError)
    assert 1 < len(times) <= 4
    assert times[-1] <= 100.0


def test_jitter_is_full() -> None:
    backoff = Backoff(first_seconds=1.0, deadline_seconds=1000.0)
    firsts = [attempt([PassingError()], backoff, seed)[1][1] for seed in range(200)]
    assert min(firsts) < 0.05
    assert max(firsts) > 0.95


def test_the_bound_of_pauses_stays_finite() -> None:
    assert Backoff().bound_seconds(10_000) == pytest.approx(15.0)
