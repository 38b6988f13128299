"""The same inputs give the same result and the same journal, byte for byte, however they are run."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from kernel.events.catalogue import StateDigest
from kernel.events.layout import SEGMENT, STATE_DIGEST, decode
from replay.catalogue import open_file, write_file
from replay.catalogue.files import read_columns
from replay.cuts_nb import NEED_ROWS
from replay.engine import EngineMemory
from replay.execution import Engine, prepare
from replay.opening import opening_frames
from tests.replay.runs import SPY, config, frames_of, records_in, run, run_in_process

TWIN = str(Path(__file__).resolve().parents[1] / "strategies" / "ema_cross_twin.py")
SHORT_SPAN = {"to": "1998-10-01", "digest_interval": 100}
WORLDS = [
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
    {
        "PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8",
        "OMP_NUM_THREADS": "3", "NUMBA_NUM_THREADS": "2", "ARROW_USER_SIMD_LEVEL": "NONE",
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The ordinary run over all the bars."""
    out = tmp_path_factory.mktemp("reference") / "run"
    return {"out": out, **run(out)}


def same(reference: dict[str, Any], other: dict[str, Any]) -> None:
    assert {name: reference[name] for name in other} == other


@pytest.mark.parametrize("world", WORLDS, ids=["plain", "elsewhere"])
def test_another_process_another_world(reference: dict[str, Any], tmp_path: Path, world: dict[str, str]) -> None:
    same(reference, run_in_process(tmp_path / "run", world))


@pytest.mark.parametrize("batch_rows", [500, 32_768, 100_000])
def test_batches_of_any_size(reference: dict[str, Any], tmp_path: Path, batch_rows: int) -> None:
    same(reference, run(tmp_path / "run", batch_rows=batch_rows))
    assert frames_of(tmp_path / "run") == frames_of(reference["out"])


def test_batches_of_one_row(tmp_path: Path) -> None:
    same(run(tmp_path / "whole", **SHORT_SPAN), run(tmp_path / "single", batch_rows=1, **SHORT_SPAN))


def test_data_split_over_files(reference: dict[str, Any], tmp_path: Path) -> None:
    file = open_file(SPY)
    columns = read_columns(Path(SPY))
    edges = [0, 1, 977, 978, 20_000, file.rows]
    for number, (start, end) in enumerate(pairwise(edges)):
        part = {name: values[start:end] for name, values in columns.items()}
        write_file(tmp_path / "data" / f"{number}.parquet", file.metadata, part)
    same(reference, run(tmp_path / "run", data=[str(tmp_path / "data")]))
    assert frames_of(tmp_path / "run") == frames_of(reference["out"])


def test_without_compiling(tmp_path: Path) -> None:
    """Plain Python over the same arrays decides the same, bit for bit."""
    compiled = run(tmp_path / "compiled", **SHORT_SPAN)
    assert compiled["fills"] > 5
    same(compiled, run_in_process(tmp_path / "plain", {"NUMBA_DISABLE_JIT": "1"}, **SHORT_SPAN))


def digests(out: Path) -> list[tuple[int, StateDigest]]:
    records = records_in(out)
    stored = [decode(record) for record in records[records["kind"] == STATE_DIGEST.kind]]
    return [(one.sequence, one.event) for one in stored]  # type: ignore[misc]


def test_the_state_does_not_depend_on_how_it_is_journaled(tmp_path: Path) -> None:
    span = {"to": "2003-06-01", "digest_interval": 50}
    results = {mode: run(tmp_path / mode, journal=mode, **span) for mode in ("reference", "full", "off")}
    assert len({result["result_hash"] for result in results.values()}) == 1
    assert len({result["events"] for result in results.values()}) == 1
    assert len(digests(tmp_path / "full")) > 10
    assert digests(tmp_path / "full") == digests(tmp_path / "reference")
    full, reference = records_in(tmp_path / "full"), records_in(tmp_path / "reference")
    derived = full[np.isin(full["sequence"], reference["sequence"][reference["kind"] != SEGMENT.kind])]
    assert np.array_equal(derived, reference[reference["kind"] != SEGMENT.kind]), "all but the bars is the same"


def test_a_python_strategy_and_its_compiled_twin(reference: dict[str, Any], tmp_path: Path) -> None:
    same(reference, run(tmp_path / "run", strategy=[{"use": TWIN}]))


@pytest.mark.parametrize("options", [{"short": 1}, {"fast": 5, "slow": 9, "fraction": 0.5}], ids=["short", "quick"])
def test_twins_with_other_parameters(tmp_path: Path, options: dict[str, Any]) -> None:
    span = {"to": "2005-01-01"}
    compiled = run(tmp_path / "compiled", strategy=[{"use": "ema_cross", "set": options}], **span)
    same(compiled, run(tmp_path / "python", strategy=[{"use": TWIN, "set": options}], **span))


# --- snapshots --------------------------------------------------------------------------------------------------


class Rerun:
    """An engine over a stretch of the sample, without a journal."""

    def __init__(self) -> None:
        self.prepared = prepare(config(to="2004-01-01", digest_interval=0, strategy=[{"use": "ema_cross"}]))
        self.rows = np.concatenate([batch.copy() for batch in self.prepared.tape()])

    def memory(self) -> EngineMemory:
        engine = Engine(self.prepared, lambda chunk: None)
        first_ts_ns = int(self.rows[0]["words"][5])
        p = self.prepared
        engine.session.open(opening_frames(p.config, p.universe, p.strategies, p.resolved, first_ts_ns))
        return engine.memory


@pytest.fixture(scope="module")
def rerun() -> Rerun:
    return Rerun()


@pytest.fixture(scope="module")
def full_run(rerun: Rerun) -> bytes:
    memory = rerun.memory()
    assert memory.run(rerun.rows) == NEED_ROWS
    assert memory.state.head.fill_count > 20
    return memory.engines.tobytes()


@settings(max_examples=25, deadline=None)
@given(cuts=generators.lists(generators.floats(0, 1), min_size=1, max_size=4).map(sorted))
def test_going_on_from_a_snapshot_equals_the_full_run(rerun: Rerun, full_run: bytes, cuts: list[float]) -> None:
    """The whole memory of the engine is one block: copied at any event, it goes on as if nothing had been."""
    memory = rerun.memory()
    for cut in cuts:
        assert memory.run(rerun.rows[: int(cut * len(rerun.rows))]) == NEED_ROWS
        snapshot = memory.engines.copy()
        memory = rerun.memory()
        memory.engines[...] = snapshot
    assert memory.run(rerun.rows) == NEED_ROWS
    assert memory.engines.tobytes() == full_run
