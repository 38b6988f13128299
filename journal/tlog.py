"""A journal as a transparency log: checkpoints that are signed and kept, tiles for proofs, and comparing with both.

Owns: the tiles in a journal's folder ``tlog`` (C2SP tlog-tiles), and the rule that no checkpoint is signed that does
not follow from those before it. Must not know: who holds the key, or what events mean; ``kept.py`` keeps the notes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from journal.checkpoint import Checkpoint, SignedCheckpoint, checkpoint_origin, open_checkpoint
from journal.files import write_file
from journal.kept import (
    CHECKPOINT_NAME,
    TLOG_DIR,
    LogError,
    kept_checkpoints,
    latest_checkpoint,
    log_lock,
    sign_and_keep,
)
from journal.merkle import Nodes
from journal.note import NoteError, SigningKey, VerifierKey
from journal.proof import LeafNodes, root_of
from journal.scan import Scan
from journal.storage import as_storage
from journal.tiles import TileError, TileNodes, TileWriter

Progress = Callable[[int, int], None]
PROGRESS_BYTES = 32 << 20


def journal_origin(journal: Path) -> str:
    """What checkpoints call this journal. Raises JournalError."""
    identity = Scan(as_storage(journal)).identity
    if identity is None:
        raise LogError(f"{journal}: the first segment's header is damaged; see kernel verify")
    return checkpoint_origin(identity.origin, identity.genesis_id)


def make_checkpoint(journal: Path, key: SigningKey, progress: Progress | None = None) -> bytes:
    """Verify the whole journal, add to its tiles, sign size and root, and keep the note; returns it.

    Raises JournalError: a journal that does not verify, or one that does not follow from the last checkpoint, is not
    signed. A torn tail is left out.
    """
    folder, origin = journal / TLOG_DIR, journal_origin(journal)
    with log_lock(journal):
        last = latest_checkpoint(journal)
        before = Checkpoint.of_note(last) if last is not None else None
        size, root = _extend(journal, folder, before, entries=False, progress=progress)
        make_durable(journal)
        return sign_and_keep(journal, Checkpoint(origin, size, root), key)


def make_durable(journal: Path) -> None:
    """What is signed must not be lost with the power, even where whoever wrote the journal never synced it."""
    descriptor = os.open(journal / Scan(as_storage(journal)).segments[-1], os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def export_log(journal: Path, folder: Path, note: bytes, progress: Progress | None = None) -> Checkpoint:
    """Write (or go on with) the C2SP tlog-tiles of the journal up to a checkpoint: note, tiles and bundles of frames.

    Raises JournalError when the journal does not have the checkpoint's root, or the folder holds another log.
    """
    wanted, path = Checkpoint.of_note(note), folder / CHECKPOINT_NAME
    before = Checkpoint.of_note(path.read_bytes()) if path.is_file() else None
    if wanted.origin != journal_origin(journal):
        raise LogError(f"the checkpoint is of {wanted.origin}, and not of this journal")
    if before is not None and (before.origin != wanted.origin or before.size > wanted.size):
        raise LogError(f"{folder} holds {before.origin} with {before.size:,} frames; name an empty folder")
    size, root = _extend(journal, folder, before, entries=True, upto=wanted.size, progress=progress)
    if (size, root) != (wanted.size, wanted.root):
        raise LogError(differs(wanted, size))
    write_file(path, note)
    return wanted


def _extend(
    journal: Path,
    folder: Path,
    before: Checkpoint | None,
    *,
    entries: bool,
    upto: int | None = None,
    progress: Progress | None = None,
) -> tuple[int, bytes]:
    """Walk the journal, add what is new to the tiles, and return its size and root. Checks ``before`` on the way."""
    storage = as_storage(journal)
    scan = Scan(storage)
    tree = scan.tree()
    writer = _tile_writer(folder, before, entries=entries)
    if writer.size < tree.size:
        raise LogError(
            f"{folder}: no tiles of the {tree.size:,} frames that were pruned; restore that folder from a backup"
        )
    total, told = sum(len(storage.map(name).view) for name in scan.segments), 0
    if before is not None and before.size == tree.size and before.root != tree.root:
        raise LogError(rewritten(before))
    for frame in scan.frames():
        if upto is not None and tree.size == upto:
            break
        tree.append(frame.hash)
        if tree.size > writer.size:
            writer.append(frame.hash, frame.view)
        if before is not None and tree.size == before.size and tree.root != before.root:
            raise LogError(rewritten(before))
        if progress is not None and scan.bytes_done - told >= PROGRESS_BYTES:
            told = scan.bytes_done
            progress(told, total)
    if before is not None and tree.size < before.size:
        raise LogError(differs(before, tree.size))
    writer.finish()
    return tree.size, tree.root


def _tile_writer(folder: Path, before: Checkpoint | None, *, entries: bool) -> TileWriter:
    """Goes on with the tiles of a folder where they are what the checkpoint says, and begins anew where not."""
    if before is None:
        return TileWriter(folder, entries=entries)
    try:
        if root_of(TileNodes(folder, before.size), before.size) == before.root:
            return TileWriter(folder, before.size, entries=entries)
    except TileError:
        pass  # tiles can always be made again
    return TileWriter(folder, entries=entries)


def rewritten(before: Checkpoint) -> str:
    """What is said of a journal that does not begin as it was signed."""
    return (
        f"the journal's first {before.size:,} frames are no longer those of the checkpoint that was signed before: "
        "history was rewritten; keep both and find out who did it"
    )


def differs(wanted: Checkpoint, size: int) -> str:
    """What is said of a journal of so many frames that does not have a checkpoint's root."""
    if size < wanted.size:
        return f"the checkpoint is of {wanted.size:,} frames, and the journal has {size:,}: its tail was cut"
    return f"the journal's first {wanted.size:,} frames do not have the checkpoint's root"


