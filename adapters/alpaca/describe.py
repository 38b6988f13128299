"""What Alpaca's assets are as instruments, and what it demands of orders in them. Pure.

Shares: ticks of 0.0001, lots of a billionth. Orders are in whole cents from $1 on and in ticks below (Alpaca's
sub-penny rule), and in whole shares unless fractions are wanted. Pairs: ticks and lots of a billionth at most, with the
increments that the asset names for orders.
"""

from decimal import Decimal

from adapters.alpaca.markets import Grid
from adapters.alpaca.settings import EQUITY, AlpacaSettings
from adapters.alpaca.wire import WireAsset
from kernel.instruments import Instrument
from kernel.units import to_decimal
from kernel.venue import InstrumentRules, VenueInstrument

VENUE = "alpaca"
FINEST = "0.000000001"
SHARE_TICK = "0.0001"
PENNY_FROM = Decimal(1)
PENNY = Decimal("0.01")
# Alpaca takes no fractional order below a dollar.
FRACTIONAL_MINIMUM = "1"
CLASSES = {"equity": "us_equity", "crypto": "crypto"}


def describe(asset: WireAsset, settings: AlpacaSettings, reference: Decimal | None) -> VenueInstrument:
    """An asset with its rules; ``reference`` is its last price, None where that is not known."""
    if settings.asset_class == EQUITY:
        instrument = Instrument(
            venue=VENUE,
            symbol=asset.symbol,
            currency="USD",
            tick_size=SHARE_TICK,
            lot_size=FINEST,
            asset_class="equity",
            contract="equity",
            calendar="XNYS",
        )
        return VenueInstrument(instrument, share_rules(asset, settings, is_below_penny(reference)))
    base, _, quote = asset.symbol.partition("/")
    instrument = Instrument(
        venue=VENUE,
        symbol=base + quote,
        currency=quote,
        tick_size=FINEST,
        lot_size=FINEST,
        asset_class="crypto",
        contract="spot",
    )
    return VenueInstrument(instrument, pair_rules(asset))


def is_below_penny(reference: Decimal | None) -> bool:
    """Whether a share of this price may be ordered in ticks. Not known: then in cents, which are always taken."""
    return reference is not None and reference < PENNY_FROM


def share_rules(asset: WireAsset, settings: AlpacaSettings, is_below: bool) -> InstrumentRules:
    """The rules of a share."""
    ticks, lots = Grid(SHARE_TICK), Grid(FINEST)
    is_fractional = settings.fractional and asset.fractionable
    return InstrumentRules(
        price_step_ticks=1 if is_below else ticks.count(PENNY),
        quantity_step_lots=1 if is_fractional else lots.count(1),
        minimum_lots=1 if is_fractional else lots.count(1),
        minimum_notional=FRACTIONAL_MINIMUM if is_fractional else "0",
        maximum_leverage="0" if asset.marginable else "1",
        is_trading=asset.tradable and asset.status == "active",
    )


def pair_rules(asset: WireAsset) -> InstrumentRules:
    """The rules of a pair, from the increments of the asset."""
    grid = Grid(FINEST)
    finest = to_decimal(FINEST)
    return InstrumentRules(
        price_step_ticks=grid.count(asset.price_increment or finest),
        quantity_step_lots=grid.count(asset.min_trade_increment or finest),
        minimum_lots=grid.count(asset.min_order_size or finest),
        maximum_leverage="1",
        is_trading=asset.tradable and asset.status == "active",
    )
