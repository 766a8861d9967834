"""Find out who asks, for what, where and by which way: from the job, then the environment, then a GeoIP.conf.

What the job says goes before the environment, what the environment says before the file, each setting for itself:

| setting | job | environment | GeoIP.conf |
|---|---|---|---|
| account | (never) | `..._ACCOUNT_ID` or `..._ACCOUNT_ID_FILE` | AccountID, UserId |
| key | (never) | `..._LICENSE_KEY` or `..._LICENSE_KEY_FILE` | LicenseKey |
| editions | `editions` | `..._EDITION_IDS` | EditionIDs, ProductIds |
| service | `url` | `..._HOST` (for `protocol = "updates"`) | Host (the same) |
| retries | `retry_for_s` | `..._RETRY_FOR` | RetryFor |
| proxy | | `..._PROXY` with `..._PROXY_USER_PASSWORD` or `..._FILE` | Proxy with ProxyUserPassword |

`...` is MAXMIND or GEOIPUPDATE, the first of which goes before. The file is the job's `config_file`, else
GEOIPUPDATE_CONF_FILE's. Without any such proxy HTTPS_PROXY, ALL_PROXY and NO_PROXY count as usual; with one, these do
not, as with the vendor's updater. A login may come from another place than its proxy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hubdata.errors import ConfigError
from hubdata.sources.maxmind.options import CREDENTIALS_ADVICE, MaxmindOptions, Protocol
from hubdata.transfer.geoip_conf import Settings, duration, read_geoip_conf, service_url
from hubdata.transfer.secrets import Secret, read_secret, secret_variable
from hubdata.transfer.url import base_url_problem

_FAMILIES = ("MAXMIND", "GEOIPUPDATE")
_WORDS = {"ACCOUNT_ID": "AccountID", "LICENSE_KEY": "LicenseKey"}


@dataclass(frozen=True, slots=True)
class Access:
    """All that a run needs to know. `origin` says where the credentials came from, for messages."""

    account_id: str
    license_key: Secret
    origin: str
    editions: tuple[str, ...]
    url: str
    proxy: Secret | None
    retry_for: timedelta | None

    @property
    def quota_host(self) -> str:
        """Return the host whose downloads are counted together: all of the vendor's share one quota."""
        host = (urlsplit(self.url).hostname or "").lower()
        return "maxmind.com" if host.endswith(".maxmind.com") else host


def has_credentials(options: MaxmindOptions, environment: Mapping[str, str]) -> bool:
    """Tell whether anybody tried to give credentials. Half of a pair counts: it is to be reported, not passed over."""
    if _config_file(options, environment) is not None:
        return True
    return any(secret_variable(environment, f"{family}_{name}") for family in _FAMILIES for name in _WORDS)


def find_access(options: MaxmindOptions, environment: Mapping[str, str]) -> Access:
    """Return who asks for what. Raises ConfigError when credentials or editions are missing, or anything is no such."""
    path = _config_file(options, environment)
    file = Settings() if path is None else read_geoip_conf(path)
    variables = {name: _variable(environment, name) for name in _WORDS}
    said = _from_variables(environment, variables, proxied=file.proxy is not None)
    by_file = path.name if path else ""
    origins = [variables[name] or by_file for name in _WORDS]
    merged = _merged(said, file)
    account_id = _usable("AccountID", merged.account_id, origins[0])
    license_key = _usable("LicenseKey", merged.license_key.reveal() if merged.license_key else None, origins[1])
    retry_for = merged.retry_for if options.retry_for_s is None else timedelta(seconds=options.retry_for_s)
    return Access(
        account_id=account_id,
        license_key=Secret(license_key),
        origin=" and ".join(dict.fromkeys(origins)),
        editions=_editions(options, merged.editions),
        url=_url(options, merged.url),
        proxy=merged.whole_proxy(),
        retry_for=retry_for,
    )