# --- comparing ------------------------------------------------------------------------------------------------------


class Finding(Enum):
    """What a checkpoint says of a journal."""

    SAME = "same"
    LONGER = "longer"
    CUT = "cut"
    REWRITTEN = "rewritten"
    FORKED = "forked"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``sentence`` says it for people."""

    finding: Finding
    sentence: str

    @property
    def is_good(self) -> bool:
        return self.finding in (Finding.SAME, Finding.LONGER)


def compare_with(
    journal: Path, given: SignedCheckpoint, roots: dict[int, bytes], frames: int, keys: Sequence[VerifierKey]
) -> Comparison:
    """What a signed checkpoint of this journal's origin says of it.

    ``frames`` is how many it has; ``roots`` has the root at the size of the given checkpoint and of those that are kept
    in the journal, as far as it reaches.
    """
    wanted = given.checkpoint
    if frames < wanted.size:
        return Comparison(Finding.CUT, differs(wanted, frames))
    if (roots[wanted.size] if wanted.size in roots else _pruned_root(journal, wanted.size, roots)) == wanted.root:
        if frames == wanted.size:
            return Comparison(Finding.SAME, f"the journal is what was signed: {frames:,} frames, the same root")
        more = frames - wanted.size
        sentence = f"the journal begins with the {wanted.size:,} frames that were signed; {more:,} came after them"
        return Comparison(Finding.LONGER, sentence)
    for note in kept_checkpoints(journal):
        try:
            own = open_checkpoint(note, keys, wanted.origin).checkpoint
        except NoteError:
            continue
        if own.size in roots and roots[own.size] == own.root:
            sentence = (
                f"the same key has signed two histories: this journal at {own.size:,} frames, and another one at "
                f"{wanted.size:,}; the two notes together prove it"
            )
            return Comparison(Finding.FORKED, sentence)
    sentence = f"the journal's first {wanted.size:,} frames are not those that were signed: history was rewritten"
    return Comparison(Finding.REWRITTEN, sentence)


def _pruned_root(journal: Path, size: int, roots: dict[int, bytes]) -> bytes:
    """The root over frames of which the last was pruned: from the tiles, which must have the root that was walked."""
    tiled = _tiled_size(journal)
    nodes = TileNodes(journal / TLOG_DIR, tiled)
    try:
        if tiled in roots and root_of(nodes, tiled) == roots[tiled]:
            return root_of(nodes, size)
    except TileError:
        pass
    raise LogError(f"{journal}: the tiles of its pruned frames are gone; restore {TLOG_DIR} from a backup")


# --- hashes for proofs ----------------------------------------------------------------------------------------------


def nodes_of(journal: Path, checkpoint: Checkpoint) -> Nodes:
    """The subtree hashes of the journal up to a checkpoint: from its tiles, or worked out from all its frames.

    Raises LogError when the journal does not have the checkpoint's root.
    """
    nodes: Nodes = TileNodes(journal / TLOG_DIR, _tiled_size(journal))
    try:
        if root_of(nodes, checkpoint.size) == checkpoint.root:
            return nodes
    except TileError:
        pass  # there are none, or not so many: all frames are read
    hashes: list[bytes] = []
    scan = Scan(as_storage(journal))
    if scan.pruned.frames:
        raise LogError(f"{journal}: the tiles of its pruned frames are gone; restore {TLOG_DIR} from a backup")
    for frame in scan.frames():
        if len(hashes) == checkpoint.size:
            break
        hashes.append(frame.hash)
    nodes = LeafNodes(hashes)
    if len(hashes) < checkpoint.size or root_of(nodes, checkpoint.size) != checkpoint.root:
        raise LogError(differs(checkpoint, len(hashes)))
    return nodes


def _tiled_size(journal: Path) -> int:
    note = latest_checkpoint(journal)
    return Checkpoint.of_note(note).size if note is not None else 0
