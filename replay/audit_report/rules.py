"""The rules that judge a requirement by the facts of a journal: a verdict, and why.

Owns what is looked at for each. What depends on people, places or contracts is at most ``ALONE``.
"""

from collections.abc import Callable
from typing import NamedTuple

from kernel.plurals import counted
from replay.audit_report.facts import Chain, Clock, Limit, Orders, Section, What, When
from replay.inspect.phrases import duration_text

MET, NOT_MET, ALONE, NOT_APPLICABLE = "met", "not met", "not met by the software alone", "not applicable"
MILLISECOND_NS = 1_000_000


class Facts(NamedTuple):
    """What rules may look at."""

    chain: Chain
    what: What
    when: When
    orders: Orders
    limits: tuple[Limit, ...]
    sections: dict[str, Section]

    def limited_by(self, *names: str) -> list[Limit]:
        """The limits of these names that are in force."""
        return [limit for limit in self.limits if limit.name in names]


Judged = tuple[str, str]


def _chain(facts: Facts) -> Judged:
    chain = facts.chain
    if not chain.is_whole:
        return NOT_MET, f"The chain is broken: {chain.problem}"
    return MET, (
        f"Records are only added: each of the {chain.frames:,} frames carries the hash of the one before it, and all "
        "of them verify. A correction is a new event."
    )


def _times(facts: Facts) -> Judged:
    if facts.when.times_that_ran_back:
        return NOT_MET, f"At {facts.when.times_that_ran_back:,} events the time runs back."
    return MET, "Each event has the time at which it happened and the time at which it was known; none runs back."


def _persons(facts: Facts) -> Judged:
    commands = facts.sections["commands"]
    unnamed = sum(not row.who.strip() for row in commands.rows)
    if unnamed:
        return NOT_MET, f"{counted(unnamed, 'command')} without the name of a user."
    told = counted(commands.count, "command") if commands.count else "No command was given; they would be recorded"
    return (
        ALONE,
        f"{told}, each with the user that the operating system named; that a person stands behind it is the "
        "operator's.",
    )


def _authentic(facts: Facts) -> Judged:
    chain = facts.chain
    if not chain.is_whole:
        return NOT_MET, f"The chain is broken: {chain.problem}"
    wrong = [one for one in chain.checkpoints if not one.is_of_this_journal]
    if wrong:
        return NOT_MET, f"{len(wrong)} of the kept checkpoints are not of this journal as it is now."
    if not chain.checkpoints:
        return ALONE, "The bytes verify, but nothing was signed: whoever holds the files could have written them anew."
    good = [one for one in chain.checkpoints if one.signature.startswith("good")]
    if not good:
        return (
            ALONE,
            "There are signed checkpoints that fit; their signatures were not checked here, as no key was given.",
        )
    return ALONE, (
        f"{counted(len(good), 'good signature')}, up to frame {max(one.frames for one in good):,}. That another party "
        "holds one, without which a rewrite by the key holder is not seen, is the operator's."
    )


def _verified(facts: Facts) -> Judged:
    chain = facts.chain
    if not chain.is_whole:
        return NOT_MET, f"Verification found: {chain.problem}"
    return MET, (
        f"Verified for this report: {chain.bytes:,} bytes. Every opening of a journal verifies it, and "
        f"{chain.state_digests:,} digests of the state stand in it, which a fold compares."
    )


def _linkage(facts: Facts) -> Judged:
    orders = facts.orders
    return MET, (
        f"{orders.count:,} orders: each event names its order, its cause and the order's name at the venue, by which "
        "the venue's report is found."
    )


def _cautious_limits(facts: Facts) -> Judged:
    wanted = (
        "limits.order_notional_minor",
        "limits.position_notional_minor",
        "risk.orders_per_minute",
        "risk.positions",
    )
    found = facts.limited_by(*wanted)
    missing = len(wanted) - len(found)
    if missing:
        return (
            NOT_MET,
            f"{missing} of 4 such limits were not in force: order value, position value, orders a minute, positions.",
        )
    return (
        ALONE,
        "Limits of order and position value, number of orders and of positions were in force; that they are cautious "
        "is the operator's.",
    )


def _changes(facts: Facts) -> Judged:
    count = facts.sections["definitions"].count
    return ALONE, (
        f"{count:,} definitions or limits changed after the opening; each session names its version, configuration and "
        "the hashes of its strategies. Review and approval are the operator's."
    )


def _kill(facts: Facts) -> Judged:
    asked = facts.sections["kill"].count
    told = f"It was used: {counted(asked, 'event')}" if asked else "It was not used in this journal"
    return (
        MET,
        f"The kill switch cancels all orders of the session, or flattens, at one command. {told}. One session is one "
        "venue.",
    )


def _responsible(facts: Facts) -> Judged:
    orders = facts.orders
    if orders.without_strategy:
        return NOT_MET, f"{counted(orders.without_strategy, 'order')} without a strategy."
    return ALONE, (
        f"Each of the {orders.count:,} orders names its strategy; {orders.adopted:,} were not the kernel's, and are in "
        "a book of their own. Trader, desk and client are not known here."
    )


