"""Every event can be said in words, whatever its numbers."""

import pytest

from kernel.events import catalogue as c
from kernel.events.body import encode_body, shown_body
from kernel.events.catalogue import event_types
from kernel.events.layout import SEGMENT, Stored
from kernel.risk import numbers as n
from replay.inspect.names import Names
from replay.inspect.phrases import Phrases

PHRASES = Phrases(Names())
BODIES = {"StrategyDefined", "InstrumentDefined", "RunOpened"}  # tests of runs say those


def said(event: c.Event) -> str:
    return PHRASES.sentence(Stored(9, 0, 0, 0, -1, -1, 0, event))


@pytest.mark.parametrize("number", [-1, 0, 1, 2, 3, 10**12])
@pytest.mark.parametrize(
    "kind", [kind for kind in event_types() if kind.kind != SEGMENT.kind and kind.name not in BODIES],
    ids=lambda kind: kind.name,
)  # fmt: skip
def test_every_event_has_words(kind, number):
    words = said(kind.cls(*[number] * len(kind.fields)))
    assert words or number <= 0 or kind.name in ("TradingHalted", "TradingResumed")
    assert "{" not in words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (c.RiskRuleSet(11, 5_000_000), "daily_loss_percent 5 %"),
        (c.RiskRuleSet(8, 300 * 10**9), "stale_after 5m"),
        (c.RiskRuleSet(32, 0), "positions off"),
        (c.KillSwitchRequested(2, 1), "level 2, cancel all, by operator"),
        (c.KillSwitchTripped(3, n.DRAWDOWN, 10_000_000, 11_000_000),
         "level 3, flatten all by drawdown (limit 10%, found 11%)"),
        (c.TradingModeSet(1), "reduce"),
        (c.LevelSet(1, 3_250_000_000), "vix 32.5"),
        (c.LevelSet(2, 500_000), "average_daily_volume 500,000"),
        (c.LevelSet(3, 86_400 * 10**9), "earnings 1970-01-02 00:00:00"),
        (c.LevelSet(5, 86_400 * 10**9), "news 1970-01-02 00:00:00"),
        (c.LevelSet(6, 492_373_720), "open_interest 492,373,720"),
    ],
)  # fmt: skip
def test_risk_in_words(event, words):
    assert said(event) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (c.RequestRefused(0, n.STALE, 300 * 10**9, 301 * 10**9), ("5m", "5m1s")),
        (c.RiskChecked(7, n.DAILY_LOSS, 86_400 * 10**9, 10**9), ("1970-01-02 00:00:00", "1970-01-01 00:00:01")),
        (c.EntriesStopped(n.DAILY_LOSS, 10**9, 5_000_000, 6_000_000), ("limit 5%", "found 6%")),
        (c.RiskChecked(7, n.SESSION_HOURS, 900 * 10**9, -1), ("15m", "none")),
        (c.RequestRefused(0, n.INVALID_TIMER, 10**9, 2 * 10**9), ("1970-01-01 00:00:01", "1970-01-01 00:00:02")),
    ],
)  # fmt: skip
def test_limits_are_said_in_their_unit(event, words):
    for word in words:
        assert word in said(event)


def test_a_message_of_a_venue_is_shown_as_it_came():
    message = '{"topic": "order", "data": [{"qty": "0.1"}]}'
    stored = Stored(9, 0, 0, 0, -1, -1, 0, c.VenueMessageSeen(2, len(message)), message.encode())
    assert message in PHRASES.sentence(stored)
    assert PHRASES.json(stored)["body"] == message
    assert shown_body(encode_body({"why": "so"})) == {"why": "so"}
