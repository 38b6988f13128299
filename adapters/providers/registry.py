"""The providers by name: how each is made, which keys it takes, and where those are found when nobody says.

Owns the list. A provider's module is imported only when it is made: ccxt alone takes a second.
"""

from collections.abc import Mapping

import msgspec

from adapters.edge.secrets import Secret, load_secret
from adapters.providers.http import Settings
from adapters.providers.shapes import Limits, Provider, ProviderError, Reason


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a provider without making it. ``variables`` are for its key and its secret."""

    title: str
    what: str
    limits: Limits
    variables: tuple[str, ...]
    needs_key: bool


KNOWN = {
    "alpaca": Known(
        title="Alpaca", what="US equities, crypto", limits=Limits(200),
        variables=("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), needs_key=True,
    ),
    "polygon": Known(
        title="Polygon", what="US equities, crypto, currencies", limits=Limits(5), variables=("POLYGON_API_KEY",),
        needs_key=True,
    ),
    "twelvedata": Known(
        title="Twelve Data", what="equities, crypto, currencies", limits=Limits(8), variables=("TWELVEDATA_API_KEY",),
        needs_key=True,
    ),
    "marketdata": Known(
        title="MarketData.app", what="US equities", limits=Limits(100), variables=("MARKETDATA_TOKEN",), needs_key=True
    ),
    "yfinance": Known(
        title="Yahoo Finance", what="equities, crypto, currencies", limits=Limits(60), variables=(), needs_key=False
    ),
}  # fmt: skip


def make_provider(name: str, settings: Settings, sources: tuple[str, ...], environment: Mapping[str, str]) -> Provider:
    """A provider by its name; any name that is not of KNOWN is one of ccxt's.

    ``sources`` say where its key and its secret are (see ``load_secret``); without them they come from its own
    variables where these are set. Raises SecretError, and ProviderError for a name that nobody knows.
    """
    known = KNOWN.get(name)
    if known is not None and len(sources) > len(known.variables):
        takes = f"takes {len(known.variables) or 'no'} key{'s' * (len(known.variables) != 1)}"
        raise ProviderError(Reason.REFUSED, f"{name}: {takes}, but {len(sources)} are given")
    keys: list[Secret | None] = [load_secret(f"{name} key", source, environment) for source in sources]
    for variable in known.variables[len(keys) :] if known is not None else ():
        found = environment.get(variable)
        keys.append(load_secret(f"{name} key", f"env:{variable}", environment) if found else None)
    return _made(name, settings, [*keys, None, None])


def _made(name: str, settings: Settings, keys: list[Secret | None]) -> Provider:
    if name == "alpaca":
        from adapters.providers.alpaca import Alpaca

        return Alpaca(keys[0], keys[1], settings)
    if name == "polygon":
        from adapters.providers.polygon import Polygon

        return Polygon(keys[0], settings)
    if name == "twelvedata":
        from adapters.providers.twelvedata import TwelveData

        return TwelveData(keys[0], settings)
    if name == "marketdata":
        from adapters.providers.marketdata import MarketData

        return MarketData(keys[0], settings)
    if name == "yfinance":
        from adapters.providers.yahoo import Yahoo

        return Yahoo(settings)
    from adapters.providers.exchange import Exchange

    return Exchange(name, keys[0], keys[1], settings)
