"""Timers, operators, and the journal about itself."""

from kernel.events.declaring import Event, declare


@declare(26, "timer.set")
class TimerSet(Event, frozen=True):
    """A strategy asked to be woken; an interval of 0 means once. A due time of 0 removes the timer."""

    timer: int
    due_ns: int
    interval_ns: int


@declare(27, "timer.fired", external=True)
class TimerFired(Event, frozen=True):
    """A timer came due."""

    timer: int
    due_ns: int


@declare(28, "operator.halt", external=True)
class TradingHalted(Event, frozen=True):
    """New orders stop: for one instrument, or for all when the instrument is -1. The body gives the reason."""

    level: int


@declare(29, "operator.resume", external=True)
class TradingResumed(Event, frozen=True):
    """New orders are allowed again. The body gives the reason."""

    level: int


@declare(56, "journal.digest")
class StateDigest(Event, frozen=True):
    """SHA-256 of the whole state just before this event, as four big-endian 64-bit words."""

    digest_0: int
    digest_1: int
    digest_2: int
    digest_3: int


@declare(57, "journal.tail_discarded", external=True)
class TailDiscarded(Event, frozen=True):
    """After a crash a torn tail was set aside. The body says where it is kept."""

    frame: int
    tail_bytes: int


@declare(58, "run.closed", external=True)
class RunClosed(Event, frozen=True):
    """The history was ended on purpose."""

    row_count: int
    cash_minor: int
    equity_minor: int
    fill_count: int


@declare(59, "run.forked", external=True)
class RunForked(Event, frozen=True):
    """The history up to here is that of another journal, its parent; from here on it goes its own way.

    The frame is the one of the parent that accounts for its event ``parent_sequence``, the last that both share: its
    number and its hash, as four big-endian 64-bit words, and the parent's genesis id as two. What is different from
    here on follows as definitions. The body says it in words.
    """

    parent_sequence: int
    frame: int
    genesis_0: int
    genesis_1: int
    hash_0: int
    hash_1: int
    hash_2: int
    hash_3: int
