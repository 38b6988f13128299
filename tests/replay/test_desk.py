"""The desk's preset on real bars: one line of configuration, and each of its figures bites in a whole run."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from kernel.events import catalogue as c
from kernel.events.body import encode_body, pack_body
from kernel.events.layout import RECORD, Stored, decode, encode
from kernel.exits_nb import REASONS, STOP_LOSS, TRAILING_STOP
from kernel.lifecycle import EXIT_ORDER, FLATTEN_ORDER
from kernel.market import KIND_NAMES, LEVEL
from kernel.risk import numbers as n
from kernel.risk.rules import RULES
from replay.catalogue.files import open_file, read_columns, write_file
from replay.catalogue.model import SCHEMA_VERSION, Metadata
from replay.catalogue.sessions import write_sessions
from replay.config import ConfigError, load_config
from replay.execution import Execution, prepare
from replay.limits_in_force import limits_in_force
from replay.runner import run_backtest
from replay.sample import sample_root
from replay.session import Injection
from tests.replay.runs import SPY

FILE = Path(__file__).with_name("desk_strategies.py")
BTC = str(sample_root() / "coinbase")
DESK = {"defaults": "desk", "pass_unknown": True}
BOTH: dict[str, Any] = {"data": [SPY, BTC], "from": "2020-03-02", "to": "2020-03-20"}


def eager(count: int = 1, **parameters: Any) -> list[dict[str, Any]]:
    return [{"use": f"{FILE}:Eager", "set": {**parameters, "first": at}} for at in range(count)]


def prepared(strategies: list[dict[str, Any]], risk: dict[str, Any], **more: Any) -> Any:
    values = {"data": [SPY], "from": "2020-02-03", "to": "2020-04-01", "fsync": "off", "fee_bps": 0, **more}
    return prepare(load_config(None, {**values, "strategy": strategies, "risk": risk}))


def refused(tmp_path: Path, strategies: list[dict[str, Any]], risk: dict[str, Any], **more: Any) -> set[str]:
    result = run_backtest(prepared(strategies, risk, **more), tmp_path / "run")
    return {refusal.check for refusal in result.refusals}


BITES: list[tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = [
    ("symbol_orders", eager(), {}, {}),
    ("order_rate", eager(orders=7), {"orders_per_symbol_day": 0}, {}),
    ("symbol_exposure", eager(fraction=0.3), {}, {}),
    ("total_exposure", eager(fraction=0.4), {"symbol_exposure": 45_000}, BOTH),
    ("symbol_positions", eager(4, out=0), {}, {}),
    ("positions", eager(6, out=0), {"symbol_positions": 0, "orders_per_symbol_day": 0, "orders_per_minute": 0}, BOTH),
    ("sector_share", eager(fraction=0.35), {"symbol_exposure": 50_000, "sectors": {"all": ["us/SPY"]}}, {}),
    ("slippage", eager(2), {"orders_per_symbol_day": 0}, {}),
    ("daily_loss", eager(fraction=0.9, out=0), {"daily_loss_kill_percent": 0, "drawdown_percent": 0},
     {**BOTH, "data": [BTC], "cash": 10_000}),
    ("kill_switch", eager(fraction=0.9, out=0), {}, {**BOTH, "data": [BTC], "cash": 10_000}),
    ("cvar", eager(fraction=0.9, out=0),
     dict.fromkeys(("daily_loss_percent", "daily_loss_kill_percent", "drawdown_percent"), 0),
     {"data": [BTC], "from": "2020-02-15", "to": "2020-03-20", "cash": 10_000}),
    ("average_daily_volume", eager(), {"pass_unknown": False}, {}),
    ("spread", eager(), {"pass_unknown": False, "average_daily_volume_min": 0}, {}),
    ("session_hours", eager(), {"pass_unknown": False, "average_daily_volume_min": 0, "spread_max_percent": 0}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "strategies", "risk", "more"), BITES, ids=[row[0] for row in BITES])
def test_each_figure_of_the_desk_bites(
    tmp_path: Path, check: str, strategies: list[dict[str, Any]], risk: dict[str, Any], more: dict[str, Any]
) -> None:
    assert check in refused(tmp_path, strategies, {**DESK, **risk}, **more)


@pytest.fixture(scope="module")
def with_sessions(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bars of SPY with the sessions of New York, its daily volume and a date of earnings."""
    root = tmp_path_factory.mktemp("desk")
    file = open_file(Path(SPY))
    columns = {name: column[file.rows - 2200 :] for name, column in read_columns(file.path).items()}
    instrument = msgspec.structs.replace(file.instrument, calendar="XNYS")
    path = root / "us" / "SPY" / Path(SPY).name
    write_file(path, msgspec.structs.replace(file.metadata, instrument=instrument, rows=2200), columns)
    write_sessions(root, instrument, int(columns["ts"][0]), int(columns["ts"][-1]))
    known, earnings = (int(np.datetime64(text, "ns").astype(int)) for text in ("2020-10-01T01:00", "2020-10-15T20:00"))
    levels = {"ts": [known] * 2, "level": [2, 3], "value": [80_000_000, earnings]}
    metadata = Metadata(
        schema_version=SCHEMA_VERSION, instrument=instrument, kind=KIND_NAMES[LEVEL], interval_ns=0, rows=2,
        first_ts_ns=0, last_ts_ns=0, volume_known=True,
    )  # fmt: skip
    write_file(path.with_name("levels.parquet"), metadata, {name: np.array(value) for name, value in levels.items()})
    return str(root)


