"""Small recorded backtests for the tests that read journals."""

import shutil
from pathlib import Path
from typing import Any

from replay.config import load_config
from replay.execution import prepare
from replay.runner import run_backtest
from replay.sample import sample_root

BTC = str(sample_root() / "coinbase" / "BTC-USD")
TICKS = str(sample_root() / "binance-perp")
FIRST_ORDER = 50  # of ema_cross on the sample with its defaults


def make_run(folder: Path, **settings: Any) -> Path:
    """A run directory with a journal: ema_cross on the bitcoin sample, unless the settings say otherwise."""
    values: dict[str, Any] = {
        "data": [BTC],
        "strategy": [{"use": "ema_cross"}],
        "to": "2018-01-01",
        "digest_interval": 1000,
        "fsync": "off",
        **settings,
    }
    run_backtest(prepare(load_config(None, values)), folder)
    return folder


def copy_with_other_data(run: Path, to: Path) -> tuple[Path, Path]:
    """A copy of a run whose market data lies in a folder of the copy's own: ``(run, data file)``."""
    shutil.copytree(run, to)
    data = to / "market" / "bars-4h.parquet"
    data.parent.mkdir()
    shutil.copy(Path(BTC) / "bars-4h.parquet", data)
    text = (to / "run.json").read_text()
    (to / "run.json").write_text(text.replace(str((Path(BTC) / "bars-4h.parquet").resolve()), str(data)))
    return to, data


def flip_byte(journal: Path, share: float = 0.5) -> None:
    """Damage one byte of the journal's first segment."""
    segment = next(iter(sorted(journal.glob("*.seg"))))
    raw = bytearray(segment.read_bytes())
    raw[int(len(raw) * share)] ^= 1
    segment.write_bytes(raw)


def change_a_price(data: Path) -> None:
    """Change one close of a catalogue file, and nothing else."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = parquet.read_table(data)
    at = table.schema.get_field_index("close")
    closes = table.column("close").to_pylist()
    closes[40] += 1
    parquet.write_table(
        table.set_column(at, table.schema.field(at), pa.array(closes, table.schema.field(at).type)), data
    )
