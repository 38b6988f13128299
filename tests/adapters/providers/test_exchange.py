"""Exchanges by ccxt: its errors, its rows with every digit, its markets, and its habit of taking ruins for answers."""

import asyncio
import contextlib
import logging
from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

from adapters.edge.retry import Backoff
from adapters.edge.secrets import Secret, traces
from adapters.providers.alpaca import Alpaca
from adapters.providers.exchange import ERRORS, Exchange, as_provider_error, facts_of, moved, parse_book, parse_rows
from adapters.providers.http import Settings
from adapters.providers.shapes import DAY_NS, MINUTE_NS, SECOND_NS, ProviderError, Reason
from tests.venues.process import Server

START_NS = 1670889600 * SECOND_NS

ROWS = [
    (ccxt.BadSymbol("x"), Reason.UNKNOWN_SYMBOL),
    (ccxt.AuthenticationError("x"), Reason.WRONG_KEY),
    (ccxt.PermissionDenied("x"), Reason.WRONG_KEY),
    (ccxt.AccountSuspended("x"), Reason.WRONG_KEY),
    (ccxt.NotSupported("x"), Reason.NOT_SERVED),
    (ccxt.RateLimitExceeded("x"), Reason.RATE_LIMITED),
    (ccxt.DDoSProtection("x"), Reason.RATE_LIMITED),
    (ccxt.OnMaintenance("x"), Reason.UNAVAILABLE),
    (ccxt.ExchangeNotAvailable("x"), Reason.UNAVAILABLE),
    (ccxt.RequestTimeout("x"), Reason.UNAVAILABLE),
    (ccxt.NetworkError("x"), Reason.UNAVAILABLE),
    (ccxt.BadResponse("x"), Reason.BAD_ANSWER),
    (ccxt.NullResponse("x"), Reason.BAD_ANSWER),
    (ccxt.BadRequest("x"), Reason.REFUSED),
    (ccxt.ExchangeError("x"), Reason.REFUSED),
    (ccxt.BaseError("x"), Reason.REFUSED),
    (ConnectionResetError("x"), Reason.UNAVAILABLE),
    (TimeoutError("x"), Reason.UNAVAILABLE),
    (ValueError("x"), Reason.BAD_ANSWER),
    (TypeError("x"), Reason.BAD_ANSWER),
    (KeyError("x"), Reason.BAD_ANSWER),
    (ArithmeticError("x"), Reason.BAD_ANSWER),
    (AttributeError("x"), Reason.BAD_ANSWER),
]


@pytest.mark.parametrize(("error", "reason"), ROWS, ids=lambda value: type(value).__name__)
def test_each_error_of_ccxt_has_a_meaning(error: Exception, reason: Reason) -> None:
    found = as_provider_error("bybit", error)
    assert found.reason is reason
    assert str(found).startswith(f"bybit: {reason.value[0]}: ")


def test_every_row_of_the_table_is_reached() -> None:
    for kind, reason in ERRORS:
        assert as_provider_error("x", kind("said")).reason is reason


def test_an_error_is_one_line_without_keys() -> None:
    error = ccxt.ExchangeError("bybit {apiKey: a-secret-key}\nmore")
    assert str(as_provider_error("bybit", error, (Secret("a-secret-key"),))) == "bybit: refused: {apiKey: ***}"
    with pytest.raises(AssertionError):
        as_provider_error("x", AssertionError("a bug of ours"))


def test_rows_keep_their_digits() -> None:
    [bar] = parse_rows([[60_000, "17071.50", "17073", "0.00000001", "17055.5", None]])
    assert bar.ts_open_ns == MINUTE_NS
    assert [str(value) for value in (bar.open, bar.high, bar.close)] == ["17071.50", "17073", "17055.5"]
    assert bar.volume is None
    with pytest.raises(ArithmeticError):
        parse_rows([[60_000, "x", "1", "1", "1", "1"]])


