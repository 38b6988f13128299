"""Encrypted frames: opened only with the key, bound to their place, proven without it, never two under one nonce."""

import base64
import hashlib
import shutil
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import InvalidFrame, JournalError, JournalReader, JournalWriter, recover_journal, verify_journal
from journal.backup import back_up
from journal.encrypting import encrypt_journal, encrypted_genesis_id
from journal.encryption import (
    EncryptionError,
    MasterKey,
    destroy_key,
    new_data_key,
    read_keys,
    use_master_key,
)
from journal.faulty import Crash, Faults, MemoryStorage
from journal.proof_file import check_event_proof, prove_event
from journal.restore import restore
from journal.storage import FileStorage
from journal.tlog import make_checkpoint
from tests.crash_points import crash_points
from tests.journal.logs import KEY, KEYS, append, more, write

MASTER, OTHER = MasterKey(bytes(range(32))), MasterKey(bytes(32))
OPTIONS = {"origin": "tests", "genesis_id": bytes(range(16)), "schema_digest": b"\x22" * 32}


@pytest.fixture(autouse=True)
def _key_in_use() -> Iterator[None]:
    use_master_key(MASTER)
    yield
    use_master_key(None)


def _encrypted(place: Path, frames: int) -> Path:
    with JournalWriter.create(place, **OPTIONS, segment_bytes=64_000, master=MASTER) as writer:
        for number in range(frames):
            append(writer, number, b"body %d" % number)
    return place


def _open_by_hand(journal: Path) -> list[bytes]:
    """Records and bodies of each frame, by FORMAT.md alone."""
    magic, genesis, *lines = (journal / "keys").read_text().split("\n")[:-1]
    assert magic == "journal-keys@v1"
    keys = {bytes.fromhex(one.split()[0]): base64.b64decode(one.split()[2]) for one in lines}
    opened = []
    for path in sorted(journal.glob("*.seg")):
        data, at = path.read_bytes(), 512
        while at < len(data):
            kind, flags, records, _, bodies, length = struct.unpack_from("<HHHHII", data, at + 8)
            events, number, first, _, ingest = struct.unpack_from("<QQQQq", data, at + 24)
            assert flags & 0x8000
            payload = data[at + 128 : at + 128 + 128 * records + bodies]
            name = payload[-8:]
            key = aes_key_unwrap(MASTER.secret, keys[name])
            assert name == hashlib.sha256(b"journal-data-key-v1\n" + bytes.fromhex(genesis) + key).digest()[:8]
            bound = b"journal-frame-v1\n" + bytes.fromhex(genesis)
            bound += struct.pack("<QQQqHHHI", number, first, events, ingest, kind, flags, records, bodies) + name
            opened.append(AESGCM(key).decrypt(bytes(4) + struct.pack("<Q", number), payload[:-8], bound))
            at += length
    return opened


@settings(max_examples=40, deadline=None)
@given(
    generators.lists(
        generators.tuples(generators.integers(0, 3), generators.binary(max_size=60), generators.integers(0, 0x7FFF)),
        min_size=1,
        max_size=12,
    )
)
def test_frames_come_back_and_open_by_the_written_format(tmp_path_factory, frames) -> None:
    place = tmp_path_factory.mktemp("j") / "j"
    with JournalWriter.create(place, **OPTIONS, master=MASTER) as writer:
        for records, body, flags in frames:
            writer.append(
                bytes([records]) * 128 * records,
                body,
                event_count=records,
                first_sequence=writer.next_sequence,
                ts_ingest_ns=-5,
                flags=flags,
            )
    wanted = [(bytes([records]) * 128 * records, body) for records, body, _ in frames]
    assert [(bytes(frame.records), bytes(frame.bodies)) for frame in JournalReader(place)] == wanted
    assert _open_by_hand(place) == [records + body for records, body in wanted]
    stored = b"".join(path.read_bytes() for path in place.glob("*.seg"))
    assert all(body not in stored for _, body in wanted if len(body) > 8)


