"""``kernel data fetch`` as a user runs it: real sockets to a server that speaks as the providers do."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from adapters.edge.secrets import Secret, traces
from kernel.cli import cli
from replay.catalogue import open_file
from replay.catalogue.validate import validate_file
from tests.cli.helpers import start_kernel
from tests.venues.process import Server, started
from tests.venues.provider_bars import read_bars

AAPL_SPAN = ("--from", "2014-06-05", "--to", "2014-06-10")
BYBIT_SPAN = ("--from", "2022-12-13", "--to", "2022-12-14")
MINUTE_NS = 60 * 10**9


@pytest.fixture(scope="module")
def server_process() -> Iterator[Server]:
    with started("tests.venues.provider_server") as running:
        yield running


@pytest.fixture
def server(server_process: Server) -> Server:
    server_process.post("/test/begin")
    return server_process


class Desk:
    """A user at a terminal, with the keys of all providers in the environment."""

    def __init__(self, server: Server, root: Path) -> None:
        self.server = server
        self.root = root
        key, secret = server.line["key"], server.line["secret"]
        self.secrets = {"key": Secret(key), "secret": Secret(secret)}
        self.environment = {
            "APCA_API_KEY_ID": key, "APCA_API_SECRET_KEY": secret, "POLYGON_API_KEY": key, "TWELVEDATA_API_KEY": key,
            "MARKETDATA_TOKEN": key,
        }  # fmt: skip

    def fetch(self, venue: str, symbol: str, *more: str, **environment: str) -> Result:
        """Run it; no key is in anything that it wrote."""
        words = ["data", "fetch", "--venue", venue, "--symbol", symbol, "--url", self.server.url]
        done = CliRunner().invoke(
            cli, [*words, "--out", str(self.root), *more], env=self.environment | environment, catch_exceptions=True
        )  # fmt: skip
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        self.assert_no_keys(done.output.encode())
        return done

    def assert_no_keys(self, text: bytes) -> None:
        assert not traces(text, self.secrets)
        for path in self.root.rglob("*"):
            if path.is_file():
                assert not traces(path.read_bytes(), self.secrets), path

    def path(self, venue: str, symbol: str, timeframe: str = "1m") -> Path:
        return self.root / venue / symbol / f"bars-{timeframe}.parquet"

    def requests(self, part: str = "") -> list[str]:
        return [request for request in self.server.get("/test/requests")["requests"] if part in request]


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Desk:
    return Desk(server, tmp_path)


def columns(path: Path) -> dict[str, list[int]]:
    return pq.read_table(path).to_pydict()


def assert_bars_are(path: Path, file: str) -> None:
    """The catalogue file holds the very bars of a file of the sample."""
    instrument = open_file(path).instrument
    found, want = columns(path), read_bars(file)
    tick, lot = Decimal(instrument.tick_size), Decimal(instrument.lot_size)
    assert [ts // 10**9 for ts in found["ts_open"]] == [bar.t for bar in want]
    for name, units in (("open", tick), ("high", tick), ("low", tick), ("close", tick), ("volume", lot)):
        assert [value * units for value in found[name]] == [getattr(bar, name[0]) for bar in want], name


@pytest.mark.parametrize("venue", ["alpaca", "polygon", "twelvedata", "marketdata", "yfinance"])
def test_every_provider_of_equities_gives_the_same_file(desk: Desk, venue: str) -> None:
    desk.server.post("/test/begin", {"page": 700})
    done = desk.fetch(venue, "AAPL", *AAPL_SPAN)
    assert done.exit_code == 0, done.output
    path = desk.path(venue, "AAPL")
    assert_bars_are(path, "us_AAPL_1m.csv")
    assert f"{path}: 2,303 rows, 2,303 new (2,303 of {venue})" in done.output
    instrument = open_file(path).instrument
    assert (instrument.venue, instrument.currency, instrument.asset_class) == (venue, "USD", "equity")
    assert instrument.tick_size == ("0.01" if venue == "yfinance" else "0.0001")
    assert not [problem for problem in validate_file(path)[1] if problem.severity == "error"]


@pytest.mark.parametrize("venue", ["alpaca", "polygon", "twelvedata", "marketdata", "yfinance"])
def test_days_are_those_of_the_exchange(desk: Desk, venue: str) -> None:
    done = desk.fetch(venue, "AAPL", *AAPL_SPAN, "--timeframe", "1d")
    assert done.exit_code == 0, done.output
    opens = [ts // 10**9 for ts in columns(desk.path(venue, "AAPL", "1d"))["ts_open"]]
    assert opens == [1401940800, 1402027200, 1402286400]  # midnight in New York, a weekend between


def test_an_exchange_of_ccxt_says_tick_lot_and_kind(desk: Desk) -> None:
    done = desk.fetch("bybit", "BTCUSDT", *BYBIT_SPAN, "--json")
    assert done.exit_code == 0, done.output
    assert_bars_are(desk.path("bybit", "BTCUSDT"), "bybit_BTCUSDT_linear_1m.csv")
    facts = json.loads(done.stdout)
    told = {
        name: facts["instrument"][name] for name in ("tick_size", "lot_size", "currency", "asset_class", "multiplier")
    }
    assert told == {
        "tick_size": "0.1", "lot_size": "0.001", "currency": "USDT", "asset_class": "perpetual", "multiplier": "1"
    }  # fmt: skip
    assert "BTCUSDT is taken as BTC/USDT:USDT (perpetual); BTC/USDT has the same name" in done.output
    assert facts["rows_fetched"] == {"bybit": 721}
    # After the last bar of the sample nothing was traded.
    assert facts["absent_bars"] == 719
    assert facts["sources"][0]["name"] == "bybit_BTCUSDT_1m_20221213T000000Z.csv"
    spot = desk.fetch("bybit", "BTC/USDT", *BYBIT_SPAN)
    assert spot.exit_code == 0, spot.output
    assert_bars_are(desk.path("bybit", "BTC%2FUSDT"), "bybit_BTCUSDT_spot_1m.csv")


def test_the_catalogue_may_call_it_otherwise(desk: Desk) -> None:
    done = desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN, "--as", "BTCUSD")
    assert done.exit_code == 0, done.output
    assert open_file(desk.path("alpaca", "BTCUSD")).instrument.name == "alpaca/BTCUSD"
    assert_bars_are(desk.path("alpaca", "BTCUSD"), "bybit_BTCUSDT_spot_1m.csv")


def test_short_pages_lose_nothing(desk: Desk) -> None:
    desk.server.post("/test/begin", {"page": 400})
    assert desk.fetch("bybit", "BTC/USDT", *BYBIT_SPAN).exit_code == 0
    assert_bars_are(desk.path("bybit", "BTC%2FUSDT"), "bybit_BTCUSDT_spot_1m.csv")


def test_before_the_first_trade_few_requests_are_made(desk: Desk) -> None:
    done = desk.fetch("bybit", "BTCUSDT", "--from", "2022-06-01", "--to", "2022-12-13T12:00")
    assert done.exit_code == 0, done.output
    assert len(desk.requests("kline")) < 5
    assert "absent" not in done.output


def test_a_second_run_goes_on_where_the_first_ended(desk: Desk) -> None:
    first = desk.fetch("alpaca", "BTC/USD", "--from", "2022-12-13", "--to", "2022-12-13T08:00")
    assert "480 rows, 480 new" in first.output
    asked = len(desk.requests("crypto/us/bars"))
    second = desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN)
    assert "1,440 rows, 960 new" in second.output
    assert all("start=2022-12-13T08:00:00Z" in request for request in desk.requests("crypto/us/bars")[asked:])
    third = desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN)
    assert third.exit_code == 0
    assert "1,440 rows, 0 new" in third.output
    assert "is there already" in third.output
    assert_bars_are(desk.path("alpaca", "BTC%2FUSD"), "bybit_BTCUSDT_spot_1m.csv")
    assert len(open_file(desk.path("alpaca", "BTC%2FUSD")).metadata.sources) == 2


def test_an_absent_minute_is_asked_for_twice_then_recorded(desk: Desk) -> None:
    desk.server.post("/test/begin", {"hole": ["100-104", "?300-349"]})
    done = desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN)
    assert done.exit_code == 0, done.output
    assert "no trade: 2022-12-13 01:40:00 to 2022-12-13 01:45:00" in done.output
    assert "absent: 5 bars" in done.output
    assert "1,435 rows" in done.output
    record = json.loads(desk.path("alpaca", "BTC%2FUSD").with_name("bars-1m.fetch.json").read_text())
    start = 1670889600 * 10**9
    assert record["no_trade"] == [[start + 100 * MINUTE_NS, start + 105 * MINUTE_NS]]
    assert record["fetches"] == [
        {"start": "2022-12-13T00:00:00Z", "end": "2022-12-14T00:00:00Z", "rows": {"alpaca": 1435}, "absent_bars": 5}
    ]


def test_sessions_tell_which_minutes_are_absent(desk: Desk) -> None:
    desk.server.post("/test/begin", {"hole": ["400-404"]})
    done = desk.fetch("alpaca", "AAPL", "--from", "2014-06-05", "--to", "2014-06-06", "--calendar", "XNYS", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    want = {bar.t for bar in read_bars("us_AAPL_1m.csv")}
    opened = 1401975000  # 09:30 in New York
    grid = {opened + 60 * minute for minute in range(390)}
    dropped = {read_bars("us_AAPL_1m.csv")[place].t for place in range(400, 405)}
    assert facts["absent_bars"] == len(grid - (want - dropped)) > 0


# --- when it goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("venue", "symbol", "line"),
    [
        ("bybit", "BTCUSDX", "bybit: no symbol 'BTCUSDX'; did you mean BTCUSDT?"),
        ("alpaca", "ZZZZ", "no bars of 1m from 2014-06-05T00:00:00Z to 2014-06-10T00:00:00Z at alpaca (ZZZZ): is the"),
        ("alpaca", "A?A", "alpaca: invalid symbol: A?A"),
        ("polygon", "ZZZZ", "no bars of 1m from 2014-06-05T00:00:00Z to 2014-06-10T00:00:00Z at polygon (ZZZZ): is"),
        ("twelvedata", "ZZZZ", "twelvedata: not found: **symbol** ZZZZ not found."),
        ("marketdata", "ZZZZ", "marketdata: Invalid symbol ZZZZ."),
        ("yfinance", "ZZZZ", "yfinance: not found: No data found, symbol may be delisted"),
        ("bibit", "BTCUSDT", "no provider 'bibit'; did you mean "),
    ],
)
def test_an_unknown_symbol_is_one_line(desk: Desk, venue: str, symbol: str, line: str) -> None:
    assert_one_line(desk.fetch(venue, symbol, *AAPL_SPAN), line)
    assert not list(desk.root.rglob("*.parquet"))


def assert_one_line(done: Result, line: str) -> None:
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    assert len(lines) == 1, done.output
    assert lines[0].startswith("kernel data fetch: ")
    assert line in lines[0]


@pytest.mark.parametrize("venue", ["alpaca", "polygon", "twelvedata", "marketdata"])
def test_a_wrong_key_is_one_line(desk: Desk, venue: str) -> None:
    wrong = dict.fromkeys(desk.environment, "quite-another-key")
    done = desk.fetch(venue, "AAPL", *AAPL_SPAN, **wrong)
    assert_one_line(done, f"{venue}: the key ")
    assert "quite-another-key" not in done.output
    none = desk.fetch(venue, "AAPL", *AAPL_SPAN, **dict.fromkeys(desk.environment, ""))
    assert_one_line(none, f"{venue}: {'equities need' if venue == 'alpaca' else 'needs'} a ")


def test_keys_are_named_and_never_written_out(desk: Desk, tmp_path: Path) -> None:
    none = dict.fromkeys(desk.environment, "")
    key, secret = desk.server.line["key"], desk.server.line["secret"]
    places = {}
    for name, text in (("key", key), ("secret", secret)):
        places[name] = tmp_path / "keys" / name
        places[name].parent.mkdir(exist_ok=True)
        places[name].touch(0o600)
        places[name].write_text(text)
    desk.root = tmp_path / "catalogue"
    words = ("--key", f"file:{places['key']}", "--secret", f"alpaca=file:{places['secret']}")
    assert desk.fetch("alpaca", "AAPL", *AAPL_SPAN, *words, **none).exit_code == 0
    places["key"].chmod(0o644)
    assert_one_line(desk.fetch("alpaca", "AAPL", *AAPL_SPAN, "--replace", *words, **none), "open to other users")
    refused = desk.fetch("alpaca", "AAPL", *AAPL_SPAN, "--key", key, **none)
    assert refused.exit_code == 2
    assert "--key: write env:NAME, file:PATH or keyring:SERVICE/NAME" in refused.output


def test_a_provider_that_is_down_is_one_line_and_what_has_come_is_kept(desk: Desk) -> None:
    desk.server.post("/test/begin", {"page": 700})
    assert desk.fetch("alpaca", "AAPL", "--from", "2014-06-05", "--to", "2014-06-06").exit_code == 0
    desk.server.post("/test/begin", {"page": 300, "faults": "maintenance@bars=1"})
    down = desk.fetch("alpaca", "AAPL", *AAPL_SPAN, "--attempts", "3")
    assert down.exit_code == 1
    assert down.output.splitlines()[-1] == "kernel data fetch: alpaca: HTTP 503"
    assert "; trying again" in down.output
    assert len(desk.requests("bars")) == 3
    desk.server.post("/test/begin")
    assert desk.fetch("alpaca", "AAPL", *AAPL_SPAN).exit_code == 0
    assert_bars_are(desk.path("alpaca", "AAPL"), "us_AAPL_1m.csv")


def test_another_provider_steps_in_and_it_is_told(desk: Desk) -> None:
    desk.server.post("/test/begin", {"faults": "http_500@/v2/stocks/bars=1"})
    url = desk.server.url
    words = ("--fallback", "polygon", "--url", f"polygon={url}", "--attempts", "2")
    done = desk.fetch("alpaca", "AAPL", *AAPL_SPAN, *words)
    assert done.exit_code == 0, done.output
    assert "alpaca: HTTP 500; asking polygon" in done.output
    assert "2,303 new (2,303 of polygon)" in done.output
    assert_bars_are(desk.path("alpaca", "AAPL"), "us_AAPL_1m.csv")
    assert open_file(desk.path("alpaca", "AAPL")).metadata.sources[0].name.startswith("polygon_AAPL_1m_")


@pytest.mark.parametrize("venue", ["alpaca", "bybit"])
def test_passing_faults_pass(desk: Desk, venue: str) -> None:
    place = "kline" if venue == "bybit" else "bars"
    faults = ",".join(f"{kind}@{place}=1:1" for kind in ("http_500", "truncated", "drop_after_accept"))
    desk.server.post("/test/begin", {"page": 1000, "faults": faults})
    symbol, span, file = ("AAPL", AAPL_SPAN, "us_AAPL_1m.csv")
    if venue == "bybit":
        symbol, span, file = ("BTCUSDT", BYBIT_SPAN, "bybit_BTCUSDT_linear_1m.csv")
    done = desk.fetch(venue, symbol, *span)
    assert done.exit_code == 0, done.output
    assert_bars_are(desk.path(venue, symbol), file)
    struck = desk.server.get("/test/requests")["faults"]
    assert struck == {"http_500": 1, "truncated": 1, "drop_after_accept": 1}
    # aiohttp itself tries again when a connection that it used before is gone.
    assert done.output.count("trying again") >= 2


def test_too_many_requests_are_waited_out_as_long_as_told(desk: Desk) -> None:
    desk.server.post("/test/begin", {"faults": "http_429=1:1"})
    began = time.monotonic()
    done = desk.fetch("polygon", "AAPL", *AAPL_SPAN)
    assert done.exit_code == 0, done.output
    assert "polygon: too many requests: too many requests.; trying again" in done.output
    assert time.monotonic() - began >= 1.0


def test_no_answer_in_time_is_one_line(desk: Desk) -> None:
    desk.server.post("/test/begin", {"faults": "timeout=1"})
    done = desk.fetch("yfinance", "AAPL", *AAPL_SPAN, "--timeout", "0.1", "--attempts", "1")
    assert done.exit_code == 1
    assert len(desk.requests()) == 1
    assert done.output.splitlines()[-1] == "kernel data fetch: yfinance: no answer within 0.1 s"


def test_a_file_of_another_instrument_is_not_gone_on_with(desk: Desk) -> None:
    assert desk.fetch("bybit", "BTCUSDT", "--from", "2022-12-13", "--to", "2022-12-13T02:00").exit_code == 0
    path = desk.path("bybit", "BTCUSDT")
    path.parent.rename(path.parent.with_name("BTC%2FUSDT"))
    done = desk.fetch("bybit", "BTC/USDT", *BYBIT_SPAN)
    assert_one_line(done, "holds another instrument: asset_class perpetual there and spot here")


def test_spans_that_do_not_join_are_refused(desk: Desk) -> None:
    assert desk.fetch("alpaca", "BTC/USD", "--from", "2022-12-13T02:00", "--to", "2022-12-13T04:00").exit_code == 0
    before = desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN)
    assert_one_line(before, "begins at 2022-12-13T02:00:00Z, and nothing can be put before: add --replace")
    hole = desk.fetch("alpaca", "BTC/USD", "--from", "2022-12-13T05:00", "--to", "2022-12-13T06:00")
    assert_one_line(hole, "ends at 2022-12-13T04:00:00Z: bars from 2022-12-13T05:00:00Z would leave a hole")
    assert desk.fetch("alpaca", "BTC/USD", *BYBIT_SPAN, "--replace").exit_code == 0
    assert_bars_are(desk.path("alpaca", "BTC%2FUSD"), "bybit_BTCUSDT_spot_1m.csv")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--from", "yesterday"), "--from"),
        (("--from", "2014-06-05", "--timeframe", "1q"), "'1q' is not an interval"),
        (("--from", "2014-06-05", "--timeframe", "7s"), "alpaca: has no bars of"),
        (("--from", "2014-06-05", "--to", "2014-06-04"), "is not before the end"),
        (("--from", "2999-01-01"), "is not before the end"),
        ((), "--from is missing"),
        (("--from", "2014-06-05", "--fallback", "nobody"), "no provider 'nobody'"),
        (("--from", "2014-06-05", "--url", "ftp://x"), "--url: write https://HOST"),
        (("--from", "2014-06-05", "--secret", "x"), "--secret: write env:NAME"),
    ],
)
def test_wrong_words_are_one_line(desk: Desk, words: tuple[str, ...], line: str) -> None:
    done = desk.fetch("alpaca", "AAPL", *words)
    assert done.exit_code in (1, 2), done.output
    assert line in done.output
    assert "Traceback" not in done.output


# --- killed and interrupted -----------------------------------------------------------------------------------------


def running(desk: Desk, *more: str) -> subprocess.Popen[str]:
    words = ("data", "fetch", "--venue", "alpaca", "--symbol", "AAPL", "--url", desk.server.url, "--out", desk.root)
    return start_kernel(*words, *AAPL_SPAN, *more, **desk.environment)


def wait_for_pages(desk: Desk, pages: int) -> None:
    until = time.monotonic() + 30
    while len(desk.requests("bars")) <= pages and time.monotonic() < until:
        time.sleep(0.02)


def test_what_has_come_is_kept_when_it_is_interrupted(desk: Desk) -> None:
    desk.server.post("/test/begin", {"page": 100, "pace": 0.2})
    process = running(desk)
    wait_for_pages(desk, 8)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "interrupted; what has come is kept, the same command goes on with it" in err
    assert not desk.path("alpaca", "AAPL").exists()
    desk.server.post("/test/begin", {"page": 100})
    done = desk.fetch("alpaca", "AAPL", *AAPL_SPAN)
    assert done.exit_code == 0, done.output
    assert "going on from 2014-06-0" in done.output
    # 24 pages in all, of which at least seven were kept.
    assert len(desk.requests("bars")) <= 17
    assert_bars_are(desk.path("alpaca", "AAPL"), "us_AAPL_1m.csv")
    assert not list(desk.path("alpaca", "AAPL").parent.glob(".*"))


def test_kills_at_random_moments_change_nothing(desk: Desk) -> None:
    """``KERNEL_FETCH_KILLS`` is how many; each falls somewhere between the start of a run and its end."""
    desk.server.post("/test/begin", {"page": 50, "pace": 0.04})
    chance, killed = Random(5), 0
    for _ in range(int(os.environ.get("KERNEL_FETCH_KILLS", "1"))):
        process = running(desk)
        try:
            process.wait(timeout=chance.uniform(0.6, 2.0))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        _, err = process.communicate(timeout=30)
        assert "Traceback" not in err
        if process.returncode == 0:  # done before its kill: the next begins anew
            assert_bars_are(desk.path("alpaca", "AAPL"), "us_AAPL_1m.csv")
            shutil.rmtree(desk.path("alpaca", "AAPL").parent)
    assert killed
    assert desk.fetch("alpaca", "AAPL", *AAPL_SPAN).exit_code == 0
    assert_bars_are(desk.path("alpaca", "AAPL"), "us_AAPL_1m.csv")


def test_two_at_once_are_refused(desk: Desk) -> None:
    desk.server.post("/test/begin", {"page": 100, "pace": 0.05})
    process = running(desk)
    wait_for_pages(desk, 2)
    assert_one_line(desk.fetch("alpaca", "AAPL", *AAPL_SPAN), "another download of the same bars is running")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


# --- quotes and the list --------------------------------------------------------------------------------------------


def test_a_stale_quote_is_told_to_be_stale(desk: Desk) -> None:
    done = desk.fetch("alpaca", "AAPL", "--quote")
    assert done.exit_code == 1
    assert "alpaca AAPL  bid 161.1  bid_size 2  ask 161.11  ask_size 13" in done.output
    assert done.output.splitlines()[-1] == "kernel data fetch: alpaca: the quote is stale"
    told = json.loads(desk.fetch("bybit", "BTCUSDT", "--quote", "--json").stdout)
    assert (told["bid"], told["ask"], told["is_stale"]) == ("65485.47", "65557.7", True)


def test_the_providers_are_listed_with_their_limits() -> None:
    done = CliRunner().invoke(cli, ["data", "providers"])
    assert done.exit_code == 0
    rows = {line.split()[0]: line.split()[1] for line in done.output.splitlines()}
    assert rows["alpaca"] == "200/min"
    assert rows["polygon"] == "5/min"
    assert rows["twelvedata"] == "8/min"
    assert rows["marketdata"] == "100/min"
    told = [json.loads(line) for line in CliRunner().invoke(cli, ["data", "providers", "--json"]).output.splitlines()]
    assert {facts["name"]: facts["requests"] for facts in told}["alpaca"] == 200
