"""The MaxMind source, ready to run against its server, on a clock that turns by itself."""

import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, HubdataError, SourceError
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import Source, SourceContext
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.sources.maxmind.source import MaxmindSource
from tests.support.maxmind_server import SIGNATURE, MaxmindServer

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
CITY_KEY, ASN_KEY = "mmdb_update/GeoLite2-City.mmdb", "mmdb_update/GeoLite2-ASN.mmdb"
MIB = 1 << 20
SECRET = "sentinel-license-key"
LOGIN = {"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": SECRET}
BODY = b"not really a database, which is not the source's business" * 1000


class FakeClock:
    """A clock that turns by itself when slept on."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, 0, tzinfo=UTC) + timedelta(seconds=sum(self.slept))

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration.total_seconds())

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)


class Kit:
    """One source, ready to run, in its own workspace."""

    def __init__(self, server: MaxmindServer, workspace: Path, clock: FakeClock) -> None:
        self.server, self.workspace, self.clock = server, workspace, clock
        self.environment = {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}

    def fetch(
        self, published: Mapping[str, Provenance] | None = None, *, force: bool = False, **options: object
    ) -> Fetched:
        """Return what the source fetches; City alone unless `editions` says otherwise."""
        given = MaxmindOptions.model_validate({"editions": [CITY], "url": self.server.url, **options})
        context = SourceContext(self.workspace, self.environment, self.clock, force)
        source: Source = MaxmindSource(given, context, monotonic=self.clock.monotonic, random=lambda: 0.5)
        return source.fetch(lambda: published or {})

    def refused(self, published: Mapping[str, Provenance] | None = None, **options: object) -> SourceError:
        """Return the error of a fetch that must fail, leave nothing behind and quote no secret."""
        with pytest.raises(SourceError) as caught:
            self.fetch(published, **options)  # type: ignore[arg-type]
        assert not self.workspace.exists() or list(self.workspace.iterdir()) == []
        assert_no_secret(caught.value)
        assert caught.value.exit_code is Exit.SOURCE
        assert caught.value.advice
        return caught.value


def assert_no_secret(error: HubdataError) -> None:
    """Neither the key nor a presigned signature may be read anywhere in an error."""
    told = "".join(traceback.format_exception(error)) + error.advice
    assert SECRET not in told
    assert SIGNATURE not in told
