"""Checkpoints of a growing journal: the same notes and tiles as those of a whole verification."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal import JournalReader, verify_journal
from journal.checkpoint import Checkpoint
from journal.follow import Follower
from journal.kept import LogError, latest_checkpoint
from journal.merkle import MerkleTree, leaf_hash
from journal.proof import LeafNodes, root_of
from journal.proof_file import check_event_proof, prove_event
from journal.tiles import TileNodes
from journal.tlog import make_checkpoint
from tests.journal.logs import KEY, KEYS, more, write


def _follow(journal: Path, upto: int) -> Follower:
    follower = Follower(journal)
    for _ in follower.catch_up(upto):
        pass
    return follower


@settings(deadline=None, max_examples=10)
@given(steps=generators.lists(generators.tuples(generators.integers(0, 300), generators.booleans()), max_size=5))
def test_it_signs_what_a_whole_verification_signs(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    """Some frames, a process that begins anew or one that goes on, and at times a verification in between."""
    place = tmp_path_factory.mktemp("follow")
    journal, size = write(place / "j", 3), 3
    follower = _follow(journal, size)
    for frames, begins_anew in steps:
        more(journal, frames)
        size += frames
        if begins_anew:
            follower = _follow(journal, size)
        else:
            for frame in JournalReader(journal):
                if frame.number > follower.size:
                    follower.add(frame.number, frame.hash)
        note = follower.sign(KEY)
        assert Checkpoint.of_note(note).root == verify_journal(journal).root
        assert root_of(TileNodes(journal / "tlog", size), size) == follower.checkpoint.root
        if frames % 2:
            assert make_checkpoint(journal, KEY) == note
    event = 2 * size
    assert check_event_proof(prove_event(journal, event, follower.sign(KEY)), KEYS).sequence == event


@given(size=generators.integers(0, 70))
def test_a_tree_of_subtrees_is_the_tree_of_leaves(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(80)]
    tree = MerkleTree.of_nodes(LeafNodes(leaves), size)
    assert tree.root == MerkleTree(leaves[:size]).root
    tree.append(leaves[size])
    assert (tree.size, tree.root) == (size + 1, MerkleTree(leaves[: size + 1]).root)


@pytest.mark.parametrize("has_tiles", [True, False])
@pytest.mark.parametrize(
    ("frames", "text", "says"), [(12, b"otherwise", "history was rewritten"), (8, b"body", "its tail was cut")]
)
def test_what_was_signed_must_still_be_there(
    tmp_path: Path, frames: int, text: bytes, says: str, has_tiles: bool
) -> None:
    journal = write(tmp_path / "j", 12)
    make_checkpoint(journal, KEY)
    shutil.copytree(journal / "tlog", tmp_path / "tlog")
    if not has_tiles:
        shutil.rmtree(tmp_path / "tlog" / "tile")
    shutil.rmtree(journal)
    write(journal, frames, text)
    shutil.copytree(tmp_path / "tlog", journal / "tlog")
    with pytest.raises(LogError, match=says):
        _follow(journal, frames)


def test_another_process_may_sign_meanwhile(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 12)
    follower = _follow(journal, 10)
    later = make_checkpoint(journal, KEY)
    assert follower.sign(KEY) == later == latest_checkpoint(journal)  # nothing older becomes the last one
    follower = _follow(journal, 12)
    assert follower.sign(KEY) == later


def test_it_goes_on_across_segments_without_reading_all(tmp_path: Path) -> None:
    journal = write(tmp_path / "j", 700)
    assert len(list(journal.glob("*.seg"))) > 2
    make_checkpoint(journal, KEY)
    more(journal, 10)
    first = next(Follower(journal).catch_up(710))
    assert 1 < first <= 700
    assert _follow(journal, 710).checkpoint.root == verify_journal(journal).root
