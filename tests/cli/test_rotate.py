"""``kernel rotate-key`` in a journal that nobody has open; in a session that runs: tests/live/test_checkpoints.py."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal.note import COSIGNATURE, SigningKey
from kernel.cli import cli
from tests.cli.helpers import kernel

KEYS = [SigningKey(f"example.com/k{number}", bytes([number]) * 32) for number in range(4)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and keys."""
    folder = tmp_path_factory.mktemp("rotate")
    assert kernel("replay", "--to", "2016-08-01", "--out", "run", "--no-report", cwd=folder).returncode == 0
    witness = SigningKey("witness.example/w", bytes(32), COSIGNATURE)
    for name, key in (*((f"k{number}", key) for number, key in enumerate(KEYS)), ("w", witness)):
        path = folder / f"{name}.key"
        path.touch(mode=0o600)
        path.write_text(key.text)
    return folder


def _run(desk: Path, *arguments: str) -> Result:
    """A command in this process; names that are there are in the folder."""
    return CliRunner().invoke(cli, [str(desk / one) if (desk / one).exists() else one for one in arguments])


def test_a_chain_of_keys_is_followed_from_the_first(desk: Path) -> None:
    first = KEYS[0].verifier.text
    note = ("--out", str(desk / "held.note"))
    assert _run(desk, "checkpoint", "run", "--key", "k0.key", *note).exit_code == 0
    for old, new in ((0, 1), (1, 2)):
        done = _run(desk, "rotate-key", "run", "--key", f"k{old}.key", "--new", f"k{new}.key", "--reason", "yearly")
        assert done.exit_code == 0, done.output
        stale = _run(desk, "checkpoint", "run", "--key", f"k{old}.key")
        assert (stale.exit_code, f"was replaced by {KEYS[new].name}" in stale.stderr) == (1, True)
        # What was signed before it is as good as it was.
        good = _run(desk, "verify", "run", "--against", "held.note", "--key", first)
        assert good.exit_code == 0, good.output
        assert _run(desk, "checkpoint", "run", "--key", f"k{new}.key", *note).exit_code == 0
        good = _run(desk, "verify", "run", "--against", "held.note", "--key", first, "--json")
        assert good.exit_code == 0, good.output
        assert json.loads(good.stdout)["checkpoint"]["signers"] == [KEYS[new].name]
        assert len(json.loads(good.stdout)["checkpoint"]["rotations"]) == new
    assert _run(desk, "verify", "run", "--against", "held.note", "--key", KEYS[3].verifier.text).exit_code == 1
    shown = _run(desk, "show", "run", "--topic", "custody.signing_key_rotated").stdout
    assert len(shown.splitlines()) == 3
    assert f"example.com/k1 ({KEYS[1].verifier.id.hex()}) takes the place of example.com/k0" in shown
    assert ", yearly" in shown
    for old, new in ((0, 3), (2, 0), (2, 1)):
        refused = _run(desk, "rotate-key", "run", "--key", f"k{old}.key", "--new", f"k{new}.key")
        assert (refused.exit_code, "nor comes back" in refused.stderr) == (1, True)
    assert "identical" in kernel("replay", desk / "run").stdout


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("k3.key", "w.key", "a witness's key"),
        ("k3.key", "k3.key", "is the old one"),
        ("k3.key", "none", "--new: none: No such file"),
        ("none", "k3.key", "--key: none: No such file"),
        ("k3.key", "run.key", "--new: "),
    ],
)
def test_wrong_keys_are_refused(desk: Path, old: str, new: str, says: str) -> None:
    (desk / "run.key").touch(mode=0o600)
    (desk / "run.key").write_text("no key")
    refused = _run(desk, "rotate-key", "run", "--key", old, "--new", new)
    assert (refused.exit_code, says in refused.output) == (2, True), refused.output
