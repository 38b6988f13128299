"""Checks a journal, its checkpoints, proofs and tiles. One file, written from FORMAT.md alone: copy, read and run it.

    python verify_standalone.py journal FOLDER [--checkpoint FILE --key KEY]
    python verify_standalone.py proof|checkpoint|tiles PATH --key KEY

KEY is a verifier key, or a file of them. Exit code 0: all checks; 1: something does not; 2: bad usage, or unreadable.
"""

import argparse
import base64
import hashlib
import os
import re
import struct
import sys
from collections import namedtuple
from collections.abc import Iterator
from zlib import crc32

READ_BYTES, NOTE_BYTES, PROOF_BYTES, LONGEST_FRAME_BYTES = 4 << 20, 1_000_000, 1_100_000, 65_528
NUMBER, HASHES = "(0|[1-9][0-9]{0,19})", "((?:[A-Za-z0-9+/]{43}=\n){0,64})"
CHECKPOINT = f"((?:[^\n]*[^\n/])/([0-9a-f]{{32}}))\n{NUMBER}\n([A-Za-z0-9+/]{{43}}=)\n(?:[^\n]+\n)*"
PRUNED = f"(journal-pruned@v1\n([0-9a-f]{{32}})\n{NUMBER}\n{NUMBER}\n{HASHES})([0-9a-f]{{64}})\n"
SEGMENT, FRAME = struct.Struct("<8sHHHHQQ16s32s32sQ384sI4s"), struct.Struct("<4sHH4xH2xIIQQQQ8xQ16s32sI4s")
Segment = namedtuple("Segment", "magic version bytes hash named number sequence id prev schema limit origin crc mark")
Frame = namedtuple("Frame", "magic head version rows body bytes events number sequence durable epoch id prev crc mark")
Checkpoint = namedtuple("Checkpoint", "origin id size root")
Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, x * y = T/Z
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, BASE = -121665 * pow(121666, -1, P) % P, (4 * pow(5, -1, P) % P).to_bytes(32, "little")


class CheckError(Exception):
    """Something does not check: exit code 1. A second argument says where a frame that is cut would end."""


def demand(holds: bool, text: str) -> None:
    if not holds:
        raise CheckError(text)


