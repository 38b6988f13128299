"""The few pieces of markup that the report is made of. All text is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from replay.inspect.phrases import duration_text


def length(ns: int) -> str:
    """A length of time: short ones in milliseconds, longer ones without what nobody reads."""
    if ns < 1_000_000_000:
        return f"{ns / 1e6:,.3f}".rstrip("0").rstrip(".") + " ms"
    return duration_text(ns // 1_000_000 * 1_000_000)


def facts_table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def event_table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    head = "".join(f'<th scope="col"{_kind(at, numbers)}>{escape(name)}</th>' for at, name in enumerate(heads))
    lines = "".join(
        "<tr>" + "".join(f"<td{_kind(at, numbers)}>{escape(cell)}</td>" for at, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<table class="events"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _kind(at: int, numbers: Sequence[int]) -> str:
    return ' class="number"' if at in numbers else ""
