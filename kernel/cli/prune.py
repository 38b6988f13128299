"""``kernel prune``: remove the oldest segments of a journal under a policy; and the holds that forbid it.

Parses, calls the functions of the journal in their order, renders. Exit codes: 0 done, or shown what would be; 1 the
journal is not whole; 2 wrong usage.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.cli.errors import BadInput
from kernel.cli.journals import as_json_text, journal_argument, journal_errors, json_option, note, print_lines
from kernel.cli.progress import ProgressBar
from kernel.plurals import counted

if TYPE_CHECKING:
    from journal.retention import Plan, Policy

MEGABYTE = 1_000_000


@click.command()
@journal_argument
@click.option("--policy", "text", metavar="POLICY", help="What may go: age=180d (w, y), size=10GB, or age=7y,size=1TB.")
@click.option("--yes", is_flag=True, help="Do it; else it is only shown.")
@click.option("--hold", metavar="NAME", help="Forbid that anything of --from to --to is pruned, until it is released.")
@click.option("--from", "start", metavar="DATE", help="With --hold: the first day, as 2024-03-01.  [default: ever]")
@click.option("--to", "end", metavar="DATE", help="With --hold: the last day.  [default: ever]")
@click.option("--release", metavar="NAME", help="Release a hold.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="Only checkpoints that this verifier key signed count; may repeat.",
)
@json_option
def prune(
    journal: Path,
    text: str | None,
    yes: bool,
    hold: str | None,
    start: str | None,
    end: str | None,
    release: str | None,
    keys: Sequence[str],
    as_json: bool,
) -> None:
    """Remove whole segments from the beginning of JOURNAL, as far as the policy lets them go. Without --yes: show.

    Never goes: what no checkpoint and no snapshot covers, what is under a hold, and the last segment. The policy is
    recorded in the journal first. Verification, checkpoints and proofs of what stays are as before.
    """
    if (text is not None) + (hold is not None) + (release is not None) > 1:
        raise BadInput("give one of --policy, --hold and --release")
    if hold is None and (start is not None or end is not None):
        raise BadInput("--from and --to go with --hold NAME")
    if text is None and (yes or keys):
        raise BadInput("--yes and --key go with --policy POLICY")
    with journal_errors():
        from replay.history import find_journal

        place, _ = find_journal(journal)
        if hold is not None or release is not None:
            found, lines = _holds(place, hold, start, end, release)
        elif text is None:
            _, held = _holds(place, None, None, None, None)
            raise BadInput(
                f"what may go? give --policy, as age=180d; or --hold, --release. In force: {', '.join(held)}"
            )
        else:
            from journal.retention import Policy

            found, lines = _prune(place, Policy.parse(text), yes, keys)
    print_lines([as_json_text(found)] if as_json else lines)


def _prune(place: Path, policy: "Policy", yes: bool, keys: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    from journal.retention import carry_out, finish_pruning, plan_pruning
    from kernel.cli.keys import verifier_keys

    now_ns = time.time_ns()
    with ProgressBar("verify") as progress:
        plan = plan_pruning(place, policy, now_ns, _snapshot_frames(place), progress, verifier_keys(keys))
    found: dict[str, Any] = {
        "policy": policy.text,
        "segments": len(plan.gone),
        "frames": plan.last.frames if plan.last is not None else plan.already,
        "pruned_bytes": plan.gone_bytes,
        "kept_bytes": plan.kept_bytes,
        "why_no_more": plan.why,
        "done": False,
    }
    if plan.last is None:
        if yes:
            finish_pruning(place)
        return found, [f"nothing to prune: {plan.why}"]
    what = (
        f"{counted(len(plan.gone), 'segment')}, frames {plan.already + 1:,} to {plan.last.frames:,}, "
        f"{plan.gone_bytes / MEGABYTE:,.1f} MB of {(plan.gone_bytes + plan.kept_bytes) / MEGABYTE:,.1f}"
    )
    if not yes:
        note("only shown; add --yes to do it. A backup first keeps what goes")
        return found, [f"would prune {what}", f"no more, because {plan.why}"]
    sequence = _record(place, policy, plan)
    carry_out(place, plan)
    return found | {"done": True, "sequence": sequence}, [f"pruned {what} (event {sequence:,})"]


def _record(place: Path, policy: "Policy", plan: "Plan") -> int:
    """The policy and what goes, as an event, before anything is removed."""
    import numpy as np

    from journal.retention import read_holds
    from kernel.events.catalogue import SegmentsPruned
    from replay.custody import record_custody

    assert plan.last is not None
    words = (int(word) for word in np.frombuffer(plan.last.root, ">i8"))
    event = SegmentsPruned(plan.last.frames, plan.last.next_sequence, plan.gone_bytes, *words)
    holds = {"holds": [one.name for one in read_holds(place)]} if read_holds(place) else {}
    return record_custody(place, event, {"policy": policy.text, "user_id": os.getuid()} | holds)


def _snapshot_frames(place: Path) -> int:
    """Up to which frame a snapshot of this release stands in for the events."""
    from replay.history import History
    from replay.snapshots import newest

    history = History(place)
    found = newest(place, history.reader.genesis_id, None, same_reducer=True)
    while found is not None and not history.is_bound(found):
        found = newest(place, history.reader.genesis_id, found.sequence - 1, same_reducer=True)
    return found.frame_number if found is not None else 0


def _holds(
    place: Path, name: str | None, start: str | None, end: str | None, release: str | None
) -> tuple[dict[str, Any], list[str]]:
    from journal.retention import Hold, read_holds, write_holds

    holds = read_holds(place)
    if name is not None:
        if not name.isprintable() or " " in name or any(one.name == name for one in holds):
            raise BadInput(f"{name!r}: a hold has a name of its own, without spaces")
        first = _day_ns(start, "--from") if start is not None else -(1 << 63)
        last = _day_ns(end, "--to", after=1) - 1 if end is not None else (1 << 63) - 1
        if last < first:
            raise BadInput(f"--from {start} comes after --to {end}, so nothing would be held")
        holds.append(Hold(name, first, last))
        write_holds(place, holds)
    elif release is not None:
        left = [one for one in holds if one.name != release]
        if len(left) == len(holds):
            raise BadInput(f"no hold {release!r}; in force are {', '.join(one.name for one in holds) or 'none'}")
        holds = left
        write_holds(place, holds)
    lines = [f"hold {one.name}: {_day(one.start_ns)} to {_day(one.end_ns)}" for one in holds]
    rows = [{"name": one.name, "start_ns": one.start_ns, "end_ns": one.end_ns} for one in holds]
    return {"holds": rows}, lines or ["no holds"]


def _day_ns(text: str, option: str, after: int = 0) -> int:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=after)
    except ValueError:
        raise BadInput(f"{option} {text!r} is no day; write it as 2024-03-01") from None
    return int(day.timestamp()) * 1_000_000_000


def _day(ns: int) -> str:
    if abs(ns) >= (1 << 63) - 1:
        return "ever"
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")
