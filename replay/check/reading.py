"""What a strategy reads beside what it is given: files and sockets.

A file that holds the future shows it whatever rows the strategy is fed, so no comparison of runs can find that. Two
things are watched instead. Python tells of every file, process and connection that Python code opens: those are noted
while code of the strategy's file is on the stack. Libraries that open files by themselves tell nobody; where the system
says what this process opened of the run's own data (fanotify, on Linux), that is noted too. Where it only says that
somebody did (inotify), that is a suspicion, to be seen again and again before it counts.
"""

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
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
_OPEN, _NONBLOCK, _HERE = 0x20, 0x2, -100  # of the system's interfaces, as are these: how a file is told
_BY_FILE, _BY_NAME = 0x0, 0x200
_EVENT = struct.Struct("=IBBHQii")
_watching: "list[ReadWatch]" = []
_hooked = False


class ReadWatch:
    """Notes in ``found`` what the strategies in ``source_files`` open, one line each, without repeats.

    With ``ask_who`` false the system is not asked which process opened a file of the data.
    """

    def __init__(self, source_files: Sequence[Path], ask_who: bool = True) -> None:
        self._ask_who = ask_who
        self.found: list[str] = []
        self.suspected: set[Path] = set()
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
        self._system = _OpenedFiles(files, self._ask_who)

    def between(self, before: bool) -> None:
        """Before the run itself reads its data: note what was opened until now; after it: forget that."""
        if self._system is None:
            return
        opened = self._system.opened()
        if before and self._system.knows_who:
            self.confirm(opened)
        elif before:
            self.suspected.update(opened)

    def confirm(self, paths: Iterable[Path]) -> None:
        """Note that data was opened."""
        for path in paths:
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
    """Asks the system which of some files were opened.

    ``knows_who`` says whether what others opened is left out: fanotify tells the process. Where it may not be used,
    inotify is, which does not.
    """

    def __init__(self, files: Sequence[Path], ask_who: bool) -> None:
        self._files: dict[int, Path] = {}
        self._descriptor = -1
        self.knows_who = False
        if sys.platform.startswith("linux") and files:
            self._library = ctypes.CDLL(None, use_errno=True)
            self.knows_who = ask_who and any(self._ask_fanotify(flags, files) for flags in (_BY_FILE, _BY_NAME))
            if not self.knows_who:
                self._ask_inotify(files)

    def _ask_fanotify(self, flags: int, files: Sequence[Path]) -> bool:
        descriptor = self._library.fanotify_init(flags | _NONBLOCK, os.O_RDONLY | os.O_CLOEXEC)
        if descriptor < 0:
            return False
        open_ = ctypes.c_uint64(_OPEN)
        marked = [self._library.fanotify_mark(descriptor, 1, open_, _HERE, os.fsencode(file)) == 0 for file in files]
        if all(marked):
            self._descriptor, self._files = descriptor, {-1: files[0]}
            return True
        os.close(descriptor)
        return False

    def _ask_inotify(self, files: Sequence[Path]) -> None:
        self._descriptor = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for file in files:
            number = self._library.inotify_add_watch(self._descriptor, os.fsencode(file), _OPEN)
            if number >= 0:
                self._files[number] = file

    def opened(self) -> list[Path]:
        """The files that were opened since the last call."""
        found: dict[Path, None] = {}
        if self._descriptor < 0:
            return []
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._descriptor, 1 << 16):
                at = 0
                while at < len(events):
                    at, path = self._by_process(events, at) if self.knows_who else self._by_number(events, at)
                    if path is not None:
                        found[path] = None
        return list(found)

    def _by_process(self, events: bytes, at: int) -> tuple[int, Path | None]:
        """A ``fanotify_event_metadata``: with a descriptor of the file, or (without the right to that) without."""
        size, _, _, _, _, descriptor, process = _EVENT.unpack_from(events, at)
        path = self._files[-1]
        if descriptor >= 0:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            os.close(descriptor)
        return at + size, path if process == os.getpid() else None

    def _by_number(self, events: bytes, at: int) -> tuple[int, Path | None]:
        """An ``inotify_event``."""
        number = int.from_bytes(events[at : at + 4], sys.byteorder, signed=True)
        return at + 16 + int.from_bytes(events[at + 12 : at + 16], sys.byteorder), self._files.get(number)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
