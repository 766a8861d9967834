"""The real command behind a proxy: all goes through it, and nothing printed or stored has its password."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Ended, hubdata
from tests.support.forward_proxy import ForwardProxy, HttpProxy, SocksProxy
from tests.support.geoip_world import CITY, JOB, KEY, database
from tests.support.maxmind_server import SIGNATURE, MaxmindServer
from tests.support.small_world import SmallWorld, problem

HOST, STORE = "updates.localhost", "localhost"
PASSWORD = "sentinel-proxy-password"
KINDS: dict[str, type[ForwardProxy]] = {"http": HttpProxy, "socks5": SocksProxy, "socks5h": SocksProxy}


@pytest.fixture
def vendor(small: SmallWorld, tmp_path: Path) -> Iterator[MaxmindServer]:
    """Give a vendor that only the proxy knows by name."""
    (tmp_path / "new.mmdb").write_bytes(database(60))
    with MaxmindServer({CITY: tmp_path / "new.mmdb"}) as server:
        port = server.url.rpartition(":")[2]
        small.write("jobs/geoip.toml", JOB.format(url=f"http://{HOST}:{port}", more="retry_for_s = 0"))
        yield server


def sync(small: SmallWorld, vendor: MaxmindServer, environment: dict[str, str]) -> Ended:
    """Run the job at full volume, having seen that no secret is anywhere in what it says or leaves."""
    credentials = {"MAXMIND_ACCOUNT_ID": vendor.account, "MAXMIND_LICENSE_KEY": vendor.key}
    arguments = ("sync", "--once", "--format", "json", "-v", "--job", "geoip")
    ended = hubdata(*arguments, cwd=small.root, env={**credentials, **environment}, timeout=60)
    stored = b"".join(
        path.read_bytes() for path in small.root.rglob("*") if path.is_file() and ".git" not in path.parts
    )
    for secret in (PASSWORD, vendor.key, SIGNATURE):
        assert secret not in ended.stdout + ended.stderr
        assert secret.encode() not in stored
    return ended


@pytest.mark.parametrize("scheme", KINDS)
def test_a_refresh_goes_through_the_proxy_of_the_environment(
    small: SmallWorld, vendor: MaxmindServer, scheme: str
) -> None:
    """Metadata, download, object, each by the proxy, which is given names where it is to resolve them."""
    port = int(vendor.url.rpartition(":")[2])
    if scheme == "socks5":  # names are resolved here, so it must be one that can be
        small.edit("jobs/geoip.toml", HOST, "localhost")
    names = {HOST: ("127.0.0.1", port), "::1": ("127.0.0.1", 0)}
    with KINDS[scheme](names=names, login=("me", PASSWORD)) as proxy:
        ended = sync(small, vendor, {"ALL_PROXY": f"{scheme}://me:{PASSWORD}@127.0.0.1:{proxy.port}"})
        assert ended.code == 0, ended.stdout + ended.stderr
        hosts = {host for host, _ in proxy.asked}
        assert hosts <= {"127.0.0.1", "::1"} if scheme == "socks5" else hosts == {HOST, STORE}
        assert [r.endpoint for r in vendor.requests] == ["metadata", "download", "object"]
        assert proxy.logins[0] == ("me", PASSWORD)
    assert KEY in small.public()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_refuses_is_named_without_its_password(
    small: SmallWorld, vendor: MaxmindServer, scheme: str
) -> None:
    """The advice says which variables to look at; the vendor has not been asked."""
    with KINDS[scheme](login=("me", "another")) as proxy:
        ended = sync(small, vendor, {"ALL_PROXY": f"{scheme}://me:{PASSWORD}@127.0.0.1:{proxy.port}"})
    problem(ended, "geoip", 5, "HTTPS_PROXY")
    assert vendor.requests == []


def test_no_proxy_and_geoipupdates_own_proxy(small: SmallWorld, vendor: MaxmindServer) -> None:
    """GEOIPUPDATE_PROXY goes before the general ones and before NO_PROXY, as it does for geoipupdate."""
    port = int(vendor.url.rpartition(":")[2])
    with SocksProxy(names={HOST: ("127.0.0.1", port)}, login=("me", PASSWORD)) as proxy, HttpProxy() as other:
        environment = {
            "GEOIPUPDATE_PROXY": f"socks5://127.0.0.1:{proxy.port}",
            "GEOIPUPDATE_PROXY_USER_PASSWORD": f"me:{PASSWORD}",
            "ALL_PROXY": f"http://127.0.0.1:{other.port}",
            "NO_PROXY": "*",
        }
        ended = sync(small, vendor, environment)
        assert ended.code == 0, ended.stdout + ended.stderr
        assert {host for host, _ in proxy.asked} == {HOST, STORE}
        assert other.asked == []
