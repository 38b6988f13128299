"""What a strategy reads beside what it is given: files and sockets.

A file that holds the future shows it whatever rows the strategy is fed, so no comparison of runs can find that. Two
things are watched instead. Python tells of every file, process and connection that Python code opens: those are noted
while code of the strategy's file is on the stack. Libraries that open files by themselves tell nobody; where the system
can say who opened the run's own data (inotify, on Linux), that is noted too.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import kernel.jit

_COMPILER = str(Path(kernel.jit.__file__).parent)
_EVENTS = {
    "open": "opens", "os.listdir": "lists", "os.scandir": "lists", "sqlite3.connect": "opens",
    "socket.connect": "connects to", "socket.getaddrinfo": "looks up", "subprocess.Popen": "starts",
    "os.system": "starts", "os.exec": "starts", "os.posix_spawn": "starts",
}  # fmt: skip
_IN_OPEN, _IN_NONBLOCK = 0x20, 0o4000
_watching: "list[ReadWatch]" = []
_hooked = False


class ReadWatch:
    """Notes in ``found`` what the strategies in ``source_files`` open, one line each, without repeats."""

    def __init__(self, source_files: Sequence[Path]) -> None:
        self.found: list[str] = []
        self._sources = {str(file) for file in source_files}
        self._system: _OpenedFiles | None = None

    @contextlib.contextmanager
    def active(self) -> Iterator["ReadWatch"]:
        """Watch within the block."""
        global _hooked
        if not _hooked:
            sys.addaudithook(_heard)  # cannot be taken away again; it does nothing while nobody watches
            _hooked = True
        _watching.append(self)
        try:
            yield self
        finally:
            _watching.remove(self)

    def data_files(self, files: Sequence[Path]) -> None:
        """Watch who opens these, where the system tells."""
        self._system = _OpenedFiles(files)

    def between(self, before: bool) -> None:
        """Before the run itself reads its data: note what was opened until now; after it: forget that."""
        if self._system is not None:
            for path in self._system.opened():
                if before:
                    self._note(f"opens {path}, which holds the run's data")

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        frame = sys._getframe(2)
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return  # a module that is imported
        at: FrameType | None = frame
        while at is not None and at.f_code.co_filename not in self._sources:
            if at.f_code.co_filename.startswith(_COMPILER):
                return  # what the strategy calls is compiled, or loaded
            at = at.f_back
        if at is None:
            return
        what = arguments[0] if event != "socket.connect" else arguments[-1]
        if event == "open" and _is_of_python(what):
            return
        self._note(f"{_EVENTS[event]} {what}, in {at.f_code.co_name} (line {at.f_lineno})")

    def _note(self, line: str) -> None:
        if line not in self.found:
            self.found.append(line)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in _EVENTS:
        for watch in tuple(_watching):
            watch.hear(event, arguments)


def _is_of_python(what: Any) -> bool:
    """Whether a file belongs to the installation of Python, whose libraries read their own."""
    if not isinstance(what, str | bytes | os.PathLike):
        return True  # a descriptor that is open already
    path = os.fsdecode(what)
    return path.startswith((sys.prefix, sys.base_prefix, "/usr/share/zoneinfo", "/proc/", "/dev/"))


class _OpenedFiles:
    """Asks the system which of some files were opened, by whatever code of whatever process."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files: dict[int, Path] = {}
        self._descriptor = -1
        if not sys.platform.startswith("linux"):
            return
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.inotify_init1(_IN_NONBLOCK)
        for file in files:
            number = library.inotify_add_watch(self._descriptor, os.fsencode(file), _IN_OPEN)
            if number >= 0:
                self._files[number] = file

    def opened(self) -> list[Path]:
        """The files that were opened since the last call."""
        found: dict[int, None] = {}
        if self._descriptor < 0:
            return []
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._descriptor, 1 << 16):
                at = 0
                while at < len(events):
                    found[int.from_bytes(events[at : at + 4], sys.byteorder, signed=True)] = None
                    at += 16 + int.from_bytes(events[at + 12 : at + 16], sys.byteorder)
        return [self._files[number] for number in found if number in self._files]

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
