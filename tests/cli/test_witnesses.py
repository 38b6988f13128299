"""``kernel checkpoint --witness`` and ``kernel verify --quorum``, with real witness processes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal.kept import cosigned_checkpoint, kept_checkpoints, latest_checkpoint
from journal.note import COSIGNATURE, Note, SigningKey, VerifierKey
from kernel.cli import cli
from tests.adapters.timestamps.authority import Authority, needs_openssl
from tests.adapters.witness.processes import WitnessProcess, start_all
from tests.cli.helpers import PROGRAM, environment_with
from tests.journal.logs import GENESIS, more, write

ORIGIN = f"tests/{GENESIS.hex()}"


class Desk:
    """A folder with a journal, its key, and two witnesses."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, write(folder / "j", 30)
        assert self.run("keygen", "example.com/desk").exit_code == 0
        self.key = VerifierKey.parse((folder / "desk.pub").read_text())
        self.witnesses = [WitnessProcess(folder / f"w{number}", ORIGIN, self.key, number=number) for number in (1, 2)]
        self.keys = [text for one in self.witnesses for text in ("--witness-key", one.key.verifier.text)]

    def checkpoint(self, *more_arguments: str) -> Result:
        """Ask both."""
        urls = ",".join(one.url for one in self.witnesses)
        return self.run("checkpoint", "j", "--key", "desk.key", "--witness", urls, *self.keys, *more_arguments)

    def verify(self, *arguments: str) -> Result:
        """With the keys of the desk and of both witnesses."""
        keys = [text for one in self.witnesses for text in ("--key", one.key.verifier.text)]
        return self.run("verify", *arguments, "--key", "desk.pub", *keys)

    def run(self, *arguments: str) -> Result:
        """A command in this process, in the folder of the desk."""
        with contextlib.chdir(self.folder):
            return CliRunner().invoke(cli, arguments)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    start_all(made.witnesses)
    yield made
    for one in made.witnesses:
        one.stop()


def test_witnesses_cosign_and_a_quorum_is_demanded(desk: Desk) -> None:
    done = desk.checkpoint("--out", "held.note", "--json")
    assert done.exit_code == 0, done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["cosigners"]] == [one.key.name for one in desk.witnesses]
    note = (desk.folder / "held.note").read_bytes()
    assert note == latest_checkpoint(desk.journal) == cosigned_checkpoint(desk.journal)
    good = desk.verify("j", "--against", "held.note", "--quorum", "2")
    assert good.exit_code == 0, good.stderr
    assert good.stdout.count("cosigned") == 2
    assert desk.run("prove", "j", "--event", "7", "--out", "e.proof").exit_code == 0
    for file in ("held.note", "e.proof"):
        checked = desk.verify(file, "--quorum", "2", "--json")
        assert len(json.loads(checked.stdout)["cosigners"]) == 2
        refused = desk.verify(file, "--quorum", "3")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "2 of the witnesses that are given cosigned" in refused.stderr
    assert desk.verify("j", "--against", "held.note", "--quorum", "3").exit_code == 1
    assert "need --against" in desk.verify("j", "--quorum", "2").stderr
    # The journal goes on, a witness is away: nothing is lost, and the same command asks again.
    more(desk.journal, 5)
    desk.witnesses[1].stop(signal.SIGKILL)
    refused = desk.checkpoint()
    assert refused.exit_code == 1
    assert "1 of the 2 witnesses that must cosigned" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert len(Note.parse(latest_checkpoint(desk.journal) or b"").signatures) == 2  # the desk's and one witness's
    assert cosigned_checkpoint(desk.journal) == note
    enough = desk.checkpoint("--quorum", "1")
    assert (enough.exit_code, "note: " in enough.stderr) == (0, True)
    twice = f"{desk.witnesses[0].url},{desk.witnesses[0].url}/"
    refused = desk.run("checkpoint", "j", "--key", "desk.key", "--witness", twice, *desk.keys)
    assert (refused.exit_code, "some of them with the same key" in refused.stderr) == (1, True), refused.output
    desk.witnesses[1].start()
    assert desk.checkpoint().exit_code == 0
    assert len(kept_checkpoints(desk.journal)) == 2