def _surveillance(facts: Facts) -> Judged:
    own = facts.limited_by("risk.refuse_self_trade")
    told = (
        "Trades with oneself are refused" if own else "Trades with oneself are not refused (refuse_self_trade is off)"
    )
    return NOT_MET, f"{told}; there is no other surveillance for market abuse."


def _in_force(*names: str) -> Callable[[Facts], Judged]:
    def rule(facts: Facts) -> Judged:
        found = facts.limited_by(*names)
        if not found:
            return NOT_MET, f"No such limit was in force in this journal; it would be {' or '.join(names)}."
        return MET, "In force: " + ", ".join(f"{one.name} = {one.text} (event {one.sequence:,})" for one in found) + "."

    return rule


def _exceptions(facts: Facts) -> Judged:
    resets = sum(row.topic == "risk.kill_reset" for row in facts.sections["kill"].rows)
    return ALONE, (
        "No order passes what a check refused; only the kill switch can be reset, with a reason and a user "
        f"({counted(resets, 'time')}). That risk management has verified it is the operator's."
    )


def _reconciled(facts: Facts) -> Judged:
    done, differences = facts.sections["reconciliations"].count, facts.sections["differences"].count
    if not done:
        return NOT_MET, "No comparison with the venue went through."
    return (
        MET,
        f"{counted(done, 'comparison')} with the venue, {counted(differences, 'difference')}, each with its repair.",
    )


def _granularity(facts: Facts) -> Judged:
    grid = facts.when.finest_ns
    if 0 < grid <= 1000:
        return MET, f"Times are recorded in nanoseconds; all recorded ones are multiples of {grid:,} ns."
    if 0 < grid <= MILLISECOND_NS:
        return (
            MET,
            f"Recorded in nanoseconds; the recorded times are multiples of {grid:,} ns: enough but for high-frequency "
            "trading.",
        )
    return NOT_MET, f"All recorded times are multiples of {duration_text(grid)}."


def _clock(limit_ns: int) -> Callable[[Facts], Judged]:
    def rule(facts: Facts) -> Judged:
        return judge_clock(facts.when.clock, limit_ns)

    return rule


def judge_clock(clock: Clock | None, limit_ns: int) -> Judged:
    """The measured offsets against a limit: met by the measurements, surely passed, or too coarse to say."""
    limit = f"{limit_ns // 1000:,} microseconds" if limit_ns < MILLISECOND_NS else f"{limit_ns // MILLISECOND_NS:,} ms"
    if clock is None:
        return NOT_MET, "The clock was never measured."
    measured = counted(clock.measurements, "measurement")
    largest = f"{measured}, the largest offset {clock.largest_offset_ns:,} ns (event {clock.largest_sequence:,})"
    over = next((one for one in clock.limits if one.limit_ns == limit_ns), None)
    if abs(clock.largest_offset_ns) - clock.largest_round_trip_ns // 2 > limit_ns or (over and over.surely_over_ns):
        return NOT_MET, f"{largest}: surely more than {limit} from the venue's clock."
    if over is None or over.perhaps_over_ns or clock.measured_for_ns == 0:
        return NOT_MET, (
            f"Not shown: {largest}; at the best an offset is known to {clock.finest_bound_ns:,} ns, as a question to "
            f"the venue takes its time. Whether the clock is within {limit} must be shown by the operator's own time "
            "service."
        )
    return (
        ALONE,
        f"{largest}: within {limit} of the venue's clock. That the venue's clock is UTC is for the venue and the "
        "operator to show.",
    )


RULES: dict[str, Callable[[Facts], Judged]] = {
    "chain": _chain,
    "times": _times,
    "persons": _persons,
    "authentic": _authentic,
    "verified": _verified,
    "linkage": _linkage,
    "cautious_limits": _cautious_limits,
    "changes": _changes,
    "kill": _kill,
    "responsible": _responsible,
    "surveillance": _surveillance,
    "price_collar": _in_force("limits.price_band_rate", "risk.book_band_bps"),
    "order_value": _in_force("limits.order_notional_minor"),
    "order_volume": _in_force("limits.order_lots", "risk.fat_finger_multiple", "risk.volume_multiple"),
    "throttle": _in_force("risk.orders_per_minute", "risk.orders_per_symbol_day", "risk.duplicate_window"),
    "risk_limits": _in_force(
        "limits.position_notional_minor", "risk.total_exposure", "risk.symbol_exposure", "risk.leverage",
        "risk.daily_loss_percent", "risk.drawdown_percent",
    ),
    "exceptions": _exceptions,
    "reconciled": _reconciled,
    "granularity": _granularity,
    "clock_1ms": _clock(MILLISECOND_NS),
    "clock_100us": _clock(100_000),
    "clock_50ms": _clock(50_000_000),
}  # fmt: skip
