"""Who asks MaxMind for what, where and through which proxy: the job, the environment, the GeoIP.conf, in this order."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.clock import SystemClock
from hubdata.errors import ConfigError
from hubdata.ports import SourceContext
from hubdata.sources.maxmind.access import Access, find_access
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.sources.maxmind.source import MaxmindSource
from tests.support.forward_proxy import HttpProxy, SocksProxy
from tests.support.maxmind_server import MaxmindServer

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
PASSWORD = "sentinel-proxy-password"
LOGIN = {"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": "k"}
CONF = f"""\
AccountID 42
LicenseKey conf-key
EditionIDs {CITY} {ASN}
Host conf.example
Proxy conf-proxy.example
ProxyUserPassword me:{PASSWORD}
RetryFor 2m
"""


@pytest.fixture
def conf(tmp_path: Path) -> str:
    """The path of a GeoIP.conf that sets everything."""
    path = tmp_path / "GeoIP.conf"
    path.write_text(CONF)
    return str(path)


def access(environment: Mapping[str, str], **options: object) -> Access:
    """Return the access for a job with these options."""
    return find_access(MaxmindOptions.model_validate(options), environment)


def proxy_of(found: Access) -> str | None:
    """Return the proxy's URL in clear."""
    return found.proxy.reveal() if found.proxy else None


def test_a_geoip_conf_alone_is_enough(conf: str) -> None:
    """A job that names nothing but it."""
    found = access({}, config_file=conf)
    assert (found.account_id, found.license_key.reveal(), found.origin) == ("42", "conf-key", "GeoIP.conf")
    assert (found.editions, found.url) == ((CITY, ASN), "https://conf.example")
    assert proxy_of(found) == f"http://me:{PASSWORD}@conf-proxy.example:1080"
    assert found.retry_for == timedelta(minutes=2)
    assert access({"GEOIPUPDATE_CONF_FILE": conf}) == found


@pytest.mark.parametrize("family", ["MAXMIND", "GEOIPUPDATE"])
def test_the_environment_goes_before_the_file(conf: str, family: str) -> None:
    """Each setting for itself."""
    environment = {
        f"{family}_ACCOUNT_ID": "7",
        f"{family}_LICENSE_KEY": "env-key",
        f"{family}_EDITION_IDS": f" {ASN} {ASN} ",
        f"{family}_HOST": "env.example",
        f"{family}_PROXY": "socks5://env-proxy.example:9",
        f"{family}_PROXY_USER_PASSWORD": "you:word",
        f"{family}_RETRY_FOR": "30s",
    }
    found = access(environment, config_file=conf)
    assert (found.account_id, found.license_key.reveal()) == ("7", "env-key")
    assert found.origin == f"{family}_ACCOUNT_ID and {family}_LICENSE_KEY"
    assert (found.editions, found.url, found.retry_for) == ((ASN,), "https://env.example", timedelta(seconds=30))
    assert proxy_of(found) == "socks5h://you:word@env-proxy.example:9"
    for name in environment:
        rest = access({n: v for n, v in environment.items() if n != name}, config_file=conf)
        assert rest != found, name


def test_the_job_goes_before_both(conf: str) -> None:
    """What a reviewer has approved."""
    environment = {"GEOIPUPDATE_EDITION_IDS": ASN, "GEOIPUPDATE_HOST": "env.example", "GEOIPUPDATE_RETRY_FOR": "1h"}
    found = access(environment, config_file=conf, editions=[CITY], url="https://job.example", retry_for_s=5)
    assert (found.editions, found.url, found.retry_for) == ((CITY,), "https://job.example", timedelta(seconds=5))


def test_what_only_the_updater_can_be_told_changes_nothing(conf: str) -> None:
    """The rest of its variables are about files that it installs and how it runs; people may have set them."""
    others = {f"GEOIPUPDATE_{name}": "1" for name in ("DB_DIR", "LOCK_FILE", "PARALLELISM", "PRESERVE_FILE_TIMES")}
    assert access({**others, "GEOIPUPDATE_VERBOSE": "1"}, config_file=conf) == access({}, config_file=conf)


