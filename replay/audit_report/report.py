"""Making the report: verification, one pass, the files beside the journal, the judgement, and what was not checked.

Owns the order of these and the files that are written: ``report.html``, ``report.json`` with its schema, and
``orders.parquet``, which has all orders where the report has the first ones.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from journal import VerifyReport, verify_journal
from journal.kept import kept_sizes
from journal.note import VerifierKey
from kernel.events.layout import Stored
from kernel.plurals import counted
from replay.audit_report.coverage import judge
from replay.audit_report.facts import FORMAT, AuditReport, Chain, OrderFact, Orders, OrderStep, What, When
from replay.audit_report.gather import Gathered, gather
from replay.audit_report.order_tables import ORDER_COLUMNS, order_row, schema_of
from replay.audit_report.orders import Gathering, Life, average_price, steps_of
from replay.audit_report.page import render_page
from replay.audit_report.proofs import NOT_CHECKED, chain_facts
from replay.audit_report.provenance import what_was_run
from replay.audit_report.rules import Facts
from replay.audit_report.writing import TableFile
from replay.folders import refuse_used
from replay.history import History, find_journal
from replay.inspect.names import Names
from replay.inspect.phrases import CHECK_NAMES, Phrases, iso_time
from replay.inspect.source import RUN_FILE

PAGE, FACTS, SCHEMA, ORDERS = "report.html", "report.json", "report.schema.json", "orders.parquet"
ORDERS_SHOWN = 200
Progress = Callable[[str], Callable[[int, int], None]]  # a label to what is told how far it is


def write_report(
    run: Path, out: Path, keys: Sequence[VerifierKey], progress: Progress, orders_shown: int = ORDERS_SHOWN
) -> AuditReport:
    """Write the report of a journal (a run's folder, or the journal in it) into an empty or new folder.

    A journal that is broken gets a report too: of the frames before the break, which it names. Raises ConfigError for
    a folder in use.
    """
    refuse_used(out)
    place, run_dir = find_journal(run)
    verified = verify_journal(place, progress("verify"), kept_sizes(place))
    out.mkdir(parents=True, exist_ok=True)
    made = _make(run, run_dir or place.parent, verified, out, keys, progress, orders_shown)
    (out / FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    schema = msgspec.json.encode(msgspec.json.schema(AuditReport), order="deterministic")
    (out / SCHEMA).write_bytes(msgspec.json.format(schema, indent=1) + b"\n")
    (out / PAGE).write_text(render_page(made), encoding="utf-8", newline="\n")
    return made


def _make(
    run: Path,
    run_dir: Path,
    verified: VerifyReport,
    out: Path,
    keys: Sequence[VerifierKey],
    progress: Progress,
    orders_shown: int,
) -> AuditReport:
    history = History(run, check_hashes=False)  # verified a moment ago
    with TableFile(out / ORDERS, schema_of(ORDER_COLUMNS)) as table:
        shown = _Shown(history.names, orders_shown, table)
        orders = Gathering(history.reader.genesis_id.hex(), shown.put, _no_step, shown.keep)
        found = gather(history, orders, progress("read"), _whole_frames(verified))
    chain = chain_facts(history, verified, found, keys)
    what = what_was_run(run_dir, found, verified)
    when = _when(found)
    lives = _orders(orders, shown)
    sections = found.sections()
    limits = tuple(found.limits[name] for name in sorted(found.limits))
    facts = Facts(chain, what, when, lives, limits, {section.key: section for section in sections})
    return AuditReport(
        format=FORMAT,
        run=str(run),
        chain=chain,
        what=what,
        when=when,
        orders=lives,
        limits=limits,
        sections=sections,
        degraded=found.degraded.facts(found.last_ns),
        connections=found.connections.facts(found.last_ns),
        topics=dict(sorted(found.topics.items())),
        not_checked=tuple(not_checked(chain, what, found.unknown)),
        coverage=judge(facts, "RUN"),
    )


def _whole_frames(verified: VerifyReport) -> int | None:
    """How many frames are good; None when all are."""
    return None if verified.ok else verified.frames


def _no_step(life: Life, stored: Stored) -> None:
    """The steps of orders go to the report alone."""


class _Shown:
    """The first orders with their lives, and a table of all."""

    def __init__(self, names: Names, most: int, table: TableFile) -> None:
        self._names, self._most, self._table = names, most, table
        self._phrases = Phrases(names)
        self._wanted: set[int] = set()
        self.orders: list[OrderFact] = []

    def keep(self, order_id: int) -> bool:
        """Whether the steps of an order are kept: it is among the first."""
        if order_id not in self._wanted and len(self._wanted) < self._most:
            self._wanted.add(order_id)
        return order_id in self._wanted

    def put(self, life: Life) -> None:
        """Take an order that is over."""
        self._table.add(order_row(life, self._names))
        if life.order_id in self._wanted:
            self.orders.append(self._fact(life))

    def _fact(self, life: Life) -> OrderFact:
        names, instrument = self._names, life.birth.instrument
        currency = names.currency_of(instrument)
        reason = f" ({life.reason})" if life.reason and life.check <= 0 else ""
        return OrderFact(
            order_id=life.order_id,
            client_order_id=life.client_order_id,
            at_venue=life.is_at_venue,
            instrument=names.instrument(instrument),
            strategy=names.strategy(life.birth.strategy),
            wish=self._phrases.sentence(life.birth) if not life.is_adopted else "adopted from the venue",
            cause=life.birth.cause,
            check=CHECK_NAMES.get(life.check, str(life.check)) if life.check >= 0 else "",
            outcome=life.outcome + reason,
            filled=names.quantity(life.filled_lots, instrument),
            average_price=average_price(life, names),
            fees=f"{names.money(life.fee_minor, currency)} {names.currency_name(currency)}" if life.fills else "",
            fills=life.fills,
            adopted=life.is_adopted,
            in_doubt=life.in_doubt,
            steps=tuple(
                OrderStep(
                    sequence=stored.sequence, ts_event=iso_time(stored.ts_event_ns), topic=stored.type.topic, text=text
                )
                for stored, text in steps_of(life, self._phrases)
            ),
            steps_left_out=life.step_count - len(life.steps),
        )


def _orders(found: Gathering, shown: _Shown) -> Orders:
    return Orders(
        count=found.count,
        outcomes=dict(sorted(found.outcomes.items())),
        refused_by=dict(sorted(found.refused_by.items())),
        fills=found.fills,
        adopted=found.adopted,
        in_doubt=found.in_doubt,
        without_strategy=found.without_strategy,
        events_without_order=found.unknown,
        shown=tuple(sorted(shown.orders, key=lambda order: order.order_id)),
    )


def _when(found: Gathered) -> When:
    return When(
        first_event=iso_time(found.first_ns),
        last_event=iso_time(found.last_ns),
        length_ns=found.last_ns - found.first_ns,
        sessions=len(found.sessions),
        times_that_ran_back=found.ran_back,
        finest_ns=found.grid_ns,
        clock=found.clocks.facts(),
    )


def not_checked(chain: Chain, what: What, unknown: int) -> Iterable[str]:
    """What this report did not look at, and how it can be."""
    if chain.pruned_frames:
        yield (
            f"The first {chain.pruned_frames:,} frames, before event {chain.first_sequence:,}: they were pruned. Their "
            "hashes are in the tree, their events are nowhere in this report."
        )
    if unknown:
        yield f"What {counted(unknown, 'event')} of kinds that this release does not know may say: only counted."
    yield "That the kernel's decisions follow from its inputs: they were not decided again. kernel replay RUN does."
    if chain.segments_of_rows:
        yield (
            f"The {chain.rows_by_reference:,} market rows that the journal refers to by hash: they were not read. "
            "kernel verify RUN --deep does."
        )
    yield "The recorded digests of the state: the events were not folded. kernel verify RUN --deep does."
    yield (
        "Whether the tail was cut or all of it written anew by who holds the key: that shows only against a checkpoint "
        "that somebody else has held. kernel verify RUN --against CHECKPOINT --key KEY.pub"
    )
    if any(one.signature == NOT_CHECKED for one in chain.checkpoints):
        yield "The signatures of the kept checkpoints: no key was given. kernel audit report RUN --key KEY.pub"
    if any(one.has_timestamp for one in chain.checkpoints):
        yield (
            "The timestamp tokens beside checkpoints. "
            "kernel verify NOTE --timestamp TOKEN --tsa-cert CERTIFICATE --key KEY.pub"
        )
    if not chain.checkpoints:
        yield "There is no checkpoint beside the journal, so no signature at all."
    if any(name in (RUN_FILE, "certificate.json", "live.json") for name in what.files):
        yield (
            f"{', '.join(what.files)} lie beside the journal and are not in its chain. Compared was: "
            f"{'; '.join(what.agreements) or 'nothing'}."
        )
    yield (
        "The source of strategies and of the kernel: their hashes are quoted, not compared with files of this machine."
    )
    if what.kind not in ("backtest", "paper"):
        yield "What the venue itself holds: only what it said then, as recorded."
        yield "Who sat at the keyboard: a command bears the user that the operating system named."
        yield "Whether the venue's clock is UTC: offsets are measured against it."
    yield "Storage, copies, retention, access and the security of the machine: a journal cannot say."
