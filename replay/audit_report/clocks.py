"""The clock as it was measured: how far off, and for how long.

Owns the arithmetic. A measurement holds until the next one, or until its session ends. The venue's clock less ours is
right to half of the round trip, so a limit is surely passed when the offset less that half is above it, and perhaps
when the offset with that half is.
"""

from replay.audit_report.facts import Clock, ClockLimit

# High-frequency and other trading (RTS 25), the Consolidated Audit Trail, and what stops entries by default.
LIMITS_NS = (100_000, 1_000_000, 50_000_000, 1_000_000_000)


class Clocks:
    """Fed with the measurements in order."""

    def __init__(self, limits_ns: tuple[int, ...]) -> None:
        self._surely = dict.fromkeys(limits_ns, 0)
        self._perhaps = dict.fromkeys(limits_ns, 0)
        self._since_ns = self._offset_ns = self._half_ns = 0
        self.measurements = self.measured_for_ns = 0
        self._least = self._most = self._largest = self._largest_at = self._largest_trip = self._finest = 0

    def measure(self, sequence: int, ts_ns: int, offset_ns: int, round_trip_ns: int) -> None:
        """Take in a measurement."""
        self.end(ts_ns)
        self._since_ns, self._offset_ns, self._half_ns = ts_ns, offset_ns, round_trip_ns // 2
        bound = abs(offset_ns) + self._half_ns
        if self.measurements == 0:
            self._least = self._most = offset_ns
            self._finest = bound
        if self.measurements == 0 or abs(offset_ns) > abs(self._largest):
            self._largest, self._largest_at, self._largest_trip = offset_ns, sequence, round_trip_ns
        self._least, self._most = min(self._least, offset_ns), max(self._most, offset_ns)
        self._finest = min(self._finest, bound)
        self.measurements += 1

    def end(self, ts_ns: int) -> None:
        """The last measurement holds no longer: another one comes, or the session ended."""
        if not self._since_ns:
            return
        length = max(ts_ns - self._since_ns, 0)
        self.measured_for_ns += length
        for limit in self._surely:
            self._surely[limit] += length if abs(self._offset_ns) - self._half_ns > limit else 0
            self._perhaps[limit] += length if abs(self._offset_ns) + self._half_ns > limit else 0
        self._since_ns = 0

    def facts(self) -> Clock | None:
        """What was found; None without a measurement."""
        if not self.measurements:
            return None
        return Clock(
            measurements=self.measurements,
            least_offset_ns=self._least,
            most_offset_ns=self._most,
            largest_offset_ns=self._largest,
            largest_sequence=self._largest_at,
            largest_round_trip_ns=self._largest_trip,
            finest_bound_ns=self._finest,
            measured_for_ns=self.measured_for_ns,
            limits=tuple(
                ClockLimit(limit_ns=limit, surely_over_ns=self._surely[limit], perhaps_over_ns=self._perhaps[limit])
                for limit in self._surely
            ),
        )
