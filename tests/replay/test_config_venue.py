"""The ``[venue]`` table: what it means, and what is wrong with it is told with the line."""

import pytest

from kernel.instruments import Instrument
from kernel.units import BPS
from replay.config import ConfigError, load_config, resolve_rates, resolve_venue
from replay.venue.settings import Latency, Tier

SHARE = Instrument(venue="US", symbol="X", currency="USD", tick_size="0.01", lot_size="0.1")
WHOLE = """
[venue]
profile = "book"
volume_share = "0.25"
reject_share = "0.01"
seed = 7
maintenance = ["23:00-23:30", "00:00-24:00"]

[venue.slippage]
fixed_bps = 2
spread_bps = 3
impact_bps = 4
volume_share_bps = 5

[venue.fees]
taker_bps = 10
maker_bps = -1
per_unit = "0.005"
minimum = 1
maximum = "2.5"
tier_window = "run"
tiers = [{ volume = 1000, taker_bps = 8, maker_bps = -2 }, { volume = 2000, taker_bps = 5 }]

[venue.latency.request]
quantiles = ["1ms", "2ms", "9ms"]

[venue.latency.report]
fixed = "3ms"

[venue.queue]
model = "power"
exponent = 3
"""


def test_every_setting_becomes_an_exact_integer(tmp_path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(WHOLE)
    config = load_config(file, {})
    found = resolve_venue(config, [SHARE], scale=6)
    assert (found.profile, found.seed, found.volume_share_rate) == ("book", 7, 25_000_000)
    assert (found.slippage_rate, found.spread_rate) == (2 * BPS, 3 * BPS // 2)
    assert (found.impact_rate, found.share_impact_rate, found.reject_rate) == (4 * BPS, 5 * BPS, 1_000_000)
    first, second, third = found.tiers
    assert (first, second) == (Tier(0, -BPS, 10 * BPS), Tier(10**9, -2 * BPS, 8 * BPS))
    assert third == Tier(2 * 10**9, 5 * BPS, 5 * BPS)
    assert found.tiers_of_run
    assert found.fee_units == (500 * 10**8,)  # 0.0005 dollars a lot of a tenth
    assert (found.minimum_fee_minor, found.maximum_fee_minor) == (10**6, 25 * 10**5)
    assert found.request_latency == Latency("quantiles", (10**6, 2 * 10**6, 9 * 10**6))
    assert found.report_latency == Latency("fixed", (3 * 10**6,))
    assert found.maintenance_ns == ((82_800 * 10**9, 84_600 * 10**9), (0, 86_400 * 10**9))
    assert (found.queue_model, found.queue_exponent) == ("power", 3)
    assert resolve_rates(config).cost_buffer == 10 * BPS + 2 * BPS + 3 * BPS // 2 + BPS


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[venue]\nprofil = "book"', 2, "did you mean venue.profile?"),
        ('[venue]\nprofile = "best"', 2, "venue.profile is 'best'; it is one of pessimistic"),
        ('fill = "ohlc"\n[venue]\nprofile = "ohlc"', 3, "says what fill says too; keep one of them (fill: line 1)"),
        ("fee_bps = 5\n[venue.fees]\ntaker_bps = 5", 3, "says what fee_bps says too"),
        ("slippage_bps = 5\n[venue.slippage]\nfixed_bps = 5", 3, "says what slippage_bps says too"),
        ("[venue]\nvolume_share = 2", 2, "must be above 0 and at most 1"),
        ("[venue]\nreject_share = 2", 2, "it is a share, at most 1"),
        ("[venue]\nseed = -1", 2, "it must be a whole number, 0 or more"),
        ('[venue]\nmaintenance = ["23:00"]', 2, "write a window of a day, in UTC, as 23:00-23:30"),
        ('[venue]\nmaintenance = ["23:00-22:00"]', 2, "write a window"),
        ('[venue]\nmaintenance = [' + '"01:00-02:00", ' * 5 + ']', 2, "at most 4 fit"),
        ('[venue]\nfiner = ["x"]', 2, "is for the profile intrabar"),
        ('[venue]\nprofile = "intrabar"', 2, "name finer data of the same instruments in venue.finer"),
        ('[venue.latency.request]\nfixed = "2 parsecs"', 2, "write a length of time"),
        ('[venue.latency.request]\nfixed = "2h"', 2, "is longer than an hour"),
        ('[venue.latency.request]\nquantiles = ["2s", "1s"]', 2, "from the smallest to the largest"),
        ('[venue.latency.request]\nquantiles = ["2s"]', 2, "two values or more"),
        ('[venue.latency.request]\nfixed = "1s"\nrecorded = ["2s"]', 3, "a latency has one model"),
        ("[venue.fees]\nminimum = 2\nmaximum = 1", 2, "is above the maximum (venue.fees.maximum: line 3)"),
        ("[venue.fees]\nper_unit = -1", 2, "negative, too large or too fine"),
        ('[venue.fees]\ntier_window = "7d"', 2, "it is one of 30d, run"),
        ("[venue.fees]\ntiers = [{ volume = 0, taker_bps = 1 }]", 2, "each tier begins above the one before it"),
        ("[venue.slippage]\nimpact_bps = -1", 2, "cannot be negative"),
        ('[venue.queue]\nmodel = "magic"', 2, "it is one of risk_averse"),
        ("[venue.queue]\nexponent = 9", 2, "it is 1 to 4"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path, text, line, message) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as found:
        resolve_venue(load_config(file, {}), [SHARE])
    said = str(found.value)
    assert message in said
    assert f"line {line}" in said or "per_unit" in text
