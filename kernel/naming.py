"""What is said of a name that nobody knows: the nearest one that there is, or where to look."""

from collections.abc import Iterable


def near_name(name: str, known: Iterable[str], otherwise: str, *, prefix: str = "", cutoff: float = 0.6) -> str:
    """``did you mean NAME?`` with the nearest of ``known`` (behind ``prefix``), or ``otherwise`` when none is near.

    ``cutoff`` is how alike two names must be, from 0 to 1.
    """
    import difflib  # only when something is wrong: commands start sooner without it

    near = difflib.get_close_matches(name, list(known), 1, cutoff)
    return f"did you mean {prefix}{near[0]}?" if near else otherwise
