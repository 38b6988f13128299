"""``kernel data fetch`` and ``kernel data providers``: download bars into the catalogue, and from whom.

Owns their command lines. Keys are named (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/NAME``) and never written out.
An interruption keeps what has come; the same command goes on with it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.data import DEFAULT_ROOT, DataFailure
from kernel.plurals import counted

if TYPE_CHECKING:
    from adapters.providers.chain import Chain, FreshQuote
    from replay.fetch.fetching import FetchReport
    from replay.fetch.staging import Request

KEY_FORMS = ("env:", "file:", "keyring:")
PATH = click.Path(path_type=Path)


def _say(line: str) -> None:
    click.echo(f"kernel data fetch: {line}", err=True)


# fmt: off
@click.command("fetch", no_args_is_help=True)
@click.option("--venue", required=True,
              help="alpaca, polygon, twelvedata, marketdata, yfinance, or an exchange of ccxt: bybit, binance, ...")
@click.option("--symbol", required=True, help="The symbol there: AAPL, BTC/USD, BTCUSDT, BTC/USDT:USDT, ...")
@click.option("--as", "catalogue_symbol", default="", metavar="SYMBOL",
              help="What the catalogue calls it, such as BTCUSD for BTC/USD; the symbol there otherwise.")
@click.option("--timeframe", default="1m", show_default=True, help="The length of a bar: 1m, 5m, 1h, 1d, ...")
@click.option("--from", "start", default="", help="First time to include, such as 2024-01-31. UTC.")
@click.option("--to", "end", default="", help="Time to stop before; without it, up to the last whole bar.")
@click.option("--out", "root", default=DEFAULT_ROOT, show_default=True, type=PATH, help="The catalogue.")
@click.option("--fallback", "fallbacks", multiple=True, metavar="NAME[=SYMBOL]",
              help="Another provider, for when the first gives nothing. May be repeated, in order.")
@click.option("--url", "urls", multiple=True, metavar="[NAME=]URL", help="Where a provider is. May be repeated.")
@click.option("--key", "keys", multiple=True, metavar="[NAME=]SOURCE",
              help="Where a key is: env:NAME, file:PATH or keyring:SERVICE/NAME. May be repeated.")
@click.option("--secret", "secrets", multiple=True, metavar="[NAME=]SOURCE",
              help="Where a second key is, if there is one.")
@click.option("--per-minute", type=click.IntRange(1), help="Requests in a minute that the plan of --venue allows.")
@click.option("--timeout", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Seconds for one answer.")
@click.option("--attempts", type=click.IntRange(1, 20), default=5, show_default=True, help="Tries of one request.")
@click.option("--tick-size", default="", metavar="0.01", help="The price grid; the provider's otherwise, or inferred.")
@click.option("--lot-size", default="", metavar="1e-8", help="The size grid; the provider's otherwise, or inferred.")
@click.option("--currency", default="", metavar="USD", help="What prices are in.")
@click.option("--multiplier", default="", metavar="1", help="Units of the underlying in one of quantity.")
@click.option("--asset-class", default="", metavar="spot", help="spot, equity, fx, perpetual, ...")
@click.option("--calendar", default="", metavar="XNYS", help="The exchange whose sessions the data has.")
@click.option("--repair", "repairs", multiple=True, metavar="RULE", help="As for kernel data import. May be repeated.")
@click.option("--replace", is_flag=True, help="Download a file that exists anew.")
@click.option("--restart", is_flag=True, help="Throw away what an interrupted download left.")
@click.option("--quote", "only_quote", is_flag=True, help="Print the latest quote and its age; download nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fetch(start: str, end: str, root: Path, only_quote: bool, as_json: bool, **options: Any) -> None:
    """Download bars of one instrument into the catalogue, and go on with what was begun.

    What has come is kept after each page: interrupt it and run it again. In a market that never closes, bars that are
    absent are asked for twice. A file that exists is gone on with from its last bar.
    """
    import asyncio

    from adapters.edge.secrets import SecretError
    from adapters.providers.shapes import ProviderError
    from replay.catalogue import CatalogueError
    from replay.config import ConfigError

    if options["replace"] and not start:
        raise click.UsageError("--replace needs --from")
    try:
        with _needing_extra("kernel data fetch"):
            asyncio.run(_quote(as_json, **options) if only_quote else _bars(start, end, root, as_json, **options))
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    except (CatalogueError, ProviderError, SecretError) as error:
        raise DataFailure("\n".join(f"kernel data fetch: {line}" for line in str(error).splitlines())) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise DataFailure(f"kernel data fetch: {place}{error.strerror or error}") from None
    except KeyboardInterrupt:
        _say("interrupted; what has come is kept, the same command goes on with it")
        raise
# fmt: on


@contextlib.contextmanager
def _needing_extra(command: str) -> Iterator[None]:
    """One line where the packages that speak with providers are not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("aiohttp", "ccxt"):
            raise
        raise DataFailure(f"{command}: needs the extra: pip install 'trading-kernel[live]'") from None


