"""The record: 128 bytes that hold any event, and the codec between records and event objects.

Owns the fixed-width layout and what is derived from the catalogue for compiled code: for each event type a
``words`` tuple of word positions (``FILLED.price_ticks`` is the position of that field in a record's ``words``).

The header carries what all events share. ``cause`` is the sequence of the event that led to this one; instrument,
strategy and account are -1 where none applies. A record with the ``HAS_BODY`` flag has a body in its frame.
"""

import hashlib
import struct
from collections import namedtuple
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
import numpy as np

from kernel.events import catalogue
from kernel.events.catalogue import Event, EventType, by_class, by_kind, event_types
from kernel.records import record_dtype

WORDS = 10
HAS_BODY = 1
RECORD = record_dtype(
    sequence="<i8",
    ts_event_ns="<i8",
    ts_ingest_ns="<i8",
    cause="<i8",
    kind="<u2",
    version="u1",
    flags="u1",
    instrument="<i4",
    strategy="<i4",
    account="<i4",
    words=("<i8", WORDS),
)
assert RECORD.itemsize == 128
HEADER_FIELDS = tuple(name for name in RECORD.names or () if name != "words")


def word_positions(cls: type[Event]) -> Any:
    """A named tuple ``(kind, <field>...)``: the kind number, then each field's position in the words."""
    kind = by_class(cls)
    fields = kind.fields
    assert len(fields) <= WORDS, f"{kind.name} has more than {WORDS} fields"
    make: Any = namedtuple  # mypy wants a literal; the catalogue is where the names are
    return make(kind.name, ("kind", *fields))(kind.kind, *range(len(fields)))


