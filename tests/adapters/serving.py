"""A server of a test within its own event loop: ``async with serving(app) as url``."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serving(app: web.Application, shutdown_timeout: float = 0.1) -> AsyncIterator[str]:
    """Serve on a free port of 127.0.0.1; nothing is left open at the end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_timeout)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        # asyncio loses a connection that it has just accepted when its server closes before the loop made it one, which
        # takes two rounds: accept nothing more, and let it.
        asyncio.get_running_loop().remove_reader(listening)
        for _ in range(3):
            await asyncio.sleep(0)
        await runner.cleanup()
