"""Rules of bars: ``5m``, ``1d session``, ``100 ticks``, ``renko 50``, ``heikin-ashi 5m``, ``1h from 5m``, ...

Owns their syntax: parsing, with errors of one line, and the one canonical way to write each. What a rule does is in
docs/bars.md.
"""

import re
from decimal import Decimal

import msgspec

from kernel.units import UnitError, to_decimal

(TIME, TICKS, VOLUME, VALUE, TICK_IMBALANCE, VOLUME_IMBALANCE, RENKO, HEIKIN_ASHI) = range(1, 9)
KIND_WORDS = {
    "ticks": TICKS,
    "volume": VOLUME,
    "value": VALUE,
    "tick-imbalance": TICK_IMBALANCE,
    "volume-imbalance": VOLUME_IMBALANCE,
}
_WORDS = {kind: word for word, kind in KIND_WORDS.items()}
IMBALANCE = (TICK_IMBALANCE, VOLUME_IMBALANCE)
# What a series is made of; 0 is automatic.
FROM_BARS, FROM_TRADES, FROM_QUOTES, FROM_SERIES = range(1, 5)
SOURCE_WORDS = {"bars": FROM_BARS, "trades": FROM_TRADES, "quotes": FROM_QUOTES}
SOURCE_NAMES = {number: word for word, number in SOURCE_WORDS.items()}

