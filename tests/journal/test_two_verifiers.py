"""What the journal's own code makes, the verifier that shares no code with it accepts; what is spoiled it refuses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import JournalReader, JournalWriter, verify_standalone
from journal.note import SigningKey
from journal.proof_file import prove_event, prove_growth
from journal.tlog import export_log, make_checkpoint
from tests.reference.auditor import consistency, consistency_proof, event_proof, leaf, write_tiles

KEY = SigningKey("example.com/desk", bytes(range(32)))


def _check(*arguments: object) -> int:
    command = [sys.executable, "-I", verify_standalone.__file__, *map(str, arguments), "--key", KEY.verifier.text]
    return subprocess.run(command, capture_output=True, check=False).returncode


def _append(writer: JournalWriter, frames: int) -> None:
    for number in range(frames):
        sequence = writer.next_sequence
        writer.append(bytes([number % 251]) * 256, b"body", event_count=2, first_sequence=sequence, ts_ingest_ns=number)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with two checkpoints, a proof of each kind and an export, as ``name`` in one folder."""
    folder = tmp_path_factory.mktemp("made")
    journal = folder / "kept"
    identity = {"origin": "tests", "genesis_id": bytes(16), "schema_digest": bytes(32)}
    with JournalWriter.create(journal, **identity, segment_bytes=64_000) as writer:
        _append(writer, 300)
    first = make_checkpoint(journal, KEY)
    with JournalWriter.open(journal) as writer:
        _append(writer, 277)
    second = make_checkpoint(journal, KEY)
    export_log(journal, folder / "exported", second)
    (folder / "first.note").write_bytes(first)
    (folder / "second.note").write_bytes(second)
    (folder / "event.proof").write_bytes(prove_event(journal, 801, second))
    (folder / "growth.proof").write_bytes(prove_growth(journal, first, second))
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("checkpoint", "first.note"),
        ("proof", "event.proof"),
        ("proof", "growth.proof"),
        ("tiles", "exported"),
        ("journal", "kept", "--checkpoint", "first.note"),
        ("journal", "kept", "--checkpoint", "second.note"),
    ],
    ids=" ".join,
)
def test_what_is_good_is_good_for_both(made: Path, arguments: tuple[str, ...]) -> None:
    assert _check(*(made / word if (made / word).exists() else word for word in arguments)) == 0


def test_the_bytes_are_those_of_the_definitions(made: Path) -> None:
    frames = [bytes(frame.view) for frame in JournalReader(made / "kept")]
    leaves, note = [leaf(frame) for frame in frames], (made / "second.note").read_bytes()
    assert (made / "event.proof").read_bytes() == event_proof(801, 400, leaves, note, frames[400])
    growth = consistency_proof(consistency(300, leaves), (made / "first.note").read_bytes(), note)
    assert (made / "growth.proof").read_bytes() == growth
    write_tiles(made / "defined", note, frames)
    files = {path.relative_to(made / "defined") for path in (made / "defined").rglob("*") if path.is_file()}
    assert files == {path.relative_to(made / "exported") for path in (made / "exported").rglob("*") if path.is_file()}
    for file in files:
        assert (made / "exported" / file).read_bytes() == (made / "defined" / file).read_bytes(), file


def _last_byte(data: bytearray) -> None:
    data[-3] ^= 1


def _middle_byte(data: bytearray) -> None:
    data[len(data) // 2] ^= 1


@pytest.mark.parametrize("spoil", [_last_byte, _middle_byte])
@pytest.mark.parametrize(
    ("what", "name"),
    [("checkpoint", "first.note"), ("proof", "event.proof"), ("proof", "growth.proof")],
)
def test_what_is_spoiled_is_refused(
    made: Path, tmp_path: Path, what: str, name: str, spoil: Callable[[bytearray], None]
) -> None:
    data = bytearray((made / name).read_bytes())
    spoil(data)
    (tmp_path / name).write_bytes(data)
    assert _check(what, tmp_path / name) == 1
