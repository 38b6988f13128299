"""Stretches of time in which something held: reasons for which entries were stopped, streams that were down."""

import msgspec

from replay.audit_report.facts import Span


class _Held(msgspec.Struct):
    times: int = 0
    total_ns: int = 0
    longest_ns: int = 0
    since_ns: int = 0


class Spans:
    """By name. ``begin`` and ``end`` may come twice; what holds already goes on."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def begin(self, what: str, ts_ns: int) -> None:
        """It holds from here on."""
        one = self._held.setdefault(what, _Held())
        if not one.since_ns:
            one.times += 1
            one.since_ns = ts_ns

    def end(self, what: str, ts_ns: int) -> None:
        """It holds no longer."""
        one = self._held.get(what)
        if one is not None and one.since_ns:
            length = max(ts_ns - one.since_ns, 0)
            one.total_ns, one.longest_ns, one.since_ns = one.total_ns + length, max(one.longest_ns, length), 0

    def end_all(self, ts_ns: int) -> None:
        """The session ended: nothing is known of the time after it."""
        for what in self._held:
            self.end(what, ts_ns)

    def facts(self, last_ns: int) -> tuple[Span, ...]:
        """What was found, in the order of the first times; what still holds is counted to the end."""
        still = {what for what, one in self._held.items() if one.since_ns}
        self.end_all(last_ns)
        return tuple(
            Span(
                what=what, times=one.times, total_ns=one.total_ns, longest_ns=one.longest_ns, is_open=what in still
            )
            for what, one in self._held.items()
        )  # fmt: skip
