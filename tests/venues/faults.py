"""A seeded plan of what goes wrong at a venue: which faults there are, when each strikes, how often each struck.

    faults = Faults(seed=7, spec="disconnect=0.001,timeout_after_accept=0.05:3,http_500@/order/create=1:1")
    if faults.strikes("http_500", "/v5/order/create"): ...
    faults.set("maintenance", 1.0, limit=5); faults.counts()

A spec is ``kind[@where]=probability[:limit]``, separated by commas: with a ``where`` the fault strikes only at places
whose name contains it, with a limit at most so many times. Every rule draws from its own stream of the seed, so adding
a rule does not change when the others strike. Asking is all that a server does; what a fault means there is up to it
(KINDS says what is meant). ``mangled`` makes the bytes of a broken answer.
"""

from dataclasses import dataclass, field
from random import Random

KINDS = {
    "disconnect": "a stream's connection is closed after a message",
    "half_open": "a stream stays connected and falls silent: nothing is sent, pings are not answered",
    "timeout": "a request is swallowed: it has no effect and gets no answer in time",
    "timeout_after_accept": "a request takes effect and its answer never comes",
    "drop_after_accept": "a request takes effect and the connection breaks before the answer",
    "slow": "an answer comes late, within the time that clients wait",
    "duplicate": "a stream's message is sent twice",
    "reorder": "a stream's message is sent after the one that follows it",
    "late_fill": "the messages of a fill come after a pause",
    "lost_message": "a stream's message is not sent at all (a book has a gap then)",
    "partial_fill": "an order that could fill at once fills in parts",
    "http_429": "a request is refused: too many",
    "http_500": "a request is answered with 500, without effect",
    "http_500_after_accept": "a request takes effect and is answered with 500",
    "malformed": "an answer or a message is not JSON",
    "truncated": "an answer or a message is cut off",
    "wrong_signature": "a request is answered as if its signature were wrong",
    "clock_skew": "the venue's clock is off for this request (the server says by how much)",
    "instrument_change": "the rules of a symbol change (tick or step)",
    "maintenance": "the venue does not take requests",
    "venue_cancel": "the venue cancels an open order by itself",
    "fill_while_cancelling": "an order fills just before its cancel arrives",
}


@dataclass
class Rule:
    """One entry of a plan."""

    kind: str
    where: str
    probability: float
    limit: int | None
    random: Random
    count: int = 0
    places: dict[str, int] = field(default_factory=dict)


class Faults:
    """The plan, and what came of it."""

    def __init__(self, seed: int, spec: str = "") -> None:
        self._seed = seed
        self._rules: dict[tuple[str, str], Rule] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        for entry in filter(None, (part.strip() for part in spec.split(","))):
            name, _, numbers = entry.partition("=")
            kind, _, where = name.partition("@")
            probability, _, limit = numbers.partition(":")
            self.set(kind, float(probability), where=where, limit=int(limit) if limit else None)

    def set(self, kind: str, probability: float, *, where: str = "", limit: int | None = None) -> None:
        """Put a rule in the place of the one for the same kind and where; probability 0 takes it away."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no fault; there are {', '.join(KINDS)}")
        self._rules.pop((kind, where), None)
        if probability > 0:
            stream = Random(f"{self._seed}/{kind}@{where}")
            self._rules[kind, where] = Rule(kind, where, probability, limit, stream)

    def clear(self) -> None:
        """No faults from now on; what struck stays counted."""
        self._rules.clear()

    def strikes(self, kind: str, where: str = "") -> bool:
        """Whether this fault strikes here and now; counted when it does."""
        for rule in self._rules.values():
            if rule.kind != kind or rule.where not in where:
                continue
            if rule.limit is not None and rule.count >= rule.limit:
                continue
            if rule.random.random() < rule.probability:
                rule.count += 1
                rule.places[where] = rule.places.get(where, 0) + 1
                self._counts[kind] += 1
                return True
        return False

    def first(self, kinds: tuple[str, ...], where: str = "") -> str:
        """The first of these kinds that strikes, or an empty text; the others are not drawn then."""
        return next((kind for kind in kinds if self.strikes(kind, where)), "")

    def counts(self) -> dict[str, int]:
        """How often each kind struck, of those that did."""
        return {kind: count for kind, count in self._counts.items() if count}


def mangled(kind: str, data: bytes) -> bytes:
    """``data`` as the fault ``malformed`` or ``truncated`` leaves it."""
    return b"<html>502 Bad Gateway</html>" if kind == "malformed" else data[: max(1, len(data) * 2 // 3)]
