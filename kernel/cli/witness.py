"""``kernel witness serve``: cosign the checkpoints of other people's journals.

Owns the file that says for whom. What is cosigned is decided in ``journal.witness``.
"""

import asyncio
import signal
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import msgspec

from kernel.cli.errors import BadInput, Failure, describe_os_error
from kernel.cli.journals import print_lines

if TYPE_CHECKING:
    from journal.note import VerifierKey
    from journal.witness import Witness

HIGHEST_PORT = 65_535


class LogTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log whose checkpoints are cosigned: the first line of its checkpoints, and the keys that may sign them."""

    origin: Annotated[str, msgspec.Meta(min_length=1)]
    keys: Annotated[list[str], msgspec.Meta(min_length=1)]


class WitnessFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a witness is served with. Paths are those beside the file."""

    key: str
    folder: str
    log: Annotated[list[LogTable], msgspec.Meta(min_length=1)]
    listen: str = "127.0.0.1:8780"


@click.group()
def witness() -> None:
    """Cosign checkpoints of journals, so that their owners cannot show two histories."""


@witness.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--listen", metavar="HOST:PORT", help="Instead of the file's; port 0 takes a free one.")
def serve(config: Path, listen: str | None) -> None:
    """Serve a C2SP tlog-witness as the TOML file CONFIG says, until Ctrl-C.

    It keeps the last checkpoint of each log, and cosigns another one only with a proof that it follows from that. Put
    a web server that speaks TLS before it where others are to reach it.
    """
    try:
        from adapters.witness.server import claim
    except ImportError:
        raise BadInput("kernel witness serve needs the extra: pip install 'trading-kernel[live]'") from None
    from journal.errors import JournalError

    try:
        settings = _settings(config)
        host, port = _address(listen or settings.listen)
        base = config.resolve().parent
        made = _witness(settings, base)
        with claim(base / settings.folder):
            asyncio.run(_run(made, host, port))
    except JournalError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(describe_os_error(error)) from error


async def _run(made: "Witness", host: str, port: int) -> None:
    from adapters.witness.server import say_to_stderr, serve

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    runner = await serve(made, host, port, lambda url: print_lines([f"serving {url}"]), say_to_stderr)
    try:
        await stop.wait()
    finally:
        await runner.cleanup()


def _settings(config: Path) -> WitnessFile:
    try:
        return msgspec.convert(tomllib.loads(config.read_text()), WitnessFile)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"{config}: {error}; it needs key, folder and [[log]] with origin and keys") from error


def _witness(settings: WitnessFile, base: Path) -> "Witness":
    from journal.note import ED25519
    from journal.witness import Witness
    from kernel.cli.keys import signing_key, verifier_keys

    logs: dict[str, Sequence[VerifierKey]] = {}
    for one in settings.log:
        keys = verifier_keys([_beside(base, key) for key in one.keys])
        if one.origin in logs:
            raise BadInput(f"the log {one.origin} is named twice; give all its keys in one [[log]]")
        if any(key.kind != ED25519 for key in keys):
            raise BadInput(f"the log {one.origin} is given a witness's key; name the keys that sign its checkpoints")
        logs[one.origin] = keys
    return Witness(base / settings.folder, signing_key(_beside(base, settings.key)), logs)


def _beside(base: Path, place: str) -> str:
    """A path beside the file, where there is one; a key's text or another place of secrets as it is."""
    path = base / place.removeprefix("file:")
    return str(path) if path.is_file() else place


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise BadInput(f"{text!r} is no address; write HOST:PORT, as in 127.0.0.1:8780")
    return host.strip("[]"), int(port)
