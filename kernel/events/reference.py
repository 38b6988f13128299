"""The reference pages of events, orders, risk checks, sizing, exits and indicators, made from their declarations.

``python -m kernel.events.reference events`` (or ``orders``, ``risk``, ``sizing``, ``exits``, ``indicators``) prints a
page; the ones in ``docs/`` are its output, and a test compares them.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kernel.events.catalogue import EventType, event_types
from kernel.events.reference_orders import orders_page
from kernel.events.reference_plans import exits_page, sizing_page

if TYPE_CHECKING:
    from kernel.risk.numbers import Check

_EVENTS_INTRO = """# Events

Made from the declarations in `kernel/events/` by `python -m kernel.events.reference events`.

Every event has a header: `sequence`, `ts_event_ns` (when it happened), `ts_ingest_ns` (when it was known), `cause` (the
sequence of the event that led to it; 0 for an input), `instrument`, `strategy`, `account` (-1 where none applies). The
fields below are its payload: signed 64-bit integers, whose unit is the end of their name. An *input* is a fact from
outside, recorded and never derived; the others are decided by the kernel. The SQL view of a topic has underscores for
the dots.
"""
_RISK_INTRO = """# Risk

Made from `kernel/risk/numbers.py` and `kernel/risk/rules.py` by `python -m kernel.events.reference risk`.

## Checks of an order

They run in this order; the first that refuses is the verdict, recorded as `risk.check` with the limit and the value
that was compared with it. Numbers never change. A limit of 0 is off. *Reductions* are orders that can only make their
position smaller; *exits* are those of them that the kernel wants (exits, liquidation, flattening). What a check cannot
compute (an amount that does not fit, a measure that was not seen), it refuses. Settings are those of `[risk]`, or of
`[limits]` where it says so; *desk* is the value with `defaults = "desk"`. `kernel risk FILE` checks a configuration and
lists what limits a run of it, in this order.
"""
_REQUESTS_INTRO = """
## Before there is an order

Recorded as `execution.request_refused`.
"""
_MONITORS_INTRO = """
## After each event

These trip the kill switch (`risk.kill`). `daily_loss`, `consecutive_losses`, `breaker` and `slippage` above are
measured after each event too, and stop entries until a time (`risk.stop`); an order meanwhile is refused by the check
that stopped them, with that time as the limit and the time of the order as the value.

The kill switch has three levels: 1 no new entries, 2 all open orders of strategies are cancelled too, 3 all positions
are flattened too. At 1 and 2 exits go on; at 3 flattening takes their place. It is tripped by a limit, or requested by
an operator, a file, a lost heartbeat or an adapter (`risk.kill_request`). It is latched: only an operator resets it,
with a reason (`risk.kill_reset`); losses of the day and drawdown are then measured from the equity of that moment.
"""
_RULES_INTRO = """
## Settings of `[risk]`

`defaults = "desk"` sets the values of the column *desk*; each can be set otherwise, and 0 is off. A day is a UTC day.
Exposure is the money of the worse side of a position: what it would be if all its open orders on that side filled, at
the last price. Money is in the currency of the first account, at the recorded rates, whatever account or currency it
lies in; so are the amounts of `[limits]`. What an account, a strategy, a symbol or a sector holds is the sum over its
positions. Losses, drawdown and leverage are measured in each account by itself; a stop of entries or the kill switch
then holds for all.
"""
_LEVELS_INTRO = """
## Levels

What the gates read beside prices and sessions is data (`market.level`), imported from a table with a column of times
and one for each level that it tells:

```sh
kernel data import levels.csv --kind levels --venue us --symbol SPY
```

A row is known at its time: a close of the index belongs at the time of that close, earnings at the time at which their
date was announced. An empty cell says nothing. The file lies beside the prices of its instrument, and `--data` finds it
there. What was known before `--from` is not seen.
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
    """All checks in the order in which they apply, and all settings, as Markdown."""
    from kernel.market import LEVEL_NAMES, LEVEL_TEXTS
    from kernel.risk.numbers import MONITORS, ORDER_CHECKS, REQUEST_CHECKS
    from kernel.risk.rules import RULES

    levels = [f"| {number} | `{name}` | {' | '.join(LEVEL_TEXTS[number])} |" for number, name in LEVEL_NAMES.items()]
    rules = []
    for rule in RULES.values():
        unsaid = f"; {rule.always} if not said" if rule.always else ""
        rules.append(f"| `{rule.name}` | {rule.unit} | {_shown(rule.desk)} | {rule.text}{unsaid} |")
    return "".join(
        (
            _RISK_INTRO,
            _check_table(ORDER_CHECKS),
            _REQUESTS_INTRO,
            _check_table(REQUEST_CHECKS),
            _MONITORS_INTRO,
            _check_table(MONITORS),
            _RULES_INTRO,
            "\n".join(["", "| setting | unit | desk | what it limits |", "|---|---|---|---|", *rules, ""]),
            _LEVELS_INTRO,
            "\n".join(["", "| number | column | value | holds for |", "|---|---|---|---|", *levels, ""]),
        )
    )


def _check_table(checks: "Mapping[int, Check]") -> str:
    from kernel.risk.rules import RULES

    rows = [
        "",
        "| order | number | check | scope | what it compares | unit | setting | desk | passes |",
        "|---" * 9 + "|",
    ]
    for place, (number, check) in enumerate(checks.items(), 1):
        setting = f"`limits.{check.limit}`" if check.limit else f"`{RULES[check.rule].name}`" if check.rule else "-"
        desk = _shown(RULES[check.rule].desk) if check.rule else "-"
        rows.append(
            f"| {place} | {number} | `{check.name}` | {check.scope} | {check.text} | {check.unit} | {setting} | {desk} "
            f"| {check.passes} |"
        )
    return "\n".join([*rows, ""])


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def indicators_page() -> str:
    """All indicators, by family, as Markdown; they are imported only for that."""
    from kernel.indicators.reference import page

    return page()


PAGES = {
    "events": events_page,
    "orders": orders_page,
    "risk": risk_page,
    "sizing": sizing_page,
    "exits": exits_page,
    "indicators": indicators_page,
}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
