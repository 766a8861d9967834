"""Who asks AWS: whether a login is found, by what way, and until when it holds. The login itself is never shown."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hubdata.doctor.catalogue import About
from hubdata.model.checkup import Check

_SOON = timedelta(minutes=15)
_LOCAL = frozenset({"env", "shared-credentials-file", "config-file", "custom-process"})
_WORDS = {
    "env": "the environment",
    "shared-credentials-file": "the credentials file",
    "config-file": "the configuration file",
    "custom-process": "a credential process",
    "assume-role": "a role that is assumed",
    "assume-role-with-web-identity": "a web identity",
    "container-role": "the container's role",
    "iam-role": "the instance's role",
    "sso": "single sign-on",
}


def aws(*, network: bool, now: datetime | None = None) -> Iterator[Check]:
    """Tell where the AWS login comes from. Offline only what is on this machine counts."""
    about = About("credentials", "AWS")
    import botocore.session

    session = botocore.session.get_session()
    if not network:
        provider = session.get_component("credential_provider")
        provider.providers = [each for each in provider.providers if each.METHOD in _LOCAL - {"custom-process"}]
    found = session.get_credentials()
    advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run under a role"
    if found is None:
        if network:
            yield about.fail("no AWS login was found", advice)
        else:
            yield about.warn("none on this machine; a role's was not asked for (--no-network)", advice)
        return
    method = str(getattr(found, "method", ""))
    told = f"from {_WORDS.get(method, method or 'somewhere')}"
    if network:
        found.get_frozen_credentials()  # a login that has to be renewed is renewed, or says why it cannot
    yield _until(about, told, found, now or datetime.now(UTC))
    yield from _open_to_others(about)


def _until(about: About, told: str, found: Any, now: datetime) -> Check:
    ends_at = getattr(found, "_expiry_time", None)
    if not isinstance(ends_at, datetime):
        return about.ok(f"{told}, without an end that is known")
    left = ends_at - now
    if left <= timedelta():
        return about.fail(f"{told}; it ended {ends_at:%Y-%m-%d %H:%M} UTC", "sign in again, or renew the session token")
    said = f"{told}, until {ends_at:%Y-%m-%d %H:%M} UTC"
    if left < _SOON and "environment" in told:
        return about.warn(f"{said}: a run may last longer", "renew the session token")
    return about.ok(said)


def _open_to_others(about: About) -> Iterator[Check]:
    """Yield a warning where other users of this machine may read the file with the keys."""
    named = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    home = os.environ.get("HOME")
    path = Path(named) if named else Path(home) / ".aws" / "credentials" if home else None
    if path is None:
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) and mode & 0o077:
        yield about.warn(f"{path} may be read by others (mode {stat.S_IMODE(mode):04o})", f"chmod 600 {path}")
