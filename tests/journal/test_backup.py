"""Backups: consistent while a writer is at work, added to, refused where history differs, and good after any kill."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from journal import JournalError, JournalReader, JournalWriter, verify_journal
from journal.backup import BackupError, back_up
from journal.checkpoint import Checkpoint
from journal.kept import keep_cosigned, keep_timestamp, kept_sizes, kept_timestamp, latest_checkpoint
from journal.manifest import MANIFEST, Manifest
from journal.note import SigningKey
from journal.restore import RESTORED, restore
from journal.tlog import make_checkpoint
from tests.crash_points import crash_points
from tests.journal.logs import GENESIS, KEY, more, write


def _run(folder: Path, frames: int = 12, text: bytes = b"body") -> Path:
    """A run directory: a journal and files around it."""
    folder.mkdir()
    write(folder / "journal", frames, text)
    (folder / "run.json").write_text("{}")
    (folder / "report.html").write_text("<p>all of it</p>")
    (folder / "sub").mkdir()
    (folder / "sub" / "note.txt").write_text("n")
    return folder


def _facts(run: Path) -> tuple[int, bytes]:
    report = verify_journal(run / "journal")
    assert report.ok, report.first_problem
    return report.frames, report.root


def _content(folder: Path) -> dict[str, bytes]:
    """All files but those that belong to one place only."""
    passing = ("head", "lock", RESTORED)  # and the lock of the log, of the same name
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in passing)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_one_backup_at_a_time(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")

    def at_once(done: int, total: int) -> None:
        back_up(run, tmp_path / "b")

    def full_pipe(done: int, total: int) -> None:
        raise BlockingIOError("what is told goes nowhere")

    with pytest.raises(BackupError, match="another backup to there is under way"):
        back_up(run, tmp_path / "b", at_once)
    with pytest.raises(BlockingIOError, match="goes nowhere"):
        back_up(run, tmp_path / "b", full_pipe)
    assert back_up(run, tmp_path / "b").frames == 12


def test_a_backup_comes_back_as_it_was(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 700)
    make_checkpoint(run / "journal", KEY)
    report = back_up(run, tmp_path / "b")
    assert (report.frames, report.new_frames, report.left_out) == (700, 700, ())
    found = restore(tmp_path / "b", tmp_path / "again")
    assert (found.frames, found.cut_after, found.checkpoints) == (700, None, 1)
    assert _content(tmp_path / "again") == _content(run)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "again").rglob("*"))
    with JournalWriter.open(tmp_path / "again" / "journal") as writer:  # a writer goes on from it
        assert writer.frame_count == 700


def test_a_bare_journal_can_be_backed_up(tmp_path: Path) -> None:
    write(tmp_path / "j", 3)
    back_up(tmp_path / "j", tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "k")
    assert verify_journal(tmp_path / "k").root == verify_journal(tmp_path / "j").root
    with pytest.raises(BackupError, match="is a backup of a bare journal"):
        back_up(_run(tmp_path / "run"), tmp_path / "b")


def test_a_second_backup_copies_what_is_new(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 300)
    back_up(run, tmp_path / "b")
    first = sorted((tmp_path / "b/journal").glob("*.seg"))
    assert len(first) > 1
    before = {path: path.stat().st_mtime_ns for path in first[:-1]}
    more(run / "journal", 50)
    (run / "report.html").write_text("<p>more</p>")
    report = back_up(run, tmp_path / "b")
    assert (report.frames, report.new_frames) == (350, 50)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((tmp_path / "b/files").iterdir())) == report.files  # what only the older one named is gone
    restore(tmp_path / "b", tmp_path / "again")
    assert _content(tmp_path / "again") == _content(run)


@pytest.mark.parametrize(
    ("frames", "text", "says"),
    [
        (12, b"otherwise", "frame 1 of the journal is not the one that was backed up"),
        (8, b"body", "the journal ends with frame 8, and the backup holds frame 9"),
    ],
)
def test_what_is_no_extension_is_refused(tmp_path: Path, frames: int, text: bytes, says: str) -> None:
    back_up(_run(tmp_path / "run"), tmp_path / "b")
    before = _content(tmp_path / "b")
    with pytest.raises(BackupError, match=says):
        back_up(_run(tmp_path / "other", frames, text), tmp_path / "b")
    assert _content(tmp_path / "b") == before


def test_the_frame_that_differs_is_named(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 5)
    shutil.copytree(run, tmp_path / "fork")
    more(run / "journal", 3, b"one")
    more(tmp_path / "fork/journal", 9, b"two")
    back_up(run, tmp_path / "b")
    with pytest.raises(BackupError, match="frame 6 of the journal is not"):
        back_up(tmp_path / "fork", tmp_path / "b")


def test_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    back_up(run, tmp_path / "b")
    for path, says in (
        (next((tmp_path / "b/journal").glob("*.seg")), "not what was backed up"),
        (next((tmp_path / "b/files").iterdir()), "not what was backed up"),
        (tmp_path / "b" / MANIFEST, "damaged"),
    ):
        good = path.read_bytes()
        path.write_bytes(good[:-9] + b"x" + good[-8:])
        with pytest.raises(JournalError, match=says):
            restore(tmp_path / "b", tmp_path / "again")
        path.unlink()
        with pytest.raises(JournalError, match=r"gone|no backup there"):
            restore(tmp_path / "b", tmp_path / "again")
        path.write_bytes(good)
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_bytes())
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest | {"root": "00" * 32}))
    with pytest.raises(BackupError, match="one of the two was changed"):
        restore(tmp_path / "b", tmp_path / "again")
    (tmp_path / "b" / MANIFEST).write_text(
        json.dumps(manifest | {"files": [{"path": "../x", "bytes": 1, "sha256": "0" * 64}]})
    )
    with pytest.raises(BackupError, match="is no file of a backup"):
        restore(tmp_path / "b", tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_a_checkpoint_of_another_history_refuses_the_backup(tmp_path: Path) -> None:
    run, other = _run(tmp_path / "run"), _run(tmp_path / "other", 12, b"otherwise")
    make_checkpoint(other / "journal", KEY)
    shutil.copytree(other / "journal/tlog", run / "journal/tlog")
    back_up(run, tmp_path / "b")
    with pytest.raises(BackupError, match="signed over 12 other frames"):
        restore(tmp_path / "b", tmp_path / "again")


def test_a_cut_is_at_the_end_of_a_frame_and_takes_what_came_later_with_it(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 5)
    first = make_checkpoint(run / "journal", KEY)
    more(run / "journal", 5)
    second = make_checkpoint(run / "journal", KEY)
    keep_cosigned(run / "journal", second)
    for note in (first, second):
        keep_timestamp(run / "journal", Checkpoint.of_note(note), b"a token")
    back_up(run, tmp_path / "b")
    frames = [(frame.number, frame.next_sequence - 1) for frame in JournalReader(run / "journal")]
    assert frames[6] == (7, 14)
    for upto, wanted in ((14, 7), (15, 7), (16, 8)):
        again = tmp_path / f"again-{upto}"
        report = restore(tmp_path / "b", again, upto=upto, of_the_whole=("report.html", "no-such"))
        assert (report.frames, report.cut_after) == (wanted, 2 * wanted)
        assert report.left_out == ("report.html",)
        assert _facts(again)[0] == wanted
        assert kept_sizes(again / "journal") == {5}
        assert not (again / "journal/tlog/cosigned").exists()
        assert kept_timestamp(again / "journal", Checkpoint.of_note(first)) == b"a token"
        assert kept_timestamp(again / "journal", Checkpoint.of_note(second)) is None
        assert b"\n5\n" in (latest_checkpoint(again / "journal") or b"")
    assert restore(tmp_path / "b", tmp_path / "whole", upto=20).cut_after is None
    assert latest_checkpoint(tmp_path / "whole/journal") == second
    with pytest.raises(BackupError, match="event 21 is not in the backup; its last one is 20"):
        restore(tmp_path / "b", tmp_path / "x", upto=21)
    with pytest.raises(BackupError, match="its first frame ends with event 2"):
        restore(tmp_path / "b", tmp_path / "x", upto=1)
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    back_up(run, tmp_path / "b")
    with pytest.raises(BackupError, match="nothing is overwritten"):
        restore(tmp_path / "b", run)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(BackupError, match="is no backup"):
        back_up(run, tmp_path / "full")
    for place in (run / "b", run, tmp_path):
        with pytest.raises(BackupError, match="lies within"):
            back_up(run, place)


def test_secrets_stay(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    (run / "desk.key").write_text("x")
    (run / "plain.txt").write_text(SigningKey("a", bytes(32)).text)
    (run / "link").symlink_to("run.json")
    report = back_up(run, tmp_path / "b")
    assert report.left_out == ("desk.key", "link", "plain.txt")
    assert all(b"PRIVATE" not in path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file())


def test_what_is_not_durable_is_not_taken(tmp_path: Path) -> None:
    with JournalWriter.create(
        tmp_path / "j", origin="t", genesis_id=bytes(16), schema_digest=bytes(32), batch_frames=4
    ) as writer:
        for number in range(1, 7):
            writer.append(b"", b"x", event_count=1, first_sequence=number, ts_ingest_ns=number)
        assert back_up(tmp_path / "j", tmp_path / "b").frames == 4  # the rest was never acknowledged
        writer.sync()
        assert back_up(tmp_path / "j", tmp_path / "b").new_frames == 2
    restore(tmp_path / "b", tmp_path / "k")
    assert verify_journal(tmp_path / "k").frames == 6


def test_a_backup_while_a_writer_is_at_work(tmp_path: Path) -> None:
    """Frames, segments and checkpoints appear while it is copied, again and again; each backup is whole."""
    (tmp_path / "run").mkdir()
    journal = write(tmp_path / "run/journal", 1)
    child = os.fork()
    if child == 0:
        try:
            for _ in range(200):
                more(journal, 40)
                make_checkpoint(journal, KEY)
        finally:
            os._exit(0)
    try:
        frames = []
        for number in range(8):
            frames.append(back_up(tmp_path / "run", tmp_path / "b").frames)
            report = restore(tmp_path / "b", tmp_path / f"again-{number}")
            assert report.frames == frames[-1]
            time.sleep(0.01)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert frames == sorted(frames)
    assert frames[-1] > frames[0]


def test_killed_anywhere_the_first_backup_can_be_made_again(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 160)
    make_checkpoint(run / "journal", KEY)
    for point in crash_points(lambda: back_up(run, tmp_path / "b"), tmp_path / "b"):
        manifest = Manifest.read(tmp_path / "b")
        if manifest is not None and manifest.segments:
            restore(tmp_path / "b", tmp_path / f"early-{point}")
            assert _content(tmp_path / f"early-{point}") == _content(run)
        else:
            with pytest.raises(BackupError, match=r"no backup there|never finished"):
                restore(tmp_path / "b", tmp_path / "again")
        back_up(run, tmp_path / "b")
        restore(tmp_path / "b", tmp_path / f"late-{point}")
        assert _content(tmp_path / f"late-{point}") == _content(run)
        shutil.rmtree(tmp_path / "b")


def test_killed_anywhere_a_later_backup_leaves_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 100)
    back_up(run, tmp_path / "base")
    old = _content(run)
    more(run / "journal", 100)
    (run / "report.html").write_text("<p>more</p>")
    shutil.copytree(tmp_path / "base", tmp_path / "b")
    for point in crash_points(lambda: back_up(run, tmp_path / "b"), tmp_path / "b"):
        restore(tmp_path / "b", tmp_path / f"early-{point}")
        assert _content(tmp_path / f"early-{point}") in (old, _content(run))
        back_up(run, tmp_path / "b")
        restore(tmp_path / "b", tmp_path / f"late-{point}")
        assert _content(tmp_path / f"late-{point}") == _content(run)
        for name in ("b", f"early-{point}", f"late-{point}"):
            shutil.rmtree(tmp_path / name)
        shutil.copytree(tmp_path / "base", tmp_path / "b")


def test_killed_anywhere_a_restore_can_be_run_again(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 20)
    back_up(run, tmp_path / "b")
    for _ in crash_points(lambda: restore(tmp_path / "b", tmp_path / "again", upto=30), tmp_path):
        if (tmp_path / "again").exists():  # the last step is the name, so then it is whole
            assert _facts(tmp_path / "again")[0] == 15
            shutil.rmtree(tmp_path / "again")
        restore(tmp_path / "b", tmp_path / "again", upto=30)
        assert _facts(tmp_path / "again")[0] == 15
        shutil.rmtree(tmp_path / "again")


def test_a_backup_that_was_changed_is_not_added_to(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    back_up(run, tmp_path / "good")
    folder = tmp_path / "b"
    segment, manifest = folder / "journal" / next((run / "journal").glob("*.seg")).name, folder / MANIFEST
    for change, says in (
        (lambda: os.truncate(segment, 2000), "cut since it was backed up; make the backup anew"),
        (segment.unlink, "gone from the backup; make it anew"),
        (lambda: manifest.write_bytes(b"{"), "damaged"),
        (lambda: manifest.write_bytes(b'{"format": "another"}'), "that this release can read"),
    ):
        shutil.copytree(tmp_path / "good", folder)
        change()
        with pytest.raises(BackupError, match=says):
            back_up(run, folder)
        shutil.rmtree(folder)


def test_a_backup_is_of_one_journal(tmp_path: Path) -> None:
    back_up(write(tmp_path / "j", 5), tmp_path / "b")
    with pytest.raises(BackupError, match=f"is of journal {GENESIS.hex()}, not of {bytes(16).hex()}"):
        back_up(write(tmp_path / "other", 5, genesis=bytes(16)), tmp_path / "b")
    segment = next((tmp_path / "j").glob("*.seg"))
    segment.write_bytes(bytes(8) + segment.read_bytes()[8:])
    with pytest.raises(JournalError, match="header is damaged"):
        back_up(tmp_path / "j", tmp_path / "b")


def test_a_journal_without_a_frame_can_be_backed_up(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 0)
    assert back_up(journal, tmp_path / "b").frames == 0
    assert restore(tmp_path / "b", tmp_path / "again").frames == 0
    more(journal, 3)
    assert (back_up(journal, tmp_path / "b").new_frames, restore(tmp_path / "b", tmp_path / "more").frames) == (3, 3)