RUN_OPENED = word_positions(catalogue.RunOpened)
CURRENCY = word_positions(catalogue.CurrencyDefined)
INSTRUMENT = word_positions(catalogue.InstrumentDefined)
STRATEGY = word_positions(catalogue.StrategyDefined)
LIMITS = word_positions(catalogue.LimitsSet)
DEPOSIT = word_positions(catalogue.CashDeposited)
VENUE = word_positions(catalogue.VenueConfigured)
BAR_CLOSED = word_positions(catalogue.BarClosed)
TRADE_SEEN = word_positions(catalogue.TradeSeen)
QUOTE_SEEN = word_positions(catalogue.QuoteSeen)
DEPTH_CHANGED = word_positions(catalogue.DepthChanged)
SESSION_CHANGED = word_positions(catalogue.SessionChanged)
FUNDING_DUE = word_positions(catalogue.FundingDue)
STATUS_CHANGED = word_positions(catalogue.StatusChanged)
CORPORATE_ACTION = word_positions(catalogue.CorporateAction)
RATE_SET = word_positions(catalogue.RateSet)
LEVEL_SET = word_positions(catalogue.LevelSet)
SEGMENT = word_positions(catalogue.DataSegment)
TIMER_SET = word_positions(catalogue.TimerSet)
TIMER_FIRED = word_positions(catalogue.TimerFired)
HALTED = word_positions(catalogue.TradingHalted)
RESUMED = word_positions(catalogue.TradingResumed)
INTENDED = word_positions(catalogue.OrderIntended)
CHECKED = word_positions(catalogue.RiskChecked)
ACCEPTED = word_positions(catalogue.OrderAccepted)
REJECTED = word_positions(catalogue.OrderRejected)
FILLED = word_positions(catalogue.OrderFilled)
CANCELED = word_positions(catalogue.OrderCanceled)
EXPIRED = word_positions(catalogue.OrderExpired)
CANCEL_REQUESTED = word_positions(catalogue.CancelRequested)
REPLACE_REQUESTED = word_positions(catalogue.ReplaceRequested)
REPLACED = word_positions(catalogue.OrderReplaced)
REQUEST_REFUSED = word_positions(catalogue.RequestRefused)
ORDER_TERMS = word_positions(catalogue.OrderTerms)
RATE_STATED = word_positions(catalogue.RateStated)
RELEASED = word_positions(catalogue.OrderReleased)
REQUEST_REJECTED = word_positions(catalogue.RequestRejected)
GROUP_BROKEN = word_positions(catalogue.GroupBroken)
POSITION_CHANGED = word_positions(catalogue.PositionChanged)
TRADE_CLOSED = word_positions(catalogue.TradeClosed)
ACCOUNT_DEFINED = word_positions(catalogue.AccountDefined)
BOOK_ASSIGNED = word_positions(catalogue.BookAssigned)
RATE_SOURCE = word_positions(catalogue.RateSourceDefined)
SIGNAL = word_positions(catalogue.SignalEmitted)
TARGET_SET = word_positions(catalogue.PortfolioTarget)
EXIT_TRIGGERED = word_positions(catalogue.ExitTriggered)
CROSSED = word_positions(catalogue.OrderCrossed)
WEIGHT_SET = word_positions(catalogue.WeightSet)
SIZING_PLAN_SET = word_positions(catalogue.SizingPlanSet)
EXIT_PLAN_SET = word_positions(catalogue.ExitPlanSet)
EXIT_RUNG_SET = word_positions(catalogue.ExitRungSet)
PORTFOLIO_PLAN_SET = word_positions(catalogue.PortfolioPlanSet)
RULE_SET = word_positions(catalogue.RiskRuleSet)
SECTOR_ASSIGNED = word_positions(catalogue.SectorAssigned)
CORRELATION_SET = word_positions(catalogue.CorrelationSet)
MODE_SET = word_positions(catalogue.TradingModeSet)
KILL_REQUESTED = word_positions(catalogue.KillSwitchRequested)
KILL_RESET = word_positions(catalogue.KillSwitchReset)
KILL_TRIPPED = word_positions(catalogue.KillSwitchTripped)
ENTRIES_STOPPED = word_positions(catalogue.EntriesStopped)
VENUE_POSITION = word_positions(catalogue.VenuePositionReported)
TERMS = word_positions(catalogue.TermsSet)
MARGIN_TIER = word_positions(catalogue.MarginTierSet)
INTEREST_SET = word_positions(catalogue.InterestSet)
ACCRUAL_SET = word_positions(catalogue.AccrualSet)
MARGIN_RULES = word_positions(catalogue.MarginRulesSet)
FUNDING_PAID = word_positions(catalogue.FundingPaid)
DIVIDEND_PAID = word_positions(catalogue.DividendPaid)
SPLIT_APPLIED = word_positions(catalogue.SplitApplied)
BORROW_PAID = word_positions(catalogue.BorrowPaid)
INTEREST_PAID = word_positions(catalogue.InterestPaid)
ACCRUAL_DONE = word_positions(catalogue.AccrualDone)
CONVERTED = word_positions(catalogue.CurrencyConverted)
ADJUSTED = word_positions(catalogue.CashAdjusted)
SETTLED = word_positions(catalogue.ContractSettled)
CONTRACT_EXPIRED = word_positions(catalogue.ContractExpired)
MARGIN_CALLED = word_positions(catalogue.MarginCalled)
MARGIN_RESTORED = word_positions(catalogue.MarginRestored)
LIQUIDATION_STARTED = word_positions(catalogue.LiquidationStarted)
LIQUIDATION_ENDED = word_positions(catalogue.LiquidationEnded)
LIQUIDATION_FEE = word_positions(catalogue.LiquidationFeePaid)
SHADOW_FILLED = word_positions(catalogue.ShadowFilled)
SHADOW_TERMS = word_positions(catalogue.ShadowTermsSet)
SERIES_DEFINED = word_positions(catalogue.SeriesDefined)
SERIES_SOURCE = word_positions(catalogue.SeriesSourceDefined)
BAR_DUE = word_positions(catalogue.BarDue)
SERIES_BAR = word_positions(catalogue.SeriesBarClosed)
BAR_DROPPED = word_positions(catalogue.BarInputDropped)
MODEL_SIGNAL = word_positions(catalogue.ModelSignalSeen)
SIGNAL_VOTED = word_positions(catalogue.SignalVoted)
SIGNAL_COMBINED = word_positions(catalogue.SignalCombined)
ENSEMBLE_SET = word_positions(catalogue.EnsembleSet)
MEMBER_SET = word_positions(catalogue.EnsembleMemberSet)
FEATURES = word_positions(catalogue.FeaturesDefined)
FEATURE_VECTOR = word_positions(catalogue.FeatureVector)
REGIME_CHANGED = word_positions(catalogue.RegimeChanged)
REGIME_SCALE = word_positions(catalogue.RegimeScaleSet)
CALIBRATION_SET = word_positions(catalogue.CalibrationSet)
CALIBRATION_POINT = word_positions(catalogue.CalibrationPointSet)
FILTERS_SET = word_positions(catalogue.SignalFiltersSet)
SIGNAL_DROPPED = word_positions(catalogue.SignalDropped)
EXPERIMENT_SET = word_positions(catalogue.ExperimentSet)
ARM_SET = word_positions(catalogue.ArmSet)
ROUTE_KEY = word_positions(catalogue.RouteKeySet)
INPUT_ROUTED = word_positions(catalogue.InputRouted)
LIVE_OPENED = word_positions(catalogue.LiveSessionOpened)
DEGRADED_SET = word_positions(catalogue.DegradedSet)
VENUE_RULES = word_positions(catalogue.VenueRulesSet)
ADOPTED = word_positions(catalogue.OrderAdopted)
IN_DOUBT = word_positions(catalogue.OrderInDoubt)
FLATTEN_ASKED = word_positions(catalogue.FlattenRequested)
CANCEL_ASKED = word_positions(catalogue.CancelAsked)
COMMAND_GIVEN = word_positions(catalogue.CommandGiven)
STATE_DIGEST = word_positions(catalogue.StateDigest)
TAIL_DISCARDED = word_positions(catalogue.TailDiscarded)
RESTORED = word_positions(catalogue.JournalRestored)
PRUNED = word_positions(catalogue.SegmentsPruned)
KEY_DESTROYED = word_positions(catalogue.DataKeyDestroyed)
KEY_ROTATED = word_positions(catalogue.SigningKeyRotated)
RUN_CLOSED = word_positions(catalogue.RunClosed)
RUN_FORKED = word_positions(catalogue.RunForked)


