"""``kernel risk``: check a configuration and list the limits that apply.

Parses, calls ``replay.limits_in_force``, renders. Exit codes: 0 the configuration can be run; 1 its data cannot be
used; 2 a setting is wrong.
"""

from pathlib import Path

import click

from kernel.cli.errors import clear_errors
from kernel.cli.journals import as_json_text, json_option, note, print_lines, terminal_width

HEADINGS = {
    "order": "checks of an order, in the order in which they run",
    "request": "before there is an order",
    "event": "after each event",
    "exit": "exits of open positions",
}


@click.command()
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option("--on", "only_on", is_flag=True, help="Leave out what is off.")
@json_option
def risk(config_file: Path, only_on: bool, as_json: bool) -> None:
    """Check CONFIG (a TOML file) and list what limits a run of it, in the order in which the checks run.

    Instruments and strategies that it names are looked up too, when it names data.
    """
    with clear_errors():
        import msgspec

        from replay.config import load_config
        from replay.limits_in_force import limits_in_force

        config = load_config(config_file, {})
        currency = config.accounts[0].currency if config.accounts else ""
        if config.data and config.strategies:
            from replay.execution import prepare

            currency = prepare(config).currency
        else:
            note("it names no data or no strategy, so instruments and sectors were not looked up")
        limits = [limit for limit in limits_in_force(config, currency) if limit.status != "off" or not only_on]
        if as_json:
            print_lines(as_json_text(msgspec.to_builtins(limit)) for limit in limits)
            return
        for number, (when, heading) in enumerate(HEADINGS.items()):
            rows = [
                (str(limit.place), limit.check, limit.scope, limit.limit, limit.said, limit.text)
                for limit in limits
                if limit.when == when
            ]
            if rows:
                from replay.inspect.text import lay_out

                header = ("#", "check", "scope", "limit", "said", "what it compares")
                right = (True, False, False, False, False, False)
                print_lines([*[""] * (number > 0), heading, "", *lay_out(header, rows, right, terminal_width())])
