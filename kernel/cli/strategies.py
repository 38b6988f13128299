"""``kernel strategies``: what there is, generated from the declarations."""

import json

import click

from kernel.cli.errors import BadInput


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each strategy.")
def strategies(name: str | None, as_json: bool) -> None:
    """List the built-in strategies, or tell about NAME (built-in, or FILE.py[:NAME] of a compiled one)."""
    from kernel.strategy.declare import CompiledStrategy, StrategyError
    from replay.loading import find_strategy
    from strategies import BUILT_IN
    from strategies.reference import built_in, entry, facts, page

    if name is None and not as_json:
        click.echo(page(), nl=False)
        return
    try:
        chosen = [find_strategy(name)[0]] if name else [built_in(one) for one in BUILT_IN]
        for one in chosen:
            if not isinstance(one, CompiledStrategy):
                raise BadInput(f"{name} is a strategy in plain Python; only compiled ones declare what they need")
            click.echo(json.dumps(facts(one)) if as_json else entry(one).lstrip(), nl=as_json)
    except StrategyError as error:
        raise BadInput(str(error)) from None
