"""The facts of an audit report, as the Structs that its JSON is made of.

Owns the schema. Times are ISO 8601 (UTC) with all digits that were recorded; money, prices and quantities are exact
decimals as text; lengths are nanoseconds. A list that was cut stands beside the count of all that there are.
"""

import msgspec

FORMAT = "trading-kernel audit report 1"
KINDS = ("backtest", "paper", "test", "live")


class EventFact(msgspec.Struct, frozen=True, kw_only=True):
    """One event: ``text`` is what it says for people; ``who`` is the user of a command, where it is one."""

    sequence: int
    ts_event: str
    topic: str
    instrument: str
    strategy: str
    cause: int
    text: str
    who: str = ""
    followed: dict[str, int] = {}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one subject in their order: the first of them, and how many there are."""

    key: str
    title: str
    note: str
    count: int
    rows: tuple[EventFact, ...]


class OrderStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the life of an order."""

    sequence: int
    ts_event: str
    topic: str
    text: str


class OrderFact(msgspec.Struct, frozen=True, kw_only=True):
    """One order: what was wanted, what risk said, and how it ended. ``steps_left_out`` were too many to list.

    ``at_venue``: it left for the venue, or was found there, under the name ``client_order_id``.
    """

    order_id: int
    client_order_id: str
    at_venue: bool
    instrument: str
    strategy: str
    wish: str
    cause: int
    check: str
    outcome: str
    filled: str
    average_price: str
    fees: str
    fills: int
    adopted: bool
    in_doubt: int
    steps: tuple[OrderStep, ...]
    steps_left_out: int


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """All orders in numbers, by how they ended, and the first of them with their lives.

    ``events_without_order`` name an order whose beginning is not in the journal: it was pruned.
    """

    count: int
    outcomes: dict[str, int]
    refused_by: dict[str, int]
    fills: int
    adopted: int
    in_doubt: int
    without_strategy: int
    events_without_order: int
    shown: tuple[OrderFact, ...]


class ClockLimit(msgspec.Struct, frozen=True, kw_only=True):
    """For how long the clock was surely, and for how long perhaps, further off than a limit."""

    limit_ns: int
    surely_over_ns: int
    perhaps_over_ns: int


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's clock less ours. An offset is right to half of its round trip."""

    measurements: int
    least_offset_ns: int
    most_offset_ns: int
    largest_offset_ns: int
    largest_sequence: int
    largest_round_trip_ns: int
    finest_bound_ns: int
    measured_for_ns: int
    limits: tuple[ClockLimit, ...]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """How often something held, and for how long in all and at the longest; ``is_open``: to the end of the journal."""

    what: str
    times: int
    total_ns: int
    longest_ns: int
    is_open: bool


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that was in force, from the event on that set it last."""

    name: str
    text: str
    sequence: int


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signed checkpoint that lies beside the journal. ``cosigned_by`` are witnesses; with a
    timestamp an RFC 3161 token lies beside it.

    ``signature`` is good, or what is wrong with it, or that it was not checked.
    """

    frames: int
    root: str
    signed_by: tuple[str, ...]
    cosigned_by: tuple[str, ...]
    has_timestamp: bool
    is_of_this_journal: bool
    signature: str


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What verification said of the bytes.

    Frames that were pruned count among ``frames``, and not among ``events``, ``records`` and ``bytes``.
    """

    is_whole: bool
    problem: str
    tail: str
    origin: str
    genesis_id: str
    schema_digest: str
    is_our_schema: bool
    pruned_frames: int
    first_sequence: int
    frames: int
    events: int
    records: int
    bytes: int
    segments_of_rows: int
    rows_by_reference: int
    state_digests: int
    first_hash: str
    head: str
    root: str
    checkpoints: tuple[Checkpoint, ...]


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of market data that a run read."""

    instrument: str
    kind: str
    rows: int
    sha256: str


class StrategyFact(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy; the hash of its file is where it was recorded."""

    name: str
    parameters: str
    instruments: tuple[str, ...]
    source_sha256: str


class What(msgspec.Struct, frozen=True, kw_only=True):
    """What was run. ``from_journal`` names what the journal itself binds; the rest is said by files beside it."""

    kind: str
    instruments: tuple[str, ...]
    strategies: tuple[StrategyFact, ...]
    configuration: dict[str, str]
    configuration_sha256: str
    version: str
    code_sha256: str
    python: str
    packages: dict[str, str]
    data: tuple[DataFile, ...]
    files: tuple[str, ...]
    agreements: tuple[str, ...]
    disagreements: tuple[str, ...]
    is_us_equity: bool


class When(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when. ``finest_ns`` is the coarsest grid that all recorded times are on."""

    first_event: str
    last_event: str
    length_ns: int
    sessions: int
    times_that_ran_back: int
    finest_ns: int
    clock: Clock | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement, and whether this journal meets it."""

    regulation: str
    paragraph: str
    requirement: str
    verdict: str
    why: str
    check: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    format: str
    run: str
    chain: Chain
    what: What
    when: When
    orders: Orders
    limits: tuple[Limit, ...]
    sections: tuple[Section, ...]
    degraded: tuple[Span, ...]
    connections: tuple[Span, ...]
    topics: dict[str, int]
    not_checked: tuple[str, ...]
    coverage: tuple[Verdict, ...]

    def section(self, key: str) -> Section:
        """The section of a key."""
        return next(one for one in self.sections if one.key == key)
