"""Checkpoints that a live session makes by itself: signed, and cosigned by witnesses when they are there.

Owns: the thread that does it, when one is due, and how far behind the last one is. The thread that decides only puts a
frame's hash into a queue. What is signed is on the disk; the work is done in small pieces, so that no order waits for
it. Whatever goes wrong is said and tried again; trading goes on.
"""

import importlib
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from adapters.edge.retry import Backoff
from adapters.edge.secrets import SecretError, load_secret
from adapters.witness.policy import Policy
from journal import JournalError
from journal.checkpoint import Checkpoint
from journal.follow import Follower
from journal.kept import cosigned_checkpoint, latest_checkpoint
from journal.note import NoteError, SigningKey, VerifierKey
from journal.rotation import open_rotation
from journal.tlog import journal_origin
from replay.config import ConfigError
from replay.config.amounts import length_ns
from replay.config.live import CheckpointConfig, witness_policy
from replay.live.files import JOURNAL_DIR
from replay.live.start import Opened
from replay.live.writing import GroupCommit
from replay.rotations import recorded_rotations

AT_ONCE = 16  # frames, before the thread steps aside
STEP_ASIDE_S = 0.001
LOOK_EVERY_S = 0.2
AGAIN_FIRST_S, AGAIN_MOST_S = 1.0, 60.0  # after witnesses were away
LAST_ROUND = Backoff(attempts=2, first_seconds=0.2, cap_seconds=0.5, deadline_seconds=5.0)
CLOSE_WITHIN_S = 30.0
Say = Callable[[str], None]


def follow(opened: Opened, settings: CheckpointConfig, say: Say) -> "Checkpoints | None":
    """Begin to make the checkpoints of a session, where they are wanted.

    Raises ConfigError when a new session has no key.
    """
    if not settings.key:
        return None
    try:
        load_key(settings.key)  # and again for each checkpoint: it may be rotated
    except (SecretError, JournalError) as error:
        if not opened.resumed:  # one that goes on has orders to look after: it says what is wrong, and trades
            raise ConfigError(str(error)) from None
    journal = opened.run_dir / JOURNAL_DIR
    made = Checkpoints(journal, opened.journal, settings, say)
    origin = journal_origin(journal)
    for rotation in recorded_rotations(journal):
        with suppress(NoteError):
            made.retire(open_rotation(rotation.note, origin)[0])
    made.start()
    return made


def load_key(source: str) -> SigningKey:
    """The key that signs checkpoints. Raises SecretError or NoteError."""
    return SigningKey.parse(load_secret("live.checkpoint.key", source).reveal().strip())


