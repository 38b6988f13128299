"""The verifier that an auditor copies: journals of the real writer, every kind of tampering, checkpoints."""

import ast
import contextlib
import io
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

import journal
from journal import JournalReader, JournalWriter, verify_journal, verify_standalone
from journal.faulty import MemoryStorage
from journal.layout import seal_frame, segment_name
from tests.journal.conftest import IDENTITY
from tests.journal.test_journal_format import dumped_file, stated
from tests.reference.auditor import Key, checkpoint

PROGRAM = Path(journal.__file__).parent / "verify_standalone.py"
KEY, OTHER = Key("example.com/log", bytes(range(32))), Key("example.com/other", b"\x07" * 32)
WITNESS = Key("witness.example", b"\x09" * 32, kind=4)
ORIGIN = f"tests/{IDENTITY['genesis_id'].hex()}"
FIRST = segment_name(1)


def run(*arguments):
    """Exit code and output of one run; any exception that leaves the program fails the test."""
    out, words = io.StringIO(), ["verify_standalone.py", *map(str, arguments)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), patch.object(sys, "argv", words):
        try:
            code = verify_standalone.main()
        except SystemExit as stop:
            code = stop.code
    return code, out.getvalue()


def written(frames=9, segment_bytes=1500, identity=IDENTITY, body=b"body"):
    """The segment files of a journal, without the head seal."""
    storage = MemoryStorage()
    with JournalWriter.create(storage, segment_bytes=segment_bytes, **identity) as writer:
        for number in range(1, frames + 1):
            bodies = body + bytes([number % 256]) * (number % 5)
            sequence = writer.next_sequence
            writer.append(
                bytes([number % 256]) * 128, bodies, event_count=2, first_sequence=sequence, ts_ingest_ns=number
            )
    return {name: data for name, data in storage.files.items() if name.endswith(".seg")}


def frames_of(files):
    return [bytes(frame.view) for frame in JournalReader(MemoryStorage(files=files))]


def leaves_of(files):
    return [frame.hash for frame in JournalReader(MemoryStorage(files=files))]


def put(folder, files):
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def note_file(tmp_path, note):
    (tmp_path / "note").write_bytes(note)
    return tmp_path / "note"


def against(tmp_path, files, note, key=KEY.text):
    return run("journal", put(tmp_path / "j", files), "--checkpoint", note_file(tmp_path, note), "--key", key)


def fixed(frame, **fields):
    """A frame with other header fields, and with every checksum of its own made right again."""
    data, places = bytearray(frame), {"number": (32, "<Q"), "sequence": (40, "<Q"), "durable": (48, "<Q")}
    places |= {"epoch": (64, "<Q"), "first_byte_of_id": (72, "<B"), "body": (256, "<B"), "version": (6, "<H")}
    places |= {"padding": (262, "<B"), "body_bytes": (16, "<I"), "header_bytes": (4, "<H")}
    for name, value in fields.items():
        struct.pack_into(places[name][1], data, places[name][0], value)
    struct.pack_into("<I", data, 120, crc32(data[:120]))
    data[-8:] = seal_frame(memoryview(data))[0]
    return bytes(data)


def test_it_is_one_short_file_that_needs_only_the_standard_library():
    source = PROGRAM.read_text()
    assert len(source.splitlines()) < 400
    imported = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)}  # fmt: skip
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert "assert " not in source