def test_the_desk_with_all_that_its_gates_read(tmp_path: Path, with_sessions: str) -> None:
    """Entries between 9:30 and 15:45 in New York, not within two days of earnings; no gate is let pass unseen."""
    span = {"data": [with_sessions], "from": "2020-10-01", "to": "2020-11-10"}
    strategies = eager(fraction=0.05)
    risk = {"defaults": "desk", "spread_max_percent": 0, "orders_per_symbol_day": 0}
    result = run_backtest(prepared(strategies, risk, **span), tmp_path / "run")
    assert {refusal.check for refusal in result.refusals} == {"session_hours", "earnings"}
    entries, blocked = [], []
    for stored in events_of(result.run_dir):
        if isinstance(stored.event, c.RiskChecked):
            when = np.datetime64(stored.ts_event_ns, "ns")
            blocked += [when] if stored.event.check == n.EARNINGS else []
            entries += [when] if stored.event.check == 0 else []
    # New York is four hours behind until November 1st, then five: the last bar of a session closes with it.
    hours = {str(when)[11:13] for when in entries}
    assert hours <= {"14", "15", "16", "17", "18", "19", "20"}
    assert {str(when)[:10] for when in blocked} <= {
        "2020-10-13",
        "2020-10-14",
        "2020-10-15",
        "2020-10-16",
        "2020-10-17",
    }
    assert result.trades > 10


def events_of(run_dir: Path) -> Any:
    from replay.history import History
    from replay.inspect.frames import Filter

    return History(run_dir, []).events(Filter())


def test_every_position_of_the_desk_has_its_trailing_stop(tmp_path: Path) -> None:
    strategies = eager(fraction=0.09, out=0)
    result = run_backtest(prepared(strategies, DESK), tmp_path / "run")
    exits = [stored.event for stored in events_of(result.run_dir) if isinstance(stored.event, c.ExitTriggered)]
    assert TRAILING_STOP in {event.reason for event in exits}
    assert {REASONS[event.reason][0] for event in exits} <= {"trailing_stop", "max_hold"}


def test_every_figure_can_be_said_otherwise() -> None:
    """Each setting of the desk, off: nothing of it is in force any more."""
    off = {rule.name: False if rule.unit == "switch" else ("0" if rule.unit == "length" else 0)
           for rule in RULES.values() if rule.desk is not None}  # fmt: skip
    config = load_config(None, {"strategy": eager(), "risk": {"defaults": "desk", **off}})
    assert not [limit for limit in limits_in_force(config) if limit.said == "desk"]
    assert len([limit for limit in limits_in_force(load_config(None, {"risk": {"defaults": "desk"}}))
                if limit.said == "desk" and limit.status == "on"]) == len(off) - 2  # fmt: skip


# --- what goes on while entries are stopped -------------------------------------------------------------------------


class Collect:
    """Takes the frames of a run."""

    def __init__(self) -> None:
        self.records: list[np.ndarray] = []

    def frame(self, records: np.ndarray, bodies: bytes, **facts: Any) -> None:
        self.records.append(records.copy())

    def events(self) -> list[Stored]:
        return [decode(record) for record in np.concatenate(self.records).view(RECORD)]


def record_of(prepared_run: Any, *inputs: tuple[int, c.Event, int]) -> list[Stored]:
    """The events of a run with recorded inputs at sequences: ``(sequence, event, instrument)``."""
    injections = []
    for sequence, event, instrument in inputs:
        body = encode_body("test")
        record = encode(Stored(sequence, 0, 0, 0, instrument, -1, 0, event, body))
        injections.append(Injection(sequence, record, pack_body(body)))
    sink = Collect()
    Execution(prepared_run, sink, injections=injections).run()
    return sink.events()


def of(events: list[Stored], kind: type[c.Event]) -> list[Stored]:
    return [stored for stored in events if isinstance(stored.event, kind)]


def exits_between(events: list[Stored], first: int, last: int) -> list[Stored]:
    """The fills of exits in a span of sequences."""
    wanted = {s.sequence for s in of(events, c.OrderIntended) if s.event.purpose == EXIT_ORDER}
    return [s for s in of(events, c.OrderFilled) if s.event.order_id in wanted and first < s.sequence < last]


