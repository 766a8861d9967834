"""What a status page is made from: everything that somebody else has to find out first."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hubdata.model.history import Run
from hubdata.model.manifest import Manifest
from hubdata.report.page.series import Past


@dataclass(frozen=True, slots=True)
class JobNote:
    """What is known of one job besides its files.

    `max_age` is how old its last success may be; None where nobody has said. `last_success` is aware, and tells of runs
    that wrote nothing: those leave no record.
    """

    name: str
    description: str = ""
    schedule: str | None = None
    max_age: timedelta | None = None
    last_success: datetime | None = None

    def __post_init__(self) -> None:
        if self.last_success is not None and self.last_success.tzinfo is None:
            raise ValueError(f"job {self.name}: expected an aware `last_success`")


@dataclass(frozen=True, slots=True)
class Given:
    """One target at the moment `now` (aware).

    `manifest` is in force; `past` are older ones in any order. `runs` are records as `.hubdata/runs/` holds them, in
    any order, but of one second the newer first; the run that publishes the page is among them, or the page does not
    know how it ended. `growth` is drawn instead of what `past` tells, where there is one. `links` is the address below
    which the data is public (it ends in a slash), or empty where the page lies beside it.

    A `private` page tells errors in full. Others tell their kind alone: messages name hosts, buckets and paths.
    """

    manifest: Manifest
    now: datetime
    past: tuple[Manifest, ...] = ()
    runs: tuple[Run, ...] = ()
    jobs: tuple[JobNote, ...] = ()
    links: str = ""
    private: bool = False
    growth: Past | None = None

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("expected an aware `now`")
        if self.links and not self.links.startswith(("https://", "http://")):
            raise ValueError(f"expected an http address to link to, found {self.links!r}")
        if self.links and not self.links.endswith("/"):
            raise ValueError(f"expected an address that ends in a slash, found {self.links!r}")
