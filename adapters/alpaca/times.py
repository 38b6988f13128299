"""Alpaca's times: RFC 3339 text with up to nine decimals, and msgpack timestamps, to nanoseconds and back."""

import re
from datetime import UTC, datetime
from typing import Any

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)", re.ASCII)
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def to_ns(value: Any) -> int:
    """Nanoseconds since the epoch of text or of a msgpack Timestamp. Raises ValueError."""
    if not isinstance(value, str):
        if hasattr(value, "to_unix_nano"):
            return int(value.to_unix_nano())
        raise ValueError(f"{value!r} is not a time")
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not a time")
    date, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone == 'Z' else zone}")
    whole = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * SECOND_NS + int((fraction or "").ljust(9, "0"))


def to_text(ts_ns: int) -> str:
    """RFC 3339 text with nine decimals, in UTC."""
    seconds, nanoseconds = divmod(ts_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"
