"""The folder that a command is given to write into."""

from pathlib import Path

from replay.config import ConfigError


def refuse_used(folder: Path, otherwise: str = "") -> None:
    """Raise ConfigError unless the folder is new or empty; ``otherwise`` says what else can be done with it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty; name another --out{otherwise}")
