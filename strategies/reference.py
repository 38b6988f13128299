"""What there is to know of the built-in strategies, as text: for ``kernel strategies`` and ``docs/strategies.md``.

``python -m strategies.reference`` prints the page.
"""

import importlib
import sys
from typing import Any

from kernel.plurals import counted
from kernel.strategy.declare import NEVER, CompiledStrategy
from strategies import BUILT_IN

INTRO = """# Strategies

Made from the modules in `strategies/` by `python -m strategies.reference`; `kernel strategies` prints the same.

Each is one compiled function; `kernel replay --strategy NAME --set PARAMETER=VALUE` runs it. They are written-out rules
from the literature, to measure others by and to begin from; none of them is advice.

- Decisions are taken at the close of a bar (or at the event that is named), from what is known then; market orders fill
  as the fill profile says, under the default ones not before the next open.
- *Warm-up* is how many bars a strategy sees, with its defaults, before the first at which it can ask for something. It
  follows from the look-back of its indicators. On less data it does nothing.
- *Settles in* is how many more bars, or days, it needs to decide as if it had always run: an average that never forgets
  has then kept a thousandth of its start, or a whole day was seen. `kernel check warmup` checks both.
- `fraction` is the share of equity that it puts in. `short = 1` trades short sides too where there are some; otherwise
  what would be short is flat.
- An instrument has its own memory, and is traded as if it were alone, unless it says *one for all instruments*.
- A parameter that an indicator does not take (a period of 0) is refused before the run begins.
"""


def built_in(name: str) -> CompiledStrategy:
    """One of the built-in strategies."""
    found: CompiledStrategy = getattr(importlib.import_module(f"strategies.{name}"), name)
    return found


def facts(strategy: CompiledStrategy) -> dict[str, Any]:
    """All of one strategy as plain data."""
    rule, _, source = strategy.description.rpartition("Source: ")
    return {
        "name": strategy.name,
        "title": (sys.modules[strategy.function.__module__].__doc__ or "").strip().partition("\n")[0],
        "rule": (rule or strategy.description).strip(),
        "source": source.rstrip(".") if rule else "",
        "parameters": dict(strategy.defaults),
        "called_for": list(strategy.on),
        "bars": list(strategy.bar_rules(strategy.defaults)),
        "features": [str(feature) for feature in strategy.asked_features(strategy.defaults)],
        "per": strategy.per,
        "warm_up_bars": strategy.warm_up_bars(strategy.defaults),
        "settle_bars": strategy.settle_bars(strategy.defaults),
        "settle_days": strategy.settle_days,
        "memory_words": strategy.memory_words(strategy.defaults),
    }


def entry(strategy: CompiledStrategy) -> str:
    """One strategy as a section of Markdown."""
    told = facts(strategy)
    given = ", ".join(f"`{name} = {value}`" for name, value in told["parameters"].items()) or "none"
    scope = "; one for all instruments" if strategy.per == "portfolio" else ""
    source = f" Source: {told['source']}." if told["source"] else ""
    rule = told["rule"].replace("``", "`")
    title = f"**{told['title']}** " if told["title"] else ""
    return (
        f"\n## `{strategy.name}`\n\n{title}{rule}{source}\n\nParameters: {given}.\n"
        f"Called for: {', '.join(strategy.on)}{_of_series(told)}{scope}. "
        f"Warm-up: {counted(told['warm_up_bars'], 'bar')}{_settles(told)}. "
        f"Memory: {counted(told['memory_words'], 'word')}.\n"
    )


def _of_series(told: dict[str, Any]) -> str:
    bars = f" of {' and '.join(told['bars'])}" if told["bars"] else ""
    features = f"; reads {', '.join(f'`{name}`' for name in told['features'])}" if told["features"] else ""
    return bars + features


def _settles(told: dict[str, Any]) -> str:
    if told["settle_bars"] == NEVER:
        return "; what it does depends on when it began"
    parts = [counted(told["settle_bars"], "bar")] if told["settle_bars"] else []
    parts += [counted(told["settle_days"], "day")] if told["settle_days"] else []
    return f"; settles in {' and '.join(parts)}" if parts else ""


def page() -> str:
    """All built-in strategies."""
    return f"{INTRO}\nThere are {len(BUILT_IN)}.\n" + "".join(entry(built_in(name)) for name in BUILT_IN)


if __name__ == "__main__":
    sys.stdout.write(page())
