"""The command line: the composition root, where core, journal and drivers meet.

Owns the list of commands, each in a module that is imported only when the command is called, so that ``kernel --help``
is instant. A command parses, calls one function and renders. Data goes to standard output, talk to standard error.

Exit codes: 0 done and good; 1 the thing checked is bad (broken, different, refused data, a run that failed); 2 wrong
usage or configuration; 130 interrupted.
"""

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from kernel import __version__

KEY_FILE = "KERNEL_KEY_FILE"  # where the master key of encrypted journals is, for all commands

# command: (module, attribute, one line of help)
COMMANDS = {
    "replay": ("kernel.cli.replay", "replay", "Run a backtest, or re-run a journal and prove it identical."),
    "live": ("kernel.cli.live", "live", "Trade on live data: on paper, a venue's play money, or real money."),
    "status": ("kernel.cli.operate", "status", "Show how a running session is."),
    "orders": ("kernel.cli.operate", "orders", "List the open orders of a running session."),
    "positions": ("kernel.cli.operate", "positions", "List what a running session holds."),
    "kill": ("kernel.cli.operate", "kill", "Stop entries, cancel all orders, or flatten everything."),
    "resume": ("kernel.cli.operate", "resume", "Allow trading again after a kill."),
    "flatten": ("kernel.cli.operate", "flatten", "Cancel the orders of one symbol and give up what is held."),
    "cancel": ("kernel.cli.operate", "cancel", "Cancel one order, or all."),
    "signal": ("kernel.cli.operate", "signal", "Give a running session a signal, as a recorded input."),
    "verify": ("kernel.cli.verify", "verify", "Check the chain of a journal."),
    "keygen": ("kernel.cli.tlog", "keygen", "Make a key to sign checkpoints with."),
    "checkpoint": ("kernel.cli.tlog", "checkpoint", "Sign how far a journal goes: its size and root."),
    "rotate-key": ("kernel.cli.rotate", "rotate_key", "Have another key sign a journal's checkpoints."),
    "prove": ("kernel.cli.tlog", "prove", "Write a small proof of one event, or that a journal only grew."),
    "export-tlog": ("kernel.cli.tlog", "export_tlog", "Write a journal as a transparency log of tiles."),
    "witness": ("kernel.cli.witness", "witness", "Serve a witness, which cosigns checkpoints of journals."),
    "backup": ("kernel.cli.backup", "backup", "Back up a run while it goes on; a later backup adds what is new."),
    "restore": ("kernel.cli.backup", "restore", "Bring a backup back, verified, whole or up to an event."),
    "fork": ("kernel.cli.fork", "fork", "Go on from a moment of a history under other settings."),
    "audit": ("kernel.cli.audit", "audit", "Report on a journal for an auditor, or export it as tables."),
    "encrypt": ("kernel.cli.encrypt", "encrypt", "Write a journal anew, encrypted; destroy a key of one."),
    "migrate": ("kernel.cli.migrate", "migrate", "Write a journal of an earlier release in the layouts of this one."),
    "snapshot": ("kernel.cli.snapshot", "snapshot", "Keep the state that a journal comes to, or check the kept ones."),
    "prune": ("kernel.cli.prune", "prune", "Remove the oldest segments of a journal, under a policy."),
    "recover": ("kernel.cli.verify", "recover", "Open a journal after a crash and print the state."),
    "show": ("kernel.cli.inspect", "show", "List the events of a journal."),
    "at": ("kernel.cli.inspect", "at", "Print the state after one event."),
    "why": ("kernel.cli.inspect", "why", "Trace an order back to the market event that caused it."),
    "diff": ("kernel.cli.inspect", "diff", "Find the first difference between two journals."),
    "sql": ("kernel.cli.sql", "sql", "Query a journal with SQL."),
    "trades": ("kernel.cli.trades", "trades", "List the round trips of a run, closed and open."),
    "data": ("kernel.cli.data", "data", "Download, import, validate and describe market data."),
    "risk": ("kernel.cli.risk", "risk", "Check a configuration and list the limits that apply."),
    "indicators": ("kernel.cli.indicators", "indicators", "List the indicators with their parameters and look-back."),
    "strategies": ("kernel.cli.strategies", "strategies", "List the built-in strategies with parameters and warm-up."),
    "features": ("kernel.cli.features", "features", "Compute features of data, as Parquet for research."),
    "check": ("kernel.cli.check", "check", "Check a strategy: does it look ahead, does its warm-up hold."),
    "weights": ("kernel.cli.weights", "weights", "Compute portfolio weights, walk-forward."),
    "compare": ("kernel.cli.compare", "compare", "Compare two engines of a run, or two runs, side by side."),
    "calibrate": ("kernel.cli.calibrate", "calibrate", "Fit the confidences of signals to how often they were right."),
    "new": ("kernel.cli.new", "new", "Write a new strategy file with its test."),
}


class LazyGroup(click.Group):
    """Finds a command's module when the command is called, and its help line without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from kernel.naming import near_name

            hint = near_name(args[0], COMMANDS, f"commands: {', '.join(COMMANDS)}")
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kernel")
def cli() -> None:
    """A deterministic, event-sourced trading kernel.

    kernel replay runs a backtest on the built-in sample; kernel COMMAND --help tells more.
    """
    if source := os.environ.get(KEY_FILE):
        from kernel.cli.keys import master_key_when_needed

        master_key_when_needed(source)


def main() -> NoReturn:
    """Entry point of the ``kernel`` program."""
    try:
        # Without standalone mode click hands back the code of ``ctx.exit``; commands themselves return nothing.
        code = cli.main(standalone_mode=False)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "kernel"
        message = error.format_message()
        click.echo(message if message.startswith("kernel ") else f"{where}: {message}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output went away: nothing is wrong
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
