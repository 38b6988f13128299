"""The small language of the tables in ``docs/fills.md``: orders, market rows and requests, and their mirror image.

Orders, separated by ``;``: a side, a quantity, then a type by its words: ``market``, ``limit 95``, ``stop 105``,
``touch 95`` (market- or limit-if-touched), ``trail 5`` or ``trail 500bps`` (with ``offset 2``: trailing stop-limit);
then ``post-only``, ``reduce-only``, ``display 4``; then a time in force: ``GTC IOC FOK DAY at-open at-close``, or
``GTD 2``, an end that many hours after row 0. ``bracket target 105 loss 95`` makes it the entry of a bracket (two
more orders), ``oco`` in front links it with its neighbours that say so too.

Market rows and requests, separated by ``;``: ``100/106/94/101 x500`` is a bar of one hour with its volume, ``trade 95
x20`` and ``quote 99 x5 101 x7`` are what they say (``-`` is an absent side, no ``x`` an unknown size), a trade may
end with its aggressor (``buyer``, ``seller``). ``bid 99 x5`` and ``ask 101 x7`` are depth rows, each a message of its
own. ``=`` gives the next row the time of the last, ``@midnight`` moves on to the next UTC day, ``wait 30`` by
minutes. ``session 8`` opens a session of so many hours, ``close`` closes it (``close earlier`` the one before),
``halted``, ``maintenance``, ``auction`` and ``trading`` are statuses. ``cancel``, ``replace 20 limit 94`` and ``send
buy 5 market`` are requests, made right after the row before them, about the first open order, or the one named
(``cancel #2``). Row 0 is a bar that closes at 100, after which the orders are sent.
"""

import numpy as np

from kernel import lifecycle as life
from kernel.market import ACTION, BAR, DEPTH, NO_PRICE, QUOTE, ROW, SESSION, SPLIT, STATUS, TRADE, UNKNOWN_SIZE
from replay.book_nb import MESSAGE_END

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
START_NS = 20_000 * DAY_NS + 10 * HOUR_NS
ROW_0_NS = START_NS + HOUR_NS
PLENTY = 10**6
STATUSES = {"trading": 0, "halted": 1, "maintenance": 2, "auction": 3}
FORCES = {name: number for number, name in life.TIME_IN_FORCE_NAMES.items()}
PRICES = ("limit", "stop", "touch", "target", "loss")
REQUESTS = ("cancel", "replace", "send")
# By the words that an order has, in the order in which they are looked for.
TYPES = (
    ({"trail", "offset"}, life.TRAILING_STOP_LIMIT),
    ({"trail"}, life.TRAILING_STOP),
    ({"touch", "limit"}, life.LIMIT_IF_TOUCHED),
    ({"touch"}, life.MARKET_IF_TOUCHED),
    ({"stop", "limit"}, life.STOP_LIMIT),
    ({"stop"}, life.STOP),
    ({"limit"}, life.LIMIT),
    ({"market"}, life.MARKET),
)
Request = list[str]


def parts(text: str) -> list[list[str]]:
    return [part.split() for part in text.split(";") if part.strip()]


def after(words: list[str], name: str, default: str = "0") -> str:
    """The word behind a word, if it is there."""
    return words[words.index(name) + 1] if name in words else default


def order_type(words: list[str]) -> int:
    return next(number for needed, number in TYPES if needed <= set(words))


def order_fields(words: list[str]) -> dict[str, int]:
    """The fields of an intent that an order says, but for its group."""
    trail = after(words, "trail")
    instructions = 0
    for bit, name in life.INSTRUCTION_NAMES.items():
        instructions |= bit if name in words else 0
    force = next((number for name, number in FORCES.items() if name in words), life.GTC)
    return {
        "side": 1 if words[0] == "buy" else -1,
        "order_type": order_type(words),
        "quantity_lots": int(words[1]),
        "limit_ticks": int(after(words, "limit")),
        "stop_ticks": int(after(words, "stop")) or int(after(words, "touch")),
        "time_in_force": force,
        "trail_kind": 0 if trail == "0" else life.TRAIL_BPS if trail.endswith("bps") else life.TRAIL_TICKS,
        "trail_value": int(trail.removesuffix("bps")),
        "limit_offset_ticks": int(after(words, "offset")),
        "display_lots": int(after(words, "display")),
        "instructions": instructions,
        "expire_ns": ROW_0_NS + int(after(words, "GTD")) * HOUR_NS if force == life.GTD else 0,
    }


def order_group(orders: list[list[str]]) -> list[dict[str, int]]:
    """Orders as intents, brackets and ``oco`` groups as consecutive intents with their roles."""
    found: list[dict[str, int]] = []
    linked = [words for words in orders if words[0] == "oco"]
    for words in orders:
        if words[0] == "oco":
            first = words is linked[0]
            group = {"group_role": life.OCO, "group_size": len(linked) if first else 0}
            found.append({**order_fields(words[1:]), **group})
        elif "bracket" in words:
            at = words.index("bracket")
            entry = order_fields(words[:at])
            leg = {"side": -entry["side"], "quantity_lots": entry["quantity_lots"], "time_in_force": life.GTC}
            target, loss = int(after(words, "target")), int(after(words, "loss"))
            found.append({**entry, "group_role": life.ENTRY, "group_size": 3})
            profit = {"order_type": life.LIMIT, "limit_ticks": target, "group_role": life.TAKE_PROFIT}
            found.append({**leg, **profit})
            found.append({**leg, "order_type": life.STOP, "stop_ticks": loss, "group_role": life.STOP_LOSS})
        else:
            found.append(order_fields(words))
    return found


