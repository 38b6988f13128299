"""The local socket through which other processes of this machine talk to a running session.

Owns the protocol: a line of JSON with a command and its arguments in, a line of JSON with the answer out, when what was
recorded is on the disk. The socket lies in the session's folder with rights for its owner alone, and the system says
who connects. It does not depend on the venue.
"""

import asyncio
import os
import pwd
import socket
import struct
from pathlib import Path
from typing import Any

import msgspec

from replay.live.commands import CommandError, Commands, Who
from replay.live.files import SOCKET

MOST_LINE_BYTES = 65_536
ANSWER_WITHIN_S = 10.0


class ControlError(RuntimeError):
    """No session answers, or it refused. The text is one line."""


class Ask(msgspec.Struct, frozen=True):
    """A command."""

    command: str
    arguments: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True):
    """What came of it: a value, or an error in one line."""

    value: Any = None
    error: str = ""


async def serve(run_dir: Path, commands: Commands) -> asyncio.Server:
    """Listen in the session's folder."""
    path = run_dir / SOCKET
    path.unlink(missing_ok=True)  # the journal's lock says that no other session uses this folder
    before = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(
            lambda reader, writer: _connected(reader, writer, commands), str(path), limit=MOST_LINE_BYTES
        )
    except OSError as error:
        raise ControlError(f"{path}: cannot listen there: {error.strerror or error}; take a shorter --out") from None
    finally:
        os.umask(before)


async def _connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commands: Commands) -> None:
    try:
        who = _who(writer.get_extra_info("socket"))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            line = await reader.readline()
        answer = _answer(line, who, commands)
        await commands.written(ANSWER_WITHIN_S)
        writer.write(msgspec.json.encode(answer) + b"\n")
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await writer.drain()
    except (TimeoutError, ConnectionError, ValueError):
        pass  # whoever asked has gone, or sent no line; there is nobody to tell
    finally:
        writer.close()


def _answer(line: bytes, who: Who, commands: Commands) -> Answer:
    try:
        ask = msgspec.json.decode(line, type=Ask)
        return Answer(commands.answer(ask.command, ask.arguments, who))
    except (CommandError, msgspec.MsgspecError) as error:
        return Answer(error=str(error))


def _who(connection: Any) -> Who:
    """Who connects, from the system where it says so."""
    if hasattr(socket, "SO_PEERCRED"):
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        process_id, user_id, _ = struct.unpack("3i", raw)
    else:
        process_id, user_id = 0, os.getuid()  # only the owner may open the socket
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:
        name = ""
    return Who(user_id, process_id, name)


def ask(run_dir: Path, command: str, arguments: dict[str, Any]) -> Any:
    """Ask the session of a folder, and return its answer. Raises ControlError."""
    path = run_dir / SOCKET
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(Ask(command, arguments)) + b"\n")
            line = connection.makefile("rb").readline()
    except (FileNotFoundError, ConnectionRefusedError):
        text = f"{run_dir}: no session runs there; start one with kernel live, or name its folder"
        raise ControlError(text) from None
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror or error}") from None
    if not line:
        raise ControlError(f"{path}: the session ended before it answered")
    answer = msgspec.json.decode(line, type=Answer)
    if answer.error:
        raise ControlError(answer.error)
    return answer.value
