"""``kernel indicators``: what there is, generated from the declarations."""

import json

import click

from kernel.cli.errors import BadInput


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each indicator.")
def indicators(name: str | None, as_json: bool) -> None:
    """List all indicators, or tell about NAME: inputs, parameters, outputs, look-back, source."""
    from kernel.indicators import IndicatorError, indicator_named
    from kernel.indicators import indicators as all_indicators
    from kernel.indicators.reference import entry, facts, page

    try:
        chosen = [indicator_named(name)] if name else list(all_indicators().values())
    except IndicatorError as error:
        raise BadInput(str(error)) from None
    if as_json:
        for one in chosen:
            click.echo(json.dumps(facts(one)))
    else:
        click.echo(entry(chosen[0]) if name else page(), nl=False)
