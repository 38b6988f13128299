"""Random histories of the simulated venue: against its naive twin, and against what must hold whatever happens."""

import os
from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernel import lifecycle as life
from kernel.events import catalogue as c
from kernel.market import BAR, QUOTE, STATUS, TRADE
from tests.reference.venue import Order, PathVenue, RangeVenue
from tests.replay.venue_language import MINUTE_NS
from tests.replay.venue_script import Outcome

HISTORIES = int(os.environ.get("KERNEL_HISTORIES", "40"))
PRICES = st.integers(90, 110)
KINDS = st.sampled_from(sorted(life.ORDER_TYPE_NAMES.values()))


@st.composite
def bars(draw: st.DrawFn, most_volume: int = 60) -> tuple[int, int, int, int, int]:
    prices = sorted(draw(st.tuples(PRICES, PRICES, PRICES, PRICES)))
    first, second = draw(st.permutations(prices[1:3]))
    swap = draw(st.integers(0, 3))
    open_, close = (prices[3], first) if swap == 1 else (prices[0], second) if swap == 2 else (first, second)
    return open_, prices[3], prices[0], close, draw(st.integers(0, most_volume))


@st.composite
def plain_orders(draw: st.DrawFn, number: int) -> tuple[Order, str]:
    """An order for the twin, and the words for the engine."""
    side, kind, lots = draw(st.sampled_from([1, -1])), draw(KINDS), draw(st.integers(1, 12))
    trails = kind.startswith("trailing")
    force = "GTC" if trails else draw(st.sampled_from(["GTC", "GTC", "IOC", "FOK"]))
    limit = draw(PRICES) if kind in ("limit", "stop-limit", "limit-if-touched") else 0
    stop = draw(PRICES) if kind in ("stop", "stop-limit", "market-if-touched", "limit-if-touched") else 0
    trail = draw(st.integers(1, 8)) if trails else 0
    offset = draw(st.integers(1, 4)) if kind == "trailing stop-limit" else 0
    words = ["buy" if side > 0 else "sell", str(lots)]
    words += ["market"] if kind == "market" else []
    trigger = "touch" if kind.endswith("touched") else "stop"
    for name, value in ((trigger, stop), ("limit", limit), ("trail", trail), ("offset", offset)):
        words += [name, str(value)] if value else []
    return Order(number, side, kind, force, lots, limit, stop, trail, offset), " ".join([*words, force])


def orders(most: int) -> st.SearchStrategy[list[tuple[Order, str]]]:
    return (
        st.integers(1, most).flatmap(lambda count: st.tuples(*(plain_orders(at + 1) for at in range(count)))).map(list)
    )


@settings(max_examples=HISTORIES, deadline=None)
@given(
    st.sampled_from(["pessimistic", "next_open", "ohlc", "ohlc_adaptive"]),
    st.sampled_from(["1", "0.5", "0.1"]),
    orders(3),
    st.lists(bars(), min_size=1, max_size=4),
)
def test_fills_are_those_of_the_twin(profile: str, share: str, given_orders: list[Any], rows: list[Any]) -> None:
    said = "; ".join(words for _, words in given_orders)
    market = "; ".join("/".join(map(str, row[:4])) + f" x{row[4]}" for row in rows)
    twin_class = PathVenue if profile.startswith("ohlc") else RangeVenue
    twin = twin_class(profile, Fraction(share), [order for order, _ in given_orders])
    twin.arrive()
    for row in rows:
        twin.bar(*row)
    assert Outcome({"profile": profile, "volume_share": share}, said, market).describe() == twin.outcome()


@settings(max_examples=HISTORIES, deadline=None)
@given(
    st.sampled_from(["pessimistic", "next_open", "intrabar", "ohlc", "ohlc_adaptive"]),
    st.sampled_from(["1", "0.5", "0.1"]),
    orders(3),
    st.lists(st.tuples(PRICES, st.integers(1, 30)), min_size=1, max_size=8),
)
def test_fills_by_trades_are_those_of_the_twin(profile: str, share: str, given_orders: Any, trades: Any) -> None:
    said = "; ".join(words for _, words in given_orders)
    market = "; ".join(f"trade {price} x{lots}" for price, lots in trades)
    twin_class = PathVenue if profile.startswith("ohlc") else RangeVenue
    twin = twin_class(profile, Fraction(share), [order for order, _ in given_orders])
    twin.arrive()
    for price, lots in trades:
        twin.trade(price, lots)
    finer = "30" if profile == "intrabar" else "0"  # then trades are the venue's own
    outcome = Outcome({"profile": profile, "volume_share": share, "finer": finer}, said, market)
    assert outcome.describe() == twin.outcome()


# --- what must hold ---------------------------------------------------------------------------------------------------

