"""Numbers with the noun that they count."""


def counted(number: int, noun: str) -> str:
    """``1 fill``, ``2,000 fills``, ``3 strategies``, ``0 keys``; of several words the last one changes."""
    if number == 1:
        return f"1 {noun}"
    is_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{number:,} {noun[:-1]}ies" if is_y else f"{number:,} {noun}s"
