"""Numbers with their noun."""

import pytest

from kernel.plurals import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "frame", "0 frames"),
        (1, "frame", "1 frame"),
        (2, "frame", "2 frames"),
        (12_345, "signed checkpoint", "12,345 signed checkpoints"),
        (1, "strategy", "1 strategy"),
        (3, "strategy", "3 strategies"),
        (2, "data key", "2 data keys"),
    ],
)
def test_one_and_several(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
