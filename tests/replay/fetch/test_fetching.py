"""A download from request to file, with providers in memory: what is asked twice, and what a kill leaves behind."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.providers.chain import Chain, Link
from adapters.providers.shapes import MINUTE_NS, Facts, ProviderError, Reason
from replay.catalogue import CatalogueError, ImportOptions, import_file
from replay.fetch.fetching import FetchReport, fetch, last_whole_ns
from replay.fetch.staging import Request, Staging
from replay.fetch.target import choose_target
from tests.adapters.providers.scripted import ScriptedProvider

ALWAYS = Facts(tick_size="0.5", lot_size="1", currency="USD", always_open=True)


def run(root: Path, provider: ScriptedProvider, start: int, end: int, *more: ScriptedProvider, **words) -> FetchReport:
    """Download minutes ``start`` to ``end`` since the epoch."""
    chain = Chain([Link(one, "X") for one in (provider, *more)])
    request = Request("acme", "X", MINUTE_NS, start * MINUTE_NS, end * MINUTE_NS)
    return asyncio.run(fetch(chain, root, request, ImportOptions(**words)))


def minutes(report: FetchReport) -> list[int]:
    return [ts // MINUTE_NS for ts in pq.read_table(report.file.path).column("ts_open").to_pylist()]


class Forgetful(ScriptedProvider):
    """Leaves bars out until they are asked for once more."""

    def __init__(self, forgets: set[int], *words, **more) -> None:
        super().__init__(*words, **more)
        self.forgets = forgets

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int):
        async for page in super().fetch_bars(symbol, interval_ns, start_ns, end_ns):
            kept = tuple(bar for bar in page.bars if bar.ts_open_ns // MINUTE_NS not in self.forgets)
            self.forgets -= {bar.ts_open_ns // MINUTE_NS for bar in page.bars}
            yield type(page)(page.start_ns, page.end_ns, kept, page.provider)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.sets(st.integers(1, 59), min_size=1), st.sets(st.integers(1, 59)), st.integers(4, 40),
    st.lists(st.integers(1, 59), max_size=3),
)  # fmt: skip
def test_whatever_is_there_comes_and_the_rest_is_no_trade(tmp_path_factory, there, forgets, page, cuts) -> None:
    root = tmp_path_factory.mktemp("catalogue")
    first = min(there)
    ends = [*sorted({end for end in cuts if end > first}), 60]
    for end in ends:
        provider = Forgetful(set(forgets), "acme", there, facts=ALWAYS, page_minutes=page)
        report = run(root, provider, first, end)
    assert minutes(report) == sorted(there)
    gone = [place for place in range(first, 60) if place not in there]
    stretches = [place for low, high in report.no_trade for place in range(low // MINUTE_NS, high // MINUTE_NS)]
    assert stretches == gone
    assert report.absent_bars == len(gone)


def test_a_market_with_hours_is_not_asked_twice(tmp_path: Path) -> None:
    provider = ScriptedProvider("acme", {1, 5}, facts=Facts(tick_size="0.5", currency="USD"))
    report = run(tmp_path, provider, 0, 10)
    assert provider.asked == [(0, 10)]
    assert report.absent_bars is None
    assert report.no_trade == ()


def test_a_run_killed_after_its_import_is_finished_by_the_next(tmp_path: Path) -> None:
    request = Request("acme", "X", MINUTE_NS, MINUTE_NS, 6 * MINUTE_NS)
    target = choose_target(tmp_path, request, False)
    with Staging(target.folder, request) as staging:
        page = asyncio.run(
            anext(ScriptedProvider("acme", {1, 2, 5}).fetch_bars("X", MINUTE_NS, MINUTE_NS, 6 * MINUTE_NS))
        )
        staging.append(page, [])
        words = {
            "tick_size": "0.5",
            "lot_size": "1",
            "currency": "USD",
            "kind": "bars",
            "interval": "1m",
            "ts_unit": "ns",
        }
        import_file(staging.sources(), tmp_path, ImportOptions(venue="acme", symbol="X", **words))
    assert target.folder.exists()
    provider = ScriptedProvider("acme", set(range(1, 9)) - {3, 4}, facts=ALWAYS)
    report = run(tmp_path, provider, 1, 9)
    assert minutes(report) == [1, 2, 5, 6, 7, 8]
    assert provider.asked == [(6, 9)]
    assert not target.folder.exists()


def test_a_stated_tick_that_older_bars_do_not_keep_is_inferred(tmp_path: Path) -> None:
    provider = ScriptedProvider("acme", {1, 2}, facts=Facts(tick_size="1", lot_size="1", currency="USD"))
    report = run(tmp_path, provider, 0, 5)  # at 10.5
    assert report.file.instrument.tick_size == "0.1"
    assert report.notes == ("tick size: 1 of the provider does not fit all of its bars; inferred instead",)


def test_a_tick_by_hand_is_kept_to_and_the_rows_stay_for_another_try(tmp_path: Path) -> None:
    facts = Facts(currency="USD")
    with pytest.raises(CatalogueError, match=r"no multiple of the tick size[\s\S]*the 2 rows are kept: run again"):
        run(tmp_path, ScriptedProvider("acme", {1, 2}, facts=facts), 0, 5, tick_size="1")
    again = ScriptedProvider("acme", {1, 2}, facts=facts)
    assert run(tmp_path, again, 0, 5, tick_size="0.5").file.rows == 2
    assert again.asked == []


class Upset(ScriptedProvider):
    """Its bar of minute 2 has a high below its low."""

    async def fetch_bars(self, symbol: str, interval_ns: int, start_ns: int, end_ns: int):
        async for page in super().fetch_bars(symbol, interval_ns, start_ns, end_ns):
            bars = [
                msgspec.structs.replace(bar, high=Decimal(9)) if bar.ts_open_ns == 2 * MINUTE_NS else bar
                for bar in page.bars
            ]
            yield msgspec.structs.replace(page, bars=tuple(bars))


def test_bad_bars_are_refused_and_a_repair_imports_what_is_there(tmp_path: Path) -> None:
    facts = Facts(currency="USD")
    with pytest.raises(CatalogueError, match=r"high below low \(--repair clip-range or drop-invalid\) \(1 row: 2\)"):
        run(tmp_path, Upset("acme", {1, 2, 3}, facts=facts), 0, 5)
    again = Upset("acme", {1, 2, 3}, facts=facts)
    report = run(tmp_path, again, 0, 5, repairs=("drop-invalid",))
    assert minutes(report) == [1, 3]
    assert again.asked == []


def test_a_late_beginning_is_told(tmp_path: Path) -> None:
    report = run(tmp_path, ScriptedProvider("acme", {7, 8}, facts=ALWAYS), 0, 9)
    assert report.notes == ("the first bar is of 1970-01-01T00:07:00Z; the provider has none before",)
    assert report.absent_bars == 0


def test_the_next_provider_says_what_the_instrument_is_when_the_first_is_down(tmp_path: Path) -> None:
    first = Silent("first", set(), [Reason.UNAVAILABLE] * 9)
    second = ScriptedProvider("second", {1, 2}, facts=ALWAYS)
    report = run(tmp_path, first, 1, 3, second)
    assert report.rows == {"second": 2}
    assert report.file.instrument.tick_size == "0.1"  # of the data: the second's tick is not the first's


class Silent(ScriptedProvider):
    """Says nothing of an instrument."""

    async def describe(self, symbol: str) -> Facts:
        raise ProviderError(Reason.UNAVAILABLE, f"{self.name}: unavailable")


def test_who_gave_which_rows_is_in_the_file_and_the_record(tmp_path: Path) -> None:
    first = ScriptedProvider("a", set(range(30)), [None, Reason.UNAVAILABLE], facts=Facts(currency="USD"))
    report = run(tmp_path, first, 0, 30, ScriptedProvider("b", set(range(30))))
    assert report.rows == {"a": 10, "b": 20}
    sources = [(source.name.split("_")[0], source.rows) for source in report.file.metadata.sources]
    assert sources == [("a", 10), ("b", 20)]
    record = json.loads(report.file.path.with_name("bars-1m.fetch.json").read_text())
    assert record["fetches"][0]["rows"] == {"a": 10, "b": 20}


def test_a_failure_keeps_what_has_come(tmp_path: Path) -> None:
    facts = Facts(currency="USD")
    with pytest.raises(ProviderError):
        run(tmp_path, ScriptedProvider("a", set(range(30)), [None, None, Reason.UNAVAILABLE], facts=facts), 0, 30)
    again = ScriptedProvider("a", set(range(30)), facts=facts)
    assert minutes(run(tmp_path, again, 0, 30)) == list(range(30))
    assert again.asked == [(20, 30)]


def test_a_bar_that_is_still_being_made_is_not_asked_for() -> None:
    now_ns = 10 * MINUTE_NS + 1
    # The bar of minute 9 ended at minute 10; the end is exclusive.
    assert 9 * MINUTE_NS < last_whole_ns(MINUTE_NS, now_ns) <= 10 * MINUTE_NS
    assert last_whole_ns(MINUTE_NS, 10 * MINUTE_NS - 1) <= 9 * MINUTE_NS
