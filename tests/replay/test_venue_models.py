"""The small models of the simulated venue, against their naive twins and published vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.chance_nb import chance_nb, draw_nb
from kernel.jit import jit
from kernel.lifecycle import TAKER
from kernel.records import new_record
from replay.venue.costs_nb import DAY_NS, charge_nb, count_volume_nb, fee_nb, root_nb, slipped_nb
from replay.venue.latency_nb import latency_ns_nb
from replay.venue.memory import FEES, LATENCY, MARKET, VENUE_HEAD, VENUE_ORDER
from replay.venue.profiles import LATENCY_FIXED, LATENCY_QUANTILES, LATENCY_RECORDED
from tests.reference import venue_costs as naive

RATES = st.integers(0, 20_000_000)
WORDS = st.integers(0, (1 << 32) - 1)


@pytest.mark.parametrize(
    ("key", "counter", "first"),
    [
        ((0, 0), (0, 0, 0, 0), 0x6627E8D5),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 4, 0x408F276D),
        ((0xA4093822, 0x299F31D0), (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), 0xD16CFE09),
    ],
)
def test_chance_is_philox(key, counter, first) -> None:
    """The known answers of the Random123 distribution (kat_vectors, philox4x32-10)."""
    assert draw_nb(*key, *counter) == first == naive.philox(key, counter)[0]


@settings(deadline=None)
@given(st.integers(0, (1 << 63) - 1), st.integers(1, 3), st.integers(0, (1 << 62)))
def test_chance_is_that_of_its_twin(seed: int, purpose: int, number: int) -> None:
    assert chance_nb(seed, purpose, number) == naive.chance(seed, purpose, number)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3_600 * 10**9), min_size=2, max_size=20), st.integers(0, 1000), st.integers(0, 1000))
def test_latency_comes_from_its_table(values: list[int], seed: int, number: int) -> None:
    values.sort()
    latency = new_record(LATENCY)
    latency.count = len(values)
    latency.values_ns[: len(values)] = values
    latency.values_ns[len(values)] = values[-1]
    latency.model = LATENCY_QUANTILES
    found = latency_ns_nb(latency, seed, 1, number)
    assert found == naive.quantile_ns(values, naive.chance(seed, 1, number))
    assert values[0] <= found <= values[-1]
    latency.model = LATENCY_FIXED
    assert latency_ns_nb(latency, seed, 1, number) == values[0]
    latency.model = LATENCY_RECORDED
    assert [latency_ns_nb(latency, seed, 1, number) for _ in range(2 * len(values))] == values * 2


@settings(deadline=None)
@given(st.one_of(st.integers(0, 1 << 62), st.integers(0, (1 << 31) - 1).map(lambda root: root * root - (root > 0))))
def test_root_is_the_integer_root(number: int) -> None:
    root = int(root_nb(number))
    assert root * root <= number < (root + 1) * (root + 1)


@settings(deadline=None)
@given(
    st.sampled_from([1, -1]), st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 10**9),
    RATES, RATES, RATES, RATES,
)  # fmt: skip
def test_slippage(side, price, lots, volume, fixed, spread, impact, share_impact) -> None:
    head = new_record(VENUE_HEAD)
    head.slippage_rate, head.spread_rate = fixed, spread
    head.impact_rate, head.share_impact_rate = impact, share_impact
    found = slipped_nb(head, side, price, lots, volume)
    assert found == naive.slipped(side, price, lots, volume, fixed, spread, impact, share_impact)
    assert side * found >= side * price or price == 1


@jit
def pay_nb(fees, market, order, money, lots, ts_ns):
    """What a fill is charged, with all that follows for the next."""
    raw = fee_nb(fees, market, money, lots, TAKER)
    charged = charge_nb(fees, order, raw)
    order.fee_minor += raw
    order.charged_minor += charged
    count_volume_nb(fees, money, ts_ns)
    return charged


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(-10_000_000, 10_000_000)), max_size=4),
    st.integers(0, 10**9), st.integers(0, 500), st.integers(0, 2000), st.booleans(),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 1000), st.integers(0, 40)), min_size=1, max_size=12),
)  # fmt: skip
def test_fees(steps, unit, minimum, maximum, whole_run, fills) -> None:
    tiers, start = [(0, 100_000)], 0
    for above, rate in steps:
        start += above
        tiers.append((start, rate))
    fees, market, order = new_record(FEES), new_record(MARKET), new_record(VENUE_ORDER)
    fees.tier_count = len(tiers)
    for at, (start, rate) in enumerate(tiers):
        fees.tiers[at].from_minor, fees.tiers[at].taker_rate = start, rate
    fees.minimum_minor, fees.maximum_minor, fees.whole_run = minimum, maximum, int(whole_run)
    market.fee_unit = unit
    twin = naive.Fees(tiers, unit, minimum, maximum, None if whole_run else 30)
    day = 20_000
    for money, lots, later in fills:
        day += later
        assert pay_nb(fees, market, order, money, lots, day * DAY_NS + 5) == twin.fill(money, lots, day)
    assert int(np.sum(fees.days_minor)) == fees.volume_minor or whole_run or len(tiers) < 2
