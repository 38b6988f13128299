"""``kernel keygen``, ``checkpoint``, ``prove``, ``export-tlog``, and ``verify`` with what was signed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.helpers import kernel


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a key and a checkpoint of it."""
    folder = tmp_path_factory.mktemp("desk")
    assert kernel("replay", "--to", "2016-08-01", "--out", "run", "--no-report", cwd=folder).returncode == 0
    assert kernel("keygen", "example.com/desk", cwd=folder).returncode == 0
    assert kernel("checkpoint", "run", "--key", "desk.key", "--out", "held.note", cwd=folder).returncode == 0
    return folder


def test_keys_are_private_and_never_overwritten(desk: Path) -> None:
    assert (desk / "desk.key").stat().st_mode & 0o777 == 0o600
    again = kernel("keygen", "example.com/desk", cwd=desk)
    assert again.returncode == 2
    assert "desk.key is there already" in again.stderr
    assert kernel("keygen", "two words", cwd=desk).returncode == 2
    open_key = desk / "open.key"
    open_key.write_text((desk / "desk.key").read_text())
    open_key.chmod(0o644)
    refused = kernel("checkpoint", "run", "--key", "open.key", cwd=desk)
    assert refused.returncode == 2
    assert "PRIVATE" not in refused.stderr
    key = (desk / "desk.key").read_text().strip()
    assert key.split("+", 4)[4] not in refused.stderr
    for command in (("checkpoint", "run", "--key", key), ("verify", "held.note", "--key", key)):
        refused = kernel(*command, cwd=desk)  # it is no place for a secret
        assert (refused.returncode, "PRIVATE" in refused.stderr, len(refused.stderr.splitlines())) == (2, False, 1)


def test_an_event_is_proven_offline(desk: Path) -> None:
    assert kernel("prove", "run", "--event", "30", "--out", "event.proof", cwd=desk).returncode == 0
    done = kernel("verify", "event.proof", "--key", "desk.pub", "--json", cwd=desk)
    found = json.loads(done.stdout)
    assert (found["proven"], found["event"], found["signers"]) == ("event", 30, ["example.com/desk"])
    for arguments, says in (
        (("verify", "event.proof"), "give --key"),
        (("verify", "event.proof", "--key", "desk.key"), "that is a signing key"),
        (("verify", "event.proof", "--key", "nonsense"), "no verifier key"),
        (("verify", "event.proof", "--key", "x" * 5000), "no verifier key"),
        (("verify", "event.proof", "--key", "run/journal"), "no verifier key"),
        (("verify", "event.proof", "--key", "run/trades.parquet"), "no verifier key"),
        (("prove", "run", "--out", "x"), "say what to prove"),
        (("prove", "run", "--event", "99999999", "--out", "x"), "no event 99,999,999"),
    ):
        refused = kernel(*arguments, cwd=desk)
        assert refused.returncode in (1, 2), arguments
        assert says in refused.stderr, arguments
        assert len(refused.stderr.splitlines()) == 1


def test_a_proof_that_was_changed_is_refused(desk: Path) -> None:
    assert kernel("prove", "run", "--event", "end", "--out", "end.proof", cwd=desk).returncode == 0
    data = bytearray((desk / "end.proof").read_bytes())
    data[-30] ^= 1
    (desk / "changed.proof").write_bytes(data)
    refused = kernel("verify", "changed.proof", "--key", "desk.pub", cwd=desk)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr


def test_the_log_can_be_exported(desk: Path) -> None:
    done = kernel("export-tlog", "run", "log", "--json", cwd=desk)
    assert json.loads(done.stdout)["frames"] > 0
    assert (desk / "log" / "checkpoint").read_bytes() == (desk / "held.note").read_bytes()
    assert kernel("verify", "log/checkpoint", "--key", "desk.pub", cwd=desk).returncode == 0
    assert (
        kernel("prove", "run", "--consistency", "held.note", "log/checkpoint", "--out", "g", cwd=desk).returncode == 0
    )
    assert "proven" in kernel("verify", "g", "--key", "desk.pub", cwd=desk).stdout


def test_what_is_held_by_somebody_else_is_compared(desk: Path, tmp_path: Path) -> None:
    held = ("--against", "held.note", "--key", "desk.pub")
    good = kernel("verify", "run", *held, "--json", cwd=desk)
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["checkpoint"]["finding"] == "same"
    assert "give --key" in kernel("verify", "run", "--against", "held.note", cwd=desk).stderr.replace("needs", "give")
    shutil.copy(desk / "held.note", tmp_path)
    shutil.copy(desk / "desk.pub", tmp_path)
    shutil.copytree(desk / "run" / "journal", tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "tlog")
    (tmp_path / "cut" / "head").unlink()
    segment = next((tmp_path / "cut").glob("*.seg"))
    data = segment.read_bytes()
    segment.write_bytes(data[: data.rindex(b"JFRM")])
    cut = kernel("verify", "cut", *held, cwd=tmp_path)
    assert cut.returncode == 1
    assert cut.stdout.startswith("NOT what was signed: cut")
    assert "its tail was cut" in cut.stdout
