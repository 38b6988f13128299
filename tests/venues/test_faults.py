"""The plan of faults: by seed, counted, bounded."""

import pytest

from tests.venues.faults import KINDS, Faults, mangled


def test_a_plan_is_a_function_of_its_seed_and_rules_do_not_disturb_each_other():
    plain, more = Faults(3, "disconnect=0.3"), Faults(3, "slow=0.5,disconnect=0.3")
    first, second = [], []
    for _ in range(200):
        first.append(plain.strikes("disconnect"))
        more.strikes("slow")
        second.append(more.strikes("disconnect"))
    assert first == second
    assert 30 < sum(first) < 90
    assert plain.counts() == {"disconnect": sum(first)}


def test_where_and_limit():
    faults = Faults(1, "http_500@/order/create=1:2")
    assert not faults.strikes("http_500", "/v5/market/time")
    assert [faults.strikes("http_500", "/v5/order/create") for _ in range(4)] == [True, True, False, False]
    faults.set("http_500", 1.0, limit=1)
    assert faults.first(("slow", "http_500"), "/v5/market/time") == "http_500"
    faults.clear()
    assert faults.first(tuple(KINDS)) == ""


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="no fault"):
        Faults(1, "earthquake=1")


def test_mangled_bytes_are_not_what_they_were():
    assert mangled("truncated", b'{"a":1}') == b'{"a"'
    assert mangled("malformed", b"{}").startswith(b"<html>")
