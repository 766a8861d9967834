"""Tell where AWS may be asked without botocore, with what to sign, and whom to trust there, as botocore would.

Credentials lie in the environment, and no profile, proxy, configuration file or setting of the environment has a say
(docs/adr/0007). Wherever one has, whoever asks leaves the question to botocore, which knows them all.
"""

import re
import threading
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from hubdata.transfer.sigv4 import Credentials
from hubdata.transfer.wire import Wire

if TYPE_CHECKING:
    from ssl import SSLContext

REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d")
"""A region of the partition `aws`, by its name."""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_COMPLICATIONS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_USE_DUALSTACK_ENDPOINT"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_SECURITY_TOKEN", "AWS_CSM_ENABLED"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
_building = threading.Lock()
_built: "dict[str, SSLContext]" = {}
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


def wire_to(url: SplitResult, authorities: str, *, most: int) -> Wire:
    """Return connections to the host of `url`, at most `most`, that trust `authorities`, or whom botocore trusts."""
    secure = url.scheme == "https"
    trust = partial(_trusted, authorities) if secure else None
    return Wire(url.hostname or "", url.port or (443 if secure else 80), most=most, trust=trust)


def _trusted(authorities: str) -> "SSLContext":
    """Return what TLS is checked by: built once for all of AWS, for reading the authorities takes 10 to 30 ms."""
    with _building:
        if authorities not in _built:
            import ssl

            _built[authorities] = ssl.create_default_context(cafile=authorities or _usual_authorities())
        return _built[authorities]


def _usual_authorities() -> str:
    """Return the file that botocore trusts as well; certifi's, found without the 8 ms that its import takes."""
    spec = find_spec("certifi")
    beside = Path(spec.origin).with_name("cacert.pem") if spec and spec.origin else None
    if beside is not None and beside.is_file():
        return str(beside)
    from certifi import where

    return where()


def _has_files(environment: Mapping[str, str]) -> bool:
    """Tell whether AWS's own configuration files are there: they may say anything."""
    home = Path(environment.get("HOME") or "/", ".aws")
    return any(Path(environment.get(variable) or home / name).is_file() for variable, name in _FILES.items())
