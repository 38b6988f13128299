"""What is to be different in a fork: from ``--set`` and ``--code`` to a configuration.

Owns which settings can change while a history is under way, and their names. All others need a run of their own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from kernel.naming import near_name
from replay.config import LimitsConfig, Places, RunConfig, StrategyConfig
from replay.config.model import check
from replay.config.risk import BY_NAME
from replay.execution import Prepared

LIMITS = tuple(LimitsConfig.__struct_fields__)
RISKS = tuple(BY_NAME)
TABLES = ("limit", "limits", "risk")
UNITS = {"%": "_percent", "bps": "_bps"}


class ForkError(ValueError):
    """A fork that cannot be made. The text is one line."""


def forked_config(parent: Prepared, settings: Sequence[tuple[str, str]], codes: Sequence[str]) -> RunConfig:
    """The configuration of a run with other limits, parameters and code. Raises ForkError or ConfigError."""
    if not settings and not codes:
        raise ForkError("nothing is different; say what with --set KEY=VALUE or --code FILE")
    names = [strategy.name for strategy in parent.strategies]
    config = msgspec.structs.replace(parent.config, places=Places())
    for key, value in settings:
        table, _, rest = key.partition(".")
        if table in TABLES and rest:
            config = _with_limit(config, key, rest, value)
        else:
            config = _with_parameter(config, names, key, value)
    for code in codes:
        config = _with_code(config, names, code)
    check(config)
    return config


def _with_limit(config: RunConfig, key: str, name: str, value: str) -> RunConfig:
    """A limit by its name, the unit of which may stand at the value: ``daily_loss=3%``."""
    known = (*LIMITS, *RISKS)
    found, number = name, value
    for unit, suffix in UNITS.items():
        if value.endswith(unit):
            number = value.removesuffix(unit)
            found = name if name.endswith(suffix) else f"{name}{suffix}"
    if found not in known:
        listed = near_name(found, known, "kernel risk lists the rules, docs/risk.md what they mean")
        raise ForkError(f"--set {key}={value}: no limit {found!r}; {listed}")
    table = "limits" if found in LIMITS else "risk"
    given = getattr(config, table)
    values = {**msgspec.to_builtins(given), found: _plain(number)}
    try:
        changed = msgspec.convert(values, type(given))
    except msgspec.ValidationError as error:
        raise ForkError(f"--set {key}={value}: {error}") from None
    return msgspec.structs.replace(config, **{table: changed})


def _plain(text: str) -> int | str | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.removeprefix("-").isdigit() else text


def _with_parameter(config: RunConfig, names: list[str], key: str, value: str) -> RunConfig:
    name, _, parameter = key.rpartition(".")
    if not name and len(names) > 1:
        raise ForkError(f"--set {key}: of which strategy? write NAME.{key}; the run has {', '.join(names)}")
    if name and name not in names:
        listed = near_name(name, [*names, "limit"], f"the run has {', '.join(names)}; limits are limit.NAME")
        raise ForkError(f"--set {key}: no strategy {name!r}; {listed}")
    at = names.index(name) if name else 0
    entry = config.strategies[at]
    return _with_entry(config, at, parameters={**entry.parameters, parameter: value})


def _with_code(config: RunConfig, names: list[str], code: str) -> RunConfig:
    """``FILE``, or ``NAME=FILE`` for one of several strategies. The name in the journal stays."""
    name, equals, use = code.partition("=")
    if not equals:
        name, use = "", code
    if not name and len(names) > 1:
        raise ForkError(f"--code {code}: of which strategy? write NAME={code}; the run has {', '.join(names)}")
    if name and name not in names:
        raise ForkError(f"--code {code}: no strategy {name!r}; the run has {', '.join(names)}")
    at = names.index(name) if name else 0
    path, _, found = use.partition(".py")
    if ".py" in use:
        use = f"{Path(path + '.py').resolve()}{found}"
    return _with_entry(config, at, use=use, name=names[at])


def _with_entry(config: RunConfig, at: int, **fields: Any) -> RunConfig:
    entries: list[StrategyConfig] = list(config.strategies)
    entries[at] = msgspec.structs.replace(entries[at], **fields)
    return msgspec.structs.replace(config, strategies=entries)