async def _bars(start: str, end: str, root: Path, as_json: bool, **options: Any) -> None:
    from kernel.cli.progress import ProgressBar
    from replay.catalogue import ImportOptions
    from replay.fetch.fetching import fetch as fetch_bars

    request = _request(start, end, options)
    names = ("tick_size", "lot_size", "currency", "multiplier", "asset_class", "calendar", "replace")
    repairs = tuple(rule.strip() for value in options["repairs"] for rule in value.split(",") if rule.strip())
    told = ImportOptions(repairs=repairs, **{name: options[name] for name in names})
    chain = _chain(options)
    try:
        with ProgressBar(f"{request.venue} {request.symbol}") as bar:
            report = await fetch_bars(
                chain, root, request, told, restart=options["restart"], on_progress=bar, tell=_say
            )  # fmt: skip
    finally:
        await chain.close()
    _render(report, as_json)


def _request(start: str, end: str, options: dict[str, Any]) -> Request:
    import time

    from replay.catalogue import CatalogueError
    from replay.catalogue.intervals import parse_interval
    from replay.config.amounts import instant_ns
    from replay.fetch.fetching import last_whole_ns
    from replay.fetch.staging import Request

    interval_ns = parse_interval(options["timeframe"])
    now_ns = time.time_ns()
    start_ns, end_ns = instant_ns("--from", start), instant_ns("--to", end)
    if start_ns is None:
        raise CatalogueError("--from is missing: say where to begin, such as --from 2024-01-31")
    end_ns = min(end_ns if end_ns is not None else now_ns, last_whole_ns(interval_ns, now_ns))
    if start_ns >= end_ns:
        raise CatalogueError(f"--from {start} is not before the end: there is no whole bar between them")
    symbol = options["catalogue_symbol"] or options["symbol"]
    return Request(options["venue"], symbol, interval_ns, start_ns, end_ns)


def _chain(options: dict[str, Any]) -> Chain:
    """The venue and its fallbacks, each with its own place and keys."""
    from adapters.edge.retry import Backoff
    from adapters.providers.chain import Chain, Link
    from adapters.providers.http import Settings
    from adapters.providers.registry import make_provider
    from adapters.providers.shapes import Limits

    venue = options["venue"]
    parts = [name.partition("=") for name in options["fallbacks"]]
    wanted = [(venue, options["symbol"])] + [(name, symbol or options["symbol"]) for name, _, symbol in parts]
    names = [name for name, _ in wanted]
    urls = _named("--url", options["urls"], venue, names, ("http://", "https://"))
    keys = _named("--key", options["keys"], venue, names, KEY_FORMS)
    secrets = _named("--secret", options["secrets"], venue, names, KEY_FORMS)
    links = []
    for name, symbol in wanted:
        limits = Limits(options["per_minute"]) if options["per_minute"] and name == venue else None
        settings = Settings(
            base_url=urls.get(name, ""), limits=limits, timeout_seconds=options["timeout"],
            backoff=Backoff(attempts=options["attempts"]), tell=_say,
        )  # fmt: skip
        sources = tuple(found[name] for found in (keys, secrets) if name in found)
        links.append(Link(make_provider(name, settings, sources, os.environ), symbol))
    return Chain(links, tell=_say)


