"""The order book of one instrument, from depth rows (compiled): sizes by price, best prices, walks through the book.

Owns the flat memory of a book and the rules for snapshots, for crossed books and for running out of room. Knows
nothing of orders of ours; ``queue_nb`` does. Its naive twin is ``tests/reference/book.py``.

Each side is a skip list (Pugh 1990, "Skip lists: a probabilistic alternative to balanced trees") whose nodes lie in a
fixed block, ordered from the touch outward, so setting or deleting a level takes O(log n) steps and a walk from the
touch reads one node a level. Node 0 is the head and link 0 is the end: a zeroed record is an empty book.

- **Snapshot.** A row with ``SNAPSHOT`` clears both sides before it is applied.
- **Crossed.** While a message is under way the sides may cross. At its last row (``MESSAGE_END``), while the best bid
  is at or above the best ask, the one of the two levels that was written longer ago is removed: a venue does not let
  crossed orders rest, so the older level is gone and its deletion was not sent or is late. ``uncrossed`` counts them.
- **Room.** A side holds ``limit`` levels (``MAX_LEVELS`` where it is 0). When it is full, the level farthest from the
  touch is dropped, be it the new one; ``dropped`` counts them. A dropped level is unknown until a row sets it again.
- Deleting a level that is not there does nothing. A size below zero counts as zero.
"""

from kernel.exact_nb import OVERFLOW
from kernel.jit import inlined, jit
from kernel.market import MESSAGE_END, NO_PRICE, SNAPSHOT
from kernel.records import record_dtype

MAX_LEVELS = 8192  # a side
TOWER = 8  # 4**8 levels before searching slows down
_SAFE_COST = 4.0e18  # below 2**62 by more than any rounding of the float estimate

NODE = record_dtype(key="<i8", lots="<i8", written="<i8", height="<i8", links=("<i4", TOWER))
LADDER = record_dtype(
    count="<i8",  # levels
    used="<i8",  # nodes that were ever taken
    free="<i8",  # a chain of nodes that were given back
    seed="<i8",  # of the heights; they decide how long a search takes, never what it finds
    path=("<i4", TOWER),  # where the last search turned down
    nodes=(NODE, MAX_LEVELS + 1),
)
# "Book" alone is what a strategy holds of an instrument.
ORDER_BOOK = record_dtype(limit="<i8", rows="<i8", dropped="<i8", uncrossed="<i8", ladders=(LADDER, 2))


@inlined
def _ladder_nb(book, side):
    """The bids for side 1, the asks for side -1. Keys grow outward: a bid's key is its price negated."""
    return book.ladders[0 if side > 0 else 1]


@jit
def _find_nb(ladder, key):
    """The first node whose key is not below ``key`` (0: none), leaving the way there in ``path``."""
    nodes, path = ladder.nodes, ladder.path
    node = after = 0
    for up in range(TOWER):
        level = TOWER - 1 - up
        after = nodes[node].links[level]
        while after != 0 and nodes[after].key < key:
            node = after
            after = nodes[node].links[level]
        path[level] = node
    return after


@jit
def _remove_nb(ladder, node):
    """Take a node out that the last search found."""
    nodes, path = ladder.nodes, ladder.path
    taken = nodes[node]
    for level in range(taken.height):
        nodes[path[level]].links[level] = taken.links[level]
    taken.links[0] = ladder.free
    ladder.free = node
    ladder.count -= 1


@inlined
def _insert_nb(ladder, key):
    """A new node where the last search ended. A node is one link higher than another with odds of one in four."""
    if ladder.free != 0:
        node = ladder.free
        ladder.free = ladder.nodes[node].links[0]
    else:
        ladder.used += 1
        node = ladder.used
    # A linear congruential generator (the constants of ANSI C); its upper bits are the good ones.
    ladder.seed = (ladder.seed * 1103515245 + 12345) & 0x7FFFFFFF
    bits = ladder.seed >> 15
    height = 1
    while height < TOWER and bits & 3 == 0:
        height += 1
        bits >>= 2
    nodes, path = ladder.nodes, ladder.path
    fresh = nodes[node]
    fresh.key = key
    fresh.height = height
    for level in range(height):
        before = nodes[path[level]]
        fresh.links[level] = before.links[level]
        before.links[level] = node
    ladder.count += 1
    return node


@inlined
def _last_key_nb(ladder):
    """The key farthest from the touch; the side must not be empty."""
    nodes = ladder.nodes
    node = 0
    for up in range(TOWER):
        level = TOWER - 1 - up
        after = nodes[node].links[level]
        while after != 0:
            node = after
            after = nodes[node].links[level]
    return nodes[node].key


@jit
def _set_level_nb(book, ladder, key, lots):
    """Set the size of a level, 0 to delete it. Returns its size before."""
    node = _find_nb(ladder, key)
    is_there = node != 0 and ladder.nodes[node].key == key
    before = ladder.nodes[node].lots if is_there else 0
    if lots <= 0:
        if is_there:
            _remove_nb(ladder, node)
        return before
    if not is_there:
        limit = book.limit if 0 < book.limit < MAX_LEVELS else MAX_LEVELS
        if ladder.count >= limit:
            book.dropped += 1
            last_key = _last_key_nb(ladder)
            if key > last_key:
                return 0
            _remove_nb(ladder, _find_nb(ladder, last_key))
            _find_nb(ladder, key)
        node = _insert_nb(ladder, key)
    level = ladder.nodes[node]
    level.lots = lots
    level.written = book.rows
    return before