DAY_NS = 86_400_000_000_000
LENGTHS_NS = {"d": DAY_NS, "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000}
MOST_DAYS = 366
MOST_AMOUNT = 1 << 60
DEFAULT_SPAN = 20  # bars of the moving averages of imbalance bars
_LENGTH = re.compile(r"([1-9][0-9]*)(ms|s|m|h|d)")
_EXAMPLES = "5m, 1d session, 100 ticks, 5000 volume, 20 tick-imbalance, renko 50, heikin-ashi 5m or 1h from 5m"


class RuleError(ValueError):
    """A rule that cannot be read, or cannot be met by the data. The text is one line."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. ``amount`` is nanoseconds, a number of inputs, units, money, or ticks; 0 for the whole session.

    ``source`` is one of FROM_* where the rule names it (0: automatic), ``parent`` the series that it is made from.
    ``span``, ``least`` and ``most`` are of imbalance bars.
    """

    kind: int
    amount: Decimal
    session: bool = False
    source: int = 0
    parent: "Rule | None" = None
    span: int = 0
    least: int = 0
    most: int = 0

    def __str__(self) -> str:
        if self.kind == HEIKIN_ASHI and self.parent is not None:
            return f"heikin-ashi {self.parent}"
        made_of = self.parent or SOURCE_NAMES.get(self.source, "")
        return f"{self._own_text()} from {made_of}" if made_of else self._own_text()

    def _own_text(self) -> str:
        if self.kind == TIME:
            return f"{format_length(int(self.amount) or DAY_NS)}{' session' * self.session}"
        if self.kind == RENKO:
            return f"renko {self.amount}"
        if self.kind == HEIKIN_ASHI:
            return "heikin-ashi"
        text = f"{self.amount:f} {_WORDS[self.kind]}"
        if self.kind in IMBALANCE:
            values = zip(("span", "least", "most"), (self.span, self.least, self.most), strict=True)
            usual = _limits(int(self.amount))
            text += "".join(f" {name}={value}" for at, (name, value) in enumerate(values) if value != usual[at])
        return text

    @property
    def needs_volume(self) -> bool:
        """Whether the rule counts what was traded."""
        return self.kind in (VOLUME, VALUE, VOLUME_IMBALANCE)


def _limits(expected: int) -> tuple[int, int, int]:
    """Span, least and most inputs of an imbalance bar, where the rule does not say."""
    return DEFAULT_SPAN, max(expected // 10, 1), expected * 10


def format_length(length_ns: int) -> str:
    """A length of time in the largest unit that divides it."""
    for unit, ns in LENGTHS_NS.items():
        if length_ns % ns == 0:
            return f"{length_ns // ns}{unit}"
    return f"{length_ns}ns"


def parse_rule(text: str) -> Rule:
    """The rule that ``text`` writes. Raises RuleError."""
    words = text.lower().split()
    if not words:
        raise RuleError(f"a rule of bars is missing; write one such as {_EXAMPLES}")
    if len(words) > 32:
        raise RuleError(f"bars {text[:40]!r}...: too long for a rule")
    return _parse(words, text)


def _parse(words: list[str], text: str) -> Rule:
    if words[0] == "heikin-ashi" and len(words) > 1 and words[1] != "from":
        return Rule(kind=HEIKIN_ASHI, amount=Decimal(0), parent=_parse(words[1:], text), source=FROM_SERIES)
    source, parent = 0, None
    if "from" in words:
        at = words.index("from")
        words, of = words[:at], words[at + 1 :]
        if not words or not of:
            raise RuleError(f"bars {text!r}: 'from' stands between a rule and what it is made of, as in 1h from 5m")
        if len(of) == 1 and of[0] in SOURCE_WORDS:
            source = SOURCE_WORDS[of[0]]
        else:
            source, parent = FROM_SERIES, _parse(of, text)
    rule = msgspec.structs.replace(_own(words, text), source=source, parent=parent)
    if rule.kind == TIME and parent is not None:
        _check_time_parent(rule, parent, text)
    return rule


def _own(words: list[str], text: str) -> Rule:
    if words == ["heikin-ashi"]:
        return Rule(kind=HEIKIN_ASHI, amount=Decimal(0))
    if words[0] == "renko" and len(words) == 2:
        return Rule(kind=RENKO, amount=_whole(words[1], "ticks of a brick", text))
    length = _LENGTH.fullmatch(words[0])
    if length is not None and words[1:] in ([], ["session"]):
        return _time(int(length[1]) * LENGTHS_NS[length[2]], len(words) == 2, text)
    if len(words) >= 2 and words[1] in KIND_WORDS:
        kind = KIND_WORDS[words[1]]
        if kind in IMBALANCE:
            return _imbalance(kind, words, text)
        if len(words) == 2:
            amount = _whole(words[0], "inputs", text) if kind == TICKS else _above_zero(words[0], text)
            return Rule(kind=kind, amount=amount)
    raise RuleError(f"bars {text!r}: no such rule; write one such as {_EXAMPLES}")


def _time(length_ns: int, session: bool, text: str) -> Rule:
    if length_ns > MOST_DAYS * DAY_NS:
        raise RuleError(f"bars {text!r}: longer than {MOST_DAYS} days")
    if session and length_ns > DAY_NS:
        raise RuleError(f"bars {text!r}: a bar within sessions is at most 1d, which is the whole session")
    whole = session and length_ns == DAY_NS
    return Rule(kind=TIME, amount=Decimal(0 if whole else length_ns), session=session)


def _imbalance(kind: int, words: list[str], text: str) -> Rule:
    expected = _whole(words[0], "inputs expected in a bar", text)
    names = ("span", "least", "most")
    values = dict(zip(names, _limits(int(expected)), strict=True))
    for word in words[2:]:
        name, equals, value = word.partition("=")
        if name not in names or not equals:
            raise RuleError(f"bars {text!r}: {word!r} is none of span=N, least=N, most=N")
        values[name] = int(_whole(value, name, text))
    if not values["least"] <= expected <= values["most"]:
        raise RuleError(f"bars {text!r}: {expected} inputs are expected, not within least={values['least']} and "
                        f"most={values['most']}")  # fmt: skip
    if values["span"] > 10_000:
        raise RuleError(f"bars {text!r}: span={values['span']} is above 10000")
    return Rule(kind=kind, amount=expected, span=values["span"], least=values["least"], most=values["most"])


def _check_time_parent(rule: Rule, parent: Rule, text: str) -> None:
    length, of = int(rule.amount), int(parent.amount)
    if parent.kind != TIME or parent.session != rule.session or of == 0:
        raise RuleError(
            f"bars {text!r}: a time bar is made of data or of shorter time bars, both within sessions or not"
        )
    if length and (length <= of or length % of):
        raise RuleError(f"bars {text!r}: {format_length(length)} is not a multiple of {format_length(of)}")


def _whole(word: str, what: str, text: str) -> Decimal:
    number = _above_zero(word, text)
    if number != int(number) or number > 1 << 31:
        raise RuleError(f"bars {text!r}: {word} is not a whole number of {what}, at most 2147483648")
    return Decimal(int(number))


def _above_zero(word: str, text: str) -> Decimal:
    try:
        number = to_decimal(word)
    except UnitError as error:
        raise RuleError(f"bars {text!r}: {error}") from None
    if not 0 < number < MOST_AMOUNT:
        raise RuleError(f"bars {text!r}: {word} is not above 0 and below 2^60")
    return number.normalize() if number != int(number) else Decimal(int(number))