def test_maxminds_names_go_before_the_updaters() -> None:
    """Also where one of them is in a file."""
    environment = {**LOGIN, "GEOIPUPDATE_ACCOUNT_ID": "2", "GEOIPUPDATE_LICENSE_KEY": "other"}
    found = access(environment, editions=[CITY])
    assert (found.account_id, found.license_key.reveal()) == ("1", "k")


def test_a_proxy_password_may_lie_in_a_file(tmp_path: Path) -> None:
    """As the key may."""
    (tmp_path / "password").write_text(f"me:{PASSWORD}\n")
    environment = {
        **LOGIN,
        "GEOIPUPDATE_PROXY": "proxy.example:1",
        "GEOIPUPDATE_PROXY_USER_PASSWORD_FILE": str(tmp_path / "password"),
    }
    assert proxy_of(access(environment, editions=[CITY])) == f"http://me:{PASSWORD}@proxy.example:1"


@pytest.mark.parametrize(
    ("environment", "lines", "expected"),
    [
        ({"GEOIPUPDATE_PROXY_USER_PASSWORD": "you:word"}, "Proxy p.example", "http://you:word@p.example:1080"),
        ({"GEOIPUPDATE_PROXY": "p.example:9"}, "ProxyUserPassword me:pass", "http://me:pass@p.example:9"),
        (
            {"GEOIPUPDATE_PROXY_USER_PASSWORD": "you:word"},
            "Proxy p.example\nProxyUserPassword me:pass",
            "http://you:word@p.example:1080",
        ),
        ({"GEOIPUPDATE_PROXY": "own:login@p.example:9"}, "ProxyUserPassword me:pass", "http://own:login@p.example:9"),
        ({"GEOIPUPDATE_PROXY_USER_PASSWORD_FILE": "/absent"}, "RetryFor 0", None),
    ],
)
def test_a_proxys_login_may_come_from_another_place_than_the_proxy(
    tmp_path: Path, environment: dict[str, str], lines: str, expected: str | None
) -> None:
    """As for the updater: the file names the proxy and the environment the password, or the other way round."""
    path = tmp_path / "GeoIP.conf"
    path.write_text(f"{lines}\n")
    assert proxy_of(access({**LOGIN, **environment}, config_file=str(path), editions=[CITY])) == expected