def test_a_journal_that_was_rewritten_gets_no_cosignature(desk: Desk) -> None:
    assert desk.checkpoint("--out", "held.note").exit_code == 0
    shutil.rmtree(desk.journal)
    write(desk.journal, 40, b"otherwise")
    refused = desk.checkpoint()
    assert refused.exit_code == 1
    assert refused.stderr.count("it saw another history") == 2
    assert cosigned_checkpoint(desk.journal) is None
    caught = desk.verify("j", "--against", "held.note")
    assert (caught.exit_code, "forked" in caught.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--witness", "ftp://x", "--witness-key", "{}"), "write its address"),
        (("--witness", "http://x"), "a quorum of 1 needs"),
        (("--witness", "http://x,http://y", "--witness-key", "{}"), "a quorum of 2 needs"),
        (("--witness", "http://x", "--witness-key", "desk.pub"), "is one that signs notes"),
        (("--witness-key", "{}"), "go with --witness"),
        (("--quorum", "1"), "go with --witness"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "desk.pub").write_text(SigningKey("example.com/desk", bytes(32)).verifier.text)
    text = SigningKey("witness.example/w", bytes(32), COSIGNATURE).verifier.text
    filled = [text if one == "{}" else str(tmp_path / one) if one == "desk.pub" else one for one in arguments]
    refused = CliRunner().invoke(cli, ["checkpoint", "j", "--key", "desk.key", *filled])
    assert (refused.exit_code, says in refused.output) == (2, True), refused.output


@needs_openssl
def test_a_timestamp_says_when(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with Authority(desk.folder / "tsa") as authority:
        stamp = ("--timestamp", authority.url, "--tsa-cert", "tsa/root.pem")
        done = desk.run("checkpoint", "j", "--key", "desk.key", *stamp, "--out", "held.note")
        assert done.exit_code == 0, done.output
        again = desk.run("checkpoint", "j", "--key", "desk.key", *stamp, "--out", "again.note")
        assert (again.exit_code, len(authority.requests)) == (0, 1)  # the first one says the earliest time
        assert (desk.folder / "again.note.tsr").read_bytes() == (desk.folder / "held.note.tsr").read_bytes()
        more(desk.journal, 1)
        authority.answer = (500, b"")
        refused = desk.run("checkpoint", "j", "--key", "desk.key", *stamp)
        assert (refused.exit_code, "the signed checkpoint is kept" in refused.stderr) == (1, True)
        authority.answer = None
        assert desk.run("checkpoint", "j", "--key", "desk.key", *stamp, "--out", "later.note").exit_code == 0
    Authority(desk.folder / "stranger", "Another TSA")
    cert = ("--tsa-cert", "tsa/root.pem")
    assert desk.run("prove", "j", "--event", "7", "--out", "e.proof").exit_code == 0
    for arguments in (
        ("held.note", *cert),
        ("e.proof", *cert, "--timestamp", "later.note.tsr"),
        ("j", "--against", "held.note", *cert),
    ):
        good = desk.verify(*arguments)
        assert good.exit_code == 0, good.output
        assert "stamped" in good.stdout
    for arguments, code, says in (
        (("held.note", *cert, "--timestamp", "later.note.tsr"), 1, "does not hold"),
        (("held.note", "--tsa-cert", "stranger/root.pem"), 1, "does not hold"),
        (("held.note", "--tsa-cert", "desk.pub"), 2, "no PEM"),
        (("held.note", "--timestamp", "later.note.tsr"), 2, "needs --tsa-cert"),
        (("e.proof", *cert), 2, "there is no timestamp"),
        (("j", *cert), 2, "need --against"),
    ):
        refused = desk.verify(*arguments)
        assert (refused.exit_code, says in refused.stderr) == (code, True), refused.output
    for arguments, says in ((("--timestamp", "ftp://x"), "write its address"), (cert, "goes with --timestamp")):
        refused = desk.run("checkpoint", "j", "--key", "desk.key", *arguments)
        assert (refused.exit_code, says in refused.stderr) == (2, True), refused.output


def test_it_can_be_ended_at_any_moment(desk: Desk) -> None:
    """Killed or interrupted anywhere, the next one goes on, and what was signed before is still true."""
    urls = ",".join(one.url for one in desk.witnesses)
    command = [sys.executable, "-c", f"import signal; signal.signal(2, signal.default_int_handler); {PROGRAM}"]
    command += ["checkpoint", str(desk.journal), "--key", str(desk.folder / "desk.key"), "--witness", urls, *desk.keys]
    rounds = int(os.environ.get("KERNEL_KILLS", "4"))
    for turn in range(rounds):
        number = (signal.SIGINT, signal.SIGKILL)[turn % 2]
        more(desk.journal, 300)
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment_with()
        )
        time.sleep(0.25 + 0.6 * turn / rounds)  # from the first imports to the end
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        assert "Traceback" not in said
        assert process.returncode in ((0, 130, -2) if number == signal.SIGINT else (0, -signal.SIGKILL)), said
    done = desk.checkpoint("--out", "held.note")
    assert done.exit_code == 0, done.stderr
    for note in kept_checkpoints(desk.journal):
        (desk.folder / "one.note").write_bytes(note)
        assert desk.verify("j", "--against", "one.note").exit_code == 0
    assert desk.run("prove", "j", "--event", "end", "--out", "e.proof").exit_code == 0
    assert desk.verify("e.proof", "--quorum", "2").exit_code == 0
