"""Each attack is caught by the layer that must, and a planted bug lets at least one through."""

import pytest

from tests.journal.attacks import CANARIES, ROWS, Row, attacks_that_pass


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_attack_is_caught_by_the_layer_that_must(row: Row) -> None:
    assert row.caught in row.found()


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary[0])
def test_a_planted_bug_lets_an_attack_pass(canary: tuple[str, object, str, object]) -> None:
    assert attacks_that_pass(canary)
