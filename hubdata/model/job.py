"""A job: where data comes from, what kind each file is, and what it must never become.

Jobs are read from TOML by `hubdata.config.jobs`; everything here is already checked and plain.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from hubdata.values import frozen

Options = Mapping[str, Any]
"""Settings of one adapter, not yet checked: the adapter's own pydantic model does that."""


class Unit(StrEnum):
    """What is refused together: one bad file alone, or the whole job with it."""

    FILE = "file"
    JOB = "job"


@frozen
class Limits:
    """Bounds on one file. None means that the kind's own default holds.

    `max_change` is a share (0.2 = a fifth) of entries or of address space, against the published file; whatever it is,
    a loss of more than half is too much. Each count may always change by its floor: entries, IPv4 addresses, IPv6
    /64s. `max_country_change` is the share of a database's space that may change its country (or system) at once.
    Prefix floors are the shortest prefix allowed. `must_not_contain` are networks of which the file may not let
    in a single address; `must_contain` are networks that it covers whole, or rows that it has, as its kind understands
    them.
    """

    min_entries: int | None = None
    max_bytes: int | None = None
    max_change: float | None = None
    floor_entries: int | None = None
    max_prefix4: int | None = None
    max_prefix6: int | None = None
    floor_ipv4_addresses: int | None = None
    floor_ipv6_64s: int | None = None
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    max_country_change: float | None = None


@frozen
class FileRule:
    """Which files of a source (a glob on the key), as what kind, with which headers and bounds."""

    match: str
    kind: str
    options: Options = field(default_factory=dict)
    limits: Limits = Limits()
    cache_control: str | None = None
    content_type: str | None = None


@frozen
class Waiver:
    """A finding accepted by name: it no longer refuses `key`, up to and including the day `until`."""

    key: str
    rule: str
    reason: str
    until: date


@frozen
class Group:
    """Files that an engine loads together, by globs on the key: one space of rule ids, one set of phrase files."""

    name: str
    match: tuple[str, ...]


@frozen
class Canary:
    """A look-up that a GeoIP database must answer: dotted record paths to expected values.

    `edition` limits it to one database (the key's file name without `.mmdb`); None asks all.
    """

    ip: str
    expect: Mapping[str, Any]
    edition: str | None = None


@frozen
class SourceSpec:
    """Which adapter reads the upstream, and its settings. Equal specs are fetched once for all jobs."""

    type: str
    options: Options


@frozen
class Job:
    """One TOML file of `jobs/`, checked. `max_deletes` is the share of its public files that may go at once.

    `retention` is how long a target keeps what was public before; None: for as long as the target likes. The worker
    starts it at each moment of its `schedule`, up to `jitter` later, and with `run_on_start` whenever it starts itself;
    `max_age` is how old its last success may be.
    """

    name: str
    source: SourceSpec
    files: tuple[FileRule, ...]
    description: str = ""
    schedule: str | None = None
    unit: Unit = Unit.FILE
    prune: bool = False
    ignore: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    canaries: tuple[Canary, ...] = ()
    groups: tuple[Group, ...] = ()
    max_deletes: float = 0.5
    retention: timedelta | None = None
    run_on_start: bool = False
    jitter: timedelta = timedelta(seconds=10)
    max_age: timedelta | None = None
