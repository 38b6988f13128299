"""Aligned text tables that stream: the widths come from the first rows, later rows that are wider simply stick out.

Owns the layout of columns. Knows no journal and no terminal; the width is told to it.
"""

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence

SAMPLE_ROWS = 400
GAP = "  "
WRAP_COLUMNS = 24


def lay_out(
    header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool], width: int | None = None
) -> Iterator[str]:
    """The lines of a table. ``right`` marks columns aligned to the right.

    With ``width`` the last column is wrapped within its place, or cut where that place is too narrow to be read.
    """
    rows = iter(rows)
    sample, failure = _sampled(rows)
    widths = [max(map(len, column)) for column in zip(header, *sample, strict=True)]
    left_columns = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    for row in itertools.chain([header], sample, rows if failure is None else ()):
        cells = [
            cell.rjust(size) if to_right else cell.ljust(size)
            for cell, size, to_right in zip(row, widths, right, strict=True)
        ]
        line = GAP.join(cells).rstrip()
        if width is None or len(line) <= width:
            yield line
        elif right[-1] or width - left_columns < WRAP_COLUMNS:
            yield cut(line, width)
        else:
            yield from _wrapped(line[:left_columns], row[-1], left_columns, width)
    if failure is not None:
        raise failure


def _sampled(rows: Iterator[Sequence[str]]) -> tuple[list[Sequence[str]], Exception | None]:
    """The first rows, and what stopped them before there were enough: what came before it is shown first."""
    sample: list[Sequence[str]] = []
    try:
        sample.extend(itertools.islice(rows, SAMPLE_ROWS))
    except Exception as error:
        return sample, error
    return sample, None


def _wrapped(start: str, text: str, left_columns: int, width: int) -> Iterator[str]:
    first, *more = textwrap.wrap(text, width - left_columns) or [""]
    yield start + first
    for line in more:
        yield " " * left_columns + line


def cut(line: str, width: int | None) -> str:
    """The line, or as much of it as fits with a mark that there is more."""
    return line if width is None or len(line) <= width else line[: max(width - 1, 0)] + "…"


def pairs(entries: Iterable[tuple[str, str]], indent: str = "  ") -> list[str]:
    """``label  value`` lines with the values below each other."""
    listed = list(entries)
    size = max((len(label) for label, _ in listed), default=0)
    return [f"{indent}{label.ljust(size)}  {value}".rstrip() for label, value in listed]
