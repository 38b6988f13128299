"""Journals of every release still verify and come out the same; layouts are joined by upcasters, step by step."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as generators

from journal import JournalError, JournalReader, JournalWriter, verify_journal
from kernel.cli import cli
from kernel.events.body import encode_body, pack_body, unpack_bodies
from kernel.events.layout import INSTRUMENT, TRADE_CLOSED, schema_digest
from kernel.events.upcast import Upcaster, UpcastError, Upcasters
from kernel.instruments import Instrument
from replay.audit import records_of
from replay.history import History
from replay.live.audit import audit_live
from replay.live.files import read_live_file
from replay.migration import migrate_journal, migrated_genesis_id
from replay.runner import audit_journal, read_run
from tests.replay.golden_journals import FOLDER, unpack
from tests.replay.runs import SPY

ARCHIVES = sorted(FOLDER.glob("*.tar.xz"))
TEN = generators.lists(generators.integers(-(2**63), 2**63 - 1), min_size=10, max_size=10).map(tuple)


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A journal as a release wrote it, and what must be found of it."""
    facts = json.loads(request.param.with_name(request.param.name.replace(".tar.xz", ".json")).read_text())
    return unpack(request.param, tmp_path / "run"), facts


def _prove(run: Path, facts: dict[str, Any]) -> None:
    history = History(run)
    assert history.fold(snapshots=False).digest == facts["state_digest"]
    if (run / "live.json").is_file():
        assert audit_live(run / "journal", read_live_file(run)).events == facts["events"]
    else:
        audit = audit_journal(run / "journal", read_run(run, data=[SPY]))
        assert (audit.complete, audit.result_hash) == (True, facts["result_hash"])


def test_a_released_journal_verifies_and_comes_out_the_same(released: tuple[Path, dict[str, Any]]) -> None:
    run, facts = released
    report = verify_journal(run / "journal")
    assert (report.frames, report.events, report.root.hex()) == (facts["frames"], facts["events"], facts["root"])
    assert JournalReader(run / "journal").schema_digest.hex() == facts["schema"]
    _prove_in_place(run, facts)


def _prove_in_place(run: Path, facts: dict[str, Any]) -> None:
    if "result_hash" in facts:
        (run / "run.json").write_text((run / "run.json").read_text().replace('"bars-1h.parquet"', json.dumps(SPY)))
    _prove(run, facts)


