"""Attacks on journals that were signed, each with the layer that catches it: chain, checkpoint, witness or quorum.

    python -m tests.journal.attacks

prints a row for each with who caught it, how many proofs were accepted and refused, and for each planted bug how many
attacks then pass. The exit code is 1 when an attack passes, or a planted bug lets none pass.
"""

import base64
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import journal.checkpoint
import journal.note
import journal.scan
import journal.tlog
import journal.witness
from journal import JournalError, verify_journal
from journal.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from journal.merkle import EMPTY_ROOT
from journal.note import COSIGNATURE, Note, NoteError, SigningKey, VerifierKey
from journal.proof import prove_consistency
from journal.tlog import Comparison, Finding, journal_origin, make_checkpoint, nodes_of
from journal.witness import Answer, Request, Witness
from tests.journal.logs import KEY, KEYS, finding, more, write

SECONDS = 1_700_000_000


def _cut(journal: Path, held: Path) -> None:
    """The tail is cut between two frames, and the seal with it."""
    shutil.rmtree(journal)
    write(journal, 8)


def _rewrite(journal: Path, held: Path) -> None:
    """All is written again with another body, by somebody who can write the folder."""
    shutil.rmtree(journal)
    write(journal, 12, b"otherwise")


def _fork(journal: Path, held: Path) -> None:
    """The holder of the key writes another history and signs that too."""
    _rewrite(journal, held)
    make_checkpoint(journal, KEY)


def _replay_old(journal: Path, held: Path) -> None:
    """An old copy of the journal, with its own good checkpoint, is shown as the present one."""
    shutil.rmtree(journal)
    write(journal, 8)
    make_checkpoint(journal, KEY)


