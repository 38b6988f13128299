"""What a waiting person sees: a progress bar, and a line while something is being prepared. Only on a terminal.

Owns the one-second rule: whatever ends sooner shows nothing.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

COMPILING = "compiling for this machine (once; later starts take a second) ..."
PATIENCE_SECONDS = 1.0
_REDRAW_SECONDS = 0.1
_BAR_COLUMNS = 30


class ProgressBar:
    """Call it with ``(done, total)``; after the first second it draws on standard error, ten times a second."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._drawn = 0.0
        self._visible = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        waited = now - self._started
        if not self._visible or waited < PATIENCE_SECONDS or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        share = min(1.0, done / total) if total else 1.0
        bar = "#" * round(share * _BAR_COLUMNS)
        left = waited / share - waited if share else 0.0
        sys.stderr.write(f"\r{self._label} [{bar:<{_BAR_COLUMNS}}] {share:4.0%}  {left:3.0f} s left ")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def slow_start(text: str) -> Iterator[None]:
    """Say ``text`` on standard error when the block takes more than a moment; count the seconds on a terminal."""
    ended = threading.Event()
    thread = threading.Thread(target=_narrate, args=(text, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _narrate(text: str, ended: threading.Event) -> None:
    started = time.monotonic()
    if ended.wait(2 * PATIENCE_SECONDS):
        return
    on_terminal = sys.stderr.isatty()
    sys.stderr.write(text if on_terminal else text + "\n")
    while not ended.wait(PATIENCE_SECONDS):
        if on_terminal:
            sys.stderr.write(f"\r{text} {time.monotonic() - started:.0f} s ")
            sys.stderr.flush()
    if on_terminal:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
