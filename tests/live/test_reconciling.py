"""When a comparison with the venue counts: only if it began after it was asked for."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel.events.catalogue import Reconciled, by_class
from replay.config import load_config
from replay.live.commands import Commands
from replay.live.driver import LiveSession
from replay.live.run import run_live
from tests.live.places import BYBIT
from tests.live.sessions import KEY, SECRET, write_config
from tests.venues.process import Server, started

WITHIN_S = 20.0


async def _until(done: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not done():
            await asyncio.sleep(0.002)


class _Script:
    """Asks for a comparison while another one, which the venue makes slow, is under way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.seen: list[tuple[bool, bool]] = []  # at each comparison: whether it counts, whether entries are stopped

    async def __call__(self, session: LiveSession, commands: Commands) -> None:
        try:
            await _until(lambda: session.reconciled_at > 0)
            slow = {"kind": "slow", "where": "/v5/order/realtime", "probability": 1}
            await asyncio.to_thread(self._server.post, "/test/fault", slow)
            before, kind = session.reconciled_at, by_class(Reconciled).kind
            done: list[int] = []

            def observe(records: np.ndarray, bodies: Any) -> None:
                done.extend(records["sequence"][records["kind"] == kind])

            session.observers.append(observe)
            session.reconcile_soon()
            await asyncio.sleep(0.1)  # it has begun, and waits for the venue
            session.reconcile_soon()
            for count in (1, 2):
                await _until(lambda count=count: len(done) == count)
                await asyncio.sleep(0)
                self.seen.append((session.reconciled_at > before, session.degraded.unreconciled))
        finally:
            session.stop()


def test_a_comparison_that_began_before_the_request_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip((KEY, SECRET), BYBIT.keys, strict=True):
        monkeypatch.setenv(name, value)
    with started(BYBIT.module, "--rate", "0", *BYBIT.arguments) as server:
        config = write_config(tmp_path / "live.toml", BYBIT, server)
        script = _Script(server)
        asyncio.run(run_live(load_config(config, {}), tmp_path / "run", watch=script, say=lambda text: None))
    assert script.seen == [(False, True), (True, False)]
