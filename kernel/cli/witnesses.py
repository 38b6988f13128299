"""Witnesses on the command line of ``kernel checkpoint``: who is asked, whose word counts, how many are enough.

Owns the options and the words for it. The asking is ``adapters.witness``'s, the notes are the journal's.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput, Failure
from kernel.cli.journals import note as say

if TYPE_CHECKING:
    from adapters.witness.policy import Policy
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


class Witnesses:
    """What the options say of witnesses."""

    def __init__(self, policy: "Policy") -> None:
        self._policy, self.keys = policy, policy.keys

    @classmethod
    def read(cls, given: Sequence[str], keys: Sequence[str], quorum: int | None) -> "Witnesses | None":
        """None when no witness is named. Raises BadInput."""
        from adapters.witness.policy import Policy
        from journal.witness import WitnessError
        from kernel.cli.keys import verifier_keys

        urls = [url.strip() for one in given for url in one.split(",") if url.strip()]
        found = verifier_keys(keys)
        if not urls:
            if found or quorum is not None:
                raise BadInput("--witness-key and --quorum go with --witness URL")
            return None
        try:
            return cls(Policy.of(urls, found, quorum or 0))
        except WitnessError as error:
            raise BadInput(f"--witness: {error}; see --witness-key and --quorum") from error

    def cosign(self, journal: Path, note: bytes, signer: "VerifierKey") -> bytes:
        """Ask for cosignatures and keep what comes; the note with them. Raises Failure below the quorum."""
        try:
            found = self._policy.ask(journal, note, signer)
        except ImportError:
            raise BadInput("--witness needs the extra: pip install 'trading-kernel[live]'") from None
        if not found.is_enough:
            raise Failure(
                f"{found.witnesses} of the {self._policy.quorum} witnesses that must cosigned "
                f"({'; '.join(found.problems)}); the signed checkpoint is kept, and the same command asks again"
            )
        for problem in found.problems:
            say(problem)
        return found.note
