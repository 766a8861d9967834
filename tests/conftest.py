"""What holds for every test: a clean environment, and no silent skip where everything is required."""

import os
import signal
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "hubdata",
    deadline=None,  # a busy machine is no failure
    suppress_health_check=[HealthCheck.too_slow],  # nor is it when examples are made
    derandomize=not os.environ.get("HUBDATA_TESTS_LONG"),  # what passed passes again; long runs look for news
    database=None,  # and no run depends on what an earlier one has left
)
settings.load_profile("hubdata")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As of a shell's background job: processes that tests start, and interrupt, would be deaf to it from birth.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    # Whoever ends the tests leaves no server and no scratch directory behind: all is taken down, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

_EVERYTHING_REQUIRED = os.environ.get("HUBDATA_TESTS_REQUIRE") == "all"
_OURS = ("HUBDATA_", "MAXMIND_", "GEOIPUPDATE_", "IPINFO_", "AWS_", "GITHUB_")

_LONGEST_FIRST = (
    *("tests/deploy/test_apply.py", "tests/faults/test_races.py", "tests/e2e/test_a_year.py", "tests/simulator/"),
    *("tests/faults/", "tests/fuzz/", "tests/interop/", "tests/e2e/", "tests/deploy/", "tests/oracle/"),
)
"""Files that take minutes are begun first, so that in the end no process is left alone with one of them."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores, for there is always one that waits for another program."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and leave everything else in its order."""

    def rank(item: pytest.Item) -> int:
        found = (number for number, start in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(start))
        return next(found, len(_LONGEST_FIRST))

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide settings and credentials of whoever runs the tests."""
    for name in os.environ:
        if name.startswith(_OURS):
            monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Turn a skip into a failure where HUBDATA_TESTS_REQUIRE=all says that nothing may be left out.

    But a store that others make and a cluster's tool are used where they can be had; their skips are told loudly.
    """
    report = yield
    optional = any(item.get_closest_marker(name) is not None for name in ("interop", "cluster"))
    if _EVERYTHING_REQUIRED and report.skipped and not optional and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped, but required here: {report.longrepr}"
    return report
