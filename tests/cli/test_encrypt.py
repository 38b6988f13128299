"""``kernel encrypt``: proven without a key, read with one, and a key destroyed for good."""

import json
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal import verify_journal
from journal.encryption import MasterKey, use_master_key
from kernel.cli import cli


def kernel(*arguments: str, **environment: str) -> Result:
    """The command in this process, which has no key before and after."""
    use_master_key(None)
    done = CliRunner().invoke(cli, arguments, env=environment)
    use_master_key(None)
    return done


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a master key and the run encrypted."""
    folder = tmp_path_factory.mktemp("desk")
    with chdir(folder):
        assert kernel("replay", "--to", "2016-08-01", "--out", "run", "--no-report").exit_code == 0
        assert kernel("encrypt", "--make-key", "master").exit_code == 0
        done = kernel("encrypt", "run", "--out", "secret", "--key-file", "master")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(autouse=True)
def _there(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)


def test_an_encrypted_run_is_proven_with_its_key_and_verified_without(desk: Path) -> None:
    assert kernel("verify", "secret").exit_code == 0
    how = {"KERNEL_KEY_FILE": "env:MASTER", "MASTER": (desk / "master").read_text()}
    assert "identical" in kernel("replay", "secret", **how).stdout
    shown = [kernel("show", *run).stdout for run in (("run",), ("secret", "--key-file", "master"))]
    assert shown[0] == shown[1] != ""
    assert not (desk / "secret" / "trades.parquet").exists()
    mark = json.loads((desk / "secret" / "encrypted.json").read_text())
    assert mark["source_root"] == verify_journal(desk / "run" / "journal").root.hex()


def test_what_is_wrong_is_said_in_one_line(desk: Path) -> None:
    (desk / "open").write_text((desk / "master").read_text())
    (desk / "open").chmod(0o644)
    (desk / "other").write_text(MasterKey.generate().text)
    (desk / "other").chmod(0o600)
    for arguments, code, says in (
        (("show", "secret"), 1, "give the master key with --key-file"),
        (("show", "secret", "--key-file", "other"), 1, "is not the one that wraps"),
        (("show", "secret", "--key-file", "open"), 2, "open"),
        (("show", "secret", "--key-file", "run/run.json"), 2, "run.json"),
        (("show", "secret", "--key-file", MasterKey(bytes(32)).text), 2, "--key-file: that is the key itself"),
        (("encrypt", "--make-key", "master"), 2, "never overwritten"),
        (("encrypt", "run"), 2, "give RUN with --out"),
        (("encrypt",), 2, "give RUN with --out"),
        (("encrypt", "run", "--keys", "--out", "x"), 2, "give RUN with --out"),
        (("encrypt", "run", "--make-key", "x"), 2, "give RUN with --out"),
        (("encrypt", "--make-key", "x", "--keys"), 2, "give RUN with --out"),
        (("encrypt", "run", "--keys", "--reason", "x"), 2, "--reason with --destroy"),
        (("encrypt", "run", "--keys", "--new-key", "master"), 2, "--new-key goes with --out"),
        (("encrypt", "run", "--out", "x"), 2, "no master key; give --key-file"),
        (("encrypt", "run", "--out", "secret", "--key-file", "master"), 2, "is there already"),
        (
            ("encrypt", "secret", "--out", "x", "--key-file", "master", "--new-key", "none"),
            2,
            "--new-key: none: No such",
        ),
        (("encrypt", "secret", "--out", "x", "--key-file", "master", "--new-key", "run/run.json"), 2, "--new-key"),
        (("encrypt", "run", "--destroy", "00", "--reason", "x"), 2, "it is not encrypted"),
        (("encrypt", "secret", "--destroy", "00"), 2, "needs --reason"),
    ):
        refused = kernel(*arguments)
        assert refused.exit_code == code, arguments
        assert says in refused.output, arguments


def test_a_destroyed_key_is_recorded_first(desk: Path) -> None:
    keys = json.loads(kernel("encrypt", "secret", "--keys", "--json").stdout)["keys"]
    destroy = ("encrypt", "secret", "--destroy", keys[0]["key"], "--reason", "erasure", "--key-file", "master")
    done = kernel(*destroy, "--json")
    assert json.loads(done.stdout)["last_frame"] == keys[0]["last_frame"]
    after = json.loads(kernel("encrypt", "secret", "--keys", "--json").stdout)["keys"]
    assert [row["destroyed"] for row in after] == [True, False]
    assert "which was destroyed" in kernel("show", "secret", "--key-file", "master").output
    assert verify_journal(desk / "secret" / "journal").ok
    assert "destroyed already" in kernel(*destroy).output
