"""What an error of Bybit or of ccxt means for a request: a table of codes, and the rule for each class of errors.

Three things can be true of a request that was not accepted. REJECTED: it surely had no effect. REJECTED with a pause:
the same, and it may be sent again after the pause. AMBIGUOUS: it may have had its effect, and must be looked up.
Whatever is not known for sure is ambiguous: codes that stand in no row, and failures after the first byte was sent.

Codes: the venue's own table (bybit-exchange.github.io/docs/v5/error).
"""

from enum import Enum

import aiohttp
import ccxt
import msgspec

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
CLOCK_CODES = (-1, 10002)  # the time of a request was out of its window


class Means(Enum):
    """What is known of a request that was answered with an error."""

    REJECTED = "rejected"
    LATER = "later"
    AMBIGUOUS = "ambiguous"


class Row(msgspec.Struct, frozen=True):
    """``reason`` is a REJECT_* number; ``is_fatal`` says of a read that asking again will not help."""

    means: Means
    reason: int = REJECT_BY_VENUE
    pause_ns: int = 0
    is_fatal: bool = False


NO_KEY = Row(Means.REJECTED, is_fatal=True)
REFUSED = Row(Means.REJECTED)
WRONG = Row(Means.REJECTED, is_fatal=True)
CLOSED = Row(Means.REJECTED, REJECT_CLOSED)
UNKNOWN_ORDER = Row(Means.REJECTED, REJECT_UNKNOWN_ORDER)
BEYOND = Row(Means.REJECTED, REJECT_STOP_IN_MARKET)
NOTHING_TO_REDUCE = Row(Means.REJECTED, REJECT_REDUCE_ONLY)
TOO_MUCH_FILLED = Row(Means.REJECTED, REJECT_FILLED)
SOON = Row(Means.LATER, pause_ns=SECOND_NS)
WINDOW = Row(Means.LATER, pause_ns=SECOND_NS // 10)  # the clock is compared again before
BANNED = Row(Means.LATER, pause_ns=600 * SECOND_NS)  # the venue's documentation says: wait ten minutes
AMBIGUOUS = Row(Means.AMBIGUOUS)


def _table(*groups: tuple[Row, tuple[int, ...]]) -> dict[int, Row]:
    return {code: row for row, codes in groups for code in codes}


CODES = _table(
    (NO_KEY, (-2015, 10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 10028, 33004, 100028)),
    (WRONG, (10001, 10017, 10029, 10404, 170105, 170115, 170116, 170117, 170121, 170130, 170201, 170221)),
    (WINDOW, CLOCK_CODES),
    # Limits of speed: nothing was done.
    (SOON, (429, 10006, 10018, 10429, 20003, 30035, 110079, 170005, 170191, 170222)),
    # It may have been done: time-outs and faults of the venue, and an id that was used before, perhaps by this request.
    (AMBIGUOUS, (10000, 10014, 10016, 10019, 20006, 40004, 110030, 110072, 170141)),
    (AMBIGUOUS, (170001, 170007, 170032, 170035, 170146, 170147, 170149, 170150, 170212, 170234, 170310, 170311)),
    # The order is not open (any more).
    (UNKNOWN_ORDER, (110001, 110008, 110010, 110019, 170139, 170142, 170143, 170190, 170213, 181017)),
    # The venue or the symbol does not trade.
    (CLOSED, (30228, 110063, 110066, 110074, 110095, 170031, 170151, 170157, 170159, 3100197)),
    (BEYOND, (110092, 110093)),
    (NOTHING_TO_REDUCE, (110017, 110034)),
    (TOO_MUCH_FILLED, (110064, 170313)),
    # Money, limits, prices and sizes.
    (REFUSED, (30133, 30134, 30135, 30136, 30208, 30209, 30256)),
    (REFUSED, (110003, 110004, 110005, 110006, 110007, 110009, 110011, 110012, 110013, 110014, 110015, 110016, 110018)),
    (REFUSED, (110020, 110021, 110022, 110023, 110024, 110025, 110026, 110027, 110028, 110029, 110031, 110032, 110033)),
    (REFUSED, (110035, 110036, 110037, 110038, 110039, 110040, 110041, 110042, 110043, 110044, 110045, 110046, 110047)),
    (REFUSED, (110048, 110049, 110050, 110051, 110052, 110053, 110054, 110055, 110056, 110057, 110058, 110059, 110060)),
    (REFUSED, (110061, 110062, 110065, 110067, 110068, 110069, 110070, 110071, 110073, 110075, 110076, 110077, 110078)),
    (REFUSED, (110080, 110082, 110083, 110085, 110086, 110087, 110088, 110089, 110090, 110094, 110096, 110097, 110098)),
    (REFUSED, (110099, 110100, 110101, 110102, 110103, 110104, 110105, 110106, 110107, 110108, 110109, 110110, 110111)),
    (REFUSED, (110112, 110113, 110114, 110115, 110116, 110117, 110118, 110119, 110120, 110121, 110123, 110124, 110125)),
    (REFUSED, (110131, 110132, 110135, 110136, 110137)),
    (REFUSED, (170010, 170011, 170019, 170033, 170034, 170036, 170037, 170124, 170131, 170132, 170133, 170134, 170136)),
    (REFUSED, (170137, 170140, 170144, 170145, 170148, 170192, 170193, 170194, 170195, 170196, 170197, 170198, 170199)),
    (REFUSED, (170200, 170202, 170203, 170204, 170206, 170207, 170209, 170210, 170215, 170216, 170217, 170218, 170219)),
    (REFUSED, (170220, 170223, 170224, 170226, 170227, 170228, 170229, 170230, 170241, 170312, 170341, 170344, 170346)),
    (REFUSED, (170348, 170355, 170358, 170359, 170360, 170371, 170372, 170381, 170382, 170709, 170810)),
)

# Answers without a code of the venue's, by HTTP status. All others from 500 on are ambiguous.
HTTP = {400: WRONG, 401: NO_KEY, 403: BANNED, 404: WRONG, 405: WRONG, 429: SOON}

# ccxt's classes, where nothing else is known; the first that fits. Those above the line are of requests that were not
# answered by the venue with a reason, so they decide only when nothing was sent.
CLASSES: tuple[tuple[type[Exception], Row], ...] = (
    (ccxt.RequestTimeout, AMBIGUOUS),
    (ccxt.RateLimitExceeded, SOON),
    (ccxt.DDoSProtection, SOON),
    (ccxt.InvalidNonce, WINDOW),
    (ccxt.AuthenticationError, NO_KEY),
    (ccxt.DuplicateOrderId, AMBIGUOUS),
    (ccxt.OrderNotFound, UNKNOWN_ORDER),
    (ccxt.InsufficientFunds, REFUSED),
    (ccxt.InvalidOrder, REFUSED),
    (ccxt.NetworkError, AMBIGUOUS),
    (ccxt.BaseError, AMBIGUOUS),
)


class Call(msgspec.Struct):
    """What is known of one request while and after it is made. ``code`` is None without an answer of the venue."""

    sent: bool = False
    status: int = 0
    code: int | None = None
    message: str = ""


def row_for(call: Call, error: Exception | None) -> Row:
    """What a request that failed means. ``error`` is what the client raised, None for an answer that made no sense."""
    if error is not None and (not call.sent or _never_connected(error)):
        if isinstance(error, ccxt.AuthenticationError):
            return NO_KEY
        return SOON if isinstance(error, ccxt.NetworkError) else WRONG
    if call.status in HTTP and call.code in (None, 0):
        return HTTP[call.status]
    if call.status >= 500:
        return AMBIGUOUS
    if call.code is not None and call.code != 0:
        return CODES.get(call.code, AMBIGUOUS)
    if error is None:
        return AMBIGUOUS
    return next((row for kind, row in CLASSES if isinstance(error, kind)), AMBIGUOUS)


def _never_connected(error: Exception) -> bool:
    """Whether no connection was had, so that nothing was sent."""
    return isinstance(error.__cause__, aiohttp.ClientConnectorError)


def outcome_for(call: Call, error: Exception | None) -> Outcome:
    """The outcome of an order, a cancel or a change that failed."""
    row = row_for(call, error)
    text = text_of(call, error)
    if row.means is Means.AMBIGUOUS:
        return Outcome(status=OutcomeStatus.AMBIGUOUS, text=text)
    return Outcome(status=OutcomeStatus.REJECTED, reason=row.reason, text=text, retry_after_ns=row.pause_ns)


def text_of(call: Call, error: Exception | None) -> str:
    """One line about a failure: the venue's code and words, else the kind of error."""
    if call.code:
        return f"Bybit {call.code}: {call.message}"
    if call.status >= 400:
        return f"Bybit answered with HTTP {call.status}"
    if error is None:
        return "Bybit's answer made no sense"
    if not call.sent or _never_connected(error):
        return f"nothing was sent to Bybit: {_words(error)}"
    return f"no answer of Bybit: {_words(error)}"


def _words(error: Exception) -> str:
    cause = error.__cause__
    words = f"{type(error).__name__}" + (f" ({type(cause).__name__})" if cause else "")
    return " ".join(words.split())[:200]
