"""Runs a case of the tables in ``docs/fills.md`` through the compiled engine loop, and says what came of it."""

from typing import Any, ClassVar

import numpy as np

from kernel import lifecycle as life
from kernel.apply_nb import apply_nb
from kernel.events import catalogue as c
from kernel.events.layout import Stored, decode, encode
from kernel.instruments import FUTURE, SPOT
from kernel.ledger_nb import OK
from kernel.market import BAR, DEPTH, QUOTE, TRADE
from kernel.strategy.python import Bar, Depth, Quote, Strategy, Trade
from kernel.units import BPS, to_rate
from replay.cuts_nb import NEED_ROWS
from replay.engine import EngineMemory
from replay.python_host import PythonHost
from replay.venue.profiles import BY_DEPTH, BY_QUOTES, BY_TRADES
from replay.venue.settings import Latency, Tier, VenueSettings, configure_venue
from tests.replay.venue_language import (
    MINUTE_NS,
    REQUESTS,
    ROW_0_NS,
    START_NS,
    Request,
    after,
    mirrored,
    order_group,
    parts,
    read_market,
)

__all__ = ["Outcome", "mirrored", "parts"]

SETTINGS = {
    "profile": "pessimistic", "slippage_bps": "0", "maker_bps": "0", "taker_bps": "0", "volume_share": "1",
    "cash": "1000000", "margin": "0", "volume": "known", "mirror": "yes", "spread_bps": "0", "impact_bps": "0",
    "share_impact_bps": "0", "per_lot": "0", "minimum": "0", "maximum": "0", "tier": "", "request": "", "report": "",
    "reject_share": "0", "seed": "0", "maintenance": "", "finer": "0", "queue": "risk_averse", "exponent": "1",
    "expiry": "0",
}  # fmt: skip
CANCELS = {
    life.CANCEL_ON_REQUEST: "requested",
    life.CANCEL_IOC: "IOC",
    life.CANCEL_FOK: "FOK",
    life.CANCEL_NO_FUNDS: "no funds",
    life.CANCEL_REDUCE_ONLY: "reduce-only",
    life.CANCEL_AUCTION: "auction",
    life.CANCEL_POST_ONLY: "post-only",
}
REJECTS = {
    life.REJECT_STOP_IN_MARKET: "stop",
    life.REJECT_BY_VENUE: "venue",
    life.REJECT_POST_ONLY: "post-only",
    life.REJECT_REDUCE_ONLY: "reduce-only",
    life.REJECT_CLOSED: "closed",
    life.REJECT_UNKNOWN_ORDER: "unknown",
    life.REJECT_EXPIRED: "expired",
    life.REJECT_NO_SESSION: "no session",
    life.REJECT_FILLED: "filled",
}


class Scripted(Strategy):
    """Does what is written for the number of the row that it hears of."""

    name = "scripted"
    script: ClassVar[dict[int, list[Request]]] = {}
    heard: ClassVar[dict[int, int]] = {}  # the number of a row, by how many were heard before it

    def on_start(self) -> None:
        self.count = 0

    def on_bar(self, bar: Bar) -> None:
        self.act()

    def on_trade(self, trade: Trade) -> None:
        self.act()

    def on_quote(self, quote: Quote) -> None:
        self.act()

    def on_depth(self, depth: Depth) -> None:
        self.act()

    def act(self) -> None:
        row = self.heard[self.count]
        self.count += 1
        wishes = self.script.get(row, [])
        self.send([words for words in wishes if words[0] not in REQUESTS])
        for words in wishes:
            if words[0] == "send":
                self.send([words[1:]])
            elif words[0] in REQUESTS:
                self.ask(words)

    def ask(self, words: Request) -> None:
        ids = self.open_orders or [1]  # 1 is the opening, and no order
        named = [int(word[1:]) for word in words if word.startswith("#")]
        order_id = ids[named[0] - 1] if named else ids[0]
        if words[0] == "cancel":
            self.cancel(order_id)
        else:
            stop = int(after(words, "stop")) or int(after(words, "touch"))
            self.replace(order_id, int(words[1]), int(after(words, "limit")), stop)

    def send(self, orders: list[Request]) -> None:
        for fields in order_group(orders):
            self.submit(fields["side"], fields["order_type"], fields["quantity_lots"])
            call = self._context.call
            intent = self._context.intents[call.intent_count - 1]
            for name, value in fields.items():
                setattr(intent, name, value)


def venue_settings(given: dict[str, str], kinds: set[int]) -> VenueSettings:
    """The settings of the venue that a line of settings says, for market rows of these kinds."""
    tiers = [Tier(0, int(given["maker_bps"]) * BPS, int(given["taker_bps"]) * BPS)]
    for text in given["tier"].split(",") if given["tier"] else []:
        volume, maker, taker = text.split(":")
        tiers.append(Tier(int(volume), int(maker) * BPS, int(taker) * BPS))
    windows = [[int(part) * MINUTE_NS for part in text.split("-")] for text in given["maintenance"].split(",") if text]
    return VenueSettings(
        profile=given["profile"],
        volume_share_rate=to_rate(given["volume_share"]),
        slippage_rate=int(given["slippage_bps"]) * BPS,
        spread_rate=int(given["spread_bps"]) * BPS // 2,
        impact_rate=int(given["impact_bps"]) * BPS,
        share_impact_rate=int(given["share_impact_bps"]) * BPS,
        tiers=tuple(tiers),
        fee_units=(to_rate(given["per_lot"]),),
        minimum_fee_minor=int(given["minimum"]),
        maximum_fee_minor=int(given["maximum"]),
        request_latency=latency(given["request"]),
        report_latency=latency(given["report"]),
        reject_rate=to_rate(given["reject_share"]),
        seed=int(given["seed"]),
        maintenance_ns=tuple((start, end) for start, end in windows),
        finer_spans_ns=(int(given["finer"]) * MINUTE_NS,),
        queue_model=given["queue"],
        queue_exponent=int(given["exponent"]),
        book_sources=((BY_DEPTH if DEPTH in kinds else BY_QUOTES if QUOTE in kinds else BY_TRADES, TRADE in kinds),),
    )


