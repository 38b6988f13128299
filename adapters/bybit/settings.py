"""Where Bybit is and how this account talks to it. Owns the addresses of its environments; does no input or output."""

import msgspec

from adapters.edge.secrets import Secret

CATEGORIES = ("spot", "linear", "inverse")
# REST, public streams (the category is added), private stream. Demo trading sees the market of mainnet.
ENVIRONMENTS = {
    "mainnet": ("https://api.bybit.com", "wss://stream.bybit.com/v5/public", "wss://stream.bybit.com/v5/private"),
    "testnet": (
        "https://api-testnet.bybit.com",
        "wss://stream-testnet.bybit.com/v5/public",
        "wss://stream-testnet.bybit.com/v5/private",
    ),
    "demo": (
        "https://api-demo.bybit.com",
        "wss://stream.bybit.com/v5/public",
        "wss://stream-demo.bybit.com/v5/private",
    ),
}


class BybitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One account and one category of Bybit.

    ``rest_url``, ``public_ws_url`` (whole, with the category) and ``private_ws_url`` replace those of the environment.
    Without a key only market data can be had. Pauses between connections double from the first to the longest.
    ``request_weight`` is what may be asked in a second, in ccxt's weights (an order 2.5, a read 5; the venue grants
    more to some). ``rules_seconds`` is how often the venue's rules are looked at, ``keep_alive_seconds`` how often a
    connection is pinged; one that misses two answers is given up.
    """

    category: str = "linear"
    environment: str = "mainnet"
    rest_url: str = ""
    public_ws_url: str = ""
    private_ws_url: str = ""
    api_key: Secret = Secret("")
    api_secret: Secret = Secret("")
    account_type: str = "UNIFIED"
    recv_window_ms: int = 5000
    request_weight: int = 50
    request_seconds: float = 10.0
    connect_seconds: float = 10.0
    read_deadline_seconds: float = 30.0
    read_attempts: int = 4
    first_pause_seconds: float = 0.25
    longest_pause_seconds: float = 30.0
    keep_alive_seconds: float = 10.0
    rules_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"category {self.category!r}: write one of {', '.join(CATEGORIES)}")
        if self.environment not in ENVIRONMENTS:
            raise ValueError(f"environment {self.environment!r}: write one of {', '.join(ENVIRONMENTS)}")

    @property
    def rest(self) -> str:
        """The address of the REST interface, without a slash at its end."""
        return (self.rest_url or ENVIRONMENTS[self.environment][0]).rstrip("/")

    @property
    def public_stream(self) -> str:
        """The address of the public stream of the category."""
        return self.public_ws_url or f"{ENVIRONMENTS[self.environment][1]}/{self.category}"

    @property
    def private_stream(self) -> str:
        """The address of the account's stream."""
        return self.private_ws_url or ENVIRONMENTS[self.environment][2]

    @property
    def has_key(self) -> bool:
        """Whether there is an account to ask about."""
        return bool(self.api_key) and bool(self.api_secret)
