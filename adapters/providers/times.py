"""Times as providers write them, to nanoseconds and back. Exact: no float is in between."""

from datetime import UTC, datetime, tzinfo

from adapters.providers.shapes import SECOND_NS

_FRACTION_DIGITS = 9


def text_ns(text: str) -> int:
    """Nanoseconds of ``2022-03-18T14:02:43.651613184Z`` (RFC 3339, up to nine digits). Raises ValueError."""
    whole, dot, rest = text.partition(".")
    digits = rest.rstrip("Z")
    zone = "Z" if rest.endswith("Z") else ""
    for sign in "+-":
        if dot and sign in digits:
            digits, _, offset = digits.partition(sign)
            zone = sign + offset
    if dot and not (digits.isascii() and digits.isdigit() and len(digits) <= _FRACTION_DIGITS):
        raise ValueError(f"{text!r} is not a time")
    moment = datetime.fromisoformat(whole + zone)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} is a time without a zone")
    return moment_ns(moment) + int(digits.ljust(_FRACTION_DIGITS, "0") if dot else 0)


def local_ns(text: str, zone: tzinfo) -> int:
    """Nanoseconds of ``2021-09-16`` or ``2021-09-16 15:59:00`` in a zone. Raises ValueError."""
    return moment_ns(datetime.fromisoformat(text).replace(tzinfo=zone))


def moment_ns(moment: datetime) -> int:
    """Nanoseconds of a moment with a zone, to the second."""
    return int(moment.replace(microsecond=0).timestamp()) * SECOND_NS


def utc(ts_ns: int) -> datetime:
    """The moment, to the second."""
    return datetime.fromtimestamp(ts_ns // SECOND_NS, UTC)


def utc_text(ts_ns: int) -> str:
    """``2022-02-28T05:00:00Z``."""
    return f"{utc(ts_ns):%Y-%m-%dT%H:%M:%SZ}"
