"""Time for tests: a clock that stands still until somebody sleeps."""

import asyncio
import heapq


class FakeClock:
    """A monotonic clock in seconds with its own sleep. Sleepers wake in the order of their times."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep by this clock: time goes on when everybody sleeps."""
        event = asyncio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, event))
        await event.wait()

    async def run(self, *tasks: "asyncio.Task[object]") -> None:
        """Let time go on until all tasks are done."""
        while not all(task.done() for task in tasks):
            for _ in range(20):  # whoever can go on goes on before time does
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in tasks):
                self.now, _, event = heapq.heappop(self._sleepers)
                event.set()