def test_a_frame_may_be_as_long_as_one_in_plain_but_for_the_key(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", **OPTIONS, master=MASTER) as writer:
        writer.append(bytes(500 * 128), bytes(1392 - 24), event_count=1, first_sequence=1, ts_ingest_ns=1)
        with pytest.raises(InvalidFrame, match="the most is"):
            writer.append(bytes(500 * 128), bytes(1393), event_count=1, first_sequence=2, ts_ingest_ns=1)
        with pytest.raises(InvalidFrame, match="128 bytes each"):
            writer.append(bytes(100), b"", event_count=1, first_sequence=2, ts_ingest_ns=1)
        with pytest.raises(InvalidFrame, match="the highest is taken"):
            writer.append(b"", b"", event_count=1, first_sequence=2, ts_ingest_ns=1, flags=0x8000)
    assert verify_journal(tmp_path / "j").frames == 1


def test_all_that_is_checked_is_checked_without_a_key(tmp_path: Path) -> None:
    journal = _encrypted(tmp_path / "j", 300)
    use_master_key(None)
    note = make_checkpoint(journal, KEY)
    proof = check_event_proof(prove_event(journal, 77, note), KEYS)
    assert verify_journal(journal).ok
    assert proof.frame.number == 39
    with pytest.raises(EncryptionError, match="its journal's keys are not here"):
        _ = proof.frame.records
    assert recover_journal(journal).frames == 300
    with pytest.raises(EncryptionError, match=r"frame 1 is encrypted with key [0-9a-f]{16}; give the master key"):
        _ = next(iter(JournalReader(journal))).records
    with pytest.raises(EncryptionError, match="to write to it, give the master key"):
        JournalWriter.open(journal)
    use_master_key(OTHER)
    with pytest.raises(EncryptionError, match="is not the one that wraps"):
        _ = next(iter(JournalReader(journal))).records
    with pytest.raises(EncryptionError, match="is not the one that wraps"):
        JournalWriter.open(journal)
    assert len(read_keys(FileStorage(journal))[1]) == 1  # nothing was added


@pytest.mark.parametrize("field", ["number", "first_sequence", "event_count", "ts_ingest_ns", "kind"])
def test_a_frame_opens_only_where_it_was_written(tmp_path: Path, field: str) -> None:
    frame = next(iter(JournalReader(_encrypted(tmp_path / "j", 3))))
    setattr(frame, field, getattr(frame, field) + 1)
    with pytest.raises(EncryptionError, match="it was changed, or stands where it was not written"):
        _ = frame.bodies


def test_a_key_fits_one_journal(tmp_path: Path) -> None:
    """The wrapped keys of one journal are put into another's folder, under the names that are looked for there."""
    one, other = _encrypted(tmp_path / "a", 2), tmp_path / "b"
    with JournalWriter.create(other, **OPTIONS | {"genesis_id": bytes(16)}, master=MASTER) as writer:
        append(writer, 1, b"x")
    theirs, ours = (read_keys(FileStorage(place))[1][0] for place in (one, other))
    text = (other / "keys").read_text()
    swapped = text.replace(base64.b64encode(ours.wrapped).decode(), base64.b64encode(theirs.wrapped).decode())
    (other / "keys").write_text(swapped)
    with pytest.raises(EncryptionError, match="the key that is kept under that name is another one"):
        _ = next(iter(JournalReader(other))).records
    (other / "keys").write_text(text[:-9] + "\n")
    with pytest.raises(EncryptionError, match="damaged"):
        _ = next(iter(JournalReader(other))).records


def test_a_destroyed_key_opens_nothing_and_the_rest_goes_on(tmp_path: Path) -> None:
    journal = _encrypted(tmp_path / "j", 5)
    more(journal, 4)
    note, (first, second) = make_checkpoint(journal, KEY), read_keys(FileStorage(journal))[1]
    assert (first.first_frame, second.first_frame) == (1, 6)
    destroy_key(FileStorage(journal), first.id)
    frames = list(JournalReader(journal))
    for frame in frames[:5]:
        with pytest.raises(EncryptionError, match=f"with key {first.id.hex()}, which was destroyed"):
            _ = frame.bodies
    assert [bytes(frame.bodies) for frame in frames[5:]] == [b"more"] * 4
    assert check_event_proof(prove_event(journal, 1, note), KEYS).frame.number == 1
    more(journal, 1)  # with a key of its own
    with pytest.raises(EncryptionError, match="no key"):
        destroy_key(FileStorage(journal), bytes(8))
    assert base64.b64encode(first.wrapped).decode() not in (journal / "keys").read_text()


def test_an_encrypted_journal_is_bound_to_the_one_in_plain(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", 30)
    made = encrypt_journal(plain, tmp_path / "e", MASTER)
    report = verify_journal(plain)
    assert made.genesis_id == encrypted_genesis_id(bytes(range(16)), 30, report.root).hex()
    assert [bytes(frame.records) for frame in JournalReader(tmp_path / "e")] == [
        bytes(frame.records) for frame in JournalReader(plain)
    ]
    again = encrypt_journal(tmp_path / "e", tmp_path / "f", OTHER)  # another master key, another journal
    assert (again.frames, again.source_root) == (30, made.root)
    segment = next(plain.glob("*.seg"))
    segment.write_bytes(segment.read_bytes()[:-200])
    with pytest.raises(JournalError, match="not whole, so it is not encrypted"):
        encrypt_journal(plain, tmp_path / "g", MASTER)
    assert not (tmp_path / "g").exists()
    assert len(list(JournalReader(tmp_path / "f"))) == 30


def test_a_backup_holds_wrapped_keys_and_no_master(tmp_path: Path) -> None:
    journal = _encrypted(tmp_path / "run" / "journal", 5)
    (tmp_path / "run" / "master").write_text(MASTER.text)
    assert back_up(tmp_path / "run", tmp_path / "b").left_out == ("master",)
    restore(tmp_path / "b", tmp_path / "again")
    assert (tmp_path / "again/journal/keys").read_bytes() == (journal / "keys").read_bytes()
    assert bytes(next(iter(JournalReader(tmp_path / "again/journal"))).bodies) == b"body 0"


# --- no nonce is used twice -----------------------------------------------------------------------------------------


def _nonces(journal: Path) -> list[tuple[bytes, int, bytes]]:
    """Key id, frame number and hash of every frame that lies in a folder, whatever became of it."""
    found = []
    for frame in JournalReader(journal):
        end = 128 + 128 * frame.record_count + int.from_bytes(frame.view[16:20], "little")
        found.append((bytes(frame.view[end - 8 : end]), frame.number, frame.hash))
    return found


def test_two_that_go_on_from_one_journal_share_no_nonce(tmp_path: Path) -> None:
    """A copy, a backup and the original each write the same frame numbers, in the same epoch."""
    journal = _encrypted(tmp_path / "run" / "journal", 3)
    back_up(tmp_path / "run", tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "again")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    seen: dict[tuple[bytes, int], bytes] = {}
    for number, name in enumerate(("run", "again", "copy")):
        more(tmp_path / name / "journal", 4, b"%d" % number)
        for key, frame, hashed in _nonces(tmp_path / name / "journal"):
            assert seen.setdefault((key, frame), hashed) == hashed
    assert len(seen) == 3 + 3 * 4
    assert len(_nonces(journal)) == 7


@pytest.mark.parametrize("policy", ["off", "batch", "always"])
def test_after_a_power_cut_the_same_frames_are_written_under_another_key(policy: str) -> None:
    """Cut at every operation, whatever becomes of what was not synced; then other bodies are written."""
    opened = 0
    for point in range(1, 60):
        for survival in ("lost", "kept", "torn"):
            storage = MemoryStorage(faults=Faults(crash_at_operation=point))
            seen: dict[tuple[bytes, int], bytes] = {}
            with suppress(Crash):
                _fill(storage, b"before", seen, policy)
            storage = storage.after_power_cut(survival, seed=point)
            with suppress(JournalError):  # it was never begun, or (policy off) is damaged: then nobody writes to it
                recover_journal(storage)
                with JournalWriter.open(storage, fsync=policy) as writer:
                    _go_on(writer, storage, b"after", seen)
                opened += 1
    assert opened > 40


def _fill(storage: MemoryStorage, text: bytes, seen: dict[tuple[bytes, int], bytes], policy: str) -> None:
    with JournalWriter.create(storage, **OPTIONS, fsync=policy, master=MASTER, batch_frames=3) as writer:
        _go_on(writer, storage, text, seen)


def _go_on(writer: JournalWriter, storage: MemoryStorage, text: bytes, seen: dict[tuple[bytes, int], bytes]) -> None:
    key = read_keys(storage)[1][-1].id
    for _ in range(8):
        place = key, writer.frame_count + 1
        assert place not in seen
        seen[place] = text
        writer.append(b"", text, event_count=1, first_sequence=writer.next_sequence, ts_ingest_ns=1)


def _said(journal: Path) -> set[str]:
    said = set()
    for frame in JournalReader(journal):
        try:
            said.add(bytes(frame.bodies)[:4].decode())
        except EncryptionError as error:
            said.add("destroyed" if "which was destroyed" in str(error) else str(error))
    return said


def test_killed_anywhere_an_encrypted_journal_can_be_opened_again(tmp_path: Path) -> None:
    def work() -> None:
        if not (tmp_path / "j").is_dir() or not any((tmp_path / "j").glob("*.seg")):
            _encrypted(tmp_path / "j", 5)
        more(tmp_path / "j", 3)
        storage = FileStorage(tmp_path / "j")
        destroy_key(storage, read_keys(storage)[1][0].id)

    for _ in crash_points(work, tmp_path):
        if any((tmp_path / "j").glob("*.seg")):
            recover_journal(tmp_path / "j")
            if any((tmp_path / "j").glob("*.seg")):
                assert _said(tmp_path / "j") <= {"body", "more", "destroyed"}
        shutil.rmtree(tmp_path / "j", ignore_errors=True)


def test_a_master_key_is_one_line(tmp_path: Path) -> None:
    made = MasterKey.generate()
    assert MasterKey.parse(made.text + "\n") == made
    assert made.text not in repr(made)
    for bad in ("", "journal-master-key-v1", "journal-master-key-v1 AAAA", "PRIVATE+KEY+x", made.text[:-2]):
        with pytest.raises(EncryptionError, match="no master key"):
            MasterKey.parse(bad)
    storage = MemoryStorage()
    name, key = new_data_key(storage, bytes(16), 1, made)
    assert read_keys(storage) == (bytes(16), (read_keys(storage)[1][0],))
    assert made.unwrap(read_keys(storage)[1][0].wrapped) == key
    assert name == hashlib.sha256(b"journal-data-key-v1\n" + bytes(16) + key).digest()[:8]