def size(words: list[str], at: int, default: int) -> int:
    """The ``x5`` at a place, if there is one."""
    return int(words[at][1:]) if at < len(words) and words[at].startswith("x") else default


def read_market(text: str) -> tuple[np.ndarray, dict[int, list[Request]]]:
    """The rows, and the requests by the number of the row that they follow."""
    requests: dict[int, list[Request]] = {}
    rows = [bar_row(START_NS, ["100/100/100/100"])]
    clock = ROW_0_NS
    opened = [0, 0]
    for words in parts(text):
        if words[0] == "@midnight":
            clock = (clock // DAY_NS + 1) * DAY_NS
        elif words[0] == "wait":
            clock += int(words[1]) * MINUTE_NS
        elif words[0] in REQUESTS:
            requests.setdefault(len(rows) - 1, []).append(words)
        else:
            ts_ns, kind, instrument, payload = market_row(clock, words)
            if words[0] == "session":
                opened.append(ts_ns)
            elif words[0] == "close":
                payload = (0, opened[-2 if "earlier" in words else -1], *payload[2:])
            rows.append((ts_ns, kind, instrument, payload))
            clock = ts_ns
    return np.array(rows, ROW), requests


def market_row(clock: int, words: list[str]) -> tuple[int, int, int, tuple[int, ...]]:
    at_once = words[0] == "="
    words = words[1:] if at_once else words
    ts_ns = clock + (0 if at_once else MINUTE_NS)
    if words[0] == "trade":
        side = {"buyer": 1, "seller": -1}.get(words[-1], 0)
        return ts_ns, TRADE, 0, (int(words[1]), size(words, 2, PLENTY), side, 0, 0, 0)
    if words[0] == "quote":
        return ts_ns, QUOTE, 0, quote_words(words[1:])
    if words[0] in ("bid", "ask"):
        side = 1 if words[0] == "bid" else -1
        return ts_ns, DEPTH, 0, (side, int(words[1]), size(words, 2, PLENTY), MESSAGE_END, 0, 0)
    if words[0] == "session":
        return clock, SESSION, 0, (1, clock, clock + int(words[1]) * HOUR_NS, 0, 0, 0)
    if words[0] == "close":
        return clock, SESSION, 0, (0, 0, clock, 0, 0, 0)
    if words[0] == "split":
        new, old = words[1].split("/")
        return clock, ACTION, 0, (SPLIT, int(new), int(old), 0, 0, 0)
    if words[0] in STATUSES:
        return clock, STATUS, 0, (STATUSES[words[0]], 0, 0, 0, 0, 0)
    return bar_row(clock, words)


def bar_row(open_ns: int, words: list[str]) -> tuple[int, int, int, tuple[int, ...]]:
    prices = [int(price) for price in words[0].split("/")]
    return open_ns + HOUR_NS, BAR, 0, (*prices, size(words, 1, PLENTY), open_ns)


def quote_words(words: list[str]) -> tuple[int, ...]:
    sides = []
    for word in words:
        if word.startswith("x"):
            sides[-1] = (sides[-1][0], int(word[1:]))
        else:
            sides.append((NO_PRICE if word == "-" else int(word), UNKNOWN_SIZE))
    (bid, bid_size), (ask, ask_size) = sides
    return bid, bid_size, ask, ask_size, 0, 0


_SWAPPED = {"buy": "sell", "sell": "buy", "bid": "ask", "ask": "bid", "buyer": "seller", "seller": "buyer"}


def mirrored(text: str) -> str:
    """The same case for the other side: every price reflected at 100."""
    out = []
    for words in parts(text):
        flipped = [_SWAPPED.get(word, word) for word in words]
        for name in (*PRICES, "trade", "at", "bid", "ask"):
            if name in flipped:
                at = flipped.index(name) + 1
                flipped[at] = reflect(flipped[at])
        if "quote" in flipped:
            start = flipped.index("quote") + 1
            sides: list[list[str]] = []
            for word in flipped[start:]:
                if word.startswith("x"):
                    sides[-1].append(word)
                else:
                    sides.append([reflect(word)])
            flipped = [*flipped[:start], *sides[1], *sides[0]]
        out.append(" ".join(reflect_bar(word) if word.count("/") == 3 else word for word in flipped))
    return "; ".join(out)


def reflect(price: str) -> str:
    return str(200 - int(price)) if price.isdigit() else price


def reflect_bar(bar: str) -> str:
    open_, high, low, close = bar.split("/")
    return "/".join(reflect(price) for price in (open_, low, high, close))