@inlined
def _uncross_nb(book):
    """Remove the older of the two best levels while they cross or touch."""
    bids, asks = book.ladders[0], book.ladders[1]
    while True:
        at_bid, at_ask = bids.nodes[0].links[0], asks.nodes[0].links[0]
        if at_bid == 0 or at_ask == 0:
            return
        bid, ask = bids.nodes[at_bid], asks.nodes[at_ask]
        if -bid.key < ask.key:
            return
        book.uncrossed += 1
        if bid.written < ask.written:
            _remove_nb(bids, _find_nb(bids, bid.key))
        else:
            _remove_nb(asks, _find_nb(asks, ask.key))


@jit
def clear_book_nb(book):
    """Take all levels away. The counters and the limit stay."""
    for index in range(2):
        ladder = book.ladders[index]
        ladder.count = ladder.used = ladder.free = 0
        head = ladder.nodes[0]
        for level in range(TOWER):
            head.links[level] = 0


@jit
def apply_depth_nb(book, side, price_ticks, quantity_lots, flags):
    """Apply one depth row. Returns the lots that were at its price before (0 when the row begins a snapshot)."""
    if flags & SNAPSHOT != 0:
        clear_book_nb(book)
    book.rows += 1
    before = _set_level_nb(book, _ladder_nb(book, side), -side * price_ticks, quantity_lots)
    if flags & MESSAGE_END != 0:
        _uncross_nb(book)
    return before


@jit
def find_crossed_nb(book, sides, prices_ticks, sizes_lots, flags, crossed):
    """Apply many rows (int64 columns), setting ``crossed`` (bool) where a message left the sides crossed."""
    for row in range(sides.size):
        before = book.uncrossed
        apply_depth_nb(book, sides[row], prices_ticks[row], sizes_lots[row], flags[row])
        crossed[row] = book.uncrossed != before


@jit
def best_ticks_nb(book, side):
    """The best bid (side 1) or ask (side -1) in ticks; ``NO_PRICE`` when the side is empty."""
    ladder = _ladder_nb(book, side)
    first = ladder.nodes[0].links[0]
    if first == 0:
        return NO_PRICE
    return -side * ladder.nodes[first].key


@jit
def level_count_nb(book, side):
    """How many levels a side holds."""
    return _ladder_nb(book, side).count


@jit
def level_lots_nb(book, side, price_ticks):
    """The lots that rest at a price, 0 where there is no level."""
    ladder = _ladder_nb(book, side)
    key = -side * price_ticks
    node = _find_nb(ladder, key)
    if node == 0 or ladder.nodes[node].key != key:
        return 0
    return ladder.nodes[node].lots


@jit
def next_level_nb(book, side, node):
    """The node of the level after ``node`` on the way outward, from 0 the best one; 0 at the end.

    Read it with ``node_ticks_nb`` and ``node_lots_nb``. Applying a depth row ends the walk.
    """
    return _ladder_nb(book, side).nodes[node].links[0] + 0  # the sum is 64 bits wide for all callers


@jit
def node_ticks_nb(book, side, node):
    """The price of a level in ticks."""
    return -side * _ladder_nb(book, side).nodes[node].key


@jit
def node_lots_nb(book, side, node):
    """The size of a level in lots."""
    return _ladder_nb(book, side).nodes[node].lots


@jit
def ahead_lots_nb(book, side, price_ticks):
    """The lots of a side that rest at better prices than ``price_ticks``: what trades before that price is reached.

    An order that joins the end of the queue at the price has ``level_lots_nb`` ahead of it as well.
    """
    ladder = _ladder_nb(book, side)
    nodes = ladder.nodes
    key = -side * price_ticks
    total = 0
    node = nodes[0].links[0]
    while node != 0 and nodes[node].key < key:
        total += nodes[node].lots
        node = nodes[node].links[0]
    return total


@jit
def walk_book_nb(book, side, quantity_lots, limit_ticks):
    """What an order of ``side`` (1 buys from the asks, -1 sells to the bids) would take from the book at once.

    Stops at ``limit_ticks`` (included; ``NO_PRICE``: no limit) or when ``quantity_lots`` are found. Returns ``(filled
    lots, cost in ticks times lots, worst price)``; the price is ``NO_PRICE`` when nothing is filled, the cost
    ``OVERFLOW`` when it does not fit. With a limit and a huge quantity it is the cumulative depth up to a price.
    """
    ladder = _ladder_nb(book, -side)
    nodes = ladder.nodes
    filled = cost = 0
    worst = NO_PRICE
    node = nodes[0].links[0]
    while node != 0 and filled < quantity_lots:
        price = side * nodes[node].key
        if limit_ticks != NO_PRICE and side * price > side * limit_ticks:
            break
        lots = min(nodes[node].lots, quantity_lots - filled)
        if cost != OVERFLOW:
            if abs(float(cost)) + abs(float(price) * float(lots)) >= _SAFE_COST:
                cost = OVERFLOW
            else:
                cost += price * lots
        filled += lots
        worst = price
        node = nodes[node].links[0]
    return filled, cost, worst
