"""The shape of `hubdata.toml`. Tables of targets and CDNs are checked further by the adapter that they name."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from hubdata.config.http_table import HttpTable
from hubdata.config.metrics_table import MetricsTable
from hubdata.config.sign_table import SignTable
from hubdata.model.notify import Form
from hubdata.tables import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

MANY = 100_000
"""More files than any publication has: a sample of so many is all of them."""

Name = Annotated[str, Field(min_length=1)]
Argument = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=4096)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=255)]


def _duration(text: object) -> object:
    """Return the duration that a text such as `30m` or `1h30m` means; anything else is left to be refused."""
    if not isinstance(text, str) or not (parts := _DURATION.fullmatch(text)):
        raise ValueError("expected a duration: a number with s, m, h or d after it, such as 45s, 30m or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


_DURATION = re.compile(r"(?=.)(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,7})s)?")

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    Field(ge=timedelta(), le=timedelta(days=365)),
    WithJsonSchema({"type": "string", "pattern": "^(?=.)([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,7}s)?$"}),
]


class TargetTable(BaseModel):
    """Where to publish. Further keys are those of the store named by `type`."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: Name
    cdn: Name = Field(default="none", description="The name of a [cdns.NAME] table, or `none`.")
    after: Name | None = Field(default=None, description="The [targets.NAME] of which this one gets what has soaked.")
    soak: Duration | None = Field(default=None, description="How long a generation must have been in force there.")
    gate: list[Argument] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="A program and its arguments, `{tree}` for the directory to look at; unless it ends with 0,"
        " nothing is published here.",
    )
    gate_timeout_s: float = Field(default=300, gt=0, le=3600, description="Seconds after which it is ended: refused.")

    @field_validator("gate")
    @classmethod
    def _startable(cls, argv: list[str] | None) -> list[str] | None:
        return argv if argv is None else _program(argv)


class CdnTable(BaseModel):
    """A cache before a target. Further keys are those of the CDN named by `type`."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: Name


class VerifyTable(BaseModel):
    """How the world reads what was published."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    url: str = Field(pattern=r"^https?://[^\s@]+$", description="The public base URL.")
    families: list[Literal["ipv4", "ipv6"]] = Field(default=["ipv4", "ipv6"], min_length=1)
    target: Name | None = Field(default=None, description="What stands behind the URL; the first target when absent.")
    resolve: list[Argument] = Field(
        default=[], max_length=64, description="HOST:PORT:ADDRESS, used in place of what the DNS says."
    )
    sample: int = Field(
        default=20, ge=0, le=MANY, description="Files to look at besides those that changed last, chosen by lot."
    )
    wait_s: float = Field(
        default=120, ge=0, le=3600, description="Seconds a run waits for the CDN to catch up with a publication."
    )
    silence_s: float = Field(
        default=15, ge=0.1, le=300, description="Seconds that an edge may say nothing before it counts as hanging."
    )
    timeout_s: float = Field(default=300, ge=1, le=3600, description="Seconds for one look at everything.")

    @field_validator("resolve")
    @classmethod
    def _pins(cls, pins: list[str]) -> list[str]:
        from hubdata.model.verification import Pin

        for pin in pins:
            Pin.parse(pin)
        return pins


def _program(argv: list[str]) -> list[str]:
    """Return `argv` if its first can be a program."""
    if not argv[0] or ("/" in argv[0] and not argv[0].startswith("/")):
        raise ValueError("the first is the program: expected an absolute path, or a name to be found on PATH")
    return argv


class HooksTable(BaseModel):
    """What is started when something was published."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    on_published: list[Argument] = Field(
        min_length=1,
        max_length=64,
        description="A program (an absolute path, or a name found on PATH) and its arguments; no shell reads them.",
    )
    timeout_s: float = Field(default=60, gt=0, le=3600, description="Seconds after which it is ended.")
    pass_environment: list[Variable] = Field(
        default=[], max_length=64, description="Variables that it is given besides PATH, HOME and what it is told."
    )

    @field_validator("on_published")
    @classmethod
    def _startable(cls, argv: list[str]) -> list[str]:
        return _program(argv)


class NotifyTable(BaseModel):
    """Whom to notify when a job is refused, held, failed or stale, and when it is well again."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    url_env: Variable | None = Field(
        default=None, description="The variable with the webhook's URL, or (with _FILE added) with a file's path."
    )
    format: Form = Field(default=Form.JSON, description="What the webhook is sent.")
    command: list[Argument] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="A program and its arguments that is given the object on its standard input; no shell reads them.",
    )
    on: list[Literal["refused", "held", "failed", "stale", "recovered"]] = Field(
        default=["refused", "held", "failed", "stale", "recovered"], min_length=1, description="What is told."
    )
    timeout_s: float = Field(default=10, gt=0, le=300, description="Seconds for the webhook, and for the program.")
    pass_environment: list[Variable] = Field(
        default=[], max_length=64, description="Variables that the program is given besides PATH, HOME and the like."
    )

    @field_validator("command")
    @classmethod
    def _startable(cls, argv: list[str] | None) -> list[str] | None:
        return argv if argv is None else _program(argv)


class LeaseTable(BaseModel):
    """How runs at one target keep out of each other's way."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    holds_s: float = Field(
        default=60,
        ge=5,
        le=3600,
        description="Seconds a lease lasts unless renewed: so long others wait for a dead run.",
    )
    waits_s: float = Field(
        default=300, ge=0, le=86_400, description="Seconds a run waits for another one's lease before it fails."
    )


class FleetTable(BaseModel):
    """Who downloads what is published; plans are priced by it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    engines: int = Field(ge=1, le=1_000_000_000, description="How many engines download from here.")
    usd_per_gb: float = Field(
        default=0.085, ge=0, le=100, description="What the CDN charges for a GB (10^9 bytes) that leaves it."
    )


class PageTable(BaseModel):
    """The status page beside the data."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    publish: bool = Field(default=True, description="Publish index.html and status.json with each generation.")


class ValidationTable(BaseModel):
    """How files are judged."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    remember: bool = Field(
        default=True, description="Remember verdicts in the spool: what was judged before is only read and digested."
    )
    processes: int | None = Field(
        default=None, ge=1, le=16, description="Judge much with so many processes; as there are cores, 4 at most."
    )


class SettingsFile(BaseModel):
    """The file `hubdata.toml`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    jobs: Name | None = Field(default=None, description="Directory of job files; the built-in jobs when absent.")
    spool: Name | None = Field(default=None, description="Where downloads are staged.")
    sha256sums: bool = Field(default=False, description="Publish SHA256SUMS; with [sign] it is published anyway.")
    targets: dict[Name, TargetTable] = Field(default={})
    cdns: dict[Name, CdnTable] = Field(default={})
    checkouts: dict[Name, Name] = Field(
        default={}, description="Repository URL (or `*`) to a directory that holds its checkout."
    )
    verify: VerifyTable | None = None
    hooks: HooksTable | None = None
    notify: NotifyTable | None = None
    lease: LeaseTable = LeaseTable()
    sign: SignTable | None = None
    fleet: FleetTable | None = None
    http: HttpTable | None = None
    metrics: MetricsTable | None = None
    page: PageTable = PageTable()
    validation: ValidationTable = ValidationTable()


def options_of(table: Any, model: type[TargetTable | CdnTable]) -> dict[str, Any]:
    """Return an adapter's own keys from the table of a target or CDN."""
    return {key: value for key, value in table.items() if key not in model.model_fields}
