"""What strangers say is one short line of printable characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as generators

from adapters.edge.strangers import MOST_SAID, said


@given(generators.text(max_size=300))
def test_whatever_is_said_is_one_short_printable_line(text: str) -> None:
    found = said(text)
    assert len(found) <= MOST_SAID
    assert found.isprintable()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("  it is busy \n", "it is busy"),
        ("\x1b[31mno\nError: forged", "[31mno"),
        ("no\rError: forged", "noError: forged"),
        ("x" * 200, "x" * MOST_SAID),
    ],
)
def test_what_is_left_of_it(text: str, found: str) -> None:
    assert said(text) == found
