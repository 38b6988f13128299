"""What the integers of later events mean: the events that open a history."""

from kernel.events.declaring import Event, declare


@declare(1, "run.opened", external=True)
class RunOpened(Event, frozen=True):
    """A history begins. The body is the resolved configuration."""

    instrument_count: int
    strategy_count: int
    start_ns: int
    end_ns: int
    digest_interval: int


@declare(2, "define.currency", external=True)
class CurrencyDefined(Event, frozen=True):
    """A currency gets its number and its scale. The body is its name."""

    currency: int
    scale: int


@declare(3, "define.instrument", external=True)
class InstrumentDefined(Event, frozen=True):
    """An instrument gets its number; minor units = ticks * lots * numerator / denominator. The body describes it.

    Contract: 0 spot, 1 equity, 2 fx, 3 perpetual, 4 future, 5 inverse perpetual, 6 inverse future, 7 option (right 1
    is a call, -1 a put). For the inverse ones minor units = -lots * numerator / (denominator * ticks).
    """

    currency: int
    numerator: int
    denominator: int
    volume_known: int
    contract: int = 0
    expiry_ns: int = 0
    strike_ticks: int = 0
    option_right: int = 0


@declare(4, "define.strategy", external=True)
class StrategyDefined(Event, frozen=True):
    """A strategy gets its number. The body holds its name, instruments and parameters."""

    parameter_count: int


@declare(5, "risk.limits", external=True)
class LimitsSet(Event, frozen=True):
    """The pre-trade limits in force from here on; 0 means no limit."""

    order_lots: int
    order_notional_minor: int
    position_notional_minor: int
    price_band_rate: int
    margin_rate: int
    cost_buffer_rate: int
    open_orders: int


@declare(6, "account.deposit", external=True)
class CashDeposited(Event, frozen=True):
    """Money enters an account from outside (negative: it leaves)."""

    currency: int
    amount_minor: int


@declare(7, "venue.profile", external=True)
class VenueConfigured(Event, frozen=True):
    """The simulated venue's fill profile, fees and slippage. The body names the profile."""

    profile: int
    maker_fee_rate: int
    taker_fee_rate: int
    slippage_rate: int
    volume_share_rate: int
