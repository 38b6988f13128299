"""Servers for the tests of a module, and a client order id for each test."""

import itertools

import pytest

from tests.venues.process import started

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shares():
    """A venue for shares, where nothing moves unless it is told to."""
    with started("tests.venues.alpaca_server", "--seed", "3", "--no-settling") as server:
        yield server


@pytest.fixture(scope="module")
def pairs():
    """The same for pairs."""
    with started("tests.venues.alpaca_server", "--seed", "4", "--asset-class", "crypto") as server:
        yield server


@pytest.fixture(scope="module")
def one_shaky():
    """A venue for shares where things go wrong."""
    with started("tests.venues.alpaca_server", "--seed", "7", "--retry-after", "") as server:
        yield server


@pytest.fixture
def shaky(one_shaky):
    """The same; the plan of faults ends with the test."""
    yield one_shaky
    one_shaky.post("/test/fault", {})


@pytest.fixture
def name():
    """A client order id that was never used."""
    return f"t-{next(NUMBERS)}"
