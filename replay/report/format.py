"""Numbers and times as people read them. Owns every format of the terminal summary and of the report."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from kernel.units import from_minor

UNDEFINED = "n/a"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
_SPANS = (("years", 365.25 * 86_400), ("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0))
# A currency whose minor unit is this fine is counted in small fractions, so all its decimals matter.
_FINE_SCALE = 8


def money(minor: float | None, scale: int, *, signed: bool = False) -> str:
    """An amount to the cent (bitcoin: to the satoshi); one that is smaller than a cent keeps its digits."""
    if minor is None:
        return UNDEFINED
    amount = from_minor(round(minor), scale)
    shown = amount.quantize(Decimal(1).scaleb(-(scale if scale >= _FINE_SCALE else 2)), ROUND_HALF_EVEN)
    if not shown and amount:
        shown = amount.normalize()
    if not shown:
        return f"{abs(shown):,f}"  # there is no negative zero
    return f"{shown:+,f}" if signed else f"{shown:,f}"


def rough_money(minor: float | None, scale: int) -> str:
    """An amount without its cents once they do not matter, from a thousand on."""
    if minor is None or abs(minor) < 1000 * 10**scale:
        return money(minor, scale)
    return count(minor / 10**scale)


def decimal_text(minor: int, scale: int) -> str:
    """An amount with every decimal of its currency: ``10000.000000``."""
    return format(from_minor(minor, scale), "f")


def percent(share: float | None, *, signed: bool = False) -> str:
    """A share as a percentage with two decimals, none from a thousand percent on."""
    if share is None:
        return UNDEFINED
    text = f"{share * 100:+,.{0 if abs(share) >= 10 else 2}f}%"
    if not text.strip("+-0.%"):
        return text[1:]
    return text if signed else text.removeprefix("+")


def ratio(number: float | None) -> str:
    """A plain number with two decimals."""
    return UNDEFINED if number is None else f"{round(number, 2) + 0.0:,.2f}"  # + 0.0: no negative zero


def price(number: float, decimals: int) -> str:
    """A price with the decimals of its instrument."""
    return f"{number:,.{decimals}f}"


def quantity(number: float) -> str:
    """A quantity to eight significant digits, without idle zeros or exponent."""
    if number == 0:
        return "0"
    text = format(Decimal(f"{number:.8g}"), ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(number: float) -> str:
    """A whole number with separators."""
    return f"{round(number):,}"


def moment(ts_ns: int) -> str:
    """A time to the minute, to the second when it has seconds: ``2024-03-01 04:00`` (UTC)."""
    seconds = ts_ns // _SECOND_NS
    time = _EPOCH + timedelta(seconds=seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S" if seconds % 60 else "%Y-%m-%d %H:%M")


def day(ts_ns: int) -> str:
    """The UTC day: ``2024-03-01``."""
    return (_EPOCH + timedelta(seconds=ts_ns // _SECOND_NS)).strftime("%Y-%m-%d")


def iso(ts_ns: int) -> str:
    """ISO 8601 with as many decimals of the second as it has, for machines."""
    seconds, rest_ns = divmod(ts_ns, _SECOND_NS)
    time = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return time + (f".{rest_ns:09d}".rstrip("0") if rest_ns else "") + "Z"


def span(length_ns: int | None) -> str:
    """A length of time in the largest unit of which it holds two or more: ``9.4 years``, ``36 hours``."""
    if length_ns is None:
        return UNDEFINED
    seconds = length_ns / _SECOND_NS
    for name, unit in _SPANS:
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{seconds:.1f}".removesuffix(".0") + " seconds"