def test_a_host_of_the_update_service_is_not_that_of_permalinks(conf: str) -> None:
    """GEOIPUPDATE_HOST and Host name the one that geoipupdate asks."""
    found = access({"GEOIPUPDATE_HOST": "env.example"}, config_file=conf, protocol="permalink")
    assert found.url == "https://download.maxmind.com"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no editions to fetch"),
        ({"GEOIPUPDATE_EDITION_IDS": "../../etc/passwd"}, "an edition is not one"),
        ({"GEOIPUPDATE_EDITION_IDS": "GeoLite2-City-CSV"}, "without -CSV"),
        ({"GEOIPUPDATE_EDITION_IDS": " ".join(f"E{n}" for n in range(51))}, "51 editions are more than 50"),
        ({"GEOIPUPDATE_EDITION_IDS": CITY, "GEOIPUPDATE_HOST": "http://updates.example"}, "in the clear"),
        ({"GEOIPUPDATE_EDITION_IDS": CITY, "GEOIPUPDATE_HOST": "https://a:b@updates.example"}, "user or password"),
        ({"GEOIPUPDATE_EDITION_IDS": CITY, "GEOIPUPDATE_RETRY_FOR": "soon"}, "GEOIPUPDATE_RETRY_FOR is not a duration"),
        ({"GEOIPUPDATE_EDITION_IDS": CITY, "GEOIPUPDATE_PROXY": f"ftp://a:{PASSWORD}@b"}, "GEOIPUPDATE_PROXY"),
        (
            {"GEOIPUPDATE_EDITION_IDS": CITY, "GEOIPUPDATE_PROXY": "b", "MAXMIND_PROXY_USER_PASSWORD": PASSWORD},
            "ProxyUserPassword in GEOIPUPDATE_PROXY is not one",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_a_config_error(environment: dict[str, str], message: str) -> None:
    """With advice, and without quoting what may be a secret."""
    with pytest.raises(ConfigError, match=message) as caught:
        access({**LOGIN, **environment})
    assert caught.value.advice
    assert PASSWORD not in str(caught.value) + caught.value.advice


def test_an_access_does_not_print_its_secrets(conf: str) -> None:
    """Neither key nor proxy password."""
    shown = repr(access({}, config_file=conf))
    assert PASSWORD not in shown
    assert "conf-key" not in shown


@pytest.mark.parametrize("kind", [HttpProxy, SocksProxy], ids=["http", "socks5"])
def test_everything_goes_through_the_proxy_of_a_geoip_conf(tmp_path: Path, kind: type[HttpProxy | SocksProxy]) -> None:
    """Metadata, download and the presigned object: a whole fetch by nothing but a GeoIP.conf."""
    (tmp_path / "database").write_bytes(b"not really a database")
    with (
        MaxmindServer({CITY: tmp_path / "database"}) as server,
        kind(login=("me", PASSWORD)) as proxy,
    ):
        scheme = "http" if kind is HttpProxy else "socks5"
        (tmp_path / "GeoIP.conf").write_text(
            f"AccountID {server.account}\nLicenseKey {server.key}\nEditionIDs {CITY}\nHost {server.url}\n"
            f"Proxy {scheme}://127.0.0.1:{proxy.port}\nProxyUserPassword me:{PASSWORD}\nRetryFor 0\n"
        )
        options = MaxmindOptions.model_validate({"config_file": str(tmp_path / "GeoIP.conf")})
        context = SourceContext(tmp_path / "workspace", {"NO_PROXY": "*"}, SystemClock(), memory=tmp_path / "memory")
        (file,) = MaxmindSource(options, context).fetch(dict).files
        assert file.path.read_bytes() == b"not really a database"
        service, store = (int(url.rpartition(":")[2]) for url in (server.url, server.store_url))
        assert {port for _, port in proxy.asked} == {service, store}
        if kind is SocksProxy:
            assert ("localhost", store) in proxy.asked  # the proxy was given the name
        assert [r.endpoint for r in server.requests] == ["metadata", "download", "object"]


@pytest.mark.parametrize(("retry_for_s", "asked"), [(0, 1), (1, 2), (None, 6)])
def test_retries_end_when_their_time_is_over(tmp_path: Path, retry_for_s: float | None, asked: int) -> None:
    """RetryFor 0 is one try; the total budget is another matter."""

    class Clock(SystemClock):
        slept = 0.0

        def sleep(self, duration: timedelta) -> None:
            self.slept += duration.total_seconds()

    clock = Clock()
    (tmp_path / "database").write_bytes(b"x")
    with MaxmindServer({CITY: tmp_path / "database"}) as server:
        server.fail("metadata", status=503)
        environment = {"MAXMIND_ACCOUNT_ID": server.account, "MAXMIND_LICENSE_KEY": server.key}
        given: dict[str, object] = {"editions": [CITY], "url": server.url}
        options = MaxmindOptions.model_validate(given | ({} if retry_for_s is None else {"retry_for_s": retry_for_s}))
        source = MaxmindSource(
            options,
            SourceContext(tmp_path / "workspace", environment, clock),
            monotonic=lambda: clock.slept,
            random=lambda: 0.5,
        )
        from hubdata.errors import SourceError

        with pytest.raises(SourceError, match="gave up after"):
            source.fetch(dict)
        assert server.count("metadata") == asked
