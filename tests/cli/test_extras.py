"""What needs an extra says so in one line where its packages are not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.helpers import PROGRAM, environment_with

LIVE = '[live]\nvenue = "bybit"\nsymbols = ["BTCUSDT"]\nmode = "paper"\n\n[[strategy]]\nuse = "ema_cross"\n'
BYBIT = ["--venue", "bybit", "--symbol", "BTC/USDT", "--timeframe", "1h", "--from", "2024-01-01", "--to", "2024-01-02"]


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("aiohttp", ["data", "providers"]),
        ("aiohttp", ["data", "fetch", *BYBIT]),
        ("ccxt", ["data", "fetch", *BYBIT]),
        ("ccxt", ["live", "--config", "live.toml"]),
        ("aiohttp", ["live", "--config", "live.toml"]),
    ],
)
def test_one_line_names_the_extra(tmp_path: Path, missing: str, command: list[str]) -> None:
    (tmp_path / "live.toml").write_text(LIVE)
    start = f"import sys; sys.modules[{missing!r}] = None; {PROGRAM}"
    ended = subprocess.run(
        [sys.executable, "-c", start, *command], cwd=tmp_path, env=environment_with(), capture_output=True, text=True
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("kernel")
    assert "pip install 'trading-kernel[live]'" in last
    assert "Traceback" not in ended.stderr