def _config_file(options: MaxmindOptions, environment: Mapping[str, str]) -> Path | None:
    if options.config_file is not None:
        return options.config_file
    named = environment.get("GEOIPUPDATE_CONF_FILE", "").strip()
    return Path(named) if named else None


def _variable(environment: Mapping[str, str], name: str) -> str | None:
    """Return the variable that gives `name`, of both families and with or without `_FILE`."""
    return next(filter(None, (secret_variable(environment, f"{family}_{name}") for family in _FAMILIES)), None)


def _from_variables(environment: Mapping[str, str], variables: Mapping[str, str | None], *, proxied: bool) -> Settings:
    """Return what the variables say; `proxied` tells that another place names a proxy, which may lack its login."""

    def secret(name: str) -> Secret | None:
        found = (
            read_secret(environment, f"{f}_{name}") for f in _FAMILIES if secret_variable(environment, f"{f}_{name}")
        )
        return next(found, None)

    def plain(name: str) -> tuple[str, str]:
        """Return the value and its variable."""
        names = (f"{family}_{name}" for family in _FAMILIES)
        return next(((environment[n].strip(), n) for n in names if environment.get(n, "").strip()), ("", ""))

    account = secret("ACCOUNT_ID") if variables["ACCOUNT_ID"] else None
    editions, host, (retry_for, retry_name) = plain("EDITION_IDS")[0], plain("HOST")[0], plain("RETRY_FOR")
    proxy, proxy_name = plain("PROXY")
    login = secret("PROXY_USER_PASSWORD") if proxy or proxied else None
    return Settings(
        account_id=account.reveal() if account else None,
        license_key=secret("LICENSE_KEY") if variables["LICENSE_KEY"] else None,
        editions=tuple(editions.split()) if editions else None,
        url=service_url(host) if host else None,
        proxy=Secret(proxy) if proxy else None,
        proxy_origin=proxy_name or None,
        proxy_login=login,
        retry_for=duration(retry_for, origin=retry_name) if retry_for else None,
    )


def _merged(first: Settings, second: Settings) -> Settings:
    """Return what the first says, and where it says nothing, the second."""
    values = {f.name: getattr(first, f.name) for f in fields(Settings)}
    return Settings(**{n: getattr(second, n) if value is None else value for n, value in values.items()})


def _editions(options: MaxmindOptions, otherwise: tuple[str, ...] | None) -> tuple[str, ...]:
    if options.editions is not None:
        return options.editions
    editions = tuple(dict.fromkeys(otherwise or ()))
    advice = "name them as `editions` in the job, in GEOIPUPDATE_EDITION_IDS or as EditionIDs in the GeoIP.conf"
    if not editions:
        raise ConfigError("no editions to fetch from MaxMind", advice=advice)
    if problem := options.editions_problem(editions):
        raise ConfigError(f"the editions to fetch from MaxMind: {problem}", advice=advice)
    return editions


def _url(options: MaxmindOptions, otherwise: str | None) -> str:
    if options.url is not None:
        return options.url
    if otherwise is None or options.protocol is not Protocol.UPDATES:
        return options.protocol.default_url
    if problem := base_url_problem(otherwise):
        raise ConfigError(
            f"the Host of MaxMind's update service: {problem}",
            advice="check GEOIPUPDATE_HOST, or Host in the GeoIP.conf",
        )
    return otherwise


def _usable(word: str, value: str | None, origin: str) -> str:
    """Return `value` if it can be what it claims to be.

    The word is quoted in messages, as everywhere: what follows a bare `LicenseKey` is masked as if it were the key.
    """
    if value is None:
        raise ConfigError(f"no `{word}` for MaxMind's update service", advice=CREDENTIALS_ADVICE)
    if not value.isascii() or not value.isprintable() or " " in value or ":" in value or len(value) > 256:
        raise ConfigError(f"the `{word}` from {origin} is not one: it must be one word", advice=CREDENTIALS_ADVICE)
    if value.upper().startswith("YOUR_"):
        raise ConfigError(f"the `{word}` from {origin} is still the placeholder", advice=CREDENTIALS_ADVICE)
    return value
