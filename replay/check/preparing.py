"""One strategy, loaded under watch, in a run that keeps no journal."""

import sys
from pathlib import Path

import msgspec

from replay.check.reading import ReadWatch
from replay.config import RunConfig, StrategyConfig
from replay.execution import Prepared, prepare
from replay.loading import find_strategy


def prepare_check(
    config: RunConfig,
    use: str,
    parameters: dict[str, str],
    default_data: str = "",
    *,
    alone: bool = True,
    ask_who: bool = True,
) -> tuple[Prepared, ReadWatch]:
    """Load a strategy as it is loaded for a run, noting what its file opens meanwhile.

    A strategy of the configuration with the same name keeps its settings; with ``alone`` false those beside it stay in
    the run. ``ask_who`` is for the watch. Raises what ``prepare`` raises.
    """
    data = config.data or [default_data]
    entries = [entry for entry in config.strategies if entry.use == use] or [StrategyConfig(use=use)]
    first = entries[0]
    chosen = msgspec.structs.replace(first, parameters={**first.parameters, **parameters})
    run = [chosen] if alone or first not in config.strategies else list(config.strategies)
    if len(run) > 1:
        run[run.index(first)] = chosen
    # Digests and the journal take sequences and time; neither decides anything.
    config = msgspec.structs.replace(config, data=data, strategies=run, journal="off", digest_interval=0)
    file = Path(use.partition(".py")[0] + ".py").resolve()
    watch = ReadWatch([file] if ".py" in use else [], ask_who)
    places = [Path(entry) for entry in data]
    watch.data_files([file for place in places for file in ([place] if place.is_file() else place.rglob("*.parquet"))])
    with watch.active():
        load_afresh(use)
    watch.between(True)
    prepared = prepare(config)
    watch.data_files([file.path for file in prepared.universe.files])
    return prepared, watch


def load_afresh(use: str) -> None:
    """Load a strategy's file as if it had not been loaded yet, so that what it reads then is seen."""
    stem = Path(use.partition(".py")[0]).name
    for name in [name for name in sys.modules if ".py" in use and name.startswith(f"strategy_file_{stem}_")]:
        del sys.modules[name]
    find_strategy(use)
