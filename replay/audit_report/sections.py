"""Which events an auditor is shown, under which heading.

Owns the table of headings. What was recorded from outside and has no heading of its own comes under the last one, so
that an event type that is added later is never left out in silence.
"""

from typing import NamedTuple

from kernel.events.catalogue import EventType, event_types
from replay.inspect.frames import DEFINING_KINDS


class Heading(NamedTuple):
    """Topics may end in ``*``."""

    key: str
    title: str
    note: str
    topics: tuple[str, ...]


HEADINGS = (
    Heading(
        "sessions", "Sessions", "When a process began and ended, in which mode, and what it was made of.",
        ("run.*", "live.*"),
    ),
    Heading(
        "commands", "Operator commands", "Who gave them is what the operating system said of the process that asked.",
        ("operator.command",),
    ),
    Heading(
        "overrides", "Overrides", "Decisions of the kernel that somebody or something outside of it overrode.",
        ("operator.*", "risk.mode", "risk.kill_reset", "ledger.adjustment", "account.deposit"),
    ),
    Heading(
        "kill", "Kill switch", "Asked for, tripped and reset.",
        ("risk.kill_request", "risk.kill", "risk.kill_reset"),
    ),
    Heading(
        "breaches", "Limit breaches that stopped something",
        "Entries that were stopped, margin calls and liquidations. Orders that a limit refused are with the orders.",
        ("risk.stop", "margin.*", "execution.group_broken"),
    ),
    Heading(
        "approvals", "Approval, and the switches for real money",
        "Sessions that began with all of them on, with what the approval file said; and when they were not all on.",
        (),
    ),
    Heading(
        "differences", "Differences from the venue, and their repair",
        "Found by reconciliation; what followed is the repair.", ("reconcile.difference",),
    ),
    Heading(
        "reconciliations", "Reconciliations", "Each comparison with the venue that went through.", ("reconcile.done",)
    ),
    Heading(
        "doubts", "Requests in doubt", "A request that may or may not have reached the venue.", ("execution.in_doubt",)
    ),
    Heading(
        "adopted", "Orders that the kernel did not intend", "Found at the venue, and taken over.",
        ("execution.adopted",),
    ),
    Heading(
        "connections", "Connections and gaps", "Streams that broke, returned, or have a gap.", ("venue.connection",)
    ),
    Heading("degraded", "Degraded times", "Why entries were stopped, from each event on.", ("risk.degraded",)),
    Heading(
        "journal", "The journal itself", "Tails that were set aside, keys, encryption, pruning, changes of schema.",
        ("journal.tail_discarded", "journal.*", "custody.*", "key.*", "encryption.*", "retention.*"),
    ),
    Heading(
        "definitions", "Definitions and limits that changed", "After the opening, while the history was under way.", ()
    ),
    Heading("other", "Other recorded facts", "What came from outside and has no heading of its own.", ()),
)  # fmt: skip
UNLISTED = ("journal.digest", "venue.message", "clock.offset", "bar.due", "timer.fired")  # they are counted
RULES = ("risk.rule", "risk.sector", "risk.correlation", "venue.profile", "account.deposit")


def headings_of(kind: EventType) -> tuple[str, ...]:
    """The keys of the headings that an event type comes under; it may be under several."""
    if kind.topic in UNLISTED or kind.market:
        return ()
    found = tuple(heading.key for heading in HEADINGS if any(_fits(kind.topic, topic) for topic in heading.topics))
    if found or not kind.external or kind.topic == "market.segment" or opens(kind):
        return found
    return () if kind.topic.startswith("execution.") else ("other",)


def opens(kind: EventType) -> bool:
    """Whether the event type says what later events mean, or what limits them."""
    return kind.kind in DEFINING_KINDS or kind.topic in RULES or kind.topic.startswith("define.")


def _fits(topic: str, pattern: str) -> bool:
    return topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern


BY_KIND = {kind.kind: headings_of(kind) for kind in event_types()}
OPENING_KINDS = frozenset(kind.kind for kind in event_types() if opens(kind))
