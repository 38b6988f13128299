"""Finding what a configuration names: catalogue files and strategies.

Owns the search in folders, the numbering of instruments, and the loading of strategy files. Instruments are numbered
in the order of their names, so neither the order of paths nor the split into files changes anything.
"""

import hashlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from kernel.features.name import DATA, Feature
from kernel.instruments import Instrument
from kernel.market import BAR, KIND_NAMES, LEVEL, MODEL, QUOTE, SESSION, TRADE, WEIGHT
from kernel.naming import near_name
from kernel.strategy.declare import (
    CompiledStrategy,
    StrategyError,
    named_features,
    named_rules,
    resolve_parameters,
)
from kernel.strategy.python import Strategy, parameter_defaults, strategy_name
from replay.catalogue import CatalogueFile, open_file
from replay.config import Bars, ConfigError, SettingError, StrategyConfig, read_rules
from replay.sources import import_file
from strategies import BUILT_IN

FACTS = (SESSION, LEVEL)  # what is known of an instrument beside its prices
WITHOUT_PRICES = (*FACTS, WEIGHT, MODEL)


class Universe(msgspec.Struct, frozen=True):
    """The instruments of a run in the order of their numbers, and the files that hold their data."""

    instruments: tuple[Instrument, ...]
    volume_known: tuple[bool, ...]
    files: tuple[CatalogueFile, ...]
    finer_spans_ns: tuple[int, ...] = ()  # of the data that is there for the venue alone; 0 for none
    feeds: tuple[int, ...] = ()  # of a live session: the kinds of rows that come, of every instrument; no files then

    @property
    def ids(self) -> dict[str, int]:
        """Instrument name to number."""
        return {instrument.name: number for number, instrument in enumerate(self.instruments)}


class LoadedStrategy(msgspec.Struct, frozen=True):
    """A strategy with its resolved parameters and the numbers of its instruments."""

    name: str
    source: CompiledStrategy | type[Strategy]
    source_file: Path
    parameters: dict[str, int | float]
    instruments: tuple[int, ...]
    bars: tuple[str, ...] = ()  # the rules of the series that it hears instead of the data's own bars
    features: tuple[Feature, ...] = ()  # each with its series; an empty one is the data's own bars

    @property
    def source_sha256(self) -> str:
        """SHA-256 of the file that holds the strategy."""
        return hashlib.sha256(self.source_file.read_bytes()).hexdigest()


def load_universe(paths: Sequence[str], finer_paths: Sequence[str] = ()) -> Universe:
    """Open all catalogue files at ``paths`` (files, or folders that are searched). Raises ConfigError.

    ``finer_paths`` name finer data of the same instruments, which the venue sees and strategies do not.
    """
    universe = _load_heard(paths)
    if not finer_paths:
        return universe
    opened = [open_file(path) for path in _expand(finer_paths)]
    finer = [file for file in opened if file.kind not in FACTS]
    spans = [0] * len(universe.instruments)
    for file in finer:
        name = file.instrument.name
        if name not in universe.ids:
            raise ConfigError(f"venue.finer: {file.path}: the data has no bars of {name}; name some, or leave this out")
        coarse = [heard for heard in universe.files if heard.instrument.name == name and heard.kind not in FACTS]
        if any(heard.instrument != file.instrument for heard in coarse):
            raise ConfigError(f"venue.finer: {file.path}: {name} is another instrument there (tick, lot or currency)")
        if any(heard.kind != BAR or 0 < heard.interval_ns <= file.interval_ns for heard in coarse):
            raise ConfigError(f"venue.finer: {file.path}: the data of {name} is not bars that are longer than these")
        if file.kind not in (BAR, TRADE, QUOTE) or (file.kind == BAR and not file.interval_ns):
            raise ConfigError(f"venue.finer: {file.path}: finer data is trades, quotes, or bars of one length")
        number = universe.ids[name]
        spans[number] = max(spans[number], file.interval_ns, 1)
    ordered = sorted(finer, key=lambda file: (file.instrument.name, file.kind, file.first_ts_ns, str(file.path)))
    known = tuple(
        all(file.volume_known for file in ordered if file.instrument.name == name) and universe.volume_known[number]
        for name, number in universe.ids.items()
    )
    # At one time what is finer comes first: the tape asks which file was given earlier.
    files = (*ordered, *universe.files)
    return msgspec.structs.replace(universe, files=files, volume_known=known, finer_spans_ns=tuple(spans))


def _load_heard(paths: Sequence[str]) -> Universe:
    files = _with_sessions([open_file(path) for path in _expand(paths)])
    by_name: dict[str, list[CatalogueFile]] = {}
    for file in files:
        by_name.setdefault(file.instrument.name, []).append(file)
    for name, group in by_name.items():
        if any(file.instrument != group[0].instrument for file in group):
            raise ConfigError(f"the files of {name} disagree about the instrument (tick, lot, currency or multiplier)")
        intervals = {file.interval_ns for file in group if file.interval_ns}
        if len(intervals) > 1:
            raise ConfigError(f"{name} has bars of {len(intervals)} intervals; name the files of one of them")
    names = sorted(by_name)
    instruments = tuple(by_name[name][0].instrument for name in names)
    for name in names:
        if all(file.kind in WITHOUT_PRICES for file in by_name[name]):
            what = KIND_NAMES[by_name[name][0].kind]
            raise ConfigError(f"there are {what} for {name}, but no prices; name its data too, or leave it out")
    known = tuple(all(file.volume_known for file in by_name[name] if file.kind != WEIGHT) for name in names)
    ordered = sorted(files, key=lambda file: (file.instrument.name, file.kind, file.first_ts_ns, str(file.path)))
    return Universe(instruments, known, tuple(ordered))


