"""Column names: which of our fields a source's column is.

Owns the aliases. A name that is not known is never guessed at: it is refused, or ignored when that was asked
for.
"""

import re
from collections.abc import Mapping, Sequence

from kernel.market import LEVEL_NAMES
from replay.catalogue.model import CatalogueError

ALIASES = {
    "ts": "ts time timestamp date datetime t ts_event event_time open_time opentime ts_open local_time",
    "open": "open o price_open",
    "high": "high h price_high",
    "low": "low l price_low",
    "close": "close c price_close",
    "volume": "volume vol v",
    "price": "price p px trade_price",
    "quantity": "quantity qty size amount q sz trade_size",
    "side": "side aggressor aggressor_side taker_side direction",
    "flags": "flags",
    "message": "message message_id update_id last_id",
    "is_snapshot": "is_snapshot",
    "buyer_is_maker": "is_buyer_maker isbuyermaker buyer_maker buyer_is_maker m",
    "bid": "bid bid_price bidprice best_bid bid_px",
    "bid_size": "bid_size bid_qty bidsize bid_quantity bid_amount bid_volume bid_sz",
    "ask": "ask ask_price askprice best_ask ask_px offer",
    "ask_size": "ask_size ask_qty asksize ask_quantity ask_amount ask_volume ask_sz offer_size",
    "bid_close": "bid_close",
    "ask_close": "ask_close",
    "vix": "vix volatility_index",
    "average_daily_volume": "average_daily_volume adv",
    "earnings": "earnings earnings_time earnings_date",
    "greek": "greek",
    "news": "news news_time",
    "confidence": "confidence probability",
    "strength": "strength",
    "horizon": "horizon horizon_seconds",
    "low_return": "low_return return_low",
    "high_return": "high_return return_high",
}
_FIELDS = {alias: field for field, aliases in ALIASES.items() for alias in aliases.split()}
# The other prices of a bar of quotes are known and not needed: a quote is taken at the bar's close.
KNOWN_UNUSED = frozenset(f"{side}_{part}" for side in ("bid", "ask") for part in ("open", "high", "low"))

REQUIRED = {
    "bars": ("ts", "open", "high", "low", "close"),
    "trades": ("ts", "price"),
    "quotes": ("ts", "bid", "ask"),
    "quotebars": ("ts", "bid_close", "ask_close"),
    "depth": ("ts", "side", "price", "quantity"),
    "levels": ("ts",),
    "signals": ("ts", "side", "confidence"),
}
OPTIONAL = {
    "bars": ("volume",),
    "trades": ("quantity", "side", "buyer_is_maker"),
    "quotes": ("bid_size", "ask_size"),
    "quotebars": ("bid_size", "ask_size"),
    "depth": ("flags", "message", "is_snapshot"),
    "levels": tuple(LEVEL_NAMES.values()),
    "signals": ("strength", "horizon", "low_return", "high_return"),
}
IMPORT_KINDS = tuple(REQUIRED)
# From the most to the least telling: a file of bars of quotes has bids and asks too. Depth looks like trades and levels
# may stand beside anything, so both are never guessed.
_DETECTION_ORDER = ("quotebars", "bars", "quotes", "trades")


def match_columns(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """The source column of each of our fields that has one. ``mapping`` comes before aliases."""
    wrong = sorted(set(mapping) - set(ALIASES))
    if wrong:
        raise CatalogueError(f"--column {wrong[0]}=...: no such field; the fields are {', '.join(ALIASES)}")
    absent = sorted(set(mapping.values()) - set(names))
    if absent:
        raise CatalogueError(f"--column names {absent[0]!r}, but the columns are {', '.join(names)}")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise CatalogueError(f"column {', '.join(twice)} occurs twice in the source")
    found = dict(mapping)
    for name in names:
        field = _FIELDS.get(normalised(name))
        if field is None or field in mapping or name in mapping.values():
            continue
        if field in found:
            raise CatalogueError(
                f"columns {found[field]!r} and {name!r} could both be {field}: choose with --column {field}=NAME"
            )
        found[field] = name
    return found


def normalised(name: str) -> str:
    """A column name as the aliases spell it: ``Bid Size`` and ``bid-size`` are ``bid_size``."""
    return re.sub(r"[\s.\-/]+", "_", name.strip().lower())


def detect_kind(found: Mapping[str, str]) -> str:
    """The kind of market data that these fields are. Raises CatalogueError when they are none."""
    for kind in _DETECTION_ORDER:
        if all(field in found for field in REQUIRED[kind]):
            return kind
    seen = ", ".join(found.values()) or "none that are known"
    raise CatalogueError(
        f"the columns ({seen}) are neither bars, trades nor quotes: name them with --column FIELD=NAME, and depth with "
        "--kind depth"
    )


def select_fields(kind: str, names: Sequence[str], found: Mapping[str, str], ignore: bool) -> tuple[
    dict[str, str], list[str]
]:  # fmt: skip
    """The fields to read for ``kind``, and the source columns that are left out."""
    missing = [field for field in REQUIRED[kind] if field not in found]
    if missing:
        raise CatalogueError(
            f"missing columns for {kind}: {', '.join(missing)}; the source has {', '.join(names)}: "
            f"name them with --column {missing[0]}=NAME"
        )
    fields = {field: found[field] for field in (*REQUIRED[kind], *OPTIONAL[kind]) if field in found}
    used = set(fields.values())
    left_out = [name for name in names if name not in used]
    if kind == "quotebars":
        left_out = [name for name in left_out if normalised(name) not in KNOWN_UNUSED]
    if left_out and not ignore:
        raise CatalogueError(
            f"unknown columns {', '.join(left_out)}: map them with --column FIELD=NAME or add --ignore-unknown"
        )
    return fields, left_out
