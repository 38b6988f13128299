"""Declaring strategies, compiled and in plain Python, and resolving their parameters."""

from typing import Any, ClassVar

import pytest

from kernel.strategy.api_nb import buy
from kernel.strategy.context import MAX_PARAMETERS
from kernel.strategy.declare import StrategyError, compiled, resolve_parameters
from kernel.strategy.python import Strategy, parameter_defaults, strategy_name


def test_what_a_declaration_holds() -> None:
    @compiled(memory=4, per="portfolio", on=("bar", "fill"), fast=3, share=0.5)
    def cross(ctx: Any, own: Any, fast: Any, share: Any) -> None:
        """Does
        something."""
        buy(ctx, fast)

    assert (cross.name, cross.description) == ("cross", "Does something.")
    assert cross.defaults == {"fast": 3, "share": 0.5}
    assert (cross.memory, cross.per, cross.on) == (4, "portfolio", ("bar", "fill"))
    assert cross.source_file == __file__


def declare(options: dict[str, Any]) -> Any:
    @compiled(**options)
    def mine(ctx: Any, own: Any, fast: Any) -> None:
        """Nothing."""

    return mine


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"takes \(fast\).*declares \(\)"),
        ({"slow": 1}, r"takes \(fast\).*declares \(slow\)"),
        ({"fast": 1, "slow": 1}, "name the same parameters"),
        ({"fast": "x"}, "neither an integer nor a float"),
        ({"fast": True}, "neither an integer nor a float"),
        ({"fast": 1, "on": "tick"}, "on='tick' is none of start, bar, trade, quote, depth, session"),
        ({"fast": 1, "per": "day"}, "neither 'instrument' nor 'portfolio'"),
    ],
)
def test_a_wrong_declaration_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        declare(options)


def test_too_many_parameters() -> None:
    names = [f"p{number}" for number in range(MAX_PARAMETERS + 1)]
    namespace: dict[str, Any] = {}
    exec(f"def many(ctx, own, {', '.join(names)}): pass", namespace)
    with pytest.raises(StrategyError, match="more than 32 parameters"):
        compiled(**dict.fromkeys(names, 1))(namespace["many"])


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ({}, {"fast": 12, "share": 0.5}),
        ({"fast": "20"}, {"fast": 20, "share": 0.5}),
        ({"share": "1"}, {"fast": 12, "share": 1.0}),
        ({"share": 2, "fast": 3.0}, {"fast": 3, "share": 2.0}),
    ],
)
def test_parameters_take_the_type_of_their_default(given: dict[str, Any], resolved: dict[str, Any]) -> None:
    found = resolve_parameters("mine", {"fast": 12, "share": 0.5}, given)
    assert found == resolved
    assert [type(value) for value in found.values()] == [int, float]
    assert list(found) == ["fast", "share"], "always in the order of the declaration"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fats": 3}, "has no parameter 'fats'; did you mean fast?"),
        ({"zzz": 3}, "it has fast, share"),
        ({"fast": "3.5"}, "fast='3.5' is not an integer"),
        ({"fast": 3.5}, "fast=3.5 is not an integer"),
        ({"share": "half"}, "share='half' is not a number"),
    ],
)
def test_wrong_parameters(given: dict[str, Any], message: str) -> None:
    with pytest.raises(StrategyError) as caught:
        resolve_parameters("mine", {"fast": 12, "share": 0.5}, given)
    assert message in str(caught.value)


def test_python_strategies_declare_by_annotation() -> None:
    class Base(Strategy):
        fast: int = 3
        note: ClassVar[str] = "none"

    class Mine(Base):
        share: float = 1
        fast: int = 5
        untyped = 9

    assert parameter_defaults(Mine) == {"fast": 5, "share": 1.0}
    assert isinstance(parameter_defaults(Mine)["share"], float)
    assert strategy_name(Mine) == "Mine"
    assert strategy_name(type("X", (Mine,), {"name": "named"})) == "named"