def _with_sessions(files: list[CatalogueFile]) -> list[CatalogueFile]:
    """The files, and those with the sessions of instruments that have a calendar, which lie beside them."""
    have = {file.instrument.name for file in files if file.kind == SESSION}
    added: dict[str, CatalogueFile] = {}
    for file in files:
        name, calendar = file.instrument.name, file.instrument.calendar
        path = file.path.parent / f"{KIND_NAMES[SESSION]}.parquet"
        if calendar and name not in have and name not in added:
            if not path.is_file():
                raise ConfigError(f"{path}: no such file; import {name} again with --calendar {calendar} to make it")
            added[name] = open_file(path)
    return [*files, *added.values()]


def _expand(paths: Sequence[str]) -> Iterable[Path]:
    for entry in paths:
        path = Path(entry)
        if path.is_dir():
            found = sorted(path.rglob("*.parquet"))
            if not found:
                raise ConfigError(f"{path}: no Parquet file in this folder; make one with kernel data import")
            yield from found
        else:
            yield path


def load_strategies(
    configs: Sequence[StrategyConfig], universe: Universe, bars: Bars = ""
) -> tuple[LoadedStrategy, ...]:
    """Load each strategy and resolve its parameters and instruments. Raises StrategyError or ConfigError.

    ``bars`` are the rules of bars for those that name none.
    """
    return tuple(_load_strategy(number, config, universe, bars) for number, config in enumerate(configs))


def _load_strategy(number: int, config: StrategyConfig, universe: Universe, run_bars: Bars) -> LoadedStrategy:
    found, file = find_strategy(config.use)
    if isinstance(found, CompiledStrategy):
        name, defaults = found.name, found.defaults
    else:
        name, defaults = strategy_name(found), parameter_defaults(found)
    ids = universe.ids
    for wanted in config.instruments:
        if wanted not in ids:
            hint = near_name(wanted, ids, f"the data has {', '.join(ids)}")
            raise SettingError(
                f"strategy.{number}.instruments", f"of {name}: no data for instrument {wanted!r}; {hint}"
            )
    numbers = sorted(ids[wanted] for wanted in config.instruments) or list(ids.values())
    parameters = resolve_parameters(name, defaults, config.parameters)
    if isinstance(found, CompiledStrategy):  # what indicators do not take is refused here, before anything is made
        found.memory_words(parameters)
        found.warm_up_bars(parameters)
    rules = named_rules(name, found.bars, parameters)
    if config.bars and rules:
        raise SettingError(
            f"strategy.{number}.bars", f"is given, but {name} asks for bars of its own: {', '.join(rules)}"
        )
    if not rules:
        with_setting = f"strategy.{number}.bars" if config.bars else "bars"
        rules = read_rules(with_setting, config.bars or run_bars)
    features = _features_of(named_features(name, found.features, parameters), rules)
    return LoadedStrategy(config.name or name, found, file, parameters, tuple(numbers), rules, features)


def _features_of(asked: tuple[Feature, ...], rules: tuple[str, ...]) -> tuple[Feature, ...]:
    """The features with the series that they are of: where none is named, the first one that the strategy hears."""
    own = rules[0] if rules else ""
    return tuple(msgspec.structs.replace(one, series="" if one.series == DATA else one.series or own) for one in asked)


def find_strategy(use: str) -> tuple[CompiledStrategy | type[Strategy], Path]:
    """The strategy that ``use`` names (built-in, or ``FILE.py[:NAME]``) and its file. Raises StrategyError."""
    path, _, wanted = use.partition(".py")
    if ".py" not in use:
        if use not in BUILT_IN:
            hint = near_name(use, BUILT_IN, f"built in: {', '.join(BUILT_IN)}; or name a FILE.py")
            raise StrategyError(f"no strategy {use!r}; {hint}")
        module = importlib.import_module(f"strategies.{use}")
        return getattr(module, use), Path(str(module.__file__))
    file = Path(path + ".py").resolve()
    candidates = _strategies_of(_import_file(file))
    if wanted:
        candidates = {name: found for name, found in candidates.items() if name == wanted.removeprefix(":")}
    if len(candidates) != 1:
        listed = ", ".join(candidates) or "none" if not wanted else f"none called {wanted.removeprefix(':')}"
        raise StrategyError(f"{file}: one strategy is needed, found {listed}; name it as {file.name}:NAME")
    return next(iter(candidates.values())), file


def _import_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise StrategyError(f"{file}: no such strategy file")
    # The name binds the content, so that numba's cache finds the module again and never a stale one.
    name = f"strategy_file_{file.stem}_{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    try:
        return import_file(name, file)
    except StrategyError:
        raise
    except Exception as error:
        raise StrategyError(f"{file}: cannot be imported: {type(error).__name__}: {error}") from error


def _strategies_of(module: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        compiled = isinstance(value, CompiledStrategy)
        owner = value.function.__module__ if compiled else getattr(value, "__module__", "")
        is_class = isinstance(value, type) and issubclass(value, Strategy)
        if (compiled or is_class) and owner == module.__name__:
            found[name] = value
    return found
