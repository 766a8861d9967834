"""What a job file may ask of a kind by name, that kind really judges: a guard must not be there in words only."""

from typing import Any

import pytest

from hubdata.config.named import NETWORK_KINDS, ROW_KINDS
from hubdata.model.job import Limits
from hubdata.plugins import Seam, load
from tests.support.judged import judged, rules

SAMPLES = {
    "bots": (
        b'{"name":"a","user_agent":"abot","ips":["9.9.9.9"]}\n{"name":"b","user_agent":"bbot","ranges":["9.9.8.0/24"]}\n',
        "9.9.8.0/24",
    ),
    "cidr": (b"# ours\n9.9.8.0/24\n", "9.9.8.0/25"),
    "ip-exact": (b"9.9.9.9\n", "9.9.9.9"),
    "jsonl-uri": (b'{"cve":"CVE-2024-3400","uri":"/ssl-vpn/hipreport.esp"}\n', "/ssl-vpn/hipreport.esp"),
    "needle": (b"/ssl-vpn/hipreport.esp\n", "/ssl-vpn/hipreport.esp"),
    "phrases": (b"hipreport.esp\n", "hipreport.esp"),
    "rdns-regexp": (b"^crawl-[0-9]+\\.googlebot\\.com\\.$\n", "^crawl-[0-9]+\\.googlebot\\.com\\.$"),
    "rdns-suffix": (b".googlebot.com.\n", ".googlebot.com."),
    "regexp": (b"^/ssl-vpn/hipreport\\.esp$\n", "^/ssl-vpn/hipreport\\.esp$"),
}


def test_every_kind_with_a_guard_is_held_to_it() -> None:
    """A kind that learns to judge by names gets a sample here."""
    assert SAMPLES.keys() == NETWORK_KINDS | ROW_KINDS


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_must_stay_and_is_there_is_no_finding_and_what_is_not_refuses(name: str) -> None:
    """The same file passes with what it holds and is refused for what it lacks."""
    kind: type[Any] = load(Seam.KIND, name)
    body, there = SAMPLES[name]
    absent = "8.8.8.8" if name in NETWORK_KINDS else "/not/there"

    assert rules(judged(kind, body, limits=Limits(must_contain=(there,)))) == []
    assert rules(judged(kind, body, limits=Limits(must_contain=(there, absent)))) == ["limits.must-contain"]


@pytest.mark.parametrize("name", sorted(NETWORK_KINDS))
def test_a_network_never_to_be_let_in_refuses_by_line(name: str) -> None:
    """Every kind that lets networks in finds the line that does."""
    kind: type[Any] = load(Seam.KIND, name)
    body, there = SAMPLES[name]
    line = 1 if name == "ip-exact" else 2

    (finding,) = judged(kind, body, limits=Limits(must_not_contain=(there, "8.8.8.0/24"))).findings

    assert (finding.rule, finding.line) == ("limits.must-not-contain", line)
    assert judged(kind, body, limits=Limits(must_not_contain=("8.8.8.0/24",))).findings == ()
