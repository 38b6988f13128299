"""A small language for the tables of ``docs/fills.md``, and the compiled engine loop that runs it.

Orders, separated by ``;``: ``buy 10 limit 95 IOC``. Market rows and requests, separated by ``;``: ``100/106/94/101
x500`` is a bar of one hour with its volume, ``trade 95 x20`` and ``quote 99 x5 101 x7`` are what they say (``-`` is an
absent side, no ``x`` an unknown size), ``=`` gives the next row the time of the last, ``@midnight`` moves on to the
next UTC day, ``cancel`` and ``replace 20 limit 94`` come right after the row before them. Row 0 is a bar that closes at
100, after which the orders are sent.
"""

from typing import ClassVar

import numpy as np

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.ledger_nb import OK
from kernel.market import BAR, NO_PRICE, QUOTE, ROW, TRADE, UNKNOWN_SIZE
from kernel.strategy.python import Bar, Quote, Strategy, Trade
from kernel.units import BPS, to_rate
from replay.cuts_nb import NEED_ROWS
from replay.engine import EngineMemory
from replay.python_host import PythonHost
from replay.venue.profiles import PROFILES

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
START_NS = 20_000 * DAY_NS + 10 * HOUR_NS
SETTINGS = {
    "profile": "pessimistic", "slippage_bps": "0", "maker_bps": "0", "taker_bps": "0", "volume_share": "1",
    "cash": "1000000", "margin": "0", "volume": "known", "mirror": "yes",
}  # fmt: skip
REASONS = {
    life.CANCEL_ON_REQUEST: "requested",
    life.CANCEL_IOC: "IOC",
    life.CANCEL_FOK: "FOK",
    life.CANCEL_NO_FUNDS: "no funds",
}
REJECTS = {life.REJECT_STOP_IN_MARKET: "stop"}
# By whether there is a limit, and a stop.
TYPES = {
    (False, False): life.MARKET,
    (True, False): life.LIMIT,
    (False, True): life.STOP,
    (True, True): life.STOP_LIMIT,
}


class Scripted(Strategy):
    """Does what is written for the number of the row that it hears of."""

    name = "scripted"
    script: ClassVar[dict[int, list[list[str]]]] = {}

    def on_start(self) -> None:
        self.row = -1

    def on_bar(self, bar: Bar) -> None:
        self.act()

    def on_trade(self, trade: Trade) -> None:
        self.act()

    def on_quote(self, quote: Quote) -> None:
        self.act()

    def act(self) -> None:
        self.row += 1
        for words in self.script.get(self.row, []):
            order_id = (self.open_orders or [1])[0]  # 1 is the opening, and no order
            if words[0] == "cancel":
                self.cancel(order_id)
            elif words[0] == "replace":
                prices = named_prices(words[2:])
                self.replace(order_id, int(words[1]), prices["limit"], prices["stop"])
            else:
                self.send(words)

    def send(self, words: list[str]) -> None:
        prices = named_prices(words[2:])
        kind = TYPES[prices["limit"] > 0, prices["stop"] > 0]
        names = {name: number for number, name in life.TIME_IN_FORCE_NAMES.items()}
        self.submit(
            1 if words[0] == "buy" else -1, kind, int(words[1]), limit_ticks=prices["limit"], stop_ticks=prices["stop"],
            time_in_force=names.get(words[-1], life.GTC),
        )  # fmt: skip


def named_prices(words: list[str]) -> dict[str, int]:
    return {name: int(words[words.index(name) + 1]) if name in words else 0 for name in ("limit", "stop")}


def parts(text: str) -> list[list[str]]:
    return [part.split() for part in text.split(";") if part.strip()]


def size(words: list[str], at: int, default: int) -> int:
    """The ``x5`` at a place, if there is one."""
    return int(words[at][1:]) if at < len(words) and words[at].startswith("x") else default


