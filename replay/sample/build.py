"""Builds the packaged sample from its sources: ``python -m replay.sample.build SOURCE_DIR``.

Owns which data is shipped, and as what instruments. The import is the ordinary one, so what the sample holds
is what anyone gets from the same sources; tick and lot sizes are given, so that an off-grid number fails the
build.
"""

import sys
from pathlib import Path

from replay.catalogue import CatalogueError
from replay.catalogue.importer import import_file
from replay.catalogue.options import ImportOptions, ImportReport
from replay.sample import sample_root

SOURCES = {
    "bars/crypto_coinbase_BTC-USD_4h_2016-2025.parquet": ImportOptions(
        venue="coinbase", symbol="BTC-USD", currency="USD", tick_size="0.01", lot_size="0.00000001",
        replace=True,
    ),
    # Trade reports go below the cent, so the tick of the raw history is a hundredth of one.
    "bars/equity_us_SPY_1h_1998-2021.parquet": ImportOptions(
        venue="us", symbol="SPY", currency="USD", tick_size="0.0001", lot_size="1", asset_class="equity",
        replace=True,
    ),
    "bars/fx_oanda_EURUSD_1h-bid_2007-2018.parquet": ImportOptions(
        venue="oanda", symbol="EURUSD", currency="USD", tick_size="0.00001", lot_size="1", asset_class="fx",
        replace=True,
    ),
    "ticks/crypto_binance-perp_BTCUSDT_20240808_trades.parquet": ImportOptions(
        venue="binance-perp", symbol="BTCUSDT", currency="USDT", tick_size="0.1", lot_size="0.001",
        asset_class="perpetual", ignore_unknown=True, replace=True,
    ),
    "ticks/crypto_binance-perp_BTCUSDT_20240808_quotes.parquet": ImportOptions(
        venue="binance-perp", symbol="BTCUSDT", currency="USDT", tick_size="0.1", lot_size="0.001",
        asset_class="perpetual", ignore_unknown=True, replace=True,
    ),
}  # fmt: skip


def build(source_dir: Path, root: Path) -> list[ImportReport]:
    """Import every source into the catalogue at ``root``."""
    return [import_file(source_dir / name, root, options) for name, options in SOURCES.items()]


def main(arguments: list[str]) -> int:
    """Build the sample in place from the directory named by the one argument."""
    if len(arguments) != 1:
        print("usage: python -m replay.sample.build SOURCE_DIR", file=sys.stderr)
        return 2
    try:
        reports = build(Path(arguments[0]), sample_root())
    except CatalogueError as error:
        print(f"replay.sample.build: {error}", file=sys.stderr)
        return 1
    for report in reports:
        size = report.file.path.stat().st_size
        print(f"{report.file.path.relative_to(sample_root())}: {report.file.rows:,} rows, {size:,} bytes")
        for problem in report.problems:
            print(f"  {problem.severity}: {problem.line}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
