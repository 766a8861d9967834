"""Stages: a target that is fed by no source, but by what another target has held for long enough."""

from datetime import datetime, timedelta

from hubdata.values import frozen


@frozen
class Stage:
    """What a target is fed by: the target called `after`, once a generation has been in force there for `soak`."""

    after: str
    soak: timedelta


@frozen
class Promoted:
    """Which generation of which target was promoted last; in the manifest of the target that has it now.

    While it is `partial`, something of it has yet to go out: it was held, refused, or could not be stored.
    """

    source: str
    generation: int
    partial: bool = False


@frozen
class Coming:
    """A generation that is in force and soaks: it is due at `due_at` (aware UTC), unless another takes its place."""

    generation: int
    due_at: datetime
    remaining: timedelta


@frozen
class StageResult:
    """How a stage stands after a run. `last` is what was promoted to `target` last, `due` what could be now.

    `due` is the generation that this run planned, or had promoted whole before; None where none has soaked yet.
    """

    target: str
    after: str
    soak: timedelta
    last: Promoted | None = None
    due: int | None = None
    coming: Coming | None = None