STATUSES = st.sampled_from(["halted", "maintenance", "auction", "trading", "session 3", "close"])
SIZES = st.integers(1, 20)


@st.composite
def any_orders(draw: st.DrawFn) -> list[str]:
    """One order with all that can be said of it, a bracket, or two that cancel each other."""
    side, lots = draw(st.sampled_from(["buy", "sell"])), draw(st.integers(1, 12))
    shape = draw(st.integers(0, 3))
    if shape == 0:
        return [f"oco {side} {lots} limit {draw(PRICES)}", f"oco {side} {lots} stop {draw(PRICES)}"]
    if shape == 1:
        entry = draw(st.sampled_from(["market", f"limit {draw(PRICES)}"]))
        return [f"{side} {lots} {entry} bracket target {draw(PRICES)} loss {draw(PRICES)}"]
    order, words = draw(plain_orders(1))
    rests = order.force == "GTC" and order.kind in ("limit", "stop-limit", "limit-if-touched")
    also = ["", "reduce-only"]
    also += [f"display {draw(st.integers(1, order.lots))}", "post-only"] if rests else []
    words = f"{words} {draw(st.sampled_from(also))}".strip()
    if order.kind in ("market", "limit") and "display" not in words and "post-only" not in words:
        words = words.replace(order.force, draw(st.sampled_from([order.force, "at-open", "at-close", "DAY", "GTD 2"])))
    return [words]


@st.composite
def markets(draw: st.DrawFn) -> str:
    """Rows of every kind, with requests between them."""
    out: list[str] = []
    for _ in range(draw(st.integers(2, 12))):
        what = draw(st.integers(0, 9))
        if what <= 2:
            bar = draw(bars())
            out.append("/".join(map(str, bar[:4])) + f" x{bar[4]}")
        elif what <= 4:
            aggressor = draw(st.sampled_from(["", " buyer", " seller"]))
            out.append(f"trade {draw(PRICES)} x{draw(SIZES)}{aggressor}")
        elif what == 5:
            bid = draw(PRICES)
            out.append(f"quote {bid} x{draw(SIZES)} {bid + draw(st.integers(1, 3))} x{draw(SIZES)}")
        elif what == 6:
            out.append(f"{draw(st.sampled_from(['bid', 'ask']))} {draw(PRICES)} x{draw(st.integers(0, 20))}")
        elif what == 7:
            out.append(draw(STATUSES))
            out.append("wait 5")
        elif what == 8:
            out.append(f"wait {draw(st.integers(1, 90))}")
        else:
            ask = draw(st.integers(0, 2))
            out += ["cancel"] if ask == 0 else [f"replace {draw(SIZES)} limit {draw(PRICES)}"] if ask == 1 else []
            out += [f"send {words}" for words in draw(any_orders()) if "oco" not in words]
    return "; ".join(out)


LATENCIES = st.sampled_from(["", "2", "7", "quantiles:0,3,40", "recorded:9,1"])


@settings(max_examples=HISTORIES, deadline=None)
@given(
    st.sampled_from(["pessimistic", "next_open", "ohlc", "ohlc_adaptive", "intrabar", "book"]),
    LATENCIES, LATENCIES, st.sampled_from(["0", "0.3"]), st.lists(any_orders(), min_size=1, max_size=3), markets(),
)  # fmt: skip
@example("book", "2", "2", "0", [["oco buy 1 limit 91", "oco buy 1 stop 90"]], "quote 90 x1 91 x2; 90/90/90/90 x0")
def test_what_holds_whatever_happens(profile, request, report, rejects, shapes, market) -> None:
    given_settings = {
        "profile": profile, "request": request, "report": report, "reject_share": rejects, "seed": "3",
        "volume_share": "0.5", "finer": "30" if profile == "intrabar" else "0", "queue": "power", "exponent": "2",
        "maker_bps": "20", "taker_bps": "50",
    }  # fmt: skip
    groups = [words for words in shapes if words[0].startswith("oco")][:1]
    rest = [words for words in shapes if not words[0].startswith("oco")]
    outcome = Outcome(given_settings, "; ".join(word for words in groups + rest for word in words), market)
    check(outcome)
    check_fills(outcome)
    if not request and not report:
        check_rows(outcome)


