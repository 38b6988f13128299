"""Damage at rest: cuts, flips, lost sectors, and frames or segments dropped, doubled, swapped.

Owns: the enumeration of damages to a closed journal, and what may come of each. Must not know: how it is
judged.

Each damage is tried with the head seal and on the bare segments, as an auditor has them. On the bare segments
some things cannot be known, by anybody: a cut at a frame boundary, and sectors lost from the last frame, or
from the last few if every header that vouched for them is lost too. There the right answer is the whole
frames before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from zlib import crc32

from journal import (
    CorruptJournal,
    JournalError,
    JournalReader,
    UnsupportedFormat,
    recover_journal,
    verify_journal,
)
from journal.faulty import MemoryStorage
from journal.layout import seal_frame
from tests.journal.apart import joined_report, untimed
from tests.journal.torture.workload import Ledger, Tally, run, slug_of

Files = dict[str, bytes]
SECTOR = 512
HEADER = 128


def closed_journal(policy: str, segment_bytes: int, *, sealed: bool) -> tuple[Files, Ledger]:
    storage, ledger = MemoryStorage(), Ledger()
    run(storage, ledger, policy=policy, segment_bytes=segment_bytes)
    files = storage.files if sealed else {n: b for n, b in storage.files.items() if n != "head"}
    return files, ledger


def check_damage(tally: Tally, files: Files, ledger: Ledger, *, may_keep: Callable[[int], bool]) -> None:
    """Count one case. `may_keep(n)` says whether ending cleanly or torn after n whole frames is a right
    answer.
    """
    tally.cases += 1
    storage = MemoryStorage(files=files)
    try:
        report = verify_journal(storage)
        tally.unlike += untimed(report) != untimed(joined_report(storage))
    except (UnsupportedFormat, JournalError) as error:
        tally.slugs[type(error).__name__] += 1
        tally.refused += 1
        return
    if report.ok and report.tail == "clean" and not may_keep(report.frames):
        tally.accepted += 1
    before = storage.files
    try:
        recovered = recover_journal(storage)
    except (CorruptJournal, UnsupportedFormat) as error:
        tally.refused += 1
        tally.slugs[slug_of(error)] += 1
        tally.accepted += report.ok
        tally.lost += storage.files != before
        return
    tally.slugs[recovered.torn.kind if recovered.torn else "clean"] += 1
    tally.accepted += not may_keep(recovered.frames)
    if recovered.frames:
        try:
            found = [frame.hash for frame in JournalReader(storage)]
        except CorruptJournal:
            tally.lost += 1
            return
        tally.accepted += found != ledger.hashes[: recovered.frames]


def segments_of(files: Files) -> list[str]:
    return sorted(name for name in files if name.endswith(".seg"))


def frame_ends(files: Files) -> list[tuple[str, int, int]]:
    """(segment, start, end) of every frame."""
    return [(f.segment, f.offset, f.offset + f.frame_bytes) for f in JournalReader(MemoryStorage(files=files))]


def cuts(policy: str, segment_bytes: int, *, sealed: bool, stride: int) -> Tally:
    """Every length that the journal can be cut to; later segments are gone with the cut."""
    tally = Tally(f"cut to every length, {label(policy, segment_bytes, sealed)}")
    files, ledger = closed_journal(policy, segment_bytes, sealed=sealed)
    spans, names = frame_ends(files), segments_of(files)
    for position, name in enumerate(names):
        for length in range(0, len(files[name]), stride):
            cut = {n: b for n, b in files.items() if n not in names[position:]} | {name: files[name][:length]}
            whole = sum(1 for segment, _, end in spans if segment < name or (segment == name and end <= length))
            check_damage(tally, cut, ledger, may_keep=lambda n, whole=whole: not sealed and n == whole)  # type: ignore[misc]
    return tally


def flips(policy: str, segment_bytes: int, *, sealed: bool, stride: int) -> Tally:
    """Every single bit of every segment."""
    tally = Tally(f"every bit flipped, {label(policy, segment_bytes, sealed)}")
    files, ledger = closed_journal(policy, segment_bytes, sealed=sealed)
    for name in segments_of(files):
        data = bytearray(files[name])
        for bit in range(0, 8 * len(data), stride):
            data[bit >> 3] ^= 1 << (bit & 7)
            check_damage(tally, files | {name: bytes(data)}, ledger, may_keep=lambda n: False)
            data[bit >> 3] ^= 1 << (bit & 7)
    return tally


def seal_flips(stride: int) -> Tally:
    """Every bit of the head seal: the frames are sound, so the journal must stay whole and readable."""
    tally = Tally("every bit of the seal flipped")
    files, ledger = closed_journal("batch", 2048, sealed=True)
    for bit in range(0, 8 * len(files["head"]), stride):
        data = bytearray(files["head"])
        data[bit >> 3] ^= 1 << (bit & 7)
        check_damage(tally, files | {"head": bytes(data)}, ledger, may_keep=lambda n: n == len(ledger.hashes))
    return tally


def zeroed(policy: str, segment_bytes: int, *, sealed: bool, stride: int) -> Tally:
    """Every sector zeroed, then every pair of sectors."""
    tally = Tally(f"sectors zeroed, {label(policy, segment_bytes, sealed)}")
    files, ledger = closed_journal(policy, segment_bytes, sealed=sealed)
    spans, last = frame_ends(files), len(ledger.hashes)
    sectors = [(name, at) for name in segments_of(files) for at in range(0, len(files[name]), SECTOR)]
    choices: list[tuple[tuple[str, int], ...]] = [(sector,) for sector in sectors]
    choices += list(combinations(sectors, 2))[::stride]
    for chosen in choices:
        changed = dict(files)
        hurt: set[int] = set()
        vouching = set(range(1, last + 1))
        for name, at in chosen:
            data = bytearray(changed[name])
            stop = min(at + SECTOR, len(data))
            if any(data[at:stop]):
                hurt |= {0} if at == 0 else set()
                hurt |= _touched(data, at, stop, spans, name, None)
                vouching -= _touched(data, at, stop, spans, name, HEADER)
            data[at:stop] = bytes(stop - at)
            changed[name] = bytes(data)
        if not hurt:
            continue
        first = min(hurt)
        torn_is_right = not sealed and first > 0 and not any(number > first for number in vouching)
        check_damage(tally, changed, ledger, may_keep=lambda n, ok=torn_is_right, whole=first - 1: ok and n == whole)  # type: ignore[misc]
    return tally


def _touched(
    data: bytearray,
    start: int,
    stop: int,
    spans: list[tuple[str, int, int]],
    segment: str,
    first_bytes: int | None,
) -> set[int]:
    """Numbers of the frames (or of their first bytes) whose content changes if these bytes become zero."""
    touched = set()
    for number, (name, low, high) in enumerate(spans, 1):
        low, high = max(low, start), min(high if first_bytes is None else low + first_bytes, stop)
        if name == segment and low < high and any(data[low:high]):
            touched.add(number)
    return touched


def rearranged(policy: str, segment_bytes: int, *, sealed: bool) -> Tally:
    """Frames and segments dropped, doubled, swapped."""
    tally = Tally(f"dropped, doubled, swapped, {label(policy, segment_bytes, sealed)}")
    files, ledger = closed_journal(policy, segment_bytes, sealed=sealed)
    for changed, keeps in _rearrangements(files):
        right = keeps if keeps == len(ledger.hashes) or not sealed else -1
        check_damage(tally, changed, ledger, may_keep=lambda n, right=right: n == right)  # type: ignore[misc]
    return tally


def _rearrangements(files: Files) -> Iterator[tuple[Files, int]]:
    """(the changed journal, how many frames the bare segments may be read as; -1: it must be refused).

    On bare segments a journal without its end is a shorter journal; only a witness or the seal can tell.
    """
    names = segments_of(files)
    last = len(frame_ends(files))
    for name in names:
        spans = [(start, end) for segment, start, end in frame_ends(files) if segment == name]
        data = files[name]
        frames = [data[start:end] for start, end in spans]
        head = data[:SECTOR]
        for at, frame in enumerate(frames):
            dropped = head + b"".join(frames[:at] + frames[at + 1 :])
            yield files | {name: dropped}, last - 1 if name == names[-1] and at == len(frames) - 1 else -1
            yield files | {name: head + b"".join([*frames[:at], frame, *frames[at:]])}, -1
            yield files | {name: data + frame}, -1
        for one, two in combinations(range(len(frames)), 2):
            swapped = list(frames)
            swapped[one], swapped[two] = swapped[two], swapped[one]
            yield files | {name: head + b"".join(swapped)}, -1
        # The last two look just like a write that was interrupted: its first bytes, or all but its first
        # sector.
        for junk in (b"\x01", b"\x00\x01", b"JFRX", b"JFRX" * 40, b"JFRM", bytes(SECTOR) + b"\x01"):
            looks_interrupted = name == names[-1] and junk[:4] in (b"JFRM", bytes(4))
            yield files | {name: data + junk}, last if looks_interrupted else -1
    for position, name in enumerate(names):
        before = sum(1 for segment, _, _ in frame_ends(files) if segment < name)
        yield (
            {n: b for n, b in files.items() if n != name},
            before if position == len(names) - 1 and before else -1,
        )
    for one, two in combinations(names, 2):
        yield files | {one: files[two], two: files[one]}, -1
        yield files | {two: files[one]}, -1


def label(policy: str, segment_bytes: int, sealed: bool) -> str:
    layout = "one segment" if segment_bytes > 1 << 16 else "small segments"
    return f"{policy}, {layout}, {'sealed' if sealed else 'bare'}"


def forged(policy: str, segment_bytes: int, *, sealed: bool) -> Tally:
    """Each frame rewritten with another time, its CRC and end mark made right: only the chain and the seal
    can tell.

    The last frame of bare segments is left out: whoever can write can replace it, and only a witness would
    know.
    """
    tally = Tally(f"frames forged, {label(policy, segment_bytes, sealed)}")
    files, ledger = closed_journal(policy, segment_bytes, sealed=sealed)
    spans = frame_ends(files)
    for name, start, end in spans if sealed else spans[:-1]:
        data = bytearray(files[name])
        frame = bytearray(data[start:end])
        frame[56] ^= 1
        frame[120:124] = crc32(frame[:120]).to_bytes(4, "little")
        frame[-8:] = seal_frame(memoryview(frame))[0]
        data[start:end] = frame
        check_damage(tally, files | {name: bytes(data)}, ledger, may_keep=lambda n: False)
    return tally
