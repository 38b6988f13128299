"""Servers for these tests: one a category, started once."""

import pytest

from tests.venues.process import started


def _server(category):
    with started("tests.venues.bybit_server", "--category", category, "--seed", "7", "--seconds", "300") as server:
        yield server


@pytest.fixture(scope="module")
def linear():
    yield from _server("linear")


@pytest.fixture(scope="module")
def spot():
    yield from _server("spot")


@pytest.fixture(scope="module")
def inverse():
    yield from _server("inverse")
