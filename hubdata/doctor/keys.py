"""What runs need besides a login: the signing key, the webhook's URL, and the worker's own secrets. None is shown."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hubdata.doctor.catalogue import About
from hubdata.model.checkup import Check
from hubdata.model.notify import Notify
from hubdata.transfer.secrets import Secret, read_secret, secret_variable

if TYPE_CHECKING:
    from hubdata.config.http_table import HttpSpec
    from hubdata.signing.keys import SignSpec

_LEAST = 16
_MAKE = "make one of 32 bytes: openssl rand -hex 32"


def signing(spec: "SignSpec", environment: Mapping[str, str], *, network: bool) -> Iterator[Check]:
    """Tell whether the key opens and is the one of the settings; a key that KMS wraps is left alone offline."""
    about = About("signing", spec.public_key.name)
    if spec.kms is not None and not network:
        yield about.skipped("KMS would have to be asked (--no-network)")
        return
    from hubdata.signing.keys import load

    try:
        load(spec, environment)
    except ImportError:
        yield about.fail("the package cryptography is not installed", "install it: pip install 'hubdata[sign]'")
        return
    yield about.ok("the key opens, and is that of [sign] public_key")


def notify(spec: Notify, environment: Mapping[str, str]) -> Iterator[Check]:
    """Tell whether the webhook's URL is there and can be used; nothing is sent to it."""
    if spec.url_variable is None:
        return
    from hubdata.notifying.sending import host_of

    about = About("notify", spec.url_variable)
    secret = read_secret(environment, spec.url_variable)
    if secret is None:
        advice = f"set {spec.url_variable} or {spec.url_variable}_FILE where hubdata runs"
        yield about.fail("it is not set: nobody is notified", advice)
        return
    host = host_of(secret.reveal(), spec.url_variable)
    yield about.ok(f"{host}, from {secret_variable(environment, spec.url_variable)}; nothing was sent")


def http(spec: "HttpSpec", environment: Mapping[str, str]) -> Iterator[Check]:
    """Tell whether the worker's token, and the webhook's secret where there is a webhook, are there and long enough."""
    token = About("http", "HUBDATA_HTTP_TOKEN")
    found = read_secret(environment, token.subject)
    if found is None:
        advice = f"set {token.subject} (or _FILE) if anybody is to run jobs over HTTP; {_MAKE}"
        yield token.warn("it is not set: nobody can run a job over HTTP", advice)
    else:
        yield _long_enough(token, found)
    if spec.github is None:
        return
    about = About("http", "HUBDATA_GITHUB_SECRET")
    secret = read_secret(environment, about.subject)
    if secret is None:
        yield about.fail("it is not set, and [http.github] needs it", f"set {about.subject} to what the webhook has")
    else:
        yield _long_enough(about, secret)


def _long_enough(about: About, secret: Secret) -> Check:
    if len(secret.reveal()) < _LEAST:
        return about.fail(f"it is too short: at least {_LEAST} characters are needed", _MAKE)
    return about.ok("it is set")
