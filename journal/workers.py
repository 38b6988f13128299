"""Parts of segments walked in processes of their own: in one, Python's own work on a frame is as long as hashing it.

Owns: the processes, and what is said to them and by them. Must not know: how what they found is joined. They only ever
say of a part that all of it is good; of any other, and when one of them dies, nothing is said, and whoever
asked walks it.

A process is this module run by a bare interpreter. The pool of the standard library would import, in each of
its processes, the caller's main module again: a script that verifies a journal would run once more in each.
"""

from __future__ import annotations

import marshal
import os
import selectors
import struct
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise, takewhile
from pathlib import Path
from typing import IO

from journal.errors import JournalError
from journal.layout import SEGMENT_HEADER_BYTES, U64_MAX, first_frame_from, segment_name, unpack_frame_header
from journal.order import WalkedPart
from journal.scan import Scan
from journal.storage import FileStorage, Storage

MOST_PROCESSES = 8
LEAST_BYTES = 192 << 20  # of a journal: below, another process takes about as long to start as it saves
PART_BYTES = 32 << 20  # half a segment of the usual size: so none of the processors waits long at the end
AT_ONCE = 2  # parts that a process has been told of: so it need not wait for the next one
PIPE_BYTES = 1 << 20  # the hashes of two parts of small frames: a process does not wait until they are read
Part = tuple[str, int, int]  # a segment, and the bytes of it from and before which a frame begins
_LENGTH = struct.Struct("<Q")
_RUN = "import sys; sys.path.append(sys.argv[1]); from journal.workers import serve; serve(sys.argv[2])"


