"""Small journals to be signed, and what a checkpoint finds of them."""

from pathlib import Path

from journal import JournalWriter, verify_journal
from journal.checkpoint import open_checkpoint
from journal.kept import kept_sizes
from journal.note import NoteError, SigningKey
from journal.tlog import compare_with, journal_origin

KEY = SigningKey("example.com/desk", bytes(range(32)))
KEYS = [KEY.verifier]
GENESIS = bytes(range(16))


def append(writer: JournalWriter, number: int, text: bytes) -> None:
    sequence = writer.next_sequence
    writer.append(bytes([number % 251]) * 256, text, event_count=2, first_sequence=sequence, ts_ingest_ns=number)


def write(place: Path, frames: int, text: bytes = b"body", genesis: bytes = GENESIS) -> Path:
    """A journal of so many frames of two events."""
    options = {"origin": "tests", "genesis_id": genesis, "schema_digest": b"\x22" * 32}
    with JournalWriter.create(place, **options, fsync="batch", segment_bytes=64_000) as writer:
        for number in range(1, frames + 1):
            append(writer, number, text)
    return place


def more(place: Path, frames: int, text: bytes = b"more") -> None:
    with JournalWriter.open(place) as writer:
        for number in range(frames):
            append(writer, number, text)


def finding(journal: Path, note: bytes) -> str:
    """What the note shows of the journal, or why it is not accepted."""
    try:
        given = open_checkpoint(note, KEYS, journal_origin(journal))
    except NoteError as error:
        return str(error)
    report = verify_journal(journal, sizes={given.checkpoint.size, *kept_sizes(journal)})
    assert report.ok, report.first_problem
    return compare_with(journal, given, report.roots, report.frames, KEYS).finding.value