# Ed25519: RFC 8032, section 5.1.
def add_points(a: Point, b: Point) -> Point:
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * D * a[3] * b[3] % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def decode_point(data: bytes) -> Point | None:  # None for what is not the one encoding of a point on the curve.
    sign, y = divmod(int.from_bytes(data, "little"), 1 << 255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    base, scalar = decode_point(BASE), int.from_bytes(signature[32:], "little")
    key, nonce = decode_point(public_key), decode_point(signature[:32])
    if base is None or key is None or nonce is None or len(signature) != 64 or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    minus_key, point = (P - key[0], key[1], 1, P - key[3]), (0, 1, 1, 0)
    table = (point, base, minus_key, add_points(base, minus_key))
    for bit in range(252, -1, -1):  # scalar * base - challenge * key, both at once; it must be the nonce
        point = add_points(point, point)
        point = add_points(point, table[scalar >> bit & 1 | (challenge >> bit & 1) << 1])
    return all((point[axis] - point[2] * nonce[axis]) % P == 0 for axis in (0, 1))


# The tree: RFC 6962, section 2.1. Proofs are checked as RFC 9162, sections 2.1.3.2 and 2.1.4.2, says.
def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def add_leaf(frontier: list[bytes], size: int, hashed: bytes) -> None:
    """`frontier` has the root of one full subtree for each bit that is set in `size`."""
    while size & 1:
        hashed, size = node_hash(frontier.pop(), hashed), size >> 1
    frontier.append(hashed)


def root_of(frontier: list[bytes]) -> bytes:
    root = frontier[-1] if frontier else hashlib.sha256().digest()
    for left in frontier[-2::-1]:
        root = node_hash(left, root)
    return root


def climb(at: int, last: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of the tree that ends with node `at`, and of the whole one."""
    old = new = start
    for sibling in path:
        demand(last > 0, "the proof is longer than the tree is high")
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    demand(last == 0, "the proof is shorter than the tree is high")
    return old, new


def is_consistent(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: list[bytes]) -> bool:
    """A tree without leaves is the start of every tree, by an empty proof."""
    if old_size == 0 or old_size >= new_size:
        return not path and old_root == (root_of([]) if old_size < new_size else new_root) and old_size <= new_size
    path = path if old_size & (old_size - 1) else [old_root, *path]
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    return path != [] and climb(at, last, path[0], path[1:]) == (old_root, new_root)


# Keys and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature.
def from_base64(text: str) -> bytes:  # Nothing for what is not the one standard encoding of some bytes.
    data = base64.b64decode(text) if len(text) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]*={0,2}", text) else b""
    return data if base64.b64encode(data).decode() == text else b""


def read_keys(arguments: list[str]) -> dict[tuple[str, bytes], bytes]:
    """For the name and id of each known key: its type byte and the public key."""
    keys: dict[tuple[str, bytes], bytes] = {}
    for argument in arguments:
        is_key = re.fullmatch(r"[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", argument)
        text = argument if is_key else read_file(argument, NOTE_BYTES).decode(errors="replace")
        for line in text.split():
            name, key_id, encoded = (line + "++").split("+", 2)
            material = from_base64(encoded[:-2])
            found_id = hashlib.sha256(name.encode(errors="replace") + b"\n" + material).digest()[:4]
            if len(material) != 33 or material[0] not in (1, 4) or not name or key_id != found_id.hex():
                raise ValueError(f"not an Ed25519 verifier key NAME+ID+BASE64, or its id is wrong: {line[:99]!a}")
            keys[name, found_id] = material
    if not any(material[0] == 1 for material in keys.values()):
        raise ValueError("no key of a log was given: --key NAME+ID+BASE64, or --key FILE with such lines")
    return keys


def open_checkpoint(data: bytes, given: argparse.Namespace, what: str = "checkpoint") -> Checkpoint:
    """Signatures first. A bad signature by a known key refuses the note; those by unknown keys are ignored."""
    note, keys, signers = data.decode(errors="surrogateescape"), read_keys(given.key), list[str]()
    text, blank, signatures = note.rpartition("\n\n")
    text, lines = text + "\n", signatures.split("\n")
    odd = re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", note)
    demand(bool(blank and not odd and lines.pop() == "" and 0 < len(lines) <= 100), f"{what}: not a signed note")
    for line in lines:
        match = re.fullmatch(r"— ([^+\s]+) ([A-Za-z0-9+/=]+)", line)
        signature = from_base64(match[2]) if match else b""
        if not match or len(signature) < 5:
            raise CheckError(f"{what}: malformed signature line {line[:99]!a}")
        if material := keys.get((match[1], signature[:4])):
            message, signed, words = text.encode(), signature[4:], f"signed by {match[1]!a}"
            if material[0] == 4:  # a witness says when it saw this checkpoint
                when, signed = int.from_bytes(signed[:8], "big"), signed[8:]
                message, words = (
                    b"cosignature/v1\ntime %d\n" % when + message,
                    f"cosigned by {match[1]!a} at {when} s",
                )
            demand(verify_ed25519(material[1:], message, signed), f"{what}: bad signature by {match[1]!a}, a known key")
            signers.append(words)
    demand(any(words.startswith("signed") for words in signers), f"{what}: no signature by a known key of a log")
    match = re.fullmatch(CHECKPOINT, text)
    if not match or not from_base64(match[4]):
        raise CheckError(f"{what}: signed, but not a journal's checkpoint (origin/genesis id, size, root)")
    demand(given.origin in (None, match[1]), f"{what}: the origin is {match[1]!a}, not {given.origin!a}")
    print(f"{what}: {match[1]!a}, {match[3]} frames, root {from_base64(match[4]).hex()}, {', '.join(signers)}")
    return Checkpoint(match[1], bytes.fromhex(match[2]), int(match[3]), from_base64(match[4]))


def check_frame(view: memoryview) -> tuple[Frame, bytes]:
    """Check the frame with which `view` begins, alone; returns its header and its leaf hash."""
    if len(view) < 128 or (not any(view[:4]) and not any(view[:128])):
        raise CheckError("its header is missing or cut", 128)
    header = Frame._make(FRAME.unpack_from(view))
    good = header.magic == b"JFRM" and header.mark == b"\xa5GO\n" and header.crc == crc32(view[:120])
    demand(good, "its header is damaged (magic, CRC or start mark)")
    demand(header.version == 1, f"its format version is {header.version}; this program reads version 1")
    bodies_end = 128 + 128 * header.rows + header.body
    length = (bodies_end + 7 & ~7) + 8
    demand(header.head == 128 and header.bytes == length <= LONGEST_FRAME_BYTES, "its lengths do not add up")
    if len(view) < length or not any(view[length - 8 : length]):
        raise CheckError("it is cut, or its end mark is missing", length)
    digest = hashlib.sha256(b"\x00")
    digest.update(view[: length - 8])
    partial = digest.digest()
    demand(view[length - 8 : length] == bytes((partial[0] | 1,)) + partial[1:8], "its end mark does not fit")
    demand(not any(view[bodies_end : length - 8]), "its padding is not zero")
    digest.update(view[length - 8 : length])
    return header, digest.digest()


class Chain:
    """The rules from one frame to the next, and the tree. Without `prev`, frame 1 says where the chain begins."""

    def __init__(self, journal_id: bytes, prev: bytes | None, sequence: int | None, mark_size: int = -1) -> None:
        self.id, self.prev, self.sequence = journal_id, prev, sequence
        self.frames = self.events = self.durable = self.epoch = 0
        self.mark_size, self.frontier, self.marked_root = mark_size, list[bytes](), root_of([])

    def add(self, view: memoryview) -> int:
        """Check the frame with which `view` begins; returns its length."""
        header, hashed = check_frame(view)
        demand(header.id == self.id, "it is of another journal (genesis id)")
        demand(header.number == self.frames + 1, f"frame {header.number}, where {self.frames + 1} is due")
        demand(self.sequence in (None, header.sequence), f"sequence {header.sequence}, where {self.sequence} is due")
        demand(self.prev in (None, header.prev), "the chain is broken: prev is not the hash of the frame before")
        demand(self.durable <= header.durable <= self.frames, "durable_upto is out of order")
        demand(header.epoch >= self.epoch, "the writer epoch is out of order")
        add_leaf(self.frontier, self.frames, hashed)
        self.frames, self.events = self.frames + 1, self.events + header.events
        self.durable, self.epoch, self.prev = header.durable, header.epoch, hashed
        self.sequence = header.sequence + header.events
        if self.frames == self.mark_size:
            self.marked_root = root_of(self.frontier)
        return int(header.bytes)

    def print_facts(self, origin: str) -> None:
        print(f"journal {origin!a}\nframes {self.frames}\nevents {self.events}")
        print(f"head {(self.prev or b'').hex()}\nroot {root_of(self.frontier).hex()}")


def read_segment(data: bytes) -> Segment:
    header = Segment._make(SEGMENT.unpack(data.ljust(512, b"\0")))
    if header.magic != b"JSEGMENT" or header.crc != crc32(data[:504]) or header.mark != b"\xa5SEG":
        raise CheckError("a segment header is " + ("damaged (magic, CRC or mark)" if any(data[511:]) else "incomplete"))
    if (header.version, header.hash) != (1, 1):
        raise ValueError(f"a segment of version {header.version}, hash {header.hash}; this program reads 1 and 1")
    fits = header.bytes == 512 and header.named <= 384 and not any(header.origin[header.named :])
    demand(fits, "the lengths in a segment header do not add up")
    return header._replace(origin=header.origin[: header.named])


def check_segment(path: str, first: Segment, chain: Chain, is_last: bool) -> None:
    with open(path, "rb") as file:
        header, name, due = read_segment(file.read(512)), os.path.basename(path), chain.frames + 1
        demand(
            header.number == due and name == f"{due:020}.seg", f"frame {due} is due: a segment is missing or misnamed"
        )
        demand(header[4:5] + header[7:8] + header[9:12] == first[4:5] + first[7:8] + first[9:12], "of another journal")
        demand((header.sequence, header.prev) == (chain.sequence, chain.prev), "its sequence or prev is not as due")
        data, at, begin, more = b"", 0, 512, True
        while more:
            added = file.read(READ_BYTES)
            data, at, begin, more = data[at:] + added, 0, begin + at, bool(added)
            while at < len(data) - more * LONGEST_FRAME_BYTES:
                try:
                    at += chain.add(memoryview(data)[at:])
                except CheckError as problem:
                    text = f"byte {begin + at}, frame {chain.frames + 1}: {problem.args[0]}"
                    if is_last and problem.args[1:] and not any(data[at + problem.args[1] :] + file.read(READ_BYTES)):
                        text += ". The last frame is incomplete: a torn tail (an interrupted write), or a cut"
                    raise CheckError(text) from None


def check_journal(given: argparse.Namespace) -> None:
    note = open_checkpoint(read_file(given.checkpoint, NOTE_BYTES), given) if given.checkpoint else None
    text = read_file(path, 9999).decode("latin1") if os.path.lexists(path := os.path.join(given.path, "pruned")) else ""
    gone = re.fullmatch(PRUNED, text)
    cut, hashes = (int(gone[3]), [from_base64(line) for line in gone[5].split()]) if gone else (0, [b""])
    good = gone and hashlib.sha256(gone[1].encode()).hexdigest() == gone[6] and len(hashes) == 1 + cut.bit_count()
    demand(bool(good) or not text, "the record of pruned frames is damaged")
    names = sorted(name for name in os.listdir(given.path) if name.endswith(".seg") and name > f"{cut:020}.seg")
    if not names:
        raise ValueError(f"{given.path}: no segment (*.seg), so no journal")
    with open(os.path.join(given.path, names[0]), "rb") as file:
        first = read_segment(file.read(512))
    genesis = b"journal-genesis-v1\n" + struct.pack("<HHH", 1, 1, first.named) + first.origin + first.id + first.schema
    prev, sequence = (hashes[0], int(gone[4])) if gone else (hashlib.sha256(genesis).digest(), first.sequence)
    chain = Chain(first.id, prev, sequence, note.size if note else -1)
    chain.frames, chain.frontier, chain.marked_root = cut, hashes[1:], root_of(hashes[1:])
    origin, findings = f"{first.origin.decode(errors='replace')}/{first.id.hex()}", []
    for name in names:
        try:
            check_segment(os.path.join(given.path, name), first, chain, name == names[-1])
        except CheckError as problem:
            findings.append(f"{name!a}: {problem.args[0]}")
            break
    chain.print_facts(origin)
    if note and note.origin != origin:
        findings.append(f"the checkpoint is of another journal: {note.origin!a}")
    elif note and note.size > chain.frames:
        findings.append(f"tail cut: the checkpoint is of {note.size} frames, the journal has {chain.frames} that check")
    elif note and note.root != chain.marked_root:
        what = ("pruned", "here") if note.size < cut else ("rewritten or forked", "those of the checkpoint")
        findings.append(f"{what[0]}: the first {note.size} frames are not {what[1]}")
    elif note:
        longer = f"longer: the checkpoint is its first {note.size} frames, {chain.frames - note.size} more follow"
        print("ok: the journal is", "the same as the checkpoint" if note.size == chain.frames else longer)
    else:
        print("note: only a checkpoint can tell that frames at the end were cut off, or that all was written anew")
    if findings:
        raise CheckError("\nFAILS: ".join(findings))
    print("ok: all segments, frames and the chain" + f", after {cut} frames that were pruned" * (cut > 0))


def check_proof(given: argparse.Namespace) -> None:
    data = read_file(given.path, PROOF_BYTES)
    if given.command == "checkpoint":
        return print(f"ok: the signature of a checkpoint of {open_checkpoint(data, given).size} frames")
    if data.startswith(b"journal-event-proof@v1\n"):
        return check_event(data, given)
    match = re.match(f"journal-consistency-proof@v1\nold {NUMBER}\nnew {NUMBER}\n{HASHES}\n".encode(), data)
    if not match or len(data) != match.end() + int(match[1]) + int(match[2]):
        raise CheckError("not an event proof or a consistency proof, or one that is cut or malformed")
    split, path = match.end() + int(match[1]), [from_base64(line) for line in match[3].decode().split()]
    old = open_checkpoint(data[match.end() : split], given, "old checkpoint")
    new = open_checkpoint(data[split:], given, "new checkpoint")
    demand(old.origin == new.origin, "the two checkpoints are of different journals")
    demand(old.size <= new.size, f"the old checkpoint is of {old.size} frames, the new one of {new.size} only")
    fork = old.size == new.size and old.root != new.root
    demand(not fork, f"a fork: both checkpoints are signed and of {old.size} frames, and their roots differ")
    good = b"" not in path and is_consistent(old.size, old.root, new.size, new.root, path)
    demand(good, "the proof does not show that the new checkpoint continues the old one")
    print(f"ok: the {new.size} frames of the new checkpoint begin with the {old.size} of the old one")


def check_event(data: bytes, given: argparse.Namespace) -> None:
    parts = f"event {NUMBER}\nproof {NUMBER}\nframe {NUMBER}\n\n(c2sp[.]org/tlog-proof@v1\nindex {NUMBER}\n{HASHES}\n)"
    match = re.match(f"journal-event-proof@v1\n{parts}".encode(), data)
    split = match.start(4) + int(match[2]) if match else 0
    if not match or split < match.end() or len(data) != split + int(match[3]):
        raise CheckError("the event proof is cut or malformed")
    event, index, path = int(match[1]), int(match[5]), [from_base64(line) for line in match[6].decode().split()]
    note, (header, hashed) = open_checkpoint(data[match.end() : split], given), check_frame(memoryview(data)[split:])
    demand(split + header.bytes == len(data), "bytes follow after the frame")
    good = index < note.size and b"" not in path and climb(index, note.size - 1, hashed, path)[1] == note.root
    demand(good, f"this frame is not leaf {index} of the checkpoint's {note.size}")
    demand(header.number == index + 1 and header.id == note.id, "the frame's own number or genesis id is another")
    last = header.sequence + header.events - 1
    demand(header.sequence <= event <= last, f"event {event} is not in this frame: {header.sequence} to {last} are")
    print(f"ok: event {event} is in frame {header.number}, which holds {header.sequence} to {last}")


def check_tiles(given: argparse.Namespace) -> None:
    note = open_checkpoint(read_file(os.path.join(given.path, "checkpoint"), NOTE_BYTES), given)
    chain, level, hashes = Chain(note.id, None, None), 0, list[bytes]()
    for name, width in tiles("entries", note.size):
        data, at = memoryview(read_file(os.path.join(given.path, name), 256 * 65_537)), 0
        for _ in range(width):
            stop = at + 2 + int.from_bytes(data[at : at + 2], "big")
            demand(at + 2 + chain.add(data[at + 2 : stop]) == stop, f"{name}: an entry is longer than its frame")
            hashes.append(chain.prev or b"")
            at = stop
        demand(at == len(data), f"{name}: bytes follow after the last entry")
    chain.print_facts(note.origin)
    demand(root_of(chain.frontier) == note.root, "the entries do not have the root of the checkpoint")
    while hashes:
        roots = []
        for number, (name, width) in enumerate(tiles(str(level), len(hashes))):
            part = hashes[256 * number : 256 * number + width]
            tile = read_file(os.path.join(given.path, name), 8192)
            demand(tile == b"".join(part), f"{name}: not the hashes of the entries")
            while width == 256 and len(part) > 1:
                part = [node_hash(*pair) for pair in zip(part[::2], part[1::2], strict=True)]
            roots += part[: width // 256]
        level, hashes = level + 1, roots
    print(f"ok: {note.size} entries, {level} levels of tiles, and the root of the checkpoint")


def tiles(level: str, size: int) -> Iterator[tuple[str, int]]:
    for start in range(0, size, 256):
        width, groups = min(256, size - start), [f"{int(group):03}" for group in f"{start // 256:,}".split(",")]
        name = "/x".join(["", *groups[:-1]]) + "/" + groups[-1]
        yield f"tile/{level}{name}" + ("" if width == 256 else f".p/{width}"), width


def read_file(path: str, limit: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    demand(len(data) <= limit, f"{path}: longer than {limit} bytes")
    return data


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {"journal": check_journal, "proof": check_proof, "checkpoint": check_proof, "tiles": check_tiles}
    parser.add_argument("command", choices=commands)
    parser.add_argument("path")
    parser.add_argument("--checkpoint", help="for journal: a signed note to compare with")
    parser.add_argument("--key", action="append", default=[], help="a verifier key, or a file of them; may be repeated")
    parser.add_argument("--origin", help="the origin that checkpoints must have")
    try:
        commands[(given := parser.parse_args()).command](given)
    except (CheckError, ValueError, OSError) as problem:
        bad = isinstance(problem, CheckError)
        print(f"FAILS: {problem.args[0]}" if bad else f"cannot check: {problem}", file=[sys.stderr, sys.stdout][bad])
        return 1 if bad else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
