"""What the events of features say, for people."""

import struct
from typing import Any

from kernel.events import catalogue as events
from kernel.events.body import decode_body
from kernel.events.features import VECTOR_VALUES
from kernel.events.layout import Stored
from replay.inspect.names import Names

PHRASES: dict[type[events.Event], str] = {
    events.FeaturesDefined: "{series}: {names}",
    events.FeatureVector: "{values}",
}
VALUE_FIELDS = tuple(f"value_{place}" for place in range(VECTOR_VALUES))


def real(word: int) -> float:
    """The floating-point number whose 64 bits are the integer."""
    return float(struct.unpack("<d", struct.pack("<q", word))[0])


def _series(names: Names, stored: Stored) -> str:
    number = stored.event.series  # type: ignore[attr-defined]
    if number < 0:
        return "bars of the data"
    return names.rules[number] if number < len(names.rules) else f"series {number}"


def _defined(names: Names, stored: Stored) -> str:
    return ", ".join(decode_body(stored.body) or ())


def _values(names: Names, stored: Stored) -> str:
    event: Any = stored.event
    known = names.features.get((stored.instrument, event.series), ())
    said = []
    for place in range(min(event.value_count, VECTOR_VALUES)):
        at = event.first + place
        name = known[at] if at < len(known) else f"feature {at}"
        said.append(f"{name} {real(getattr(event, VALUE_FIELDS[place])):.10g}")
    return ", ".join(said)


SPECIAL: dict[tuple[type[events.Event] | None, str], Any] = {
    (events.FeaturesDefined, "series"): _series,
    (events.FeaturesDefined, "names"): _defined,
    (events.FeatureVector, "values"): _values,
}