class Stored(msgspec.Struct, frozen=True):
    """An event as the journal holds it: its header, itself, and its body (``b""`` where it has none)."""

    sequence: int
    ts_event_ns: int
    ts_ingest_ns: int
    cause: int
    instrument: int
    strategy: int
    account: int
    event: Event
    body: bytes = b""

    @property
    def type(self) -> EventType:
        """The catalogue entry of the event."""
        return by_class(type(self.event))


def encode(stored: Stored) -> np.ndarray:
    """The record (shape ``(1,)``, dtype RECORD) of a stored event. Its body is not part of it."""
    record = np.zeros(1, RECORD)
    kind = stored.type
    record["kind"], record["version"] = kind.kind, kind.version
    record["flags"] = HAS_BODY if stored.body else 0
    for name in ("sequence", "ts_event_ns", "ts_ingest_ns", "cause", "instrument", "strategy", "account"):
        record[name] = getattr(stored, name)
    values = msgspec.structs.astuple(stored.event)
    record["words"][0, : len(values)] = values
    return record


class PlainRecord(NamedTuple):
    """The fields of a record as plain integers."""

    sequence: int
    ts_event_ns: int
    ts_ingest_ns: int
    cause: int
    kind: int
    version: int
    flags: int
    instrument: int
    strategy: int
    account: int
    words: tuple[int, ...]


_PLAIN = struct.Struct(f"<qqqqHBBiii{WORDS}q")
_HEAD = len(PlainRecord._fields) - 1
_KIND_AT, _SHORTS = struct.calcsize("<qqqq") // 2, _PLAIN.size // 2  # where the kind is, in pairs of bytes
assert PlainRecord._fields == RECORD.names
assert _PLAIN.size == RECORD.itemsize


def plain_records(records: bytes, kinds: Collection[int]) -> list[PlainRecord]:
    """The records (bytes of dtype RECORD) of some kinds, for code in Python: numpy takes half a microsecond a field."""
    found = []
    # Of a hundred records few are wanted: their kinds are looked at alone.
    for at, kind in enumerate(memoryview(records).cast("H")[_KIND_AT::_SHORTS].tolist()):
        if kind in kinds:
            values = _PLAIN.unpack_from(records, at * _PLAIN.size)
            found.append(PlainRecord._make((*values[:_HEAD], values[_HEAD:])))
    return found


def decode(record: Any, body: bytes = b"") -> Stored:
    """The stored event of one record. Raises KeyError for a kind that the catalogue does not have."""
    kind = by_kind(int(record["kind"]))
    words = [int(word) for word in record["words"][: len(kind.fields)]]
    return Stored(
        sequence=int(record["sequence"]),
        ts_event_ns=int(record["ts_event_ns"]),
        ts_ingest_ns=int(record["ts_ingest_ns"]),
        cause=int(record["cause"]),
        instrument=int(record["instrument"]),
        strategy=int(record["strategy"]),
        account=int(record["account"]),
        event=kind.cls(*words),
        body=body,
    )


def schema_digest() -> bytes:
    """SHA-256 over the record layout and every declaration: what a journal's header names as its schema."""
    fields: Any = RECORD.fields
    parts = [(name, *fields[name][:2]) for name in RECORD.names or ()]
    lines = [f"{name} {kind.base.str} {kind.shape} {offset}" for name, kind, offset in parts]
    lines += [f"{t.kind} {t.version} {t.topic} {' '.join(t.fields)}" for t in event_types()]
    return hashlib.sha256("\n".join(lines).encode()).digest()
