"""Checkpoints of journals, and what they find: a table of attacks, each with the layer that catches it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import CorruptJournal, JournalError, JournalReader, JournalWriter, verify_journal
from journal.checkpoint import Checkpoint, open_checkpoint
from journal.note import NoteError, SigningKey
from journal.proof_file import ProofError, check_event_proof, check_growth, prove_event, prove_growth
from journal.tiles import TILE_WIDTH
from journal.tlog import (
    Finding,
    LogError,
    compare_with,
    export_log,
    journal_origin,
    kept_sizes,
    latest_checkpoint,
    make_checkpoint,
)

KEY = SigningKey("example.com/desk", bytes(range(32)))
KEYS = [KEY.verifier]
GENESIS = bytes(range(16))


def _append(writer: JournalWriter, number: int, text: bytes) -> None:
    sequence = writer.next_sequence
    writer.append(bytes([number % 251]) * 256, text, event_count=2, first_sequence=sequence, ts_ingest_ns=number)


def _write(place: Path, frames: int, text: bytes = b"body", genesis: bytes = GENESIS) -> Path:
    """A journal of so many frames of two events."""
    options = {"origin": "tests", "genesis_id": genesis, "schema_digest": b"\x22" * 32}
    with JournalWriter.create(place, **options, fsync="batch", segment_bytes=64_000) as writer:
        for number in range(1, frames + 1):
            _append(writer, number, text)
    return place


def _more(place: Path, frames: int, text: bytes = b"more") -> None:
    with JournalWriter.open(place) as writer:
        for number in range(frames):
            _append(writer, number, text)


def _finding(journal: Path, note: bytes) -> str:
    """What the note shows of the journal, or why it is not accepted."""
    try:
        given = open_checkpoint(note, KEYS, journal_origin(journal))
    except NoteError as error:
        return str(error)
    report = verify_journal(journal, sizes={given.checkpoint.size, *kept_sizes(journal)})
    assert report.ok, report.first_problem
    return compare_with(journal, given, report.roots, report.frames, KEYS).finding.value


@pytest.mark.parametrize("frames", [0, 1, 255, 256, 257, 700])
def test_a_checkpoint_is_the_journals_root(tmp_path: Path, frames: int) -> None:
    journal = _write(tmp_path / "j", frames)
    note = make_checkpoint(journal, KEY)
    opened = open_checkpoint(note, KEYS, f"tests/{GENESIS.hex()}").checkpoint
    assert (opened.size, opened.root) == (frames, verify_journal(journal).root)
    assert latest_checkpoint(journal) == note
    assert make_checkpoint(journal, KEY) == note  # nothing new: the same note
    assert _finding(journal, note) == Finding.SAME.value
    _more(journal, 3)
    assert _finding(journal, note) == Finding.LONGER.value
    later = make_checkpoint(journal, KEY)
    assert kept_sizes(journal) == {frames, frames + 3}
    growth = check_growth(prove_growth(journal, note, later), KEYS)
    assert (growth.old.size, growth.new.size) == (frames, frames + 3)


@pytest.mark.parametrize("has_tiles", [True, False])
def test_every_event_can_be_proven_with_and_without_tiles(tmp_path: Path, has_tiles: bool) -> None:
    journal = _write(tmp_path / "j", 300)
    note = make_checkpoint(journal, KEY)
    if not has_tiles:
        shutil.rmtree(journal / "tlog")
    for sequence in (1, 2, 3, 255, 511, 512, 513, 599, 600):
        data = prove_event(journal, sequence, note)
        proof = check_event_proof(data, KEYS)
        assert proof.sequence == sequence
        assert proof.frame.number == (sequence + 1) // 2
        assert bytes(proof.frame.bodies) == b"body"
        assert len(data) < 70_000
    with pytest.raises(LogError, match="no event 601; it has 1 to 600"):
        prove_event(journal, 601, note)
    _more(journal, 1)
    with pytest.raises(LogError, match="event 601 came after the checkpoint"):
        prove_event(journal, 601, note)


def test_the_largest_frame_has_a_proof_under_70_kb(tmp_path: Path) -> None:
    options = {"origin": "tests", "genesis_id": GENESIS, "schema_digest": b"\x22" * 32}
    with JournalWriter.create(tmp_path / "j", **options) as writer:
        writer.append(b"r" * 128 * 510, b"b" * 112, event_count=510, first_sequence=1, ts_ingest_ns=1)
        for number in range(600):
            _append(writer, number, b"")
    data = prove_event(tmp_path / "j", 77, make_checkpoint(tmp_path / "j", KEY))
    assert check_event_proof(data, KEYS).frame.frame_bytes == 65_528
    assert len(data) < 70_000


def test_no_byte_of_a_proof_can_change(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 40)
    first = make_checkpoint(journal, KEY)
    data = prove_event(journal, 33, first)
    _more(journal, 5)
    growth = prove_growth(journal, first, make_checkpoint(journal, KEY))
    for good, check in ((data, check_event_proof), (growth, check_growth)):
        for at in range(len(good)):
            spoiled = bytearray(good)
            spoiled[at] ^= 1
            try:
                found = check(bytes(spoiled), KEYS)
            except (ProofError, NoteError):
                continue
            # The one thing that may change is which event of the frame is spoken of: 33 becomes 34 or the like.
            assert getattr(found, "sequence", None) in (33, 34), at
        for end in (0, 10, len(good) // 2, len(good) - 1):
            with pytest.raises((ProofError, NoteError)):
                check(good[:end], KEYS)
        with pytest.raises((ProofError, NoteError)):
            check(good + b"\n", KEYS)


def test_an_export_can_be_read_by_itself_and_goes_on(tmp_path: Path) -> None:
    journal, folder = _write(tmp_path / "j", TILE_WIDTH + 10), tmp_path / "log"
    export_log(journal, folder, make_checkpoint(journal, KEY))
    full = folder / "tile/0/000"
    before = full.stat().st_mtime_ns
    _more(journal, 400)
    note = make_checkpoint(journal, KEY)
    made = export_log(journal, folder, note)
    assert (folder / "checkpoint").read_bytes() == note
    assert full.stat().st_mtime_ns == before  # what is full is not written again
    from journal.proof import root_of
    from journal.tiles import TileNodes

    assert root_of(TileNodes(folder, made.size), made.size) == made.root
    with pytest.raises(LogError, match="name an empty folder"):
        export_log(_write(tmp_path / "k", 3, genesis=bytes(16)), folder, make_checkpoint(tmp_path / "k", KEY))
    shutil.rmtree(folder / "tile")  # what is lost is made again
    export_log(journal, folder, note)
    assert root_of(TileNodes(folder, made.size), made.size) == made.root


# --- attacks --------------------------------------------------------------------------------------------------------


def _cut(journal: Path, held: Path) -> None:
    """The tail is cut between two frames, and the seal with it."""
    shutil.rmtree(journal)
    _write(journal, 8)


def _rewrite(journal: Path, held: Path) -> None:
    """All is written again with another body, by somebody who can write the folder."""
    shutil.rmtree(journal)
    _write(journal, 12, b"otherwise")


def _fork(journal: Path, held: Path) -> None:
    """The holder of the key writes another history and signs that too."""
    _rewrite(journal, held)
    make_checkpoint(journal, KEY)


def _replay_old(journal: Path, held: Path) -> None:
    """An old copy of the journal, with its own good checkpoint, is shown as the present one."""
    shutil.rmtree(journal)
    _write(journal, 8)
    make_checkpoint(journal, KEY)


def _swap(journal: Path, held: Path) -> None:
    """Two frames of the same length change places."""
    segment = next(journal.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    length = int.from_bytes(data[512 + 20 : 512 + 24], "little")
    first, second = (slice(512 + at * length, 512 + (at + 1) * length) for at in (3, 4))
    data[first], data[second] = data[second], data[first]
    segment.write_bytes(data)


def _edit(journal: Path, held: Path) -> None:
    """A body is edited, and the frame's own marks are made good again."""
    from journal.layout import END_MARK_BYTES, seal_frame

    segment = next(journal.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    length = int.from_bytes(data[512 + 20 : 512 + 24], "little")
    frame = data[512 + 3 * length : 512 + 4 * length]
    frame[128 + 256] ^= 1
    frame[-END_MARK_BYTES:] = seal_frame(memoryview(frame))[0]
    data[512 + 3 * length : 512 + 4 * length] = frame
    segment.write_bytes(data)


def _other_journal(journal: Path, held: Path) -> None:
    """The checkpoint that is shown is one of another journal."""
    held.write_bytes(make_checkpoint(_write(held.parent / "other", 12, genesis=bytes(16)), KEY))


def _other_key(journal: Path, held: Path) -> None:
    """The checkpoint is signed by somebody else under the same name."""
    held.write_bytes(Checkpoint(journal_origin(journal), 12, verify_journal(journal).root).sign(
        SigningKey(KEY.name, bytes(32))))  # fmt: skip


ATTACKS: list[tuple[Callable[[Path, Path], None], str]] = [
    (_cut, "cut"),
    (_rewrite, "rewritten"),
    (_fork, "forked"),
    (_replay_old, "cut"),
    (_swap, "frame-out-of-order"),
    (_edit, "chain-broken"),
    (_other_journal, "another journal"),
    (_other_key, "no key that is given has signed"),
]


@pytest.mark.parametrize(("attack", "caught"), ATTACKS, ids=lambda value: getattr(value, "__name__", value))
def test_attacks_are_caught_by_the_layer_that_must(
    tmp_path: Path, attack: Callable[[Path, Path], None], caught: str
) -> None:
    journal, held = _write(tmp_path / "j", 12), tmp_path / "held.note"
    held.write_bytes(make_checkpoint(journal, KEY))
    assert _finding(journal, held.read_bytes()) == Finding.SAME.value
    attack(journal, held)
    report = verify_journal(journal)
    if not report.ok:
        assert report.first_problem is not None
        assert report.first_problem.kind == caught
        with pytest.raises(CorruptJournal):
            list(JournalReader(journal))
        with pytest.raises(JournalError):
            make_checkpoint(journal, KEY)
        return
    assert caught in _finding(journal, held.read_bytes())


def test_history_that_was_rewritten_is_not_signed(tmp_path: Path) -> None:
    journal = _write(tmp_path / "j", 12)
    make_checkpoint(journal, KEY)
    shutil.copytree(journal / "tlog", tmp_path / "tlog")
    for frames, text, says in ((12, b"otherwise", "history was rewritten"), (8, b"body", "its tail was cut")):
        shutil.rmtree(journal)
        _write(journal, frames, text)
        shutil.copytree(tmp_path / "tlog", journal / "tlog")
        with pytest.raises(LogError, match=says):
            make_checkpoint(journal, KEY)
        note = latest_checkpoint(journal) or b""
        if text == b"body":  # frame 1 is still the one that was signed, and frame 12 is gone
            assert check_event_proof(prove_event(journal, 1, note), KEYS).sequence == 1
        with pytest.raises(LogError):
            prove_event(journal, 1 if text == b"otherwise" else 24, note)


def test_a_fork_cannot_be_shown_to_have_grown(tmp_path: Path) -> None:
    journal, fork = _write(tmp_path / "j", 12), _write(tmp_path / "k", 12, b"otherwise")
    note = make_checkpoint(journal, KEY)
    _more(fork, 3)
    with pytest.raises(LogError, match="a fork"):
        prove_growth(fork, note, make_checkpoint(fork, KEY))
