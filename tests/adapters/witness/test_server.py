"""A witness over HTTP: what goes over the wire, parallel requests, kills; the rules: tests/journal/test_witness."""

import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.witness.server import MOST_BYTES
from journal.checkpoint import Checkpoint
from journal.merkle import MerkleTree, leaf_hash
from journal.note import COSIGNATURE, Note, SigningKey
from journal.proof import LeafNodes, prove_consistency
from journal.witness import Request
from kernel.cli.witness import witness as witness_command
from tests.adapters.witness.processes import WitnessProcess
from tests.cli.helpers import kernel

LOG, OTHER = SigningKey("example.com/desk", bytes(32)), SigningKey("example.com/desk", bytes(range(32)))
ORIGIN = f"example.com/log/{bytes(16).hex()}"
HASHES = [leaf_hash(bytes([number])) for number in range(200)]
FORK = [*HASHES[:5], *(leaf_hash(bytes([number, 1])) for number in range(195))]


def _body(old: int, new: int, hashes: list[bytes] = HASHES, key: SigningKey = LOG, origin: str = ORIGIN) -> bytes:
    note = Note.parse(Checkpoint(origin, new, MerkleTree(hashes[:new]).root).sign(key))
    return Request(old, prove_consistency(LeafNodes(hashes), old, new), note).encode()


def _post(url: str, body: bytes) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/add-checkpoint", body), timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    """One that serves the journals of an origin."""
    made = WitnessProcess(tmp_path / "w1", "example.com/log/*", LOG.verifier).start()
    yield made
    made.stop()


def test_requests_get_what_the_specification_says(witness: WitnessProcess) -> None:
    before = int(time.time())
    status, _, text = _post(witness.url, _body(0, 7))
    whole = Note.parse(_body(0, 7).partition(b"\n\n")[2] + text.encode())
    ((key, seconds),) = whole.cosigners([witness.key.verifier])
    assert (status, key) == (200, witness.key.verifier)
    assert before <= seconds <= time.time()
    assert _post(witness.url, _body(3, 9)) == (409, "text/x.tlog.size", "7\n")
    for body, wanted in (
        (b"nonsense", 400),
        (_body(7, 9, key=OTHER), 403),
        (_body(7, 9, origin="example.com/unknown"), 404),
        (_body(7, 7, FORK), 409),
        (_body(7, 9, FORK), 422),
        (bytes(MOST_BYTES + 1), 413),
    ):
        assert _post(witness.url, body)[0] == wanted
    assert _post(witness.url, _body(7, 9))[0] == 200
    assert _post(witness.url, _body(0, 4, origin="example.com/log/another"))[0] == 200  # each log by itself
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(f"{witness.url}/add-checkpoint", timeout=20)
    assert found.value.code == 405
    found.value.close()
    said = witness.stop()
    assert witness.exit_code == 0
    assert len(said.splitlines()) == 2  # the two histories that the log's own key signed
    assert "has forked" in said.splitlines()[0]


def test_it_cosigns_one_history_whoever_asks_and_whenever_it_is_killed(witness: WitnessProcess) -> None:
    """Requests of two histories in parallel, and kills in between: all that is cosigned is of one of them."""
    cosigned: list[tuple[int, str]] = []
    sizes = iter(range(6, 200))
    is_over = threading.Event()

    def ask(name: str, hashes: list[bytes]) -> None:
        old = 0
        while not is_over.is_set():
            try:
                new = max(next(sizes, 199), old)
                status, _, text = _post(witness.url, _body(old, new, hashes))
            except (OSError, ValueError):
                time.sleep(0.02)  # it was killed
                continue
            if status == 200:
                cosigned.append((new, name))
                old = new
            elif status == 409 and text.strip().isdigit():
                old = min(int(text), 199)

    threads = [threading.Thread(target=ask, args=one) for one in (("a", HASHES), ("b", FORK), ("a", HASHES))]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(0.3)
        witness.stop(signal.SIGKILL)
        highest = max((size for size, _ in list(cosigned)), default=0)
        witness.start()
        status, _, text = _post(witness.url, _body(0, 5, key=LOG))
        assert status == 409
        assert int(text) >= highest  # what was cosigned was on the disk before
    is_over.set()
    for thread in threads:
        thread.join()
    assert len(cosigned) > 3
    assert len({name for _, name in cosigned}) == 1


def test_two_processes_do_not_share_a_folder(witness: WitnessProcess) -> None:
    refused = kernel("witness", "serve", witness.folder / "w.toml", "--listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "another witness serves this folder" in refused.stderr


def test_what_is_kept_and_damaged_is_not_taken_for_nothing(witness: WitnessProcess) -> None:
    assert _post(witness.url, _body(0, 7))[0] == 200
    kept = next((witness.folder / "state").glob("*.note"))
    kept.write_bytes(b"damaged")
    assert _post(witness.url, _body(0, 7, FORK))[0] == 500
    assert "cannot answer" in witness.stop()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('key = "w.key"', ""), "missing required field `key`"),
        (('folder = "state"', "folder = 3"), "Expected `str`"),
        (("[[log]]", "[[log"), "it needs key, folder and [[log]]"),
        (("keys = [", 'keys = ["nonsense", '), "no verifier key"),
        (('key = "w.key"', 'key = "none.key"'), "none.key: No such file"),
        (('key = "w.key"', 'key = "desk.key"'), "needs one that cosigns"),
        (("keys = [", f'keys = ["{SigningKey("x", bytes(32), COSIGNATURE).verifier.text}", '), "a witness's key"),
        (("[[log]]", '[[log]]\norigin = "{}"\nkeys = ["{}"]\n[[log]]'), "is named twice"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    made = WitnessProcess(tmp_path / "w", ORIGIN, LOG.verifier)
    (made.folder / "desk.key").touch(mode=0o600)
    (made.folder / "desk.key").write_text(LOG.text)
    file = made.folder / "w.toml"
    file.write_text(file.read_text().replace(change[0], change[1].format(ORIGIN, LOG.verifier.text)))
    refused = CliRunner().invoke(witness_command, ["serve", str(file)])
    assert refused.exit_code in (1, 2)
    assert says in refused.output


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    made = WitnessProcess(tmp_path / "w", ORIGIN, LOG.verifier)
    for listen in ("8780", "localhost:port", "127.0.0.1:99999"):
        refused = CliRunner().invoke(witness_command, ["serve", str(made.folder / "w.toml"), "--listen", listen])
        assert (refused.exit_code, "is no address" in refused.output) == (2, True)
