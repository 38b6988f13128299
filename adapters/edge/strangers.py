"""What a stranger says, as far as it is repeated: one short line that cannot be taken for ours, or move a terminal."""

MOST_SAID = 100


def said(text: str) -> str:
    """The printable characters of the first line, up to a bound."""
    line = text.strip().partition("\n")[0]
    return "".join(one for one in line if one.isprintable())[:MOST_SAID]
