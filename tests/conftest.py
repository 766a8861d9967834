"""What holds for every test: a clean environment, and no silent skip where everything is required."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("hubdata", deadline=None)  # a busy machine is no failure
settings.load_profile("hubdata")

_EVERYTHING_REQUIRED = os.environ.get("HUBDATA_TESTS_REQUIRE") == "all"
_OURS = ("HUBDATA_", "MAXMIND_", "GEOIPUPDATE_", "IPINFO_", "AWS_", "GITHUB_")


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
