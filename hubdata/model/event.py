"""Events: what happens during a run, as facts with fields. Logs, progress bars and metrics are made of these."""

from collections.abc import Mapping
from dataclasses import field

from hubdata.values import frozen


@frozen
class Event:
    """One fact, named `noun.verb` (`plan.applied`). Field values are short and never secret."""

    name: str
    fields: Mapping[str, str | int | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{k}={v}" for k, v in self.fields.items())])
