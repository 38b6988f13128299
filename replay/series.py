"""The series of bars of a run: which are wanted, and by whom they are heard.

Owns what the kernel is told of the data for it; the kernel decides what each series is made of.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from kernel.bars.plan import DataFacts, SeriesPlan, plan_series
from kernel.bars.rule import Rule, RuleError, parse_rule
from kernel.features.name import DATA
from kernel.market import BAR, QUOTE, SESSION, TRADE, WEIGHT
from kernel.naming import near_name
from replay.catalogue.files import open_parquet
from replay.config import RunConfig, SettingError, length_ns, located
from replay.loading import LoadedStrategy, Universe

Heard = tuple[tuple[int, int], ...]  # number of a series, place among the rules of the strategy


class SeriesCount(msgspec.Struct, frozen=True):
    """What became of a series: its bars, those with gaps, and the inputs that are in none of them."""

    instrument: str
    rule: str
    bars: int
    gaps: int
    late: int
    straddling: int
    outside: int


def count_series(series: Sequence[SeriesPlan], universe: Universe, state: Any) -> tuple[SeriesCount, ...]:
    """What the state says of each series."""
    fields = ("bar_count", "gap_count", "late_count", "straddle_count", "outside_count")
    return tuple(
        SeriesCount(
            universe.instruments[one.instrument].name,
            one.rule,
            *(int(state.series[one.number][name]) for name in fields),
        )
        for one in series
    )


MINUTE_NS = 60_000_000_000  # the length of the bars that venues send


@cache
def first_open_ns(path: Path, content: str) -> int:
    """When the first bar of a catalogue file opens; ``content`` tells one content of the file from another."""
    with open_parquet(path) as parquet:
        return int(parquet.read_row_group(0, columns=["ts_open"]).column(0)[0].as_py())


def data_facts(universe: Universe) -> tuple[DataFacts, ...]:
    """What the data has of each instrument, in the order of their numbers."""
    facts = []
    for number, instrument in enumerate(universe.instruments):
        files = [file for file in universe.files if file.instrument.name == instrument.name]
        venue_span_ns = universe.finer_spans_ns[number] if universe.finer_spans_ns else 0
        bars = [file for file in files if file.kind == BAR and not 0 < file.interval_ns <= venue_span_ns]
        interval_ns = bars[0].interval_ns if bars else 0
        heard = {file.kind for file in files if venue_span_ns == 0}
        known = all(file.volume_known for file in files if file.kind != WEIGHT)
        if universe.feeds:
            heard, interval_ns = set(universe.feeds), MINUTE_NS if BAR in universe.feeds else 0
        facts.append(
            DataFacts(
                instrument=instrument,
                bars=bool(bars) or BAR in universe.feeds,
                trades=TRADE in heard,
                quotes=QUOTE in heard,
                interval_ns=interval_ns,
                offset_ns=first_open_ns(bars[0].path, bars[0].source_sha256) % interval_ns
                if bars and interval_ns
                else 0,
                venue_span_ns=venue_span_ns,
                sessions=any(file.kind == SESSION for file in files),
                volume_known=known,
            )
        )
    return tuple(facts)


def plan_run_series(
    config: RunConfig, universe: Universe, strategies: Sequence[LoadedStrategy]
) -> tuple[SeriesPlan, ...]:
    """All series of a run; none without rules. Raises ConfigError."""
    with located(config.places):
        wanted = [*_by_strategies(strategies), *_by_settings(config, universe)]
        if not wanted:
            return ()
        grace_ns = length_ns("bar_grace", config.bar_grace)
        setting = "bars" if config.bars else "series.0.rule" if config.series else "strategy"
        try:
            return plan_series(wanted, data_facts(universe), grace_ns)
        except RuleError as error:
            raise SettingError(setting, f"cannot be used: {error}") from None


def _by_strategies(strategies: Sequence[LoadedStrategy]) -> list[tuple[int, Rule]]:
    return [
        (instrument, parse_rule(rule))
        for strategy in strategies
        for rule in (*strategy.bars, *(one.series for one in strategy.features if one.series))
        for instrument in strategy.instruments
    ]


def _by_settings(config: RunConfig, universe: Universe) -> list[tuple[int, Rule]]:
    wanted = []
    for number, entry in enumerate(config.series):
        for name in entry.instruments:
            if name not in universe.ids:
                hint = near_name(name, universe.ids, f"the data has {', '.join(universe.ids)}")
                raise SettingError(f"series.{number}.instruments", f"no data for instrument {name!r}; {hint}")
        names = entry.instruments or list(universe.ids)
        wanted += [(universe.ids[name], parse_rule(entry.rule)) for name in names]
    rules = [one.series for one in config.features.parsed if one.series not in ("", DATA)]
    wanted += [(number, parse_rule(rule)) for rule in rules for number in range(len(universe.instruments))]
    return wanted


def heard_series(strategy: LoadedStrategy, series: Sequence[SeriesPlan]) -> Heard:
    """The series whose bars a strategy hears, each with its place among the strategy's own rules."""
    places = {rule: place for place, rule in enumerate(strategy.bars)}
    return tuple(
        (one.number, places[one.rule])
        for one in series
        if one.rule in places and one.instrument in strategy.instruments
    )


def resolved_series(series: Sequence[SeriesPlan], universe: Universe) -> list[dict[str, Any]]:
    """The series as plain values, for the resolved configuration."""
    return [
        {
            "instrument": universe.instruments[one.instrument].name,
            "rule": one.rule,
            "wait_ns": one.source.wait_ns,
            "source": one.source.source,
        }
        for one in series
    ]
