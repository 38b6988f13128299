"""Alpaca's JSON as it is on the wire, with every number an exact decimal. Knows nothing of ours.

Only the fields that are read are named; others are passed over.
"""

from decimal import Decimal
from typing import Any

import msgspec


class WireOrder(msgspec.Struct, frozen=True):
    """An order of ``/v2/orders`` and of ``trade_updates``. A notional order has no ``qty``."""

    id: str
    symbol: str
    side: str
    status: str
    time_in_force: str
    client_order_id: str = ""
    type: str | None = None
    order_type: str | None = None
    qty: Decimal | None = None
    filled_qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    position_intent: str | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    submitted_at: str | None = None


class WireUpdate(msgspec.Struct, frozen=True):
    """What happened to an order."""

    event: str
    order: WireOrder
    execution_id: str | None = None
    timestamp: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None


class WireFrame(msgspec.Struct, frozen=True):
    """A frame of the trading stream: ``authorization``, ``listening`` or ``trade_updates``."""

    stream: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class WireAuthorization(msgspec.Struct, frozen=True):
    """The answer to the keys."""

    status: str = ""


class WireListening(msgspec.Struct, frozen=True):
    """The streams that are listened to, or why not."""

    streams: list[str] = []
    error: str = ""


class WireActivity(msgspec.Struct, frozen=True):
    """A fill as the account's activities tell it."""

    id: str
    activity_type: str
    transaction_time: str = ""
    price: Decimal | None = None
    qty: Decimal | None = None
    cum_qty: Decimal | None = None
    side: str = ""
    symbol: str = ""
    order_id: str = ""


class WireAsset(msgspec.Struct, frozen=True, rename={"asset_class": "class"}):
    """What can be traded. The last three are of crypto."""

    symbol: str
    asset_class: str
    status: str
    tradable: bool
    fractionable: bool = False
    marginable: bool = False
    min_order_size: Decimal | None = None
    min_trade_increment: Decimal | None = None
    price_increment: Decimal | None = None


class WireAccount(msgspec.Struct, frozen=True):
    """The account's money."""

    cash: Decimal
    currency: str = "USD"


class WirePosition(msgspec.Struct, frozen=True):
    """What is held."""

    symbol: str
    qty: Decimal
    side: str
    avg_entry_price: Decimal


class WireClock(msgspec.Struct, frozen=True):
    """Alpaca's clock."""

    timestamp: str


class WireBar(msgspec.Struct, frozen=True):
    """A bar; ``t`` is when it opened."""

    t: str
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 (the field is called so)
    c: Decimal
    v: Decimal


class WireBars(msgspec.Struct, frozen=True):
    """A page of bars by symbol."""

    bars: dict[str, list[WireBar]] | None = None
    next_page_token: str | None = None


class WireTrade(msgspec.Struct, frozen=True):
    """A trade of the tape."""

    t: str
    p: Decimal


class WireLatestTrades(msgspec.Struct, frozen=True):
    """The last trade by symbol."""

    trades: dict[str, WireTrade] | None = None


class WirePastTrades(msgspec.Struct, frozen=True):
    """A page of trades by symbol, each as the stream has it but for its time, which is text."""

    trades: dict[str, list[dict[str, Any]]] | None = None
    next_page_token: str | None = None


class WireError(msgspec.Struct, frozen=True):
    """What an error answer says."""

    code: int = 0
    message: str = ""


ORDER = msgspec.json.Decoder(WireOrder)
ORDERS = msgspec.json.Decoder(list[WireOrder])
FRAME = msgspec.json.Decoder(WireFrame)
UPDATE = msgspec.json.Decoder(WireUpdate)
AUTHORIZATION = msgspec.json.Decoder(WireAuthorization)
LISTENING = msgspec.json.Decoder(WireListening)
ACTIVITIES = msgspec.json.Decoder(list[WireActivity])
ASSET = msgspec.json.Decoder(WireAsset)
ACCOUNT = msgspec.json.Decoder(WireAccount)
POSITIONS = msgspec.json.Decoder(list[WirePosition])
CLOCK = msgspec.json.Decoder(WireClock)
BARS = msgspec.json.Decoder(WireBars)
PAST_TRADES = msgspec.json.Decoder(WirePastTrades)
LATEST_TRADES = msgspec.json.Decoder(WireLatestTrades)
ERROR = msgspec.json.Decoder(WireError)
