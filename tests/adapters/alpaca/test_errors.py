"""Every row of the table of refusals, broken connections, and which reads are asked again."""

import pytest
from requests.exceptions import ChunkedEncodingError, ConnectionError, ConnectTimeout, ReadTimeout
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from adapters.alpaca.errors import (
    TABLE,
    Action,
    NotSent,
    Refused,
    is_fatal_read,
    outcome_of,
    outcome_of_failure,
    refused_by,
    row_of,
)
from adapters.alpaca.parse import ParseError
from kernel.lifecycle import (
    REJECT_BY_VENUE,
    REJECT_CLOSED,
    REJECT_FILLED,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    REJECT_UNKNOWN_ORDER,
)
from kernel.venue import OutcomeStatus

ACCEPTED, REJECTED, AMBIGUOUS = OutcomeStatus.ACCEPTED, OutcomeStatus.REJECTED, OutcomeStatus.AMBIGUOUS
SUBMIT, CANCEL, REPLACE = Action.SUBMIT, Action.CANCEL, Action.REPLACE
SECOND = 1_000_000_000
ROWS = [
    # row of the table, action, HTTP, code, message, outcome, reason, when to try again
    (0, SUBMIT, 422, 40010001, "client_order_id must be unique", AMBIGUOUS, 0, 0),
    (0, SUBMIT, 422, 0, "client order id must be unique", AMBIGUOUS, 0, 0),
    (1, REPLACE, 422, 40010001, "client_order_id must be unique", REJECTED, REJECT_BY_VENUE, SECOND),
    (2, CANCEL, 422, 42210000, 'order is already in "pending_cancel" state', ACCEPTED, 0, 0),
    (3, CANCEL, 422, 42210000, 'order is already in "pending_replace" state', REJECTED, REJECT_BY_VENUE, SECOND),
    (3, REPLACE, 422, 42210000, "order already pending replacement", REJECTED, REJECT_BY_VENUE, SECOND),
    (4, CANCEL, 422, 42210000, 'order is already in "filled" state', REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (4, REPLACE, 422, 42210000, "order is not open", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (4, CANCEL, 422, 42210000, "order is not cancelable", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (5, REPLACE, 422, 42210000, "order already replaced", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (5, REPLACE, 422, 42210000, "cannot replace order in filled status", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (6, REPLACE, 422, 42210000, "qty must be > filled_qty", REJECTED, REJECT_FILLED, 0),
    (7, REPLACE, 422, 42210000, "cannot replace order in pending_new status", REJECTED, REJECT_BY_VENUE, SECOND),
    (7, REPLACE, 422, 42210000, "order chain not fully replaced", REJECTED, REJECT_BY_VENUE, SECOND),
    (8, SUBMIT, 422, 42210000, "position intent mismatch, inferred: sell_to_open, specified: sell_to_close", REJECTED,
     REJECT_REDUCE_ONLY, 0),
    (9, SUBMIT, 422, 42210000, "stop price must be less than current price", REJECTED, REJECT_STOP_IN_MARKET, 0),
    (10, SUBMIT, 422, 42210000, "asset AAPL is not tradable", REJECTED, REJECT_CLOSED, 0),
    (11, SUBMIT, 422, 42210000, "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing"
     " criteria", REJECTED, REJECT_BY_VENUE, 0),
    (11, REPLACE, 422, 42210000, "order parameters are not changed", REJECTED, REJECT_BY_VENUE, 0),
    (12, SUBMIT, 422, 40010001, "qty is required", REJECTED, REJECT_BY_VENUE, 0),
    (13, SUBMIT, 422, 40010000, "request body format is invalid", REJECTED, REJECT_BY_VENUE, 0),
    (14, SUBMIT, 403, 40310000, "insufficient buying power", REJECTED, REJECT_BY_VENUE, 0),
    (15, SUBMIT, 403, 40310100, "trade denied due to pattern day trading protection", REJECTED, REJECT_BY_VENUE, 0),
    (16, CANCEL, 404, 40410000, "order not found", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (17, REPLACE, 404, 0, "", REJECTED, REJECT_UNKNOWN_ORDER, 0),
    (18, SUBMIT, 404, 40410000, "asset not found", REJECTED, REJECT_BY_VENUE, 0),
    (19, SUBMIT, 400, 40010000, "bad request", REJECTED, REJECT_BY_VENUE, 0),
    (20, SUBMIT, 401, 0, "unauthorized.", REJECTED, REJECT_BY_VENUE, 0),
    (21, SUBMIT, 403, 0, "forbidden.", REJECTED, REJECT_BY_VENUE, 0),
    (22, SUBMIT, 429, 42910000, "too many requests.", REJECTED, REJECT_BY_VENUE, SECOND),
    (22, CANCEL, 429, 0, "", REJECTED, REJECT_BY_VENUE, SECOND),
    (23, SUBMIT, 500, 50010000, "internal server error occurred", AMBIGUOUS, 0, 0),
    (23, CANCEL, 503, 0, "", AMBIGUOUS, 0, 0),
    (23, REPLACE, 504, 0, "", AMBIGUOUS, 0, 0),
    (24, SUBMIT, 422, 0, "", AMBIGUOUS, 0, 0),
    (24, SUBMIT, 302, 0, "", AMBIGUOUS, 0, 0),
    (24, SUBMIT, 408, 0, "", AMBIGUOUS, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1].value}-{row[2]}-{row[4][:20]}")
def test_a_row_of_the_table(row):
    number, action, status, code, message, outcome, reason, retry_ns = row
    assert TABLE.index(row_of(action, Refused(status, code, message))) == number
    said = outcome_of(action, Refused(status, code, message))
    assert (said.status, said.reason, said.retry_after_ns) == (outcome, reason, retry_ns)
    assert message in said.text


def test_every_row_of_the_table_has_its_test():
    assert {row[0] for row in ROWS} == set(range(len(TABLE)))


def test_what_the_venue_says_about_waiting_holds():
    refused = refused_by(429, b'{"message": "too many requests."}', {"Retry-After": "7"})
    assert outcome_of(SUBMIT, refused).retry_after_ns == 7 * SECOND


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"code": 40310000, "message": "insufficient buying power", "buying_power": "0"}', 40310000,
         "insufficient buying power"),
        (b'{"message": "forbidden."}', 0, "forbidden."),
        (b"<html>502</html>", 0, ""),
        (b"", 0, ""),
        (b'{"message": "a\\n  b"}', 0, "a b"),
        (b'{"message": "' + b"x" * 999 + b'"}', 0, "x" * 300),
    ],
)  # fmt: skip
def test_the_body_of_an_error(body, code, message):
    refused = refused_by(403, body, {"Retry-After": "soon"})
    assert (refused.code, refused.message, refused.retry_after_ns) == (code, message, 0)


def _unreachable():
    return ConnectionError(MaxRetryError(None, "/v2/orders", NewConnectionError(None, "refused")))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSent("no thread was free in time"), REJECTED),
        (ConnectTimeout(), REJECTED),
        (_unreachable(), REJECTED),
        (ReadTimeout(), AMBIGUOUS),
        (TimeoutError(), AMBIGUOUS),
        (ConnectionError(ProtocolError("Connection aborted.")), AMBIGUOUS),
        (ConnectionError(), AMBIGUOUS),
        (ChunkedEncodingError(), AMBIGUOUS),
        (ParseError("alpaca: an order cannot be read"), AMBIGUOUS),
        (RuntimeError("whatever"), AMBIGUOUS),
    ],
)
def test_a_request_without_an_answer(error, outcome):
    said = outcome_of_failure(error)
    assert said.status is outcome
    # Rejected says that it surely did nothing, so it may be sent again.
    assert (said.retry_after_ns > 0) == (outcome is REJECTED)


@pytest.mark.parametrize(
    ("status", "is_fatal"),
    [(400, True), (401, True), (403, True), (404, True), (422, True), (408, False), (429, False), (500, False),
     (503, False), (302, False)],
)  # fmt: skip
def test_which_reads_are_asked_again(status, is_fatal):
    assert is_fatal_read(Refused(status, 0, "")) is is_fatal
