"""Folding a journal from its first event, and comparing each of its snapshots on the way.

Owns the comparison. Where events were pruned, the first snapshot behind them is where it begins, and cannot be checked.
"""

from journal import SnapshotStore
from kernel.records import record_bytes
from replay.history import History, Progress
from replay.inspect.folding import Folding
from replay.snapshots import Checked, SnapshotError, Standing, facts_of, standing


def check_snapshots(history: History, progress: Progress | None = None) -> list[Checked]:
    """Every snapshot of a journal, compared with what the events come to; damaged ones are named."""
    store, found, waiting = SnapshotStore(history.journal), list[Checked](), list[Standing]()
    for info in store.list():
        taken = store.latest(info.sequence)
        if info.problem is not None or taken is None or taken.sequence != info.sequence:
            found.append(Checked(info.sequence, 0, "", info.problem or "it cannot be read"))
            continue
        try:
            waiting.append(standing(taken, history.reader.genesis_id))
        except SnapshotError as error:
            found.append(Checked(taken.sequence, taken.frame_number, facts_of(taken).state_digest, str(error)))
    return sorted(found + _fold(history, waiting, progress), key=lambda one: one.sequence)


def _fold(history: History, waiting: list[Standing], progress: Progress | None) -> list[Checked]:
    found, folding, last = list[Checked](), Folding(history.names), history.last_sequence
    first = history.begin(folding)
    for one in [one for one in waiting if one.sequence < first]:
        waiting.remove(one)
        begins = one.sequence == first - 1
        found.append(_checked(one, "" if begins else "events that it stands for were pruned"))
    due = {one.sequence: one for one in waiting}
    for frame in history.frames(first) if due else ():
        folding.take(frame)
        if frame.next_sequence - 1 in due:
            found.append(_compare(history, due.pop(frame.next_sequence - 1), folding))
        if progress is not None:
            progress(folding.events, last)
        if not due:
            break
    return found + [_checked(one, "no frame of this journal ends with its event") for one in due.values()]


def _compare(history: History, taken: Standing, folding: Folding) -> Checked:
    if not history.is_bound(taken):
        return _checked(taken, f"frame {taken.frame_number:,} is not the one that it was taken after")
    if record_bytes(taken.state) != record_bytes(folding.state):
        return _checked(taken, f"the events come to another state, with digest {folding.digest}")
    return _checked(taken, "")


def _checked(taken: Standing, problem: str) -> Checked:
    return Checked(taken.sequence, taken.frame_number, taken.facts.state_digest, problem)
