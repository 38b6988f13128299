"""Options of the command line that several commands turn into settings."""

from pathlib import Path
from typing import Any

from kernel.cli.errors import BadInput


def bar_rules(rules: str | None) -> str | list[str] | None:
    """One rule, or several with commas between them."""
    return [rule.strip() for rule in rules.split(",")] if rules and "," in rules else rules


def pair_of(entry: str, option: str) -> tuple[str, str]:
    """Key and value of an option ``KEY=VALUE``."""
    key, equals, value = entry.partition("=")
    if not equals or not key or not value:
        raise BadInput(f"{option} {entry}: write it as KEY=VALUE, such as fast=12")
    return key.strip(), value.strip()


def strategy_entries(
    uses: list[str], settings: list[tuple[str, str]], config_file: Path | None, default: str
) -> list[dict[str, Any]]:
    """The strategies with the parameters of ``--set`` laid over those of the file."""
    entries: list[dict[str, Any]] = [{"use": use} for use in uses]
    if not entries and config_file is not None:
        import msgspec

        from replay.config import load_config

        found = load_config(config_file, {}).strategies
        entries = [msgspec.to_builtins(one) for one in found]
    entries = entries or [{"use": default}]
    for key, value in settings:
        name, dot, parameter = key.rpartition(".")
        chosen = [entry for entry in entries if not dot or _called(entry) == name]
        if not chosen:
            names = ", ".join(_called(entry) for entry in entries)
            raise BadInput(f"--set {key}: no strategy {name!r} in this run; it has {names}")
        for entry in chosen:
            entry.setdefault("set", {})[parameter] = value
    return entries


def _called(entry: dict[str, Any]) -> str:
    """What an entry is called: its own name, else that of what it uses."""
    return str(entry.get("name") or _short_name(entry["use"]))


def _short_name(use: str) -> str:
    path, py, name = use.partition(".py")
    return name.removeprefix(":") or Path(path).name if py else use
