"""What a session's checkpoints cost the thread that decides: how late a turn of it ends, without, signed, and cosigned.

    python -m bench.live_checkpoints [--rounds 4] [--seconds 8]

A turn waits half a millisecond, journals a frame and computes for 0.2 ms; its lateness is what it takes beyond that.
Beside it a checkpoint is made each second (a session makes one each ten minutes, if not told otherwise), and cosigned
by a witness in a process of its own. The three run in turn, because a shared machine is now fast and now slow.
"""

import argparse
import secrets
import tempfile
import time
from pathlib import Path

import numpy as np

from journal import JournalWriter
from journal.note import SigningKey
from kernel.events.layout import RECORD
from replay.config.live import CheckpointConfig
from replay.live.checkpoints import Checkpoints
from replay.live.writing import GroupCommit
from replay.pipeline import FrameCut
from tests.adapters.witness.processes import WitnessProcess

WAIT_S, WORK_S = 0.0005, 0.0002
KEY = SigningKey("example.com/desk", bytes(range(32)))
SHARES = (50, 90, 99, 99.9, 100)


def turns(journal: Path, settings: CheckpointConfig | None, seconds: float) -> list[float]:
    """The lateness of each turn, in seconds."""
    writer = JournalWriter.create(
        journal, origin="bench", genesis_id=secrets.token_bytes(16), schema_digest=bytes(32), fsync="off"
    )
    frames = GroupCommit(writer, "off", lambda sequence: None, lambda error: None)
    made = Checkpoints(journal, frames, settings, print) if settings is not None else None
    if made is not None:
        made.start()
    record, late, end = np.zeros(1, RECORD), [], time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        time.sleep(WAIT_S)
        frames.put(record, b"", FrameCut(1, 0, 0, writer.next_sequence, 1, 0))
        frames.commit()
        computed = time.perf_counter() + WORK_S
        while time.perf_counter() < computed:
            pass
        late.append(time.perf_counter() - begun - WAIT_S - WORK_S)
    frames.close()
    if made is not None:
        made.close()
        status = made.status()
        assert (status["lag_frames"], status["problem"]) == (0, ""), status
    return late


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kernel-checkpoints-"))
    (folder / "desk.key").touch(mode=0o600)
    (folder / "desk.key").write_text(KEY.text)
    witness = WitnessProcess(folder / "w", "bench/*", KEY.verifier).start()
    signed = CheckpointConfig(key=f"file:{folder / 'desk.key'}", every="1s")
    cosigned = CheckpointConfig(
        key=signed.key, every="1s", witnesses=[witness.url], witness_keys=[witness.key.verifier.text]
    )
    ways = {"no checkpoints": None, "signed each second": signed, "cosigned each second": cosigned}
    late: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for number in range(arguments.rounds):
            for at, (name, settings) in enumerate(ways.items()):
                late[name] += turns(folder / f"{number}-{at}", settings, arguments.seconds)
    finally:
        witness.stop()
    print(f"{'lateness of a turn':<22}" + "".join(f"{f'{share} %':>12}" for share in SHARES) + "     turns")
    for name, taken in late.items():
        figures = "".join(f"{np.percentile(taken, share) * 1e3:9.3f} ms" for share in SHARES)
        print(f"{name:<22}{figures}{len(taken):>10}")


if __name__ == "__main__":
    main()
