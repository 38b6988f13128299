"""How an Alpaca account is reached: which of Alpaca's worlds, where, with which keys, how patiently.

Owns the settings and Alpaca's own addresses. Knows no protocol.
"""

import msgspec

from adapters.edge.secrets import Secret

PAPER, LIVE = "paper", "live"
EQUITY, CRYPTO = "equity", "crypto"
TRADING_URLS = {PAPER: "https://paper-api.alpaca.markets", LIVE: "https://api.alpaca.markets"}
TRADING_STREAM_URLS = {PAPER: "wss://paper-api.alpaca.markets/stream", LIVE: "wss://api.alpaca.markets/stream"}
DATA_URL = "https://data.alpaca.markets"
DATA_STREAM_URL = "wss://stream.data.alpaca.markets"


class AlpacaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One account and one asset class. An address that is empty is Alpaca's own.

    ``trading_url`` and ``data_url`` end before the version (``/v2``); ``trading_stream_url`` and ``data_stream_url``
    are whole. ``fractional`` lets orders of shares be fractions. ``reads_retried`` is how often a read that failed is
    asked again. Times are seconds.
    """

    api_key: Secret
    api_secret: Secret
    environment: str = PAPER
    asset_class: str = EQUITY
    feed: str = "iex"
    crypto_location: str = "us"
    fractional: bool = False
    trading_url: str = ""
    data_url: str = ""
    trading_stream_url: str = ""
    data_stream_url: str = ""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 10.0
    reads_retried: int = 3
    read_deadline_s: float = 45.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    steady_s: float = 10.0
    heartbeat_s: float = 10.0
    handshake_timeout_s: float = 10.0
    replaced_within_s: float = 3.0
    rules_every_s: float = 300.0
    requests_per_minute: int = 200
    maximum_waiting: int = 64

    def __post_init__(self) -> None:
        for name, value, known in (
            ("environment", self.environment, (PAPER, LIVE)),
            ("asset_class", self.asset_class, (EQUITY, CRYPTO)),
            ("feed", self.feed, ("iex", "sip")),
        ):
            if value not in known:
                raise ValueError(f"alpaca {name} {value!r}: write {' or '.join(known)}")
        if not self.api_key or not self.api_secret:
            raise ValueError("alpaca: an API key and its secret are needed")

    @property
    def trading(self) -> str:
        """The address of orders and the account."""
        return (self.trading_url or TRADING_URLS[self.environment]).rstrip("/")

    @property
    def data(self) -> str:
        """The address of bars and last trades."""
        return (self.data_url or DATA_URL).rstrip("/")

    @property
    def trading_stream(self) -> str:
        """The stream of what happens to orders."""
        return self.trading_stream_url or TRADING_STREAM_URLS[self.environment]

    @property
    def data_stream(self) -> str:
        """The stream of market data."""
        if self.data_stream_url:
            return self.data_stream_url
        place = f"/v2/{self.feed}" if self.asset_class == EQUITY else f"/v1beta3/crypto/{self.crypto_location}"
        return DATA_STREAM_URL + place

    @property
    def answer_timeout_s(self) -> float:
        """How long an answer may take in all, after which a request counts as lost."""
        return self.connect_timeout_s + self.read_timeout_s + 1.0
