"""A real Postgres server for tests: a cluster of its own, in a folder of its own, reached by a socket in it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.eventsourcing.postgres import ReplicaFactory

PORT = "5432"  # names the socket; nothing listens on the network
USER = "postgres"


def programs() -> Path | None:
    """Where initdb and postgres are; None if there is no server."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _as_user(*command: str) -> list[str]:
    """The server refuses to run as root."""
    return ["runuser", "-u", USER, "--", *command] if os.getuid() == 0 else list(command)


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """A server; gives the folder of its socket. Nothing of it stays."""
    place = programs()
    assert place is not None
    folder = Path(tempfile.mkdtemp(prefix="kernel-postgres-"))  # short: the path of a socket has at most 107 bytes
    try:
        if os.getuid() == 0:
            shutil.chown(folder, USER)
        data = folder / "data"
        initdb = [str(place / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(_as_user(*initdb), check=True, stdout=subprocess.DEVNULL, cwd=folder)
        settings = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", f"port={PORT}")
        command = [str(place / "postgres"), "-D", str(data), *(f"--{setting}" for setting in settings)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(_as_user(*command), stderr=log, cwd=folder)
        try:
            _wait(place, folder, server)
            yield folder
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def _wait(place: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if subprocess.run([place / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
            return
        assert server.poll() is None, (folder / "log").read_text()
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text())


def create_database(place: Path, sockets: Path, name: str) -> None:
    """An empty database."""
    subprocess.run([place / "createdb", "-h", sockets, "-U", USER, name], check=True)


def factory_for(sockets: str, database: str) -> ReplicaFactory:
    """The factory of a replica in a database of the server."""
    settings = {"HOST": sockets, "PORT": PORT, "DBNAME": database, "USER": USER, "PASSWORD": "none"}
    return ReplicaFactory({f"POSTGRES_{name}": value for name, value in settings.items()})
