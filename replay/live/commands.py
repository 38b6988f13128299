"""What an operator can ask of a running session, and what it answers.

Owns the commands. Each is recorded first, with who gave it; then the inputs that it stands for. Questions change
nothing and are not recorded.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from journal.checkpoint import checkpoint_origin
from journal.note import NoteError
from journal.rotation import open_rotation
from kernel.events.body import encode_body
from kernel.events.catalogue import (
    CancelAsked,
    CommandGiven,
    FlattenRequested,
    KillSwitchRequested,
    KillSwitchReset,
    by_class,
)
from kernel.ledger_nb import total_nb
from kernel.lifecycle import ORDER_TYPE_NAMES, SIDE_NAMES, STATUS_NAMES, TIME_IN_FORCE_NAMES
from kernel.market import MODEL
from kernel.naming import near_name
from kernel.risk.modes import KILL_LEVELS, OPERATOR
from kernel.tables.table import MAX_POSITIONS
from kernel.units import UnitError, from_minor, from_units, to_rate
from kernel.venue import Stream
from replay.accounts import ledger_totals
from replay.config import SettingError
from replay.config.amounts import length_ns
from replay.live.calendars import describe_session
from replay.live.core import Input
from replay.live.degraded import describe_reasons
from replay.live.driver import LiveSession
from replay.live.files import ORIGIN
from replay.live.limits import limits_used
from replay.live.reconcile import held_lots
from replay.rotations import rotation_event

_COMMAND = by_class(CommandGiven).kind
LEVELS = {"entries": 1, "cancel": 2, "flatten": 3}
DIRECTIONS = {"long": 1, "short": -1, "flat": 0}


class CommandError(ValueError):
    """A command that cannot be carried out. The text is one line."""


class Who(msgspec.Struct, frozen=True):
    """The process that asks, as the system says."""

    user_id: int
    process_id: int
    user: str


class Commands:
    """Of one session. ``answer`` takes a command by name with its arguments and returns plain values."""

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._commands: dict[str, Callable[[dict[str, Any], Who], Any]] = {
            "kill": self._kill,
            "resume": self._resume,
            "flatten": self._flatten,
            "cancel": self._cancel,
            "signal": self._signal,
            "reconcile": self._reconcile,
            "rotate-key": self._rotate_key,
            "stop": self._stop,
            "status": lambda arguments, who: self.status(),
            "orders": lambda arguments, who: self.orders(),
            "positions": lambda arguments, who: self.positions(),
        }

    def answer(self, name: str, arguments: dict[str, Any], who: Who) -> Any:
        """Raises CommandError for what cannot be done."""
        if name not in self._commands:
            raise CommandError(f"no command {name!r}; {near_name(name, self._commands, 'see kernel --help')}")
        return self._commands[name](arguments, who)

    async def written(self, within_s: float) -> None:
        """Wait until all that was recorded is on the disk."""
        await self._session.written(self._session.core.next_sequence - 1, within_s)

    # --- commands -----------------------------------------------------------------------------------------------

    def _record(self, name: str, arguments: dict[str, Any], who: Who, inputs: list[Input]) -> dict[str, Any]:
        body = encode_body({"command": name, "arguments": arguments, "user": who.user, "process_id": who.process_id})
        made = self._session.take([Input(CommandGiven(who.user_id), body=body)])
        cause = int(made[np.flatnonzero(made["kind"] == _COMMAND)[0]]["sequence"])
        if inputs:
            self._session.take([one._replace(cause=cause) for one in inputs])
        return self._came_of(cause)

    def _came_of(self, sequence: int) -> dict[str, Any]:
        """What a command answers: its event, and how many came of it."""
        return {"sequence": sequence, "events": self._session.core.next_sequence - 1 - sequence}

    def _kill(self, arguments: dict[str, Any], who: Who) -> Any:
        name, reason = str(arguments.get("level", "")), _reason(arguments)
        if name not in LEVELS:
            raise CommandError(f"level is {name!r}; it is one of {', '.join(LEVELS)}")
        event = KillSwitchRequested(LEVELS[name], OPERATOR)
        return self._record("kill", arguments, who, [Input(event, body=encode_body(reason))])

    def _resume(self, arguments: dict[str, Any], who: Who) -> Any:
        reason = _reason(arguments)
        if not reason:
            raise CommandError("a reason is needed; say why trading may go on: --reason TEXT")
        return self._record("resume", arguments, who, [Input(KillSwitchReset(OPERATOR), body=encode_body(reason))])

    def _flatten(self, arguments: dict[str, Any], who: Who) -> Any:
        symbol = str(arguments.get("symbol", ""))
        instrument = -1 if symbol == "all" else self._instrument(symbol)
        event = Input(FlattenRequested(OPERATOR), instrument, body=encode_body(_reason(arguments)))
        return self._record("flatten", arguments, who, [event])

    def _cancel(self, arguments: dict[str, Any], who: Who) -> Any:
        order_id = int(arguments.get("order", 0))
        if order_id and self._session.orders.find(order_id) is None:
            raise CommandError(f"order {order_id} is not open; see kernel orders")
        return self._record("cancel", arguments, who, [Input(CancelAsked(order_id))])

    def _signal(self, arguments: dict[str, Any], who: Who) -> Any:
        instrument = self._instrument(str(arguments.get("symbol", "")))
        side = str(arguments.get("side", ""))
        if side not in DIRECTIONS:
            raise CommandError(f"side is {side!r}; it is one of {', '.join(DIRECTIONS)}")
        try:
            strength = to_rate(str(arguments.get("strength", "1")))
            confidence = to_rate(str(arguments.get("confidence", "1")))
            horizon_ns = length_ns("horizon", str(arguments.get("horizon", "")))
        except (UnitError, SettingError) as error:
            raise CommandError(str(error)) from None
        if not (0 <= strength <= 10**8 and 0 <= confidence <= 10**8):
            raise CommandError("strength and confidence are from 0 to 1")
        made = self._record("signal", arguments, who, [])
        row = (time.time_ns(), MODEL, instrument, DIRECTIONS[side], strength, confidence, horizon_ns, 0, 0)
        self._session.take_rows([row])
        return self._came_of(made["sequence"])

    def _reconcile(self, arguments: dict[str, Any], who: Who) -> Any:
        if not self._session.elsewhere:
            raise CommandError("this is a paper session; there is no venue to compare with")
        made = self._record("reconcile", arguments, who, [])
        self._session.reconcile_soon()
        return made

    def _rotate_key(self, arguments: dict[str, Any], who: Who) -> Any:
        session = self._session
        origin = checkpoint_origin(ORIGIN, bytes.fromhex(session.opened.file.genesis_id))
        note = str(arguments.get("note", "")).encode()
        try:
            old, new = open_rotation(note, origin)
            if session.checkpoints is not None:
                session.checkpoints.check_rotation(old, new)
        except NoteError as error:
            raise CommandError(str(error)) from None
        told = {"old": old.text, "new": new.text, "reason": _reason(arguments)}
        event, body = rotation_event(old, new, note, by=who.user, reason=told["reason"])
        made = self._record("rotate-key", told, who, [Input(event, account=-1, body=encode_body(body))])
        if session.checkpoints is not None:
            session.checkpoints.retire(old)
        return made

    def _stop(self, arguments: dict[str, Any], who: Who) -> Any:
        made = self._record("stop", arguments, who, [])
        self._session.stop()
        return made

    def _instrument(self, symbol: str) -> int:
        names = [one.symbol for one in self._session.instruments]
        if symbol not in names:
            raise CommandError(f"no instrument {symbol!r}; {near_name(symbol, names, f'there are {names}')}")
        return names.index(symbol)

    # --- questions ----------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """How the session is, in plain values; money as decimal text."""
        session, state = self._session, self._session.state
        equity, cash, _ = total_nb(state)
        scale = self._scale()
        reconciled = session.reconciled_at
        return {
            "venue": session.live.venue,
            "mode": self.mode(),
            "streams": {stream.name.lower(): session.streams[stream].name.lower() for stream in Stream},
            "clock_offset_ms": round(session.clock_offset_ns / 1e6, 3),
            "kill_switch": KILL_LEVELS[int(state.risk.kill_level)],
            "degraded": describe_reasons(int(state.head.degraded)),
            "equity": _money(equity, scale),
            "cash": _money(cash, scale),
            "profit": _money(int(equity) - ledger_totals(state)["deposits"], scale),
            "limits": [one._asdict() for one in limits_used(state)],
            "open_orders": int(state.head.order_count),
            "in_flight": session.in_flight,
            "in_doubt": len(session.orders.in_doubt()) if session.elsewhere else 0,
            "fills": int(state.head.fill_count),
            "journal_head": session.core.next_sequence - 1,
            "journal_waiting": session.core.next_sequence - 1 - session.opened.journal.durable,
            **({"checkpoint": session.checkpoints.status()} if session.checkpoints is not None else {}),
            "market_rows": session.inbox.row_count,
            "waiting_rows": len(session.inbox.rows),
            "conflated_rows": session.inbox.conflated_rows,
            "dropped_rows": session.inbox.dropped_rows,
            "reconciled_s_ago": round(asyncio.get_running_loop().time() - reconciled, 1) if reconciled else None,
            "instruments": [self._instrument_status(number) for number in range(len(session.instruments))],
        }

    def mode(self) -> str:
        """In one word: paper, test or live."""
        return self._session.live.mode if self._session.elsewhere else "paper"

    def _instrument_status(self, number: int) -> dict[str, Any]:
        instrument, row = self._session.instruments[number], self._session.state.instruments[number]
        price = instrument.tick_size
        return {
            "symbol": instrument.symbol,
            "last": _text(from_units(int(row["last_ticks"]), price)),
            "bid": _text(from_units(int(row["bid_ticks"]), price)),
            "ask": _text(from_units(int(row["ask_ticks"]), price)),
            "position": _text(from_units(held_lots(self._session.state, number), instrument.lot_size)),
            "session": describe_session(instrument.calendar, row),
            "degraded": describe_reasons(int(row["degraded"])),
        }

    def orders(self) -> list[dict[str, Any]]:
        """The open orders, oldest first."""
        found: list[dict[str, Any]] = []
        names = [strategy.name for strategy in self._session.opened.prepared.strategies]
        for order in self._session.orders:
            instrument = self._session.instruments[order.instrument]
            found.append(
                {
                    "order": order.order_id,
                    "symbol": instrument.symbol,
                    "strategy": names[order.strategy],
                    "side": SIDE_NAMES[order.side],
                    "type": ORDER_TYPE_NAMES[order.order_type],
                    "time_in_force": TIME_IN_FORCE_NAMES[order.time_in_force],
                    "quantity": _text(from_units(order.quantity_lots, instrument.lot_size)),
                    "filled": _text(from_units(order.filled_lots, instrument.lot_size)),
                    "limit": _text(from_units(order.limit_ticks, instrument.tick_size)),
                    "stop": _text(from_units(order.stop_ticks, instrument.tick_size)),
                    "status": STATUS_NAMES[order.status],
                }
            )
        return found

    def positions(self) -> list[dict[str, Any]]:
        """The books that hold something."""
        session, state, found = self._session, self._session.state, []
        names = [strategy.name for strategy in session.opened.prepared.strategies]
        instruments = int(state.head.instrument_count)
        books = instruments * int(state.head.strategy_count)
        for at in [*range(books), *range(MAX_POSITIONS, MAX_POSITIONS + books)]:
            row, place = state.positions[at], at % MAX_POSITIONS
            if int(row["quantity_lots"]) == 0:
                continue
            instrument = session.instruments[place % instruments]
            unrealised = int(row["value_minor"]) - int(row["cost_minor"])
            found.append(
                {
                    "symbol": instrument.symbol,
                    "strategy": names[place // instruments],
                    "quantity": _text(from_units(int(row["quantity_lots"]), instrument.lot_size)),
                    "value": _money(int(row["value_minor"]), instrument.scale),
                    "unrealised": _money(unrealised, instrument.scale),
                    "realised": _money(int(row["realised_minor"]) - int(row["fees_minor"]), instrument.scale),
                }
            )
        return found

    def _scale(self) -> int:
        return int(self._session.state.accounts[0]["scale"])


def _reason(arguments: dict[str, Any]) -> str:
    return str(arguments.get("reason", "") or "")[:500]


def _money(minor: int, scale: int) -> str:
    return f"{from_minor(int(minor), scale):,.2f}"


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"
