"""What there is to know of the indicators, as text: for ``kernel indicators`` and for ``docs/indicators.md``."""

from typing import Any

from kernel.indicators import indicators
from kernel.indicators.declare import Indicator
from kernel.plurals import counted

INTRO = """# Indicators

Made from the declarations in `kernel/indicators/` by `python -m kernel.events.reference indicators`;
`kernel indicators` prints the same.

Each is one pure function of a slice of flat float64 memory. A strategy calls the step,
`from kernel.indicators.steps import ema_nb`, then `ema_nb(own, 0, close, 12, 0)`: its memory, where its words begin
there, the inputs, the parameters (those not given have their defaults). All words 0 is the beginning. Research calls
the batch, `indicator_named("ema").batch(closes, period=12)`, which is the same function in a loop and gives the same
bits.

- Outputs are NaN before the look-back: the index of the first bar at which they are defined.
- A bar with an input that is not a number, or is beyond 1e60, gives NaN and leaves the memory as it was: for the
  indicator that bar did not happen. A range, a volume or a spread of zero gives what the description says.
- Sums over a window are put together from parts of it, never by adding what comes and subtracting what leaves, so they
  do not drift and a wild value leaves no trace.
- Only + - * /, the fused a * b + c and the square root are used, which are the same on every machine; logarithms and
  angles are made of these (`kernel/indicators/elementary_nb.py`).
- Where others begin otherwise, `seed` chooses; 0 is as TA-Lib does. An exponential average begins with the mean of its
  first values (0) or with its first value (1); a sum of Wilder's with `period` - 1 values (0) or `period` (1); MACD and
  SAR say it themselves.

Where the source is TA-Lib, the values are its own to 1e-9 (and, near zero, to 1e-11 of the largest).
"""


def facts(indicator: Indicator) -> dict[str, Any]:
    """All of one indicator as plain data."""
    return {
        "name": indicator.name,
        "family": indicator.family,
        "description": indicator.description,
        "source": indicator.source,
        "inputs": list(indicator.inputs),
        "parameters": {
            one.name: {"default": one.default, "lowest": one.lowest, "highest": one.highest}
            for one in indicator.parameters
        },
        "outputs": list(indicator.outputs),
        "lookback": indicator.lookback(),
        "memory_words": indicator.words(),
    }


def entry(indicator: Indicator) -> str:
    """One indicator as a paragraph of Markdown."""
    given = ", ".join(f"{one.name}={one.default:g} [{one.lowest:g}..{one.highest:g}]" for one in indicator.parameters)
    call = ", ".join(indicator.inputs) + (f"; {given}" if given else "")
    outputs = "" if indicator.outputs == (indicator.name,) else f" Outputs: {', '.join(indicator.outputs)}."
    return (
        f"- `{indicator.name}({call})` {indicator.description}{outputs} Look-back {indicator.lookback()}, "
        f"{counted(indicator.words(), 'word')}. Source: {indicator.source}.\n"
    )


def page() -> str:
    """All indicators, by family."""
    known = list(indicators().values())
    lines = [INTRO, f"\nThere are {len(known)}; look-back and words are those of the defaults.\n"]
    for family in dict.fromkeys(one.family for one in known):
        lines.append(f"\n## {family.capitalize()}\n\n")
        lines += [entry(one) for one in known if one.family == family]
    return "".join(lines)
