"""The three switches for real money, each looked at again before every order.

1. ``mode = "live"`` in the configuration; 2. the environment variable; 3. an approval file that names the venue and has
not expired. Only a file that its owner alone can write counts: who may write it may trade.
"""

import hashlib
import os
import stat
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from replay.config.live import LIVE, LiveConfig

VARIABLE, VALUE = "KERNEL_LIVE_TRADING", "real-money"


def missing_switches(live: LiveConfig, environ: Mapping[str, str], now: datetime) -> list[str]:
    """What is missing for real money, one phrase each; empty when all three are on."""
    missing = []
    if live.mode != LIVE:
        missing.append(f"mode is {live.mode} in the configuration, not live")
    if environ.get(VARIABLE) != VALUE:
        missing.append(f"the environment has no {VARIABLE}={VALUE}")
    problem = _approval_problem(live, now)
    if problem:
        missing.append(problem)
    return missing


def _approval_problem(live: LiveConfig, now: datetime) -> str:
    """What is wrong with the approval file; empty when it approves."""
    if not live.approval:
        return "no approval file is named"
    path = Path(live.approval).expanduser()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            values = tomllib.load(file)
    except OSError as error:
        return f"the approval file {path} cannot be read: {error.strerror}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return f"the approval file {path} is not valid TOML"
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"the approval file {path} can be written by others; chmod 600 it"
    if values.get("venue") != live.venue:
        return f"the approval file {path} is for venue {values.get('venue')!r}"
    if not values.get("approved_by"):
        return f"the approval file {path} does not say approved_by"
    expires = values.get("expires")
    if not isinstance(expires, datetime) or expires.tzinfo is None:
        return f"the approval file {path} has no expires with a time zone, as in expires = 2030-01-31T18:00:00Z"
    if expires <= now.astimezone(UTC):
        return f"the approval file {path} expired at {expires.isoformat()}"
    return ""


def approval_facts(live: LiveConfig) -> dict[str, str]:
    """What the record of a session with real money says of the approval file, which others may change later."""
    try:
        raw = Path(live.approval).expanduser().read_bytes()
        values = tomllib.loads(raw.decode())
    except (OSError, ValueError):  # it went away, or was damaged, since it was looked at
        return {}
    said = {name: str(values.get(name, "")) for name in ("approved_by", "expires")}
    return said | {"sha256": hashlib.sha256(raw).hexdigest()}
