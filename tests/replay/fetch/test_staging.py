"""Pages on their way: whatever moment a download dies at, it goes on as if nothing had happened."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.providers.shapes import MINUTE_NS, Bar, Page
from replay.catalogue import CatalogueError
from replay.fetch.grid import missing
from replay.fetch.staging import HEADER, Request, Staging
from tests.adapters.providers.scripted import bar_at

REQUEST = Request("bybit", "BTC/USDT", MINUTE_NS, 0, 100 * MINUTE_NS)


def page(start: int, end: int, minutes: list[int], provider: str = "bybit") -> Page:
    return Page(start * MINUTE_NS, end * MINUTE_NS, tuple(bar_at(minute) for minute in minutes), provider)


def absent(of: Page) -> list[tuple[int, int]]:
    return missing([bar.ts_open_ns for bar in of.bars], of.start_ns, of.end_ns, MINUTE_NS)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_are_written_as_they_came(tmp_path: Path) -> None:
    number = Decimal("0.00000010")
    bar = Bar(MINUTE_NS, number, Decimal("1E+3"), number, Decimal("4.50"), None)
    with Staging(tmp_path / "s", REQUEST) as staging:
        staging.append(Page(0, 5 * MINUTE_NS, (bar,), "bybit"), [])
        [path] = staging.sources()
        assert path.name == "bybit_BTC-USDT_1m_19700101T000100Z.csv"
        assert path.read_bytes() == HEADER + b"60000000000,0.00000010,1000,0.00000010,4.50,\n"


def test_each_provider_has_files_of_its_own(tmp_path: Path) -> None:
    with Staging(tmp_path / "s", REQUEST) as staging:
        for number, provider in enumerate("aabba"):
            staging.append(page(number, number + 1, [number], provider), [])
        names = [path.name.split("_")[0] for path in staging.sources()]
        rows = [segment.rows for segment in staging.progress.segments]
    assert (names, rows) == (["a", "b", "a"], [2, 2, 1])


@st.composite
def downloads(draw):
    """Pages that follow each other, of one provider or another."""
    pages, at = [], 0
    for length in draw(st.lists(st.integers(1, 9), min_size=1, max_size=6)):
        minutes = sorted(draw(st.sets(st.integers(at, at + length - 1))))
        pages.append(page(at, at + length, minutes, draw(st.sampled_from("ab"))))
        at += length
    return pages


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(downloads(), st.integers(0, 5), st.binary(max_size=40), st.booleans())
def test_a_kill_at_any_moment_costs_at_most_the_page_being_written(tmp_path, pages, killed_at, torn, saved) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    for path in (whole, folder):
        shutil.rmtree(path, ignore_errors=True)
    with Staging(whole, REQUEST) as staging:
        for one in pages:
            staging.append(one, absent(one))
    killed_at = min(killed_at, len(pages))
    with Staging(folder, REQUEST) as staging:
        for one in pages[:killed_at]:
            staging.append(one, absent(one))
        # What a kill leaves: a page half written, in the file at hand or a new one, not counted yet.
        if staging.sources():
            with staging.sources()[-1].open("ab") as stream:
                stream.write(torn)
        (folder / "c_BTC-USDT_1m_19700101T000000Z.csv").write_bytes(torn)
        if saved:
            (folder / "progress.partial").write_bytes(torn)
    with Staging(folder, REQUEST) as staging:
        done = staging.progress.done_ns
        assert done == (pages[killed_at - 1].end_ns if killed_at else 0)
        for one in pages:
            if one.start_ns >= done:
                staging.append(one, absent(one))
    assert contents(folder) == contents(whole)


def test_what_was_lost_is_noticed(tmp_path: Path) -> None:
    with Staging(tmp_path / "s", REQUEST) as staging:
        staging.append(page(0, 5, [1, 2]), [])
        [path] = staging.sources()
    path.write_bytes(path.read_bytes()[:-1])
    with (
        pytest.raises(CatalogueError, match="rows are missing that were downloaded; add --restart"),
        Staging(tmp_path / "s", REQUEST),
    ):
        pass
    with Staging(tmp_path / "s", REQUEST, restart=True) as staging:
        assert (staging.progress.rows, staging.progress.done_ns) == (0, 0)
        assert not path.exists()


def test_another_beginning_is_refused_and_another_end_is_not(tmp_path: Path) -> None:
    with Staging(tmp_path / "s", REQUEST) as staging:
        staging.append(page(0, 5, [1, 2]), [])
    other = Request("bybit", "BTC/USDT", MINUTE_NS, MINUTE_NS, 100 * MINUTE_NS)
    with (
        pytest.raises(CatalogueError, match="go on with --from 1970-01-01T00:00:00Z, or add --restart"),
        Staging(tmp_path / "s", other),
    ):
        pass
    longer = Request("bybit", "BTC/USDT", MINUTE_NS, 0, 200 * MINUTE_NS)
    with Staging(tmp_path / "s", longer) as staging:
        assert staging.progress.rows == 2


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        Staging(tmp_path / "s", REQUEST),
        pytest.raises(CatalogueError, match="another download"),
        Staging(tmp_path / "s", REQUEST),
    ):
        pass


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    with Staging(tmp_path / "s", REQUEST) as staging:
        staging.append(page(0, 5, [1, 2]), [])
    path = tmp_path / "s" / "progress.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"done_ns": "soon"}))
    with pytest.raises(CatalogueError, match=r"damaged: .*; add --restart"), Staging(tmp_path / "s", REQUEST):
        pass
