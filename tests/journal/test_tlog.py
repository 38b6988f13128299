"""Checkpoints of journals, proofs under them, and what is kept; attacks are in test_attacks.py."""

import shutil
from pathlib import Path

import pytest

from journal import JournalWriter, verify_journal
from journal.checkpoint import open_checkpoint
from journal.kept import (
    LogError,
    add_cosignatures,
    cosigned_checkpoint,
    keep_cosigned,
    kept_checkpoints,
    kept_sizes,
    latest_checkpoint,
)
from journal.note import COSIGNATURE, Note, NoteError, SigningKey, cosign
from journal.proof_file import ProofError, check_event_proof, check_growth, prove_event, prove_growth
from journal.tiles import TILE_WIDTH
from journal.tlog import Finding, export_log, make_checkpoint
from tests.journal.logs import GENESIS, KEY, KEYS, append, finding, more, write

SECONDS = 1_700_000_000


@pytest.mark.parametrize("frames", [0, 1, 255, 256, 257, 700])
def test_a_checkpoint_is_the_journals_root(tmp_path: Path, frames: int) -> None:
    journal = write(tmp_path / "j", frames)
    note = make_checkpoint(journal, KEY)
    opened = open_checkpoint(note, KEYS, f"tests/{GENESIS.hex()}").checkpoint
    assert (opened.size, opened.root) == (frames, verify_journal(journal).root)
    assert latest_checkpoint(journal) == note
    assert make_checkpoint(journal, KEY) == note  # nothing new: the same note
    assert finding(journal, note) == Finding.SAME.value
    more(journal, 3)
    assert finding(journal, note) == Finding.LONGER.value
    later = make_checkpoint(journal, KEY)
    assert kept_sizes(journal) == {frames, frames + 3}
    growth = check_growth(prove_growth(journal, note, later), KEYS)
    assert (growth.old.size, growth.new.size) == (frames, frames + 3)


@pytest.mark.parametrize("has_tiles", [True, False])
def test_every_event_can_be_proven_with_and_without_tiles(tmp_path: Path, has_tiles: bool) -> None:
    journal = write(tmp_path / "j", 300)
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
    more(journal, 1)
    with pytest.raises(LogError, match="frame 301 came after the checkpoint"):
        prove_event(journal, 601, note)


def test_the_largest_frame_has_a_proof_under_70_kb(tmp_path: Path) -> None:
    options = {"origin": "tests", "genesis_id": GENESIS, "schema_digest": b"\x22" * 32}
    with JournalWriter.create(tmp_path / "j", **options) as writer:
        writer.append(b"r" * 128 * 510, b"b" * 112, event_count=510, first_sequence=1, ts_ingest_ns=1)
        for number in range(600):
            append(writer, number, b"")
    data = prove_event(tmp_path / "j", 77, make_checkpoint(tmp_path / "j", KEY))
    assert check_event_proof(data, KEYS).frame.frame_bytes == 65_528
    assert len(data) < 70_000


def test_no_byte_of_a_proof_can_change(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 40)
    first = make_checkpoint(journal, KEY)
    data = prove_event(journal, 33, first)
    more(journal, 5)
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
    journal, folder = write(tmp_path / "j", TILE_WIDTH + 10), tmp_path / "log"
    export_log(journal, folder, make_checkpoint(journal, KEY))
    full = folder / "tile/0/000"
    before = full.stat().st_mtime_ns
    more(journal, 400)
    note = make_checkpoint(journal, KEY)
    made = export_log(journal, folder, note)
    assert (folder / "checkpoint").read_bytes() == note
    assert full.stat().st_mtime_ns == before  # what is full is not written again
    from journal.proof import root_of
    from journal.tiles import TileNodes

    assert root_of(TileNodes(folder, made.size), made.size) == made.root
    with pytest.raises(LogError, match="name an empty folder"):
        export_log(write(tmp_path / "k", 3, genesis=bytes(16)), folder, make_checkpoint(tmp_path / "k", KEY))
    shutil.rmtree(folder / "tile")  # what is lost is made again
    export_log(journal, folder, note)
    assert root_of(TileNodes(folder, made.size), made.size) == made.root


def test_notes_keep_every_signature(tmp_path: Path) -> None:
    journal, other = write(tmp_path / "j", 12), SigningKey("example.com/next", bytes([9]) * 32)
    witness = SigningKey("witness.example/w", bytes([1]) * 32, COSIGNATURE)
    note = make_checkpoint(journal, KEY)
    text = Note.parse(note).text
    for seconds in (SECONDS, SECONDS + 9):  # the later word of a witness takes the place of the earlier one
        whole = add_cosignatures(journal, note, [cosign(text, witness, seconds)])
    assert latest_checkpoint(journal) == kept_checkpoints(journal)[0] == whole == make_checkpoint(journal, KEY)
    both = make_checkpoint(journal, other)
    opened = open_checkpoint(both, [KEY.verifier, other.verifier, witness.verifier])
    assert (opened.signers, opened.cosigners) == (
        (KEY.verifier, other.verifier),
        ((witness.verifier, SECONDS + 9),),
    )
    keep_cosigned(journal, both)
    more(journal, 1)
    later = make_checkpoint(journal, KEY)
    assert add_cosignatures(journal, both, []) == both  # what comes late does not become the last one
    assert (latest_checkpoint(journal), cosigned_checkpoint(journal)) == (later, both)
    keep_cosigned(journal, later)
    keep_cosigned(journal, both)
    assert cosigned_checkpoint(journal) == later


def test_history_that_was_rewritten_is_not_signed(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 12)
    make_checkpoint(journal, KEY)
    shutil.copytree(journal / "tlog", tmp_path / "tlog")
    for frames, text, says in ((12, b"otherwise", "history was rewritten"), (8, b"body", "its tail was cut")):
        shutil.rmtree(journal)
        write(journal, frames, text)
        shutil.copytree(tmp_path / "tlog", journal / "tlog")
        with pytest.raises(LogError, match=says):
            make_checkpoint(journal, KEY)
        note = latest_checkpoint(journal) or b""
        if text == b"body":  # frame 1 is still the one that was signed, and frame 12 is gone
            assert check_event_proof(prove_event(journal, 1, note), KEYS).sequence == 1
        with pytest.raises(LogError):
            prove_event(journal, 1 if text == b"otherwise" else 24, note)


def test_a_fork_cannot_be_shown_to_have_grown(tmp_path: Path) -> None:
    journal, fork = write(tmp_path / "j", 12), write(tmp_path / "k", 12, b"otherwise")
    note = make_checkpoint(journal, KEY)
    more(fork, 3)
    with pytest.raises(LogError, match="a fork"):
        prove_growth(fork, note, make_checkpoint(fork, KEY))
