"""Decide when a stage is to be fed: at the moment at which a generation has soaked, whatever the jobs' schedules say.

Each run tells what soaks at the targets that it visited (`RunResult.stages`) and for how long yet. Then every job runs
once more, for the stages alone: no source is asked. What a worker that has just started does not know, it finds out
by such a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubdata.config.settings import Settings
from hubdata.model.stage import StageResult

_LATER = timedelta(seconds=1)
"""Stores tell their time to the second."""


@dataclass(frozen=True, slots=True)
class _Soak:
    generation: int
    at: datetime


def stages_of(settings: Settings, chosen: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the targets that are fed by others, of those that are chosen; of all where none is."""
    names = tuple(chosen) or tuple(settings.targets)
    return tuple(name for name in names if name in settings.targets and settings.targets[name].stage is not None)


class Soaking:
    """When which stage is due, by the worker's own clock. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._soaks: dict[str, _Soak] = {}

    def note(self, stages: Iterable[StageResult], now: datetime) -> None:
        """Take note of what a run that ended `now` has found to be soaking.

        How long yet was measured before by the store's clock, so what follows is due by then, or has been for as long
        as the run went on. A run that began earlier may end later, so one that knows of nothing changes nothing.
        """
        for stage in stages:
            if stage.coming is None:
                continue
            found = _Soak(stage.coming.generation, now + stage.coming.remaining + _LATER)
            held = self._soaks.get(stage.target)
            if held is None or found.generation > held.generation or found.at < held.at:
                self._soaks[stage.target] = found

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the stages that are due, each once."""
        found = tuple(target for target, soak in self._soaks.items() if soak.at <= now)
        for target in found:
            del self._soaks[target]
        return found

    @property
    def wakes_at(self) -> datetime | None:
        """Return when the next stage is due."""
        return min((soak.at for soak in self._soaks.values()), default=None)