class Checkpoints:
    """Of one session. ``status`` and ``close`` may be called from any thread."""

    def __init__(self, journal: Path, frames: GroupCommit, settings: CheckpointConfig, say: Say) -> None:
        self._journal, self._frames, self._settings, self._say = journal, frames, settings, say
        self._policy: Policy | None = witness_policy(settings)
        if self._policy is not None:
            importlib.import_module("adapters.witness.client")  # now: later it would hold up an order
        self._every_s = length_ns("live.checkpoint.every", settings.every) / 1e9
        self._queue: deque[tuple[int, bytes, int]] = deque()
        self._begun_with = frames.writer.frame_count
        self._signed = _size(latest_checkpoint(journal))
        self._cosigned = _size(cosigned_checkpoint(journal))
        self._signer: VerifierKey | None = None
        self._note = b""  # signed, and not yet cosigned by enough
        self._problem = ""
        self._retired: set[bytes] = set()  # public keys
        self._signed_s = self._covered_s = self._ask_s = time.monotonic()
        self._again_s = AGAIN_FIRST_S
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        frames.on_frame = lambda number, hashed, sequence: self._queue.append((number, hashed, sequence))

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Make a last checkpoint of what is on the disk, ask the witnesses once more, and end."""
        self._ends.set()
        self._thread.join(CLOSE_WITHIN_S)

    def status(self) -> dict[str, Any]:
        """How far the last checkpoint goes, and how far behind the journal's end that is, in plain values."""
        asks = self._policy is not None
        covered = self._cosigned if asks else self._signed
        lag = max(self._frames.writer.frame_count - covered, 0)
        return {
            "signed_frames": self._signed,
            "cosigned_frames": self._cosigned,
            "asks_witnesses": asks,
            "lag_frames": lag,
            "lag_s": round(time.monotonic() - self._covered_s, 1) if lag else 0.0,
            "problem": self._problem,
        }

    def retire(self, key: VerifierKey) -> None:
        """From now on this key signs nothing here."""
        self._retired.add(key.public)

    def check_rotation(self, old: VerifierKey, new: VerifierKey) -> None:
        """Raise NoteError unless ``old`` is the key that signs here, and ``new`` was none that was replaced."""
        with suppress(SecretError):  # while its file is being replaced, whoever has the old key may say so
            current = load_key(self._settings.key).verifier
            if current.public not in (old.public, new.public):
                raise NoteError(f"the session signs with {current.name} ({current.id.hex()}); give that as --key")
        if old.public in self._retired or new.public in self._retired:
            raise NoteError("a key that was replaced before neither names another one nor comes back")

    def _key(self) -> SigningKey:
        """Raises SecretError or NoteError."""
        key = load_key(self._settings.key)
        if key.verifier.public in self._retired:
            raise NoteError(f"the key {key.name} was replaced; put the new one in its place")
        return key

    # --- the thread ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            follower = Follower(self._journal)
            for number in follower.catch_up(self._begun_with):
                if number % AT_ONCE == 0 and not self._ends.is_set():
                    time.sleep(STEP_ASIDE_S)
            while not self._ends.wait(LOOK_EVERY_S):
                self._turn(follower)
            self._add(follower)
            if follower.size > self._signed:
                self._sign(follower)
            if self._note:
                self._ask(LAST_ROUND)
        except Exception as error:  # not what was signed before, or our own mistake: said once, and trading goes on
            self._fail(f"no checkpoints any more: {error}")

    def _turn(self, follower: Follower) -> None:
        self._add(follower)
        now_s, frames = time.monotonic(), follower.size - self._signed
        is_due = frames > 0 and now_s - self._signed_s >= self._every_s
        if is_due or 0 < self._settings.every_frames <= frames:
            self._sign(follower)
        if self._note and time.monotonic() >= self._ask_s:
            self._ask(None)

    def _add(self, follower: Follower) -> None:
        """Add the frames that are on the disk by now, a few at a time."""
        durable, count = self._frames.durable, 0
        while self._queue and self._queue[0][2] <= durable:
            number, hashed, _ = self._queue.popleft()
            follower.add(number, hashed)
            count += 1
            if count % AT_ONCE == 0 and not self._ends.is_set():
                time.sleep(STEP_ASIDE_S)

    def _sign(self, follower: Follower) -> None:
        at_s = time.monotonic()
        try:
            key = self._key()
            note, self._signer = follower.sign(key), key.verifier
        except (
            SecretError,
            NoteError,
            OSError,
        ) as error:  # a key that is being replaced, a full disk
            self._signed_s = at_s
            self._fail(f"not signed: {error}")
            return
        self._signed, self._signed_s = Checkpoint.of_note(note).size, at_s
        if self._policy is None:
            self._covered_s, self._problem = at_s, ""
            return
        if not self._note:
            self._ask_s = at_s
        self._note = note  # where one waits for witnesses that are away, this one takes its place

    def _ask(self, backoff: Backoff | None) -> None:
        assert self._policy is not None
        assert self._signer is not None
        note, signed_s = self._note, self._signed_s
        try:
            found = self._policy.ask(self._journal, note, self._signer, backoff)
        except (OSError, JournalError) as error:
            self._later(str(error))
            return
        if not found.is_enough:
            self._later(f"{found.witnesses} of {self._policy.quorum} witnesses cosigned: {'; '.join(found.problems)}")
            return
        self._cosigned, self._covered_s = Checkpoint.of_note(note).size, signed_s
        self._note, self._again_s, self._problem = b"", AGAIN_FIRST_S, "; ".join(found.problems)

    def _later(self, problem: str) -> None:
        self._ask_s = time.monotonic() + self._again_s
        self._again_s = min(2 * self._again_s, AGAIN_MOST_S)
        self._fail(problem)

    def _fail(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._say(f"checkpoint: {problem}")


def _size(note: bytes | None) -> int:
    return Checkpoint.of_note(note).size if note is not None else 0
