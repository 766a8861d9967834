"""The shape of one job file, `jobs/NAME.toml`: what a reviewer may write and nothing else.

Values are strict: a number in quotes is a mistake, not a number. Options of sources and kinds are checked further by
the adapter that is named.
"""

import re
from datetime import date
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from hubdata.config.settings_file import Duration
from hubdata.errors import ConfigError
from hubdata.model.finding import HOLDING, ITEM_FAILED
from hubdata.model.key import key_problem
from hubdata.planning.glob import matcher
from hubdata.tables import AfterValidator, BaseModel, ConfigDict, Field

NAME = re.compile(r"[a-z0-9-]+")
"""What a job may be called: its file's name without `.toml`."""

_CRON_FIELD = r"[0-9A-Za-z*/,\-]+"
_CRON = re.compile(rf"{_CRON_FIELD}( +{_CRON_FIELD}){{4}}")
_RULE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _cron(text: str) -> str:
    if not _CRON.fullmatch(text):
        raise ValueError('expected five cron fields in UTC, such as "17 * * * *"')
    return text


def _glob(text: str) -> str:
    if problem := key_problem(text):
        raise ValueError(f"no file can match: {problem}")
    try:
        matcher(text)
    except ConfigError as err:
        raise ValueError(f"{err}: {err.advice}") from err
    return text


def _key(text: str) -> str:
    if problem := key_problem(text):
        raise ValueError(f"this is not a file's key: {problem}")
    return text


def _rule(text: str) -> str:
    if not _RULE.fullmatch(text):
        raise ValueError("expected the rule of a finding, such as `cidr.host-bits`")
    if text in HOLDING:
        raise ValueError(f"{text} holds a change until its plan is approved: `sync --once --approve`; raise the limit")
    if text == "file.too-large":
        raise ValueError("a file that is too large is not read, so nobody knows what a waiver would let out")
    if text == ITEM_FAILED:
        raise ValueError("what could not be fetched is not there to be let out; take the item out instead")
    return text


def _ip(text: str) -> str:
    if "%" in text:
        raise ValueError("an address with a zone is not in any database")
    ip_address(text)
    return text


def _answers(expect: dict[str, Any]) -> dict[str, Any]:
    wrong = [path for path, value in expect.items() if not isinstance(value, (str, int, float, bool))]
    if wrong:
        raise ValueError(f'expected plain values, such as {{ "country.iso_code" = "US" }}; found more in `{wrong[0]}`')
    return expect


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("a waiver needs a reason that a reviewer can judge")
    return text


Glob = Annotated[str, AfterValidator(_glob)]
Header = Annotated[str, Field(pattern=r"^[\x20-\x7e]+$", max_length=512)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)  # built once, as parts of JobFile


class SourceTable(BaseModel):
    """Where data comes from. Further keys are those of the upstream named by `type`."""

    model_config = ConfigDict(extra="allow", strict=True, defer_build=True)

    type: Annotated[str, Field(min_length=1)]


class LimitsTable(_Table):
    """Bounds on one file; the kind's own hold where none is given."""

    min_entries: int | None = Field(default=None, ge=0)
    max_bytes: int | None = Field(default=None, ge=1)
    max_change: float | None = Field(default=None, ge=0, le=100, description="Share against the published file.")
    max_country_change: float | None = Field(
        default=None, ge=0, le=1, description="Share of the space whose country (or system) may change (mmdb)."
    )
    floor_entries: int | None = Field(default=None, ge=0, description="Changes of so few entries are never held.")
    max_prefix4: int | None = Field(default=None, ge=0, le=32)
    max_prefix6: int | None = Field(default=None, ge=0, le=128)
    floor_ipv4_addresses: int | None = Field(default=None, ge=0, description="Changes of so few are never held.")
    floor_ipv6_64s: int | None = Field(default=None, ge=0, description="Changes of so few /64s are never held.")
    must_contain: list[str] = Field(default=[], description="Networks covered whole, or rows, that must stay.")
    must_not_contain: list[str] = Field(default=[], description="Networks of which no address may be let in.")


class FileTable(_Table):
    """Which files, as what kind, with which headers and bounds."""

    match: Glob
    kind: str = Field(min_length=1)
    options: dict[str, Any] = Field(default={})
    limits: LimitsTable = LimitsTable()
    cache_control: Header | None = None
    content_type: Annotated[Header, Field(pattern=r"^[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$")] | None = None


class IgnoreTable(_Table):
    """Files that are nobody's to publish."""

    match: Glob


class WaiverTable(_Table):
    """A finding accepted by name, with a reason and an end."""

    key: Annotated[str, AfterValidator(_key)]
    rule: Annotated[str, AfterValidator(_rule)]
    reason: Annotated[str, AfterValidator(_reason)]
    until: date = Field(description="The last day, as a TOML date: 2027-03-31 without quotes.")


class CanaryTable(_Table):
    """A look-up that a GeoIP database must answer."""

    ip: Annotated[str, AfterValidator(_ip)]
    expect: Annotated[dict[str, Any], AfterValidator(_answers)] = Field(
        min_length=1, description="Dotted paths in the record, each with the value expected there."
    )
    edition: str | None = None


class GroupTable(_Table):
    """Rule files that an engine loads together, and the phrase files they read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    match: list[Glob] = Field(min_length=1)


class RetentionTable(_Table):
    """How long a target keeps what this job published before."""

    days: int = Field(ge=1, le=3650, description="Older versions go so many days after another took their place.")


class JobFile(_Table):
    """One file `jobs/NAME.toml`."""

    description: str = ""
    schedule: Annotated[str, AfterValidator(_cron)] | None = Field(default=None, description="Cron, UTC.")
    jitter_s: float = Field(default=10, ge=0, le=600, description="The worker starts it up to so much later, by lot.")
    run_on_start: bool = Field(default=False, description="The worker runs it when it starts, whatever the schedule.")
    max_age: Duration | None = Field(default=None, description="How old its last success may be.")
    unit: Literal["file", "job"] = "file"
    prune: bool = Field(default=False, description="Delete what the source no longer has.")
    max_deletes: float = Field(
        default=0.5, ge=0, le=1, description="Share of the job's public files that may go at once."
    )
    source: SourceTable
    files: list[FileTable] = Field(min_length=1)
    ignore: list[IgnoreTable] = Field(default=[])
    waivers: list[WaiverTable] = Field(default=[])
    canaries: list[CanaryTable] = Field(default=[])
    groups: list[GroupTable] = Field(default=[], description='Loaded together; for `unit = "job"`.')
    retention: RetentionTable | None = None