EXITS = {"exits": {"stop": 0.02}}


def test_exits_go_on_while_trading_is_halted() -> None:
    run = prepared(eager(fraction=0.5, out=0), {}, **EXITS)
    plain = record_of(run)
    fired = of(plain, c.ExitTriggered)[0].sequence
    halted = record_of(run, (fired - 3, c.TradingHalted(1), -1))
    at = of(halted, c.TradingHalted)[0].sequence
    assert exits_between(halted, at, 10**9), "the position was given up"
    verdicts = [s.event.check for s in of(halted, c.RiskChecked) if s.sequence > at]
    assert set(verdicts) == {n.APPROVED, n.HALTED}, "the exit passed, and every entry was refused"
    assert verdicts.count(n.APPROVED) == 1


def test_exits_go_on_at_level_one_of_the_kill_switch() -> None:
    risk = {"daily_loss_kill_percent": "0.5", "kill_level": 1}
    events = record_of(prepared(eager(fraction=0.5, out=0), risk, **EXITS))
    (killed,) = of(events, c.KillSwitchTripped)
    assert (killed.event.level, killed.event.check) == (1, n.DAILY_LOSS_KILL)
    assert exits_between(events, killed.sequence, 10**9)
    assert {s.event.reason for s in of(events, c.ExitTriggered) if s.sequence > killed.sequence} <= {STOP_LOSS, 6}
    entries = [s for s in of(events, c.RiskChecked) if s.sequence > killed.sequence and s.event.check == 0]
    purposes = {s.sequence: s.event.purpose for s in of(events, c.OrderIntended)}
    assert all(purposes[s.event.order_id] == EXIT_ORDER for s in entries)


def test_a_drawdown_of_the_desk_flattens_and_stays_latched() -> None:
    run = prepared(
        eager(fraction=0.9, out=0), {**DESK, "trailing_stop_percent": 0}, **BOTH | {"data": [BTC], "cash": 10_000}
    )
    events = record_of(run)
    killed = [s for s in of(events, c.KillSwitchTripped) if s.event.level == 3]
    assert killed[0].event.check == n.DRAWDOWN
    after = [s for s in of(events, c.OrderIntended) if s.sequence > killed[0].sequence]
    approved = {s.event.order_id for s in of(events, c.RiskChecked) if s.event.check == 0}
    assert {s.event.purpose for s in after if s.sequence in approved} == {FLATTEN_ORDER}


def test_a_position_that_the_venue_does_not_have_trips_the_kill_switch() -> None:
    run = prepared(eager(fraction=0.09, out=0), DESK)
    held = of(record_of(run), c.PositionChanged)[0].sequence
    events = record_of(run, (held + 10, c.VenuePositionReported(0), 0))
    (killed,) = of(events, c.KillSwitchTripped)
    assert (killed.event.level, killed.event.check) == (2, n.DRIFT)
    purposes = {s.sequence: s.event.purpose for s in of(events, c.OrderIntended)}
    verdicts = [
        (purposes[s.event.order_id], s.event.check) for s in of(events, c.RiskChecked) if s.sequence > killed.sequence
    ]
    assert set(verdicts) == {(EXIT_ORDER, n.APPROVED), (0, n.KILL_SWITCH)}


# --- accounts that hedge --------------------------------------------------------------------------------------------

HEDGING = '[[account]]\nname = "main"\ncurrency = "USD"\nbooks = "hedging"\n'


@pytest.mark.parametrize(
    ("text", "line", "setting"),
    [
        ("[exits]\nstop = 0.02\n", 8, "exits follows one book, but account main keeps a long and a short one"),
        ('[sizing]\nmodel = "kelly"\nwin = 0.6\npayoff = 2\n', 8, "sizing follows one book"),
        ('[portfolio]\nmethod = "equal"\n', 8, "portfolio follows one book"),
        ("[strategy.exits]\nstop = 0.02\n", 8, "strategy.exits follows one book"),
        ('[risk]\ndefaults = "desk"\n', 9, "risk.defaults sets a trailing stop, which follows one book"),
        ("[risk]\ntrailing_stop_percent = 4\n", 9, "set trailing_stop_percent = 0"),
    ],
)
def test_what_follows_one_book_is_refused_for_two(tmp_path: Path, text: str, line: int, setting: str) -> None:
    file = tmp_path / "run.toml"
    start = f'data = ["{SPY}"]\n{HEDGING}[[strategy]]\nuse = "ema_cross"\n'
    file.write_text(start + text)
    with pytest.raises(ConfigError) as found:
        prepare(load_config(file, {}))
    assert str(found.value).startswith(f"{file}, line {line}: ")
    assert setting in str(found.value)
    assert "(account.books: line 5)" in str(found.value)
    file.write_text(start + '[risk]\ndefaults = "desk"\ntrailing_stop_percent = 0\n')
    assert prepare(load_config(file, {})).strategies
