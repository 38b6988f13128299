"""Where an order of ours stands in the queue at its price (compiled): what is ahead of it, and when it is reached.

A depth feed gives the size of a level, not its orders, so the place is estimated. The models and formulas are those of
hftbacktest (https://hftbacktest.readthedocs.io/en/latest/reference/queue_models.html, after Rigtorp, "Estimating order
queue position", https://rigtorp.se/2013/06/08/estimating-order-queue-position.html). An order joins behind all that
rests at its price. Then, for all models:

- A trade at the price takes from the front; what is left of it reaches the order.
- Size that is added joins behind. There is never more ahead than the level holds.
- A decrease that trades explain is not counted again: what traded at the price since the last row of the level is taken
  off the decrease first.

What remains of a decrease was cancelled, ahead of the order or behind it (``front`` and ``back`` are what was ahead and
behind before, ``n`` is the exponent):

================  ============================================  ============================
model             share of the decrease that was behind          hftbacktest
================  ============================================  ============================
RISK_AVERSE       all (only trades move the order)               RiskAdverseQueueModel
POWER             back^n / (back^n + front^n)                    PowerProbQueueFunc(n)
POWER_OF_SUM      back^n / (back + front)^n                      PowerProbQueueFunc2(n)
POWER_OF_SHARE    1 - (front / (front + back))^n                 PowerProbQueueFunc3(n)
================  ============================================  ============================

``back`` is what the level held, less what traded since, less ``front``; hftbacktest leaves the trades in it. When more
is said to be cancelled behind than is there, the rest was ahead: there cannot be more ahead than is left. Logarithmic
functions are left out, as they would need the platform's ``log``; exponents are whole numbers, so no ``pow`` is needed.
Queues are kept in parts of a lot (1/1024), each step rounded half to even; hftbacktest uses floats. Sizes count up to
2**50 lots.

The functions take any record with the fields of ``QUEUE``. Naive twin: ``tests/reference/queue.py``.
"""

from kernel.exact_nb import scale_linked_nb
from kernel.jit import inlined, jit
from kernel.records import record_dtype

RISK_AVERSE, POWER, POWER_OF_SUM, POWER_OF_SHARE = 1, 2, 3, 4
QUEUE_MODELS = {
    "risk_averse": RISK_AVERSE,
    "power": POWER,
    "power_of_sum": POWER_OF_SUM,
    "power_of_share": POWER_OF_SHARE,
}
MAX_EXPONENT = 4
PARTS = 1024  # of a lot: a share of a small decrease must not vanish in rounding
MAX_LEVEL_LOTS = 1 << 50
_WEIGHT_BITS = 60  # two weights sum up to less than 2**62

QUEUE = record_dtype(
    ahead_parts="<i8",  # what is ahead of the order, in parts of a lot
    level_lots="<i8",  # the size of its level when last heard of, without our order
    traded_lots="<i8",  # at the price since then
)


@jit
def join_queue_nb(queue, level_lots):
    """The order joins the end of a level that holds ``level_lots``."""
    lots = min(max(level_lots, 0), MAX_LEVEL_LOTS)
    queue.ahead_parts = lots * PARTS
    queue.level_lots = lots
    queue.traded_lots = 0


@jit
def ahead_of_order_nb(queue):
    """The whole lots ahead of the order, rounded up."""
    return -(-queue.ahead_parts // PARTS)


@jit
def queue_trade_nb(queue, traded_lots):
    """A trade at the order's price, against its side. Returns the whole lots of it that reach the order."""
    lots = min(max(traded_lots, 0), MAX_LEVEL_LOTS)
    queue.traded_lots = min(queue.traded_lots + lots, MAX_LEVEL_LOTS)
    rest = lots * PARTS - queue.ahead_parts
    if rest < 0:
        queue.ahead_parts = -rest
        return 0
    queue.ahead_parts = 0
    return rest // PARTS


@inlined
def _weights_nb(model, exponent, front, back):
    """``(ahead, total)``: of a decrease ``ahead / total`` is ahead. Powers that are too large are scaled down first."""
    total = front + back
    largest = max(front, back) if model == POWER else total
    bound = 1 << _WEIGHT_BITS // exponent
    if largest > bound:
        front, back = scale_linked_nb(front, bound, 1, largest), scale_linked_nb(back, bound, 1, largest)
        total = front + back  # one more than the bound at most: far below what wraps
    front_power = back_power = total_power = 1
    for _ in range(exponent):
        front_power *= front
        back_power *= back
        total_power = total_power * total if model != POWER else 0
    if model == POWER:
        return front_power, front_power + back_power
    if model == POWER_OF_SUM:
        return total_power - back_power, total_power
    return front_power, total_power


@jit
def queue_depth_nb(queue, model, exponent, level_lots):
    """A depth row sets the size of the order's level (without our order) to ``level_lots``.

    Call it for each row of the order's side and price, and once with ``level_lots_nb`` when a snapshot has ended.
    ``exponent`` is 1 to ``MAX_EXPONENT`` and plays no part for ``RISK_AVERSE``.
    """
    lots = min(max(level_lots, 0), MAX_LEVEL_LOTS)
    gone = (queue.level_lots - lots - queue.traded_lots) * PARTS
    front = queue.ahead_parts
    back = max((queue.level_lots - queue.traded_lots) * PARTS - front, 0)
    queue.level_lots = lots
    queue.traded_lots = 0
    if gone > 0 and model != RISK_AVERSE:
        ahead, total = _weights_nb(model, exponent, front, back)
        front -= scale_linked_nb(gone, ahead, 1, total) if total > 0 else 0
    queue.ahead_parts = max(min(front, lots * PARTS), 0)


@jit
def reached_lots_nb(queue, side, price_ticks, remaining_lots, trade_ticks, trade_lots, aggressor):
    """How many lots of the order a trade fills, moving its queue.

    A trade beyond the price fills all of it: the level must have been used up. At the price the queue decides, and a
    trade whose aggressor (1 buyer, -1 seller, 0 unknown) is of the order's own side took from the other queue.
    """
    if side * trade_ticks < side * price_ticks:
        queue.ahead_parts = 0
        return remaining_lots
    if trade_ticks != price_ticks or aggressor == side:
        return 0
    return min(remaining_lots, queue_trade_nb(queue, trade_lots))
