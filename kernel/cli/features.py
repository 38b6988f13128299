"""``kernel features``: features of data as Parquet, for research.

Parses, calls ``replay.research``, renders.
"""

import json
from pathlib import Path

import click

from kernel.cli.errors import BadInput, clear_errors
from kernel.cli.journals import json_option, note
from kernel.plurals import counted


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--set", "names", required=True, help="Names such as 'ema(12), rsi(14)@1h', or a file of them.")
@click.option("--bars", default="", help="The bars whose rows are written, such as 5m.  [default: the data's own]")
@click.option("--from", "start", default="", help="First time to include.")
@click.option("--to", "end", default="", help="Time to stop before.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("features.parquet"), show_default=True)
@json_option
def features(data: tuple[str, ...], names: str, bars: str, start: str, end: str, out: Path, as_json: bool) -> None:
    """Compute features of DATA (catalogue files or folders) and write a column for each.

    They are the very numbers that a run with --features records. Prices are in ticks, volumes in lots. ts is when a row
    is known; a feature of longer bars is the last that was known before.
    """
    from replay.inspect.phrases import time_text

    with clear_errors():
        from kernel.bars.rule import RuleError, parse_rule
        from kernel.features import FeatureError, parse_feature
        from replay.config import instant_ns
        from replay.loading import load_universe
        from replay.research import write_features

        try:
            asked = [parse_feature(name) for name in _read_names(names)]
            parse_rule(bars) if bars else None
        except (FeatureError, RuleError) as error:
            raise BadInput(str(error)) from None
        if not asked:
            raise BadInput(f"--set {names}: names no feature; write some, such as ema(12)")
        universe = load_universe(data)
        for number, instrument in enumerate(universe.instruments):
            takes = [str(one) for one in asked if "volume" in (*one.declared.inputs, one.of)]
            if takes and not universe.volume_known[number]:
                note(f"the volume of {instrument.name} is not known, which {takes[0]} takes")
        report = write_features(universe, asked, out, bars, instant_ns("from", start), instant_ns("to", end))
    if as_json:
        click.echo(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
        return
    several = f" of {report.instruments} instruments" if report.instruments > 1 else ""
    counts = f"{counted(len(report.columns), 'feature')}, {counted(report.rows, 'row')}{several}"
    click.echo(
        f"{counts}, {time_text(report.first_ts_ns)} to "
        f"{time_text(report.last_ts_ns)}, in {report.seconds:.2f} s: {report.path}"
    )


def _read_names(text: str) -> list[str]:
    from kernel.features import split_features

    if Path(text).is_file():
        lines = Path(text).read_text(encoding="utf-8").splitlines()
        text = "\n".join(line.partition("#")[0] for line in lines)
    return split_features(text)
