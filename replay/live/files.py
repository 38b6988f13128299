"""The folder of a live session: ``live.json`` (what to trade, written first), ``journal/``, and its control socket.

Owns what a later process needs to go on, or to prove what was decided: the configuration with the instruments as the
venue described them. No secret is in it, only where secrets are.
"""

from pathlib import Path

import msgspec

from journal.files import write_file
from kernel.instruments import Instrument
from kernel.market import BAR, DEPTH, QUOTE, TRADE
from replay.config import ConfigError, Places, RunConfig, located
from replay.config.model import check
from replay.execution import Prepared
from replay.ledger_plan import plan_ledger
from replay.loading import Universe, load_strategies
from replay.opening import resolved_config

LIVE_FILE = "live.json"
JOURNAL_DIR = "journal"
SOCKET = "control.sock"
ORIGIN = "trading-kernel/live"


# The kinds of rows that a feed brings and bars can be made of.
KINDS = {"bars": BAR, "trades": TRADE, "quotes": QUOTE, "depth": DEPTH}


class LiveFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a session began with. ``elsewhere``: its orders rest at the venue, not in a simulated one."""

    config: RunConfig
    instruments: list[Instrument]
    elsewhere: bool
    opened_ns: int
    genesis_id: str


def prepare_live(config: RunConfig, instruments: list[Instrument]) -> Prepared:
    """A configuration with the instruments that the venue described. Raises ConfigError or StrategyError."""
    feeds = tuple(KINDS[name] for name in config.live.feeds if name in KINDS)
    universe = Universe(tuple(instruments), (True,) * len(instruments), (), feeds=feeds)
    with located(config.places):
        strategies = load_strategies(config.strategies, universe, config.bars)
        resolved = resolved_config(config, universe, strategies)
        return Prepared(config, universe, strategies, resolved, plan_ledger(config, universe.instruments))


def write_live_file(run_dir: Path, live: LiveFile) -> None:
    """Write it whole or not at all, for the owner's eyes."""
    text = msgspec.json.format(msgspec.json.encode(live), indent=2) + b"\n"
    write_file(run_dir / LIVE_FILE, text)


def read_live_file(run_dir: Path) -> LiveFile:
    """Raises ConfigError when there is none, or it is damaged."""
    file = run_dir / LIVE_FILE
    try:
        live = msgspec.json.decode(file.read_bytes(), type=LiveFile)
        check(live.config)
        return live
    except FileNotFoundError:
        raise ConfigError(f"{run_dir}: no {LIVE_FILE} there; name the directory that kernel live wrote") from None
    except (msgspec.MsgspecError, ConfigError) as error:
        raise ConfigError(f"{file}: damaged: {error}") from None


def is_live(run_dir: Path) -> bool:
    """Whether a live session wrote this folder."""
    return (run_dir / LIVE_FILE).is_file()


def without_places(config: RunConfig) -> RunConfig:
    """As it is stored: the lines of a file that may change say nothing later; strategy files by their full paths."""
    strategies = [
        msgspec.structs.replace(one, use=_absolute(one.use) if ".py" in one.use else one.use)
        for one in config.strategies
    ]
    return msgspec.structs.replace(config, places=Places(), strategies=strategies)


def _absolute(use: str) -> str:
    path, _, name = use.partition(".py")
    return f"{Path(path + '.py').resolve()}{name}"
