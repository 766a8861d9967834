"""Whether each upstream can be reached, with the guards that a run has, and whether its vendor would let us download.

Nothing is fetched: git is asked for the names of refs, other hosts for a connection. What a vendor counts is not spent.
"""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hubdata.doctor.catalogue import About
from hubdata.model.checkup import Check
from hubdata.transfer import git_repository
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.downloads import Downloads
from hubdata.transfer.git import Git, is_object_id
from hubdata.transfer.quota import reserve, wait_for
from hubdata.transfer.secrets import read_secret
from hubdata.transfer.url import origin, proxies_for, safe_url

if TYPE_CHECKING:
    from hubdata.sources.maxmind.options import MaxmindOptions

_GIT_TIME = timedelta(seconds=8)
_CONNECT_S = 4.0


def git(about: About, options: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Check]:
    """Tell whether `options` (of a git source) name a ref that its host lists. Raises SourceError when git cannot."""
    url, ref, token_env = str(options["url"]), str(options.get("ref", "HEAD")), options.get("token_env")
    token = read_secret(environment, token_env) if token_env else None
    if token_env and token is None:
        yield about.fail(f"{token_env} is not set", f"set {token_env} or {token_env}_FILE to a token that may read it")
        return
    with TemporaryDirectory(prefix="hubdata-doctor-") as directory:
        bare = Path(directory) / "empty"  # else git would look for a repository around, and obey its configuration
        git_repository.create(bare)
        run = Git(bare, url, Deadline.after(_GIT_TIME), environment, token)
        # Of a commit's id nobody can be asked without fetching it.
        wanted = "HEAD" if is_object_id(ref) else ref
        result = run.run("ls-remote", "--quiet", "--", url, wanted, max_stdout=4 << 20)
    if not result.ok:
        raise run.error(result)
    lines = (line.partition("\t") for line in result.stdout.decode("utf-8", "replace").splitlines())
    named = {name: commit for commit, _, name in lines}
    found = next((named[name] for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref) if name in named), "")
    if found:
        yield about.ok(f"{url}: {ref} is {found[:12]}")
    elif is_object_id(ref):
        yield about.ok(f"{url}: its host answers")
    else:
        yield about.fail(f"{url} has no ref {ref}", "correct `ref`: see which there are with git ls-remote URL")


def directory(about: About, path: Path) -> Iterator[Check]:
    """Tell whether the directory that a job reads is there."""
    if os.access(path, os.R_OK):
        yield about.ok(str(path))
    else:
        yield about.fail(f"{path} is not there, or may not be read", "correct `path`, or put the files there")


def host(about: About, url: str, environment: Mapping[str, str]) -> Iterator[Check]:
    """Tell whether a connection to the URL's host can be had, and over which family; nothing is asked of it."""
    scheme, name, port = origin(url)
    if proxies_for(url, environment):
        yield about.skipped(f"{safe_url(url)} is reached through a proxy, which was not asked")
        return
    try:
        with socket.create_connection((name, port), timeout=_CONNECT_S) as connection:
            family = "IPv6" if connection.family == socket.AF_INET6 else "IPv4"
    except (OSError, UnicodeError) as err:
        why = "no answer in time" if isinstance(err, TimeoutError) else getattr(err, "strerror", None) or str(err)
        advice = "see whether the name resolves here, and whether a firewall lets this machine out"
        yield about.fail(f"{scheme}://{name}:{port}: {why}", advice)
        return
    yield about.ok(f"{name} answers over {family}")


def maxmind(
    about: About, options: "MaxmindOptions", environment: Mapping[str, str], memory: Path, now: datetime
) -> Iterator[Check]:
    """Tell who asks, and what is left of the day's downloads as they are remembered here. Nothing is downloaded.

    Raises ConfigError where the account is not configured, or is none.
    """
    from hubdata.sources.maxmind.access import find_access

    access = find_access(options, environment)
    ledger = Downloads(memory, access.account_id, access.quota_host, per_day=options.daily_downloads)
    past = ledger.past(now)
    wait = wait_for(past, "", now, per_day=options.daily_downloads, forced=False)
    per_day, used = options.daily_downloads, len(past.downloads)
    told = f"account from {access.origin}; {used} of {per_day} downloads used in 24 hours"
    if wait is not None:
        advice = f"what is published stays; {reserve(per_day)} downloads are kept for `geoip refresh --force`"
        yield about.warn(f"{told}; none before {wait.until:%Y-%m-%d %H:%M} UTC", advice)
    else:
        yield about.ok(f"{told} ({', '.join(access.editions)})")


def urls_of(options: object, items: Iterable[object] = ()) -> tuple[str, ...]:
    """Return the URLs that a source's parsed options name, one of each origin, whatever sort of source it is.

    `items` are those of the source that its options only say where to find.
    """
    found = [value for name in ("url", "digest_url") if isinstance(value := getattr(options, name, None), str)]
    found += [
        item.url for item in (*getattr(options, "items", ()), *items) if isinstance(getattr(item, "url", None), str)
    ]
    usable = [url for url in found if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname]
    return tuple({origin(url): url for url in usable}.values())
