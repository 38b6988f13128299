"""Real market data that ships with the package, as a small catalogue. Sources and licences are in
``NOTICE.md``.
"""

from pathlib import Path


def sample_root() -> Path:
    """The root of the packaged catalogue."""
    return Path(__file__).resolve().parent / "data"
