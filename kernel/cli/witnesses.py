"""Witnesses on the command line of ``kernel checkpoint``: who is asked, whose word counts, how many are enough.

Owns the options and the words for it. The asking is ``adapters.witness``'s, the notes are the journal's.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import note as say

if TYPE_CHECKING:
    from journal.note import VerifierKey


def witness_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--witness``, ``--witness-key`` and ``--quorum``."""
    for option in (
        click.option("--quorum", type=click.IntRange(min=1), metavar="K", help="How many must; all otherwise."),
        click.option(
            "--witness-key",
            "witness_keys",
            multiple=True,
            metavar="KEY",
            help="A verifier key, text or .pub.",
        ),
        click.option("--witness", "witnesses", multiple=True, metavar="URL[,URL]", help="Ask these witnesses too."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class Witnesses:
    """Who is asked, the keys whose cosignatures count, and how many are enough."""

    urls: tuple[str, ...]
    keys: "tuple[VerifierKey, ...]"
    quorum: int

    @classmethod
    def read(cls, given: Sequence[str], keys: Sequence[str], quorum: int | None) -> "Witnesses | None":
        """What the options say; None when no witness is named. Raises BadInput."""
        from journal.note import COSIGNATURE
        from kernel.cli.keys import verifier_keys

        urls = tuple(dict.fromkeys(url.strip() for one in given for url in one.split(",") if url.strip()))
        found = verifier_keys(keys)
        if not urls:
            if found or quorum is not None:
                raise BadInput("--witness-key and --quorum go with --witness URL")
            return None
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"--witness {url[:80]!r}: write its address, as in https://witness.example")
        if any(key.kind != COSIGNATURE for key in found):
            raise BadInput("--witness-key: that key signs notes; give the .pub of kernel keygen --witness")
        wanted, there = quorum or len(urls), len({key.public for key in found})
        if there < wanted:
            raise BadInput(
                f"a quorum of {wanted} needs the keys of as many witnesses; {there} given with --witness-key"
            )
        return cls(urls, tuple(found), wanted)

    def cosign(self, journal: Path, note: bytes, signer: "VerifierKey") -> bytes:
        """Ask for cosignatures and keep what comes; the note with them. Raises Failure below the quorum."""
        try:
            from adapters.witness.client import ask_witnesses
        except ImportError:
            raise BadInput("--witness needs the extra: pip install 'trading-kernel[live]'") from None
        from journal.checkpoint import Checkpoint, open_checkpoint
        from journal.kept import add_cosignatures, cosigned_checkpoint, keep_cosigned
        from journal.tlog import nodes_of

        before = cosigned_checkpoint(journal)
        old_size = Checkpoint.of_note(before).size if before is not None else 0
        nodes = nodes_of(journal, Checkpoint.of_note(note))
        words = asyncio.run(ask_witnesses(self.urls, note, nodes, self.keys, old_size=old_size))
        whole = add_cosignatures(journal, note, [one for word in words for one in word.signatures])
        count = open_checkpoint(whole, [signer, *self.keys]).witnesses
        problems = [f"{word.url}: {word.problem}" for word in words if word.problem]
        if count < self.quorum:
            raise Failure(
                f"{count} of the {self.quorum} witnesses that must cosigned ({'; '.join(problems)}); "
                "the signed checkpoint is kept, and the same command asks again"
            )
        for problem in problems:
            say(problem)
        keep_cosigned(journal, whole)
        return whole
