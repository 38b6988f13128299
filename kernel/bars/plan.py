"""From the rules that are wanted to numbered series: what each is made of, checked against the data.

Owns the choice of the source, the series that others are made of, their order, and the events that define them.
"""

from collections.abc import Iterable, Sequence

import msgspec

from kernel.bars.rule import (
    DAY_NS,
    FROM_BARS,
    FROM_QUOTES,
    FROM_SERIES,
    FROM_TRADES,
    HEIKIN_ASHI,
    SOURCE_NAMES,
    TIME,
    VALUE,
    VOLUME,
    Rule,
    RuleError,
    format_length,
)
from kernel.events.catalogue import Event, SeriesDefined, SeriesSourceDefined
from kernel.instruments import Instrument
from kernel.tables.bars import MAX_SERIES
from kernel.units import UnitError, to_minor, to_units


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the data has of an instrument. An interval of 0: bars of no one length."""

    instrument: Instrument
    bars: bool = False
    trades: bool = False
    quotes: bool = False
    interval_ns: int = 0
    offset_ns: int = 0  # when its bars begin, from the last multiple of their interval since the epoch
    venue_span_ns: int = 0  # bars no longer than this are there for the venue alone
    sessions: bool = False
    volume_known: bool = True


class SeriesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One series with its number; ``rule`` is its text."""

    number: int
    instrument: int
    rule: str
    leaf: int  # what it is made of in the end: one of FROM_*
    defined: SeriesDefined
    source: SeriesSourceDefined

    @property
    def events(self) -> tuple[Event, Event]:
        """What defines it in a journal."""
        return self.defined, self.source


def plan_series(
    wanted: Iterable[tuple[int, Rule]], facts: Sequence[DataFacts], grace_ns: int = 0
) -> tuple[SeriesPlan, ...]:
    """The series of all wanted pairs ``(instrument, rule)``, each once, with those that they are made of.

    By instrument; time bars by length, then the others in the order in which they are wanted. ``grace_ns`` is how long
    time bars wait for their last input. Raises RuleError.
    """
    rules: dict[int, list[Rule]] = {}
    for instrument, rule in wanted:
        _add(rules.setdefault(instrument, []), rule)
    plans: list[SeriesPlan] = []
    for instrument in sorted(rules):
        first = len(plans)
        ordered = sorted(rules[instrument], key=_order)
        for rule in ordered:
            try:
                plans.append(_plan(len(plans), instrument, rule, plans[first:], facts[instrument], grace_ns))
            except (RuleError, UnitError) as error:
                raise RuleError(f"{rule} of {facts[instrument].instrument.name}: {error}") from None
    if len(plans) > MAX_SERIES:
        raise RuleError(f"{len(plans)} series of bars are more than the kernel holds ({MAX_SERIES}); split the run")
    return tuple(plans)


def _add(rules: list[Rule], rule: Rule) -> None:
    if rule.parent is not None:
        _add(rules, rule.parent)
    if rule not in rules:
        rules.append(rule)


def _order(rule: Rule) -> tuple[int, int, str]:
    """Time bars by length; the others keep their order behind them."""
    return (0, int(rule.amount) or DAY_NS, str(rule)) if rule.kind == TIME else (1, 0, "")


def _plan(
    number: int, instrument: int, rule: Rule, before: Sequence[SeriesPlan], facts: DataFacts, grace_ns: int
) -> SeriesPlan:
    parent = None
    if rule.parent is not None:
        text = str(rule.parent)
        parent = next(plan for plan in before if plan.rule == text)
    source = FROM_SERIES if parent is not None else rule.source or _automatic(facts)
    leaf = parent.leaf if parent is not None else source
    _check_source(rule, source, leaf, facts)
    from_bars, of_bars = int(leaf == FROM_BARS), source == FROM_BARS
    size = _size(rule, facts.instrument)
    if rule.kind == TIME and grace_ns and grace_ns >= (size or DAY_NS):
        raise RuleError(f"they cannot wait {grace_ns:,} ns for their last input, which is not shorter than they are")
    wait_ns = (grace_ns + from_bars) if rule.kind == TIME else 0
    return SeriesPlan(
        number=number,
        instrument=instrument,
        rule=str(rule),
        leaf=leaf,
        defined=SeriesDefined(number, rule.kind, size, int(rule.session), rule.span, rule.least, rule.most),
        source=SeriesSourceDefined(
            number,
            source,
            parent.number if parent is not None else -1,
            from_bars,
            facts.interval_ns if of_bars else 0,
            facts.venue_span_ns if of_bars else 0,
            wait_ns,
        ),
    )


def _automatic(facts: DataFacts) -> int:
    """Bars where there are some, else trades, else quotes."""
    if facts.bars:
        return FROM_BARS
    return FROM_TRADES if facts.trades else FROM_QUOTES


def _check_source(rule: Rule, source: int, leaf: int, facts: DataFacts) -> None:
    have = {FROM_BARS: facts.bars, FROM_TRADES: facts.trades, FROM_QUOTES: facts.quotes, FROM_SERIES: True}
    if not have[source]:
        listed = [SOURCE_NAMES[one] for one in (FROM_BARS, FROM_TRADES, FROM_QUOTES) if have[one]]
        raise RuleError(f"the data has no {SOURCE_NAMES[source]} of it, but {' and '.join(listed) or 'no prices'}")
    if rule.session and not facts.sessions:
        raise RuleError("the data has no sessions of it; import it with --calendar, or take bars without 'session'")
    if rule.needs_volume and (leaf == FROM_QUOTES or not facts.volume_known):
        why = "quotes have no volume" if leaf == FROM_QUOTES else "the volume of its data is not known"
        raise RuleError(f"{why}, which this rule counts")
    if rule.kind == TIME and source == FROM_BARS and rule.amount and facts.interval_ns:
        _check_length(rule, facts)


def _check_length(rule: Rule, facts: DataFacts) -> None:
    length_ns, interval_ns = int(rule.amount), facts.interval_ns
    if length_ns % interval_ns:
        raise RuleError(
            f"the data has bars of {format_length(interval_ns)}, of which {format_length(length_ns)} is not a multiple"
        )
    if facts.offset_ns and not rule.session:
        hint = f"take {format_length(length_ns)} session" if facts.sessions else "take other data"
        raise RuleError(
            f"the data's bars of {format_length(interval_ns)} begin {format_length(facts.offset_ns)} past multiples "
            f"of their length since 1970, so they do not fit into these; {hint}"
        )


def _size(rule: Rule, instrument: Instrument) -> int:
    if rule.kind == VALUE:
        return to_minor(rule.amount, instrument.scale)
    if rule.kind == VOLUME:
        return to_units(rule.amount, instrument.lot_size)
    assert rule.kind == HEIKIN_ASHI or rule.amount == int(rule.amount)
    return int(rule.amount)
