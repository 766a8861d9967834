"""Rewrite a hub's items in place: each names the mirror's copy of its data files, and stays what it is otherwise.

No link is followed and nothing outside the hub is touched; each file is replaced whole or not at all. A hub's own
`.index.json`, which names items by their digest, is made to fit first: a rewrite that breaks off is finished by the
next one.
"""

import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hubdata.audit.rewriting import Mirror, Rewritten, reindexed, rewritten
from hubdata.errors import ConfigError, TargetError
from hubdata.grammar.data_entries import is_item_file
from hubdata.model import manifest as manifests
from hubdata.model.finding import Finding
from hubdata.model.manifest import Manifest
from hubdata.model.rewrite import RewriteResult
from hubdata.transfer import entries
from hubdata.transfer.checkout_tree import CheckoutTree
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.public_url import canonical_url

_INDEX = ".index.json"
_MAX_INDEX = 64 << 20
_MAX_FILE = 64 << 20
_MAX_MANIFEST = 64 << 20
_MAX_ITEMS = 200_000
_DOWNLOAD_TIME = timedelta(seconds=60)
_MARK = b"source_url"


def rewrite(
    hub: Path, base: str, *, published: str | None = None, origins: tuple[str, ...] = (), dry_run: bool = False
) -> RewriteResult:
    """Return what was rewritten in the hub, and what was left as it is.

    `published` is the mirror's manifest (a file, a URL, or a directory that holds one), else that at `base`. Raises
    ConfigError for addresses and manifests that cannot be used, TargetError for files that cannot be read or written.
    """
    started = time.monotonic()
    base = _address(base, "--base")
    against = published or f"{base}/{manifests.KEY}"
    mirror = _mirror(_manifest(against), base, tuple(_address(origin, "--from") for origin in origins))
    tree = CheckoutTree(hub)
    items, texts, done = 0, dict[str, tuple[bytes, bytes]](), list[Rewritten]()
    for key in tree.keys():  # noqa: SIM118 - no mapping
        if not is_item_file(key):
            continue
        items += 1
        if items > _MAX_ITEMS:
            raise ConfigError(f"--hub {hub}: more than {_MAX_ITEMS:,} items", advice="name the hub's root")
        body = tree.read(key, max_bytes=_MAX_FILE)
        if body is None or _MARK not in body:
            continue
        one = rewritten(key, body, mirror)
        done.append(one)
        if one.body is not None:
            texts[key] = (body, one.body)
    if not items:
        raise ConfigError(
            f"--hub {hub}: it holds no items (files *.yaml or *.yml)",
            advice="name the hub's root: the directory with scenarios/",
        )
    linked = [entries.link(key) for key, directory in tree.links() if _may_hold_items(key, directory=directory)]
    indexed, findings = _reindex(tree, texts, dry_run=dry_run)
    if not dry_run:
        for key, (_, new) in texts.items():
            tree.replace(key, new)
    return RewriteResult(
        hub=str(hub),
        base=base,
        against=against,
        items=items,
        changed=tuple(change for one in done for change in one.changed),
        already=sum(one.already for one in done),
        indexed=indexed,
        findings=(*(finding for one in done for finding in one.findings), *linked, *findings),
        dry_run=dry_run,
        elapsed_s=round(time.monotonic() - started, 3),
    )


def _may_hold_items(key: str, *, directory: bool) -> bool:
    """Tell whether an item may lie behind the link at `key`, which then goes on naming whatever it names."""
    return is_item_file(f"{key}/any.yaml" if directory else key)


def _reindex(
    tree: CheckoutTree, texts: dict[str, tuple[bytes, bytes]], *, dry_run: bool
) -> tuple[int, tuple[Finding, ...]]:
    index = tree.read(_INDEX, max_bytes=_MAX_INDEX) if texts else None
    if index is None:
        return 0, ()
    new, fitting, findings = reindexed(index, texts)
    if new != index and not dry_run:
        tree.replace(_INDEX, new)
    return fitting, findings


def _mirror(manifest: Manifest, base: str, origins: tuple[str, ...]) -> Mirror:
    by_url = {
        canonical_url(entry.source["url"]): key
        for key, entry in manifest.files.items()
        if entry.source.get("type") == "hub" and entry.source.get("url")
    }
    return Mirror(base, frozenset(manifest.files), by_url, origins)


def _address(url: str, flag: str) -> str:
    """Return a mirror's address without its last slash. Plain http is a closed network's own affair."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = url.isascii() and url.isprintable() and " " not in url and '"' not in url and "\\" not in url
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not plain
        or "@" in parts.netloc
        or "?" in url
        or "#" in url
    ):
        raise ConfigError(
            f"{flag} {url[:200] if '@' not in url else '(a URL with a password)'}: this is no address of a mirror",
            advice="name it as engines reach it: http(s)://host[:port][/path], without user, query or fragment",
        )
    return canonical_url(url).rstrip("/")


def _manifest(where: str) -> Manifest:
    try:
        return Manifest.from_bytes(_body(where))
    except TargetError as err:
        raise ConfigError(f"{where}: {err}", advice="name the mirror's manifest.json with --published") from err


def _body(where: str) -> bytes:
    if where.startswith(("http://", "https://")):
        from hubdata.transfer.http import HttpClient

        with (
            HttpClient(where) as client,
            client.get(where, deadline=Deadline.after(_DOWNLOAD_TIME), max_bytes=_MAX_MANIFEST) as response,
        ):
            return response.read()
    path = Path(where)
    path = path / manifests.KEY if path.is_dir() else path
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_MANIFEST + 1)
    except OSError as err:
        raise ConfigError(
            f"--published {path}: cannot be read ({err.strerror or err})",
            advice="name the mirror's manifest.json (file or URL), or the directory that it is published to",
        ) from err
    if len(body) > _MAX_MANIFEST:
        raise ConfigError(f"--published {path}: more than {_MAX_MANIFEST:,} bytes", advice="see what lies there")
    return body
