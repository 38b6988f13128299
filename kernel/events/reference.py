"""The reference pages of events, risk checks, sizing and exits, made from their declarations.

``python -m kernel.events.reference events`` (or ``risk``, ``sizing``, ``exits``) prints a page; the ones in ``docs/``
are its output, and a test compares them.
"""

import sys

from kernel.events.catalogue import EventType, event_types
from kernel.events.reference_plans import exits_page, sizing_page

_EVENTS_INTRO = """# Events

Made from the declarations in `kernel/events/` by `python -m kernel.events.reference events`.

Every event has a header: `sequence`, `ts_event_ns` (when it happened), `ts_ingest_ns` (when it was known), `cause` (the
sequence of the event that led to it; 0 for an input), `instrument`, `strategy`, `account` (-1 where none applies). The
fields below are its payload: signed 64-bit integers, whose unit is the end of their name. An *input* is a fact from
outside, recorded and never derived; the others are decided by the kernel. The SQL view of a topic has underscores for
the dots.
"""
_RISK_INTRO = """# Pre-trade checks

Made from `kernel/risk_nb.py` by `python -m kernel.events.reference risk`.

The checks of an order run in this order; the first that refuses is the verdict, recorded as `risk.check` with the limit
and the value that was compared with it. A limit of 0 is off. An order that can only make its position smaller passes
`position_notional` and `buying_power`. The last three refuse requests before an order exists
(`execution.request_refused`).
"""


def events_page() -> str:
    """All event types, by kind, as Markdown."""
    return _EVENTS_INTRO + "".join(_event(kind) for kind in event_types())


def _event(kind: EventType) -> str:
    role = "market data, input" if kind.market else "input" if kind.external else "derived"
    fields = ", ".join(f"`{name}`" for name in kind.fields) or "none"
    return (
        f"\n## `{kind.topic}`\n\n{kind.name}, kind {kind.kind}, version {kind.version}, {role}. {kind.description}\n\n"
        f"Fields: {fields}.\n"
    )


def risk_page() -> str:
    """All checks in the order in which they apply, as Markdown."""
    from kernel.risk_nb import CHECKS

    rows = [f"| {number} | `{name}` | {text} |" for number, (name, text) in sorted(CHECKS.items())]
    return _RISK_INTRO + "\n".join(["", "| number | check | what it compares |", "|---|---|---|", *rows]) + "\n"


PAGES = {"events": events_page, "risk": risk_page, "sizing": sizing_page, "exits": exits_page}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
