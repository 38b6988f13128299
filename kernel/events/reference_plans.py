"""The reference pages of sizing and of exits: their tables come from the plans and the rules in the code."""

from kernel.exits_nb import REASONS, TIERS
from kernel.plans import METHODS, MODELS, SIZING_DEFAULTS
from kernel.units import RATE_SCALE

_SIZING = """# From signal to order

Made by `python -m kernel.events.reference sizing`; the tables come from `kernel/plans.py`.

```
 signal (a strategy's opinion) -> target (lots to hold) -> order for what is missing -> risk checks -> venue
 strategy.signal                  portfolio.target         execution.intent            risk.check
```

A strategy calls `signal` with a direction (long, short, flat), a strength and a confidence from 0 to 1, and if it likes
a horizon, a stop, a target and a measure (the average true range in ticks, or the volatility). Each float is rounded to
1/100,000,000 there, once; the event holds the integer that decides. A signal that repeats direction and confidence
renews strength, horizon, stop and target, and does not trade.

At the end of the market event each new signal gets a **target**, and what is missing to it (counting what is on its
way) is ordered at the market. Orders that make a position smaller come first. An instrument without a price waits for
one.

When a check or the venue **refuses** the order of a target, the target is due again one minute later, at the next
price, and is sized anew; each minute, as long as it is not older than `stale_after` of `[risk]` (five minutes where
that is not set), counted from the event that asked for it. Then it waits for a signal that says something new. The
order itself is `stale` when its target waited longer than that.

Signals, targets and exits know one book of each instrument. In an account that keeps a long and a short one
(`books = "hedging"`) the tables `[sizing]`, `[portfolio]` and `[exits]` and a trailing stop of `[risk]` are refused at
the start, and a signal is refused (`invalid_order`); orders with a leg and reduce-only orders work as they do.

## Sizing models

`[sizing]` in the run's file (or `[strategy.sizing]` for one strategy):

```toml
[sizing]
model = "atr_risk"
share = 0.01          # of equity, lost at the stop
multiple = 2          # the stop is so many ATR away
cap = 0.05            # the position is worth at most this share of equity
by_confidence = true  # scale the result by the signal's confidence
```

Every rounding is towards zero: a budget to minor units, a rate to 1/100,000,000, the result to whole lots; only the
distance of a stop is rounded up, to whole ticks. So a position never costs or risks more than was asked for. What is
missing or does not fit gives 0 lots. Equity is that of the book's account, in the instrument's currency.

"""
_PORTFOLIO = """
A strategy that is told nothing holds 95 % of equity in each signal (`equity_share`).

## Portfolios

`[portfolio]` (or `[strategy.portfolio]`) divides `share` of equity over all signals of the strategy, instead of the
model; its `cap` and `by_confidence` still apply. Weights sum to 1 exactly: each is rounded down, and what is left goes
to the largest remainders, the lowest instrument first among equals.

"""
_NETTING = """
`weights` takes recorded weights (`portfolio.weight`): inputs, bound into the journal like market data and never
computed again. `kernel weights DATA... --method risk-parity --lookback 90d --every 30d --out FOLDER` computes them
walk-forward, each rebalancing from prices known at its time, rounded to 1/100,000,000, and writes a file for each
instrument; name the folder beside the data (`--data FOLDER`). A weight moves the books that have a signal. Methods:
equal, inverse volatility, minimum variance, mean-variance, risk parity, Black-Litterman, all long only; the optimisers
are skfolio's (`pip install 'trading-kernel[portfolio]'`). An instrument takes part when its prices reach back over the
window and moved in it.

## Several strategies, one account

With `net = true` in the portfolio tables of two strategies or more, new orders that oppose each other trade with each
other before they leave (`portfolio.cross`): at the last price, without a fee. The smaller side trades whole; its
quantity is shared out over the larger side in proportion to what each order wants, by the rule above. What leaves is on
one side. Only strategies of one account trade with each other. Each strategy keeps its own book and profit.

Each order passes the risk checks first. Those of one moment are checked together, each as if the others were approved;
while any is refused, the last such one is, and the others are checked anew without it. Buying power is needed only for
what is left when they have traded with each other: at the venue the books of one account in one instrument are one
position, so margin is counted for what they come to together, and an order on the side that does not need it passes. A
purchase of a cash account is paid by the sales that it trades with. Instruments with margin terms of their own
(`[margin]`) are left out: there each book needs its own. Limits of exposure count each book too. What makes its book
smaller passes always, though the account's position may grow by it, over what it could have bought.
"""
_EXITS = """# Exits

Made by `python -m kernel.events.reference exits`; the table comes from `kernel/exits_nb.py`.

`[exits]` in the run's file (or `[strategy.exits]` for one strategy) says when positions are given up, whoever opened
them. After each price the rules of each open position are checked in the order of the table; the first that fires is
recorded (`exit.triggered`, with its tier, limit and value) and ordered at the market, reduce-only.

```toml
[exits]
stop = 0.05                          # shares of the entry price
trail = 0.04                         # behind the best price; trail_ticks in ticks: the nearer holds
target = 0.2
rungs = [[0.05, 0.25], [0.1, 0.25]]  # at a gain of 5 % close a quarter of the largest size, at 10 % another
time_stop = "24h"                    # by then the gain must be time_stop_gain
time_stop_gain = 0.01
max_hold = "120h"                    # the default; "0" is off
strength_floor = 0.2                 # of a signal that fades to 0 over its horizon
volatility_multiple = 3              # of the signal's measure at the entry
greek_limit = 50                     # of a measure of options, such as delta, over the whole position
```

"""
_AFTER = """
- A rule of protection looks at the worst price of the bar, because the market was there; a rule of profit at the last
  price, because only that can still be had. In the bar that brought the entry all look at the last price alone:
  whether its high or low came before the fill is not known.
- The trailing stop stands behind the best price before the bar for the bar's worst price, and behind the best so
  far for its last: a bar that makes a new high and falls is judged by what is certain.
- Levels are whole ticks: the rate of the average entry price, rounded half to even, at least one tick away. A stop or
  target that the signal names comes before that of the plan.
- A rung closes its share of the largest size, rounded towards zero, at least one lot; a price that jumps takes several.
- A full exit cancels the other open orders of the book, and ends the signal: only a new one opens it again.
- An exit asks only for what no order of the kernel gives up yet (an exit, a liquidation, a flattening), and cancels
  none of those; a strategy cannot cancel or replace one (`kernel_order`). It is repeated at the next price when its
  order was refused.
- Exits go on while entries are stopped: during halts, and at level 1 and 2 of the kill switch. At level 3 flattening
  takes their place.
- `trailing_stop_percent` of `[risk]` is a trailing stop for every position of every strategy, beside what `[exits]`
  says; a farther `trail` is refused at the start. With it positions have the default `max_hold` too.
- The measure of `greeks` is that of one lot (the level `greek` of the instrument, see [risk.md](risk.md#levels)) times
  the lots held, without its sign. It is an input, computed elsewhere and recorded; the rule looks at it at the next
  price, and never fires where none was seen. A product that does not fit fires.
"""


def sizing_page() -> str:
    """The models, methods and rules from signal to order, as Markdown."""
    models = ["| model | lots | defaults |", "|---|---|---|"]
    for number, (name, text) in MODELS.items():
        shown = ", ".join(f"{field} {_number(field, value)}" for field, value in SIZING_DEFAULTS[number].items())
        models.append(f"| `{name}` | {text} | {shown or '-'} |")
    methods = ["| method | weights |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in METHODS.values())]
    return _SIZING + "\n".join(models) + "\n" + _PORTFOLIO + "\n".join(methods) + "\n" + _NETTING


def _number(field: str, value: int) -> str:
    return f"{value / RATE_SCALE:g}" if field.endswith("_rate") else str(value)


def exits_page() -> str:
    """The rules of exits in the order in which they apply, as Markdown."""
    rows = ["| number | reason | tier | fires when | limit | value |", "|---|---|---|---|---|---|"]
    for number, (name, tier, text, limit, value) in REASONS.items():
        rows.append(f"| {number} | `{name}` | {tier} {TIERS[tier]} | {text} | {limit} | {value} |")
    return _EXITS + "\n".join(rows) + "\n" + _AFTER
