"""Running a live session: from a configuration to its end.

Owns what happens before the first input: the venue describes its instruments, the three switches say whether orders go
there or to a simulated venue, and the folder is begun or gone on with.
"""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_DOWN
from pathlib import Path
from typing import Any

import msgspec

from kernel import __version__
from kernel.instruments import currency_scale
from kernel.units import to_decimal
from kernel.venue import Feeds, VenueAdapter, VenueInstrument
from replay.config import ConfigError, RunConfig
from replay.config.live import LIVE, PAPER, LiveConfig, environment
from replay.live.audit import Progress
from replay.live.calendars import Calendars
from replay.live.checkpoints import follow
from replay.live.commands import Commands
from replay.live.control import serve
from replay.live.driver import LiveSession
from replay.live.files import SOCKET, read_live_file
from replay.live.start import Opened, begin, check_restored, environment_facts, go_on, with_external
from replay.live.switches import approval_facts, missing_switches
from replay.live.venues import feeds_of, make_adapter

Watch = Callable[[LiveSession, Commands], Any]  # a coroutine that shows the session until it is cancelled
Say = Callable[[str], None]


def goes_elsewhere(live: LiveConfig, say: Say) -> bool:
    """Whether orders go to the venue. What is missing for real money is said, and then it is paper."""
    if live.mode == PAPER:
        return False
    if live.mode == LIVE:
        missing = missing_switches(live, os.environ, datetime.now(UTC))
        for one in missing:
            say(f"paper, not live: {one}")
        return not missing
    return True


async def run_live(
    config: RunConfig | None,
    run_dir: Path,
    *,
    watch: Watch,
    say: Say,
    progress: Progress | None = None,
    take_over: bool = False,
) -> None:
    """Trade until a signal or a command ends it; without a configuration, go on with the session of the folder.

    Raises ConfigError, CatalogueError (of a calendar), VenueError, JournalError, DivergenceError; each in one line.
    """
    resumed = config is None
    if resumed:
        check_restored(run_dir, take_over=take_over)
    live = read_live_file(run_dir).config.live if config is None else config.live
    if not live.venue:
        raise ConfigError("the configuration has no [live] table; see kernel live --help")
    adapter = make_adapter(live)
    try:
        described = await adapter.describe(live.symbols)
        calendars = Calendars([one.instrument for one in described])
        calendars.find_times(time.time_ns())
        opened, bridge = await _open(config, run_dir, described, adapter, say, progress, take_over)
        await adapter.open([one.instrument for one in described], feeds_of(live))
        if resumed:
            _check_same(opened, described, say)
    except BaseException:
        await adapter.close()
        raise
    session = LiveSession(opened, adapter, [one.rules for one in described])
    bridge.connect(session)
    session.calendars = calendars
    session.checkpoints = follow(opened, live.checkpoint, say)
    await _keep(session, watch, _facts(live, opened, session))


class _Bridge:
    """Word from the journal, which may come before there is a session."""

    def __init__(self) -> None:
        self._session: LiveSession | None = None
        self._early: list[BaseException] = []

    def connect(self, session: LiveSession) -> None:
        self._session = session
        for error in self._early:
            session.fail(error)

    def durable(self, sequence: int) -> None:
        if self._session is not None:
            self._session.release(sequence)

    def failure(self, error: BaseException) -> None:
        if self._session is not None:
            self._session.fail(error)
        else:
            self._early.append(error)


async def _open(
    config: RunConfig | None,
    run_dir: Path,
    described: list[VenueInstrument],
    adapter: VenueAdapter,
    say: Say,
    progress: Progress | None,
    take_over: bool,
) -> tuple[Opened, _Bridge]:
    bridge, back = _Bridge(), asyncio.get_running_loop().call_soon_threadsafe
    if config is None:
        opened = go_on(
            run_dir,
            on_durable=bridge.durable,
            on_failure=bridge.failure,
            back=back,
            progress=progress,
            take_over=take_over,
        )
        live = opened.file.config.live
        if opened.file.elsewhere != goes_elsewhere(live, say):
            opened.journal.close()
            was = "the venue" if opened.file.elsewhere else "paper"
            raise ConfigError(f"{run_dir}: its orders went to {was}, and the switches now say otherwise; begin anew")
        return opened, bridge
    elsewhere = goes_elsewhere(config.live, say)
    if elsewhere:
        config = await _with_balance(config, described, adapter)
    instruments = [one.instrument for one in described]
    opened = begin(
        with_external(config),
        instruments,
        run_dir,
        elsewhere=elsewhere,
        on_durable=bridge.durable,
        on_failure=bridge.failure,
        back=back,
    )
    return opened, bridge


async def _with_balance(config: RunConfig, described: list[VenueInstrument], adapter: VenueAdapter) -> RunConfig:
    """The configuration with the venue's money as its cash."""
    currency = described[0].instrument.currency
    for seen in await _open_then(adapter, described, adapter.fetch_balances):
        if seen.currency == currency:
            unit = to_decimal("1").scaleb(-currency_scale(currency))
            cash = to_decimal(seen.total).quantize(unit, ROUND_DOWN)
            if cash <= 0:
                break
            return msgspec.structs.replace(config, cash=f"{cash:f}")
    raise ConfigError(f'the account has no {currency} at {config.live.venue}; put some there, or take mode = "paper"')


async def _open_then(adapter: VenueAdapter, described: list[VenueInstrument], ask: Callable[[], Any]) -> Any:
    await adapter.open([one.instrument for one in described], Feeds())
    return await ask()


def _check_same(opened: Opened, described: list[VenueInstrument], say: Say) -> None:
    """The venue must still mean the same by its instruments; its rules may have changed."""
    for before, now in zip(opened.file.instruments, described, strict=True):
        if before != now.instrument:
            opened.journal.close()
            name = now.instrument.name
            raise ConfigError(f"{name} is described otherwise by the venue now; begin anew in another folder")


def _facts(live: LiveConfig, opened: Opened, session: LiveSession) -> dict[str, Any]:
    return {
        **environment_facts(),
        "version": __version__,
        "python": sys.version.split()[0],
        "venue": live.venue,
        "environment": environment(live),
        "elsewhere": session.elsewhere,
        "resumed": opened.resumed,
        "epoch": opened.journal.writer.epoch,
        "config_sha256": opened.prepared.config_sha256,
        "strategies_sha256": [one.source_sha256 for one in opened.prepared.strategies],
        **({"approval": approval_facts(live)} if session.elsewhere and live.mode == LIVE else {}),
    }


def _tell_failure(task: "asyncio.Task[Any]") -> None:
    """The view failed: trading goes on, and whoever watches is told why nothing moves."""
    if not task.cancelled() and task.exception() is not None:
        sys.stderr.write(f"the view ended: {task.exception()!r}; the session goes on, see kernel status\n")


async def _keep(session: LiveSession, watch: Watch, facts: dict[str, Any]) -> None:
    """Until it ends: signals, the control socket, and what shows it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, session.stop)
    commands = Commands(session)
    server = await serve(session.opened.run_dir, commands)
    shown = asyncio.create_task(watch(session, commands))
    shown.add_done_callback(_tell_failure)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: the collector need not go through it again, which takes 50 ms
    try:
        await session.run(facts)
    finally:
        gc.unfreeze()
        shown.cancel()
        await asyncio.gather(shown, return_exceptions=True)
        server.close()
        (session.opened.run_dir / SOCKET).unlink(missing_ok=True)
        if session.checkpoints is not None:
            await asyncio.to_thread(session.checkpoints.close)
