"""The auditor's verifier: signatures, trees, proofs and tiles, against published vectors and naive builders."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as generators

from journal.verify_standalone import (
    ORDER,
    CheckError,
    P,
    add_leaf,
    climb,
    is_consistent,
    root_of,
    tiles,
    verify_ed25519,
)
from tests.journal.test_journal_merkle import LEAVES, ROOTS
from tests.journal.test_verify_standalone import KEY, ORIGIN, OTHER, frames_of, leaves_of, run, written
from tests.reference import auditor
from tests.reference.auditor import checkpoint, consistency, consistency_proof, event_proof, inclusion, leaf, root

# RFC 8032, section 7.1: public key, message, signature of TEST 1, 2, 3 and SHA(abc).
RFC_8032 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
     "9bef1177331a704"),
]  # fmt: skip

# Certificate transparency's reference tests: nodes of the tree over the eight leaves, then (index, size, path) and
# (old size, new size, path) by the names of the nodes.
NODES = {
    "0": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "0-1": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "2-3": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4-5": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "6-7": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0-3": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4-7": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}
INCLUSION = [(0, 1, []), (0, 8, ["1", "2-3", "4-7"]), (5, 8, ["4", "6-7", "0-3"]), (2, 3, ["0-1"]),
             (1, 5, ["0", "2-3", "4"])]  # fmt: skip
CONSISTENCY = [(1, 1, []), (1, 8, ["1", "2-3", "4-7"]), (6, 8, ["4-5", "6-7", "0-3"]), (2, 5, ["2-3", "4"])]
MANY = [leaf(bytes([number])) for number in range(40)]


def is_included(index, size, hashed, path, wanted):
    try:
        return index < size and climb(index, size - 1, hashed, path)[1] == wanted
    except CheckError:
        return False


def continues(*arguments):
    try:
        return is_consistent(*arguments)
    except CheckError:
        return False


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_ed25519_accepts_the_published_signatures_and_no_neighbour(key, message, signature):
    key, message, signature = map(bytes.fromhex, (key, message, signature))
    assert verify_ed25519(key, message, signature)
    assert not verify_ed25519(key, message + b"x", signature)
    for bit in range(0, 512, 5):
        assert not verify_ed25519(key, message, (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little"))


def test_ed25519_refuses_what_is_not_canonical():
    key, message, signature = map(bytes.fromhex, RFC_8032[1])
    scalar = int.from_bytes(signature[32:], "little")
    assert not verify_ed25519(key, message, signature[:32] + (scalar + ORDER).to_bytes(32, "little"))
    for number in (P, P + 1, 2**255 - 1, 2, 1 + (1 << 255)):  # y of p or more, off the curve, minus zero
        assert not verify_ed25519(number.to_bytes(32, "little"), message, bytes(64))
        assert not verify_ed25519(key, message, number.to_bytes(32, "little") + signature[32:])
    for short in (b"", signature[:63], signature + b"\0"):
        assert not verify_ed25519(key, message, short)


@settings(max_examples=60, deadline=None)
@given(generators.binary(min_size=32, max_size=32), generators.binary(max_size=99), generators.integers(0, 1023))
def test_ed25519_agrees_with_a_well_kept_library(seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify_ed25519(key, message, signature)
    both = int.from_bytes(key + signature, "little")
    changed = (both ^ 1 << bit % 768).to_bytes(96, "little")
    try:
        Ed25519PublicKey.from_public_bytes(changed[:32]).verify(changed[32:], message)
        expected = True
    except InvalidSignature:
        expected = False
    assert verify_ed25519(changed[:32], message, changed[32:]) == expected


def test_published_roots():
    frontier = []
    assert root_of(frontier) == root([])
    for size, data in enumerate(LEAVES):
        add_leaf(frontier, size, leaf(data))
        assert root_of(frontier).hex() == root([leaf(entry) for entry in LEAVES[: size + 1]]).hex() == ROOTS[size]


def test_published_inclusion_paths():
    leaves = [leaf(data) for data in LEAVES]
    for index, size, names in INCLUSION:
        path = [bytes.fromhex(NODES[name]) for name in names]
        assert inclusion(index, leaves[:size]) == path
        assert is_included(index, size, leaves[index], path, bytes.fromhex(ROOTS[size - 1]))


def test_published_consistency_paths():
    leaves = [leaf(data) for data in LEAVES]
    for old, new, names in CONSISTENCY:
        path = [bytes.fromhex(NODES[name]) for name in names]
        assert consistency(old, leaves[:new]) == path
        assert continues(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), path)


def corrupted(path, wanted):
    """Paths that are nearly right: a bit changed, one too few, one too many at either end."""
    for at in range(len(path)):
        yield [*path[:at], bytes([path[at][0] ^ 8]) + path[at][1:], *path[at + 1 :]]
        yield path[:at] + path[at + 1 :]
    for extra in (wanted, bytes(32), *path[:1]):
        yield [*path, extra]
        yield [extra, *path]


def test_every_inclusion_path_of_small_trees_and_its_neighbours():
    for size in range(1, len(MANY) + 1):
        wanted = root(MANY[:size])
        for index in range(size):
            path = inclusion(index, MANY[:size])
            assert is_included(index, size, MANY[index], path, wanted)
            assert not any(is_included(index, size, MANY[index], other, wanted) for other in corrupted(path, wanted))
            for other in {index - 1, index + 1, index ^ 2, size} - {index, -1}:
                assert not is_included(other, size, MANY[index], path, wanted)
            assert not is_included(index, size, MANY[index - 1] if size > 1 else bytes(32), path, wanted)


def test_every_consistency_path_of_small_trees_and_its_neighbours():
    roots = [root(MANY[:size]) for size in range(33)]
    for new in range(33):
        for old in range(new + 1):
            path = consistency(old, MANY[:new])
            assert continues(old, roots[old], new, roots[new], path), (old, new)
            for other in corrupted(path, roots[new]):
                assert not continues(old, roots[old], new, roots[new], other), (old, new)
            if old < new:
                assert not continues(old, roots[new], new, roots[new], path)
                assert not continues(new, roots[new], old, roots[old], path)
                assert old == 0 or not continues(old, roots[old], new, roots[old], path)


@pytest.fixture(scope="module")
def files():
    return written(11, 1 << 20)


def proof_of(files, event, size=11, note=None):
    leaves, index = leaves_of(files)[:size], (event - 1) // 2
    return event_proof(event, index, leaves, note or checkpoint(ORIGIN, leaves, KEY), frames_of(files)[index])


def verdict(tmp_path, data, *options):
    (tmp_path / "proof").write_bytes(data)
    return run("proof", tmp_path / "proof", "--key", KEY.text, *options)


def test_every_event_can_be_proven_in_every_checkpoint_that_covers_it(tmp_path, files):
    for event in range(1, 23):
        for size in {(event + 1) // 2, 8, 11}:
            if 2 * size >= event:
                code, out = verdict(tmp_path, proof_of(files, event, size), "--origin", ORIGIN)
                assert (code, f"ok: event {event} is in frame {(event + 1) // 2}, " in out) == (0, True), out


def test_flipped_bits_of_an_event_proof_are_found(tmp_path, files):
    good = proof_of(files, 5)
    for at in [*range(150), *range(150, len(good), 3)]:
        data = bytearray(good)
        data[at] ^= 1 << at % 7
        code, out = verdict(tmp_path, bytes(data))
        named_otherwise = data[:30].startswith(b"journal-event-proof@v1\nevent 6\n")
        assert (code, out.count("FAILS: ")) == ((0, 0) if named_otherwise else (1, 1)), (at, out)


def test_event_proofs_that_claim_too_much(tmp_path, files):
    leaves, frames, other = leaves_of(files), frames_of(files), written(11, 1 << 20, body=b"bogy")
    note, theirs = checkpoint(ORIGIN, leaves, KEY), checkpoint(f"tests/{'0' * 32}", leaves, KEY)
    whole = proof_of(files, 5)
    cases = {
        "event 7 is not in this frame": event_proof(7, 2, leaves, note, frames[2]),
        "event 4 is not in this frame": event_proof(4, 2, leaves, note, frames[2]),
        "is not leaf 2": event_proof(5, 2, leaves, note, frames_of(other)[2]),
        "is not leaf 3": event_proof(5, 3, leaves, note, frames[2]),
        "number or genesis id is another": event_proof(5, 2, leaves, theirs, frames[2]),
        "no signature by a known key": proof_of(files, 5, note=checkpoint(ORIGIN, leaves, OTHER)),
        "cut or malformed": whole + b"\0",
        "bytes follow": event_proof(5, 2, leaves, note, frames[2] + bytes(8)),
        "not an event proof or a consistency proof": b"journal-event-proof@v2\n",
    }
    for words, data in cases.items():
        code, out = verdict(tmp_path, data)
        assert (code, words in out) == (1, True), (words, out)
    swapped = event_proof(3, 0, [leaves[1], leaves[0]], checkpoint(ORIGIN, [leaves[1], leaves[0]], KEY), frames[1])
    assert "number or genesis id is another" in verdict(tmp_path, swapped)[1]
    assert verdict(tmp_path, whole, "--origin", "else")[0] == 1


def test_consistency_proofs_and_what_they_catch(tmp_path, files):
    leaves, other = leaves_of(files), leaves_of(written(11, 1 << 20, body=b"bogy"))
    notes = [checkpoint(ORIGIN, leaves[:size], KEY) for size in range(12)]
    for old, new in [(0, 0), (0, 11), (1, 11), (4, 8), (6, 11), (7, 11), (11, 11)]:
        good = consistency_proof(consistency(old, leaves[:new]), notes[old], notes[new])
        code, out = verdict(tmp_path, good)
        assert (code, f"ok: the {new} frames of the new checkpoint begin with the {old}" in out) == (0, True), out
    path, forked = consistency(6, leaves), checkpoint(ORIGIN, other, KEY)
    elsewhere = checkpoint(f"tests/{'0' * 32}", leaves, KEY)
    cases = {
        "a fork": consistency_proof([], notes[11], forked),
        "does not show": consistency_proof(path, notes[6], forked),
        "shorter than the tree": consistency_proof(path[:-1], notes[6], notes[11]),
        "longer than the tree": consistency_proof([*path, path[0]], notes[6], notes[11]),
        "the new one of 6 only": consistency_proof(path, notes[11], notes[6]),
        "different journals": consistency_proof(path, notes[6], elsewhere),
        "old checkpoint: no signature": consistency_proof(path, checkpoint(ORIGIN, leaves[:6], OTHER), notes[11]),
        "new checkpoint: no signature": consistency_proof(path, notes[6], checkpoint(ORIGIN, leaves, OTHER)),
        "malformed": consistency_proof(path, notes[6], notes[11])[:-1],
    }
    for words, data in cases.items():
        code, out = verdict(tmp_path, data)
        assert (code, words in out, out.count("FAILS: ")) == (1, True, 1), (words, out)
    good = consistency_proof(path, notes[6], notes[11])
    for at in range(0, len(good), 3):
        data = bytearray(good)
        data[at] ^= 1 << at % 7
        assert verdict(tmp_path, bytes(data))[0] == 1, at


@settings(max_examples=150, deadline=None)
@given(generators.data())
def test_no_bytes_make_it_stumble(tmp_path_factory, files, data):
    folder, leaves = tmp_path_factory.getbasetemp(), leaves_of(files)
    note = checkpoint(ORIGIN, leaves, KEY)
    known = [
        note,
        proof_of(files, 5),
        consistency_proof(consistency(6, leaves), checkpoint(ORIGIN, leaves[:6], KEY), note),
    ]
    content = bytearray(data.draw(generators.sampled_from(known)))
    for _ in range(data.draw(generators.integers(1, 3))):
        start, stop = sorted(data.draw(generators.tuples(*[generators.integers(0, len(content))] * 2)))
        filler = data.draw(generators.binary(max_size=40) | generators.just(bytes(content[stop : stop + 30])))
        content[start : min(stop, start + 40)] = filler
    (folder / "bytes").write_bytes(content)
    for command in ("proof", "checkpoint"):
        code, out = run(command, folder / "bytes", "--key", KEY.text)
        changed = bytes(content) not in known and b"event 6" not in content[:40]
        assert code == 1 or not changed or signed_part(content) in map(signed_part, known), out
        assert code == 0 or out.count("FAILS: ") == 1
    code, out = run("checkpoint", folder / "absent", "--key", folder / "bytes")
    assert (code, out.count("\n")) == (2, 1)


def signed_part(data):
    """A note without the lines of unknown signers, which may come and go."""
    return b"\n".join(
        line for line in bytes(data).split(b"\n") if not line.startswith("— ".encode()) or KEY.name.encode() in line
    )


def test_tiles(tmp_path):
    files = written(600, 1 << 20)
    frames, leaves = frames_of(files), leaves_of(files)
    for size in (0, 1, 255, 256, 257, 512, 600):
        folder = tmp_path / str(size)
        auditor.write_tiles(folder, checkpoint(ORIGIN, leaves[:size], KEY), frames[:size])
        code, out = run("tiles", folder, "--key", KEY.text)
        assert (code, f"frames {size}\nevents {2 * size}\n" in out) == (0, True), out
    folder = tmp_path / "600"
    parts = sorted(path for path in folder.rglob("*") if path.is_file())
    assert [str(path.relative_to(folder)) for path in parts] == [
        "checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    ]  # fmt: skip
    for path in parts:
        good = path.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            assert run("tiles", folder, "--key", KEY.text)[0] == 1, (path, at)
        for data in (good + b"\0", good[:-1]):
            path.write_bytes(data)
            assert run("tiles", folder, "--key", KEY.text)[0] == 1, path
        path.write_bytes(good)
    padded = folder / "tile/entries/000"
    good = padded.read_bytes()
    length = int.from_bytes(good[:2], "big")
    padded.write_bytes((length + 3).to_bytes(2, "big") + good[2 : 2 + length] + b"abc" + good[2 + length :])
    assert "longer than its frame" in run("tiles", folder, "--key", KEY.text)[1]
    padded.unlink()
    assert run("tiles", folder, "--key", KEY.text)[0] == 2


def test_tile_names_above_a_thousand():
    names = list(tiles("0", 1_001 * 256 + 7))
    assert names[999:] == [("tile/0/999", 256), ("tile/0/x001/000", 256), ("tile/0/x001/001.p/7", 7)]
