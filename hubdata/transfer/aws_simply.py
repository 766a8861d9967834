"""Tell where AWS may be asked without botocore, with what to sign, and connect to it as botocore would.

Credentials lie in the environment, and no profile, proxy, configuration file or setting of the environment has a say
(docs/adr/0007). Wherever one has, whoever asks leaves the question to botocore, which knows them all.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from hubdata.transfer.sigv4 import Credentials

if TYPE_CHECKING:
    from http.client import HTTPConnection

REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d")
"""A region of the partition `aws`, by its name."""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_COMPLICATIONS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_USE_DUALSTACK_ENDPOINT"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_SECURITY_TOKEN", "AWS_CSM_ENABLED"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
_AUTHORITIES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def credentials_where_simple(environment: Mapping[str, str]) -> Credentials | None:
    """Return what to sign with, or None where botocore's knowledge of profiles, proxies or files is wanted."""
    if not all(map(environment.get, _KEYS)) or any(map(environment.get, _COMPLICATIONS)) or _has_files(environment):
        return None
    access_key, secret_key = (environment[name] for name in _KEYS)
    return Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN", ""))


def authorities_in(environment: Mapping[str, str]) -> str:
    """Return the file of certificates that the environment names; empty where it names none."""
    return next(filter(None, map(environment.get, _AUTHORITIES)), "")


def connection_to(url: SplitResult, authorities: str, *, timeout_s: float) -> "HTTPConnection":
    """Return a connection to the host of `url`, not yet open, that trusts `authorities`, or whom botocore trusts."""
    from http.client import HTTPConnection, HTTPSConnection

    host, port = url.hostname or "", url.port
    if url.scheme == "http":
        return HTTPConnection(host, port, timeout=timeout_s)
    import ssl

    if not authorities:
        from certifi import where

        authorities = where()
    return HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context(cafile=authorities))


def _has_files(environment: Mapping[str, str]) -> bool:
    """Tell whether AWS's own configuration files are there: they may say anything."""
    home = Path(environment.get("HOME") or "/", ".aws")
    return any(Path(environment.get(variable) or home / name).is_file() for variable, name in _FILES.items())
