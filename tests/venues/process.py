"""A test server as a process of its own: how it starts and stops, and how a test starts one.

In the server:  ``asyncio.run(serve(app, port, {"more": "for the line"}))`` prints one JSON line with its URL and stops
when its standard input closes or its time is over. In a test: ``with started("tests.venues.bybit_server", "--seed",
"1") as server: server.url``, ``server.get("/test/state")``, ``server.post("/test/price", {...})``.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

MAXIMUM_SECONDS = 3600.0
ROOT = Path(__file__).parents[2]


async def serve(app: web.Application, port: int, line: dict[str, Any], seconds: float = MAXIMUM_SECONDS) -> None:
    """Serve on 127.0.0.1 until standard input closes or the time is over."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    port = runner.addresses[0][1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "ws": f"ws://127.0.0.1:{port}", **line}), flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_input_closed(), seconds)
    await runner.cleanup()


async def _input_closed() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


@dataclass
class Server:
    """A running server, as its tests see it."""

    url: str
    ws: str
    line: dict[str, Any]
    process: subprocess.Popen[str]

    def get(self, path: str) -> Any:
        """The JSON answer of a control endpoint."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON answer to a POST of JSON."""
        data = json.dumps(body or {}).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@contextlib.contextmanager
def started(module: str, *arguments: str) -> Iterator[Server]:
    """Start ``python -m module --port 0 arguments``; stop it at the end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        text = process.stdout.readline()
        assert text, f"{module} did not start"
        line = json.loads(text)
        yield Server(line["url"], line["ws"], line, process)
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        process.stdout.close()
