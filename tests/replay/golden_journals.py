"""Journals as each release wrote them, in small files: ``python -m tests.replay.golden_journals`` writes this one's.

A release's files never change once it is out; until then a change of the state or of what decides is written anew.
"""

import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from journal import JournalReader, verify_journal
from kernel import __version__
from replay.execution import prepare
from replay.history import History
from replay.live.files import JOURNAL_DIR
from replay.runner import run_backtest
from tests.replay.live.building import Written, configuration, instrument, market
from tests.replay.runs import config

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "journals"
KEPT = ("run.json", "live.json", "journal/head")


def write_backtest(run_dir: Path) -> dict[str, Any]:
    """A backtest on the packaged sample, by reference; what identifies its outcome."""
    result = run_backtest(prepare(config(to="1998-06-01", digest_interval=200)), run_dir)
    return {"result_hash": result.result_hash}


def write_live(run_dir: Path) -> dict[str, Any]:
    """A session on paper, on made-up market data."""
    written = Written(run_dir, configuration(), [instrument()], elsewhere=False)
    for now_ns, rows in market(90):
        written.core.take_rows(rows, now_ns)
    written.core.record_digest()
    written.close()
    return {}


KINDS = {"backtest": write_backtest, "live": write_live}


def facts_of(run_dir: Path, **more: Any) -> dict[str, Any]:
    """What must be found again."""
    journal = run_dir / JOURNAL_DIR
    report = verify_journal(journal)
    return {
        "frames": report.frames,
        "events": report.events,
        "root": report.root.hex(),
        "schema": JournalReader(journal).schema_digest.hex(),
        "state_digest": History(run_dir).fold(snapshots=False).digest,
        **more,
    }


def unpack(archive: Path, folder: Path) -> Path:
    """The run directory of an archive."""
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder


def _placeless(text: bytes) -> bytes:
    """The configuration of a run, without where its data lay."""
    settings = json.loads(text)
    settings["data"] = [Path(one).name for one in settings["data"]]
    return json.dumps(settings, indent=1).encode()


def _pack(run_dir: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:xz") as files:
        for path in sorted(path for path in run_dir.rglob("*") if path.is_file()):
            name = path.relative_to(run_dir).as_posix()
            if name in KEPT or name.endswith(".seg"):
                data = _placeless(path.read_bytes()) if name == "run.json" else path.read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o600
                files.addfile(entry, io.BytesIO(data))


def main() -> None:
    """Write this release's journals, and what must be found of them again."""
    FOLDER.mkdir(exist_ok=True)
    for kind, write in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            run_dir = Path(folder) / "run"
            more = write(run_dir)
            facts = facts_of(run_dir, **more)
            _pack(run_dir, FOLDER / f"{__version__}-{kind}.tar.xz")
        text = json.dumps(facts, indent=1)
        (FOLDER / f"{__version__}-{kind}.json").write_text(text + "\n")
        print(f"{__version__}-{kind}: {facts['events']} events, root {facts['root']}")


if __name__ == "__main__":
    main()
