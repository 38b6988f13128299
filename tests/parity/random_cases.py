"""Random small cases, run by an engine and by ours: what no table thought of.

Cases are made from a seed, so a seed names its cases for ever. They avoid what ``docs/parity.md`` lists: only one
limit on a side rests at a time, nothing is replaced, nothing is for the day, and where volume is short there is one
order.
"""

import random
from collections.abc import Iterator

KINDS = ("market", "limit", "stop", "stop-limit")


def cases(seed: int, count: int, forces: tuple[str, ...], volumes: bool) -> Iterator[tuple[str, str]]:
    """``(orders, market)`` in the language of ``docs/fills.md``."""
    chance = random.Random(seed)
    for _ in range(count):
        short = volumes and chance.random() < 0.5
        yield _orders(chance, forces, 1 if short else 4), _market(chance, short)


def brackets(seed: int, count: int, limited: bool) -> Iterator[tuple[str, str]]:
    """One bracket each, its legs on their sides of the entry; ``limited``: some enter by a limit order."""
    chance = random.Random(seed + 1)
    for _ in range(count):
        side, up = chance.choice((("buy", 1), ("sell", -1)))
        entry = 100 - up * chance.randint(0, 6) if limited and chance.random() < 0.5 else 0
        target = (entry or 100) + up * chance.randint(1, 8)
        loss = (entry or 100) - up * chance.randint(1, 8)
        kind = f"limit {entry}" if entry else "market"
        yield f"{side} {chance.randint(1, 12)} {kind} bracket target {target} loss {loss}", _market(chance, False)


def _orders(chance: random.Random, forces: tuple[str, ...], most: int) -> str:
    limited: set[str] = set()
    out = []
    for _ in range(chance.randint(1, most)):
        side, kind = chance.choice(("buy", "sell")), chance.choice(KINDS)
        if kind in ("limit", "stop-limit"):
            if side in limited:
                continue
            limited.add(side)
        up = 1 if side == "buy" else -1
        words = [side, str(chance.randint(1, 12))]
        if kind == "market":
            words.append("market")
        if kind in ("stop", "stop-limit"):
            words += ["stop", str(100 + up * chance.randint(1, 8))]
        if kind == "limit":
            words += ["limit", str(100 - up * chance.randint(-2, 8))]
        if kind == "stop-limit":
            words += ["limit", str(100 + up * chance.randint(-4, 10))]
        force = chance.choice(forces)
        out.append(" ".join([*words, force] if force else words))
    return "; ".join(out) or "buy 1 market"


def _market(chance: random.Random, volumes: bool) -> str:
    last, out = 100, []
    for _ in range(chance.randint(1, 4)):
        open_ = last if chance.random() < 0.4 else last + chance.randint(-6, 6)
        close = open_ + chance.randint(-5, 5)
        high, low = max(open_, close) + chance.randint(0, 4), min(open_, close) - chance.randint(0, 4)
        volume = f" x{chance.randint(0, 60)}" if volumes and chance.random() < 0.7 else ""
        out.append(f"{open_}/{high}/{low}/{close}{volume}")
        last = close
    return "; ".join(out)
