"""Small journals, in memory and on real files."""

import pytest

from journal import JournalWriter
from journal.faulty import MemoryStorage

IDENTITY = {"origin": "tests", "genesis_id": bytes(range(16)), "schema_digest": b"\x22" * 32}


@pytest.fixture(params=["files", "memory"])
def place(request, tmp_path):
    """Somewhere that a journal can be: a folder, or a storage in memory."""
    return tmp_path / "journal" if request.param == "files" else MemoryStorage()


@pytest.fixture
def write():
    """Write `frames` frames of two events each to a new journal, close it, and return the writer."""

    def run(place, frames=10, **options):
        with JournalWriter.create(place, **(IDENTITY | options)) as writer:
            for number in range(1, frames + 1):
                sequence = writer.next_sequence
                records, body = bytes([number]) * 256, b"body %d" % number
                writer.append(records, body, event_count=2, first_sequence=sequence, ts_ingest_ns=number)
        return writer

    return run
