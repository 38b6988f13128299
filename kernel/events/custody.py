"""What happens to a journal as a thing that is kept: restored, pruned, its keys destroyed.

All are inputs: somebody did it, and the journal says so before anything is removed. None of them changes the state.
"""

from kernel.events.declaring import Event, declare


@declare(216, "custody.restored", external=True)
class JournalRestored(Event, frozen=True):
    """A session goes on from a backup of so many frames. Orders from here on have other names at the venue.

    The root is that of the frames, as four big-endian 64-bit words. The body says which backup.
    """

    frames: int
    root_0: int
    root_1: int
    root_2: int
    root_3: int


@declare(217, "custody.pruned", external=True)
class SegmentsPruned(Event, frozen=True):
    """Segments are about to be removed: all frames up to this one, under the policy that the body states.

    The root is that of the frames that go; the first event that stays is named.
    """

    frames: int
    first_kept: int
    pruned_bytes: int
    root_0: int
    root_1: int
    root_2: int
    root_3: int


@declare(218, "custody.key_destroyed", external=True)
class DataKeyDestroyed(Event, frozen=True):
    """A data key is about to be destroyed: what frames hold that were encrypted with it can never be read again.

    The key's id is the word; the frames are those it was used for. The body says who and why.
    """

    key: int
    first_frame: int
    last_frame: int


@declare(219, "custody.signing_key_rotated", external=True)
class SigningKeyRotated(Event, frozen=True):
    """From here on another key signs the journal's checkpoints.

    The words are the keys' ids. The body holds both verifier keys in a note that both have signed.
    """

    old_key: int
    new_key: int
