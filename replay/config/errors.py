"""Mistakes in settings, each told in one line that says where the setting stands.

Owns the two kinds of mistake and how one is given its place. A function that finds a bad value raises ``SettingError``
with the name of the setting; whoever holds the configuration adds the file and the line (``located``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

COMMAND_LINE = "command line"


class ConfigError(ValueError):
    """A setting that is unknown, malformed or contradicts another. The text is one line."""


class SettingError(ConfigError):
    """A setting that cannot be used: its dotted name (``limits.margin``, ``strategy.0.use``) and what is wrong.

    ``against`` names the setting that it contradicts, if there is one.
    """

    def __init__(self, setting: str, problem: str, *, against: str = "") -> None:
        super().__init__(f"{shown(setting)} {problem}".strip())
        self.setting, self.problem, self.against = setting, problem, against


class Places(msgspec.Struct, frozen=True):
    """Where each setting stands: the file, and its line by dotted name. Settings of the command line have no line."""

    file: str = ""
    lines: dict[str, int] = {}

    def line(self, setting: str) -> int:
        """The line of a setting, else that of the table around it; 0 when the file has neither."""
        parts = setting.split(".")
        while parts and ".".join(parts) not in self.lines:
            parts.pop()
        return self.lines[".".join(parts)] if parts else 0

    def where(self, setting: str) -> str:
        """``FILE, line N``, or ``command line``."""
        line = self.line(setting)
        return f"{self.file}, line {line}" if line else self.file or COMMAND_LINE

    def without(self, setting: str) -> "Places":
        """The places once the command line has said a setting anew: neither it nor what is below it has a line."""
        below = f"{setting}."
        left = {name: line for name, line in self.lines.items() if name != setting and not name.startswith(below)}
        return Places(self.file, left)


def shown(setting: str) -> str:
    """A dotted name as people write it: without the numbers of entries (``strategy.0.use`` is ``strategy.use``)."""
    return ".".join(part for part in setting.split(".") if not part.isdigit())


@contextmanager
def located(places: Places) -> Iterator[None]:
    """Within the block a ``SettingError`` becomes a ``ConfigError`` with file and line."""
    try:
        yield
    except SettingError as error:
        other = places.line(error.against) if error.against else 0
        also = f" ({shown(error.against)}: line {other})" if other else ""
        raise ConfigError(f"{places.where(error.setting)}: {error}{also}") from None
