"""GeoIP databases from MaxMind's update service: asked often, downloaded only when they have changed.

For each edition one small, free request tells date and MD5 of the current database. Only if what is published has
another MD5 is it downloaded, by that date, so that the bytes belong to the metadata; and at most twice a run, because
thirty downloads a day are all there are and a failed one counts. The credentials go to the service alone, not to the
object store that it redirects to. Nothing is written but the one `.mmdb`, and only kept if its MD5 is as announced.

Editions are fetched in order, and one that fails does not keep the others from being tried, except for credentials
that are refused: those would be refused again. If any failed, the source fails as a whole, naming each: a job never
publishes half of what it is for without saying so.

Protocol: facts on MaxMind's updater (metadata, dated download, statuses, limits).
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from random import random as real_random
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hubdata.errors import ConfigError, SourceError
from hubdata.model.key import key_problem
from hubdata.model.snapshot import Fetched, Provenance, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Response, Timeouts
from hubdata.transfer.retry import Policy, RequestFailed, retrying
from hubdata.transfer.secrets import Secret, read_secret, secret_variable
from hubdata.transfer.tar_member import Extracted, extract_member
from hubdata.transfer.url import base_url_problem

T = TypeVar("T")

_ASKING = Policy(attempts=6)
_DOWNLOADING = Policy(attempts=2)
_MAX_METADATA_BYTES = 64 * 1024
_MAX_CONFIG_BYTES = 64 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FAMILIES = ("MAXMIND", "GEOIPUPDATE")
_CONF_NAMES = {"ACCOUNT_ID": "AccountID", "LICENSE_KEY": "LicenseKey"}
_CREDENTIALS_ADVICE = (
    "set MAXMIND_ACCOUNT_ID and MAXMIND_LICENSE_KEY (or the same with _FILE), or name a GeoIP.conf as `config_file`"
)

Edition = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class MaxmindOptions(BaseModel):
    """What `[source]` with `type = "maxmind"` may hold. Times are in seconds, `timeout_s` is for all editions."""

    # A mistyped secret must not be quoted by the error that refuses it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    editions: Annotated[tuple[Edition, ...], Field(min_length=1, max_length=50)]
    url: str = "https://updates.maxmind.com"
    prefix: str = "mmdb_update/"
    config_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 900
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    max_bytes: Annotated[int, Field(gt=0)] = 1024**3

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and {"account_id", "license_key"} & {str(k).lower() for k in data}:
            raise ValueError(f"credentials do not belong in a job file: {_CREDENTIALS_ADVICE}")
        return data

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        problem = base_url_problem(url)
        if problem:
            raise ValueError(problem)
        return url.rstrip("/")

    @model_validator(mode="after")
    def _usable_keys(self) -> Self:
        if len(set(self.editions)) != len(self.editions):
            raise ValueError("an edition is named twice")
        for edition in self.editions:
            if edition.upper().endswith("-CSV"):
                raise ValueError(f"{edition} is not a .mmdb database: use the edition without -CSV")
            problem = key_problem(self.key(edition))
            if problem:
                raise ValueError(f"{self.key(edition)!r} cannot be a key: {problem}")
        return self

    def key(self, edition: str) -> str:
        """Return the key under which an edition is published."""
        return f"{self.prefix}{edition}.mmdb"


@dataclass(frozen=True, slots=True)
class Release:
    """What the service says is current: `date` is `YYYY-MM-DD`, `md5` lower-case hex of the bare `.mmdb`."""

    edition: str
    date: str
    md5: str


@dataclass(frozen=True, slots=True)
class _Credentials:
    account_id: str
    license_key: Secret
    origin: str


def has_credentials(options: MaxmindOptions, environment: Mapping[str, str]) -> bool:
    """Tell whether anybody tried to give credentials. Half of a pair counts: it is to be reported, not passed over."""
    if _config_file(options, environment) is not None:
        return True
    return any(secret_variable(environment, f"{family}_{name}") for family in _FAMILIES for name in _CONF_NAMES)


class MaxmindSource:
    """The editions that a job names, from the update service or a mirror that speaks like it."""

    Options = MaxmindOptions

    def __init__(
        self,
        options: MaxmindOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self._options = options
        self._workspace = context.workspace
        self._environment = context.environment
        self._clock = context.clock
        self._force = context.force
        self._monotonic = monotonic
        self._random = random

    @classmethod
    def lacks(cls, options: MaxmindOptions, environment: Mapping[str, str]) -> str | None:
        """Return what to set before a fetch can work, or None when credentials were given, be it half of them."""
        return None if has_credentials(options, environment) else f"credentials for MaxMind: {_CREDENTIALS_ADVICE}"

    def fetch(self, published: Published) -> Fetched:
        """Return the editions that changed, their databases in the workspace; the others by key in `kept`.

        With `force`, all of them. Raises ConfigError without credentials, SourceError naming each edition that failed.
        """
        options = self._options
        credentials = _credentials(options, self._environment)
        deadline = Deadline.after(timedelta(seconds=options.timeout_s), monotonic=self._monotonic)
        timeouts = Timeouts(timedelta(seconds=options.connect_timeout_s), timedelta(seconds=options.read_timeout_s))
        client = HttpClient(options.url, timeouts=timeouts, environment=self._environment, now=self._clock.now)
        with client:
            return self._fetch_all(_Service(client, options, credentials), deadline, published)

    def _fetch_all(self, service: "_Service", deadline: Deadline, published: Published) -> Fetched:
        files: list[SourceFile] = []
        kept: list[str] = []
        rewinds: list[str] = []
        releases: list[Release] = []
        failures: dict[str, SourceError] = {}
        for edition in self._options.editions:
            key = self._options.key(edition)
            try:
                release = self._retrying(partial(service.release, edition, deadline), _ASKING, deadline)
                releases.append(release)
                before = _published_as(edition, published().get(key, {}))
                if before.get("md5") == release.md5 and not self._force:
                    kept.append(key)
                    continue
                if before.get("date", "") > release.date:
                    rewinds.append(f"{edition} {before['date']}")
                files.append(self._download(service, release, deadline))
            except SourceError as err:
                failures[edition] = err
                if isinstance(err, RequestFailed) and err.status == 401:
                    break
        if failures:
            raise _all_failures(failures)
        revision = max(release.date for release in releases)
        return Fetched(revision=revision, files=tuple(files), kept=tuple(kept), rewinds=tuple(rewinds))

    def _download(self, service: "_Service", release: Release, deadline: Deadline) -> SourceFile:
        try:
            self._workspace.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise SourceError(
                f"{self._workspace} cannot be made: {err.strerror}",
                advice="set `spool` to a directory that can be written",
            ) from err
        path = self._workspace / f"{release.edition}.mmdb"
        found = self._retrying(partial(service.download, release, path, deadline), _DOWNLOADING, deadline)
        source = {
            "type": "maxmind",
            "url": self._options.url,
            "edition": release.edition,
            "date": release.date,
            "md5": release.md5,
        }
        return SourceFile(self._options.key(release.edition), path, found.size, source)

    def _retrying(self, attempt: Callable[[], T], policy: Policy, deadline: Deadline) -> T:
        return retrying(attempt, policy=policy, deadline=deadline, sleep=self._clock.sleep, random=self._random)


class _Service:
    """The requests of the protocol, each made once."""

    def __init__(self, client: HttpClient, options: MaxmindOptions, credentials: _Credentials) -> None:
        self._client = client
        self._options = options
        self._origin = credentials.origin
        self._auth = BasicAuth(credentials.account_id, credentials.license_key)

    def release(self, edition: str, deadline: Deadline) -> Release:
        """Return what is current."""
        try:
            with self._client.get(
                f"{self._options.url}/geoip/updates/metadata",
                params={"edition_id": edition},
                deadline=deadline,
                max_bytes=_MAX_METADATA_BYTES,
                auth=self._auth,
            ) as response:
                return parse_metadata(response.read(), edition)
        except RequestFailed as err:
            raise self._explained(err, edition) from None

    def download(self, release: Release, path: Path, deadline: Deadline) -> Extracted:
        """Return the size and digests of the release, written to `path`."""
        limit = self._options.max_bytes
        try:
            with self._client.get(
                f"{self._options.url}/geoip/databases/{release.edition}/download",
                params={"date": release.date.replace("-", ""), "suffix": "tar.gz"},
                deadline=deadline,
                max_bytes=limit,
                auth=self._auth,
            ) as response:
                _check_headers(response)
                found = extract_member(response.pieces(), ".mmdb", path, max_packed_bytes=limit, max_bytes=limit)
        except RequestFailed as err:
            raise self._explained(err, release.edition) from None
        if found.md5 != release.md5:
            path.unlink(missing_ok=True)
            raise SourceError(
                f"expected a database with MD5 {release.md5}, as announced for {release.date}, found {found.md5}",
                advice="the published copy stays; the next run asks anew. If it lasts, tell the vendor",
            )
        return found

    def _explained(self, err: RequestFailed, edition: str) -> RequestFailed:
        """Return `err` with the advice that its status has at this vendor."""
        advice = {
            400: f"check the edition's name; {edition} is not one the service knows",
            401: f"check the account id and license key (from {self._origin}), and that the key has not been revoked",
            403: f"the account has no right to {edition}: accept the licence or subscribe at the vendor's site",
            404: f"the service has no such database: check the edition's name, {edition}, and `url`",
            429: "too many requests or downloads today: wait for the next run; do not restart in a loop",
        }.get(err.status or 0, err.advice)
        return RequestFailed(
            str(err), advice=advice, retryable=err.retryable, status=err.status, retry_after=err.retry_after
        )


def parse_metadata(body: bytes, edition: str) -> Release:
    """Return the release that a metadata response names. Raises SourceError when it is anything else."""
    try:
        data = json.loads(body)
        entries = data["databases"]
        (entry,) = entries
        found, day, md5 = entry["edition_id"], entry["date"], entry["md5"].lower()
        if found == edition and _DATE.fullmatch(day) and date.fromisoformat(day) and _MD5.fullmatch(md5):
            return Release(edition, day, md5)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    kind = "an HTML page" if body.lstrip()[:1] == b"<" else "something else"
    raise SourceError(
        f"expected metadata with exactly one entry for {edition}, its date and MD5, found {kind}",
        advice="check `url`; a captive portal or a proxy may be answering in the service's place",
    )


def _check_headers(response: Response) -> None:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in ("text/html", "application/xhtml+xml"):
        raise SourceError(
            f"{response.url}: expected an archive, found an HTML page",
            advice="a captive portal or a proxy may be answering in the service's place",
        )
    try:
        parsedate_to_datetime(response.headers["Last-Modified"])
    except (KeyError, ValueError, TypeError, IndexError):
        raise SourceError(
            f"{response.url}: expected a Last-Modified header, which the protocol demands, found none that is a date",
            advice="check `url`: this is not the update service, or something between rewrites responses",
        ) from None


def _published_as(edition: str, source: Provenance) -> Provenance:
    ours = source.get("type") == "maxmind" and source.get("edition") == edition
    return source if ours else {}


def _all_failures(failures: Mapping[str, SourceError]) -> SourceError:
    advice = dict.fromkeys(err.advice for err in failures.values() if err.advice)
    return SourceError(
        "; ".join(f"{edition}: {err}" for edition, err in failures.items()),
        advice="; ".join(advice),
        retryable=all(err.retryable for err in failures.values()),
    )


def _config_file(options: MaxmindOptions, environment: Mapping[str, str]) -> Path | None:
    if options.config_file is not None:
        return options.config_file
    named = environment.get("GEOIPUPDATE_CONF_FILE", "").strip()
    return Path(named) if named else None


def _credentials(options: MaxmindOptions, environment: Mapping[str, str]) -> _Credentials:
    """Return the pair: each from `MAXMIND_...`, else `GEOIPUPDATE_...`, else the GeoIP.conf. Raises ConfigError."""
    found: dict[str, tuple[Secret, str]] = {}
    for name in _CONF_NAMES:
        for family in _FAMILIES:
            variable = secret_variable(environment, f"{family}_{name}")
            secret = read_secret(environment, f"{family}_{name}")
            if variable and secret:
                found[name] = (secret, variable)
                break
    conf = _config_file(options, environment)
    if conf is not None and len(found) < len(_CONF_NAMES):
        values = _read_conf(conf)
        for name, word in _CONF_NAMES.items():
            if name not in found and word in values:
                found[name] = (Secret(values[word]), conf.name)
    for name, word in _CONF_NAMES.items():
        _require_usable(word, found.get(name))
    (account_id, here), (license_key, there) = found["ACCOUNT_ID"], found["LICENSE_KEY"]
    return _Credentials(account_id.reveal(), license_key, here if here == there else f"{here} and {there}")


def _require_usable(word: str, found: tuple[Secret, str] | None) -> None:
    if found is None:
        raise ConfigError(f"no {word} for MaxMind's update service", advice=_CREDENTIALS_ADVICE)
    value, origin = found[0].reveal(), found[1]
    if not value.isascii() or not value.isprintable() or " " in value or ":" in value or len(value) > 256:
        raise ConfigError(f"the {word} from {origin} is not one: it must be one word", advice=_CREDENTIALS_ADVICE)
    if value.upper().startswith("YOUR_"):
        raise ConfigError(f"the {word} from {origin} is still the placeholder", advice=_CREDENTIALS_ADVICE)


def _read_conf(path: Path) -> dict[str, str]:
    """Return the words of a GeoIP.conf: one `Name value` a line, `#` begins a comment. Only credentials are used."""
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_CONFIG_BYTES)
    except OSError as err:
        raise ConfigError(
            f"the GeoIP.conf {path} cannot be read: {err.strerror or type(err).__name__}",
            advice="check `config_file` and the file's permissions",
        ) from err
    values: dict[str, str] = {}
    for line in body.decode(errors="replace").splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and not line.lstrip().startswith("#"):
            values[words[0]] = words[1].strip()
    return values
