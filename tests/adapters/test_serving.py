"""A client that connects as the server stops leaves nothing open, however far its connection got."""

import asyncio
import gc
import socket

import pytest
from aiohttp import web

from tests.adapters.serving import serving


@pytest.mark.parametrize("rounds", range(6))
def test_nothing_is_left_open(rounds):
    async def run():
        async with serving(web.Application()) as url:
            client = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])))
            for _ in range(rounds):
                await asyncio.sleep(0)
        client.close()

    asyncio.run(run())
    gc.collect()  # what was left open is told here: a warning, and so an error
