"""``kernel why``: from an order back to the market event that led to it, and on to what came of it.

Owns the collecting of an order's events and their arrangement as a tree by cause. A market row that cannot be read
(its data is not there) is still named by its sequence.
"""

import textwrap
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np

from kernel.events.catalogue import OrderFilled, OrderIntended, OrderTerms, RiskChecked, TradeClosed, event_types
from kernel.events.layout import CANCELED, EXPIRED, FILLED, INTENDED, ORDER_TERMS, REJECTED, Stored
from kernel.lifecycle import ROLE_NAMES
from kernel.plurals import counted
from kernel.risk.numbers import CHECKS
from replay.history import History, HistoryError
from replay.inspect.frames import MARKET_KINDS, Filter, stored_events
from replay.inspect.moment import fraction_text
from replay.inspect.names import Names
from replay.inspect.phrases import Phrases, time_text
from replay.inspect.source import DataMissingError
from replay.inspect.text import GAP

NEAREST_ORDERS = 4
NARROWEST = 32  # columns that a wrapped text gets at least
MAX_CAUSES = 64  # a chain longer than this is a loop in a damaged journal
TRANSACTION_RECORDS = 500  # a transaction holds no more
_TYPES = {kind.kind: kind for kind in event_types()}
_ORDER_ID_AT = {kind.kind: kind.fields.index("order_id") for kind in event_types() if "order_id" in kind.fields}
_ENDING = (CANCELED.kind, EXPIRED.kind, REJECTED.kind)


class Node(msgspec.Struct):
    """An event of the story. ``stored`` is None for a market row whose data is not there.

    ``caused_by`` is set where the cause is a market event outside the line from which the node hangs.
    """

    sequence: int
    stored: Stored | None
    caused_by: "Node | None" = None
    children: list["Node"] = msgspec.field(default_factory=list)


class Story(msgspec.Struct, frozen=True):
    """Why an order exists and what came of it. ``causes`` runs from the first cause to the event before the intent."""

    order_id: int
    causes: list[Node]
    intent: Node
    life: list[Stored]
    group: list[OrderTerms]  # of the orders of its group, itself included


def explain_order(history: History, order_id: int) -> Story:
    """The story of an order. Raises HistoryError, with the nearest ids, when there is no such order."""
    if not _is_order(history, order_id):
        raise HistoryError(_no_such_order(history, order_id))
    life = list(_life(history, order_id))
    nodes = {stored.sequence: Node(stored.sequence, stored) for stored in life}
    intent = nodes[order_id]
    for stored in life[1:]:
        node = nodes[stored.sequence]
        parent = nodes.get(stored.cause)
        if parent is None:
            # The venue acts on a market event; in the order's story it hangs from the last step before it.
            parent = _last_step(life, nodes, stored.sequence) or intent
            node.caused_by = _node(history, stored.cause) if stored.cause > 0 else None
        parent.children.append(node)
    return Story(order_id, _causes(history, intent), intent, life, _group(history, life))


def _group(history: History, life: list[Stored]) -> list[OrderTerms]:
    """The terms of all orders of the group; they are intended in one transaction, of which its number is the first."""
    terms = [one.event for one in life if isinstance(one.event, OrderTerms) and one.event.group_id]
    if not terms:
        return []
    number = terms[0].group_id
    near = Filter(kinds=frozenset((ORDER_TERMS.kind,)), first=number, last=number + TRANSACTION_RECORDS)
    found = [one.event for one in history.events(near)]
    return [one for one in found if isinstance(one, OrderTerms) and one.group_id == number]


def _is_order(history: History, order_id: int) -> bool:
    if not 1 <= order_id <= history.last_sequence:
        return False
    only = Filter(kinds=frozenset((INTENDED.kind,)), first=order_id, last=order_id)
    return next(history.events(only), None) is not None


