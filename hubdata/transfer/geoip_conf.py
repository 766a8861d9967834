"""Read a GeoIP.conf as MaxMind's own updater does, so that whoever has one need not write anything else.

One setting a line, `Name value`; `#` begins a comment; names are case-sensitive. What is read: AccountID (formerly
UserId), LicenseKey, EditionIDs (formerly ProductIds), Host, Proxy, ProxyUserPassword and RetryFor. What has no meaning
here is passed over knowingly: DatabaseDirectory and PreserveFileTimes (nothing is installed), LockFile and Parallelism
(runs take turns in their own way), and the retired Protocol, SkipHostnameVerification and SkipPeerVerification.

A name that nobody knows, a line of one word and a name given twice are errors, as they are to the updater. No error
quotes a value: a line may hold the key.

Format: GeoIP.conf(5) of geoipupdate 7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from hubdata.errors import ConfigError
from hubdata.transfer.secrets import Secret
from hubdata.transfer.url import proxy_problem

_MAX_BYTES = 64 * 1024
_FORMER = {"UserId": "AccountID", "ProductIds": "EditionIDs"}
_READ = frozenset(("AccountID", "LicenseKey", "EditionIDs", "Host", "Proxy", "ProxyUserPassword", "RetryFor"))
_PASSED_OVER = frozenset(
    (
        "DatabaseDirectory",
        "PreserveFileTimes",
        "LockFile",
        "Parallelism",
        "Protocol",
        "SkipHostnameVerification",
        "SkipPeerVerification",
    )
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PROXY_PORT = 1080
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:h|ms|m|s|us|µs|μs|ns)")


@dataclass(frozen=True, slots=True)
class Settings:
    """What one place says: a GeoIP.conf, or variables. None where it says nothing. `retry_for` bounds all retries.

    A proxy and its login may come from two places, as with the updater: `proxy` is as written, `proxy_origin` is where.
    """

    account_id: str | None = None
    license_key: Secret | None = None
    editions: tuple[str, ...] | None = None
    url: str | None = None
    proxy: Secret | None = None
    proxy_origin: str | None = None
    proxy_login: Secret | None = None
    retry_for: timedelta | None = None

    def whole_proxy(self) -> Secret | None:
        """Return the proxy's URL with its login, None without a proxy. Raises ConfigError when it is none."""
        if self.proxy is None:
            return None
        login = self.proxy_login.reveal() if self.proxy_login else ""
        return proxy_url(self.proxy.reveal(), login, origin=self.proxy_origin or "the settings")


def read_geoip_conf(path: Path) -> Settings:
    """Return the settings of the file. Raises ConfigError, naming the line, when it is not one."""
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_BYTES + 1)
    except OSError as err:
        raise ConfigError(
            f"the GeoIP.conf {path} cannot be read: {err.strerror or type(err).__name__}",
            advice="check `config_file` or GEOIPUPDATE_CONF_FILE, and the file's permissions",
        ) from err
    if len(body) > _MAX_BYTES:
        raise _wrong(path, f"it has more than {_MAX_BYTES} bytes")
    values = _values(body.decode("utf-8-sig", errors="replace"), path)
    found = Settings(
        account_id=values.get("AccountID"),
        license_key=_secret(values, "LicenseKey"),
        editions=tuple(values["EditionIDs"].split()) if "EditionIDs" in values else None,
        url=service_url(values["Host"]) if "Host" in values else None,
        proxy=_secret(values, "Proxy"),
        proxy_origin=str(path) if "Proxy" in values else None,
        proxy_login=_secret(values, "ProxyUserPassword"),
        retry_for=duration(values["RetryFor"], origin=f"RetryFor in {path}") if "RetryFor" in values else None,
    )
    found.whole_proxy()
    return found


def _secret(values: Mapping[str, str], name: str) -> Secret | None:
    return Secret(values[name]) if name in values else None


def service_url(host: str) -> str:
    """Return the base URL that a `Host` means: `https://` unless it says otherwise."""
    return (host if _SCHEME.match(host) else f"https://{host}").rstrip("/")


def proxy_url(proxy: str, login: str, *, origin: str) -> Secret | None:
    """Return a proxy's URL with its login; None when `proxy` is empty. `login` is `user:password`.

    As the updater takes it: HTTP unless it says socks5, port 1080 unless it says another, a login in the URL goes
    before the other, and a SOCKS proxy resolves the names. Raises ConfigError.
    """
    if not proxy:
        return None
    whole = proxy if _SCHEME.match(proxy) else f"http://{proxy}"
    problem = proxy_problem(whole)
    if problem:
        raise ConfigError(f"the proxy in {origin} cannot be used: {problem}", advice="write it as http://HOST:PORT")
    parts = urlsplit(whole)
    if parts.scheme not in ("http", "https", "socks5", "socks5h"):
        raise ConfigError(
            f"the proxy in {origin} cannot be used: its scheme is {parts.scheme}",
            advice="write http://, https:// or socks5://; for others set HTTPS_PROXY",
        )
    userinfo, _, place = parts.netloc.rpartition("@")
    if not userinfo and login:
        user, colon, password = login.partition(":")
        if not colon:
            raise ConfigError(
                f"the ProxyUserPassword in {origin} is not one", advice="write the user and the password with a colon"
            )
        userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}"
    if parts.port is None:
        place = f"{place.rstrip(':')}:{_PROXY_PORT}"
    scheme = "socks5h" if parts.scheme == "socks5" else parts.scheme
    return Secret(f"{scheme}://{userinfo}@{place}" if userinfo else f"{scheme}://{place}")


def duration(text: str, *, origin: str) -> timedelta:
    """Return the duration that Go's notation means (`5m`, `1h30m`, `0`). Raises ConfigError."""
    rest, seconds = text.strip(), 0.0
    if rest in ("0", "+0"):
        return timedelta()
    rest = rest.removeprefix("+")
    while match := _DURATION.match(rest):
        unit = match[0].lstrip("0123456789.")
        seconds += float(match[0][: -len(unit)]) * _UNITS[unit]
        rest = rest[match.end() :]
        if not rest and seconds < 86_400 * 365:
            return timedelta(seconds=seconds)
    raise ConfigError(f"{origin} is not a duration", advice="write it as 5m or 1h30m")


def _values(text: str, path: Path) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        name = _FORMER.get(words[0], words[0])
        if name not in _READ | _PASSED_OVER:
            raise _wrong(path, "there is no such setting", number)
        if len(words) < 2:
            raise _wrong(path, f"`{name}` has no value", number)
        if name in values:
            raise _wrong(path, f"`{name}` is given twice", number)
        values[name] = " ".join(words[1:])
    return values


def _wrong(path: Path, what: str, line: int | None = None) -> ConfigError:
    where = f"{path}, line {line}" if line else f"{path}"
    return ConfigError(
        f"{where}: {what}", advice="see GeoIP.conf(5): one setting a line, its name and its value; # begins a comment"
    )
