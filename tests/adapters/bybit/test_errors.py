"""The table of errors against the venue's own words for its codes, and every rule beside it."""

import json
import re
from pathlib import Path

import aiohttp
import ccxt
import pytest

from adapters.bybit.errors import CLASSES, CODES, HTTP, Call, Means, outcome_for, row_for, text_of
from kernel.lifecycle import (
    REJECT_BY_VENUE,
    REJECT_CLOSED,
    REJECT_FILLED,
    REJECT_REDUCE_ONLY,
    REJECT_STOP_IN_MARKET,
    REJECT_UNKNOWN_ORDER,
)
from kernel.venue import OutcomeStatus

# The venue's documentation of its codes for orders (https://bybit-exchange.github.io/docs/v5/error).
WORDS = json.loads((Path(__file__).parents[1] / "fixtures" / "bybit_error_codes.json").read_text())

# What the documented words must come to, in the order of these rules. Of the codes that no rule finds only a definite
# refusal is accepted.
RULES = (
    (r"duplicate|repeat", Means.AMBIGUOUS),
    (
        r"time ?out\b|timeout|internal|server error|^system error|network error|processing!|request processing",
        Means.AMBIGUOUS,
    ),
    (
        r"restarting|order failed$|(create|cancel) order failed|modification failed|being modified|is modified",
        Means.AMBIGUOUS,
    ),
    (
        r"too many (visits|requests|new|sessions)|rate limit|frequen|too fast|high server load|request (expired|time)",
        Means.LATER,
    ),
    (r"is processing|try again later$", Means.LATER),
)
EXCEPTIONS = {
    "10003": Means.REJECTED,  # said of a key; the words about sessions belong to another interface
    "170035": Means.AMBIGUOUS,
    "110114": Means.REJECTED,
    "110071": Means.REJECTED,
}


def expected(code: str, words: str) -> Means:
    if code in EXCEPTIONS:
        return EXCEPTIONS[code]
    return next((means for rule, means in RULES if re.search(rule, words, re.IGNORECASE)), Means.REJECTED)


@pytest.mark.parametrize("code", WORDS)
def test_a_documented_code_means_what_its_words_say(code):
    row = row_for(Call(sent=True, status=200, code=int(code)), ccxt.ExchangeError("x"))
    assert int(code) in CODES
    assert row.means is expected(code, WORDS[code]), WORDS[code]


def test_no_code_is_in_the_table_that_is_not_documented():
    assert {str(code) for code in CODES} <= set(WORDS)


REASONS = [
    (110001, REJECT_UNKNOWN_ORDER),
    (110008, REJECT_UNKNOWN_ORDER),
    (110010, REJECT_UNKNOWN_ORDER),
    (170213, REJECT_UNKNOWN_ORDER),
    (170139, REJECT_UNKNOWN_ORDER),
    (170142, REJECT_UNKNOWN_ORDER),
    (110007, REJECT_BY_VENUE),
    (170131, REJECT_BY_VENUE),
    (110017, REJECT_REDUCE_ONLY),
    (110064, REJECT_FILLED),
    (110074, REJECT_CLOSED),
    (110066, REJECT_CLOSED),
    (170151, REJECT_CLOSED),
    (110092, REJECT_STOP_IN_MARKET),
    (110093, REJECT_STOP_IN_MARKET),
]


@pytest.mark.parametrize(("code", "reason"), REASONS)
def test_a_refusal_has_the_kernels_reason(code, reason):
    outcome = outcome_for(Call(sent=True, status=200, code=code, message="why"), ccxt.InvalidOrder("x"))
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.reason == reason
    assert outcome.retry_after_ns == 0
    assert outcome.text == f"Bybit {code}: why"


@pytest.mark.parametrize("code", [429, 10006, 10018, 10002, 110079, 170222])
def test_what_may_be_sent_again_says_when(code):
    outcome = outcome_for(Call(sent=True, status=200, code=code), ccxt.RateLimitExceeded("x"))
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.retry_after_ns > 0


@pytest.mark.parametrize("code", [110072, 170141, 10000, 10014, 10016, 170007, 424242])
def test_what_may_have_happened_is_ambiguous_and_so_is_an_unknown_code(code):
    outcome = outcome_for(Call(sent=True, status=200, code=code), ccxt.ExchangeError("x"))
    assert outcome.status is OutcomeStatus.AMBIGUOUS


@pytest.mark.parametrize("status", [*HTTP, 500, 502, 503, 504, 520])
def test_an_answer_without_a_code_is_judged_by_its_status(status):
    row = row_for(Call(sent=True, status=status), ccxt.ExchangeNotAvailable("x"))
    assert row is HTTP[status] if status in HTTP else row.means is Means.AMBIGUOUS
    assert text_of(Call(sent=True, status=status), ccxt.NetworkError("x")) == f"Bybit answered with HTTP {status}"


@pytest.mark.parametrize(("kind", "row"), CLASSES, ids=lambda value: getattr(value, "__name__", ""))
def test_each_class_of_ccxt_after_sending(kind, row):
    assert row_for(Call(sent=True), kind("x")) is row


@pytest.mark.parametrize(
    ("kind", "may_be_sent_again"),
    [
        (ccxt.RequestTimeout, True),
        (ccxt.NetworkError, True),
        (ccxt.BadRequest, False),
        (ccxt.AuthenticationError, False),
    ],
)
def test_what_was_never_sent_had_no_effect(kind, may_be_sent_again):
    outcome = outcome_for(Call(sent=False), kind("x"))
    assert outcome.status is OutcomeStatus.REJECTED
    assert (outcome.retry_after_ns > 0) == may_be_sent_again
    assert "nothing was sent" in outcome.text


def test_a_connection_that_was_refused_had_no_effect_and_one_that_broke_is_ambiguous():
    refused, broke = ccxt.ExchangeNotAvailable("x"), ccxt.ExchangeNotAvailable("x")
    refused.__cause__ = aiohttp.ClientConnectorError(None, OSError(111, "refused"))
    broke.__cause__ = aiohttp.ServerDisconnectedError()
    assert row_for(Call(sent=True), refused).means is Means.LATER
    assert row_for(Call(sent=True), broke).means is Means.AMBIGUOUS


def test_an_answer_without_sense_is_ambiguous():
    assert outcome_for(Call(sent=True, status=200, code=0), None).status is OutcomeStatus.AMBIGUOUS
