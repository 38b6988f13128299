"""``bars``, ``[[series]]`` and ``bar_grace``: bars that the kernel makes."""

from collections.abc import Sequence

import msgspec

from kernel.bars.rule import RuleError, parse_rule
from replay.config.amounts import length_ns
from replay.config.errors import SettingError

Bars = str | list[str]  # one rule, or several


class SeriesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A series that is made and recorded whether or not a strategy hears it; of all instruments where none is named."""

    rule: str
    instruments: list[str] = msgspec.field(default_factory=list)


def read_rules(setting: str, bars: Bars) -> tuple[str, ...]:
    """The rules of a setting, as they are written canonically; none for an empty one. Raises SettingError."""
    texts = [bars] if isinstance(bars, str) else bars
    try:
        rules = tuple(str(parse_rule(text)) for text in texts if text or not isinstance(bars, str))
    except RuleError as error:
        raise SettingError(setting, f"cannot be used: {error}") from None
    if len(set(rules)) < len(rules):
        raise SettingError(setting, f"names a rule twice: {', '.join(rules)}")
    return rules


def check_bars(run: Bars, strategies: Sequence[Bars], series: Sequence[SeriesConfig], grace: str) -> None:
    """Raise SettingError for a rule that cannot be read, or a wait that is no length of time."""
    read_rules("bars", run)
    for number, bars in enumerate(strategies):
        read_rules(f"strategy.{number}.bars", bars)
    for number, entry in enumerate(series):
        read_rules(f"series.{number}.rule", [entry.rule])
    length_ns("bar_grace", grace)
