"""What the tests of the drivers share: prepared runs on a short span of the sample."""

from typing import Any

import pytest

from replay.config import load_config
from replay.execution import Prepared, prepare
from replay.sample import sample_root


def prepared(use: str = "ema_cross", **settings: Any) -> Prepared:
    """A prepared run on the sample's BTC-USD, until 2017 unless ``to`` says otherwise."""
    values = {
        "data": [str(sample_root() / "coinbase")],
        "strategy": [{"use": use}],
        "to": "2017-01-01",
        **settings,
    }
    return prepare(load_config(None, values))


@pytest.fixture(scope="session")
def prepare_sample():
    """The function ``prepared``."""
    return prepared
