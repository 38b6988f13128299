"""The circuit breaker: each row of its table, and the numbers of the defaults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.edge.breaker import TRANSITIONS, BreakerOpenError, BreakerState, CircuitBreaker
from tests.adapters.clocks import FakeClock

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def opened(clock: FakeClock) -> CircuitBreaker:
    breaker = CircuitBreaker("polygon", clock=clock)
    for number in range(5):
        breaker.admit()
        breaker.failure(f"failure {number}")
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row() -> None:
    breaker = CircuitBreaker("polygon", clock=FakeClock())
    for _ in range(3):
        for _ in range(4):
            breaker.admit()
            breaker.failure("down")
        breaker.admit()
        breaker.success()
    assert breaker.state is CLOSED
    assert opened(FakeClock()).state is OPEN


def test_while_open_nothing_goes_and_the_line_says_why() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.now = 59.0
    with pytest.raises(BreakerOpenError, match=r"^polygon is left alone for 1 s after 5 failures .*: failure 4$"):
        breaker.admit()


def test_after_a_minute_one_trial_goes_and_decides() -> None:
    for outcome, state in (("success", CLOSED), ("failure", OPEN)):
        clock = FakeClock()
        breaker = opened(clock)
        clock.now = 60.0
        breaker.admit()
        assert breaker.state is HALF_OPEN
        with pytest.raises(BreakerOpenError):
            breaker.admit()
        breaker.success() if outcome == "success" else breaker.failure("still down")
        assert breaker.state is state
        if state is OPEN:
            clock.now = 119.0
            with pytest.raises(BreakerOpenError, match="still down"):
                breaker.admit()
            clock.now = 120.0
        breaker.admit()


def test_an_abandoned_trial_leaves_room_for_another() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.now = 60.0
    breaker.admit()
    breaker.abandoned()
    breaker.admit()
    assert breaker.state is HALF_OPEN


def test_late_answers_do_not_close_an_open_breaker() -> None:
    breaker = opened(FakeClock())
    breaker.success()
    breaker.failure("late")
    assert breaker.state is OPEN


@given(st.lists(st.sampled_from(["success", "failure", "wait", "admit"]), max_size=60))
def test_it_does_what_its_table_says(events) -> None:
    clock = FakeClock()
    breaker = CircuitBreaker("x", failures=3, open_seconds=10.0, clock=clock)
    state, failures, opened_at, trial = CLOSED, 0, 0.0, False
    for event in events:
        if event == "wait":
            clock.now += 6.0
        elif event == "admit":
            if state is OPEN and clock.now >= opened_at + 10.0:
                state, trial = TRANSITIONS[OPEN, "pause over"], False
            refused = state is OPEN or (state is HALF_OPEN and trial)
            if refused:
                with pytest.raises(BreakerOpenError):
                    breaker.admit()
            else:
                breaker.admit()
                trial = state is HALF_OPEN
        elif event == "success":
            breaker.success()
            trial = False
            failures = failures if state is OPEN else 0
            state = TRANSITIONS[state, "success"]
        else:
            breaker.failure("down")
            trial, failures = False, failures + 1
            before = state
            state = TRANSITIONS[state, "last failure" if state is CLOSED and failures >= 3 else "failure"]
            opened_at = clock.now if before is not OPEN and state is OPEN else opened_at
        assert breaker.state is state
