"""From a TOML file and the command line to a checked ``RunConfig``.

Owns the precedence (defaults, file, command line, in rising order), the refusal of unknown settings, and the place that
every message names.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from kernel.naming import near_name
from replay.config.errors import ConfigError, Places, SettingError, located
from replay.config.model import NOT_SETTINGS, RunConfig, check
from replay.config.places import setting_lines

_AT = re.compile(r" - at `\$(.*)`$")


def load_config(
    path: Path | None, overrides: dict[str, Any], tables: dict[str, dict[str, Any]] | None = None
) -> RunConfig:
    """Defaults, then the TOML file, then ``overrides`` (``None`` values are left out). Raises ConfigError.

    ``overrides`` replace a setting whole; the settings in ``tables`` replace those of the same name in their table.
    """
    values: dict[str, Any] = {}
    places = Places()
    if path is not None:
        values, places = _read_toml(path)
        # Paths in a file are relative to that file, so that it works from any folder.
        if isinstance(values.get("data"), list):
            values["data"] = [str(path.parent / str(entry)) for entry in values["data"]]
        venue = values.get("venue")
        if isinstance(venue, dict) and isinstance(venue.get("finer"), list):
            venue["finer"] = [str(path.parent / str(entry)) for entry in venue["finer"]]
        for entry in _entries(values):
            if isinstance(entry, dict) and ".py" in str(entry.get("use", "")):
                entry["use"] = str(path.parent / entry["use"])
    for key, value in overrides.items():
        if value is not None:
            values[key] = value
            places = places.without(key)
    for table, settings in (tables or {}).items():
        found = values.get(table, {})
        values[table] = {**found, **settings} if isinstance(found, dict) else settings
        for key in settings:
            places = places.without(f"{table}.{key}")
    with located(places):
        config = _convert(values, places)
        check(config)
    return config


def _entries(values: dict[str, Any]) -> list[Any]:
    found = values.get("strategy", [])
    return found if isinstance(found, list) else []


def _read_toml(path: Path) -> tuple[dict[str, Any], Places]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    try:
        return tomllib.loads(text), Places(str(path), setting_lines(text))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.rstrip("\n").count("\n") + 1
        raise ConfigError(f"{path}, line {line}: not valid TOML: {error}") from None


def _convert(values: dict[str, Any], places: Places) -> RunConfig:
    _refuse_unknown(values, RunConfig, "")
    try:
        config = msgspec.convert(values, RunConfig)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        setting = at[1].replace("[", ".").replace("]", "").strip(".") if at else ""
        raise SettingError(setting, f"cannot be used: {_AT.sub('', text)}") from None
    return msgspec.structs.replace(config, places=places)


def _refuse_unknown(values: Any, struct: Any, prefix: str) -> None:
    """Refuse what no struct has a field for, in the tables below too."""
    if not isinstance(values, dict):
        return
    fields = {name: field.type for name, field in _fields(struct).items() if name not in NOT_SETTINGS}
    for key, value in values.items():
        setting = f"{prefix}{key}"
        if key not in fields:
            shown = re.sub(r"\d+\.", "", prefix)
            hint = near_name(str(key), fields, f"known: {', '.join(fields)}", prefix=shown)
            raise SettingError(setting, f"is an unknown setting; {hint}")
        for below, entry in _structs_in(fields[key], value, setting):
            _refuse_unknown(entry[0], entry[1], f"{below}.")


def _fields(struct: Any) -> dict[str, Any]:
    described = msgspec.inspect.type_info(struct)
    assert isinstance(described, msgspec.inspect.StructType)
    return {field.encode_name: field for field in described.fields}


def _structs_in(kind: Any, value: Any, setting: str) -> list[tuple[str, tuple[Any, Any]]]:
    """The tables that a setting holds: itself, the entries of a list, or the values of a mapping."""
    if isinstance(kind, msgspec.inspect.StructType):
        return [(setting, (value, kind.cls))]
    if isinstance(kind, msgspec.inspect.ListType) and isinstance(value, list):
        return [
            found for at, entry in enumerate(value) for found in _structs_in(kind.item_type, entry, f"{setting}.{at}")
        ]
    if isinstance(kind, msgspec.inspect.DictType) and isinstance(value, dict):
        return [
            found for at, entry in value.items() for found in _structs_in(kind.value_type, entry, f"{setting}.{at}")
        ]
    return []
