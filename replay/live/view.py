"""What a session shows: a view that refreshes on a terminal, plain lines elsewhere, or JSON lines.

Owns the words. It reads the session and its events and changes nothing.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from kernel.events.body import decode_body
from kernel.events.catalogue import by_kind, event_types
from kernel.events.layout import HAS_BODY
from kernel.lifecycle import SIDE_NAMES
from kernel.units import from_units
from replay.live.commands import Commands
from replay.live.driver import LiveSession

REFRESH_S = 0.5
LINES = 8
CHECKPOINT_NEWS = ("signed_frames", "cosigned_frames", "problem")  # a line is written when one of these changes
# Events that a line is written of. Market data and what is done at every bar are not among them.
TOLD = {
    "OrderIntended", "RiskChecked", "OrderAccepted", "OrderRejected", "OrderFilled", "OrderCanceled", "OrderExpired",
    "OrderReplaced", "RequestRefused", "RequestRejected", "TradeClosed", "KillSwitchRequested", "KillSwitchReset",
    "KillSwitchTripped", "EntriesStopped", "LiveSessionOpened", "LiveSessionClosed", "ConnectionChanged",
    "DegradedSet", "OrderAdopted", "OrderInDoubt", "DifferenceFound", "Reconciled", "FlattenRequested", "CancelAsked",
    "CommandGiven", "TailDiscarded", "CashAdjusted",
    "SigningKeyRotated",
}  # fmt: skip
_TOLD_KINDS = np.zeros(1 << 10, bool)
for _kind in event_types():
    _TOLD_KINDS[_kind.kind] = _kind.name in TOLD


class Log:
    """Turns events into lines. ``write`` takes each; ``as_json`` makes them JSON objects."""

    def __init__(self, session: LiveSession, write: Callable[[str], None], *, as_json: bool) -> None:
        self._session, self._write, self._as_json = session, write, as_json

    def __call__(self, records: np.ndarray, bodies: Sequence[bytes]) -> None:
        flagged = (records["flags"] & HAS_BODY).astype(bool)
        places = np.cumsum(flagged) - 1
        try:
            for at in np.flatnonzero(_TOLD_KINDS[records["kind"]]):
                self._line(records[at], decode_body(bodies[places[at]]) if flagged[at] else None)
        except BrokenPipeError:  # whoever read the lines has gone; trading goes on
            self._session.observers.remove(self)

    def _line(self, record: Any, said: Any) -> None:
        kind = by_kind(int(record["kind"]))
        number = int(record["instrument"])
        symbol = self._session.instruments[number].symbol if number >= 0 else ""
        fields = {name: int(word) for name, word in zip(kind.fields, record["words"], strict=False)}
        moment = datetime.fromtimestamp(int(record["ts_ingest_ns"]) / 1e9, UTC)
        if self._as_json:
            entry = {
                "time": moment.isoformat(),
                "sequence": int(record["sequence"]),
                "cause": int(record["cause"]),
                "topic": kind.topic,
                "event": kind.name,
                "symbol": symbol,
                **fields,
                **({"said": said} if said is not None else {}),
            }
            self._write(msgspec.json.encode(entry).decode())
            return
        words = " ".join(self._word(name, value, number) for name, value in fields.items() if value)
        if said is not None:
            words += f" ({said})"
        self._write(f"{moment:%H:%M:%S.%f} {int(record['sequence']):>9} {kind.topic:<24} {symbol} {words}".rstrip())

    def _word(self, name: str, value: int, instrument: int) -> str:
        if instrument >= 0 and name.endswith("_ticks"):
            return f"{name[:-6]} {from_units(value, self._session.instruments[instrument].tick_size).normalize():f}"
        if instrument >= 0 and name.endswith("_lots"):
            return f"{name[:-5]} {from_units(value, self._session.instruments[instrument].lot_size).normalize():f}"
        if name == "side":
            return SIDE_NAMES.get(value, str(value))
        return f"{name} {value}"


def banner(session: LiveSession, commands: Commands) -> str:
    """The first line of every screen: where orders go."""
    mode, live = commands.mode(), session.live
    if mode == "live":
        return f"LIVE  real money at {live.venue}"
    if mode == "test":
        return f"TEST  play money at {live.venue}"
    return f"PAPER  simulated orders on live data of {live.venue}"


async def watch_plain(session: LiveSession, commands: Commands) -> None:
    """Plain lines on standard output."""
    await _log(session, commands, as_json=False)


async def watch_json(session: LiveSession, commands: Commands) -> None:
    """JSON lines on standard output."""
    await _log(session, commands, as_json=True)


async def _log(session: LiveSession, commands: Commands, *, as_json: bool) -> None:
    def write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    write(msgspec.json.encode({"banner": banner(session, commands)}).decode() if as_json else banner(session, commands))
    session.observers.append(Log(session, write, as_json=as_json))
    told: dict[str, Any] = {}
    while True:
        await asyncio.sleep(REFRESH_S)
        found = session.checkpoints.status() if session.checkpoints is not None else {}
        news = {name: found[name] for name in CHECKPOINT_NEWS if name in found}
        if news != told:
            told = news
            with suppress(BrokenPipeError):  # whoever read the lines has gone; trading goes on
                write(
                    msgspec.json.encode({"checkpoint": found}).decode()
                    if as_json
                    else f"checkpoint {checkpoint_text(found)}"
                )


def checkpoint_text(found: dict[str, Any]) -> str:
    """How far checkpoints go, in words."""
    words = f"signed {found['signed_frames']:,}, cosigned {found['cosigned_frames']:,}"
    words = words if found["asks_witnesses"] else f"signed {found['signed_frames']:,}"
    lag = f"{found['lag_frames']:,} frames, {found['lag_s']:.0f} s behind"
    return f"{words}; {lag}" + (f"; {found['problem']}" if found["problem"] else "")


async def watch_terminal(session: LiveSession, commands: Commands) -> None:
    """A view that refreshes, with the last lines of the log below it."""
    from rich.console import Console
    from rich.live import Live

    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        del lines[:-LINES]

    session.observers.append(Log(session, write, as_json=False))
    with Live(console=Console(), refresh_per_second=4, screen=False) as display:
        while True:
            display.update(_screen(session, commands, lines))
            await asyncio.sleep(REFRESH_S)


def _screen(session: LiveSession, commands: Commands, lines: list[str]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    status = commands.status()
    color = {"live": "bold white on red", "test": "black on yellow"}.get(commands.mode(), "black on green")
    head = Text(f" {banner(session, commands)} ", style=color)
    facts = Table.grid(padding=(0, 2))
    streams = "  ".join(f"{name} {state}" for name, state in status["streams"].items())
    for left, right in (
        ("connection", streams),
        ("clock offset", f"{status['clock_offset_ms']} ms"),
        ("equity / cash / profit", f"{status['equity']} / {status['cash']} / {status['profit']}"),
        ("kill switch", status["kill_switch"]),
        ("entries stopped by", status["degraded"]),
        ("journal head", f"{status['journal_head']:,}  waiting {status['journal_waiting']}"),
        ("latency", latency_text(session)),
        *([("checkpoint", checkpoint_text(status["checkpoint"]))] if "checkpoint" in status else []),
    ):
        facts.add_row(left, right)
    prices = Table("symbol", "last", "bid", "ask", "position", "session", "stopped by", box=None, pad_edge=False)
    for row in status["instruments"]:
        prices.add_row(*row.values())
    parts: list[Any] = [head, facts, prices]
    tables = {"limits": status["limits"], "positions": commands.positions(), "open orders": commands.orders()}
    for title, rows in tables.items():
        if rows:
            table = Table(*rows[0], title=title, title_justify="left", box=None, pad_edge=False)
            for row in rows[:12]:
                table.add_row(*map(str, row.values()))
            parts.append(table)
    parts.append(Text("\n".join(lines)))
    return Group(*parts)


def latency_text(session: LiveSession) -> str:
    """From a message heard to its order handed to the client: median and 99th percentile of the last ones."""
    if not session.latencies_ns:
        return "no order yet"
    taken = np.array(session.latencies_ns) / 1e6
    return f"{np.median(taken):.2f} ms median, {np.percentile(taken, 99):.2f} ms 99 %"
