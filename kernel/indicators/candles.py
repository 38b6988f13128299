"""Candle patterns declared by what they look at: the arguments of a pattern's function say it by their names.

``o1 h1 l1 c1`` are open, high, low and close one bar ago (0 is this bar). ``white_1``, ``body_1``, ``upper_1``,
``lower_1``, ``top_1``, ``bottom_1`` are the colour (close at or above open), the height of the body, the shadows and
the ends of the body of that bar. ``long_body_1``, ``doji_1``, ``near_1`` ... are what counts as long, as a doji, as
near for that bar: an average over the bars before it, see SETTINGS. From the names the generator makes the state (the
bars and averages that must be kept) and the function that moves it on; ``generate`` then makes step and batch as for
all.

Settings and patterns: TA-Lib, whose defaults they are. The averages are exact sums of their bars, so they do not drift.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from kernel.indicators.declare import REGISTRY, Indicator, Parameter
from kernel.indicators.windows_nb import sum_nb
from kernel.jit import inlined

BAR = ("open", "high", "low", "close")
DERIVED = {
    "white": "c{0} >= o{0}",
    "body": "abs(c{0} - o{0})",
    "top": "max(o{0}, c{0})",
    "bottom": "min(o{0}, c{0})",
    "upper": "h{0} - max(o{0}, c{0})",
    "lower": "min(o{0}, c{0}) - l{0}",
}
RANGES = {"body": "abs(c0 - o0)", "height": "h0 - l0", "shadows": "h0 - l0 - abs(c0 - o0)"}


class Setting(NamedTuple):
    """What counts as long, short ...: ``factor`` times the mean of a range over the ``bars`` before (0: of itself)."""

    range: str
    bars: int
    factor: float


SETTINGS = {
    "long_body": Setting("body", 10, 1.0),
    "short_body": Setting("body", 10, 1.0),
    "doji": Setting("height", 10, 0.1),
    "long_shadow": Setting("body", 0, 1.0),
    "very_long_shadow": Setting("body", 0, 2.0),
    "short_shadow": Setting("shadows", 10, 0.5),
    "very_short_shadow": Setting("height", 10, 0.1),
    "near": Setting("height", 5, 0.2),
    "far": Setting("height", 5, 0.6),
    "equal": Setting("height", 5, 0.05),
}


def pattern(
    name: str, description: str, penetration: float | None = None, lookback: int = 0
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a pattern over ``function(*names)``, which returns 100 (bullish), -100 (bearish), 0, or such."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY[name] = _indicator(name, description, penetration, lookback, function)
        return function

    return declare


def _indicator(
    name: str, description: str, penetration: float | None, lookback: int, function: Callable[..., Any]
) -> Indicator:
    wanted = [argument for argument in inspect.signature(function).parameters if argument != "penetration"]
    parts = _Parts(wanted)
    first = lookback or parts.oldest + max((bars for _, bars in parts.sums), default=0)
    parameters = (Parameter("penetration", penetration, 0.0, 1.0),) if penetration is not None else ()
    source = _source(parts, function, parameters)
    namespace = {"sum_nb": sum_nb, "NAN": float("nan"), "FIRST": first}
    exec(compile(source, f"<{name}>", "exec"), namespace)  # the text is ours, made of the names above
    words = sum(bars for _, bars in parts.sums)
    return Indicator(
        name=name,
        family="candles",
        description=description,
        source=f"TA-Lib {name.replace('_', '').upper()}",
        inputs=BAR,
        parameters=parameters,
        outputs=(name,),
        state=tuple(parts.state()),
        window=lambda *_: words,
        lookback_of=lambda *_: first,
        advance=inlined(namespace["advance"]),
        plain=function,
    )


class _Parts:
    """What must be kept between bars for the arguments of a pattern."""

    def __init__(self, wanted: list[str]) -> None:
        self.wanted = wanted
        self.fields: dict[str, int] = {}  # o h l c: how many bars back
        self.sums: dict[tuple[str, int], int] = {}  # (range, bars): how many bars back
        self.oldest = 0
        for argument in wanted:
            kind, lag = _split(argument)
            self.oldest = max(self.oldest, lag)
            for letter in _letters(kind):
                self.fields[letter] = max(self.fields.get(letter, 0), lag)
            setting = SETTINGS.get(kind)
            if setting is not None and setting.bars:
                key = (setting.range, setting.bars)
                self.sums[key] = max(self.sums.get(key, 0), lag)

    def state(self) -> list[str]:
        names = [f"{letter}{lag}" for letter, most in self.fields.items() for lag in range(1, most + 1)]
        for (range_name, bars), most in self.sums.items():
            base = f"{range_name}{bars}"
            names += [f"{base}_position:int", f"{base}_head"]
            names += [f"{base}_total_{lag}" for lag in range(most + 1)]
        return names


def _split(argument: str) -> tuple[str, int]:
    if argument[0] in "ohlc" and argument[1:].isdigit():
        return argument[0], int(argument[1:])
    kind, _, lag = argument.rpartition("_")
    if kind not in SETTINGS and kind not in DERIVED:
        raise ValueError(f"{argument} names nothing that a pattern can look at")
    return kind, int(lag)


def _letters(kind: str) -> str:
    if kind in DERIVED:
        return "".join(letter for letter in "ohlc" if letter + "{0}" in DERIVED[kind])
    if kind in SETTINGS:
        return "" if SETTINGS[kind].bars else "oc"
    return kind


def _average(kind: str, lag: int) -> str:
    setting = SETTINGS[kind]
    if not setting.bars:
        return f"{setting.factor} * abs(c{lag} - o{lag})"
    return f"{setting.factor} * ({setting.range}{setting.bars}_total_{lag} / {setting.bars}.0)"


def _source(parts: _Parts, function: Callable[..., Any], parameters: tuple[Parameter, ...]) -> str:
    """The advance of the pattern as text: its own statements, with what its arguments stand for written in their place.

    So a division or a shadow is computed only where the pattern comes to ask for it.
    """
    state = [word.removesuffix(":int") for word in parts.state()]
    arguments = ["count", *state, "memory", "at", *BAR, *(parameter.name for parameter in parameters)]
    lines = [f"def advance({', '.join(arguments)}):", *(f"    {field[0]}0 = {field}" for field in BAR)]
    kept = {word: word for word in state}
    base = "at"
    for (range_name, bars), most in parts.sums.items():
        name = f"{range_name}{bars}"
        lines.append(
            f"    {name}_position, {name}_head, {name}_fresh = "
            f"sum_nb({name}_position, {name}_head, memory, {base}, {RANGES[range_name]}, {bars})"
        )
        kept |= {f"{name}_total_{lag}": f"{name}_total_{lag - 1}" for lag in range(most, 0, -1)}
        kept[f"{name}_total_0"] = f"{name}_fresh"
        base += f" + {bars}"
    for letter, most in parts.fields.items():
        kept |= {f"{letter}{lag}": f"{letter}{lag - 1}" for lag in range(most, 0, -1)}
    lines += ["    while True:", *_statements(parts, function), "        break"]
    lines += ["    result = float(result) if count >= FIRST else NAN"]
    lines += [f"    return {', '.join([*kept.values(), 'result'])}", ""]
    return "\n".join(lines)


def _statements(parts: _Parts, function: Callable[..., Any]) -> list[str]:
    """The body of a pattern with its arguments replaced, and every return by the result and a break."""
    meanings = {}
    for argument in parts.wanted:
        kind, lag = _split(argument)
        if kind in DERIVED:
            meanings[argument] = ast.parse(DERIVED[kind].format(lag), mode="eval").body
        elif kind in SETTINGS:
            meanings[argument] = ast.parse(_average(kind, lag), mode="eval").body

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return meanings.get(node.id, node)

        def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
            # All at once: what a candle looks like is a coin's toss, and a wrong guess of the processor costs more than
            # the comparisons that it would save.
            self.generic_visit(node)
            both = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
            return reduce(lambda left, right: ast.BinOp(left, both, right), node.values)

        def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
            assert node.value is not None
            value = self.visit(node.value)
            return [ast.Assign([ast.Name("result", ast.Store())], value), ast.Break()]

    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    body = ast.Module([Replace().visit(statement) for statement in tree.body], [])
    flat = ast.Module([], [])
    for statement in body.body:
        flat.body += statement if isinstance(statement, list) else [statement]
    text = ast.unparse(ast.fix_missing_locations(flat))
    return [f"        {line}" for line in text.splitlines()]
