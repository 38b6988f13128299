"""What a comparison of two histories says, as text and as JSON. Owns the wording; compares nothing."""

from typing import Any

from replay.audit import Difference
from replay.inspect.compare import Comparison, Side
from replay.inspect.names import Names
from replay.inspect.phrases import Phrases, time_text
from replay.inspect.text import lay_out

Sides = tuple[Side, Side]


def comparison_json(found: Comparison, names: tuple[Names, Names]) -> dict[str, Any]:
    """The comparison under stable keys."""
    return {
        "identical": found.difference is None and found.market,
        "events": found.events,
        "market_compared": found.market,
        "difference": _difference_json(found.difference, found.sides, names),
        "later_difference": _difference_json(found.later, found.later_sides, names),
    }


def _difference_json(
    difference: Difference | None, sides: Sides | None, names: tuple[Names, Names]
) -> dict[str, Any] | None:
    if difference is None or sides is None:
        return None
    out: dict[str, Any] = {name: getattr(difference, name) for name in difference.__struct_fields__}
    for label, side, known in zip(("a", "b"), sides, names, strict=True):
        phrases = Phrases(known)
        out[label] = {
            "event": None if side.event is None else phrases.json(side.event),
            "before": [phrases.json(one) for one in side.before],
            "causes": [phrases.json(one) for one in side.causes],
        }
    return out


def comparison_lines(
    found: Comparison, labels: tuple[str, str], names: tuple[Names, Names], width: int | None
) -> list[str]:
    """The comparison for people: the first difference, what came before it, and where it came from."""
    market = "" if found.market else " (market rows not compared)"
    if found.difference is None:
        return [
            f"identical: {found.events:,} events"
            if found.market
            else f"no difference in {found.events:,} events{market}"
        ]
    assert found.sides is not None
    lines = [f"{found.difference.describe('A', 'B')}{market}", f"  A  {labels[0]}", f"  B  {labels[1]}"]
    lines += ["", *_side_lines(found.sides, names, width)]
    if found.later is not None and found.later_sides is not None:
        told = found.later.describe("A", "B").replace("first difference", "first difference in what happened")
        lines += ["", "", told, "", *_side_lines(found.later_sides, names, width)]
    return lines


def _side_lines(sides: Sides, names: tuple[Names, Names], width: int | None) -> list[str]:
    rows: list[list[str]] = []
    shared = len(sides[0].before) if sides[0].before == sides[1].before else 0
    for stored in sides[0].before[:shared]:
        rows.append([" ", *_cells(stored, names[0], "")])
    for mark, side, known in zip("AB", sides, names, strict=True):
        rows += [[" " + mark, *_cells(stored, known, "")] for stored in side.before[shared:]]
    for mark, side, known in zip("AB", sides, names, strict=True):
        if side.event is None:
            rows.append([f"> {mark}", "-", "", "no such event", ""])
            continue
        rows += [[f"  {mark}", *_cells(stored, known, "caused by: ")] for stored in side.causes]
        rows.append([f"> {mark}", *_cells(side.event, known, "")])
    return list(
        lay_out(("", "sequence", "time (UTC)", "topic", "event"), rows, (False, True, False, False, False), width)
    )


def _cells(stored: Any, names: Names, lead: str) -> list[str]:
    return [
        str(stored.sequence),
        time_text(stored.ts_event_ns),
        stored.type.topic,
        lead + Phrases(names).sentence(stored),
    ]
