"""``[live]``: the venue that a session trades at, and how.

Owns the table and its checks. Which orders may leave is decided in ``replay/live/switches.py``, before each one.
"""

from typing import TYPE_CHECKING

import msgspec

from kernel.naming import near_name
from replay.config.amounts import Number, length_ns, rate
from replay.config.errors import SettingError

if TYPE_CHECKING:
    from adapters.witness.policy import Policy

PAPER, TEST, LIVE = "paper", "test", "live"
MODES = (PAPER, TEST, LIVE)
# Environments of each venue: those with real money, and those with play money.
REAL_ENVIRONMENTS = {"bybit": ("mainnet",), "alpaca": ("live",)}
PLAY_ENVIRONMENTS = {"bybit": ("testnet", "demo"), "alpaca": ("paper",)}
MARKETS = {"bybit": ("linear", "spot", "inverse"), "alpaca": ("equity", "crypto")}
FEEDS = ("bars", "trades", "quotes", "depth", "funding", "open_interest")
CANCEL_ON_EXIT, KEEP_ON_EXIT = "cancel", "keep"


class CheckpointConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[live.checkpoint]``: checkpoints that a session makes by itself; without ``key`` it makes none.

    One is due after ``every_frames`` frames (0: however many), and ``every`` so long when there is something new.
    ``witness_keys`` are texts of verifier keys; ``quorum`` 0 means all witnesses.
    """

    key: str = ""
    every_frames: int = 0
    every: str = "10m"
    witnesses: list[str] = msgspec.field(default_factory=list)
    witness_keys: list[str] = msgspec.field(default_factory=list)
    quorum: int = 0


class LiveConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One venue, one account.

    ``mode``: ``paper`` (a simulated venue on live data), ``test`` (the venue's play money) or ``live`` (real money, if
    the other two switches are on as well). ``key`` and ``secret`` say where a secret is: ``env:NAME``, ``file:PATH`` or
    ``keyring:SERVICE/NAME``.
    """

    venue: str = ""
    mode: str = PAPER
    environment: str = ""
    market: str = ""
    symbols: list[str] = msgspec.field(default_factory=list)
    feeds: list[str] = msgspec.field(default_factory=lambda: ["bars", "quotes"])
    depth_levels: int = 50
    key: str = ""
    secret: str = ""
    rest_url: str = ""
    data_url: str = ""
    market_url: str = ""
    private_url: str = ""
    requests_per_minute: int = 0
    answer_within: str = "10s"
    heartbeat_every: str = "10s"
    approval: str = ""
    on_exit: str = CANCEL_ON_EXIT
    reconcile_every: str = "300s"
    stale_after: str = "60s"
    clock_limit: str = "1s"
    drift_percent: Number = 5
    exit_within: str = "20s"
    checkpoint: CheckpointConfig = msgspec.field(default_factory=CheckpointConfig)


def check_live(live: LiveConfig) -> None:
    """Raise SettingError for what cannot be traded. An empty table is no mistake: a backtest has none."""
    if live == LiveConfig():
        return
    _one_of("live.venue", live.venue, tuple(MARKETS))
    _one_of("live.mode", live.mode, MODES)
    _one_of("live.market", market(live), MARKETS[live.venue])
    real, play = REAL_ENVIRONMENTS[live.venue], PLAY_ENVIRONMENTS[live.venue]
    _one_of("live.environment", environment(live), (*real, *play))
    if live.mode == TEST and environment(live) in real:
        raise SettingError(
            "live.mode", f"is test, but {environment(live)} has real money; take {' or '.join(play)}, or mode live",
            against="live.environment",
        )  # fmt: skip
    if live.mode == LIVE and environment(live) in play:
        raise SettingError(
            "live.mode", f"is live, but {environment(live)} has play money; take {' or '.join(real)}, or mode test",
            against="live.environment",
        )  # fmt: skip
    if not live.symbols:
        raise SettingError("live.symbols", 'names none; write at least one, as in symbols = ["BTCUSDT"]')
    if len(set(live.symbols)) < len(live.symbols):
        raise SettingError("live.symbols", "names one twice")
    for feed in live.feeds:
        _one_of("live.feeds", feed, FEEDS)
    if not live.feeds:
        raise SettingError("live.feeds", f"names none of {', '.join(FEEDS)}")
    if live.mode != PAPER:
        for name in ("key", "secret"):
            if not getattr(live, name):
                where = "env:NAME, file:PATH or keyring:SERVICE/NAME"
                raise SettingError(f"live.{name}", f"is missing; say where it is: {where}")
    if live.mode == LIVE and not live.approval:
        raise SettingError("live.approval", "is missing; name the approval file that mode live needs")
    _one_of("live.on_exit", live.on_exit, (CANCEL_ON_EXIT, KEEP_ON_EXIT))
    for name in (
        "reconcile_every",
        "stale_after",
        "clock_limit",
        "exit_within",
        "answer_within",
        "heartbeat_every",
    ):
        if length_ns(f"live.{name}", getattr(live, name)) <= 0:
            raise SettingError(f"live.{name}", f"is {getattr(live, name)!r}; it must be longer than nothing")
    rate("live.drift_percent", live.drift_percent, 100)
    if live.requests_per_minute < 0:
        raise SettingError("live.requests_per_minute", f"is {live.requests_per_minute}; 0 takes the venue's own limit")
    if not 1 <= live.depth_levels <= 1000:
        raise SettingError("live.depth_levels", f"is {live.depth_levels}; it is from 1 to 1000")
    _check_checkpoint(live.checkpoint)


def _check_checkpoint(settings: CheckpointConfig) -> None:
    if settings == CheckpointConfig():
        return
    if not settings.key:
        raise SettingError("live.checkpoint.key", "is missing; say where it is: env:NAME, file:PATH or keyring:...")
    if length_ns("live.checkpoint.every", settings.every) <= 0:
        raise SettingError("live.checkpoint.every", f"is {settings.every!r}; it must be longer than nothing")
    if settings.every_frames < 0 or settings.quorum < 0:
        raise SettingError("live.checkpoint", "every_frames and quorum are 0 or more")
    witness_policy(settings)


def witness_policy(settings: CheckpointConfig) -> "Policy | None":
    """Who is asked to cosign, or None when nobody is. Raises SettingError."""
    from adapters.witness.policy import Policy
    from journal import JournalError
    from journal.note import VerifierKey

    if not settings.witnesses and not settings.witness_keys and not settings.quorum:
        return None
    try:
        keys = [VerifierKey.parse(text) for text in settings.witness_keys]
        return Policy.of(settings.witnesses, keys, settings.quorum)
    except JournalError as error:
        raise SettingError("live.checkpoint.witnesses", f"with witness_keys and quorum: {error}") from None


def market(live: LiveConfig) -> str:
    """The market, by default the first one of the venue."""
    return live.market or MARKETS[live.venue][0]


def environment(live: LiveConfig) -> str:
    """The environment: where none is named, real market data for paper and live, play money for test."""
    if live.environment:
        return live.environment
    return (PLAY_ENVIRONMENTS if live.mode == TEST else REAL_ENVIRONMENTS)[live.venue][0]


def _one_of(setting: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        hint = near_name(value, allowed, f"it is one of {', '.join(allowed)}")
        raise SettingError(setting, f"is {value!r}; {hint}")
