"""What Alpaca's refusals and a broken connection mean, as one table.

Rejected is said only of what surely had no effect. An answer that never came, or came from somewhere behind the door
(5xx), leaves it open: ambiguous. The first row that fits holds. Reads have rules of their own at the end.
"""

import re
from enum import Enum

import msgspec
from requests.exceptions import ConnectionError as ConnectionBroken
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import NewConnectionError

from adapters.alpaca.parse import ParseError, read
from adapters.alpaca.wire import ERROR
from kernel.lifecycle import (
    REJECT_BY_VENUE,
    REJECT_CLOSED,
    REJECT_FILLED,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    REJECT_UNKNOWN_ORDER,
)
from kernel.venue import Outcome, OutcomeStatus

SECOND_NS = 1_000_000_000
MAXIMUM_TEXT = 300


class Action(Enum):
    """What was asked."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"


class Refused(Exception):  # noqa: N818 (an answer of the venue, not our error)
    """An HTTP answer that is not a success. ``code`` is 0 when the body does not say one."""

    def __init__(self, status: int, code: int, message: str, retry_after_ns: int = 0) -> None:
        super().__init__(f"HTTP {status}" + (f", {code}" if code else "") + (f": {message}" if message else ""))
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_ns = retry_after_ns


class NotSent(Exception):  # noqa: N818 (it says what did not happen)
    """A request that surely never left: no connection, or no place to wait for one. ``wait_s``: when to ask again."""

    def __init__(self, text: str, wait_s: float = 1.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Row(msgspec.Struct, frozen=True):
    """One row. ``code`` 0 fits every code, ``pattern`` "" every message; ``is_retryable`` may be sent again later."""

    statuses: range
    code: int
    pattern: str
    actions: tuple[Action, ...]
    outcome: OutcomeStatus
    reason: int = REJECT_BY_VENUE
    is_retryable: bool = False


_ANY = tuple(Action)
_CHANGES = (Action.CANCEL, Action.REPLACE)
_REJECTED, _AMBIGUOUS = OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS
_VALIDATION, _BUSINESS, _FORBIDDEN, _MISSING = 40010001, 42210000, 40310000, 40410000


def _one(status: int) -> range:
    return range(status, status + 1)


TABLE = (
    # A client order id that Alpaca has seen: it may be this very order, sent before an answer was lost.
    Row(_one(422), 0, r"client.?order.?id must be unique", (Action.SUBMIT,), _AMBIGUOUS, 0),
    # For a replacement it is a number of an attempt that came to nothing; the next attempt has the next number.
    Row(_one(422), 0, r"client.?order.?id must be unique", (Action.REPLACE,), _REJECTED, is_retryable=True),
    Row(_one(422), _BUSINESS, r"pending_cancel", (Action.CANCEL,), OutcomeStatus.ACCEPTED, 0),
    # Between two states: it can be cancelled, or changed again, in a moment.
    Row(_one(422), _BUSINESS, r"pending.?replace", _CHANGES, _REJECTED, is_retryable=True),
    Row(_one(422), _BUSINESS, r"order is already in|not cancelable|not open", _CHANGES, _REJECTED,
        REJECT_UNKNOWN_ORDER),
    Row(_one(422), _BUSINESS, r"order already replaced|in (filled|canceled|expired|rejected) status", _CHANGES,
        _REJECTED, REJECT_UNKNOWN_ORDER),
    Row(_one(422), _BUSINESS, r"qty must be > filled_qty", (Action.REPLACE,), _REJECTED, REJECT_FILLED),
    # The order is on its way to the exchange, or between two states: it can be changed in a moment.
    Row(_one(422), _BUSINESS, r"cannot replace order in|isn't sent to exchange|pending|chain not fully",
        _CHANGES, _REJECTED, is_retryable=True),
    Row(_one(422), _BUSINESS, r"position intent mismatch", (Action.SUBMIT,), _REJECTED, REJECT_REDUCE_ONLY),
    Row(_one(422), _BUSINESS, r"stop.?price must", _ANY, _REJECTED, REJECT_STOP_IN_MARKET),
    Row(_one(422), _BUSINESS, r"not (active|tradable)|market is closed|market hours", _ANY, _REJECTED, REJECT_CLOSED),
    Row(_one(422), _BUSINESS, "", _ANY, _REJECTED),
    Row(_one(422), _VALIDATION, "", _ANY, _REJECTED),
    Row(_one(422), 40010000, "", _ANY, _REJECTED),
    Row(_one(403), _FORBIDDEN, "", _ANY, _REJECTED),  # insufficient buying power or quantity, account not allowed
    Row(_one(403), 40310100, "", _ANY, _REJECTED),  # pattern day trading protection
    Row(_one(404), _MISSING, "", _CHANGES, _REJECTED, REJECT_UNKNOWN_ORDER),
    Row(_one(404), 0, "", _CHANGES, _REJECTED, REJECT_UNKNOWN_ORDER),
    Row(_one(404), 0, "", (Action.SUBMIT,), _REJECTED),
    Row(_one(400), 0, "", _ANY, _REJECTED),
    Row(_one(401), 0, "", _ANY, _REJECTED),
    Row(_one(403), 0, "", _ANY, _REJECTED),
    Row(_one(429), 0, "", _ANY, _REJECTED, is_retryable=True),
    Row(range(500, 600), 0, "", _ANY, _AMBIGUOUS, 0),
    # Whatever is not above: a 422 without a body may be the one about the client order id.
    Row(range(1000), 0, "", _ANY, _AMBIGUOUS, 0),
)  # fmt: skip


def row_of(action: Action, refused: Refused) -> Row:
    """The row that holds for an answer that is not a success."""
    for row in TABLE:
        if (
            action in row.actions
            and refused.status in row.statuses
            and row.code in (0, refused.code)
            and re.search(row.pattern, refused.message, re.IGNORECASE)
        ):
            return row
    raise AssertionError("the last row fits everything")


def outcome_of(action: Action, refused: Refused) -> Outcome:
    """What an answer that is not a success means for a request."""
    row = row_of(action, refused)
    retry_ns = (refused.retry_after_ns or SECOND_NS) if row.is_retryable else 0
    return Outcome(status=row.outcome, reason=row.reason, text=str(refused), retry_after_ns=retry_ns)


def outcome_of_failure(error: Exception) -> Outcome:
    """What a request means that got no answer that can be read."""
    if never_sent(error):
        why = str(error) if isinstance(error, NotSent) else type(error).__name__
        wait_ns = max(1, round(getattr(error, "wait_s", 1.0) * SECOND_NS))
        return Outcome(status=_REJECTED, reason=REJECT_BY_VENUE, text=f"not sent: {why}", retry_after_ns=wait_ns)
    text = str(error) if isinstance(error, ParseError) else type(error).__name__
    return Outcome(status=_AMBIGUOUS, text=f"no answer: {text}")


def never_sent(error: BaseException) -> bool:
    """Whether a request surely did not reach the venue: no connection came to be."""
    if isinstance(error, (NotSent, ConnectTimeout)):
        return True
    if isinstance(error, ConnectionBroken) and error.args:
        return isinstance(getattr(error.args[0], "reason", None), NewConnectionError)
    return False


def refused_by(status: int, body: bytes, headers: dict[str, str]) -> Refused:
    """The refusal that an answer is."""
    code, message = 0, ""
    try:
        wire = read(ERROR, body, "an error")
        code, message = wire.code, wire.message
    except ParseError:
        pass
    message = " ".join(message.split())[:MAXIMUM_TEXT]
    wait = headers.get("Retry-After", "")
    return Refused(status, code, message, int(wait) * SECOND_NS if wait.isdecimal() and len(wait) < 5 else 0)


def is_fatal_read(refused: Refused) -> bool:
    """Whether asking again will not help a read."""
    return 400 <= refused.status < 500 and refused.status not in (408, 409, 425, 429)
