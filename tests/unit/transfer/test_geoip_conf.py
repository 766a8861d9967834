"""GeoIP.conf files as people have them, and as nobody can mean them."""

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubdata.errors import ConfigError
from hubdata.report.redaction import Redactor
from hubdata.transfer.geoip_conf import Settings, duration, proxy_url, read_geoip_conf, service_url

KEY = "sentinel-license-key"
PASSWORD = "sentinel-proxy:password/@"


def conf(tmp_path: Path, text: str) -> Settings:
    """Return the settings of a file with this text."""
    path = tmp_path / "GeoIP.conf"
    path.write_text(text)
    return read_geoip_conf(path)


def test_every_setting_of_the_vendors_own_file_is_understood(tmp_path: Path) -> None:
    """The example that the updater brings, filled in."""
    found = conf(
        tmp_path,
        f"""\
# Please see https://dev.maxmind.com/ for instructions.

AccountID 123456
LicenseKey {KEY}
\tEditionIDs   GeoLite2-Country  GeoLite2-City
  # The remaining settings are OPTIONAL.
DatabaseDirectory /usr/share/GeoIP with spaces
Host updates.maxmind.com
Proxy 127.0.0.1:8888
ProxyUserPassword me:{PASSWORD}
PreserveFileTimes 0
LockFile /usr/share/GeoIP/.geoipupdate.lock
RetryFor 5m
Parallelism 1
Protocol https
SkipPeerVerification 0
SkipHostnameVerification 0
""",
    )
    assert (found.account_id, found.editions) == ("123456", ("GeoLite2-Country", "GeoLite2-City"))
    assert found.license_key is not None
    assert found.license_key.reveal() == KEY
    assert (found.url, found.retry_for) == ("https://updates.maxmind.com", timedelta(minutes=5))
    proxy = found.whole_proxy()
    assert proxy is not None
    assert proxy.reveal() == "http://me:sentinel-proxy%3Apassword%2F%40@127.0.0.1:8888"


def test_the_names_of_older_files_are_understood(tmp_path: Path) -> None:
    """UserId and ProductIds; Windows line ends."""
    found = conf(tmp_path, f"UserId 1\r\nLicenseKey {KEY}\r\nProductIds GeoLite2-ASN\r\n")
    assert (found.account_id, found.editions, found.proxy, found.retry_for) == ("1", ("GeoLite2-ASN",), None, None)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """Nor do comments."""
    assert conf(tmp_path, "\n# AccountID 1\n") == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"AccountID 1\nLicenceKey {KEY}", "line 2: there is no such setting"),
        (f"licensekey {KEY}", "line 1: there is no such setting"),
        ("LicenseKey", "line 1: `LicenseKey` has no value"),
        ("AccountID", "line 1: `AccountID` has no value"),
        (KEY, "line 1: there is no such setting"),
        (f"LicenseKey {KEY}\nLicenseKey {KEY}", "line 2: `LicenseKey` is given twice"),
        ("UserId 1\n\nAccountID 1", "line 3: `AccountID` is given twice"),
        ("RetryFor soon", "RetryFor in .* is not a duration"),
        ("RetryFor -5m", "is not a duration"),
        (f"Proxy gopher://me:{KEY}@proxy:1", "its scheme is 'gopher'"),
        (f"Proxy socks4://me:{KEY}@proxy:1", "its scheme is socks4"),
        (f"Proxy proxy:1\nProxyUserPassword {KEY}", "is not one"),
        ("#" * 70_000, "more than 65536 bytes"),
    ],
)
def test_what_the_updater_would_refuse_is_refused_without_quoting_it(tmp_path: Path, text: str, message: str) -> None:
    """With file and line, and no value: a line may hold the key."""
    with pytest.raises(ConfigError, match=message) as caught:
        conf(tmp_path, text)
    assert caught.value.advice
    assert KEY not in str(caught.value) + caught.value.advice
    assert Redactor()(str(caught.value)) == str(caught.value), "no word of the message is taken for a key"
    assert "GeoIP.conf" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(ConfigError, match=r"GeoIP\.conf cannot be read: No such file"):
        read_geoip_conf(tmp_path / "GeoIP.conf")


@pytest.mark.parametrize(
    ("proxy", "login", "expected"),
    [
        ("proxy.example", "", "http://proxy.example:1080"),
        ("proxy.example:3128", "", "http://proxy.example:3128"),
        ("http://proxy.example", "a:b", "http://a:b@proxy.example:1080"),
        ("socks5://proxy.example", "", "socks5h://proxy.example:1080"),
        ("SOCKS5://proxy.example:9", "a:b", "socks5h://a:b@proxy.example:9"),
        ("https://proxy.example:9", "a:b", "https://a:b@proxy.example:9"),
        ("socks5h://proxy.example:9", "", "socks5h://proxy.example:9"),
        ("http://own:login@proxy.example:1", "a:b", "http://own:login@proxy.example:1"),
        ("[::1]", "", "http://[::1]:1080"),
        ("http://[::1]:8080", ":", "http://:@[::1]:8080"),
    ],
)
def test_a_proxy_is_completed_as_the_updater_does(proxy: str, login: str, expected: str) -> None:
    """Scheme, port 1080, login; a SOCKS proxy resolves the names."""
    found = proxy_url(proxy, login, origin="GeoIP.conf")
    assert found is not None
    assert found.reveal() == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("0", 0), ("0s", 0), ("1.5h", 5400), ("+2s", 2), ("300ms", 0.3), (".5s", 0.5)],
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    """Units are needed, except for zero."""
    assert duration(text, origin="RetryFor").total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5m!", "1d", "9" * 400 + "h", "٣s"])
def test_other_durations_are_none(text: str) -> None:
    """Nor what nobody can wait for."""
    with pytest.raises(ConfigError, match="RetryFor is not a duration"):
        duration(text, origin="RetryFor")


def test_a_host_may_be_a_name_or_a_url() -> None:
    """HTTPS unless said otherwise."""
    assert service_url("updates.example") == "https://updates.example"
    assert service_url("https://updates.example/") == "https://updates.example"
    assert service_url("http://127.0.0.1:80") == "http://127.0.0.1:80"


_NAMES = st.sampled_from(["AccountID", "LicenseKey", "EditionIDs", "Host", "Proxy", "ProxyUserPassword", "RetryFor"])
_LINES = st.lists(st.tuples(_NAMES | st.text(max_size=8), st.text(max_size=30)).map(" ".join), max_size=6)


@given(body=st.binary(max_size=200) | _LINES.map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_whatever_does_more_than_be_refused(tmp_path: Path, body: bytes) -> None:
    """Settings or a ConfigError, whatever the bytes."""
    path = tmp_path / "GeoIP.conf"
    path.write_bytes(body)
    with contextlib.suppress(ConfigError):
        read_geoip_conf(path)
