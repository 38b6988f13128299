"""The instrument of an import: as told, as the source's metadata says, or as inferred from the data; never in
silence.
"""

import numpy as np

from kernel.instruments import Instrument
from kernel.plurals import counted
from kernel.units import UnitError
from replay.catalogue.frame import Frame
from replay.catalogue.grid import MAX_DECIMALS, needed_decimals, plain_text, unit_parts, unit_text
from replay.catalogue.model import CatalogueError
from replay.catalogue.options import ImportOptions

_QUOTE_CURRENCIES = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "BTC", "ETH")
DEFAULT_LOT_SIZE = "1"


def name_of(options: ImportOptions, hints: dict[str, str]) -> tuple[str, str]:
    """Venue and symbol, from the options or the source's metadata."""
    venue, symbol = options.venue or hints.get("venue", ""), options.symbol or hints.get("symbol", "")
    missing = [option for option, value in (("--venue", venue), ("--symbol", symbol)) if not value]
    if missing:
        raise CatalogueError(f"the source does not say whose data it is: give {' and '.join(missing)}")
    return venue, symbol


def choose_instrument(
    frame: Frame, options: ImportOptions, hints: dict[str, str], existing: Instrument | None, notes: list[str]
) -> tuple[Instrument, dict[str, tuple[int, int]]]:
    """The instrument, and mantissa and decimals of the unit of each price and size column."""
    venue, symbol = name_of(options, hints)
    tick = options.tick_size or (existing.tick_size if existing else "")
    lot = options.lot_size or (existing.lot_size if existing else "")
    tick = tick or _inferred(frame, frame.prices, "tick size", "--tick-size", notes)
    lot = lot or _inferred(frame, frame.sizes, "lot size", "--lot-size", notes)
    currency = options.currency or (existing.currency if existing else "")
    if not currency:
        currency = _currency_of(symbol)
        notes.append(f"currency: {currency}, judged by the symbol (--currency overrides)")
    multiplier = options.multiplier or (existing.multiplier if existing else "1")
    for size, option in ((tick, "--tick-size"), (lot, "--lot-size"), (multiplier, "--multiplier")):
        unit_parts(size, option)
    instrument = Instrument(
        venue=venue, symbol=symbol, currency=currency, tick_size=plain_text(tick), lot_size=plain_text(lot),
        multiplier=plain_text(multiplier),
        asset_class=options.asset_class or (existing.asset_class if existing else "spot"),
        calendar=options.calendar or (existing.calendar if existing else ""),
    )  # fmt: skip
    units = units_of(frame, instrument)
    try:
        _ = instrument.notional_ratio
    except UnitError as error:
        raise CatalogueError(f"tick size {tick} and lot size {lot} are too fine together: {error}") from None
    return instrument, units


def units_of(frame: Frame, instrument: Instrument) -> dict[str, tuple[int, int]]:
    """Mantissa and decimals for each price and size column."""
    tick = unit_parts(instrument.tick_size, "--tick-size")
    lot = unit_parts(instrument.lot_size, "--lot-size")
    return {**dict.fromkeys(frame.prices, tick), **dict.fromkeys(frame.sizes, lot)}


def _inferred(frame: Frame, names: tuple[str, ...], what: str, option: str, notes: list[str]) -> str:
    """The power of ten that the data's own decimals need."""
    values = np.concatenate([frame.columns[name] for name in names])
    values = values[np.isfinite(values)]
    if not values.size:
        notes.append(f"{what}: {DEFAULT_LOT_SIZE}, as the source has none ({option} overrides)")
        return DEFAULT_LOT_SIZE
    needed = needed_decimals(values)
    if needed is None:
        raise CatalogueError(
            f"the {what} cannot be inferred: numbers need more than {MAX_DECIMALS} decimals or 15 digits: "
            f"give {option} (and --repair round-to-tick if they are not exact)"
        )
    decimals, count = needed
    text = unit_text(decimals)
    detail = f"{count:,} of {values.size:,} numbers need {counted(decimals, 'decimal')}"
    notes.append(f"{what}: {text}, inferred from the data ({detail if decimals else 'all are whole numbers'})")
    return text


def _currency_of(symbol: str) -> str:
    base = symbol.upper().split(":")[0]
    return next((currency for currency in _QUOTE_CURRENCIES if base.endswith(currency)), "USD")
