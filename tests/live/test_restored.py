"""A session that goes on from a backup which was taken while it traded: the venue's account is what it comes to."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from journal.encryption import use_master_key
from kernel.cli import cli
from tests.live.books import held
from tests.live.crash import settled
from tests.live.places import BYBIT
from tests.live.sessions import Session, write_config
from tests.venues.process import Server, started


def kernel(*arguments: str) -> Result:
    """A command beside the session, in this process."""
    done = CliRunner().invoke(cli, arguments)
    use_master_key(None)
    return done


def _positions_agree(session: Session, server: Server) -> bool:
    theirs = held(server.get("/test/state"))
    rows = session.ask("status")["instruments"]
    return all(Decimal(row["position"]) == theirs.get(row["symbol"], 0) for row in rows)


def _client_order_ids(server: Server) -> list[str]:
    orders: list[dict[str, Any]] = server.get("/test/state")["orders"]
    return [order["request"]["client_order_id"] for order in orders]


def test_a_session_goes_on_from_a_backup_under_other_order_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal is encrypted, which nothing of this notices."""
    run, again = tmp_path / "run", tmp_path / "again"
    assert kernel("encrypt", "--make-key", str(tmp_path / "master")).exit_code == 0
    monkeypatch.setenv("KERNEL_KEY_FILE", str(tmp_path / "master"))
    with started(BYBIT.module, "--rate", "120", *BYBIT.arguments) as server:
        with Session(run, BYBIT.keys) as session:
            session.begin(write_config(tmp_path / "live.toml", BYBIT, server))
            session.wait_until(lambda status: bool(status["fills"] > 2))
            taken = kernel("backup", str(run), str(tmp_path / "b"), "--json")  # the writer is at work
            assert taken.exit_code == 0, taken.output
            session.wait_until(lambda status: bool(status["fills"] > 6))  # what is lost
            session.ask("kill", level="entries", reason="the end")
            session.wait_until(lambda status: not status["in_flight"] and not status["in_doubt"])
            session.kill()
        assert kernel("restore", str(tmp_path / "b"), str(again)).exit_code == 0
        before = _client_order_ids(server)
        refused = kernel("live", "--resume", str(again))
        assert refused.exit_code == 2
        assert "must never trade again" in refused.output
        with Session(again, BYBIT.keys) as session:
            session.start("--resume", str(again), "--take-over")
            session.wait_until(settled)
            session.wait_until(lambda status: len(_client_order_ids(server)) > len(before) + 1)
            session.ask("kill", level="entries", reason="the end")
            session.wait_until(lambda status: not status["in_flight"] and not status["in_doubt"])
            session.wait_until(lambda status: _positions_agree(session, server))
            assert session.stop() == 0
        after = _client_order_ids(server)
    assert len(_prefixes(before)) == 1
    assert len(_prefixes(after)) == 2
    assert "identical" in kernel("replay", str(again)).stdout
    assert kernel("audit", "report", str(again), "--out", str(tmp_path / "audit")).exit_code == 0
    told = parquet.read_table(tmp_path / "audit" / "orders.parquet")["client_order_id"].to_pylist()
    assert set(after) - set(before) <= set(told)  # an auditor finds at the venue what this one sent
    assert len((again / "journal" / "keys").read_text().splitlines()) == 4  # a key for each of two openings
    shown = kernel("show", str(again), "--topic", "custody.restored")
    assert f"from {json.loads(taken.stdout)['frames']} frames" in shown.stdout


def _prefixes(names: list[str]) -> set[str]:
    return {name.partition("-")[0] for name in names}