def check(outcome: Outcome) -> None:
    """Quantities, times in force, groups, positions and the order of time."""
    intents: dict[int, c.OrderIntended] = {}
    roles: dict[int, tuple[int, int]] = {}
    wanted: dict[int, int] = {}
    filled: dict[int, int] = defaultdict(int)
    ended: set[int] = set()
    position = before_ns = 0
    for stored in outcome.events:
        event = stored.event
        assert stored.ts_ingest_ns >= before_ns, "time runs on"
        assert stored.ts_event_ns <= stored.ts_ingest_ns
        before_ns = stored.ts_ingest_ns
        if isinstance(event, c.OrderIntended):
            intents[stored.sequence] = event
            wanted[stored.sequence] = event.quantity_lots
        elif isinstance(event, c.OrderTerms) and event.group_id:
            roles[event.order_id] = event.group_id, event.group_role
        elif isinstance(event, c.OrderReplaced | c.OrderReleased):
            wanted[event.order_id] = event.quantity_lots
        elif isinstance(event, c.ReplaceRequested) and event.order_id not in filled:
            wanted[event.order_id] = max(wanted[event.order_id], event.quantity_lots)
        elif isinstance(event, c.OrderFilled):
            order = intents[event.order_id]
            assert event.order_id not in ended, "no fill after the end"
            filled[event.order_id] += event.quantity_lots
            assert filled[event.order_id] <= wanted[event.order_id], "never more than was wanted"
            after = position + event.side * event.quantity_lots
            if order.instructions & life.REDUCE_ONLY:
                assert abs(after) < abs(position), "reduce-only reduces"
                assert after * position >= 0, "and never turns a position over"
            position = after
            if order.time_in_force == life.FOK:
                assert not event.leaves_lots or filled[event.order_id] < order.quantity_lots
        elif isinstance(event, c.OrderCanceled | c.OrderExpired | c.OrderRejected):
            ended.add(event.order_id)
    for order_id, lots in filled.items():
        if intents[order_id].time_in_force == life.FOK:
            assert lots == intents[order_id].quantity_lots, "all or nothing"
    both = defaultdict(list)
    for order_id, (group, role) in roles.items():
        if role == life.OCO and filled[order_id]:
            both[group].append(order_id)
    assert all(len(found) < 2 for found in both.values()), "one cancels the other"
    assert int(outcome.memory.state.positions[0].quantity_lots) == position


LIMITED = (life.LIMIT, life.STOP_LIMIT, life.LIMIT_IF_TOUCHED)
FEES_BPS = {life.MAKER: 20, life.TAKER: 50}


def check_fills(outcome: Outcome) -> None:
    """Each fill by itself: its fee, its limit, and that its order was there."""
    intents: dict[int, Any] = {}
    limits: dict[int, list[int]] = {}
    alone = set()
    fixed = outcome.settings["request"]
    latency_ns = int(fixed) * MINUTE_NS if fixed.isdigit() else 0
    for stored in outcome.events:
        event = stored.event
        if isinstance(event, c.OrderIntended):
            intents[stored.sequence] = stored
            limits[stored.sequence] = [event.limit_ticks]
            alone.add(stored.sequence)
        elif isinstance(event, c.OrderTerms) and event.group_id:
            alone.discard(event.order_id)  # what a group lets go was there when its entry filled
        elif isinstance(event, c.ReplaceRequested):
            limits[event.order_id].append(event.limit_ticks)
        elif isinstance(event, c.OrderFilled):
            order = intents[event.order_id].event
            exact = Fraction(event.price_ticks * event.quantity_lots * FEES_BPS[event.liquidity], 10_000)
            assert event.fee_minor == round(exact), "the fee is exact"
            if order.order_type in LIMITED:
                loosest = max(order.side * limit for limit in limits[event.order_id])
                assert order.side * event.price_ticks <= loosest, "never through the limit"
            if event.order_id in alone:
                assert stored.ts_event_ns >= intents[event.order_id].ts_event_ns + latency_ns, "not before it was there"


def check_rows(outcome: Outcome) -> None:
    """What one row fills, where nothing is under way: nothing in a halt, and no more than its share of the volume."""
    rows = outcome.rows
    times = rows["ts_ns"].tolist()
    filled: dict[tuple[int, int], int] = defaultdict(int)
    for stored in outcome.events:
        if isinstance(stored.event, c.OrderFilled) and times.count(stored.ts_ingest_ns) == 1:
            at = times.index(stored.ts_ingest_ns)
            statuses = [int(row["words"][0]) for row in rows[: at + 1] if int(row["kind"]) == STATUS]
            assert not statuses or statuses[-1] == 0, "nothing fills while the market is not trading"
            filled[at, stored.event.side] += stored.event.quantity_lots
    if outcome.settings["profile"] not in ("pessimistic", "intrabar"):
        return
    for at in {at for at, _ in filled}:
        kind, words = int(rows[at]["kind"]), rows[at]["words"].tolist()
        bought, sold = filled[at, 1], filled[at, -1]
        if kind in (BAR, TRADE):
            assert bought + sold <= round(Fraction(words[4 if kind == BAR else 1], 2)), "no more than its share"
        elif kind == QUOTE:
            assert bought <= words[3], "no more than is offered"
            assert sold <= words[1], "no more than is bid"
