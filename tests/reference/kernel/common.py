"""What all parts of the twin use: bounds, refusals, exact rounding."""

from fractions import Fraction

MONEY_BOUND = 2**62
NO_PRICE = -(2**62)


class RefusedError(Exception):
    """The event does not fit the state. The argument is the name of the status."""

    @property
    def status(self) -> str:
        return str(self.args[0])


def half_even(value: Fraction) -> int:
    """The nearest integer, a tie to the even one."""
    return round(value)


def require(holds: bool, status: str) -> None:
    if not holds:
        raise RefusedError(status)


def fitting(value: int) -> int:
    """The amount itself; refused when it reaches 2**62."""
    require(abs(value) < MONEY_BOUND, "MONEY_OVERFLOW")
    return value
