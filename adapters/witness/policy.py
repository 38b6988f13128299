"""Which witnesses a checkpoint is shown to, whose word counts, and how many are enough.

Owns: the policy and its checks, and one round of asking: what comes is kept with the note. Must not know: when it is
asked, or what is done below the quorum.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.edge.retry import Backoff
from journal.checkpoint import Checkpoint, open_checkpoint
from journal.kept import add_cosignatures, cosigned_checkpoint, keep_cosigned
from journal.note import COSIGNATURE, VerifierKey
from journal.tlog import nodes_of
from journal.witness import WitnessError


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of asking came to: the note with all its cosignatures, how many, and what went wrong."""

    note: bytes
    witnesses: int
    problems: tuple[str, ...]
    is_enough: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is asked, the keys that count, and how many must cosign. Raises WitnessError for what cannot be met."""

    urls: tuple[str, ...]
    keys: tuple[VerifierKey, ...]
    quorum: int

    def __post_init__(self) -> None:
        for url in self.urls:
            if not url.startswith(("http://", "https://")):
                raise WitnessError(f"{url[:80]!r} is no witness; write its address, as in https://witness.example")
        if any(key.kind != COSIGNATURE for key in self.keys):
            raise WitnessError("a witness's key is one that signs notes; take the .pub of kernel keygen --witness")
        there = len({key.public for key in self.keys})
        if self.quorum < 1 or there < self.quorum:
            raise WitnessError(f"a quorum of {self.quorum} needs as many witnesses' keys; {there} given")

    @classmethod
    def of(cls, urls: Sequence[str], keys: Sequence[VerifierKey], quorum: int) -> Policy:
        """With 0 as quorum all that are asked must cosign."""
        found = tuple(dict.fromkeys(urls))
        return cls(found, tuple(keys), quorum or len(found))

    def ask(self, journal: Path, note: bytes, signer: VerifierKey, backoff: Backoff | None = None) -> Round:
        """Ask all of them once, and keep what they say; blocks for as long as the slowest takes."""
        from adapters.witness.client import BACKOFF, ask_witnesses

        before = cosigned_checkpoint(journal)
        old_size = Checkpoint.of_note(before).size if before is not None else 0
        nodes = nodes_of(journal, Checkpoint.of_note(note))
        asked = ask_witnesses(self.urls, note, nodes, self.keys, old_size=old_size, backoff=backoff or BACKOFF)
        words = asyncio.run(asked)
        whole = add_cosignatures(journal, note, [one for word in words for one in word.signatures])
        count = open_checkpoint(whole, [signer, *self.keys]).witnesses
        if count >= self.quorum:
            keep_cosigned(journal, whole)
        problems = tuple(f"{word.url}: {word.problem}" for word in words if word.problem)
        if count < self.quorum and not problems:
            problems = ("all answered, and some of them with the same key: they are one witness",)
        return Round(whole, count, problems, count >= self.quorum)
