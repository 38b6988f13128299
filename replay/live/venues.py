"""The adapter that a ``[live]`` table names, with its secrets.

Owns the way from settings to an adapter; the adapter's module, and the library behind it, are imported only here.
"""

from typing import Any

from adapters.edge.secrets import Secret, SecretError, load_secret
from kernel.venue import Feeds, VenueAdapter
from replay.config import ConfigError
from replay.config.amounts import length_ns
from replay.config.live import LiveConfig, environment, market

MISSING = "live trading needs more packages: pip install 'trading-kernel[live]'"


def make_adapter(live: LiveConfig) -> VenueAdapter:
    """Raises ConfigError for a secret that cannot be had or a setting that the adapter refuses."""
    try:
        key, secret = (_secret(name, getattr(live, name)) for name in ("key", "secret"))
        return _bybit(live, key, secret) if live.venue == "bybit" else _alpaca(live, key, secret)
    except (SecretError, ValueError) as error:
        raise ConfigError(str(error)) from None
    except ModuleNotFoundError as error:
        raise ConfigError(f"{MISSING} ({error.name} is missing)") from None


def feeds_of(live: LiveConfig) -> Feeds:
    """The market data that is wanted."""
    return Feeds(
        bars="bars" in live.feeds,
        trades="trades" in live.feeds,
        quotes="quotes" in live.feeds,
        depth=live.depth_levels if "depth" in live.feeds else 0,
        funding="funding" in live.feeds,
        open_interest="open_interest" in live.feeds,
    )


def _seconds(text: str) -> float:
    return length_ns("live", text) / 1e9


def _secret(name: str, source: str) -> Secret:
    return load_secret(f"live.{name}", source) if source else Secret("")


def _bybit(live: LiveConfig, key: Secret, secret: Secret) -> VenueAdapter:
    from adapters.bybit.client import BybitAdapter
    from adapters.bybit.settings import BybitSettings

    return BybitAdapter(
        BybitSettings(
            category=market(live),
            environment=environment(live),
            rest_url=live.rest_url,
            public_ws_url=live.market_url,
            private_ws_url=live.private_url,
            api_key=key,
            api_secret=secret,
            request_seconds=_seconds(live.answer_within),
            keep_alive_seconds=_seconds(live.heartbeat_every),
        )
    )


def _alpaca(live: LiveConfig, key: Secret, secret: Secret) -> VenueAdapter:
    from adapters.alpaca.client import AlpacaAdapter
    from adapters.alpaca.settings import AlpacaSettings

    own_limit: dict[str, Any] = {"requests_per_minute": live.requests_per_minute} if live.requests_per_minute else {}
    return AlpacaAdapter(
        AlpacaSettings(
            **own_limit,
            api_key=key,
            api_secret=secret,
            environment=environment(live),
            asset_class=market(live),
            trading_url=live.rest_url,
            data_url=live.data_url,
            trading_stream_url=live.private_url,
            data_stream_url=live.market_url,
            read_timeout_s=_seconds(live.answer_within),
            heartbeat_s=_seconds(live.heartbeat_every),
        )
    )
