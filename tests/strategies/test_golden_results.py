"""Each built-in strategy on real bars comes to the result that is stored."""

import pytest

from strategies import BUILT_IN, OF_OTHERS
from tests.strategies.golden import CASES, outcome, stored


@pytest.mark.parametrize("name", CASES)
def test_golden_result(name: str) -> None:
    golden, now = stored().get(name), outcome(CASES[name])
    assert now == golden, (
        f"{name} came out differently; if the change is meant, run: python -m tests.strategies.golden\n"
        f"stored: {golden}\nnow:    {now}"
    )


def test_nothing_is_stored_in_vain() -> None:
    assert set(stored()) == set(CASES)


def test_the_results_say_something() -> None:
    """Every strategy but one traded, and no two strategies came to the same."""
    hashes = [result["result_hash"] for result in stored().values()]
    assert len(set(hashes)) == len(hashes)
    for strategy in {*BUILT_IN, "ensemble"} - ({*OF_OTHERS} - {"ensemble"}):
        fills = [result["fills"] for name, result in stored().items() if name.startswith(f"{strategy} on ")]
        assert fills
        assert any(fills) == (strategy != "do_nothing")