def latency(text: str) -> Latency:
    """``5`` is fixed, ``recorded:1,2`` and ``quantiles:0,1,9`` are lists; all in minutes."""
    if not text:
        return Latency()
    model, _, values = text.rpartition(":")
    return Latency(model or "fixed", tuple(int(value) * MINUTE_NS for value in values.split(",")))


class Outcome:
    """What the engine did with a case: its events, and the state afterwards."""

    def __init__(self, settings: dict[str, str], orders: str, market: str) -> None:
        self.settings = {**SETTINGS, **settings}
        self.rows, requests = read_market(market)
        script = {0: parts(orders) + requests.pop(0, []), **requests}
        heard = dict(enumerate(np.flatnonzero(self.hears()).tolist()))
        host = PythonHost(type("Script", (Scripted,), {"script": script, "heard": heard}), {}, [0])
        self.memory = EngineMemory(1, [host.plan()])
        host.attach(self.memory)
        self.open()
        code = self.memory.run(self.rows)
        assert host.error is None, host.error
        assert code == NEED_ROWS
        output = self.memory.engine.output
        self.events = [decode(record) for record in output.records[: output.count]]

    def hears(self) -> Any:
        """Which rows the strategy hears of."""
        finer_ns = int(self.settings["finer"]) * MINUTE_NS
        is_bar = self.rows["kind"] == BAR
        if not finer_ns:
            return self.rows["kind"] <= 4
        coarse = is_bar & (self.rows["ts_ns"] - self.rows["words"][:, 5] > finer_ns)
        return coarse | (self.rows["kind"] == DEPTH)

    def open(self) -> None:
        given, state = self.settings, self.memory.state
        margin = int(to_rate(given["margin"]))
        expiry_ns = ROW_0_NS + int(given["expiry"]) * MINUTE_NS if given["expiry"] != "0" else 0
        contract = FUTURE if expiry_ns else SPOT
        events = [
            c.RunOpened(1, 1, 0, 0, 0),
            c.InstrumentDefined(0, 1, 1, int(given["volume"] == "known"), contract, expiry_ns),
            c.LimitsSet(0, 0, 0, 0, margin, 0, 0),
            c.CashDeposited(0, int(given["cash"])),
        ]
        for event in events:
            record = encode(Stored(int(state.head.next_sequence), START_NS, START_NS, 0, 0, 0, 0, event))
            assert apply_nb(state, record[0]) == OK
        control = self.memory.engine.control
        control.frame_sequence = control.done_sequence = state.head.next_sequence
        configure_venue(self.memory.engine.venue, venue_settings(given, set(self.rows["kind"].tolist())))

    def describe(self) -> str:
        """The reports of the venue, each behind the number of the row that brought it; ``rests`` when there is none.

        What comes between two rows says how many minutes after the first.
        """
        ids = [stored.sequence for stored in self.events if isinstance(stored.event, c.OrderIntended)]
        said = []
        for stored in self.events:
            row = int(np.searchsorted(self.rows["ts_ns"], stored.ts_ingest_ns, side="right")) - 1
            what = self.words(stored, row)
            if what:
                later = (stored.ts_ingest_ns - int(self.rows[row]["ts_ns"])) // MINUTE_NS
                order = f"#{ids.index(stored.event.order_id) + 1} " if len(ids) > 1 else ""  # type: ignore[attr-defined]
                said.append(f"{row}{f'+{later}' if later else ''}: {order}{what}")
        return "; ".join(said) or "rests"

    def opened(self, stored: Stored, row: int) -> str:
        """Whether a fill is said to have happened at the open of the bar that brought it."""
        bar = self.rows[row]
        at_open = row > 0 and int(bar["kind"]) == BAR and stored.ts_event_ns == int(bar["words"][5])
        return " open" if at_open and int(bar["ts_ns"]) == stored.ts_ingest_ns else ""

    def words(self, stored: Stored, row: int) -> str:
        event = stored.event
        if isinstance(event, c.OrderFilled):
            liquidity = {life.MAKER: "maker", life.TAKER: "taker"}[event.liquidity]
            fee = f" fee {event.fee_minor}" if event.fee_minor else ""
            where = self.opened(stored, row)
            return f"{event.quantity_lots} at {event.price_ticks} {liquidity}{where}{fee}"
        if isinstance(event, c.OrderCanceled):
            return f"{event.leaves_lots} cancelled ({CANCELS[event.reason]})"
        if isinstance(event, c.OrderExpired):
            return f"{event.leaves_lots} expired"
        if isinstance(event, c.OrderRejected):
            return f"rejected ({REJECTS[event.reason]})"
        if isinstance(event, c.RequestRejected):
            return f"{life.REQUEST_NAMES[event.request]} rejected ({REJECTS[event.reason]})"
        if isinstance(event, c.OrderReplaced):
            return "replaced"
        if isinstance(event, c.RequestRefused) or (isinstance(event, c.RiskChecked) and event.check):
            return "refused"
        return ""