def _named(
    option: str, values: tuple[str, ...], venue: str, names: list[str], forms: tuple[str, ...]
) -> dict[str, str]:
    """``NAME=VALUE`` for each provider; a value without a name is the venue's. No message repeats a value."""
    from adapters.edge.secrets import HOW_TO_WRITE

    found = {}
    for value in values:
        name, text = venue, value
        if not value.startswith(forms):
            name, _, text = value.partition("=")
            if name not in names or not text.startswith(forms):
                how = "write https://HOST" if option == "--url" else HOW_TO_WRITE
                raise click.UsageError(f"{option}: {how}, or NAME=... of a provider: {', '.join(names)}")
        found[name] = text
    return found


def _render(report: FetchReport, as_json: bool) -> None:
    from kernel.cli.data import _facts, _utc

    imported = report.report.lines() if report.report else []
    for line in [*(f"note: {note}" for note in report.notes), *imported]:
        click.echo(line, err=True)
    if report.absent_bars:
        for start_ns, end_ns in report.no_trade[:5]:
            click.echo(f"no trade: {_utc(start_ns)[:19]} to {_utc(end_ns)[:19]}", err=True)
        more = len(report.no_trade) - 5
        rest = f", {more:,} more stretches in the record beside the file" if more > 0 else ""
        click.echo(f"absent: {counted(report.absent_bars, 'bar')}{rest}", err=True)
    if as_json:
        facts = _facts(report.file) | {
            "rows_fetched": report.rows, "absent_bars": report.absent_bars, "no_trade": report.no_trade,
            "notes": report.notes,
        }  # fmt: skip
        click.echo(json.dumps(facts))
        return
    rows = sum(report.rows.values())
    given = ", ".join(f"{count:,} of {name}" for name, count in report.rows.items())
    click.echo(f"{report.file.path}: {counted(report.file.rows, 'row')}, {rows:,} new{f' ({given})' if given else ''}")


async def _quote(as_json: bool, **options: Any) -> None:
    chain = _chain(options)
    try:
        seen = await chain.fetch_quote()
    finally:
        await chain.close()
    _render_quote(seen, as_json)
    if seen.is_stale:
        raise DataFailure(f"kernel data fetch: {seen.quote.provider}: the quote is stale")


def _render_quote(seen: FreshQuote, as_json: bool) -> None:
    quote = seen.quote
    numbers = {name: getattr(quote, name) for name in ("bid", "bid_size", "ask", "ask_size", "last")}
    told = {name: format(value, "f") for name, value in numbers.items() if value is not None}
    if quote.is_crossed:
        _say(f"{quote.provider}: the bid is above the ask")
    age = f"{seen.age_seconds:.1f}"
    if as_json:
        facts = {"provider": quote.provider, "symbol": quote.symbol, "ts_ns": quote.ts_ns, **told}
        click.echo(json.dumps(facts | {"age_seconds": float(age), "is_stale": seen.is_stale}))
        return
    words = "  ".join(f"{name} {value}" for name, value in told.items())
    when = f"{age} s old" if quote.ts_ns else "of an unknown time"
    click.echo(f"{quote.provider} {quote.symbol}  {words}  {when}{', stale' if seen.is_stale else ''}")


@click.command("providers")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each.")
def providers(as_json: bool) -> None:
    """List the providers with their limits and where their keys are looked for."""
    with _needing_extra("kernel data providers"):
        from adapters.providers.registry import KNOWN

    for name, known in KNOWN.items():
        facts = {
            "name": name, "title": known.title, "what": known.what, "requests": known.limits.requests,
            "period_seconds": known.limits.period_seconds, "variables": known.variables,
        }  # fmt: skip
        if as_json:
            click.echo(json.dumps(facts))
            continue
        keys = " ".join(known.variables) or "no key"
        click.echo(f"{name:<11} {known.limits.requests:>4}/min  {known.what:<33} {keys}")
    if not as_json:
        click.echo(f"{'EXCHANGE':<11}  its own  {'any exchange of ccxt':<33} no key")
