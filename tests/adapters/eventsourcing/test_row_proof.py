"""Rows of a replica, each proven against a signed checkpoint without the journal."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import IntegrityError, Notification
from eventsourcing.sqlite import SQLiteFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.eventsourcing import Factory
from adapters.eventsourcing.replica import Follower
from adapters.eventsourcing.row_proof import check_row, prove_row
from journal.note import SigningKey
from journal.tlog import make_checkpoint
from tests.adapters.eventsourcing.test_replica import event, write

KEY = SigningKey("tests.example/replica", bytes(range(32)))
KEYS = [KEY.verifier]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, list[Notification]]:
    """A journal with an insert larger than a frame, a checkpoint of it, and the rows of a replica."""
    place = tmp_path_factory.mktemp("signed")
    write(place / "journal").close()
    note = make_checkpoint(place / "journal", KEY)
    with SQLiteFactory({"SQLITE_DBNAME": str(place / "replica.db")}) as factory:
        recorder = factory.process_recorder()
        Follower(place / "journal", recorder).step()
        return place / "journal", note, list(recorder.select_notifications(None, 10))


def test_every_row_is_proven(signed: tuple[Path, bytes, list[Notification]]) -> None:
    journal, note, rows = signed
    assert [row.id for row in rows] == [1, 2, 3, 4, 5]
    for row in rows:
        assert check_row(prove_row(journal, row.id, note), row, KEYS).checkpoint.size == 8


@pytest.mark.parametrize(
    "changed",
    [
        {"state": b"other"},
        {"topic": "other"},
        {"originator_version": 9},
        {"originator_id": UUID(int=6)},
    ],
)
def test_a_row_that_was_changed_is_refused(
    signed: tuple[Path, bytes, list[Notification]], changed: dict[str, object]
) -> None:
    journal, note, rows = signed
    for row in rows:
        fields = {name: getattr(row, name) for name in ("id", "originator_id", "originator_version", "topic", "state")}
        with pytest.raises(IntegrityError, match=rf"^row {row.id} is not what the journal holds$"):
            check_row(prove_row(journal, row.id, note), Notification(**(fields | changed)), KEYS)


def test_a_proof_of_another_row_or_under_another_key_is_refused(
    signed: tuple[Path, bytes, list[Notification]],
) -> None:
    journal, note, rows = signed
    with pytest.raises(IntegrityError, match=r"^the proof is of other events than 1$"):
        check_row(prove_row(journal, 5, note), rows[0], KEYS)
    with pytest.raises(IntegrityError, match=r"^the proof does not hold: "):
        check_row(prove_row(journal, 1, note), rows[0], [SigningKey("tests.example/other", bytes(32)).verifier])


def test_pieces_of_an_insert_are_all_needed_and_in_order(signed: tuple[Path, bytes, list[Notification]]) -> None:
    journal, note, rows = signed
    magic, pieces = msgspec.msgpack.decode(prove_row(journal, 4, note))
    assert len(pieces) == 4
    for spoiled in (pieces[1:], pieces[:-1], pieces[:1] + pieces[2:], pieces[::-1], pieces[3:], []):
        with pytest.raises(IntegrityError, match=r"^the frames of the proof are not those|^this is no proof of a row$"):
            check_row(msgspec.msgpack.encode([magic, spoiled]), rows[3], KEYS)


@settings(max_examples=150)
@given(data=st.data())
def test_no_changed_byte_is_accepted(signed: tuple[Path, bytes, list[Notification]], data: st.DataObject) -> None:
    journal, note, rows = signed
    proof = bytearray(prove_row(journal, 1, note))
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(IntegrityError):
        check_row(bytes(proof), rows[0], KEYS)


def test_what_the_journal_has_not_and_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    factory = write(tmp_path / "journal")
    note = make_checkpoint(tmp_path / "journal", KEY)
    factory.process_recorder().insert_events([event(6)])
    factory.close()
    with pytest.raises(IntegrityError, match=r"^event 6 cannot be proven: frame 9 came after the checkpoint; "):
        prove_row(tmp_path / "journal", 6, note)
    with pytest.raises(IntegrityError, match=r"has no event 7$"):
        prove_row(tmp_path / "journal", 7, note)
    Factory({"JOURNAL_PATH": str(tmp_path / "journal")}).close()
