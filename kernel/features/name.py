"""Names of features: ``ema(12)``, ``rsi(period=14)``, ``macd(fast=8).signal``, ``atr(14)@1h``, ``sma(20, of=high)``.

Owns their syntax: parsing, with errors of one line, and the one canonical way to write each.
"""

import re

import msgspec

from kernel.bars.rule import TIME, RuleError, parse_rule
from kernel.indicators import Indicator, IndicatorError, indicator_named
from kernel.naming import near_name

DATA = "data"  # as a series: the data's own bars
OF = ("open", "high", "low", "close", "volume")  # what a value can be taken from
_INPUTS = {*OF, "value", "timestamp"}
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\((.*)\))?(?:\.([A-Za-z_][A-Za-z0-9_]*))?", re.DOTALL)
_WHY_NOT = {
    "other": "takes a second series",
    "period": "takes a series of periods",
    "bid": "takes quotes",
}


class FeatureError(ValueError):
    """A name of a feature that cannot be read, or of something that bars do not give. The text is one line."""


class Feature(msgspec.Struct, frozen=True):
    """One feature. ``output`` is empty for all outputs of the indicator, ``series`` for the bars of whoever asks."""

    indicator: str
    parameters: tuple[int | float, ...]
    of: str = "close"
    output: str = ""
    series: str = ""

    @property
    def declared(self) -> Indicator:
        """The declaration of the indicator."""
        return indicator_named(self.indicator)

    @property
    def step(self) -> tuple[str, tuple[int | float, ...], str]:
        """What is computed, whichever of its outputs are read."""
        return self.indicator, self.parameters, self.of

    @property
    def outputs(self) -> tuple[int, ...]:
        """The places of its outputs among those of the indicator."""
        names = self.declared.outputs
        return (names.index(self.output),) if self.output else tuple(range(len(names)))

    @property
    def lookback(self) -> int:
        """Index of the first bar of its series at which it is defined."""
        return self.declared.lookback(**self._given())

    def lookback_bars(self, base: str) -> int:
        """How many bars of the series ``base`` come before it is defined, and can be seen.

        Of longer time bars one more must have closed, because they close after the last shorter one in them.
        """
        ratio = _ratio(self.series or base, base)
        return self.lookback if ratio == 1 else (self.lookback + 1) * ratio

    @property
    def words(self) -> int:
        """How many float64 of memory it needs."""
        return self.declared.words(**self._given())

    def columns(self) -> tuple[str, ...]:
        """The canonical name of each of its values."""
        names = self.declared.outputs
        if len(names) == 1:
            return (str(self),)
        return tuple(str(msgspec.structs.replace(self, output=names[place])) for place in self.outputs)

    def _given(self) -> dict[str, int | float]:
        return dict(zip(self.declared.defaults, self.parameters, strict=True))

    def __str__(self) -> str:
        given = zip(self.declared.parameters, self.parameters, strict=True)
        parts = [f"{one.name}={value!r}" for one, value in given if value != one.default]
        parts += [f"of={self.of}"] if self.of != "close" else []
        output = f".{self.output}" if self.output else ""
        series = f"@{self.series}" if self.series else ""
        arguments = f"({', '.join(parts)})" if parts else ""
        return f"{self.indicator}{arguments}{output}{series}"


def _ratio(rule: str, base: str) -> int:
    """How many bars of ``base`` there are in one of ``rule``, where both are of a length of time; else 1."""
    if rule == base or not rule or not base or DATA in (rule, base):
        return 1
    longer, shorter = parse_rule(rule), parse_rule(base)
    if longer.kind != TIME or shorter.kind != TIME or not longer.amount or not shorter.amount:
        return 1
    return max(-(-int(longer.amount) // int(shorter.amount)), 1)


def split_features(text: str) -> list[str]:
    """The names in ``"ema(12), macd(12, 26).signal@5m"``: at commas that are outside of parentheses."""
    parts, depth, begin = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter in ",\n;" and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


def parse_feature(text: str) -> Feature:
    """The feature that ``text`` names. Raises FeatureError."""
    name, at, rule = text.strip().partition("@")
    found = _NAME.fullmatch(name.strip())
    if found is None or (at and not rule.strip()):
        raise FeatureError(f"feature {text!r}: write it as ema(12), macd(fast=8).signal or atr(14)@1h")
    series = _series(rule.strip(), text) if at else ""
    try:
        indicator = indicator_named(found[1])
        _check_inputs(indicator, text)
        given, of = _arguments(found[2] or "", indicator, text)
        values = tuple(indicator.resolve(given).values())
    except IndicatorError as error:
        raise FeatureError(f"feature {text!r}: {error}") from None
    output = found[3] or ""
    if output and output not in indicator.outputs:
        hint = near_name(output, indicator.outputs, f"it has {', '.join(indicator.outputs)}")
        raise FeatureError(f"feature {text!r}: {indicator.name} has no output {output!r}; {hint}")
    if len(indicator.outputs) == 1:
        output = ""
    return Feature(indicator.name, values, of, output, series)


def _series(rule: str, text: str) -> str:
    if rule == DATA:
        return DATA
    try:
        return str(parse_rule(rule))
    except RuleError as error:
        raise FeatureError(f"feature {text!r}: {error}") from None


def _check_inputs(indicator: Indicator, text: str) -> None:
    for name in indicator.inputs:
        if name not in _INPUTS:
            why = _WHY_NOT.get(name, f"takes {name}")
            raise FeatureError(f"feature {text!r}: {indicator.name} {why}, which a bar does not have")


def _arguments(text: str, indicator: Indicator, whole: str) -> tuple[dict[str, int | float], str]:
    """The parameters that are given, by place or by name, and what the value is taken from."""
    names, given, of = list(indicator.defaults), dict[str, int | float](), "close"
    for place, part in enumerate(split_features(text)):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if equals and name == "of":
            if value not in OF or "value" not in indicator.inputs:
                why = f"it is one of {', '.join(OF)}" if value not in OF else f"{indicator.name} takes the whole bar"
                raise FeatureError(f"feature {whole!r}: of={value}: {why}")
            of = value
            continue
        if not equals:
            if place >= len(names) or list(given) != names[:place]:
                why = f"is too many; it has {len(names)}" if place >= len(names) else "comes after a named one"
                raise FeatureError(f"feature {whole!r}: parameter {part!r} {why}")
            name, value = names[place], name
        if name not in names:
            hint = near_name(name, names, f"it has {', '.join(names) or 'none'}")
            raise FeatureError(f"feature {whole!r}: {indicator.name} has no parameter {name!r}; {hint}")
        if name in given:
            raise FeatureError(f"feature {whole!r}: {name} is given twice")
        given[name] = _number(value, whole)
    return given, of


def _number(text: str, whole: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise FeatureError(f"feature {whole!r}: {text!r} is not a number") from None
