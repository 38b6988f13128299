"""Numbers and times of a configuration as exact integers.

Owns the reading of rates, money, counts, lengths of time and instants. What cannot be used raises ``SettingError``.
"""

from datetime import UTC, datetime

from kernel.units import UnitError, to_decimal, to_rate
from replay.config.errors import SettingError

Number = str | int | float
_LENGTHS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def rate(setting: str, value: Number, per: int = 1, *, signed: bool = False) -> int:
    """A setting in units of 1/100,000,000; ``per`` is 10,000 for basis points and 100 for percent."""
    try:
        found = to_rate(str(value), per=per)
    except UnitError as error:
        raise SettingError(setting, f"cannot be used: {error}") from None
    if found < 0 and not signed:
        raise SettingError(setting, f"is {value}; it cannot be negative")
    return found


def money(setting: str, value: Number, scale: int) -> int:
    """A setting in currency as minor units: not negative, not finer than the currency's ``scale`` decimals."""
    try:
        amount = to_decimal(str(value)).scaleb(scale)
    except UnitError as error:
        raise SettingError(setting, f"cannot be used: {error}") from None
    if amount < 0 or amount != int(amount) or amount >= 1 << 60:
        raise SettingError(
            setting, f"is {value}; it must be 0 or more, below 2^60 minor units, with at most {scale} decimals"
        )
    return int(amount)


def count(setting: str, value: int) -> int:
    """A whole number, not negative."""
    if not 0 <= value < 1 << 60:
        raise SettingError(setting, f"is {value}; it must be a whole number, 0 or more")
    return value


def length_ns(setting: str, text: str) -> int:
    """A length of time such as ``30m``, ``5s`` or ``2d`` in nanoseconds; an empty text or ``0`` is 0."""
    if text in ("", "0"):
        return 0
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = _LENGTHS_NS.get(text[len(digits) :])
    if not digits.isdigit() or unit is None or int(digits) * unit >= 1 << 62:
        raise SettingError(setting, f"is {text!r}; write a length of time such as 30m, 5s or 2d")
    return int(digits) * unit


def instant_ns(setting: str, text: str) -> int | None:
    """An ISO 8601 time in nanoseconds since the epoch; None for an empty one."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(
            setting, f"is {text!r}; write a date such as 2020-01-31 or 2020-01-31T12:00:00+00:00"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