def _no_such_order(history: History, order_id: int) -> str:
    intents = Filter(kinds=frozenset((INTENDED.kind,)))
    known = [records["sequence"] for records, _ in history.batches(intents)]
    if not known:
        return f"no order {order_id:,}: the journal holds no order at all"
    ids = np.concatenate(known)
    at = int(np.searchsorted(ids, order_id))
    near = sorted(ids[max(0, at - NEAREST_ORDERS // 2) : at + NEAREST_ORDERS // 2].tolist())
    return (
        f"no order {order_id:,}; the nearest are {', '.join(map(str, near))}; list all {len(ids):,} with: "
        f"kernel show {history.run_dir or history.journal} --topic execution.intent"
    )


def _life(history: History, order_id: int) -> Iterator[Stored]:
    """The order's events in order. A transaction is never split over frames, so the frame of its end is the last."""
    for frame in history.stored_frames(order_id):
        records = frame.records
        mine = records["sequence"] == order_id
        ended = False
        for kind, at in _ORDER_ID_AT.items():
            hit = (records["kind"] == kind) & (records["words"][:, at] == order_id)
            mine |= hit
            words = records["words"][hit]
            ended |= kind in _ENDING and bool(hit.any())
            ended |= kind == FILLED.kind and bool((words[:, FILLED.leaves_lots] == 0).any())
        mine |= np.isin(records["cause"], records["sequence"][mine & (records["kind"] == FILLED.kind)])
        selected = Filter().select(records[mine])
        for stored in stored_events(selected, frame.body_of()):
            yield stored
            ended |= isinstance(stored.event, RiskChecked) and stored.event.check != 0
        if ended:
            return


def _last_step(life: list[Stored], nodes: dict[int, Node], sequence: int) -> Node | None:
    """The last event of the order's own life before ``sequence`` that is not a fill or its booking."""
    before = [s for s in life if s.sequence < sequence and s.type.topic.startswith(("execution.", "risk."))]
    steps = [s for s in before if not isinstance(s.event, OrderFilled)]
    return nodes[steps[-1].sequence] if steps else None


def _causes(history: History, intent: Node) -> list[Node]:
    found: list[Node] = []
    assert intent.stored is not None
    cause = intent.stored.cause
    while cause > 0 and len(found) < MAX_CAUSES:
        node = _node(history, cause)
        found.insert(0, node)
        cause = node.stored.cause if node.stored is not None else 0
    return found


def _node(history: History, sequence: int) -> Node:
    try:
        return Node(sequence, history.event(sequence))
    except DataMissingError:
        return Node(sequence, None)


# --- output -------------------------------------------------------------------------------------------------------


def story_json(story: Story, names: Names) -> dict[str, Any]:
    """The story under stable keys; a market row whose data is not there has only its sequence."""
    phrases = Phrases(names)

    def node(one: Node) -> dict[str, Any]:
        out = _bare(one, phrases)
        out["caused_by"] = None if one.caused_by is None else _bare(one.caused_by, phrases)
        out["children"] = [node(child) for child in one.children]
        return out

    return {
        "order_id": story.order_id,
        "summary": summary(story, names),
        "group": [{"order_id": one.order_id, "role": ROLE_NAMES[one.group_role]} for one in story.group],
        "causes": [_bare(one, phrases) for one in story.causes],
        "intent": node(story.intent),
    }


def _bare(node: Node, phrases: Phrases) -> dict[str, Any]:
    return {"sequence": node.sequence} if node.stored is None else phrases.json(node.stored)


def summary(story: Story, names: Names) -> str:
    """What became of the order, in one line."""
    intent = story.intent.stored
    assert intent is not None
    fills = [stored.event for stored in story.life if isinstance(stored.event, OrderFilled)]
    instrument = intent.instrument
    wish = Phrases(names).sentence(intent)
    text = f"order {story.order_id}: {names.strategy(intent.strategy)} wanted to {wish} {names.instrument(instrument)}"
    text += _in_group(story)
    refused = [s.event.check for s in story.life if isinstance(s.event, RiskChecked) and s.event.check]
    if refused:
        check = CHECKS.get(refused[0])
        name, meaning = (check.name, check.text) if check else ("?", "a check that this version does not know")
        return f"{text}; refused by {name}: {meaning}"
    if not fills:
        return f"{text}; nothing filled"
    lots = sum(fill.quantity_lots for fill in fills)
    ticks = sum(fill.price_ticks * fill.quantity_lots for fill in fills)
    scale = names.price_scales[instrument]
    average = fraction_text(Fraction(ticks * scale.mantissa, lots * 10**scale.decimals), scale.decimals + 2)
    currency = names.currency_of(instrument)
    fees = names.money(sum(fill.fee_minor for fill in fills), currency)
    paid = f"{fees} {names.currency_name(currency)}"
    return (
        f"{text}; {names.quantity(lots, instrument)} filled at {average} in {counted(len(fills), 'fill')}, fees {paid}"
    )


def _in_group(story: Story) -> str:
    """The place of the order in its group, and the others there."""
    mine = [one for one in story.group if one.order_id == story.order_id]
    if not mine:
        return ""
    others = [one for one in story.group if one.order_id != story.order_id]
    named = ", ".join(f"{one.order_id} ({ROLE_NAMES[one.group_role]})" for one in others)
    return f", {ROLE_NAMES[mine[0].group_role]} of a group with {named or 'no other'}"


def story_lines(story: Story, names: Names, width: int | None) -> list[str]:
    """The story as an indented tree, causes above what they led to; within ``width`` columns where one is given."""
    phrases = Phrases(names)
    entries: list[tuple[str, str, Node]] = []
    for depth, cause in enumerate(story.causes):
        entries.append(("   " * (depth - 1) + "└─ " if depth else "", "   " * depth + "│", cause))
    depth = len(story.causes)
    _walk(story.intent, "   " * (depth - 1) + "└─ " if depth else "", "   " * depth, entries)
    tops = [f"{lead}{_topic(node)} {node.sequence}" for lead, _, node in entries]
    size = max(map(len, tops))
    lines = [*_wrapped("", "", summary(story, names), width, 0), ""]
    for top, (_, below, node) in zip(tops, entries, strict=True):
        lines += _wrapped(top, below, _told(node, phrases), width, size)
        if node.caused_by is not None:
            lines += _wrapped(below, below, _by(node.caused_by, phrases), width, size)
    return lines


def _wrapped(top: str, below: str, text: str, width: int | None, size: int) -> list[str]:
    """``text`` beside ``top``; what does not fit goes on beside ``below``."""
    at = size + len(GAP) if size else 0
    parts = [text] if width is None else textwrap.wrap(text, max(width - at, NARROWEST)) or [""]
    return [f"{left.ljust(at)}{part}".rstrip() for left, part in zip([top, *[below] * len(parts)], parts, strict=False)]


def _walk(node: Node, lead: str, indent: str, entries: list[tuple[str, str, Node]]) -> None:
    entries.append((lead, indent + ("│" if node.children else ""), node))
    for child in node.children:
        last = child is node.children[-1]
        _walk(child, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "), entries)


def _topic(node: Node) -> str:
    return node.stored.type.topic if node.stored is not None else "market row"


def _told(node: Node, phrases: Phrases) -> str:
    if node.stored is None:
        return "not shown: its market data is not there; pass --data PATH"
    return f"{time_text(node.stored.ts_event_ns)}  {_sentence(node.stored, phrases)}"


def _by(cause: Node, phrases: Phrases) -> str:
    return f"by {_topic(cause)} {cause.sequence}  {_told(cause, phrases)}"


def _sentence(stored: Stored, phrases: Phrases) -> str:
    text = phrases.sentence(stored)
    # Within one order's story its number says nothing.
    order = getattr(stored.event, "order_id", None)
    if isinstance(stored.event, TradeClosed | OrderIntended) or order is None:
        return text
    return text.removeprefix(f"order {order}: ").removeprefix(f"order {order}")


assert not MARKET_KINDS & set(_ORDER_ID_AT), "a market row is nobody's order"
