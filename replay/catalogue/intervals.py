"""Bar intervals: ``1m``, ``4h`` and ``1d`` as nanoseconds, and back."""

import re

from replay.catalogue.model import CatalogueError

UNITS_NS = {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9}
_PATTERN = re.compile(r"(\d{1,6})(ms|[smhdw])")


def parse_interval(text: str) -> int:
    """Nanoseconds of an interval such as ``1m``. Raises CatalogueError for anything else."""
    match = _PATTERN.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise CatalogueError(f"{text!r} is not an interval: write a number and s, m, h, d or w, such as 1m or 4h")
    unit_ns = 10**6 if match[2] == "ms" else UNITS_NS[match[2]]
    return int(match[1]) * unit_ns


def format_interval(interval_ns: int) -> str:
    """The shortest name of an interval: 240 minutes are ``4h``. Weeks stay days: ``7d``."""
    for unit in ("d", "h", "m", "s"):
        if interval_ns % UNITS_NS[unit] == 0:
            return f"{interval_ns // UNITS_NS[unit]}{unit}"
    return f"{interval_ns // 10**6}ms" if interval_ns % 10**6 == 0 else f"{interval_ns}ns"


def format_span(span_ns: int) -> str:
    """A length of time for people: its two largest units, such as ``2d 3h``."""
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, span_ns = divmod(span_ns, UNITS_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "under 1s"