def _swap(journal: Path, held: Path) -> None:
    """Two frames of the same length change places."""
    segment = next(journal.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    length = int.from_bytes(data[512 + 20 : 512 + 24], "little")
    first, second = (slice(512 + at * length, 512 + (at + 1) * length) for at in (3, 4))
    data[first], data[second] = data[second], data[first]
    segment.write_bytes(data)


def _edit(journal: Path, held: Path) -> None:
    """A body is edited, and the frame's own marks are made good again."""
    from journal.layout import END_MARK_BYTES, seal_frame

    segment = next(journal.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    length = int.from_bytes(data[512 + 20 : 512 + 24], "little")
    frame = data[512 + 3 * length : 512 + 4 * length]
    frame[128 + 256] ^= 1
    frame[-END_MARK_BYTES:] = seal_frame(memoryview(frame))[0]
    data[512 + 3 * length : 512 + 4 * length] = frame
    segment.write_bytes(data)


def _other_journal(journal: Path, held: Path) -> None:
    """The checkpoint that is shown is one of another journal."""
    held.write_bytes(make_checkpoint(write(held.parent / "other", 12, genesis=bytes(16)), KEY))


def _other_key(journal: Path, held: Path) -> None:
    """The checkpoint is signed by somebody else under the same name."""
    held.write_bytes(Checkpoint(journal_origin(journal), 12, verify_journal(journal).root).sign(
        SigningKey(KEY.name, bytes(32))))  # fmt: skip


def _forged_note(journal: Path, held: Path) -> None:
    """All is written again, and the root of the checkpoint that is shown is made to fit; the signature stays."""
    old = verify_journal(journal).root
    _rewrite(journal, held)
    new = verify_journal(journal).root
    held.write_bytes(held.read_bytes().replace(base64.b64encode(old), base64.b64encode(new)))


ATTACKS: list[tuple[Callable[[Path, Path], None], str]] = [
    (_cut, "cut"),
    (_rewrite, "rewritten"),
    (_fork, "forked"),
    (_replay_old, "cut"),
    (_swap, "frame-out-of-order"),
    (_edit, "chain-broken"),
    (_other_journal, "another journal"),
    (_other_key, "no key that is given has signed"),
    (_forged_note, "the signature of example.com/desk is not good"),
]


def _found_after(attack: Callable[[Path, Path], None], place: Path) -> str:
    """What is found of a journal that was attacked: by the chain alone, or with the checkpoint that somebody holds."""
    attacked, held = write(place / "j", 12), place / "held.note"
    held.write_bytes(make_checkpoint(attacked, KEY))
    attack(attacked, held)
    problem = verify_journal(attacked).first_problem
    return finding(attacked, held.read_bytes()) if problem is None else problem.kind


# --- attacks that witnesses catch -----------------------------------------------------------------------------------


class _Town:
    """A journal of 12 frames, and two witnesses that have cosigned it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.journal = write(place / "j", 12)
        self.keys = [SigningKey(f"witness.example/w{number}", bytes([number]) * 32, COSIGNATURE) for number in (1, 2)]
        for number in (0, 1):
            assert self.ask(number, self.journal, make_checkpoint(self.journal, KEY)).status == 200

    def ask(self, number: int, journal: Path, note: bytes) -> Answer:
        """Ask a witness as ``kernel checkpoint`` does: from the size that it has."""
        origin, made = journal_origin(journal), Checkpoint.of_note(note)
        witness = Witness(self.place / f"w{number}", self.keys[number], {origin: KEYS})
        old = min(witness.latest(origin).size, made.size)
        path = prove_consistency(nodes_of(journal, made), old, made.size)
        return witness.add_checkpoint(Request(old, path, Note.parse(note)).encode(), SECONDS)

    def layers(self, journal: Path, note: bytes) -> list[str]:
        """Who refuses the note: each witness by its status, and the auditor, who wants both."""
        answers = [self.ask(number, journal, note) for number in (0, 1)]
        whole = note + b"".join(answer.body for answer in answers if answer.status == 200)
        found = [f"witness {number + 1}: {one.status}" for number, one in enumerate(answers) if one.status != 200]
        try:
            open_checkpoint(whole, [*KEYS, *(key.verifier for key in self.keys)]).require(2)
        except NoteError:
            found.append("quorum")
        return found


def _rewritten(town: _Town) -> list[str]:
    """The holder of the log's key writes all anew, longer than it was."""
    journal = write(town.place / "k", 20, b"otherwise")
    return town.layers(journal, make_checkpoint(journal, KEY))


def _cut_and_gone_on(town: _Town) -> list[str]:
    """The tail is cut, and other frames come in its place."""
    journal = write(town.place / "k", 8)
    more(journal, 10)
    return town.layers(journal, make_checkpoint(journal, KEY))


def _replayed_old_checkpoint(town: _Town) -> list[str]:
    """An old copy with its own good checkpoint is shown as the present journal."""
    journal = write(town.place / "k", 8)
    return town.layers(journal, make_checkpoint(journal, KEY))


def _stale_witness(town: _Town) -> list[str]:
    """The first witness is set back to an old copy of what it saw, and knows nothing of the last frames."""
    shutil.rmtree(town.place / "w0")
    journal = write(town.place / "k", 8)
    assert town.ask(0, journal, make_checkpoint(journal, KEY)).status == 200
    more(journal, 10)
    return town.layers(journal, make_checkpoint(journal, KEY))


def _fork_shown_to_two_witnesses(town: _Town) -> list[str]:
    """Each witness is shown another end of the same beginning: both cosign, and no note has both."""
    fork = town.place / "k"
    shutil.copytree(town.journal, fork)
    more(town.journal, 3, b"for one")
    more(fork, 3, b"for the other")
    one, other = make_checkpoint(town.journal, KEY), make_checkpoint(fork, KEY)
    assert town.ask(0, town.journal, one).status == town.ask(1, fork, other).status == 200
    assert finding(town.journal, other) == Finding.FORKED.value
    return town.layers(town.journal, one)


def _one_witness_under_two_names(town: _Town) -> list[str]:
    """A second name is made for the one witness that is there."""
    town.keys[1] = SigningKey("witness.example/another", town.keys[0].seed, COSIGNATURE)
    more(town.journal, 1)
    return town.layers(town.journal, make_checkpoint(town.journal, KEY))


def _cosigned_by_the_log(town: _Town) -> list[str]:
    """Whoever signs the log poses as one of its witnesses."""
    town.keys[1] = SigningKey("witness.example/w2", KEY.seed, COSIGNATURE)
    more(town.journal, 1)
    return town.layers(town.journal, make_checkpoint(town.journal, KEY))


WITNESS_ATTACKS: list[tuple[Callable[[_Town], list[str]], list[str]]] = [
    (_rewritten, ["witness 1: 422", "witness 2: 422", "quorum"]),
    (_cut_and_gone_on, ["witness 1: 422", "witness 2: 422", "quorum"]),
    (_replayed_old_checkpoint, ["witness 1: 409", "witness 2: 409", "quorum"]),
    (_stale_witness, ["witness 2: 422", "quorum"]),
    (_fork_shown_to_two_witnesses, ["witness 2: 409", "quorum"]),
    (_one_witness_under_two_names, ["quorum"]),
    (_cosigned_by_the_log, ["quorum"]),
]


def _refused_after(attack: Callable[[_Town], list[str]], place: Path) -> list[str]:
    """Who refuses what an attacker shows."""
    town = _Town(place)
    assert town.layers(town.journal, make_checkpoint(town.journal, KEY)) == []
    return attack(town)


# --- all of them ----------------------------------------------------------------------------------------------------


class Row:
    """One attack, and which layer is to catch it."""

    def __init__(self, attack: Callable[..., Any], run: Callable[..., Any], caught: str) -> None:
        self.name, self.text = attack.__name__.strip("_"), (attack.__doc__ or "").strip()
        self.caught, self._attack, self._run = caught, attack, run

    def found(self) -> str:
        """Who caught it, or how it passed."""
        with tempfile.TemporaryDirectory() as place:
            found = self._run(self._attack, Path(place))
        return found if isinstance(found, str) else ", ".join(found)

    def is_caught(self) -> bool:
        """Whether the layer that must did."""
        try:
            return self.caught in self.found()
        except (AssertionError, JournalError):
            return False  # with a planted bug, what the attack builds on may not hold any more


ROWS = [Row(attack, _found_after, caught) for attack, caught in ATTACKS]
ROWS += [Row(attack, _refused_after, ", ".join(caught)) for attack, caught in WITNESS_ATTACKS]


def _nothing_seen(_: Witness, origin: str) -> Checkpoint:
    return Checkpoint(origin, 0, EMPTY_ROOT)


def _same(*_: Any) -> Comparison:
    return Comparison(Finding.SAME, "")


def _no_origin(data: bytes, keys: Any, origin: str | None = None) -> SignedCheckpoint:
    return open_checkpoint(data, keys)


# What is planted, where, and in which place.
CANARIES: tuple[tuple[str, Any, str, Any], ...] = (
    ("any chain accepted", journal.scan.Scan, "_check_chain", lambda *_: None),
    ("any signature accepted", VerifierKey, "check", lambda *_: True),
    ("signer not looked for", Note, "check", lambda self, keys: list(keys)),
    ("checkpoint of another journal accepted", sys.modules["tests.journal.logs"], "open_checkpoint", _no_origin),
    ("root not compared", sys.modules["tests.journal.logs"], "compare_with", _same),
    ("witness takes any proof", journal.witness, "is_consistent", lambda *_: True),
    ("witness forgets what it saw", Witness, "latest", _nothing_seen),
    ("quorum not demanded", SignedCheckpoint, "require", lambda *_: None),
    ("one witness counted by its names", SignedCheckpoint, "witnesses", property(lambda self: len(self.cosigners))),
)  # fmt: skip


def attacks_that_pass(canary: tuple[str, Any, str, Any]) -> list[str]:
    """The attacks that the layer which must does not catch while a bug is planted."""
    _, target, name, bug = canary
    with mock.patch.object(target, name, bug):
        return [row.name for row in ROWS if not row.is_caught()]


def main() -> int:
    """Print the tables; 1 when something is not as it must be."""
    from tests.journal.test_proof import CONSISTENCY_ROWS, INCLUSION_ROWS, is_consistent, is_included

    wrong = 0
    print(f"{'attack':<28} {'caught by, or as':<46} what is done")
    for row in ROWS:
        found = row.found()
        wrong += row.caught not in found
        print(f"{row.name:<28} {row.caught if row.caught in found else 'NOT CAUGHT: ' + found:<46} {row.text}")
    refused = sum(not is_included(*row[1]) for row in INCLUSION_ROWS)
    refused += sum(not is_consistent(*row[1]) for row in CONSISTENCY_ROWS)
    count = len(INCLUSION_ROWS) + len(CONSISTENCY_ROWS)
    wrong += count - refused
    print(f"\n{len(ROWS)} attacks; {refused} of {count} spoiled inclusion and consistency proofs refused")
    print(f"\n{'planted bug':<44} attacks that pass")
    for canary in CANARIES:
        passed = attacks_that_pass(canary)
        wrong += not passed
        print(f"{canary[0]:<44} {', '.join(passed) or 'NONE: NOT NOTICED'}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
