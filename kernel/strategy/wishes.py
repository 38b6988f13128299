"""What a strategy in plain Python can ask for: orders, groups, requests, timers.

Each method notes an intent through the compiled functions, so both kinds of strategy wish in the same words.
"""

from typing import Any

from kernel.lifecycle import GTC
from kernel.strategy import api_nb, orders_api_nb

TERMS = frozenset(
    ("instructions", "leg", "display_lots", "expire_ns", "trail_kind", "trail_value", "limit_offset_ticks")
)


class Wishes:
    """The part of ``Strategy`` that asks for something."""

    _context: Any

    def buy(self, quantity_lots: int) -> None:
        """Buy at the market in the event's instrument."""
        api_nb.buy(self._context, int(quantity_lots))

    def sell(self, quantity_lots: int) -> None:
        """Sell at the market in the event's instrument."""
        api_nb.sell(self._context, int(quantity_lots))

    def target_lots(self, target_lots: int, instrument: int | None = None) -> None:
        """Trade at the market what is missing to hold ``target_lots``, counting what is on its way."""
        api_nb.target_in(self._context, self._at(instrument), int(target_lots))

    def target_fraction(self, fraction: float) -> None:
        """Hold ``fraction`` of equity in the event's instrument (negative: short)."""
        api_nb.target_fraction(self._context, float(fraction))

    def submit(
        self,
        side: int,
        order_type: int,
        quantity_lots: int,
        *,
        limit_ticks: int = 0,
        stop_ticks: int = 0,
        time_in_force: int = GTC,
        tag: int = 0,
        instrument: int | None = None,
        **terms: int,
    ) -> None:
        """Ask for any order; sides, types and times in force are the numbers of ``kernel.lifecycle``.

        The terms are ``instructions``, ``leg``, ``display_lots``, ``expire_ns``, ``trail_kind``, ``trail_value`` and
        ``limit_offset_ticks``. Raises TypeError for any other.
        """
        unknown = sorted(terms.keys() - TERMS)
        if unknown:
            raise TypeError(f"submit: {unknown[0]!r} is no term of an order; there are {', '.join(sorted(TERMS))}")
        numbers = (side, order_type, time_in_force, quantity_lots, limit_ticks, stop_ticks, tag)
        call = self._context.call
        place = int(call.intent_count)
        api_nb.submit(self._context, self._at(instrument), *(int(number) for number in numbers))
        if call.intent_count > place:  # what a compiled function returns to Python is a copy
            for name, value in terms.items():
                self._context.intents[place][name] = int(value)

    def close_position(self, instrument: int | None = None, leg: int = 0) -> None:
        """Close at the market whatever is held; ``leg`` is 1 or -1 in a hedging account."""
        orders_api_nb.close_position_in(self._context, self._at(instrument), int(leg))

    def trailing_stop(self, side: int, quantity_lots: int, trail_kind: int, trail_value: int) -> None:
        """Rest a reduce-only stop that follows the best price; kinds are ``TRAIL_TICKS`` and ``TRAIL_BPS``."""
        numbers = (side, quantity_lots, trail_kind, trail_value)
        orders_api_nb.trailing_stop(self._context, *(int(number) for number in numbers))

    def bracket(
        self,
        side: int,
        quantity_lots: int,
        take_profit_ticks: int,
        stop_loss_ticks: int,
        *,
        limit_ticks: int = 0,
        instrument: int | None = None,
    ) -> None:
        """Enter (at the market without a limit) with a take-profit and a stop-loss that wait for the entry's fills."""
        numbers = (side, quantity_lots, limit_ticks, take_profit_ticks, stop_loss_ticks)
        orders_api_nb.bracket(self._context, self._at(instrument), *(int(number) for number in numbers))

    def oco(self, size: int) -> None:
        """The next ``size`` orders are one-cancels-other: the first fill of one cancels the others."""
        orders_api_nb.oco(self._context, int(size))

    def ouo(self, size: int) -> None:
        """The next ``size`` orders are one-updates-other: each fill of one takes as much from the others."""
        orders_api_nb.ouo(self._context, int(size))

    def oto(self, size: int) -> None:
        """The next ``size`` orders are one-triggers-other: the first is the parent of the others."""
        orders_api_nb.oto(self._context, int(size))

    def _at(self, instrument: int | None) -> int:
        return int(self._context.call.instrument if instrument is None else instrument)

    def cancel(self, order_id: int) -> None:
        """Cancel what is left of an open order."""
        api_nb.cancel(self._context, int(order_id))

    def replace(self, order_id: int, quantity_lots: int, limit_ticks: int = 0, stop_ticks: int = 0) -> None:
        """Change an open order's total quantity and prices."""
        api_nb.replace(self._context, int(order_id), int(quantity_lots), int(limit_ticks), int(stop_ticks))

    def signal(
        self,
        direction: int,
        strength: float = 1.0,
        confidence: float = 1.0,
        *,
        horizon_ns: int = 0,
        stop_ticks: int = 0,
        target_ticks: int = 0,
        measure: float = -1.0,
        instrument: int | None = None,
    ) -> None:
        """Say what is thought of an instrument; see ``api_nb.signal_in``."""
        said = int(direction), float(strength), float(confidence)
        prices = int(horizon_ns), int(stop_ticks), int(target_ticks)
        api_nb.signal_in(self._context, self._at(instrument), *said, *prices, float(measure))

    def set_timer(self, timer: int, due_ns: int, interval_ns: int = 0) -> None:
        """Be called with ``on_timer`` at ``due_ns`` and then every ``interval_ns`` (0: once)."""
        api_nb.set_timer(self._context, int(timer), int(due_ns), int(interval_ns))