def test_a_released_journal_is_migrated_and_comes_out_the_same(
    released: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    run, facts = released
    (tmp_path / "new").mkdir()
    report = migrate_journal(run / "journal", tmp_path / "new" / "journal")
    for name in ("run.json", "live.json"):
        if (run / name).is_file():
            (tmp_path / "new" / name).write_bytes((run / name).read_bytes())
    old = verify_journal(run / "journal")
    made = JournalReader(tmp_path / "new" / "journal")
    assert (report.old_root, report.events) == (facts["root"], facts["events"])
    assert made.schema_digest == schema_digest()
    assert made.genesis_id == migrated_genesis_id(
        bytes.fromhex(report.old_genesis_id), old.frames, old.head, schema_digest()
    )
    _prove_in_place(tmp_path / "new", facts)


# --- upcasters: no released event has more than one layout yet, so these have layouts that only tests know -----------


def _pair(kind: int) -> Upcaster:
    """From a layout with its words the other way round, and bodies with a field of another name."""
    return Upcaster(
        kind=kind,
        version=0,
        words=lambda words: words[::-1],
        body=lambda body: {"tick_size" if name == "tick" else name: value for name, value in body.items()},
        body_fields=frozenset(Instrument.__struct_fields__) - {"tick_size"} | {"tick"},
    )


def _as_before(source: Path, target: Path, extra: dict[str, Any]) -> None:
    """The journal as an earlier release would have written it: with two kinds in a version 0."""
    old = JournalReader(source)
    with JournalWriter.create(
        target, origin=old.origin, genesis_id=old.genesis_id, schema_digest=bytes(32), first_sequence=old.first_sequence
    ) as writer:
        for frame in old:
            records = records_of(frame).copy()
            bodies = list(unpack_bodies(records, frame.bodies))
            for at in np.flatnonzero(np.isin(records["kind"], (INSTRUMENT.kind, TRADE_CLOSED.kind))):
                records["version"][at], records["words"][at] = 0, records["words"][at][::-1].copy()
                if bodies[at]:
                    body = msgspec.msgpack.decode(bodies[at]) | extra
                    body["tick"] = body.pop("tick_size")
                    bodies[at] = encode_body(body)
            writer.append(records.tobytes(), b"".join(pack_body(body) for body in bodies if body), **frame.fields)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The newest backtest that is kept."""
    return unpack([path for path in ARCHIVES if "backtest" in path.name][-1], tmp_path / "run")


def test_an_older_layout_is_joined_and_comes_out_as_written_today(run: Path, tmp_path: Path) -> None:
    _as_before(run / "journal", tmp_path / "old", {})
    upcasters = Upcasters([_pair(INSTRUMENT.kind), _pair(TRADE_CLOSED.kind)])
    report = migrate_journal(tmp_path / "old", tmp_path / "new" / "journal", upcasters)
    pairs = zip(JournalReader(run / "journal"), JournalReader(tmp_path / "new/journal"), strict=True)
    for was, made in pairs:
        assert bytes(made.records) == bytes(was.records)
        assert bytes(made.bodies) == bytes(was.bodies)
        assert (made.first_sequence, made.event_count, made.ts_ingest_ns) == (
            was.first_sequence, was.event_count, was.ts_ingest_ns,
        )  # fmt: skip
    assert report.upcast["InstrumentDefined 0 to 1"] == 1
    assert report.upcast["TradeClosed 0 to 1"] > 0
    assert report.unknown_fields == {}
    facts = json.loads(ARCHIVES[0].with_name(ARCHIVES[0].name.replace(".tar.xz", ".json")).read_text())
    (tmp_path / "new" / "run.json").write_bytes((run / "run.json").read_bytes())
    _prove_in_place(tmp_path / "new", facts)


def test_what_is_not_known_is_kept_and_named(run: Path, tmp_path: Path) -> None:
    _as_before(run / "journal", tmp_path / "old", {"colour": "red"})
    newest = {INSTRUMENT.kind: 1, TRADE_CLOSED.kind: 1}  # a release that knows no other kinds
    upcasters = Upcasters([_pair(INSTRUMENT.kind), _pair(TRADE_CLOSED.kind)], newest)
    report = migrate_journal(tmp_path / "old", tmp_path / "new", upcasters)
    assert report.unknown_fields == {"InstrumentDefined": ["colour"]}
    frames = list(JournalReader(tmp_path / "new"))
    assert any(b"colour" in bytes(frame.bodies) for frame in frames)
    kinds = np.concatenate([records_of(frame)["kind"] for frame in frames])
    assert sum(report.unknown_kinds.values()) == np.count_nonzero(~np.isin(kinds, list(newest)))


def test_a_gap_in_the_chain_and_a_newer_release_are_refused(run: Path, tmp_path: Path) -> None:
    _as_before(run / "journal", tmp_path / "old", {})
    with pytest.raises(
        UpcastError, match=r"event \d+ \(InstrumentDefined\): kind 3 has version 0, and nothing joins it"
    ):
        migrate_journal(tmp_path / "old", tmp_path / "a", Upcasters([_pair(TRADE_CLOSED.kind)]))
    with pytest.raises(UpcastError, match="use a newer release"):
        migrate_journal(run / "journal", tmp_path / "b", Upcasters([], {INSTRUMENT.kind: 0}))
    (tmp_path / "old/head").unlink()
    segment = next((tmp_path / "old").glob("*.seg"))
    segment.write_bytes(segment.read_bytes()[:-1])
    with pytest.raises(JournalError, match="not whole, so it is not migrated"):
        migrate_journal(tmp_path / "old", tmp_path / "c")


@given(TEN, generators.integers(1, 3))
def test_a_chain_is_its_steps_one_after_the_other(words: tuple[int, ...], version: int) -> None:
    steps = {1: lambda w: w[1:] + w[:1], 2: lambda w: w[::-1]}
    chain = [
        Upcaster(kind=900, version=at, words=steps[at], body=lambda body, at=at: body | {f"v{at + 1}": at})
        for at in steps
    ]
    found = Upcasters(chain, {900: 3}).upcast(900, version, words, {"mine": 1})
    wanted, body = words, {"mine": 1}
    for at in range(version, 3):
        wanted, body = steps[at](wanted), body | {f"v{at + 1}": at}
    assert (found.version, found.words, found.body) == (3, wanted, body)
    assert ("mine" in found.unknown) == (version < 3)


def test_kernel_migrate(run: Path, tmp_path: Path) -> None:
    def kernel(*arguments: object) -> Any:
        return CliRunner().invoke(cli, [str(one) for one in arguments])

    facts = json.loads(ARCHIVES[0].with_name(ARCHIVES[0].name.replace(".tar.xz", ".json")).read_text())
    old = tmp_path / "old"
    (old / "journal").parent.mkdir()
    (old / "run.json").write_bytes((run / "run.json").read_bytes())
    source = JournalReader(run / "journal")  # the same layouts, under a catalogue with other events beside them
    with JournalWriter.create(
        old / "journal", origin=source.origin, genesis_id=source.genesis_id, schema_digest=bytes(32)
    ) as writer:
        for frame in source:
            writer.append(frame.records, frame.bodies, **frame.fields)
    done = kernel("migrate", old, "--out", tmp_path / "new")
    assert done.exit_code == 0, done.output
    assert f"migrated from journal {source.genesis_id.hex()}" in done.output
    assert json.loads((tmp_path / "new/migrated.json").read_text())["old_schema"] == "00" * 32
    again = kernel("migrate", tmp_path / "new", "--out", tmp_path / "newer")
    assert (again.exit_code, (tmp_path / "newer").exists()) == (0, False)
    assert "nothing to migrate" in again.output
    assert kernel("migrate", old, "--out", tmp_path / "new").exit_code == 2
    _prove_in_place(tmp_path / "new", facts)