def test_a_book_may_lack_a_side_or_a_time() -> None:
    quote = parse_book({"bids": [["1.5", "2"]], "asks": [], "timestamp": None}, "x", "S")
    assert (quote.bid, quote.bid_size, quote.ask, quote.ts_ns) == (Decimal("1.5"), Decimal(2), None, 0)


def test_facts_of_markets() -> None:
    swap = {
        "type": "swap", "contract": True, "inverse": True, "settle": "BTC", "quote": "USD", "contractSize": "1",
        "precision": {"price": "0.50", "amount": "1"},
    }  # fmt: skip
    facts = facts_of(swap, True)
    assert (facts.asset_class, facts.currency, facts.multiplier) == ("perpetual", "BTC", "1")
    assert (facts.tick_size, facts.lot_size, facts.always_open) == ("0.50", "1", True)
    # Numbers of decimals and of digits are no steps.
    assert facts_of(swap, False).tick_size == ""
    assert facts_of({"type": "option"}, True).asset_class == ""
    assert facts_of({"type": "future", "contract": True, "precision": {}}, True).asset_class == "future"


def test_places_move_with_their_paths() -> None:
    urls = {"public": "https://api.x.com/api/v3", "all": {"spot": "https://{hostname}/v5"}, "n": None}
    assert moved(urls, "http://127.0.0.1:9/") == {
        "public": "http://127.0.0.1:9/api/v3", "all": {"spot": "http://127.0.0.1:9/v5"}, "n": None
    }  # fmt: skip


def test_an_exchange_that_nobody_knows() -> None:
    with pytest.raises(ProviderError, match=r"^no provider 'binanse'; did you mean binance\?$"):
        Exchange("binanse")


async def bars_of(exchange: Exchange) -> int:
    pages = exchange.fetch_bars("BTC/USDT", MINUTE_NS, START_NS, START_NS + DAY_NS)
    return sum([len(page.bars) async for page in pages])


async def failure_of(exchange: Exchange) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await bars_of(exchange)
    return raised.value


async def begin(server: Server, faults: str) -> None:
    await asyncio.to_thread(server.post, "/test/begin", {"faults": faults})


def test_an_answer_in_ruins_is_no_answer_without_bars_and_a_wait_is_heard(server: Server) -> None:
    async def scenario() -> None:
        exchange = Exchange("bybit", settings=Settings(base_url=server.url, backoff=Backoff(attempts=1)))
        try:
            assert await bars_of(exchange) == 1440
            for fault in ("truncated", "malformed"):
                await begin(server, f"{fault}@kline=1")
                error = await failure_of(exchange)
                assert error.reason is Reason.BAD_ANSWER
                assert str(error).startswith("bybit: bad answer: an answer that is not JSON")
            await begin(server, "http_429@kline=1")
            error = await failure_of(exchange)
            assert (error.reason, error.retry_after_seconds) == (Reason.RATE_LIMITED, 1.0)
            await begin(server, "http_500@kline=1")
            assert (await failure_of(exchange)).reason is Reason.UNAVAILABLE
        finally:
            await exchange.close()

    asyncio.run(scenario())


def test_no_log_at_any_level_holds_a_key(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keys = {"key": Secret(server.line["key"]), "secret": Secret(server.line["secret"])}

    async def scenario() -> None:
        for provider, symbol in (
            (Exchange("bybit", *keys.values(), Settings(base_url=server.url, backoff=Backoff(attempts=1))), "BTC/USDT"),
            (Alpaca(*keys.values(), Settings(base_url=server.url)), "AAPL"),
        ):
            try:
                with contextlib.suppress(ProviderError):  # with keys ccxt asks for more than this server has
                    await provider.fetch_quote(symbol)
            finally:
                await provider.close()

    asyncio.run(scenario())
    assert caplog.records  # asyncio's own at least: the level holds
    assert not traces(caplog.text.encode(), keys)
