"""A witness over HTTP: ``POST /add-checkpoint`` as C2SP tlog-witness says.

Owns: the requests, one after another in one thread, and the lock of the folder. Must not know: what is cosigned and
what is refused; ``journal.witness`` decides that, and has it on the disk before its answer.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from aiohttp import web

from journal.errors import JournalError
from journal.files import alone, make_private
from journal.witness import Answer, Witness, WitnessError

MOST_BYTES = 64 << 10  # of a request: 63 lines of proof, and a note of 100 signatures
MOST_WAITING = 64
BODY_WITHIN_S = 10.0
LOCK_NAME = "lock"
EVIDENCE = (409, 422)  # refused though the log's own key signed it
Say = Callable[[str], None]


def claim(folder: Path) -> AbstractContextManager[None]:
    """The folder, for this process alone while the block runs; it is made if need be. Raises WitnessError."""
    make_private(folder)
    busy = WitnessError(f"{folder}: another witness serves this folder; there is one at a time")
    return alone(folder / LOCK_NAME, busy)


class WitnessServer:
    """Answers requests with a witness, one after another; ``say`` is told of histories that contradict each other."""

    def __init__(self, witness: Witness, say: Say = lambda text: None) -> None:
        self._witness, self._say = witness, say
        self._worker = ThreadPoolExecutor(1, "witness")
        self._waiting = 0

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/add-checkpoint", self._add_checkpoint)
        return app

    async def _add_checkpoint(self, request: web.Request) -> web.Response:
        if self._waiting >= MOST_WAITING:
            return web.Response(status=503, text="too many requests wait; ask again\n", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            body = await asyncio.wait_for(request.read(), BODY_WITHIN_S)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._worker, self._answer, body)
        except TimeoutError:
            answer = Answer(408, b"the request did not come whole\n")
        finally:
            self._waiting -= 1
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    def _answer(self, body: bytes) -> Answer:
        try:
            answer = self._witness.add_checkpoint(body, int(time.time()))
        except (JournalError, OSError) as error:  # what is kept is damaged or cannot be written: nothing is cosigned
            self._say(f"cannot answer: {error}")
            return Answer(500, b"the witness cannot keep what it saw\n")
        if answer.status in EVIDENCE and answer.content_type.startswith("text/plain"):
            origin = body.partition(b"\n\n")[2].partition(b"\n")[0].decode(errors="replace")
            self._say(f"refused {origin!r}: {answer.body.decode().strip()}")
        return answer


async def serve(witness: Witness, host: str, port: int, ready: Callable[[str], None], say: Say) -> web.AppRunner:
    """Begin to serve; ``ready`` gets the address, with the port that was free where 0 was asked for.

    Raises OSError when the address cannot be had. ``cleanup`` of what is returned ends it.
    """
    runner = web.AppRunner(WitnessServer(witness, say).app(), access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
    except BaseException:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    ready(f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}")
    return runner


def say_to_stderr(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
