"""The messages of Bybit's v5 interface, as far as they are read here: REST answers and both kinds of streams.

Numbers that matter are decimal text there, and stay text here. Unknown fields are passed over.
"""

import msgspec
from msgspec import Struct, field


class Envelope(Struct):
    """What every REST answer is wrapped in."""

    ret_code: int | None = field(name="retCode", default=None)
    ret_message: str = field(name="retMsg", default="")
    result: msgspec.Raw = msgspec.Raw(b"{}")
    time: int = 0


class PriceFilter(Struct):
    tick_size: str = field(name="tickSize")


class LotFilter(Struct, rename="camel"):
    """Sizes of spot (base..., min_order_amt) and of contracts (qty_step, min_notional_value)."""

    min_order_qty: str = "0"
    max_order_qty: str = "0"
    max_limit_order_qty: str = ""
    max_market_order_qty: str = ""
    max_mkt_order_qty: str = ""
    qty_step: str = ""
    base_precision: str = ""
    min_notional_value: str = ""
    min_order_amt: str = ""


class LeverageFilter(Struct, rename="camel", frozen=True):
    max_leverage: str = "0"


class InstrumentInfo(Struct, rename="camel"):
    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    price_filter: PriceFilter
    lot_size_filter: LotFilter
    settle_coin: str = ""
    contract_type: str = ""
    delivery_time: str = "0"
    funding_interval: int = 0
    leverage_filter: LeverageFilter = LeverageFilter()


class Order(Struct, rename="camel"):
    """An order, in an answer or on the stream."""

    symbol: str
    order_id: str
    side: str
    order_type: str
    order_status: str
    qty: str
    cum_exec_qty: str
    order_link_id: str = ""
    price: str = ""
    time_in_force: str = ""
    trigger_price: str = ""
    trigger_direction: int = 0
    stop_order_type: str = ""
    cancel_type: str = ""
    reject_reason: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    last_price_on_created: str = ""
    market_unit: str = ""
    category: str = ""
    updated_time: str = "0"


class Execution(Struct, rename="camel"):
    """An execution, in an answer or on the stream."""

    symbol: str
    exec_id: str
    order_id: str
    side: str
    exec_price: str
    exec_qty: str
    exec_time: str
    exec_type: str = "Trade"
    order_link_id: str = ""
    exec_fee: str = "0"
    fee_rate: str = "0"
    fee_currency: str = ""
    is_maker: bool = False
    category: str = ""


class Position(Struct, rename="camel"):
    """A position; the stream calls its price entryPrice, an answer avgPrice."""

    symbol: str
    side: str
    size: str
    position_idx: int = 0
    entry_price: str = ""
    avg_price: str = ""
    category: str = ""


class Coin(Struct, rename="camel"):
    coin: str
    wallet_balance: str = ""


class Wallet(Struct, rename="camel"):
    coin: list[Coin]
    account_type: str = ""


class PrivateMessage(Struct):
    """A message of the private stream before its topic is known."""

    topic: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class Answer(Struct, rename="camel"):
    """A page of a list."""

    list: msgspec.Raw = msgspec.Raw(b"[]")
    next_page_cursor: str = ""


class Placed(Struct, rename="camel"):
    order_id: str = ""
    order_link_id: str = ""


class Control(Struct):
    """An answer about the connection itself."""

    op: str = ""
    req_id: str | int = ""
    success: bool | None = None
    ret_msg: str = ""


class VenueTime(Struct, rename="camel"):
    time_nano: str


class RecentTrade(Struct, rename="camel"):
    """A public trade, in the list of recent ones."""

    exec_id: str
    price: str
    size: str
    side: str
    time: str


# --- the public stream: field names as they are on the wire, for speed ----------------------------------------------


class Trade(Struct):
    T: int
    S: str
    v: str
    p: str
    i: str


class Trades(Struct):
    data: list[Trade]


class BookLevels(Struct):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int
    seq: int = 0


class Book(Struct):
    type: str
    ts: int
    data: BookLevels
    cts: int = 0


class Kline(Struct):
    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    confirm: bool


class Klines(Struct):
    data: list[Kline]


class TickerFields(Struct, rename="camel"):
    """What changed of a ticker; empty text for what did not."""

    mark_price: str = ""
    open_interest: str = ""
    funding_rate: str = ""
    next_funding_time: str = ""
    funding_interval_hour: str = ""


class Ticker(Struct):
    ts: int
    data: TickerFields


class KlineLines(Struct):
    """Bars of an answer: start, open, high, low, close, volume, turnover; newest first."""

    list: list[list[str]]
