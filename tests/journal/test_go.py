"""Go's own packages for transparency logs (golang.org/x/mod/sumdb, note and tlog) read what an auditor is handed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from journal.note import COSIGNATURE, Note, SigningKey, cosign
from tests.journal.test_verify_standalone import KEY, ORIGIN, OTHER, frames_of, leaves_of, run, written
from tests.reference.auditor import checkpoint, consistency, consistency_proof, event_proof, root

WITNESS = SigningKey("witness.example/w", bytes([7]) * 32, COSIGNATURE)
SOURCE = Path(__file__).parents[1] / "go" / "verify.go"
PACKAGES = Path("/usr/share/gocode")
MISSING = shutil.which("go") is None or not (PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir()
pytestmark = pytest.mark.skipif(
    MISSING, reason="NOT CHECKED WITH GO: install golang-go and golang-golang-x-mod-dev (Debian), as .ci/run does"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Our small Go program, built once, without the network."""
    built = tmp_path_factory.mktemp("go") / "verify"
    cache = os.environ.get("GOCACHE") or str(tmp_path_factory.getbasetemp().parent / "go-build-cache")
    settings = {"GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOCACHE": cache, "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", str(built), str(SOURCE)], check=True, env=os.environ | settings)
    return built


@pytest.fixture(scope="module")
def files():
    return written(11, 1 << 20)


@pytest.fixture
def both(program, tmp_path):
    """Go's verdict on some bytes, after making sure that the auditor's verifier says the same."""

    def verdict(command, data, key=KEY.text):
        path = tmp_path / "file"
        path.write_bytes(data)
        done = subprocess.run([program, command, key, path], capture_output=True, text=True, check=False)
        ours, out = run("checkpoint" if command == "note" else "proof", path, "--key", key)
        assert (done.returncode, done.stderr) == (ours, ""), (done.stdout, out)
        return done.stdout.strip()

    return verdict


def flips(data, step):
    """Copies with one bit changed; never so that another name for an event, or for an unknown signer, comes out."""
    for at in range(data.index(b"\n", data.index(b"\n") + 1), len(data), step):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 7
        yield bytes(changed)


def test_go_accepts_our_notes_and_refuses_changed_ones(both, files):
    leaves = leaves_of(files)
    for size in (1, 7, 11):
        note = checkpoint(ORIGIN, leaves[:size], KEY, OTHER)
        assert both("note", note) == f"ok note {ORIGIN} {size} {root(leaves[:size]).hex()}"
    note = checkpoint(ORIGIN, leaves, KEY)
    cosigned = note + cosign(Note.parse(note).text, WITNESS, 1_700_000_000).line.encode()
    assert both("note", cosigned) == both("note", note)  # who does not know the witness passes over its line
    assert "no verifiable signatures" in both("note", checkpoint(ORIGIN, leaves, OTHER))
    assert [both("note", data)[:8] for data in flips(note, 17)] == ["refused:"] * len(list(flips(note, 17)))


def test_go_accepts_every_inclusion_and_refuses_changed_ones(both, files):
    leaves, frames = leaves_of(files), frames_of(files)
    for size in (1, 2, 8, 11):
        note = checkpoint(ORIGIN, leaves[:size], KEY)
        for index in range(size):
            proof = event_proof(2 * index + 1, index, leaves[:size], note, frames[index])
            assert both("event", proof) == f"ok inclusion {index} of {size}"
    note = checkpoint(ORIGIN, leaves, KEY)
    wrong = event_proof(5, 2, leaves, note, frames_of(written(11, 1 << 20, body=b"bogy"))[2])
    for data in (
        wrong,
        event_proof(5, 3, leaves, note, frames[2]),
        *flips(event_proof(5, 2, leaves, note, frames[2]), 31),
    ):
        assert both("event", data).startswith("refused:")


def test_go_accepts_every_consistency_and_refuses_changed_ones(both, files):
    leaves, other = leaves_of(files), leaves_of(written(11, 1 << 20, body=b"bogy"))
    for old, new in [(1, 2), (1, 11), (2, 5), (4, 8), (6, 11), (8, 11), (11, 11)]:
        notes = [checkpoint(ORIGIN, leaves[:size], KEY) for size in (old, new)]
        proof = consistency_proof(consistency(old, leaves[:new]), *notes)
        assert both("consistency", proof) == f"ok consistency {old} of {new}"
    path, old, new = consistency(6, leaves), checkpoint(ORIGIN, leaves[:6], KEY), checkpoint(ORIGIN, leaves, KEY)
    forked, elsewhere = checkpoint(ORIGIN, other, KEY), checkpoint(f"tests/{'0' * 32}", leaves, KEY)
    for data in (consistency_proof(path, old, forked), consistency_proof([], new, forked),
                 consistency_proof(path, old, elsewhere), consistency_proof(path, new, old),
                 consistency_proof(path[:-1], old, new), *flips(consistency_proof(path, old, new), 29)):  # fmt: skip
        assert both("consistency", data).startswith("refused:")
