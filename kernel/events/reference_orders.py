"""The reference page of orders, made from the tables that the kernel applies."""

from kernel import lifecycle as life
from kernel.terms import MAY, NO, RULES

_INTRO = """# Orders

Made from `kernel/lifecycle.py` and `kernel/terms.py` by `python -m kernel.events.reference orders`.

## Types

What each type needs: `yes`, `may` or `-` (must be 0). An order without this form is refused (`invalid_order`).

{types}

- A *touched* order waits for a better price than the market's, a stop for a worse one.
- A trailing stop keeps `trail_value` ticks (kind 1) or basis points of the best price (kind 2) from the best price
  since it rests; it only moves favourably. A distance in money is a number of ticks. It may start with a stop of its
  own. The limit of a trailing stop-limit is its stop and, on the worse side, `limit_offset_ticks`.
- Post-only orders and icebergs (`display_lots`, at most the quantity) need GTC, DAY or GTD.

| time in force | until |
|---|---|
| GTC | it is cancelled |
| DAY | the session closes; without a calendar, midnight UTC |
| GTD | `expire_ns` |
| IOC, FOK | it met the market once; FOK fills whole or not at all |
| at-open, at-close | the auction of the session |

| instruction | what it insists on |
|---|---|
| post-only | to make, never to take |
| reduce-only | to make the position smaller: cut to it when sent and when filled, cancelled when nothing is left |
| close-position | as reduce-only; side and quantity come from the position, and follow it while the order rests |

## Life

What may happen to an order in each status. Anything else is refused by `apply`: a history that holds it is damaged.

{life}

- *back*: a replace that is answered leaves the order submitted, working or partly filled, by what the venue has said of
  it. A refused cancel leaves it as it was when the cancel was asked for, moved on by what happened meanwhile. While a
  cancel is pending, accept, reject, fill part, replace and refuse replace must be legal for what is underneath.
- Only an order that was not accepted can be rejected.
- A fill wins every race: it is legal while a cancel or a replace is pending, and may end the order.
- A held order is not at the venue: a cancel ends it at once, a replace changes it at once.
- A refusal of an order that has ended changes nothing: its request lost the race.

## Sessions

An instrument with a calendar (`kernel data import --calendar XNYS`) has a file of its exchange's sessions beside its
data, made once with exchange_calendars. A run reads the file: each open and close is a row on the tape, and the state
keeps the session (`session_phase`, `session_open_ns`, `session_close_ns`, `next_open_ns`). A session opens before the
other rows of that instant and closes after them.

## Groups

The orders of a group are intended one after another; the verdicts follow the last and are all or nothing. After every
report the kernel asks for whatever the group wants and has not asked for. Such requests are marked `linked`: the
simulated venue does them at once, whatever its latency. A venue that does not know of groups does them when they
arrive. What fills there against the wish of its group is said (`GroupBroken`), and the excess is traded back at once,
at the market, reduce-only: the second order of one-cancels-other, an exit that fills what the other has filled, an
entry that fills when its exits are done. An entry that fills when all of its exits have been cancelled is said too,
as unprotected; whoever cancelled them wanted that.

| role | what becomes of it |
|---|---|
{roles}

- `oco(ctx, 2)`, `ouo(ctx, 2)` and `oto(ctx, 2)` make a group of the next orders; `bracket(...)` makes one by itself
  (`self.oco(2)` and so on in plain Python).
- An entry that ends without a fill ends its exits; one that ends partly filled leaves them, as large as what it filled.
- An exit that is done ends the rest of the entry.
- The group sizes its exits and one-updates-other orders: a strategy that replaces one moves its prices only.
- The first stop that protects a round trip is what the trade risks: R-multiples go by it.
- A group request that the venue refuses is asked again after the next fill in the group.
"""
_ROLES = {
    life.OCO: "the first fill of one cancels all the others",
    life.OUO: "each fill of one takes as much from all the others",
    life.PARENT: "others wait for it",
    life.CHILD: "held until its parent is done; then its quantity, or its share of what the parent filled",
    life.ENTRY: "a fill lets its exits loose, or enlarges them",
    life.TAKE_PROFIT: "as large as what the entry filled less what the other exit filled",
    life.STOP_LOSS: "the same",
}
_NEEDS = {NO: "-", MAY: "may"}


def orders_page() -> str:
    """Types, times in force, instructions, lifecycle and groups, as Markdown."""
    roles = [f"| {life.ROLE_NAMES[role]} | {text} |" for role, text in _ROLES.items()]
    return _INTRO.format(types=_types(), life=_life(), roles="\n".join(roles))


def _types() -> str:
    rows = [
        "| type | limit | stop | trail | offset | display | times in force | instructions |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, rule in RULES.items():
        needs = (rule.limit, rule.stop, rule.trail, rule.offset, rule.display)
        cells = [life.ORDER_TYPE_NAMES[kind], *(_NEEDS.get(need, "yes") for need in needs)]
        cells.append(", ".join(life.TIME_IN_FORCE_NAMES[force] for force in rule.forces))
        cells.append(", ".join(life.INSTRUCTION_NAMES[bit] for bit in rule.instructions))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _life() -> str:
    names = {**life.STATUS_NAMES, life.BACK: "*back*"}
    rows = ["| status | happening | after |", "|---|---|---|"]
    for status, row in life.TABLE.items():
        for after in sorted(set(row.values()), key=lambda after: (after == life.BACK, after)):
            happenings = [life.HAPPENING_NAMES[happening] for happening in sorted(row) if row[happening] == after]
            rows.append(f"| {names[status]} | {', '.join(happenings)} | {names[after]} |")
    return "\n".join(rows)
