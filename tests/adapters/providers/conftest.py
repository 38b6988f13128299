"""One provider server for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.venues.process import Server, started


@pytest.fixture(scope="session")
def server_process() -> Iterator[Server]:
    """The server, started once."""
    with started("tests.venues.provider_server") as running:
        yield running


@pytest.fixture
def server(server_process: Server) -> Server:
    """The server, begun anew."""
    server_process.post("/test/begin")
    return server_process