def parts_of(storage: Storage, segments: Sequence[str], part_bytes: int = PART_BYTES) -> list[Part]:
    """The segments in parts of about so many bytes; the last one of each goes on to its end, wherever that will be."""
    parts: list[Part] = []
    for segment in segments:
        frames_bytes = max(len(storage.map(segment).view) - SEGMENT_HEADER_BYTES, 0)
        count = max((frames_bytes + part_bytes // 2) // part_bytes, 1)
        edges = [SEGMENT_HEADER_BYTES + at * frames_bytes // count for at in range(count)]
        parts += [(segment, *edge) for edge in pairwise([*edges, U64_MAX])]
    return parts


def processes_for(storage: Storage, parts: int, total_bytes: int) -> int:
    """In how many processes to walk a journal; 1 where more would not pay, or the files are not real ones."""
    if type(storage) is not FileStorage or total_bytes < LEAST_BYTES:
        return 1
    return min(len(os.sched_getaffinity(0)), parts, MOST_PROCESSES)


def walk_apart(storage: Storage, parts: Sequence[Part], processes: int) -> Generator[WalkedPart, None, None]:
    """The parts that are good in themselves, in order, up to the first that is not; none in fewer than 2 processes.

    This process is one of them: until another has started, it has walked a part.
    Close it when it is no longer needed: the processes end with it.
    """
    if type(storage) is not FileStorage or processes < 2:
        return
    # What is named otherwise follows on nothing: the one walk says so.
    parts = list(takewhile(lambda part: _is_segment_name(part[0]), parts))
    started: list[subprocess.Popen[bytes]] = []
    try:
        with suppress(OSError):
            for _ in range(processes - 1):
                started.append(_start(storage))
            yield from _in_order(Scan(storage), started, parts)
    finally:
        for process in started:
            process.kill()
        for process in started:
            with suppress(OSError), process:  # closes the pipes, and waits for its end
                pass


def _is_segment_name(name: str) -> bool:
    number = name.removesuffix(".seg")
    return number.isascii() and number.isdecimal() and name == segment_name(int(number))


# --- the side that asks ---------------------------------------------------------------------------------------------


def _start(storage: FileStorage) -> subprocess.Popen[bytes]:
    package = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-I", "-S", "-c", _RUN, str(package), os.path.abspath(storage.directory)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pipesize=PIPE_BYTES)


def _in_order(scan: Scan, processes: Sequence[subprocess.Popen[bytes]], parts: Sequence[Part]) -> Iterator[WalkedPart]:
    """Hand out the parts as the processes are free, walk others here meanwhile, and yield what is found in order."""
    told, free = 0, [AT_ONCE] * len(processes)
    found: dict[Part, WalkedPart | None] = {}
    with selectors.DefaultSelector() as answers:
        for number, process in enumerate(processes):
            assert process.stdout is not None
            answers.register(process.stdout, selectors.EVENT_READ, number)
        for index, part in enumerate(parts):
            # What one part keeps waiting is bounded: it is the hashes of all the frames of those behind it.
            beyond = min(len(parts), index + 2 * AT_ONCE * (len(processes) + 1))
            while part not in found:
                while told < beyond and any(free):
                    number = free.index(max(free))
                    _tell(processes[number], parts[told])
                    free[number], told = free[number] - 1, told + 1
                ready = answers.select(0 if told < beyond else None)
                for key, _ in ready:
                    answer = _answer(processes[key.data].stdout)
                    if answer is None:
                        return
                    found[answer[0]] = answer[1]
                    free[key.data] += 1
                if not ready and told < beyond:
                    found[parts[told]], told = walk_part(scan, parts[told]), told + 1
            walked = found.pop(part)
            if walked is None:
                return
            yield walked


def _tell(process: subprocess.Popen[bytes], part: Part) -> None:
    assert process.stdin is not None
    process.stdin.write("{} {} {}\n".format(*part).encode())


def _answer(pipe: IO[bytes] | None) -> tuple[Part, WalkedPart | None] | None:
    """A part, and the next answer of a process, which is about it; None if the process ended instead."""
    length = _exactly(pipe, _LENGTH.size)
    data = _exactly(pipe, _LENGTH.unpack(length)[0]) if length is not None else None
    if data is None:
        return None
    part, fields = marshal.loads(data)
    return part, WalkedPart._make(fields) if fields is not None else None


def _exactly(pipe: IO[bytes] | None, length: int) -> bytes | None:
    assert pipe is not None
    data = bytearray()
    while len(data) < length:
        step = pipe.read(length - len(data))
        if not step:
            return None
        data += step
    return bytes(data)


# --- the side that walks --------------------------------------------------------------------------------------------


def serve(directory: str) -> None:
    """Walk each part of ``directory`` that is named on standard input; the main function of a process."""
    scan = Scan(FileStorage(directory))
    for line in sys.stdin:
        segment, least, until = line.split()
        part = (segment, int(least), int(until))
        walked = walk_part(scan, part)
        data = marshal.dumps((part, tuple(walked) if walked is not None else None))
        sys.stdout.buffer.write(_LENGTH.pack(len(data)) + data)
        sys.stdout.buffer.flush()


def walk_part(scan: Scan, part: Part) -> WalkedPart | None:
    """Walk one part, taking the word of its first header for what precedes it; None unless all of it is good."""
    segment, least, until = part
    hashes: list[bytes] = []
    events = records = 0
    try:
        mapped = scan.storage.map(segment)
        begin = first_frame_from(mapped.view, least)
        first = unpack_frame_header(mapped.view, begin) if begin is not None else None
        if begin is None or first is None:
            return None
        mapped.release_before(begin)
        for last in scan.frames_apart(segment, begin, first.number, first.first_sequence, first.prev):
            hashes.append(last.hash)
            events += last.event_count
            records += last.record_count
            if last.offset + last.frame_bytes >= until:
                break
    except (JournalError, OSError):
        return None
    if scan.end is not None:
        return None
    return WalkedPart(
        segment,
        bytes(mapped.view[:begin]) if begin == SEGMENT_HEADER_BYTES else b"",
        begin,
        last.offset + last.frame_bytes,
        last.offset + last.frame_bytes == len(mapped.view),
        first.genesis_id,
        first.number,
        first.first_sequence,
        first.prev,
        first.durable_upto,
        first.epoch,
        last.durable_upto,
        last.epoch,
        events,
        records,
        b"".join(hashes),
    )
