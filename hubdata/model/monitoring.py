"""Where runs leave what they measured, for those who watch them."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Pushgateway. The `url` may hold a user and password; `instance` is empty, or sets these runs apart there."""

    url: str
    instance: str = ""
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What is told after each run. The `textfile` is absolute, and one that node_exporter reads."""

    textfile: Path | None = None
    gateway: Gateway | None = None
