"""What waits is bounded: quotes give way to newer ones, the account's news never does."""

from kernel.market import BAR, QUOTE, TRADE
from kernel.venue import MarketRow, Stream, StreamStatus
from replay.live import inbox as module
from replay.live.inbox import Change, LiveInbox, Private


def quote(number: int, instrument: int = 0) -> MarketRow:
    return (number, QUOTE, instrument, 10, 1, 11, 1, 0, 0)


def trade(number: int) -> MarketRow:
    return (number, TRADE, 0, 10, 1, 1, 0, 0, 0)


def bar(open_ns: int) -> MarketRow:
    return (open_ns + 60, BAR, 0, 1, 1, 1, 1, 1, open_ns)


def filled(count: int) -> LiveInbox:
    inbox = LiveInbox(2, lambda: None)
    inbox.market([quote(number, number % 2) for number in range(count)], b"")
    return inbox


def test_up_to_the_bound_everything_waits() -> None:
    assert len(filled(module.MOST_ROWS).rows) == module.MOST_ROWS


def test_beyond_it_quotes_are_conflated_and_trades_stay() -> None:
    inbox = filled(module.MOST_ROWS)
    inbox.market([trade(1), trade(2)], b"")
    assert [row[1] for row in inbox.rows] == [QUOTE, QUOTE, TRADE, TRADE]
    assert [row[0] for row in inbox.rows][:2] == [module.MOST_ROWS - 2, module.MOST_ROWS - 1]
    assert inbox.conflated_rows == module.MOST_ROWS - 2
    assert not inbox.items


def test_what_does_not_fit_at_all_is_a_gap_that_is_told() -> None:
    inbox = LiveInbox(2, lambda: None)
    inbox.market([trade(number) for number in range(2 * module.MOST_ROWS + 5)], b"")
    assert len(inbox.rows) == 2 * module.MOST_ROWS
    (gap,) = inbox.items
    assert isinstance(gap, Change)
    assert (gap.stream, gap.status) == (Stream.MARKET, StreamStatus.GAP)
    assert "5 market rows" in gap.text


def test_news_of_the_account_is_never_dropped() -> None:
    inbox = filled(3 * module.MOST_ROWS)
    for number in range(10_000):
        inbox.private([], str(number).encode())
    assert [item.raw for item in inbox.items if isinstance(item, Private)] == [b"%d" % n for n in range(10_000)]


def test_a_bar_that_comes_again_is_one_bar() -> None:
    inbox = LiveInbox(1, lambda: None)
    inbox.market([bar(60), bar(120)], b"")
    inbox.market([bar(60), bar(120), bar(180)], b"")
    assert [row[8] for row in inbox.rows] == [60, 120, 180]