def read_market(text: str) -> tuple[np.ndarray, dict[int, list[list[str]]]]:
    """The rows, and the requests by the number of the row that they follow."""
    requests: dict[int, list[list[str]]] = {}
    rows = [bar_row(START_NS, ["100/100/100/100"])]
    clock = START_NS + HOUR_NS
    for words in parts(text):
        if words[0] == "@midnight":
            clock = (clock // DAY_NS + 1) * DAY_NS
            continue
        if words[0] in ("cancel", "replace"):
            requests.setdefault(len(rows) - 1, []).append(words)
            continue
        at_once = words[0] == "="
        words = words[1:] if at_once else words
        step_ns = 0 if at_once else HOUR_NS // 60
        if words[0] == "trade":
            rows.append((clock + step_ns, TRADE, 0, (int(words[1]), size(words, 2, 10**6), 0, 0, 0, 0)))
        elif words[0] == "quote":
            rows.append((clock + step_ns, QUOTE, 0, quote_words(words[1:])))
        else:
            rows.append(bar_row(clock, words))
        clock = rows[-1][0]
    return np.array(rows, ROW), requests


def bar_row(open_ns: int, words: list[str]) -> tuple[int, int, int, tuple[int, ...]]:
    prices = [int(price) for price in words[0].split("/")]
    return open_ns + HOUR_NS, BAR, 0, (*prices, size(words, 1, 10**6), open_ns)


def quote_words(words: list[str]) -> tuple[int, ...]:
    sides = []
    for word in words:
        if word.startswith("x"):
            sides[-1] = (sides[-1][0], int(word[1:]))
        else:
            sides.append((NO_PRICE if word == "-" else int(word), UNKNOWN_SIZE))
    (bid, bid_size), (ask, ask_size) = sides
    return bid, bid_size, ask, ask_size, 0, 0


class Outcome:
    """What the engine did with a case: its events, and the state afterwards."""

    def __init__(self, settings: dict[str, str], orders: str, market: str) -> None:
        self.settings = {**SETTINGS, **settings}
        self.rows, requests = read_market(market)
        self.orders = parts(orders)
        script = {0: self.orders + requests.pop(0, []), **requests}
        host = PythonHost(type("Script", (Scripted,), {"script": script}), {}, [0])
        self.memory = EngineMemory(1, [host.plan()])
        host.attach(self.memory)
        self.open()
        code = self.memory.run(self.rows)
        assert host.error is None, host.error
        assert code == NEED_ROWS
        output = self.memory.engine.output
        self.events = [decode(record) for record in output.records[: output.count]]

    def open(self) -> None:
        given, state = self.settings, self.memory.state
        margin = int(to_rate(given["margin"]))
        events = [
            c.RunOpened(1, 1, 0, 0, 0),
            c.InstrumentDefined(0, 1, 1, int(given["volume"] == "known")),
            c.LimitsSet(0, 0, 0, 0, margin, 0, 0),
            c.CashDeposited(0, int(given["cash"])),
        ]
        for event in events:
            record = encode(Stored(int(state.head.next_sequence), START_NS, START_NS, 0, 0, 0, 0, event))
            assert apply_nb(state, record[0]) == OK
        control, head = self.memory.engine.control, self.memory.engine.venue.head
        control.frame_sequence = control.done_sequence = state.head.next_sequence
        head.profile = PROFILES[given["profile"]]
        head.slippage_rate = int(given["slippage_bps"]) * BPS
        head.maker_fee_rate, head.taker_fee_rate = int(given["maker_bps"]) * BPS, int(given["taker_bps"]) * BPS
        head.volume_share_rate = to_rate(given["volume_share"])

    def row_of(self, ts_ns: int, cause_row: int) -> str:
        """Where in the bar a fill is said to have happened."""
        row = self.rows[cause_row]
        if cause_row > 0 and int(row["kind"]) == BAR and ts_ns == int(row["words"][5]):
            return " open"
        assert ts_ns == int(row["ts_ns"])
        return ""

    def describe(self) -> str:
        """The reports of the venue, each behind the number of the row that brought it; ``rests`` when there is none."""
        ids = [stored.sequence for stored in self.events if isinstance(stored.event, c.OrderIntended)]
        said = []
        for stored in self.events:
            row = int(np.searchsorted(self.rows["ts_ns"], stored.ts_ingest_ns, side="right")) - 1
            what = self.words(stored, row)
            if what:
                order = f"#{ids.index(stored.event.order_id) + 1} " if len(ids) > 1 else ""  # type: ignore[attr-defined]
                said.append(f"{row}: {order}{what}")
        return "; ".join(said) or "rests"

    def words(self, stored: Stored, row: int) -> str:
        event = stored.event
        if isinstance(event, c.OrderFilled):
            liquidity = {life.MAKER: "maker", life.TAKER: "taker"}[event.liquidity]
            fee = f" fee {event.fee_minor}" if event.fee_minor else ""
            where = self.row_of(stored.ts_event_ns, row)
            return f"{event.quantity_lots} at {event.price_ticks} {liquidity}{where}{fee}"
        if isinstance(event, c.OrderCanceled):
            return f"{event.leaves_lots} cancelled ({REASONS[event.reason]})"
        if isinstance(event, c.OrderExpired):
            return f"{event.leaves_lots} expired"
        if isinstance(event, c.OrderRejected):
            return f"rejected ({REJECTS[event.reason]})"
        if isinstance(event, c.OrderReplaced):
            return "replaced"
        if isinstance(event, c.RequestRefused) or (isinstance(event, c.RiskChecked) and event.check):
            return "refused"
        return ""


def mirrored(text: str) -> str:
    """The same case for the other side: every price reflected at 100."""
    swap = {"buy": "sell", "sell": "buy"}
    out = []
    for words in parts(text):
        flipped = [swap.get(word, word) for word in words]
        for name in ("limit", "stop", "trade", "at"):
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
    return price if price == "-" else str(200 - int(price))


def reflect_bar(bar: str) -> str:
    open_, high, low, close = bar.split("/")
    return "/".join(reflect(price) for price in (open_, low, high, close))