def test_a_copy_of_the_file_runs_alone(tmp_path):
    shutil.copy(PROGRAM, tmp_path / "copied.py")
    folder = put(tmp_path / "j", written())
    command = [sys.executable, "-I", "-S", "copied.py", "journal", "j"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"frames 9\nevents 18\nhead {verify_journal(folder).head.hex()}" in done.stdout


def test_the_worked_example(tmp_path):
    code, out = run("journal", put(tmp_path / "j", {FIRST: dumped_file(FIRST)}))
    assert code == 0
    assert f"frames 1\nevents 1\nhead {stated('frame hash')}\nroot {stated('root')}\n" in out


@pytest.mark.parametrize("segment_bytes", [700, 1500, 1 << 20])
def test_it_agrees_with_the_verifier_of_the_writer(tmp_path, segment_bytes):
    files = written(20, segment_bytes)
    report = verify_journal(MemoryStorage(files=files))
    code, out = run("journal", put(tmp_path / "j", files))
    facts = f"frames 20\nevents 40\nhead {report.head.hex()}\nroot {report.root.hex()}\n"
    assert (code, facts in out) == (0, True)


def test_long_segments_are_read_in_parts(tmp_path, monkeypatch):
    files = written(60, 1 << 20)
    monkeypatch.setattr(verify_standalone, "LONGEST_FRAME_BYTES", 400)
    for read_bytes in (401, 1000, 4096):
        monkeypatch.setattr(verify_standalone, "READ_BYTES", read_bytes)
        assert run("journal", put(tmp_path / "j", files))[0] == 0
    damaged = bytearray(files[FIRST])
    damaged[-300] ^= 1
    code, out = run("journal", put(tmp_path / "j", {FIRST: bytes(damaged)}))
    problem = verify_journal(MemoryStorage(files={FIRST: bytes(damaged)})).first_problem
    assert (code, f"byte {problem.offset}, frame {problem.frame_number}:" in out) == (1, True)


def test_flipped_bits_are_found(tmp_path):
    files = written(3, 1100)
    folder = put(tmp_path / "j", files)
    for name, content in files.items():
        for at in [*range(160), *range(160, 496, 16), *range(496, len(content))]:
            damaged = bytearray(content)
            damaged[at] ^= 1 << at % 8
            (folder / name).write_bytes(damaged)
            code, out = run("journal", folder)
            assert (code, out.count("FAILS: ") + out.count("cannot check: ")) in {(1, 1), (2, 1)}, (name, at)
        (folder / name).write_bytes(content)


def test_every_cut_inside_a_frame_is_called_incomplete(tmp_path):
    files = written(2, 1 << 20)
    ends = {512 + len(frames_of(files)[0]), len(files[FIRST])}
    for length in range(512, len(files[FIRST])):
        code, out = run("journal", put(tmp_path / "j", {FIRST: files[FIRST][:length]}))
        if length in ends | {512}:
            assert code == 0
        else:
            assert (code, "The last frame is incomplete" in out) == (1, True), length


def test_a_tail_of_zeros_is_incomplete_and_zeros_elsewhere_are_damage(tmp_path):
    files = written(3, 1 << 20)
    whole = files[FIRST]
    for torn in (whole + bytes(300), whole[:-8] + bytes(8), whole + bytes(7)):
        code, out = run("journal", put(tmp_path / "j", {FIRST: torn}))
        assert (code, "The last frame is incomplete" in out) == (1, True)
    first_end = 512 + len(frames_of(files)[0])
    hole = whole[: first_end - 8] + bytes(8) + whole[first_end:]
    code, out = run("journal", put(tmp_path / "j", {FIRST: hole}))
    assert (code, "incomplete" in out, "its end mark is missing" in out) == (1, False, True)


FRAME_TAMPERING = {
    "swapped": (lambda f: [f[0], f[2], f[1], *f[3:]], "frame 3, where 2 is due"),
    "doubled": (lambda f: [f[0], f[0], *f[1:]], "frame 1, where 2 is due"),
    "dropped": (lambda f: [f[0], *f[2:]], "frame 3, where 2 is due"),
    "edited": (lambda f: [f[0], f[1].replace(b"body", b"bogy"), *f[2:]], "its end mark does not fit"),
    "edited, checksums fixed": (lambda f: [f[0], fixed(f[1], body=1), *f[2:]], "frame 3: the chain is broken"),
    "renumbered": (lambda f: [f[0], fixed(f[1], number=7), *f[2:]], "frame 7, where 2 is due"),
    "sequence": (lambda f: [f[0], fixed(f[1], sequence=4), *f[2:]], "sequence 4, where 3 is due"),
    "durable above itself": (lambda f: [f[0], fixed(f[1], durable=2), *f[2:]], "durable_upto is out of order"),
    "epoch falls": (lambda f: [f[0], fixed(f[1], epoch=0), *f[2:]], "the writer epoch is out of order"),
    "foreign": (lambda f: [f[0], fixed(f[1], first_byte_of_id=9), *f[2:]], "of another journal"),
    "newer": (lambda f: [f[0], fixed(f[1], version=2), *f[2:]], "format version is 2"),
    "padding": (lambda f: [f[0], fixed(f[1], padding=1), *f[2:]], "its padding is not zero"),
    "length of the bodies": (lambda f: [f[0], fixed(f[1], body_bytes=60), *f[2:]], "its lengths do not add up"),
    "length of the header": (lambda f: [f[0], fixed(f[1], header_bytes=120), *f[2:]], "its lengths do not add up"),
    "first frame edited": (lambda f: [fixed(f[0], body=1), *f[1:]], "frame 2: the chain is broken"),
}


@pytest.mark.parametrize("name", FRAME_TAMPERING)
def test_tampering_with_frames(tmp_path, name):
    change, words = FRAME_TAMPERING[name]
    files = written(5, 1 << 20)
    changed = files[FIRST][:512] + b"".join(change(frames_of(files)))
    code, out = run("journal", put(tmp_path / "j", {FIRST: changed}))
    assert (code, words in out, out.count("FAILS")) == (1, True, 1), out


def test_tampering_with_segments(tmp_path):
    files, foreign = written(9), written(9, identity=IDENTITY | {"origin": "testz"})
    names = sorted(files)
    assert len(names) > 2
    cases = {
        "a segment is missing or misnamed": [
            {name: files[name] for name in names[1:]},
            {name: files[name] for name in (names[0], names[-1])},
            files | {names[1]: files[names[2]]},
            {name.replace(names[1][:20], f"{99:020}"): data for name, data in files.items()},
        ],
        "of another journal": [files | {names[-1]: foreign[names[-1]]}],
        "a segment header is incomplete": [files | {names[-1]: files[names[-1]][:400]}, files | {names[-1]: b""}],
        "a segment header is damaged": [files | {names[1]: b"X" + files[names[1]][1:]}],
    }
    for words, variants in cases.items():
        for changed in variants:
            code, out = run("journal", put(tmp_path / "j", changed))
            assert (code, words in out) == (1, True), (words, out)


def test_a_name_cannot_forge_a_line(tmp_path):
    for odd in (b"x\nok: all segments.seg", b"\xff.seg"):
        folder = put(tmp_path / "j", written(1))
        Path(os.fsdecode(os.fsencode(folder) + b"/" + odd)).write_bytes(b"")
        done = subprocess.run([sys.executable, PROGRAM, "journal", folder], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr, "\nok: " in done.stdout) == (1, "", False)


@pytest.mark.parametrize(("at", "words"), [
    (48, "its sequence or prev"), (500, "the lengths in a segment"), (10, "the lengths in a segment"),
    (32, "its sequence or prev"), (80, "its sequence or prev"), (120, "its sequence or prev"),
])  # fmt: skip
def test_a_first_segment_header_with_its_checksum_made_right(tmp_path, at, words):
    data = bytearray(written(1)[FIRST])
    data[at] ^= 1
    struct.pack_into("<I", data, 504, crc32(data[:504]))
    code, out = run("journal", put(tmp_path / "j", {FIRST: bytes(data)}))
    assert (code, words in out, out.count("FAILS: ")) == (1, True, 1)


def test_what_is_no_journal_is_bad_usage(tmp_path):
    newer = bytearray(written(1)[FIRST])
    newer[8] = 2
    struct.pack_into("<I", newer, 504, crc32(newer[:504]))
    assert run("journal", put(tmp_path / "newer", {FIRST: bytes(newer)}))[0] == 2
    put(tmp_path / "empty", {})
    for arguments in (["journal", tmp_path / "empty"], ["journal", tmp_path / "absent"], ["journal"], ["juornal", "."],
                      ["journal", tmp_path, "--checkpoint", tmp_path / "absent", "--key", KEY.text]):  # fmt: skip
        code, out = run(*arguments)
        assert (code, "Traceback" in out) == (2, False)


def test_a_journal_against_its_checkpoints(tmp_path):
    files = written(9)
    leaves = leaves_of(files)
    code, out = against(tmp_path, files, checkpoint(ORIGIN, leaves, KEY))
    assert (code, "ok: the journal is the same as the checkpoint" in out) == (0, True)
    for size in range(9):
        code, out = against(tmp_path, files, checkpoint(ORIGIN, leaves[:size], KEY))
        assert code == 0
        assert f"the checkpoint is its first {size} frames, {9 - size} more follow" in out


def test_a_cut_tail_is_caught_by_the_checkpoint(tmp_path):
    files = written(9, 1 << 20)
    note, last = checkpoint(ORIGIN, leaves_of(files), KEY), len(frames_of(files)[-1])
    assert run("journal", put(tmp_path / "j", {FIRST: files[FIRST][:-last]}))[0] == 0
    code, out = against(tmp_path, {FIRST: files[FIRST][:-last]}, note)
    assert (code, "tail cut: the checkpoint is of 9 frames, the journal has 8" in out) == (1, True)
    code, out = against(tmp_path, {FIRST: files[FIRST][:-5]}, note)
    assert (code, out.count("FAILS: "), "The last frame is incomplete" in out) == (1, 2, True)


def test_a_rewrite_and_a_fork_are_caught_by_the_checkpoint(tmp_path):
    note = checkpoint(ORIGIN, leaves_of(written(9)), KEY)
    for other in (written(9, body=b"bogy"), written(12, body=b"bogy")):
        assert run("journal", put(tmp_path / "j", other))[0] == 0
        code, out = against(tmp_path, other, note)
        assert (code, "rewritten or forked: the first 9 frames" in out) == (1, True)


def test_an_old_checkpoint_played_again_is_named_a_prefix_and_a_foreign_one_refused(tmp_path):
    files = written(9)
    assert "4 more follow" in against(tmp_path, files, checkpoint(ORIGIN, leaves_of(files)[:5], KEY))[1]
    code, out = against(tmp_path, files, checkpoint(f"other/{'0' * 32}", leaves_of(files), KEY))
    assert (code, "the checkpoint is of another journal" in out) == (1, True)
    note = note_file(tmp_path, checkpoint(ORIGIN, leaves_of(files), KEY))
    assert run("checkpoint", note, "--key", KEY.text, "--origin", ORIGIN)[0] == 0
    assert run("checkpoint", note, "--key", KEY.text, "--origin", "else")[0] == 1


def test_who_signed_a_checkpoint(tmp_path):
    text = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

    def verdict(lines, *keys, text=text):
        path = note_file(tmp_path, (text + "\n" + lines).encode())
        return run("checkpoint", path, *(word for key in keys for word in ("--key", key)))

    ours, theirs, seen = KEY.line(text), OTHER.line(text), WITNESS.line(text, 1_234)
    bad = KEY.line(text + "x\n")
    assert verdict(ours, KEY.text)[0] == 0
    assert verdict(theirs + ours + seen, KEY.text)[0] == 0
    assert "cosigned by 'witness.example' at 1234 s" in verdict(ours + seen, KEY.text, WITNESS.text)[1]
    (tmp_path / "keys").write_text(f"{OTHER.text}\n{KEY.text}\n")
    assert verdict(ours, tmp_path / "keys")[0] == 0
    refused = {"wrong key": verdict(ours, OTHER.text), "bad": verdict(bad, KEY.text),
               "bad beside good": verdict(bad + theirs, KEY.text, OTHER.text), "none": verdict("", KEY.text),
               "bad witness": verdict(ours + WITNESS.line_of(bytes(72)), KEY.text, WITNESS.text),
               "too many": verdict(ours * 101, KEY.text),
               "good, then bad": verdict(ours + bad, KEY.text),
               "hyphen": verdict(ours.replace("— ", "- "), KEY.text), "cut": verdict(ours[:-1], KEY.text),
               "no root": verdict(KEY.line("a/b\n1\n"), KEY.text, text="a/b\n1\n"),
               "short": verdict(KEY.line_of(bytes(10)), KEY.text)}  # fmt: skip
    assert {name: code for name, (code, _) in refused.items()} == dict.fromkeys(refused, 1)
    wrong_id = KEY.text.replace(KEY.id.hex(), "00000000")
    usage = [verdict(ours), verdict(ours, wrong_id), verdict(ours, WITNESS.text), verdict(ours, tmp_path / "absent")]
    assert [code for code, _ in usage] == [2] * 4


@settings(max_examples=200, deadline=None)
@given(generators.data())
def test_whatever_is_done_to_a_journal_both_verifiers_agree(tmp_path_factory, data):
    files = written(6, data.draw(generators.sampled_from([900, 1 << 20])))
    name = data.draw(generators.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(generators.integers(0, 2))):
        start, stop = sorted(data.draw(generators.tuples(*[generators.integers(0, len(content))] * 2)))
        length = data.draw(generators.integers(0, 300))
        content[start:stop] = data.draw(generators.sampled_from([b"", bytes(length), bytes(content[:length])]))
    changed = files | {name: bytes(content)}
    folder = put(tmp_path_factory.getbasetemp() / "fuzzed", changed)
    code, out = run("journal", folder)
    assert code in (0, 1)
    report = verify_journal(MemoryStorage(files=changed))
    assert (code == 0) == (report.ok and report.tail == "clean"), out
    if code == 0:
        assert f"frames {report.frames}\n" in out
        assert f"root {report.root.hex()}\n" in out
    else:
        assert len(re.findall("^FAILS: .+$", out, re.MULTILINE)) == 1
